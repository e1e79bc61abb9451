/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_told.h - what dpkg says while it makes a layer, line by line: how far it is, and why it failed.
 *
 * dpkg goes on after a package that failed, with what does not need it, and ends with a list of names. So what matters is
 * what stood before its first error, not the last lines.
 */
#ifndef DEVENV_ENV_PACKAGES_TOLD_H
#define DEVENV_ENV_PACKAGES_TOLD_H

#include "config/lock.h"
#include "env/env.h"

struct packages_told {
	const struct env_ui *ui;
	const struct lock_package *const *packages; /* what dpkg is busy with */
	size_t count;
	bool unpacks; /* all of them, not only a few before the others */

	size_t unpacked, configured; /* how many it began with */
	struct strlist last;	     /* a ring: what was said since it began with a package, until the first error */
	size_t next;
	char *failed, *reason; /* dpkg's first error, and the line behind it */
};

/* Shows that it begins. packages_told_line is a step's `output`. */
void packages_told_start(struct packages_told *t);
void packages_told_line(void *data, const char *line, size_t len);
/* What is shown of how far it is goes away. */
void packages_told_end(struct packages_told *t);
/* After ERR_FAILED of the step: whose script failed and what it said, instead of the step's status. Evaluates to -1. */
int packages_told_explain(const struct packages_told *t, struct err *e);
void packages_told_release(struct packages_told *t);

#endif
