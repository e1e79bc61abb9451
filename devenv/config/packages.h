/* SPDX-License-Identifier: Apache-2.0 */
/* packages.h - [base] debian and [packages]: what comes from a distribution's own packages. Internal to config/. */
#ifndef DEVENV_CONFIG_PACKAGES_H
#define DEVENV_CONFIG_PACKAGES_H

#include "config/config.h"
#include "config/ini.h"

/* The value of [base] debian, which config.c keeps: a codename. */
int packages_check_codename(const char *file, const struct ini_entry *entry, struct err *e);
int packages_set_variant(struct config *c, const struct ini_entry *entry, struct err *e);
int packages_set_components(struct config *c, const struct ini_entry *entry, struct err *e);
int packages_set_apt(struct config *c, const struct ini_entry *entry, struct err *e);
/* [devenv] platforms */
int packages_set_platforms(struct config *c, const struct ini_entry *entry, struct err *e);
/* variant and components go with debian; a Debian base has components in any case. */
int packages_check(struct config *c, struct err *e);
void packages_release(struct config *c);

#endif
