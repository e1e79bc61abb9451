/* SPDX-License-Identifier: Apache-2.0 */
/* git_hooks_internal.h - what git_hooks*.c share. */
#ifndef DEVENV_ENV_GIT_HOOKS_INTERNAL_H
#define DEVENV_ENV_GIT_HOOKS_INTERNAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Run git in `top`; its output without trailing newlines is appended. Exit status, or -1 when it can't be started. */
int git_hooks_git(const char *top, const char *const words[], struct buf *output, struct err *e);
/* Append a small regular file; false: there is none. */
bool git_hooks_read(const char *dir, const char *name, struct buf *out);

#endif
