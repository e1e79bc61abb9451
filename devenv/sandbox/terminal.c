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
 * ^Z: the inner process group is an orphan, whose stop signals the kernel ignores. So we stop it ourselves, then stop, and
 * continue it when we are continued. Only for a process that has not taken SIGTSTP over: a shell inside has jobs of its own.
 * A ^Z read in raw mode stops all of the caller's job, as the kernel would have: a script that called us as well.
 *
 * One poll loop: the caller's input, the master, a signalfd. The master is non-blocking and input is read only while none
 * waits to be written, so that a program that doesn't read its input can't stop its output.
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
#include "sandbox/relay.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#ifndef TIOCSIG
#define TIOCSIG 0x40045436
#endif
#ifndef EXTPROC
#define EXTPROC 0200000
#endif

#define LOOK_AGAIN_MS 100 /* at a terminal that somebody else has for now */
#define LAST_OUTPUT   (256 * 1024)

static const int watched[] = { SIGCHLD, SIGWINCH, SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP, SIGCONT };

static bool is_foreground(const struct relay *r)
{
	pid_t group = tcgetpgrp(r->host);

	return group == getpgrp() || (group < 0 && errno == ENOTTY); /* not our session's: nobody controls jobs on it */
}

static bool is_running(const struct relay *r)
{
	return r->status < 0;
}

/* ---- the caller's terminal ---- */

static void set_raw(struct relay *r)
{
	struct termios raw;

	/* Anew each time: when we were started in the background, it was as a shell's line editor had it. */
	tcgetattr(r->host, &r->original);
	raw = r->original;
	cfmakeraw(&raw);
	r->changed = tcsetattr(r->host, TCSADRAIN, &raw) == 0;
}

static void restore(struct relay *r)
{
	if (r->changed && is_foreground(r))
		tcsetattr(r->host, TCSADRAIN, &r->original);
	r->changed = false;
}

/* COOKED: while the inner terminal does not echo, neither does ours. */
static void follow_echo(struct relay *r, const struct termios *now)
{
	struct termios inner, wanted = *now;

	if (r->master < 0 || tcgetattr(r->master, &inner) < 0)
		return;
	if (!(inner.c_lflag & ECHO) && (now->c_lflag & ECHO)) {
		r->original = *now;
		wanted.c_lflag &= ~(tcflag_t)ECHO;
		r->changed = tcsetattr(r->host, TCSANOW, &wanted) == 0;
	} else if (r->changed && (inner.c_lflag & ECHO)) {
		tcsetattr(r->host, TCSANOW, &r->original);
		r->changed = false;
	}
}

/* May we read the caller's terminal now? Takes it where that is ours to do. */
static bool own_input(struct relay *r)
{
	struct termios now;

	if (!r->input_open || r->mode == RELAY_OUTPUT)
		return false;
	if (r->mode == RELAY_RAW && r->changed)
		return true; /* who moves us to the background stops us first */
	if (!is_foreground(r))
		return false;
	if (r->mode == RELAY_RAW) {
		set_raw(r);
		return true;
	}
	if (tcgetattr(r->host, &now) < 0 || !(now.c_lflag & ICANON))
		return false;
	follow_echo(r, &now);
	return true;
}

static void copy_size(const struct relay *r)
{
	struct winsize size;

	if (r->master >= 0 && ioctl(r->host, TIOCGWINSZ, &size) == 0)
		ioctl(r->master, TIOCSWINSZ, &size);
}

/* ---- the inner terminal ---- */

/* What the inner terminal begins with. Where ours keeps its line discipline, output is processed once, by ours. */
static struct termios inner_settings(const struct relay *r)
{
	struct termios t = r->original;

	if (r->mode == RELAY_RAW && is_foreground(r))
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
	copy_size(r);
	return 0;
}

static void close_master(struct relay *r)
{
	if (r->master >= 0)
		close(r->master);
	r->master = -1;
}

/* Closing the master hangs up whatever is on the terminal inside. */
static void hang_up(struct relay *r)
{
	kill(r->pid, SIGHUP);
	kill(r->pid, SIGCONT);
	close_master(r);
}

/* ---- stopping ---- */

/* We stop, until somebody says `fg` or `bg`; what is inside stopped before us and goes on after us. */
static void suspend(struct relay *r, bool whole_job)
{
	pid_t group = r->master < 0 ? -1 : tcgetpgrp(r->master);

	restore(r);
	spawn_stop_launcher(whole_job);
	copy_size(r);
	own_input(r);
	kill(-r->pid, SIGCONT);
	if (group > 0 && group != r->pid)
		kill(-group, SIGCONT);
}

/* ^Z on our side of a terminal that is not raw, or somebody's kill -TSTP. */
static void stop(struct relay *r, bool whole_job)
{
	pid_t group = r->master < 0 ? -1 : tcgetpgrp(r->master);

	if (group > 0 && group != r->pid)
		kill(-group, SIGSTOP);
	kill(-r->pid, SIGSTOP);
	suspend(r, whole_job);
}

static void reap(struct relay *r)
{
	int status;

	while (is_running(r) && waitpid(r->pid, &status, WNOHANG | WUNTRACED) == r->pid) {
		if (WIFSTOPPED(status))
			suspend(r, r->mode == RELAY_RAW);
		else
			r->status = spawn_status(status);
		r->interrupted = WIFSIGNALED(status) && WTERMSIG(status) == SIGINT;
	}
}

/* A ^C that the raw terminal did not make a signal of ended the command: the script or loop around us is meant too. */
static void interrupt_job(void)
{
	signal(SIGINT, SIG_DFL);
	kill(0, SIGINT);
}

/* ---- signals ---- */

/* From a terminal it is meant for the whole group on it; from somebody, for the command. */
static void pass_on(struct relay *r, int number, bool from_terminal)
{
	if (!from_terminal || r->master < 0 || ioctl(r->master, TIOCSIG, number) < 0)
		kill(r->pid, number);
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
	case SIGCONT:
		break; /* the loop looks at the terminal anew */
	case SIGTSTP:
		stop(r, false);
		break;
	case SIGHUP:
	case SIGTERM:
		kill(r->pid, (int)info.ssi_signo);
		/* An interactive shell ignores SIGTERM; the terminal's end it understands. And the caller's terminal is gone. */
		if (r->shell || info.ssi_code > 0)
			hang_up(r);
		break;
	default:
		pass_on(r, (int)info.ssi_signo, info.ssi_code > 0);
	}
}

/* ---- bytes ---- */

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

/* Bytes copied; 0: nothing to read now, or the other side is closed. */
static size_t copy_output(struct relay *r)
{
	char data[65536];
	ssize_t n = r->master < 0 ? -1 : read(r->master, data, sizeof(data));

	if (n <= 0)
		return 0;
	/* With nobody to write to, the program inside should know it as it would from a closed terminal. */
	if (r->output_open && !write_all(r->out, data, (size_t)n)) {
		r->output_open = false;
		hang_up(r);
	}
	return (size_t)n;
}

/* Bit of SIGTSTP in the fields SigIgn and SigCgt of proc_pid_status(5): has the process taken it over? */
static bool handles_stop(const struct relay *r)
{
	char path[64], text[4096], *line;
	unsigned long long ignored = 0, caught = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)r->inner_pid);
	fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return true;
	text[n] = '\0';
	line = strstr(text, "\nSigIgn:");
	if (!line || sscanf(line, "\nSigIgn: %llx SigCgt: %llx", &ignored, &caught) != 2)
		return true;
	return (ignored | caught) >> (SIGTSTP - 1) & 1;
}

/* RAW: does this input hold a ^Z that the inner kernel would make a signal of, and then ignore? It is taken out. */
static bool takes_stop(struct relay *r)
{
	struct termios inner;
	char *at;

	if (r->mode != RELAY_RAW || r->shell || tcgetattr(r->master, &inner) < 0 || !(inner.c_lflag & ISIG))
		return false;
	at = memchr(r->input, inner.c_cc[VSUSP], r->input_len);
	if (!at || inner.c_cc[VSUSP] == _POSIX_VDISABLE || tcgetpgrp(r->master) != r->pid || handles_stop(r))
		return false;
	memmove(at, at + 1, (size_t)(r->input + r->input_len - at - 1));
	r->input_len--;
	return true;
}

/* The end of input of a terminal is a character for the inner one; of a raw one, its end. */
static void end_input(struct relay *r)
{
	struct termios inner;

	if (r->mode == RELAY_COOKED && r->master >= 0 && tcgetattr(r->master, &inner) == 0) {
		r->input[0] = (char)inner.c_cc[VEOF];
		r->input_len = 1;
		r->input_done = 0;
		r->input_ends = true;
		return;
	}
	r->input_open = false;
	hang_up(r);
}

static void read_input(struct relay *r)
{
	ssize_t n = read(0, r->input, sizeof(r->input));

	if (n > 0) {
		r->input_len = (size_t)n;
		r->input_done = 0;
		if (r->mode == RELAY_RAW && memchr(r->input, r->original.c_cc[VINTR], r->input_len))
			r->interrupt_typed = true;
		if (r->master >= 0 && takes_stop(r))
			stop(r, true);
	} else if (n == 0) {
		end_input(r);
	} else if (errno != EINTR && errno != EAGAIN) {
		r->input_open = false;
		if (errno == EIO && r->mode == RELAY_RAW)
			hang_up(r);
	}
}

/* With EXTPROC the end of input is one only if it is read alone. To poll is the only look that misses nothing under way. */
static bool has_unread_input(const struct relay *r)
{
	struct pollfd slave = { .fd = ioctl(r->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC), .events = POLLIN };
	bool unread;

	if (slave.fd < 0)
		return false;
	unread = poll(&slave, 1, 0) > 0 && (slave.revents & POLLIN);
	close(slave.fd);
	return unread;
}

static void write_input(struct relay *r)
{
	ssize_t n = write(r->master, r->input + r->input_done, r->input_len - r->input_done);

	if (n > 0)
		r->input_done += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->input_done = r->input_len;
	if (r->input_done == r->input_len)
		r->input_ends = false;
}

static void step(struct relay *r)
{
	bool waiting = r->input_done < r->input_len, own = own_input(r);
	bool held = r->input_ends && r->master >= 0 && has_unread_input(r);
	bool look_again = r->deserted || (r->input_open && r->mode != RELAY_OUTPUT && (!own || r->mode == RELAY_COOKED));
	struct pollfd p[3] = {
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = r->deserted ? -1 : r->master, .events = (short)(POLLIN | (waiting && !held ? POLLOUT : 0)) },
		{ .fd = own && !waiting ? 0 : -1, .events = POLLIN },
	};

	if (poll(p, 3, look_again ? LOOK_AGAIN_MS : -1) <= 0) {
		r->deserted = false;
		return;
	}
	if (p[1].revents & POLLIN)
		copy_output(r);
	else if (p[1].revents & POLLHUP)
		r->deserted = true;
	if (r->master >= 0 && (p[1].revents & POLLOUT))
		write_input(r);
	if (p[2].revents)
		read_input(r);
	if (p[0].revents)
		take_signal(r);
}

static int relay(struct relay *r)
{
	size_t left = LAST_OUTPUT, n;

	while (is_running(r))
		step(r);
	/* What is on its way; but what goes on writing has no claim on us any more. */
	while (left && (n = copy_output(r)) > 0)
		left -= n < left ? n : left;
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
	r->pid = spawn_process(s, e);
	r->inner_pid = s->inner_pid;
	close(slave);
	return r->pid < 0 ? -1 : 0;
}

int terminal_run(struct spawn *s, unsigned int terminals, bool shell, struct err *e)
{
	struct relay r = { .master = -1, .mode = choose_mode(terminals), .shell = shell, .input_open = terminals & 1,
			   .output_open = true, .status = -1 };
	int result = -1;

	r.out = terminals & 2 ? 1 : terminals & 4 ? 2 : 0;
	r.host = terminals & 1 ? 0 : r.out;
	if (tcgetattr(r.host, &r.original) < 0)
		return err_sys(e, "can't read the terminal's settings");
	r.signals = watch_signals(&s->mask, e);
	if (r.signals >= 0 && start(&r, s, terminals, e) == 0)
		result = relay(&r);
	close_master(&r);
	if (r.signals >= 0)
		close(r.signals);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
	if (r.interrupted && r.interrupt_typed && !shell)
		interrupt_job();
	return result;
}
