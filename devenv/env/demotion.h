/* SPDX-License-Identifier: Apache-2.0 */
/* demotion.h - who real root becomes for an environment (plan/demote.h), and what is said about it. */
#ifndef DEVENV_ENV_DEMOTION_H
#define DEVENV_ENV_DEMOTION_H

#include <stdbool.h>

#include "base/dirs.h"
#include "plan/plan.h"

/* Where the account has no range in /etc/subuid: an id that nothing hands out. */
#define DEMOTION_ID 2147000000u

/* When root plans: set become_uid and become_gid. All mounts must be planned. */
void demotion_plan(struct plan *p);

/*
 * One line that ends a sentence on what root inside is outside, or NULL for who is not root: "uid N of this machine",
 * "root of this machine: REASON". *safe: the former. malloc'ed.
 */
char *demotion_describe(const struct plan *p, const struct dirs *d, bool *safe);
/* The same for an environment that was granted nothing. */
char *demotion_describe_machine(const struct dirs *d, bool *safe);

#endif
