/* SPDX-License-Identifier: Apache-2.0 */
/* script.h - a hook or the setup: run to its end before a session. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_SCRIPT_H
#define DEVENV_SANDBOX_SCRIPT_H

#include "sandbox/spawn.h"

/* With /dev/null as its input; what it prints is copied to our stderr. Its exit status; -1: it could not be started. */
int script_run(struct spawn *script, struct err *e);

#endif
