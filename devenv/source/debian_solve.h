/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_solve.h - which packages make a wish come true (Debian policy 7).
 *
 * It chooses what apt chooses with --no-install-recommends: of every package the version that apt would take (debian_policy.h)
 * unless it is pinned; the first alternative of a dependency that something wanted or chosen meets; else the first that can be
 * had, a real package before those that provide its name. Unlike apt it goes back on its choices before it gives up, but not to
 * versions of a lower priority: those come only where they are asked for by number, or needed by what has no higher one itself.
 * What is installed stays, or is upgraded when a dependency needs it, unless it is held; nothing is ever removed.
 */
#ifndef DEVENV_SOURCE_DEBIAN_SOLVE_H
#define DEVENV_SOURCE_DEBIAN_SOLVE_H

#include "base/buf.h"
#include "base/err.h"
#include "source/debian_universe.h"

struct debian_pin { /* the version that was locked before: kept where the archive still has it */
	const char *name, *version;
};

struct debian_goal {
	const struct strlist *wanted; /* "name" or "name=version" */
	/* Also wanted: everything essential, and everything of this priority or a higher one. DEBIAN_REQUIRED - 1: nothing. */
	int priority;
	const struct debian_pin *pins;
	size_t pin_count;
	struct strlist *unknown; /* receives the names of `wanted` that are no packages; may be NULL */
};

struct debian_solution {
	size_t *packages; /* what has to be installed, as indexes into u->packages, sorted by name */
	size_t count;
};

/* ERR_NOT_FOUND: no such packages, the nearest names are in the hint; or no such version. ERR_CONFIG: it can't be, with the chain of dependencies that
 * shows why. *out is untouched on failure. */
int debian_solve(const struct debian_universe *u, const struct debian_goal *goal, struct debian_solution *out,
		 struct err *e);
/* The error of that: names that are no packages, all at once, and what may have been meant. */
int debian_unknown_names(const struct debian_universe *u, const struct strlist *names, struct err *e);
void debian_solution_release(struct debian_solution *s);

#endif
