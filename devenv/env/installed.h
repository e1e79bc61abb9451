/* SPDX-License-Identifier: Apache-2.0 */
/* installed.h - the packages that a root says it has: the databases of dpkg and apk. */
#ifndef DEVENV_ENV_INSTALLED_H
#define DEVENV_ENV_INSTALLED_H

#include <stddef.h>

#include "base/buf.h"
#include "env/root.h"

struct installed_package {
	char *name, *architecture, *version; /* "" where it is not said */
};
struct installed {
	struct installed_package *items; /* by name and architecture, each once */
	size_t count, cap;
};

/* What the root has; nothing where there is no database. -1: one of them can't be read. */
int installed_read(const struct root *r, struct installed *out, struct err *e);
void installed_release(struct installed *p);
/* The same from the text of dpkg's status and of apk's installed; appended, unsorted. Lines that say nothing are passed over. */
void installed_parse_dpkg(const char *text, struct installed *out);
void installed_parse_apk(const char *text, struct installed *out);
/* <0, 0, >0 by name and architecture. */
int installed_compare(const struct installed_package *a, const struct installed_package *b);
/* The paths that a package says are its own, absolute; directories too where it names them. */
int installed_files(const struct root *r, const struct installed_package *p, struct strlist *paths, struct err *e);
/* Is one of the databases in the topmost layer? */
bool installed_is_on_top(const struct root *r);

#endif
