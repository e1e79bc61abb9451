/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restorer.c - a child that outlives us by a moment.
 *
 * The relay sets the caller's terminal raw, and kill -9 leaves it so; interactive shells often set it right, scripts and
 * what called them don't. So before a session on a terminal begins, a child is left outside that holds the terminal and one
 * end of a socket, is told of each change, and sets the terminal right when the other end closes. It has a process group of
 * its own: a kill of the whole job does not find it. What it finds changed since, by the caller's shell, it leaves alone.
 *
 * Where we were root and are not any more (plan/demote.h), it still is what our caller is: it also sends what is meant for the
 * whole job, the caller's script too.
 */
#include "sandbox/restorer.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/self.h"
#include "sandbox/restrict.h"

struct note {
	int signal; /* for the job that we are part of; 0: it is about the terminal */
	bool changed;
	struct termios original, now;
};

static bool is_same(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_lflag == b->c_lflag;
}

static ssize_t receive(int fd, struct note *note)
{
	ssize_t n;

	do
		n = recv(fd, note, sizeof(*note), 0);
	while (n < 0 && errno == EINTR);
	return n;
}

static _Noreturn void restorer_main(int fd)
{
	pid_t job = getpgrp();
	int keep[] = { 0, fd };
	struct note note, last = { .changed = false };
	struct err ignored = ERR_INIT;
	struct termios found;
	sigset_t all;

	/* SIGTTOU too: from the background the terminal can then be set. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setpgid(0, 0);
	prctl(PR_SET_NAME, "devenv-restorer");
	if (restrict_close_all_but(keep, 2, &ignored) < 0)
		_exit(1); /* it would hold the lock of the session */
	while (receive(fd, &note) > 0) {
		if (!note.signal) {
			last = note;
			continue;
		}
		if (note.signal == SIGTSTP || note.signal == SIGINT)
			kill(-job, note.signal);
		send(fd, "", 1, MSG_NOSIGNAL);
	}
	if (last.changed && tcgetattr(0, &found) == 0 && is_same(&found, &last.now))
		tcsetattr(0, TCSANOW, &last.original);
	_exit(0);
}

void restorer_start(struct restorer *t)
{
	int ends[2];

	*t = RESTORER_NONE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	t->pid = fork();
	if (t->pid == 0) {
		close(ends[0]);
		restorer_main(ends[1]);
	}
	close(ends[1]);
	t->fd = ends[0];
	if (t->pid < 0)
		restorer_end(t);
}

void restorer_note(const struct restorer *t, const struct termios *original, const struct termios *now)
{
	struct note note = { .changed = original != NULL };

	if (t->fd < 0)
		return;
	if (original) {
		note.original = *original;
		note.now = *now;
	}
	send(t->fd, &note, sizeof(note), MSG_NOSIGNAL);
}

void restorer_signal_job(const struct restorer *t, int number)
{
	struct note note = { .signal = number };
	char done;

	if (t->fd < 0 || self_uid() == (uid_t)getauxval(AT_EUID)) {
		kill(0, number);
		return;
	}
	/* When it answers, the signal has arrived. */
	if (send(t->fd, &note, sizeof(note), MSG_NOSIGNAL) < 0 || recv(t->fd, &done, 1, 0) < 0)
		kill(0, number);
}

/* Waited for, as some machines have nobody who reaps orphans. */
void restorer_end(struct restorer *t)
{
	if (t->fd >= 0)
		close(t->fd);
	while (t->pid > 0 && waitpid(t->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*t = RESTORER_NONE;
}
