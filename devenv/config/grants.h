/* SPDX-License-Identifier: Apache-2.0 */
/* grants.h - [mount.*] and [pass-env]: what a project asks of the host. Internal to config/. */
#ifndef DEVENV_CONFIG_GRANTS_H
#define DEVENV_CONFIG_GRANTS_H

#include "config/config.h"
#include "config/ini.h"

/* A section [mount.NAME] begins; other sections are none of this file's business. */
int grants_begin(struct config *c, const struct ini_section *section, struct err *e);
int grants_set_mount(struct config *c, const struct ini_entry *entry, struct err *e);
int grants_set_pass(struct config *c, const struct ini_entry *entry, struct err *e);
/* Every mount is complete, and no two of mounts and volumes have one target. */
int grants_check(const struct config *c, struct err *e);
void grants_release(struct config *c);

#endif
