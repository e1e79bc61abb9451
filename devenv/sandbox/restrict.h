/* SPDX-License-Identifier: Apache-2.0 */
/* restrict.h - what a process gives up before it runs anything of the user's. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_RESTRICT_H
#define DEVENV_SANDBOX_RESTRICT_H

#include <stddef.h>

#include "base/err.h"

enum restrict_capabilities {
	RESTRICT_NONE,	 /* a session of an ordinary user: no capability at all */
	RESTRICT_ROOT,	 /* a session with uid 0: what a package manager needs, in its user namespace */
	RESTRICT_HOLDER, /* pid 1: one that opens nothing */
	RESTRICT_HOLDER_RANGES, /* the same, and what it takes to remove the files of other ids in the end */
};

/* Set permitted, effective and inheritable; for sessions also empty the bounding set of the others. */
int restrict_capabilities(enum restrict_capabilities which, struct err *e);
/* Load the seccomp program of a plan; no_new_privs must be on. */
int restrict_system_calls(const void *filter, size_t size, struct err *e);
/* argv of this process, which others can read in /proc, becomes empty. It is a copy's own to blank. */
void restrict_hide_arguments(char **argv);
/* Close every descriptor but these. */
int restrict_close_all_but(int *keep, size_t count, struct err *e);

#endif
