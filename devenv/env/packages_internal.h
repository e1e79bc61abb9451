/* SPDX-License-Identifier: Apache-2.0 */
/* packages_internal.h - what packages.c and packages_lock.c share. */
#ifndef DEVENV_ENV_PACKAGES_INTERNAL_H
#define DEVENV_ENV_PACKAGES_INTERNAL_H

#include "env/packages.h"

/* A list of packages to be added: everybody's, or that of devenv.local.ini, which is one person's. */
struct packages_list {
	bool own;
	const struct strlist *apt;
	const struct lock *lock;
	const char *config; /* the file that asks */
	const char *all;    /* how `devenv update` calls all of them */
};
struct packages_list packages_shared(const struct environment *env);
struct packages_list packages_own(const struct environment *env);

static inline bool packages_is_debian(const struct environment *env)
{
	return env->config.base == CONFIG_BASE_DEBIAN;
}
/* Those that are asked for, and those a colleague's machine has locked; sorted. */
void packages_platforms(const struct environment *env, struct strlist *out);
/* What the lock lacks of a base of packages; malloc'ed, NULL: nothing. */
char *packages_base_gap(const struct environment *env, const char *platform);
/* And of what is added. */
void packages_added_gaps(const struct environment *env, const char *platform, struct env_gaps *out);

#endif
