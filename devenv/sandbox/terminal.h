/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h - a process on a pty of the sandbox's own, relayed to the caller's terminal. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_TERMINAL_H
#define DEVENV_SANDBOX_TERMINAL_H

#include <stdbool.h>

#include "sandbox/spawn.h"

/*
 * After join_enter, when at least one of descriptors 0 to 2 is a terminal (bit N of `terminals`: descriptor N is one):
 * those become the pty, the others stay what they are. `shell`: an interactive shell, which does its own job control.
 * Returns the exit status when the process has ended and its last output is written; -1 and an error when it could not
 * be started. The caller's terminal is as it was, either way.
 */
int terminal_run(struct spawn *s, unsigned int terminals, bool shell, struct err *e);

#endif
