/* SPDX-License-Identifier: Apache-2.0 */
/* locales.h - which values of LANG and LC_* a root knows. */
#ifndef DEVENV_ENV_LOCALES_H
#define DEVENV_ENV_LOCALES_H

#include "base/buf.h"
#include "base/err.h"
#include "env/root.h"

/* Fill the sorted list: always C, POSIX and C.UTF-8; what lies in /usr/lib/locale; what locale-archive holds. Names in
 * ".utf8" are given in ".UTF-8" too. */
int locales_find(const struct root *r, struct strlist *out, struct err *e);

#endif
