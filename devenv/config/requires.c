/* SPDX-License-Identifier: Apache-2.0 */
/* requires.c - [devenv] requires: the least version a file is written for, and which of two versions is newer. */
#include "config/requires.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/value.h"

int requires_set(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_check_line(c->file, entry, e))
		return -1;
	if (config_version_at_least(entry->value, entry->value) < 0)
		return value_bad(c->file, entry, e, "'%s' is not a version such as 0.1",
		                 text_safe(entry->value));
	c->requires = mem_strdup(entry->value);
	c->requires_line = entry->line;
	c->requires_file = entry->file;
	return 0;
}

/* Take the first number off a dotted version. -1: there is none. */
static int next_number(const char **version, uint64_t *out)
{
	size_t n = strcspn(*version, ".");
	cleanup_free char *digits = mem_strndup(*version, n);

	if (text_number(digits, UINT32_MAX, out))
		return -1;
	*version += n;
	if (**version == '.' && *++*version == '\0')
		return -1;
	return 0;
}

int config_version_at_least(const char *have, const char *want)
{
	int order = 0;

	if (!*have || !*want)
		return -1;
	while (*have || *want) {
		uint64_t a = 0, b = 0;

		if ((*have && next_number(&have, &a)) || (*want && next_number(&want, &b)))
			return -1;
		if (order == 0)
			order = (a > b) - (a < b);
	}
	return order >= 0;
}
