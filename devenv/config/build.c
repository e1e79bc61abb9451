/* SPDX-License-Identifier: Apache-2.0 */
/* build.c - [build]: the script whose result is a shared layer, and all that it sees. */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "base/variable.h"
#include "config/value.h"

static int set_run(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (entry->value[0] == '\0')
		return value_bad(c->file, entry, e, "the script is empty");
	c->build = mem_strdup(entry->value);
	return 0;
}

static int set_inputs(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_list(c->file, entry, &c->build_inputs, e))
		return -1;
	for (size_t i = 0; i < c->build_inputs.count; i++) {
		const char *item = c->build_inputs.items[i];

		if (value_check_path(c->file, entry, item, e))
			return -1;
		if (item[0] == '~' && item[1] != '/' && item[1] != '\0') {
			value_bad(c->file, entry, e, "'%s' is nobody's home directory here: a path begins with ~/", text_safe(item));
			return err_hint(e, "a file of that name below the project is written './%s'", text_safe(item));
		}
		if (strpbrk(item, "*?[") && (item[0] == '/' || item[0] == '~' || value_path_climbs(item)))
			return value_bad(c->file, entry, e, "'%s' is a pattern, and those are for files below the project",
					 text_safe(item));
	}
	return 0;
}

static int set_env(struct config *c, const struct ini_entry *entry, struct err *e)
{
	const char *name = entry->key + strlen("env.");

	if (variable_check(name, e)) {
		cleanup_free char *why = mem_strdup(e->msg);

		return err_set(e, ERR_CONFIG, "%s:%u: [build] %s", text_safe(c->file), entry->line, why);
	}
	c->build_env = mem_grow(c->build_env, c->build_env_count, &c->build_env_cap, sizeof(*c->build_env));
	c->build_env[c->build_env_count++] = (struct config_pair){ .name = mem_strdup(name),
								   .value = mem_strdup(entry->value),
								   .line = entry->line,
								   .file = entry->file };
	return 0;
}

static int set_network(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const words[] = { "host", "none", NULL };
	int word;

	if (value_choice(c->file, entry, words, &word, e))
		return -1;
	c->build_network = word ? CONFIG_NETWORK_NONE : CONFIG_NETWORK_HOST;
	return 0;
}

static int check_cache(const struct config *c, const struct ini_entry *entry, const char *item, struct err *e)
{
	cleanup_free char *clean = path_clean(item);

	if (value_check_path(c->file, entry, item, e))
		return -1;
	if (item[0] != '/' && !text_starts(item, "~/"))
		return value_bad(c->file, entry, e, "'%s' is not a directory inside: /... or ~/...", text_safe(item));
	if (strcmp(clean, "~") == 0)
		return value_bad(c->file, entry, e, "'%s' as a whole can't be a cache", text_safe(item));
	if (path_is_below(clean, "/workspace"))
		return value_bad(c->file, entry, e, "'%s' can't be a cache: the inputs are there", text_safe(item));
	return value_check_hides(c->file, entry, item, "cache", e);
}

static int set_cache(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_list(c->file, entry, &c->build_cache, e))
		return -1;
	for (size_t i = 0; i < c->build_cache.count; i++)
		if (check_cache(c, entry, c->build_cache.items[i], e))
			return -1;
	return 0;
}

static int set_shell(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_check_shell(c->file, entry, e))
		return -1;
	c->build_shell = mem_strdup(entry->value);
	return 0;
}

int build_set(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const struct {
		const char *key;
		int (*set)(struct config *c, const struct ini_entry *entry, struct err *e);
	} keys[] = {
		{ "run", set_run },	{ "inputs", set_inputs }, { "network", set_network },
		{ "cache", set_cache }, { "shell", set_shell },
	};

	c->build_line = entry->line;
	c->build_file = entry->file;
	if (text_starts(entry->key, "env."))
		return set_env(c, entry, e);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].key, entry->key) == 0)
			return keys[i].set(c, entry, e);
	abort(); /* the table of keys has no other */
}

int build_check(const struct config *c, bool whole, struct err *e)
{
	if (!whole || c->build || !c->build_line)
		return 0;
	err_set(e, ERR_CONFIG, "%s:%u: [build] has no run", text_safe(c->build_file), c->build_line);
	return err_hint(e, "say what is to be done: run = …");
}

void build_release(struct config *c)
{
	free(c->build);
	free(c->build_shell);
	strlist_release(&c->build_inputs);
	strlist_release(&c->build_cache);
	config_pairs_release(c->build_env, c->build_env_count);
}
