/* SPDX-License-Identifier: Apache-2.0 */
/* volumes.h - [volume.NAME]: directories that outlive an environment, and where they appear in it. Internal to config/. */
#ifndef DEVENV_CONFIG_VOLUMES_H
#define DEVENV_CONFIG_VOLUMES_H

#include "config/config.h"
#include "config/ini.h"

/* A section [volume.NAME] begins; other sections are none of this file's business. */
int volumes_begin(struct config *c, const struct ini_section *section, struct err *e);
int volumes_set(struct config *c, const struct ini_entry *entry, struct err *e);
/* Every volume has a target, and no two the same. */
int volumes_check(const struct config *c, struct err *e);
void volumes_release(struct config *c);

#endif
