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

/* A shell where the last build of this checkout stopped. ERR_NOT_FOUND: none did. */
int building_shell(const struct environment *env, struct store *s, int *status, struct err *e);
/* Is there such a place? */
bool building_has_failed(const struct environment *env, const struct store *s);
/* Where it would be, of the checkout with this state directory; malloc'ed. To be locked with file_lock before it is removed. */
char *building_failed_path(const char *store, const char *state);
/* What builds that failed left, but for where a shell is open: removed, or (dry) measured. */
int building_gc(const struct store *s, bool dry_run, uint64_t *bytes, size_t *count, struct err *e);

#endif
