/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - the pull half of the OCI distribution spec 1.1, with anonymous, basic and bearer-token authentication. */
#ifndef DEVENV_FETCH_REGISTRY_H
#define DEVENV_FETCH_REGISTRY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/stream.h"
#include "config/reference.h"
#include "config/user.h"
#include "fetch/http.h"

#define REGISTRY_MANIFEST_MAX (4u << 20)
#define REGISTRY_BLOB_MAX (4u << 20) /* of registry_blob: what is kept in memory */

struct registry; /* talks to one repository of one host (and its mirror); keeps its token */

/*
 * Borrows h for its life; copies what it needs of user and ref. Credentials are looked up lazily
 * (fetch/credentials.h). Loopback hosts are spoken to in plain http unless the user config names a ca for them; others
 * by https, and with `insecure = yes` unverified or, where there is no TLS, plain. A mirror is asked first; whatever it
 * can't give is asked of the host itself.
 */
struct registry *registry_new(struct http *h, const struct user_config *user, const struct reference *ref);
/* Streams that are still open stay usable. */
void registry_free(struct registry *r);

/* Get a manifest or index by tag or digest: the bytes, their media type (of the Content-Type; "" when the server names
 * none) and the digest computed over them. A digest in `tag_or_digest` that does not match is ERR_INTEGRITY. 404:
 * ERR_NOT_FOUND naming the reference; 401/403: ERR_AUTH. */
int registry_manifest(struct registry *r, const char *tag_or_digest, struct buf *body, char **media_type,
		      char digest[136], struct err *e);
/* A small blob (config) into memory, digest verified; size is known from the descriptor, at most 4 MiB. */
int registry_blob(struct registry *r, const char *digest, uint64_t size, struct buf *body, struct err *e);
/* A layer blob as a stream (its digest is verified by whoever reads it). */
int registry_blob_stream(struct registry *r, const char *digest, uint64_t size, struct stream **out, struct err *e);

/* Does the registry itself, not its mirror, accept us: with the login that is found for it, or without one if there is
 * none? One that asks nobody for a login accepts everybody. ERR_AUTH: it does not. */
int registry_login(struct registry *r, struct err *e);

#endif
