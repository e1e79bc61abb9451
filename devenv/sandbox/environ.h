/* SPDX-License-Identifier: Apache-2.0 */
/* environ.h - the environment block of a session, built from nothing. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_ENVIRON_H
#define DEVENV_SANDBOX_ENVIRON_H

#include "base/buf.h"
#include "plan/plan.h"
#include "sandbox/sandbox.h"

/*
 * The plan's variables, then those it lets through from the caller and does not set itself, then the session's own.
 * LANG and LC_* pass only with a locale the root has (else C.UTF-8). A `--root` session gets root's HOME and names.
 */
void environ_build(const struct plan *p, const struct session *s, const char *workdir, struct strlist *out);

#endif
