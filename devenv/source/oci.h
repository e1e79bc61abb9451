/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci.h - images from OCI registries, OCI layouts and archives: resolve to digests, then fetch into the
 * store.
 */
#ifndef DEVENV_SOURCE_OCI_H
#define DEVENV_SOURCE_OCI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/lock.h"
#include "config/user.h"
#include "fetch/http.h"
#include "store/store.h"

/* How this machine is called in an index: "linux/amd64", "linux/arm64". */
const char *oci_platform(void);

/* What the pull tells the CLI while it runs; every callback may be NULL. Called from the caller's thread. */
struct oci_progress {
	/* Before the first byte: layers to fetch, their compressed bytes together, the store's free bytes. */
	void (*plan)(void *data, size_t layers, size_t present, uint64_t bytes, uint64_t free_bytes);
	/* n: 0-based among the image's layers. done == total: finished. `present` layers are not reported. */
	void (*layer)(void *data, size_t n, const char *digest, uint64_t done, uint64_t total);
	void *data;
};

enum oci_kind { OCI_REGISTRY, OCI_LAYOUT, OCI_ARCHIVE };
struct oci_source {
	enum oci_kind kind;
	/* A reference; "PATH[:TAG]" of a layout; PATH of an archive (both absolute or below the cwd). */
	const char *location;
	const char *request; /* canonical text for the lock entry */
	/* Instead of the path: what the caller opened, a layout's directory (O_PATH will do) or an archive to read.
	 * `location` then is its name in messages, without a tag. */
	bool opened;
	int fd; /* stays the caller's */
	const char *tag; /* NULL: the only image */
};

struct oci_context {
	struct store *store; /* may be NULL for oci_resolve */
	const struct user_config *user;
	bool offline; /* a need for the network is ERR_OFFLINE */
	struct oci_progress progress;
};

/*
 * Ask the source what it is now: fills *out (name left NULL): request, index digest if any, the digest of
 * each platform's manifest (linux platforms only; attestations and unknown platforms skipped; a single
 * manifest: this machine's platform as its config says). ERR_NOT_FOUND when there is none for
 * `oci_platform()`.
 */
int oci_resolve(struct oci_context *c, const struct oci_source *src, struct lock_image *out, struct err *e);

/*
 * Make sure the image with this manifest digest is complete in the store, fetching what is missing. Locks per
 * layer, so that concurrent pulls share one download. Nothing is published before everything of it is
 * verified. ERR_SPACE before the start when the free space is smaller than twice the compressed size.
 */
int oci_fetch(struct oci_context *c, const struct oci_source *src, const char *manifest_digest,
              struct err *e);

/* The part of an image's config that means anything here (security rule 8). */
struct oci_config {
	struct strlist env; /* NAME=value, checked */
	struct strlist entrypoint, cmd;
	char *user, *workdir, *stop_signal, *architecture, *os, *created; /* "" when absent, never NULL */
	struct strlist diff_ids;
	struct strlist history;       /* "created_by" of each step, "" kept; empty_layer steps are marked in
	                                 history_empty */
	unsigned char *history_empty; /* history.count flags */
	struct strlist warnings;      /* what was dropped and why */
};
int oci_config_parse(const char *json, size_t len, struct oci_config *out, struct err *e);
void oci_config_release(struct oci_config *c);

#endif
