/* SPDX-License-Identifier: Apache-2.0 */
/* lock_extends.h - the parts of the lock's reader and writer that lock.c and lock_extends.c share. Internal to config/. */
#ifndef DEVENV_CONFIG_LOCK_EXTENDS_H
#define DEVENV_CONFIG_LOCK_EXTENDS_H

#include "config/ini.h"
#include "config/lock.h"

/* lock_extends.c */
int lock_take_extends(const char *name, const struct ini *ini, const struct ini_section *section,
                      struct lock *l, struct err *e);
void lock_format_extends(const struct lock *l, struct buf *out);

/* lock.c */
int lock_bad_value(const char *name, const struct ini_entry *entry, const char *what, struct err *e);
int lock_unknown_key(const char *name, const struct ini_entry *entry, struct err *e);
void lock_add_value(struct buf *out, const char *key, const char *value);

#endif
