/* SPDX-License-Identifier: Apache-2.0 */
/* idmap.h - the one-uid map of a user namespace. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_IDMAP_H
#define DEVENV_SANDBOX_IDMAP_H

#include <stdint.h>

#include "base/err.h"

/*
 * Called by a process in its own new user namespace: map `uid` and `gid` inside to the outer ids (as its parent namespace
 * calls them). setgroups is denied first, so supplementary groups can be neither used by name nor dropped.
 * proc_fd: a descriptor of the process's directory in a /proc that shows it, or AT_FDCWD for /proc/self.
 */
int idmap_write(int proc_fd, uint32_t uid, uint32_t outer_uid, uint32_t gid, uint32_t outer_gid, struct err *e);

#endif
