/* SPDX-License-Identifier: Apache-2.0 */
/*
 * origin.h - the one shape behind which a registry, an OCI layout and the kinds of archives look alike: a
 * place that hands out manifests and blobs by digest. Inside source/ only.
 */
#ifndef DEVENV_SOURCE_ORIGIN_H
#define DEVENV_SOURCE_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/stream.h"
#include "source/oci.h"

struct origin {
	/*
	 * The manifest or index with this digest; NULL: the one the location names. *media_type (malloc'ed or
	 * NULL) is what it was served or described as; `found` its digest, verified, or "" for a list that
	 * has none of its own (several entries of a layout's index.json).
	 */
	int (*manifest)(struct origin *o, const char *digest, struct buf *body, char **media_type,
	                char found[DIGEST_MAX], struct err *e);
	/* A config: all of it, verified. */
	int (*blob)(struct origin *o, const char *digest, uint64_t size, struct buf *body, struct err *e);
	/* A layer: verified by whoever reads it. */
	int (*stream)(struct origin *o, const char *digest, uint64_t size, struct stream **out,
	              struct err *e);
	void (*close)(struct origin *o);
};

/* Dispatches on src->kind; "offline" makes a registry ERR_OFFLINE. */
int origin_open(struct oci_context *c, const struct oci_source *src, struct origin **out, struct err *e);
void origin_close(struct origin *o); /* NULL is fine */

int oci_registry_open(struct oci_context *c, const char *location, struct origin **out, struct err *e);
int oci_layout_open(const struct oci_source *src, struct origin **out, struct err *e);
int oci_archive_open(struct oci_context *c, const struct oci_source *src, struct origin **out, struct err *e);

struct members;
/* The image in an OCI layout whose files are `m`; `tag` NULL: its only one. `name` is for messages. */
int oci_layout_over(struct members *m /* takes, also on failure */, const char *tag, const char *name,
                    struct origin **out, struct err *e);
/* The image that `docker save` wrote, its files being `m`. */
int oci_docker_over(struct members *m /* takes, also on failure */, const char *name, struct origin **out,
                    struct err *e);

/* `body` must have this digest. ERR_INTEGRITY. */
int origin_verify(const char *what, const struct buf *body, const char *digest, struct err *e);

#endif
