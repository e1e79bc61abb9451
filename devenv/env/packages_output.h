/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_output.h - what dpkg says while it makes a layer, line by line: how far it is, and why it failed.
 *
 * dpkg goes on after a package that failed, with what does not need it, and ends with a list of names. So what matters is
 * what stood before its first error, not the last lines.
 */
#ifndef DEVENV_ENV_PACKAGES_OUTPUT_H
#define DEVENV_ENV_PACKAGES_OUTPUT_H

#include "config/lock.h"
#include "env/env.h"

struct packages_output {
	const struct env_ui *ui;
	const struct lock_package *const *packages; /* what dpkg is busy with */
	size_t count;
	bool unpacks; /* all of them, not only a few before the others */

	size_t unpacked, configured; /* how many it began with */
	struct strlist last;	     /* a ring: what was said since it began with a package, until the first error */
	size_t next;
	char *failed, *reason; /* dpkg's first error, and the line behind it */
};

/* Shows that it begins. packages_output_line is a step's `output`. */
void packages_output_start(struct packages_output *t);
void packages_output_line(void *data, const char *line, size_t len);
/* What is shown of how far it is goes away. */
void packages_output_end(struct packages_output *t);
/* After ERR_FAILED of the step: whose script failed and what it said, instead of the step's status. Evaluates to -1. */
int packages_output_explain(const struct packages_output *t, struct err *e);
void packages_output_release(struct packages_output *t);

#endif
