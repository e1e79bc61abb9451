/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h - the state of a relayed session and its two sides. Private to terminal.c, which has the theory. */
#ifndef DEVENV_SANDBOX_RELAY_H
#define DEVENV_SANDBOX_RELAY_H

#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

#include "sandbox/restorer.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

enum relay_mode { RELAY_RAW, RELAY_COOKED, RELAY_OUTPUT };

struct relay {
	enum relay_mode mode;
	bool shell;
	int host;		 /* a descriptor of the caller's terminal, for its settings */
	int out;		 /* where output goes */
	int master, signals;	 /* -1: closed */
	pid_t leader;		 /* of the session inside; see leader.c */
	struct termios original; /* of the caller's terminal */
	bool changed;		 /* it differs from that now, by our doing */
	const struct restorer *restorer;
	bool input_open;	 /* the caller's terminal may have more */
	bool output_open;	 /* the caller still takes output */
	char input[4096];	 /* read from the caller, not yet taken by the pty */
	size_t input_len, input_done;
	bool input_ends;	 /* what waits is the end of input, which must not meet other input */
	bool stop_passed;	 /* a stop signal that we were sent is on its way to the command */
	int status;		 /* exit status; -1 while it runs */
	bool interrupted;	 /* SIGINT ended it */
	bool interrupt_typed;	 /* there was a ^C in the input of a raw terminal */
	bool interrupt_signalled; /* the caller's terminal made a signal of one */
};

/* ---- caller.c: the caller's terminal ---- */
bool caller_is_foreground(const struct relay *r);
/* May we read it now? Takes it (RAW) where that is ours to do. */
bool caller_own_input(struct relay *r);
void caller_restore(struct relay *r);
/* Its size becomes that of the terminal inside. */
void caller_copy_size(const struct relay *r);

/* ---- relay.c: bytes from one to the other ---- */
/* Bytes copied; 0: nothing to read now, or the other side is closed. */
size_t relay_output(struct relay *r);
/* From the caller into `input`; from there to the terminal inside. */
void relay_read_input(struct relay *r);
void relay_write_input(struct relay *r);
bool relay_input_waits(const struct relay *r);
/* Is what waits the end of input, with other input before it not read yet? Then it must wait. */
bool relay_input_is_held(const struct relay *r);
/* As when a terminal is closed: the command is told, and whatever is on the terminal inside. */
void relay_hang_up(struct relay *r);
void relay_close(struct relay *r);

#endif
