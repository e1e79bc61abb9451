/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.c - the relay between the caller's terminal and a pty of the sandbox's devpts.
 *
 * The shell leads a session of its own on the pty, so job control inside is complete and the caller's terminal is out of
 * reach: no injection, nobody left reading it. This process holds the master: the caller's terminal is in raw mode and
 * every byte, ^C included, goes through; the line discipline that turns it into a signal is the inner one.
 *
 * One poll loop over three descriptors: the caller's input, the master, a signalfd. The master is non-blocking and input is read only
 * while none is waiting to be written, so that a program that doesn't read its input can't stop its output.
 */
#include "sandbox/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/sys.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

static const int watched[] = { SIGCHLD, SIGWINCH, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP };

struct relay {
	int master, signals;
	pid_t pid;
	struct termios original;
	bool input_open;	/* the caller's terminal may have more */
	bool output_open;	/* the caller still takes output */
	char input[4096];	/* read from the caller, not yet taken by the pty */
	size_t input_len, input_done;
	int status;		/* exit status; -1 while it runs */
};

static void set_raw(const struct relay *r)
{
	struct termios raw = r->original;

	cfmakeraw(&raw);
	tcsetattr(0, TCSADRAIN, &raw);
}

static void restore(const struct relay *r)
{
	tcsetattr(0, TCSADRAIN, &r->original);
}

static void copy_size(const struct relay *r)
{
	struct winsize size;

	if (ioctl(0, TIOCGWINSZ, &size) == 0)
		ioctl(r->master, TIOCSWINSZ, &size);
}

/* A pty by ioctl alone: no name of a slave is looked up. /dev is ours and read-only. */
static int open_pty(struct relay *r, int *slave, struct err *e)
{
	int unlock = 0;

	r->master = openat(AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (r->master < 0 || ioctl(r->master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "can't open a terminal inside");
	*slave = ioctl(r->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		return err_sys(e, "can't open the other side of the terminal inside");
	tcsetattr(*slave, TCSANOW, &r->original);
	copy_size(r);
	return 0;
}

/* Closing the master hangs up whatever is on the terminal inside. */
static void hang_up(struct relay *r)
{
	kill(r->pid, SIGHUP);
	kill(r->pid, SIGCONT);
	if (r->master >= 0)
		close(r->master);
	r->master = -1;
}

/* The shell inside stopped itself (`suspend`): so do we, until somebody says `fg`. */
static void suspend(struct relay *r)
{
	restore(r);
	raise(SIGSTOP);
	set_raw(r);
	copy_size(r);
	kill(r->pid, SIGCONT);
}

static void reap(struct relay *r)
{
	int status;

	while (waitpid(r->pid, &status, WNOHANG | WUNTRACED) == r->pid) {
		if (!WIFSTOPPED(status)) {
			r->status = spawn_status(status);
			return;
		}
		suspend(r);
	}
}

static void take_signal(struct relay *r)
{
	struct signalfd_siginfo info;

	if (read(r->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		reap(r);
		break;
	case SIGWINCH:
		copy_size(r);
		break;
	case SIGTSTP:
		suspend(r);
		break;
	case SIGHUP:
	case SIGTERM: /* an interactive shell ignores SIGTERM; the terminal's end it understands */
		kill(r->pid, (int)info.ssi_signo);
		hang_up(r);
		break;
	default:
		kill(r->pid, (int)info.ssi_signo);
	}
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* false: nothing to read now, or the other side is closed. */
static bool copy_output(struct relay *r)
{
	char data[65536];
	ssize_t n = r->master < 0 ? -1 : read(r->master, data, sizeof(data));

	if (n <= 0)
		return false;
	/* With nobody to write to, the program inside should know it as it would from a closed terminal. */
	if (r->output_open && !write_all(1, data, (size_t)n)) {
		r->output_open = false;
		hang_up(r);
	}
	return true;
}

static void read_input(struct relay *r)
{
	ssize_t n = read(0, r->input, sizeof(r->input));

	if (n > 0) {
		r->input_len = (size_t)n;
		r->input_done = 0;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		r->input_open = false;
		hang_up(r);
	}
}

static void write_input(struct relay *r)
{
	ssize_t n = write(r->master, r->input + r->input_done, r->input_len - r->input_done);

	if (n > 0)
		r->input_done += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->input_done = r->input_len;
}

static void step(struct relay *r)
{
	bool waiting = r->input_done < r->input_len;
	struct pollfd p[3] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->master, .events = (short)(POLLIN | (waiting ? POLLOUT : 0)) },
		{ .fd = r->input_open && !waiting ? 0 : -1, .events = POLLIN },
	};

	if (poll(p, 3, -1) < 0)
		return;
	if (p[1].revents & POLLIN)
		copy_output(r);
	else if (p[1].revents & POLLHUP) {
		/* Every process inside let go of the terminal; SIGCHLD tells the rest. */
		close(r->master);
		r->master = -1;
	}
	if (r->master >= 0 && (p[1].revents & POLLOUT))
		write_input(r);
	if (p[2].revents)
		read_input(r);
	if (p[0].revents)
		take_signal(r);
}

static int relay(struct relay *r)
{
	set_raw(r);
	while (r->status < 0)
		step(r);
	while (copy_output(r))
		;
	restore(r);
	return r->status;
}

static int watch_signals(sigset_t *before, struct err *e)
{
	sigset_t set;
	size_t i;
	int fd;

	sigemptyset(&set);
	for (i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		sigaddset(&set, watched[i]);
	sigprocmask(SIG_BLOCK, &set, before);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? err_sys(e, "can't watch signals") : fd;
}

int terminal_run(struct spawn *s, struct err *e)
{
	struct relay r = { .master = -1, .input_open = true, .output_open = true, .status = -1 };
	int slave = -1, result = -1;

	if (tcgetattr(0, &r.original) < 0)
		return err_sys(e, "can't read the terminal's settings");
	r.signals = watch_signals(&s->mask, e);
	if (r.signals >= 0 && open_pty(&r, &slave, e) == 0) {
		s->stdio[0] = s->stdio[1] = s->stdio[2] = slave;
		s->terminal = true;
		r.pid = spawn_process(s, e);
		close(slave);
		if (r.pid >= 0)
			result = relay(&r);
	}
	if (r.master >= 0)
		close(r.master);
	if (r.signals >= 0)
		close(r.signals);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	return result;
}
