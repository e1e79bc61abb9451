/* SPDX-License-Identifier: Apache-2.0 */
/*
 * running.h - the lock file that an environment is known by while somebody is in it: <runtime>/<plan id>.lock.
 *
 * Whoever keeps it is sandbox/holder.c, where its theory of operation is. This is what both programs have to agree on, and
 * how to ask. Asking makes nothing and takes no lock; only running_end does.
 */
#ifndef DEVENV_PLAN_RUNNING_H
#define DEVENV_PLAN_RUNNING_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/dirs.h"

#define RUNNING_SUFFIX ".lock"

enum running_byte { RUNNING_PID1, RUNNING_SESSIONS, RUNNING_DOOR };

/* The lock file's path. malloc'ed. */
char *running_path(const struct dirs *d, const char *plan_id);

/* The pid of the environment's pid 1, in the name space of the caller, or 0 when it does not run. */
pid_t running_pid(const struct dirs *d, const char *plan_id);
/* Does anybody have it open, or does it linger? Starts earlier than pid 1 is there to be asked. */
bool running_in_use(const struct dirs *d, const char *plan_id);
/* Is anybody in it? Not: it lingers, or is leaving. */
bool running_has_sessions(const struct dirs *d, const char *plan_id);
/* Does it run without a session, as [sandbox] linger asks? */
bool running_lingers(const struct dirs *d, const char *plan_id);
/* End one that lingers, and wait until it has ended. Nobody there: nothing to do. ERR_BUSY: it has sessions. */
int running_end(const struct dirs *d, const char *plan_id, struct err *e);

/* The same of a lock file that is open. What the caller's own open file has locked does not count in the second. */
pid_t running_pid1(int fd);
bool running_is_locked(int fd, enum running_byte byte);

#endif
