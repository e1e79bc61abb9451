/* SPDX-License-Identifier: Apache-2.0 */
/* locate.h - where the core program is. Private to launcher/. */
#ifndef DEVENV_LAUNCHER_LOCATE_H
#define DEVENV_LAUNCHER_LOCATE_H

#include "base/err.h"

/* devenv-core beside this program's file, or in ../libexec/devenv/. malloc'ed. */
char *locate_core(struct err *e);

#endif
