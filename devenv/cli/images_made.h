/* SPDX-License-Identifier: Apache-2.0 */
/* images_made.h - images that were made here: the stages one stands on, and what made each. */
#ifndef DEVENV_CLI_IMAGES_MADE_H
#define DEVENV_CLI_IMAGES_MADE_H

#include "base/digest.h"
#include "source/recipe.h"
#include "store/store.h"

struct made_stage {
	char digest[DIGEST_MAX]; /* of the image, and the chain id of its layer */
	char *kind;		 /* "unpacked", "debian", "packages", "build" */
	size_t packages;	 /* how many made it; of a build 0 */
	char *text;		 /* one line that says what made it */
	char *script;		 /* of a build, else NULL */
};
struct made_stages {
	struct made_stage *items; /* the lowest first */
	size_t count, cap;
};

/* None for an image that was pulled. What a stage stands on may be gone: then the chain begins above it. */
void made_stages_find(const struct store *s, const char *digest, struct made_stages *out);
void made_stages_release(struct made_stages *m);

#endif
