/* SPDX-License-Identifier: Apache-2.0 */
/*
 * made.h - the manifest and config of an image that came without a manifest, so that one was made. An origin whose struct
 * begins with struct made_origin can hand them out with made_manifest and made_blob. Inside source/ only.
 */
#ifndef DEVENV_SOURCE_MADE_H
#define DEVENV_SOURCE_MADE_H

#include "source/manifest.h"
#include "source/origin.h"

struct made_origin {
	struct origin origin;
	struct buf config, manifest;
	char config_digest[DIGEST_MAX], manifest_digest[DIGEST_MAX];
};

/* `config` is complete: its digest. */
void made_have_config(struct made_origin *m);
/* Make the manifest of that config and these layers. */
void made_have_layers(struct made_origin *m, const struct manifest_part *layers, size_t count);
void made_release(struct made_origin *m); /* the buffers, not the struct */

/* As in struct origin. */
int made_manifest(struct origin *o, const char *digest, struct buf *body, char **media_type, char found[DIGEST_MAX],
                  struct err *e);
int made_blob(struct origin *o, const char *digest, uint64_t size, struct buf *body, struct err *e);

#endif
