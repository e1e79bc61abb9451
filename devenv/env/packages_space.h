/* SPDX-License-Identifier: Apache-2.0 */
/* packages_space.h - a store that ran full while packages were unpacked or configured: how much is missing. */
#ifndef DEVENV_ENV_PACKAGES_SPACE_H
#define DEVENV_ENV_PACKAGES_SPACE_H

#include <stdbool.h>

#include "config/lock.h"
#include "store/store.h"

/* Was it that? Also of a failed step, whose own words are dpkg's. To be asked before what the step wrote is thrown away. */
bool packages_space_is_out(const struct store *s, const struct err *e);
/* Say so in *e, now that it is thrown away: what these packages still take, less what is free. Evaluates to -1. */
int packages_space_explain(const struct store *s, const struct lock_package *const *packages, size_t count, struct err *e);

#endif
