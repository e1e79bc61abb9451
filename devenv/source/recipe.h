/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipe.h - images that were made here rather than pulled.
 *
 * What decides the result is written down as a canonical JSON text, the recipe; the record of the image in the store has it
 * in place of a manifest, so its digest names the image like any other:
 *
 *   {"mediaType":"application/vnd.devenv.recipe.v1+json","schemaVersion":2,"kind":"debian|packages|build",
 *    "platform":"linux/amd64","below":"sha256:… or empty","parts":["…", …]}
 *
 * parts: of debian and packages "name version sha256" sorted; of a build its script, its variables and the hashes of its inputs.
 * The tool's own version of the procedure (RECIPE_PROCEDURE_*) is a part too: what makes another result has another name.
 */
#ifndef DEVENV_SOURCE_RECIPE_H
#define DEVENV_SOURCE_RECIPE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "store/store.h"

#define RECIPE_PROCEDURE_DEBIAN "debian-3"
#define RECIPE_PROCEDURE_PACKAGES "packages-4"
#define RECIPE_PROCEDURE_BUILD "build-3"

struct recipe {
	const char *kind, *platform;
	const char *below;	/* digest of the image it stands on, "" for none */
	const struct strlist *parts;
};

/* The canonical text and its digest. */
void recipe_format(const struct recipe *r, struct buf *text, char digest[DIGEST_MAX]);

/*
 * Publish the stage (fs/, owners) as one layer on those of `below`, and the record of the image. The layer is named by
 * the recipe's digest (a chain id of its own). `config`: OCI config of the result, or NULL for the one below.
 */
int recipe_publish(struct store *s, const struct recipe *r, struct store_stage *stage, const char *config, struct err *e);

/* What the record of an image that was made here says. */
struct recipe_record {
	char *kind, *below; /* below: "" for none */
	struct strlist parts;
};
/* false: it is none, so the image was pulled; *out then holds nothing. */
bool recipe_parse(const char *manifest, struct recipe_record *out);
void recipe_record_release(struct recipe_record *r);

#endif
