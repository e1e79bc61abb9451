/* SPDX-License-Identifier: Apache-2.0 */
/* debian_pool_internal.h - what the two files of the pool share: who fetches what, and how one package is looked for. */
#ifndef DEVENV_SOURCE_DEBIAN_POOL_INTERNAL_H
#define DEVENV_SOURCE_DEBIAN_POOL_INTERNAL_H

#include "source/debian_pool.h"

struct debian_search { /* for one package, in a thread with a session of its own */
	const struct debian_pool *pool;
	const struct lock_package *package;
	struct http *http; /* NULL: no network */
	int fd;		   /* where the package goes */
	void (*came)(void *data, int64_t bytes); /* may be less than 0: what came was no good */
	void *data;
};
/* Ask one place after the other. The error names them all. */
int debian_search_run(struct debian_search *s, struct err *e);

/* What to do about packages that are nowhere: the hint of *e. `name`: of the one; "" for several. Evaluates to -1. */
int debian_pool_hint(const struct debian_pool *p, const char *name, struct err *e);

#endif
