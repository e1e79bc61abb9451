/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_whole.h - is the lock whole: does it have all that its packages need of each other, and nothing that they exclude?
 *
 * `devenv lock` writes no other. But git puts two locks together line by line: where one side asks for a package and the other no
 * longer needs what that package needs, the merge is clean and the lock is not. What needs what is told by the packages themselves, so
 * it is known when their files are in the store, and nothing is said while they aren't.
 */
#ifndef DEVENV_ENV_PACKAGES_WHOLE_H
#define DEVENV_ENV_PACKAGES_WHOLE_H

#include "env/env.h"

/*
 * What is wrong on one platform, as gaps: the package's name, and why. `blamed`, if any: names of packages that have to move, being
 * there in a wrong version.
 */
void packages_whole_gaps(const struct environment *env, const struct store *s, const char *platform, struct env_gaps *out,
			 struct strlist *blamed);
/* For this machine, before anything is unpacked. ERR_LOCK. */
int packages_whole_check(const struct environment *env, const struct store *s, struct err *e);

#endif
