/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.h - where the launcher is: for steps, and for the commands that hand over to it. */
#ifndef DEVENV_ENV_LAUNCHER_H
#define DEVENV_ENV_LAUNCHER_H

#include "base/err.h"

/* The program `devenv` that belongs to this devenv-core. malloc'ed; NULL: ERR_SANDBOX. */
char *launcher_find(struct err *e);

#endif
