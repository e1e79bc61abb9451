/* SPDX-License-Identifier: Apache-2.0 */
/* binding.h - what a config binds into its environment: volumes, and paths of the host. */
#ifndef DEVENV_ENV_BINDING_H
#define DEVENV_ENV_BINDING_H

#include "env/draft.h"

#define BINDING_WORKSPACE "/workspace"

/* [volume.*] and [mount.*]. Home and project must have their places in the plan. ERR_CONFIG with file:line. */
int binding_mount_all(struct draft *d, struct err *e);

#endif
