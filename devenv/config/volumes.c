/* SPDX-License-Identifier: Apache-2.0 */
/* volumes.c - [volume.NAME]: directories that outlive an environment, and where they appear in it. */
#include "config/volumes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "config/value.h"

int volumes_begin(struct config *c, const struct ini_section *section, struct err *e)
{
	const char *name = section->name + strlen("volume.");

	if (!text_starts(section->name, "volume."))
		return 0;
	if (value_check_name(c->file, section, "volume", name, e))
		return -1;
	c->volumes = mem_grow(c->volumes, c->volume_count, &c->volume_cap, sizeof(*c->volumes));
	c->volumes[c->volume_count++] = (struct config_volume){ .name = mem_strdup(name),
		                                                .line = section->line,
		                                                .file = section->file };
	return 0;
}

int volumes_set(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const scopes[] = { "checkout", "project", NULL };
	struct config_volume *v = &c->volumes[c->volume_count - 1]; /* volumes_begin() made it */
	int scope;

	if (!strcmp(entry->key, "scope")) {
		if (value_choice(c->file, entry, scopes, &scope, e))
			return -1;
		v->project_scope = scope == 1;
		return 0;
	}
	if (value_check_inside(c->file, entry, "volume", e))
		return -1;
	v->target = mem_strdup(entry->value);
	v->line = entry->line;
	v->file = entry->file;
	return 0;
}

static int compare_volumes(const void *a, const void *b)
{
	const struct config_volume *x = *(const struct config_volume *const *)a;
	const struct config_volume *y = *(const struct config_volume *const *)b;
	cleanup_free char *left = path_clean(x->target), *right = path_clean(y->target);
	int order = strcmp(left, right);

	return order ? order : (x > y) - (x < y); /* in one array, base first */
}

int volumes_check(const struct config *c, struct err *e)
{
	cleanup_free const struct config_volume **sorted = mem_array(c->volume_count + 1, sizeof(*sorted));

	for (size_t i = 0; i < c->volume_count; i++) {
		sorted[i] = &c->volumes[i];
		if (!sorted[i]->target)
			return err_set(e, ERR_CONFIG, "%s:%u: [volume.%s] has no target",
			               text_safe(sorted[i]->file), sorted[i]->line,
			               text_safe(sorted[i]->name));
	}
	qsort(sorted, c->volume_count, sizeof(*sorted), compare_volumes);
	for (size_t i = 1; i < c->volume_count; i++) {
		cleanup_free char *one = path_clean(sorted[i - 1]->target),
				  *two = path_clean(sorted[i]->target);

		if (!strcmp(one, two))
			return err_set(
				e, ERR_CONFIG,
				"%s:%u: [volume.%s] target: '%s' is the target of [volume.%s] already, "
				"at line %u",
				text_safe(sorted[i]->file), sorted[i]->line, text_safe(sorted[i]->name),
				text_safe(sorted[i]->target), text_safe(sorted[i - 1]->name),
				sorted[i - 1]->line);
	}
	return 0;
}

void volumes_release(struct config *c)
{
	for (size_t i = 0; i < c->volume_count; i++) {
		free(c->volumes[i].name);
		free(c->volumes[i].target);
	}
	free(c->volumes);
}
