/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.h - starting one process inside, restricted. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_SPAWN_H
#define DEVENV_SANDBOX_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "plan/plan.h"

struct spawn {
	const struct plan *plan;
	char **argv;	   /* found on the PATH of envp unless it has a slash */
	char **envp;
	int workdir_fd;
	int launcher_pidfd; /* of this process: the child must not outlive it */
	int stdio[3];	    /* what becomes 0, 1 and 2; -1: as it is */
	int terminal_fd;    /* the controlling terminal of its session; -1: none */
	bool root;	    /* uid 0 inside */
	sigset_t mask;	    /* signal mask of the program */
	pid_t inner_pid;    /* out, with a terminal: its pid inside */
};

/* The process leads a new session. Returns the pid (as this process sees it). -1: ERR_EXEC_MISSING, ERR_EXEC_FORMAT, or what could not be restricted. */
pid_t spawn_process(struct spawn *s, struct err *e);
/* Wait for it: its exit status, 128+N for signal N. */
int spawn_wait(pid_t pid);
int spawn_status(int wait_status);

#endif
