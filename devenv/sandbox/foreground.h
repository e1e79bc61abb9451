/* SPDX-License-Identifier: Apache-2.0 */
/* foreground.h - a process with no terminal among its descriptors. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_FOREGROUND_H
#define DEVENV_SANDBOX_FOREGROUND_H

#include "sandbox/spawn.h"

/* Start it, pass on signals, wait. Its exit status, or -1 and an error. */
int foreground_run(struct spawn *s, struct err *e);

#endif
