/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_kept.h - what is locked stays locked while it still is an answer.
 *
 * A dependency with alternatives is met by the first of them that can be had, unless something that is chosen anyway meets it. So what
 * is added to [packages] may make a package superfluous that came along before and that the project has used since. Such a
 * package stays: it goes when no chosen package names it any more, or when it may move.
 */
#ifndef DEVENV_ENV_RESOLVE_KEPT_H
#define DEVENV_ENV_RESOLVE_KEPT_H

#include "env/resolve.h"
#include "source/debian_solve.h"

/* debian_solve() for a goal that names what is wanted, with what is kept of r->locked besides, where that goes together. */
int resolve_kept_solve(const struct resolve *r, const struct debian_universe *u, const struct debian_goal *goal,
		       struct debian_solution *solution, struct err *e);

#endif
