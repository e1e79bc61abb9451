/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h - `enter`: a process on a pty of the sandbox's own, relayed to the caller's terminal. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_TERMINAL_H
#define DEVENV_SANDBOX_TERMINAL_H

#include "sandbox/spawn.h"

/* After join_enter. Returns the exit status when the process has ended and its last output is written; -1 and an error
 * when it could not be started. The caller's terminal is as it was, either way. */
int terminal_run(struct spawn *s, struct err *e);

#endif
