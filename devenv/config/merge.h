/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge.h - one configuration of several files: the base first, what is laid over it after that. Internal to config/.
 *
 * Scalars replace, lists and sections merge, and an item "!name" of a list takes `name` out of what came before. [base] is one
 * choice: who names another base drops all of the one below. Of [devenv] requires the greatest counts. Every line keeps
 * the file and the line it came from.
 */
#ifndef DEVENV_CONFIG_MERGE_H
#define DEVENV_CONFIG_MERGE_H

#include <stdbool.h>

#include "base/err.h"
#include "config/config.h"
#include "config/ini.h"

struct merge {
	struct config_line *lines; /* those of a section follow each other, as do the items of a list */
	size_t count, cap;
	struct ini_section *sections;
	size_t section_count, section_cap;
	bool layered;    /* more than one file */
	bool incomplete; /* a file below is missing: what "!name" removes may be in that one */
};

/* Is the value of this key a list of words, merged item by item? */
bool merge_is_list(const char *section, const char *key);
/* Does this key of [base] say where the base comes from? */
bool merge_is_base(const char *key);

/* Lay a file over what is there. `file` must outlive the merge. ERR_CONFIG with file:line: "!name" removes nothing. */
int merge_add(struct merge *m, const char *file, const struct ini *ini, struct err *e);
/* The result as the reader would give it, each section and entry with its file. */
void merge_result(const struct merge *m, struct ini *out);
void merge_release(struct merge *m);

#endif
