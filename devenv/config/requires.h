/* SPDX-License-Identifier: Apache-2.0 */
/* requires.h - [devenv] requires: the least version a file is written for. Internal to config/. */
#ifndef DEVENV_CONFIG_REQUIRES_H
#define DEVENV_CONFIG_REQUIRES_H

#include "config/config.h"
#include "config/ini.h"

int requires_set(struct config *c, const struct ini_entry *entry, struct err *e);

#endif
