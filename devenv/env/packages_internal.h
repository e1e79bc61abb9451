/* SPDX-License-Identifier: Apache-2.0 */
/* packages_internal.h - what packages.c, packages_lock.c, packages_changes.c and packages_unknown.c share. */
#ifndef DEVENV_ENV_PACKAGES_INTERNAL_H
#define DEVENV_ENV_PACKAGES_INTERNAL_H

#include "env/packages.h"
#include "env/resolve.h"

#define PACKAGES_PLATFORMS "linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/riscv64", "linux/ppc64le", "linux/s390x"

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

/* ---- packages_changes.c ---- */
/* A new base is told as one. Of a version that stays what else is another: its hash, its size, its path, its suite. */
void packages_note_changes(struct env_changes *changes, const char *platform, const struct resolved *before, const struct resolved *after);
/* All of a lock, without asking anybody. */
void packages_drop_all(struct lock *l, struct env_changes *changes);
/* Packages of the base that stayed when another kind of base came. */
void packages_drop_base(struct environment *env);
/* What is locked for other platforms than these. */
void packages_drop_platforms(struct lock *l, const struct strlist *platforms, struct env_changes *changes);

#endif
