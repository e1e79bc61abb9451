/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_run.h - the step that installs packages: dpkg in a sandbox on an image, and what it wrote published as a layer with the
 * record of its owners.
 */
#ifndef DEVENV_ENV_PACKAGES_RUN_H
#define DEVENV_ENV_PACKAGES_RUN_H

#include "config/lock.h"
#include "env/env.h"
#include "env/packages_output.h"
#include "source/recipe.h"

struct packages_run {
	const struct recipe *recipe;		   /* of the result; it stands on recipe->below */
	const struct lock_package *const *unpacked; /* what dpkg unpacks in it, in its order; the store has them */
	size_t count;
	const char *script; /* of packages_dpkg.h */
	int64_t epoch;	    /* times of the step become this one (seconds) */
	struct packages_output *output; /* hears what dpkg says, and is released */
};

int packages_run(struct environment *env, struct store *s, struct store_stage *stage, const struct packages_run *r, struct err *e);

#endif
