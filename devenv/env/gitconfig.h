/* SPDX-License-Identifier: Apache-2.0 */
/* gitconfig.h - the caller's git identity and habits, carried in. */
#ifndef DEVENV_ENV_GITCONFIG_H
#define DEVENV_ENV_GITCONFIG_H

#include "env/draft.h"

/* /etc/gitconfig of the generated layer: the image's, then what is carried in. */
int gitconfig_plan(struct draft *d, struct err *e);

#endif
