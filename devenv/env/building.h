/* SPDX-License-Identifier: Apache-2.0 */
/*
 * building.h - [build]: the stage that a script of the project makes.
 *
 * Its key is the image below, the script and what runs it, its variables, network and caches, and the content of its inputs:
 * nothing of the checkout's place, so that worktrees and colleagues share it. What a step wrote is a layer; what
 * it wrote to /workspace, where it has a copy of its inputs, and to the caches is none of it.
 */
#ifndef DEVENV_ENV_BUILDING_H
#define DEVENV_ENV_BUILDING_H

#include "base/digest.h"
#include "env/env.h"

/* The digest of the image that [build] makes of the image `below`; that itself where there is no [build]. The inputs are read
 * once in the life of `env`. */
int building_digest(struct environment *env, const char *below, char digest[DIGEST_MAX], struct err *e);
/* Make it, unless it is there. */
int building_make(struct environment *env, struct store *s, const char *below, const struct env_options *o, struct err *e);

/* The name of the image that [build] makes of `below` and of inputs with this digest. */
void building_name(const struct environment *env, const char *below, const char *inputs, char digest[DIGEST_MAX]);

#endif
