/* SPDX-License-Identifier: Apache-2.0 */
/* setup.h - [setup]: what a plan says of it. */
#ifndef DEVENV_ENV_SETUP_H
#define DEVENV_ENV_SETUP_H

#include "env/draft.h"

/* The script and its key into the plan, its inputs onto the freshness list. */
int setup_plan(struct draft *d, struct err *e);

#endif
