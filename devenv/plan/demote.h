/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demote.h - real root becomes an ordinary user before it makes or joins an environment. demote.c has the theory.
 *
 * The launcher does it; the core asks whether it would be done.
 */
#ifndef DEVENV_PLAN_DEMOTE_H
#define DEVENV_PLAN_DEMOTE_H

#include "base/dirs.h"
#include "base/err.h"
#include "plan/plan.h"

enum demoted {
	DEMOTE_FAILED = -1, /* half way, or there is no way on: the error says why */
	DEMOTE_STAYS,	    /* as it was: it is not real root (no error), or the error says what is in the way */
	DEMOTE_DONE,	    /* self_uid() is the plan's become_uid, without capabilities, in a mount namespace of its own */
};

/*
 * DEMOTE_DONE: *lock_fd is the lock file of the environment (running.h) where its directory can't be passed any more, to be
 * left open; else -1.
 */
enum demoted demote(const struct plan *p, const struct dirs *d, int *lock_fd, struct err *e);
/* What demote() would answer, found out in a child. */
enum demoted demote_probe(const struct plan *p, const struct dirs *d, struct err *e);

#endif
