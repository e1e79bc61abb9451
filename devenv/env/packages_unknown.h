/* SPDX-License-Identifier: Apache-2.0 */
/* packages_unknown.h - words of [packages] apt that are no packages: are they somewhere else, and what can be done about it? */
#ifndef DEVENV_ENV_PACKAGES_UNKNOWN_H
#define DEVENV_ENV_PACKAGES_UNKNOWN_H

#include "env/packages.h"

struct packages_unknown {
	struct packages_source *source;
	const struct debian_indexes *indexes; /* that were asked */
	const char *platform;
	const struct strlist *platforms; /* that packages are locked for */
	const struct strlist *names;
	bool release; /* the packages are those of [base] debian, not of an image */
	bool named;   /* devenv.ini says which platforms */
};
/* Put in place of *e all names at once: those of a component that isn't enabled, those of another architecture, and for the others
 * what may have been meant. Indexes that were not needed before are read for it; an error of that changes nothing. */
int packages_unknown_explain(const struct packages_unknown *u, struct err *e);

#endif
