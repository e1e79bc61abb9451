/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.h - where the launcher is, for the commands that hand over to it. Private to cli/. */
#ifndef DEVENV_CLI_LAUNCHER_H
#define DEVENV_CLI_LAUNCHER_H

#include "base/err.h"

/* The program `devenv` that belongs to this devenv-core. malloc'ed; NULL: ERR_SANDBOX. */
char *launcher_find(struct err *e);

#endif
