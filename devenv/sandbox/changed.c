/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changed.c - has what the plan was made from changed while a session ran?
 *
 * A session keeps the environment it began in. When it ends, it is told that the next one will be another, so that nobody
 * wonders why an edit had no effect. Inside, only the project can be looked at, at the place that it has here.
 */
#include "sandbox/changed.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

char *changed_find(const struct plan *p)
{
	size_t i;

	for (i = 0; *p->project_target && i < p->watch_count; i++) {
		const char *name = path_below(p->watches[i].path, p->project);
		struct plan_watch watch = p->watches[i];
		struct plan one = { .watches = &watch, .watch_count = 1 };
		cleanup_free char *path = NULL;

		/* What git does to its own files is not a change of the configuration. */
		if (!name || !*name || text_starts(name, ".git/"))
			continue;
		path = path_join(p->project_target, name);
		watch.path = path;
		watch.young = false; /* it has not changed for that */
		if (plan_stale(&one))
			return mem_strdup(name);
	}
	return NULL;
}
