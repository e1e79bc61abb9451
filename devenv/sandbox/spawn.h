/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.h - starting one process inside, restricted. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_SPAWN_H
#define DEVENV_SANDBOX_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "plan/plan.h"

struct restorer;

enum spawn_interrupt { /* of a command that SIGINT ended: was it a ^C of the caller's terminal? */
	INTERRUPT_NONE,
	INTERRUPT_SIGNALLED, /* which the caller's job got as a signal, this process too */
	INTERRUPT_TYPED,     /* which a raw terminal made no signal of */
};

struct spawn {
	const struct plan *plan;
	char **argv;	   /* found on the PATH of envp unless it has a slash */
	char **envp;
	int workdir_fd;
	int launcher_pidfd; /* of this process: the child must not outlive it */
	int stdio[3];	    /* what becomes 0, 1 and 2; -1: as it is */
	int terminal_fd;    /* the controlling terminal of the session it is in, see leader.c; -1: none, it leads its own */
	bool root;	    /* uid 0 inside */
	sigset_t mask;	    /* signal mask of the program */
	const struct restorer *restorer; /* with a terminal: of the caller's */
	char **process_argv; /* of this process, see struct session */
	enum spawn_interrupt interrupt; /* out, of the session's command */
};

/* Returns the pid (as this process sees it). -1: ERR_EXEC_MISSING, ERR_EXEC_FORMAT, or what could not be restricted. */
pid_t spawn_process(struct spawn *s, struct err *e);
/* Wait for it: its exit status, 128+N for signal N. */
int spawn_wait(pid_t pid);
int spawn_status(int wait_status);
/* The calling process is killed when the one that made it ends; at once where the launcher has gone already. */
int spawn_die_with_launcher(const struct spawn *s, struct err *e);
void spawn_all_signals(sigset_t *set);
/* Block every signal that can be passed on to the command, and SIGCHLD; the mask before goes to s->mask, for the command. */
void spawn_block_signals(struct spawn *s, sigset_t *set);
/*
 * Stop this process, as ^Z would (SIGTSTP must be blocked), until it is continued; with `job` all of its process group.
 * Not in an orphaned group, which nobody could continue.
 */
void spawn_stop_launcher(const struct restorer *job);

#endif
