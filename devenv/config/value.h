/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h - what the value of a key may look like. Internal to config/.
 *
 * All return 0, or -1 with ERR_CONFIG "file:line: [section] key ...". `file` is what messages call the file.
 */
#ifndef DEVENV_CONFIG_VALUE_H
#define DEVENV_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/ini.h"

#define VALUE_NAME_MAX 63
#define VALUE_PATH_MAX 4000 /* bytes: with the project's own path before it the kernel's limit is near */

/* "file:line: [section] key: " before whatever is wrong; evaluates to -1. */
#define value_bad(file, entry, e, ...)                                                                       \
	(err_set((e), ERR_CONFIG, __VA_ARGS__), value_place((file), (entry), (e)))
int value_place(const char *file, const struct ini_entry *entry, struct err *e);

/* Not empty, and one line. */
int value_check_line(const char *file, const struct ini_entry *entry, struct err *e);
/* yes or no, nothing else. */
int value_bool(const char *file, const struct ini_entry *entry, bool *out, struct err *e);
/* One of the words of a list that ends in NULL: *out receives its index. */
int value_choice(const char *file, const struct ini_entry *entry, const char *const *words, int *out,
                 struct err *e);
/* Words separated by blanks or lines; at least one. Appended to *out. */
int value_list(const char *file, const struct ini_entry *entry, struct strlist *out, struct err *e);
/* A path of at most VALUE_PATH_MAX bytes, one line. */
int value_check_path(const char *file, const struct ini_entry *entry, const char *path, struct err *e);
/* The name or the absolute path of a shell. */
int value_check_shell(const char *file, const struct ini_entry *entry, struct err *e);
/* An absolute path inside that something (a target; `kind`) can be mounted on: it hides nothing that must be there. */
int value_check_target(const char *file, const struct ini_entry *entry, struct err *e);
int value_check_hides(const char *file, const struct ini_entry *entry, const char *path, const char *kind, struct err *e);

/* The target of a [volume.*] or [mount.*] (`kind` says which): such a path, or ~/..., or one below the project. */
int value_check_inside(const char *file, const struct ini_entry *entry, const char *kind, struct err *e);
/* The part of a section's name behind its first dot. */
int value_check_name(const char *file, const struct ini_section *section, const char *kind, const char *name,
                     struct err *e);

/* Does one of the components of a path equal ".."? */
bool value_path_climbs(const char *path);

#endif
