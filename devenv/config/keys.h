/* SPDX-License-Identifier: Apache-2.0 */
/* keys.h - checking a file against a table of sections and keys. Internal to config/. */
#ifndef DEVENV_CONFIG_KEYS_H
#define DEVENV_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "config/config.h"
#include "config/ini.h"

/* Does a name fit a name of the table: itself, "*" (anything), or "head.*" with something after the dot? */
bool keys_match(const char *pattern, const char *name);

/* Is there such a section in the table? */
bool keys_has_section(const struct config_key *table, size_t count, const char *section);

/*
 * Check every section and key of a file in file order. ERR_CONFIG: the table knows no such section or key,
 * with the nearest one. ERR_UNSUPPORTED: it does, but that is not built yet (for a section without keys:
 * none of it is).
 */
int keys_check(const struct config_key *table, size_t count, const char *file, const struct ini *ini,
               struct err *e);

#endif
