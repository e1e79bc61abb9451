/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_stage.h - the stages of an environment's image that are made of packages: the base, and what [packages] adds to one.
 *
 * What a stage is called follows from the lock alone, so that who has the same lock finds it made already.
 */
#ifndef DEVENV_ENV_PACKAGES_STAGE_H
#define DEVENV_ENV_PACKAGES_STAGE_H

#include "base/digest.h"
#include "env/env.h"
#include "env/packages_order.h"

/* The digest of the base that the lock's packages make for a platform. ERR_LOCK: there are none. */
int packages_stage_base_digest(const struct lock *l, const char *platform, char digest[DIGEST_MAX], struct err *e);
/* Of its tree before anything was configured. -1: there is none. */
int packages_stage_unpacked_digest(const struct lock *l, const char *platform, char digest[DIGEST_MAX]);
/* The digest of what is added to the image `below`; its own when nothing is. */
void packages_stage_added_digest(const struct lock *l, const char *platform, const char *below, char digest[DIGEST_MAX]);

/* What is added by devenv.lock, and by devenv.local.lock. */
#define PACKAGES_STAGE_ADDED "packages"
#define PACKAGES_STAGE_OWN "personal"

/* Packages of a lock that go on an image: a stage of their own. */
struct packages_addition {
	const char *kind;	 /* of the recipe */
	const char *title;	 /* for people */
	const struct lock *lock;
	const char *below;	 /* digest of the image */
	const char *sources;	 /* of the image whose apt says where packages come from; NULL: the release's archive */
	/* Which of them does the image lack? Takes marks away. NULL: all. */
	int (*lacks)(void *data, const struct packages_control *items, size_t count, bool *lacking, struct err *e);
	void *data;
};
void packages_stage_addition_digest(const struct packages_addition *a, const char *platform, char digest[DIGEST_MAX]);
int packages_stage_make_addition(struct environment *env, struct store *s, const struct packages_addition *a,
				 const struct env_options *o, struct err *e);

/* Make them, unless they are there. */
int packages_stage_make_base(struct environment *env, struct store *s, const struct env_options *o, struct err *e);

#endif
