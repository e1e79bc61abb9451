/* SPDX-License-Identifier: Apache-2.0 */
/* running.h - is anybody in an environment? */
#ifndef DEVENV_CLI_RUNNING_H
#define DEVENV_CLI_RUNNING_H

#include <sys/types.h>

#include "base/dirs.h"

/* The host's pid of the environment's pid 1, or 0 when it does not run. Creates nothing, takes no lock. */
pid_t running_pid(const struct dirs *d, const char *plan_id);

#endif
