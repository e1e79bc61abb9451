/* SPDX-License-Identifier: Apache-2.0 */
/* git_config.h - reading git's configuration files as git would. */
#ifndef DEVENV_FETCH_GIT_CONFIG_H
#define DEVENV_FETCH_GIT_CONFIG_H

#include <stddef.h>

#include "base/err.h"

/*
 * Call `take` with every setting of these files, later files last; names are as git writes them ("user.name", section and
 * key in lower case). Missing files count as empty. Includes are followed, conditional ones as they hold for the
 * repository at `work_tree` (NULL: for none). ERR_CONFIG: a file that can't be parsed, with its line.
 */
int git_config_read(const char *const *files, size_t count, const char *work_tree,
		    void (*take)(void *data, const char *name, const char *value), void *data, struct err *e);

#endif
