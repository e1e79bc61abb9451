/* SPDX-License-Identifier: Apache-2.0 */
/* config_plan.h - a plan in words, for `devenv config --plan`. */
#ifndef DEVENV_CLI_CONFIG_PLAN_H
#define DEVENV_CLI_CONFIG_PLAN_H

#include "cli/cli.h"

/* Read the plan of this environment and print all of it. ERR_NOT_FOUND: none was prepared yet. */
int config_plan(struct cli *c, const struct environment *env, struct err *e);

#endif
