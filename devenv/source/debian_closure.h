/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_closure.h - is a set of packages whole: is what they need of each other (Pre-Depends, Depends) in it, and nothing that they
 * exclude (Conflicts, Breaks)?
 *
 * The set is a universe: what is to be installed, and what is installed but for what a newer version of comes. What was installed
 * before is believed; it is only looked at for what the new packages need or exclude.
 */
#ifndef DEVENV_SOURCE_DEBIAN_CLOSURE_H
#define DEVENV_SOURCE_DEBIAN_CLOSURE_H

#include "base/buf.h"
#include "source/debian_universe.h"

struct debian_fault {
	size_t package;		  /* what needs or excludes, as an index into u->packages */
	struct debian_text group; /* the alternatives, or what is excluded, as the package says it */
	size_t with;		  /* what is excluded and there; SIZE_MAX: something is needed and not there */
};

/* Calls found, if any, for every fault, packages in the order of their names; returns how many there are. */
size_t debian_closure_check(const struct debian_universe *u, void (*found)(void *data, const struct debian_fault *f), void *data);

/* Append "needs libbar (>= 2) or other, and no package that is it", "excludes libbar (<< 2), which is there as 1". Escaped. */
void debian_closure_explain(const struct debian_universe *u, const struct debian_fault *f, struct buf *out);

#endif
