/* SPDX-License-Identifier: Apache-2.0 */
/* repository.h - git inside: what of a repository is bound, and what of it is read-only. */
#ifndef DEVENV_ENV_REPOSITORY_H
#define DEVENV_ENV_REPOSITORY_H

#include "env/draft.h"

/* The mounts of the project's repository. Home and project must have their places in the plan. */
int repository_plan(struct draft *d, struct err *e);

#endif
