/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.h - carry out a plan: one call runs one session and returns its exit status. See holder.c for the theory. */
#ifndef DEVENV_SANDBOX_SANDBOX_H
#define DEVENV_SANDBOX_SANDBOX_H

#include <stdbool.h>

#include "base/dirs.h"
#include "base/err.h"
#include "plan/plan.h"

struct session {
	bool interactive;      /* `enter`: the plan's shell on a pty of the sandbox's own, relayed */
	bool untrusted;	       /* the project is a view: say at the end what was done to it */
	bool root;	       /* uid 0 in a child user namespace */
	char **argv;	       /* `run`: the command, NULL-terminated; ignored when interactive */
	char **process_argv;   /* this process's own argv, where none of the others lie: pid 1 and a session's leader blank their
				* copies before anybody can read them */
	const char *workdir;   /* inside, or NULL for the plan's */
	unsigned int terminals; /* bit N: descriptor N is a terminal. 0 to 2 must all be open, and none a directory */
	uint32_t pids;	       /* the most processes, where no cgroup sees to it; 0: don't */
	bool *was_last;	       /* out: no other session was left at the end; may be NULL */
	char **extra_env;      /* NAME=value from `-e`, NULL-terminated; may be NULL */
	void (*warn)(const char *line); /* something went wrong but the session goes on; may be NULL */
	void (*say)(const char *line);	/* what takes time; may be NULL */
};

/*
 * Create or join the holder of this plan and run one session in it. Returns the session's exit status (0-255, 128+N
 * for a signal). -1 and an error when the sandbox could not be made or the command could not be executed
 * (ERR_EXEC_FORMAT, ERR_EXEC_MISSING).
 * After success this process keeps its part in the environment until it exits, which should be at once.
 */
int sandbox_run(const struct plan *p, const struct dirs *d, const struct session *s, struct err *e);

#endif
