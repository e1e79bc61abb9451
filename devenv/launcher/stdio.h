/* SPDX-License-Identifier: Apache-2.0 */
/* stdio.h - the descriptors the caller gave us. Private to launcher/. */
#ifndef DEVENV_LAUNCHER_STDIO_H
#define DEVENV_LAUNCHER_STDIO_H

#include "base/err.h"

/*
 * To be called before anything is opened. Closed descriptors among 0 to 2 become /dev/null: a lock file that took the
 * place of stderr would be written to. A directory among them is refused. Bit N of *terminals: descriptor N is a terminal.
 */
int stdio_prepare(unsigned int *terminals, struct err *e);

#endif
