/* SPDX-License-Identifier: Apache-2.0 */
/* join.h - into the namespaces of a holder. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_JOIN_H
#define DEVENV_SANDBOX_JOIN_H

#include <stdbool.h>

#include "base/err.h"
#include "plan/plan.h"
#include "sandbox/holder.h"

struct join {
	bool want_scratch;
	int scratch_fd;	   /* out: the holder's scratch directory, or -1; see discard.h */
	int agent_fd;	   /* of devices_open_agent; -1: none */
	const char *agent; /* out: where its socket is now; NULL: nowhere */
	uint32_t pids;	   /* the most processes, where no cgroup sees to it; 0: don't */
};
/*
 * Move this process into the holder's namespaces; its children will be in its pid namespace too. With `root`, go on into
 * a child user namespace where the caller is uid 0. *j is filled and used in between, with the holder's capabilities. Afterwards "/" is the sandbox's root and the working directory.
 */
int join_enter(const struct plan *p, const struct holder *h, bool root, struct join *j, struct err *e);
/* Open a directory inside as a working directory. Links are followed within the root, magic links are not. */
int join_open_workdir(const char *path, struct err *e);

#endif
