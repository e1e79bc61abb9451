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

#endif
