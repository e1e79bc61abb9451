/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leader.c - the session leader between the launcher and a command on a terminal.
 *
 * The kernel ignores ^Z, and what vim and less do for it, in a process group none of whose members has its parent in
 * another group of the same session: nobody could continue it. The launcher can't be that parent, for it is in the
 * caller's session. So a copy of it leads the session inside and has the command, in a process group of its own, for its
 * child, as a shell has. It does nothing else: what the command does, it does too, so that its parent, the launcher, sees
 * one process that stops, continues and ends.
 *
 * It lives inside, in sight of the sessions. It is not dumpable and was executed outside, so nobody there can trace it or
 * look at its memory, its descriptors or its program; all it holds is the terminal that the command has as well; and it
 * dies with the launcher, and the command with it.
 */
#include "sandbox/leader.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/restrict.h"

static pid_t lead(struct spawn *s, struct err *e)
{
	sigset_t all;

	spawn_all_signals(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "devenv-leader");
	restrict_hide_arguments(s->process_argv); /* before there is somebody who can look */
	if (setsid() < 0 || ioctl(s->terminal_fd, TIOCSCTTY, 0) < 0)
		return err_sys(e, "can't begin a session on a terminal");
	return spawn_die_with_launcher(s, e) < 0 ? -1 : spawn_process(s, e);
}

/* The rest of what a copy of the launcher has and a leader needs not. */
static int shed(struct spawn *s, struct err *e)
{
	if (restrict_close_all_but(&s->terminal_fd, 1, e) < 0)
		return -1;
	return restrict_capabilities(s->root ? RESTRICT_ROOT : RESTRICT_NONE, e); /* root may signal who became another user */
}

static void stop(const struct spawn *s, pid_t pid, int number)
{
	kill(getpid(), SIGSTOP);
	/* Continued. A command that stopped because the terminal was not its own is to have it now. */
	if (number == SIGTTIN || number == SIGTTOU)
		tcsetpgrp(s->terminal_fd, pid);
}

static _Noreturn void end(int status)
{
	sigset_t one;

	if (!WIFSIGNALED(status))
		_exit(WEXITSTATUS(status));
	signal(WTERMSIG(status), SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, WTERMSIG(status));
	kill(getpid(), WTERMSIG(status));
	sigprocmask(SIG_UNBLOCK, &one, NULL); /* here */
	_exit(spawn_status(status));
}

static _Noreturn void follow(const struct spawn *s, pid_t pid)
{
	sigset_t all;

	spawn_all_signals(&all);
	for (;;) {
		int number = sigwaitinfo(&all, NULL), status;

		if (number == SIGCONT)
			kill(-pid, SIGCONT);
		else if (number > 0 && number != SIGCHLD)
			kill(pid, number);
		else if (number < 0 || waitpid(pid, &status, WNOHANG | WUNTRACED) != pid)
			continue; /* EINTR: stopped and continued */
		else if (WIFSTOPPED(status))
			stop(s, pid, WSTOPSIG(status));
		else
			end(status);
	}
}

static _Noreturn void leader_main(struct spawn *s, int report_fd)
{
	struct err e = ERR_INIT;
	pid_t pid = lead(s, &e);

	if (pid > 0 && shed(s, &e) == 0)
		follow(s, pid);
	_exit(write(report_fd, &e, sizeof(e)) == (ssize_t)sizeof(e) ? 1 : 2);
}

/* Nothing: the command runs, or the leader was killed, which its exit status will say. */
static int read_report(int fd, struct err *e)
{
	struct err report;
	ssize_t n;

	do
		n = read(fd, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(report))
		return 0;
	*e = report;
	return -1;
}

pid_t leader_start(struct spawn *s, struct err *e)
{
	int report[2], result;
	pid_t pid;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(e, "can't make a pipe");
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* the copy from its first moment */
	pid = fork();
	if (pid == 0)
		leader_main(s, report[1]);
	close(report[1]);
	result = pid < 0 ? err_sys(e, "can't start a process in the environment") : read_report(report[0], e);
	close(report[0]);
	if (pid > 0 && result < 0)
		waitpid(pid, NULL, 0);
	return result < 0 ? -1 : pid;
}
