/* SPDX-License-Identifier: Apache-2.0 */
/* foreground.h - `run`: a process on the caller's terminal, in its process group. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_FOREGROUND_H
#define DEVENV_SANDBOX_FOREGROUND_H

#include "sandbox/spawn.h"

/* Start it, pass on signals that were sent to this process, wait. Its exit status, or -1 and an error. */
int foreground_run(struct spawn *s, struct err *e);

#endif
