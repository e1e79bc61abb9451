/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h - the state of a relayed session. Private to terminal.c, which has the theory. */
#ifndef DEVENV_SANDBOX_RELAY_H
#define DEVENV_SANDBOX_RELAY_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

enum relay_mode { RELAY_RAW, RELAY_COOKED, RELAY_OUTPUT };

struct relay {
	enum relay_mode mode;
	bool shell;
	int host;		 /* a descriptor of the caller's terminal, for its settings */
	int out;		 /* where output goes */
	int master, signals;	 /* -1: closed */
	bool deserted;		 /* nobody inside has the terminal open now; to close the master would hang up who comes back */
	pid_t pid, inner_pid;
	struct termios original; /* of the caller's terminal */
	bool changed;		 /* it differs from that now, by our doing */
	bool input_open;	 /* the caller's terminal may have more */
	bool output_open;	 /* the caller still takes output */
	char input[4096];	 /* read from the caller, not yet taken by the pty */
	size_t input_len, input_done;
	bool input_ends;	 /* what waits is the end of input, which must not meet other input */
	int status;		 /* exit status; -1 while it runs */
	bool interrupted;	 /* SIGINT ended it */
	bool interrupt_typed;	 /* there was a ^C in the input of a raw terminal */
};

#endif
