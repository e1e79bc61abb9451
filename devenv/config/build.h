/* SPDX-License-Identifier: Apache-2.0 */
/* build.h - [build]: the script whose result is a shared layer, and all that it sees. Internal to config/. */
#ifndef DEVENV_CONFIG_BUILD_H
#define DEVENV_CONFIG_BUILD_H

#include "config/config.h"
#include "config/ini.h"

int build_set(struct config *c, const struct ini_entry *entry, struct err *e);
/* Everything else is of no use without a script. */
int build_check(const struct config *c, bool whole, struct err *e);
void build_release(struct config *c);

#endif
