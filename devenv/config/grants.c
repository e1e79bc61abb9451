/* SPDX-License-Identifier: Apache-2.0 */
/* grants.c - [mount.*] and [pass-env]: what a project asks of the host. Whether it gets it is not decided here. */
#include "config/grants.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "config/value.h"

int grants_begin(struct config *c, const struct ini_section *section, struct err *e)
{
	const char *name = section->name + strlen("mount.");

	if (!text_starts(section->name, "mount."))
		return 0;
	if (value_check_name(c->file, section, "mount", name, e))
		return -1;
	c->mounts = mem_grow(c->mounts, c->mount_count, &c->mount_cap, sizeof(*c->mounts));
	c->mounts[c->mount_count++] = (struct config_mount){ .name = mem_strdup(name),
		                                             .read_only = true,
		                                             .line = section->line };
	return 0;
}

static int set_source(struct config *c, struct config_mount *m, const struct ini_entry *entry, struct err *e)
{
	const char *source = entry->value;

	if (value_check_line(c->file, entry, e) || value_check_path(c->file, entry, source, e))
		return -1;
	if (source[0] == '~' && source[1] && source[1] != '/')
		return value_bad(c->file, entry, e, "'%s' is not absolute, ~/... or below the project",
		                 text_safe(source));
	m->source = mem_strdup(source);
	m->source_line = entry->line;
	return 0;
}

int grants_set_mount(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const modes[] = { "ro", "rw", NULL };
	struct config_mount *m = &c->mounts[c->mount_count - 1]; /* grants_begin() made it */
	int mode;

	if (!strcmp(entry->key, "source"))
		return set_source(c, m, entry, e);
	if (!strcmp(entry->key, "mode")) {
		if (value_choice(c->file, entry, modes, &mode, e))
			return -1;
		m->read_only = mode == 0;
		return 0;
	}
	if (value_check_inside(c->file, entry, "mount", e))
		return -1;
	m->target = mem_strdup(entry->value);
	m->target_line = entry->line;
	return 0;
}

int grants_set_pass(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_list(c->file, entry, &c->pass_env, e))
		return -1;
	for (size_t i = 0; i < c->pass_env.count; i++)
		if (!config_env_name_is_valid(c->pass_env.items[i]))
			return value_bad(c->file, entry, e, "'%s' can't be the name of a variable",
			                 text_safe(c->pass_env.items[i]));
	return 0;
}

static int check_targets(const struct config *c, const struct config_mount *m, struct err *e)
{
	cleanup_free char *target = path_clean(m->target);

	for (size_t i = 0; i < c->volume_count; i++) {
		cleanup_free char *other = path_clean(c->volumes[i].target);

		if (!strcmp(target, other))
			return err_set(e, ERR_CONFIG,
			               "%s:%u: [mount.%s] target: '%s' is the target of [volume.%s] already",
			               text_safe(c->file), m->target_line, m->name, text_safe(m->target),
			               c->volumes[i].name);
	}
	for (const struct config_mount *n = c->mounts; n < m; n++) {
		cleanup_free char *other = path_clean(n->target);

		if (!strcmp(target, other))
			return err_set(e, ERR_CONFIG,
			               "%s:%u: [mount.%s] target: '%s' is the target of [mount.%s] already",
			               text_safe(c->file), m->target_line, m->name, text_safe(m->target),
			               n->name);
	}
	return 0;
}

int grants_check(const struct config *c, struct err *e)
{
	for (size_t i = 0; i < c->mount_count; i++) {
		const struct config_mount *m = &c->mounts[i];

		if (!m->source || !m->target)
			return err_set(e, ERR_CONFIG, "%s:%u: [mount.%s] has no %s", text_safe(c->file),
			               m->line, m->name, m->source ? "target" : "source");
		if (check_targets(c, m, e))
			return -1;
	}
	return 0;
}

void grants_release(struct config *c)
{
	for (size_t i = 0; i < c->mount_count; i++) {
		free(c->mounts[i].name);
		free(c->mounts[i].source);
		free(c->mounts[i].target);
	}
	free(c->mounts);
	strlist_release(&c->pass_env);
}
