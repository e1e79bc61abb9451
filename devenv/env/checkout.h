/* SPDX-License-Identifier: Apache-2.0 */
/* checkout.h - the project's directory: opened once, and what is read of it is read below that descriptor. */
#ifndef DEVENV_ENV_CHECKOUT_H
#define DEVENV_ENV_CHECKOUT_H

#include <sys/stat.h>

#include "env/env.h"

/* Open env->project as env->project_fd and tell which clone it is (env->clone). ERR_CONFIG: somebody else could write to
 * it, or it is or holds the home directory or a directory of devenv's own. */
int checkout_open(struct environment *env, struct err *e);
void checkout_close(struct environment *env);
/* Is there still that directory at its path? ERR_FAILED if not. `st` receives what the descriptor says; may be NULL. */
int checkout_is_there(const struct environment *env, struct stat *st, struct err *e);

/* How a place is opened so that no link leads elsewhere: `name` below `dirfd` with the RESOLVE_ flags. */
struct checkout_way {
	int dirfd;
	const char *name; /* points into the place */
	uint64_t resolve;
};
struct checkout_way checkout_way(const struct environment *env, const struct env_place *place);

#endif
