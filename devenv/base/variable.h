/* SPDX-License-Identifier: Apache-2.0 */
/* variable.h - names of environment variables, by one rule for config, env files and the command line. */
#ifndef DEVENV_BASE_VARIABLE_H
#define DEVENV_BASE_VARIABLE_H

#include <stdbool.h>

#include "base/err.h"

/* [A-Za-z_][A-Za-z0-9_]* */
bool variable_is_name(const char *name);
/* Can it be set inside: it is a name, and none of those whose value devenv promises (HOME USER LOGNAME container DEVENV
 * DEVENV_*)? ERR_CONFIG says why not, without a place. */
int variable_check(const char *name, struct err *e);

#endif
