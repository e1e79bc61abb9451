/* SPDX-License-Identifier: Apache-2.0 */
/* locking.h - what env.h doesn't show of locking.c. */
#ifndef DEVENV_ENV_LOCKING_H
#define DEVENV_ENV_LOCKING_H

#include "env/env.h"

#define LOCKING_BASE "base" /* the lock's entry for the base of the environment */

/* What the base asks for, as the lock writes it; malloc'ed. NULL: nothing, or (error set) an invalid reference. */
char *locking_request(const struct environment *env, struct err *e);
/* Add to either list; the reason is given away. */
void locking_add_gap(struct env_gaps *g, const char *name, char *reason /* takes */);
void locking_note_change(struct env_changes *c, const char *name, const char *before, const char *after);
/* Does CI=true say that nobody is there, and nothing is to be written? */
bool locking_in_ci(void);
/* The rules of "Who writes it" for a session that is about to start: fill gaps, or refuse. */
int locking_for_session(struct environment *env, enum env_purpose purpose, const struct env_options *o, struct err *e);

#endif
