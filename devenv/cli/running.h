/* SPDX-License-Identifier: Apache-2.0 */
/* running.h - is anybody in an environment? */
#ifndef DEVENV_CLI_RUNNING_H
#define DEVENV_CLI_RUNNING_H

#include <sys/types.h>

#include "base/dirs.h"

/* The host's pid of the environment's pid 1, or 0 when it does not run. Creates nothing, takes no lock. */
pid_t running_pid(const struct dirs *d, const char *plan_id);
/* How many environments of earlier plans of this state directory still run: sessions that were there when the
 * configuration changed. *pid receives pid 1 of one of them. */
size_t running_earlier(const struct dirs *d, const char *state, const char *plan_id, pid_t *pid);

#endif
