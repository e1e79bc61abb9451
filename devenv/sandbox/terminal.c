/* SPDX-License-Identifier: Apache-2.0 */
/*
 * terminal.c - the relay between the caller's terminal and a pty of the sandbox's devpts.
 *
 * Theory of operation
 *
 * No descriptor of the caller's terminal goes inside: one that did could be kept - by setsid, by a thread, in flight in a
 * socket - and would read what is typed after we have returned. So the process leads a session of its own on a pty, and
 * this process holds the master. What is relayed depends on which of descriptors 0 to 2 are terminals:
 *
 *   RAW     0 and 1 are: the caller's terminal is in raw mode and every byte goes through, ^C included; the line
 *	     discipline that makes a signal of it is the inner one.
 *   COOKED  0 is, 1 is not (`run make | less`): the terminal stays as it is, for whoever else is on it; lines are read
 *	     only while it is canonical - a pager that takes keys has changed that - and its echo follows the inner one's, for
 *	     passwords. EXTPROC tells the inner line discipline that ours does the editing.
 *   OUTPUT  0 is not: nothing is read.
 *
 * The command is a child of a leader of its session (leader.c), so that ^Z works inside as it does anywhere. When the
 * command stops so does the leader, and then we; we continue it when we are continued. After a ^Z in raw mode all of the
 * caller's job stops, as the kernel would have it: a script that called us as well. Signals that are sent to us are passed
 * on, stops too, so whether it stops is the command's affair.
 *
 * One poll loop: the caller's input, the master, a signalfd. Its parts: caller.c, relay.c, and here what is inside.
 */
#include "sandbox/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "sandbox/leader.h"
#include "sandbox/relay.h"

#ifndef TIOCSIG
#define TIOCSIG 0x40045436
#endif
#ifndef EXTPROC
#define EXTPROC 0200000
#endif

#define LOOK_AGAIN_MS 100 /* at a terminal that somebody else has for now */
#define LAST_OUTPUT   (256 * 1024)

static bool is_running(const struct relay *r)
{
	return r->status < 0;
}

/* ---- the inner terminal ---- */

/* What the inner terminal begins with. Where ours keeps its line discipline, output is processed once, by ours. */
static struct termios inner_settings(const struct relay *r)
{
	struct termios t = r->original;

	if (r->mode == RELAY_RAW && caller_is_foreground(r))
		return t;
	t.c_iflag |= ICRNL;
	t.c_lflag |= ICANON | ECHO | ISIG | IEXTEN | (r->mode == RELAY_COOKED ? (tcflag_t)EXTPROC : 0);
	if (r->mode == RELAY_RAW)
		t.c_oflag |= OPOST | ONLCR;
	else
		t.c_oflag &= ~(tcflag_t)OPOST;
	return t;
}

/* A pty by ioctl alone: no name of a slave is looked up. /dev is ours and read-only. */
static int open_pty(struct relay *r, int *slave, struct err *e)
{
	struct termios settings = inner_settings(r);
	int unlock = 0;

	r->master = openat(AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (r->master < 0 || ioctl(r->master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "can't open a terminal inside");
	*slave = ioctl(r->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		return err_sys(e, "can't open the other side of the terminal inside");
	tcsetattr(*slave, TCSANOW, &settings);
	caller_copy_size(r);
	return 0;
}

/* ---- stopping ---- */

/* We stop, until somebody says `fg` or `bg`; what is inside stopped before us and goes on after us. */
static void suspend(struct relay *r, bool whole_job)
{
	pid_t group = r->master < 0 ? -1 : tcgetpgrp(r->master);

	r->stop_passed = false;
	caller_restore(r);
	spawn_stop_launcher(whole_job ? r->restorer : NULL);
	caller_copy_size(r);
	caller_own_input(r);
	kill(r->leader, SIGCONT);
	if (group > 0)
		kill(-group, SIGCONT);
}

static void reap(struct relay *r)
{
	int status;

	while (is_running(r) && waitpid(r->leader, &status, WNOHANG | WUNTRACED) == r->leader) {
		if (WIFSTOPPED(status))
			suspend(r, r->mode == RELAY_RAW && !r->stop_passed);
		else
			r->status = spawn_status(status);
		r->interrupted = WIFSIGNALED(status) && WTERMSIG(status) == SIGINT;
	}
}

/* ---- signals ---- */

/* From a terminal it is meant for the whole group on it; from somebody, for the command. */
static void pass_on(struct relay *r, int number, bool from_terminal)
{
	if (!from_terminal || r->master < 0 || ioctl(r->master, TIOCSIG, number) < 0)
		kill(r->leader, number);
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
		caller_copy_size(r);
		if (info.ssi_code <= 0)
			kill(r->leader, SIGWINCH);
		break;
	case SIGHUP:
	case SIGTERM:
		kill(r->leader, (int)info.ssi_signo);
		/* An interactive shell ignores SIGTERM; the terminal's end it understands. And the caller's terminal is gone. */
		if (r->shell || info.ssi_code > 0)
			relay_hang_up(r);
		break;
	case SIGTSTP:
		r->stop_passed = true;
		pass_on(r, SIGTSTP, info.ssi_code > 0);
		break;
	default: /* SIGCONT as well; and the loop looks at the terminal anew */
		r->interrupt_signalled = r->interrupt_signalled || (info.ssi_signo == SIGINT && info.ssi_code > 0);
		pass_on(r, (int)info.ssi_signo, info.ssi_code > 0);
	}
}

static void step(struct relay *r)
{
	bool waiting = relay_input_waits(r), own = caller_own_input(r), held = relay_input_is_held(r);
	bool look_again = r->input_open && r->mode != RELAY_OUTPUT && (!own || r->mode == RELAY_COOKED);
	struct pollfd p[3] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->master, .events = (short)(POLLIN | (waiting && !held ? POLLOUT : 0)) },
		{ .fd = own && !waiting ? 0 : -1, .events = POLLIN },
	};

	if (poll(p, 3, look_again ? LOOK_AGAIN_MS : -1) <= 0)
		return;
	if (p[1].revents & POLLIN)
		relay_output(r);
	if (r->master >= 0 && (p[1].revents & POLLOUT))
		relay_write_input(r);
	if (p[2].revents)
		relay_read_input(r);
	if (p[0].revents)
		take_signal(r);
}

static int run_relay(struct relay *r)
{
	size_t left = LAST_OUTPUT, n;

	while (is_running(r))
		step(r);
	/* What is on its way; but what goes on writing has no claim on us any more. */
	while (left && (n = relay_output(r)) > 0)
		left -= n < left ? n : left;
	caller_restore(r);
	return r->status;
}

static int watch_signals(struct spawn *s, struct err *e)
{
	sigset_t set;
	int fd;

	spawn_block_signals(s, &set);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? err_sys(e, "can't watch signals") : fd;
}

static enum relay_mode choose_mode(unsigned int terminals)
{
	if (!(terminals & 1))
		return RELAY_OUTPUT;
	return terminals & 2 ? RELAY_RAW : RELAY_COOKED;
}

static int start(struct relay *r, struct spawn *s, unsigned int terminals, struct err *e)
{
	int slave = -1, fd;

	if (open_pty(r, &slave, e) < 0) {
		if (slave >= 0)
			close(slave);
		return -1;
	}
	for (fd = 0; fd < 3; fd++)
		if (terminals & 1u << fd)
			s->stdio[fd] = slave;
	s->terminal_fd = slave;
	r->leader = leader_start(s, e);
	close(slave);
	return r->leader < 0 ? -1 : 0;
}

int terminal_run(struct spawn *s, unsigned int terminals, bool shell, struct err *e)
{
	struct relay r = { .master = -1, .mode = choose_mode(terminals), .shell = shell, .input_open = terminals & 1,
			   .output_open = true, .status = -1, .restorer = s->restorer };
	int result = -1;

	r.out = terminals & 2 ? 1 : terminals & 4 ? 2 : 0;
	r.host = terminals & 1 ? 0 : r.out;
	if (tcgetattr(r.host, &r.original) < 0)
		return err_sys(e, "can't read the terminal's settings");
	r.signals = watch_signals(s, e);
	if (r.signals >= 0 && start(&r, s, terminals, e) == 0)
		result = run_relay(&r);
	relay_close(&r);
	if (r.signals >= 0)
		close(r.signals);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	if (r.interrupted && !shell)
		s->interrupt = r.interrupt_typed ? INTERRUPT_TYPED : r.interrupt_signalled ? INTERRUPT_SIGNALLED : INTERRUPT_NONE;
	return result;
}
