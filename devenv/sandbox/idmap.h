/* SPDX-License-Identifier: Apache-2.0 */
/* idmap.h - the ids of a user namespace: the caller's one, or ranges too. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_IDMAP_H
#define DEVENV_SANDBOX_IDMAP_H

#include <stdint.h>

#include <sys/types.h>

#include "base/err.h"
#include "plan/plan.h"

/*
 * Called by a process in its own new user namespace: map `uid` and `gid` inside to the outer ids (as its parent namespace
 * calls them). setgroups is denied first, so supplementary groups can be neither used by name nor dropped.
 * proc_fd: a descriptor of the process's directory in a /proc that shows it, or AT_FDCWD for /proc/self.
 */
int idmap_write(int proc_fd, uint32_t uid, uint32_t outer_uid, uint32_t gid, uint32_t outer_gid, struct err *e);

/*
 * Called by the launcher for the first process of a new user namespace: the caller's ids and the plan's ranges. setgroups
 * stays allowed. That process waits in idmap_await meanwhile, for a byte through the pipe `gate`.
 */
int idmap_write_ranges(pid_t pid, const struct plan *p, uint32_t outer_uid, uint32_t outer_gid, struct err *e);
int idmap_await(const int gate[2], struct err *e);

#endif
