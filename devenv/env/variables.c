/* SPDX-License-Identifier: Apache-2.0 */
/* variables.c - an environment block under construction. */
#include "env/variables.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char **find(const struct variables *v, const char *name, size_t len)
{
	for (size_t i = 0; i < v->items.count; i++) {
		char *item = v->items.items[i];

		if (strncmp(item, name, len) == 0 && item[len] == '=')
			return &v->items.items[i];
	}
	return NULL;
}

void variables_put(struct variables *v, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	char **there;

	if (!equals || equals == assignment)
		return;
	there = find(v, assignment, (size_t)(equals - assignment));
	if (there) {
		free(*there);
		*there = mem_strdup(assignment);
	} else {
		strlist_add(&v->items, assignment);
	}
}

void variables_set(struct variables *v, const char *name, const char *value)
{
	cleanup_free char *assignment = mem_printf("%s=%s", name, value);

	variables_put(v, assignment);
}

const char *variables_get(const struct variables *v, const char *name)
{
	size_t len = strlen(name);
	char **there = find(v, name, len);

	return there ? *there + len + 1 : NULL;
}

void variables_release(struct variables *v)
{
	strlist_release(&v->items);
}
