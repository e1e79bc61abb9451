/* SPDX-License-Identifier: Apache-2.0 */
/* config_promise.h - what the sandbox promises for a plan: a part of `devenv config --plan`. */
#ifndef DEVENV_CLI_CONFIG_PROMISE_H
#define DEVENV_CLI_CONFIG_PROMISE_H

#include "cli/cli.h"
#include "plan/plan.h"

/* What every environment gets and what this plan adds to it, in words on stdout. */
void config_promise_print(struct cli *c, const struct environment *env, const struct plan *p);
/* The same in lists that a program can compare with what it finds inside. */
json_t *config_promise_json(const struct environment *env, const struct plan *p);
/* Why something is mounted, in a few words; malloc'ed, "" when nothing is known about it. */
char *config_promise_why(const struct environment *env, const struct plan *p, const struct plan_mount *m);

#endif
