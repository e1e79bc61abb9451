/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages.h - the stages of an environment's image, each on the one before: the base, [packages], [build], and last what
 * devenv.local.ini adds for one person: so nothing that everybody shares is made anew for that.
 *
 * Each is an image of the store, named by what decides it; so the last digest names the environment's image, and what is there
 * already is found, whoever made it.
 */
#ifndef DEVENV_ENV_STAGES_H
#define DEVENV_ENV_STAGES_H

#include "base/digest.h"
#include "env/env.h"

/* The digest of the last stage, from the lock and the files alone. */
int stages_digest(struct environment *env, char digest[DIGEST_MAX], struct err *e);
/* That of base and [packages], from the lock alone. */
int stages_below_build(const struct environment *env, char digest[DIGEST_MAX], struct err *e);
/* Make whatever is missing: fetched, unpacked, built. */
int stages_make(struct environment *env, struct store *s, const struct env_options *o, struct err *e);

enum { STAGES_MAX = 4 };
struct stage_state {
	const char *name; /* "base", "packages", "build", and of packages of one's own */
	char digest[DIGEST_MAX];
	size_t packages; /* how many it is made of; 0: of none */
	bool ready;	 /* in the store */
};
/* The stages that this project has, the lowest first; returns how many. `s` may be NULL: there is no store, so nothing is ready. -1: the
 * lock or the inputs don't say. */
int stages_look(struct environment *env, const struct store *s, struct stage_state out[STAGES_MAX], struct err *e);

#endif
