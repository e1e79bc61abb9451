/* SPDX-License-Identifier: Apache-2.0 */
/* leader.h - a command on a terminal, below a leader of its session. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_LEADER_H
#define DEVENV_SANDBOX_LEADER_H

#include "sandbox/spawn.h"

/*
 * As spawn_process, on s->terminal_fd. The pid is the leader's: it stops when the command stops, ends as it ends, and
 * passes on to it the signals it gets (SIGCONT to its whole process group).
 */
pid_t leader_start(struct spawn *s, struct err *e);

#endif
