/* SPDX-License-Identifier: Apache-2.0 */
/* limits_shown.h - limits and devices in words, for status, config --plan, info and doctor. */
#ifndef DEVENV_CLI_LIMITS_SHOWN_H
#define DEVENV_CLI_LIMITS_SHOWN_H

#include "base/buf.h"
#include "base/dirs.h"
#include "plan/plan.h"

/* A sentence for each limit of the plan: of the running environment what is in force, otherwise what would be. */
void limits_shown_plan(const struct plan *p, const struct dirs *d, struct strlist *lines);
/* What this machine has for limits and for devices, a line each. malloc'ed. *all: every limit can be enforced. */
char *limits_shown_machine(bool *all);
char *limits_shown_devices(void);

#endif
