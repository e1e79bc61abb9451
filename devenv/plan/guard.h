/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard.h - what sessions left in a project that programs of this machine act on: settings of git that run something,
 * .envrc, .vscode, .idea. Reported after a session, never edited. guard.c has the theory.
 */
#ifndef DEVENV_PLAN_GUARD_H
#define DEVENV_PLAN_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "plan/plan.h"

struct guard {
	int host;	  /* the root of the host; -1: nothing is looked at */
	int64_t since_ns; /* what changed earlier was not done in the environment */
};

/* For the core, when a plan is made: the record of what is there, unless there is one. Failing costs a report. */
void guard_record(const struct plan *p);

/* Before the namespaces are changed. `created`: by the session that made the environment, before anything runs in it. */
void guard_begin(struct guard *g, const struct plan *p, bool created);
/* After a session: up to two lines to `out`, separated by a newline, or nothing. `last`: nobody is left who changes things. */
void guard_end(struct guard *g, const struct plan *p, bool last, struct buf *out);

#endif
