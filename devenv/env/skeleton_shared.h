/* SPDX-License-Identifier: Apache-2.0 */
/*
 * skeleton_shared.h - files that generated layers have in common, such as the bundle of certificates: stored once.
 *
 * <store>/skeletons/.shared/<hex sha256 of the content>-<mode> is one more hard link of a file of some layer; a layer that
 * needs the same links to it. Whatever is missing or can't be linked costs space, nothing else: so the directory may go
 * at any time.
 */
#ifndef DEVENV_ENV_SKELETON_SHARED_H
#define DEVENV_ENV_SKELETON_SHARED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "env/skeleton.h"
#include "store/store.h"

/* Is it a file that takes space? */
bool skeleton_shared_is_fit(const struct skeleton_item *item);
/* Link the content of `item` to `path` below `fd`. False: it is not there, or can't be linked; write it. */
bool skeleton_shared_take(const struct store *s, const struct skeleton_item *item, int fd, const char *path);
/* Offer the file at `path` below `fd`, which is on disk, to others. */
void skeleton_shared_give(const struct store *s, const struct skeleton_item *item, int fd, const char *path);

/* ---- gc ---- */
/* What was measured so far: how many links there are of each file that has several. */
struct skeleton_shared {
	struct skeleton_shared_file *files;
	size_t count, cap;
};
/* Bytes that go with a layer once those measured before are gone. What it shares is noted. */
uint64_t skeleton_shared_measure(struct skeleton_shared *m, int parent, const char *layer);
/* Remove what only .shared still holds. `layers`: the directory of generated layers, of which those measured
 * are removed, or with `dry_run` would be. Adds to *bytes. */
int skeleton_shared_sweep(const struct skeleton_shared *m, int layers, bool dry_run, uint64_t *bytes,
                          struct err *e);
void skeleton_shared_release(struct skeleton_shared *m);

#endif
