/* SPDX-License-Identifier: Apache-2.0 */
/* fill.h - the steps from what the reader gives to struct config (config.c), for layers.c. Internal to config/. */
#ifndef DEVENV_CONFIG_FILL_H
#define DEVENV_CONFIG_FILL_H

#include "config/config.h"
#include "config/ini.h"

/* What can be said of one file by itself: one base at most, sections and keys that exist, none that are the user's. */
int fill_check(const char *file, const struct ini *ini, struct err *e);
/* Check and keep every value. Sections and entries name their file; c->file stays what it is. */
int fill_config(struct config *c, const struct ini *ini, struct err *e);
/* What only the whole can be asked: is there a base (when `whole`), do targets differ? Fills in what goes without saying. */
int fill_check_all(struct config *c, bool whole, struct err *e);

#endif
