/* SPDX-License-Identifier: Apache-2.0 */
/*
 * foreground.c - a command with no terminal among its descriptors: pipes, files, CI.
 *
 * It leads a session of its own: in the caller's process group, `kill(0, ...)` inside would reach the caller's script. So
 * what the kernel or somebody sends us is passed on: what is meant for the job, a ^C on the terminal behind the pipes or a
 * stop, to the whole group inside; what is sent to us alone, to the command.
 */
#include "sandbox/foreground.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void stop(pid_t pid)
{
	kill(-pid, SIGSTOP);
	spawn_stop_launcher(NULL);
	kill(-pid, SIGCONT);
}

static int wait_and_forward(struct spawn *s, pid_t pid, const sigset_t *set)
{
	bool interrupted = false;

	for (;;) {
		siginfo_t info;
		int n = sigwaitinfo(set, &info), status;

		if (n < 0)
			continue; /* EINTR: stopped and continued */
		interrupted = interrupted || (n == SIGINT && info.si_code > 0);
		if (n == SIGTSTP) {
			stop(pid);
		} else if (n != SIGCHLD) {
			kill(info.si_code > 0 ? -pid : pid, n);
		} else if (waitpid(pid, &status, WNOHANG) == pid) {
			if (interrupted && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
				s->interrupt = INTERRUPT_SIGNALLED;
			return spawn_status(status);
		}
	}
}

int foreground_run(struct spawn *s, struct err *e)
{
	sigset_t set;
	pid_t pid;

	spawn_block_signals(s, &set);
	pid = spawn_process(s, e);
	return pid < 0 ? -1 : wait_and_forward(s, pid, &set);
}
