/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caller.c - the caller's terminal: whose it is now, its modes and its size. terminal.c has the theory.
 *
 * While it is not as it was, restorer.c knows; it is told first, so that there is no moment at which to kill us.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sandbox/relay.h"

bool caller_is_foreground(const struct relay *r)
{
	pid_t group = tcgetpgrp(r->host);

	return group == getpgrp() || (group < 0 && errno == ENOTTY); /* not our session's: nobody controls jobs on it */
}

static void set_raw(struct relay *r)
{
	struct termios raw;

	/* Anew each time: when we were started in the background, it was as a shell's line editor had it. */
	tcgetattr(r->host, &r->original);
	raw = r->original;
	cfmakeraw(&raw);
	restorer_note(r->restorer, &r->original, &raw); /* before: who is told too late is of no use */
	r->changed = tcsetattr(r->host, TCSADRAIN, &raw) == 0;
}

void caller_restore(struct relay *r)
{
	if (r->changed && caller_is_foreground(r))
		tcsetattr(r->host, TCSADRAIN, &r->original);
	if (r->changed)
		restorer_note(r->restorer, NULL, NULL);
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
		restorer_note(r->restorer, &r->original, &wanted);
		r->changed = tcsetattr(r->host, TCSANOW, &wanted) == 0;
	} else if (r->changed && (inner.c_lflag & ECHO)) {
		tcsetattr(r->host, TCSANOW, &r->original);
		restorer_note(r->restorer, NULL, NULL);
		r->changed = false;
	}
}

bool caller_own_input(struct relay *r)
{
	struct termios now;

	if (!r->input_open || r->mode == RELAY_OUTPUT)
		return false;
	if (r->mode == RELAY_RAW && r->changed)
		return true; /* who moves us to the background stops us first */
	if (!caller_is_foreground(r))
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

void caller_copy_size(const struct relay *r)
{
	struct winsize size;

	if (r->master >= 0 && ioctl(r->host, TIOCGWINSZ, &size) == 0)
		ioctl(r->master, TIOCSWINSZ, &size);
}
