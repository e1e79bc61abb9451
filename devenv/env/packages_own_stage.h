/* SPDX-License-Identifier: Apache-2.0 */
/* packages_own_stage.h - the last stage of an environment's image: the packages of devenv.local.ini, on what everybody shares. */
#ifndef DEVENV_ENV_PACKAGES_OWN_STAGE_H
#define DEVENV_ENV_PACKAGES_OWN_STAGE_H

#include "base/digest.h"
#include "env/env.h"

struct packages_own_below { /* digests of the stages below: equal where a stage adds nothing */
	const char *base, *packages, *build;
};

/* The digest of what they make of the image `below`; that itself when devenv.local.ini asks for none. */
void packages_own_stage_digest(const struct environment *env, const char *below, char digest[DIGEST_MAX]);
/* Make it, unless it is there, of stages that are in the store. */
int packages_own_stage_make(struct environment *env, struct store *s, const struct packages_own_below *below,
			    const struct env_options *o, struct err *e);

#endif
