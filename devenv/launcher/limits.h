/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h - the limits of a plan, seen from the launcher: before the sandbox and after it. Private to launcher/. */
#ifndef DEVENV_LAUNCHER_LIMITS_H
#define DEVENV_LAUNCHER_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "plan/plan.h"

#define LIMITS_CGROUPS 3 /* one for each limit where each controller has a hierarchy of its own */

struct limits {
	bool count_processes; /* no cgroup sees to the number of processes */
	int events_fd;	      /* counts what was killed for want of memory; -1: nothing does */
	uint64_t killed;      /* as it was before */
	struct limits_cgroup {
		int origin_fd;	 /* cgroup.procs of where this process was */
		int parent_fd;
		char name[256];	 /* below the parent */
	} cgroups[LIMITS_CGROUPS];
	size_t cgroup_count;
	bool was_last;	      /* was our session? For struct session */
	bool lingers;
	pid_t keeper;	      /* a child that stays root where we do not; 0: there is none */
	int keeper_fd;	      /* what it waits at */
};
#define LIMITS_INIT ((struct limits){ .events_fd = -1, .keeper_fd = -1 })

/* Have this process put under the limits; a plan without limits costs nothing. */
int limits_begin(struct limits *l, const struct plan *p, struct err *e);
/* The session is over: say when memory ran out, remove what was made unless others live there. */
void limits_end(struct limits *l, const struct plan *p, void (*warn)(const char *line));

#endif
