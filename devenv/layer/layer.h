/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer.h - one layer of an image, from its compressed tar stream to a directory that overlayfs can stack.
 *
 * libarchive reads the tar format; every write is ours, below a root descriptor, in directories this layer made itself,
 * never through a link of the archive's making (security rule 14). An entry's parent is looked up in the merged view of
 * this layer over those below, with links resolved inside the root, so `bin/x` lands in `usr/bin/x` where `bin` is a
 * link to it. OCI whiteouts become what overlayfs in a user namespace (mount option userxattr) understands: a 0:0
 * character device (unprivileged since Linux 5.8) or, where that is denied and the kernel is 6.7 or newer, an empty file
 * with user.overlay.whiteout in a directory marked user.overlay.opaque = "x"; opaque directories get
 * user.overlay.opaque = "y". Whiteouts only ever hide what is below: what the same layer adds stays, in either order.
 * Every file belongs to the caller (one uid); the archive's owners, full modes and skipped things go to the `owners`
 * record beside the tree.
 *
 * Pipeline: caller's stream -> [thread: hash of compressed bytes + inflate] -> [this thread: diff id + tar + write].
 */
#ifndef DEVENV_LAYER_LAYER_H
#define DEVENV_LAYER_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/stream.h"

/* LAYER_XZ must be asked for: it is what packages have, and never an image's layer. */
enum layer_compression { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD, LAYER_XZ, LAYER_DETECT };

struct layer_spec {
	const char *digest;  /* of the compressed bytes; NULL: not known, don't check (docker archives) */
	uint64_t size;       /* of the compressed bytes; 0 with digest NULL: not known */
	const char *diff_id; /* of the uncompressed tar; NULL: not known (plain rootfs archives) */
	enum layer_compression compression;
	/* Layers below, topmost first, as directory descriptors: for modes of parents the archive doesn't name and for hard
	 * links to files of lower layers. */
	const int *below;
	size_t below_count;
	uint64_t max_bytes; /* unpacked limit, all files together (a sparse file counts in full); 0: 20 GiB.
				 Exceeding it is ERR_INTEGRITY */
};

struct layer_result {
	uint64_t compressed, unpacked; /* bytes read; bytes of tar */
	uint64_t entries, skipped;     /* entries of the archive; devices, fifos and sockets left out */
	uint64_t bytes; /* what the tree takes on disk: files rounded up to 4 KiB, directories 4 KiB */
	uint64_t xattrs_dropped; /* extended attributes left out: all but user.* without user.overlay.* */
	char diff_id[136];       /* computed */
	char digest[136];        /* computed, of the compressed bytes */
};

/* Called now and then with the compressed bytes consumed so far; returning non-zero cancels with ERR_INTERRUPTED. */
typedef int layer_progress(void *data, uint64_t compressed);

/*
 * Apply a layer into `tree_fd`, an empty directory, and write its owners record to the file descriptor `owners_fd`
 * (format: layer/owners.h). Verifies size, digest and diff id to the last byte, and refuses trailing bytes; the caller
 * gives the tree a name only when this returns 0. On failure the tree holds rubbish to be removed.
 */
int layer_apply(const struct layer_spec *spec, struct stream *in, int tree_fd, int owners_fd,
                layer_progress *progress, void *data, struct layer_result *out, struct err *e);

#endif
