/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - devenv.ini as structs.
 *
 * keys_check() has rejected everything that is unknown or not built before the first value is looked at; a
 * table leads from each supported key to the function that checks and keeps its value.
 */
#include "config/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "base/variable.h"
#include "config/ini.h"
#include "config/keys.h"
#include "config/reference.h"
#include "config/user.h"
#include "config/value.h"

#define NAME_LONGEST 63 /* a host name's part */

typedef int (*setter)(struct config *c, const struct ini_entry *entry, struct err *e);

static const char *const base_keys[] = { "image", "debian", "dockerfile", "oci", "archive", NULL };

static int set_name(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *name = entry->value;
	size_t n = strlen(name);

	if (value_check_line(c->file, entry, e))
		return -1;
	if (n > NAME_LONGEST)
		return value_bad(c->file, entry, e, "a name can have %d characters at most, this one has %zu",
		                 NAME_LONGEST, n);
	if (strspn(name, chars) != n || strchr("._-", name[0]) || strchr("._-", name[n - 1])) {
		value_bad(c->file, entry, e, "'%s' can't be a name", text_safe(name));
		return err_hint(e, "a name has letters, digits and . _ - between them");
	}
	c->name = mem_strdup(name);
	return 0;
}

static int set_requires(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_check_line(c->file, entry, e))
		return -1;
	if (config_version_at_least(entry->value, entry->value) < 0)
		return value_bad(c->file, entry, e, "'%s' is not a version such as 0.1",
		                 text_safe(entry->value));
	c->requires = mem_strdup(entry->value);
	c->requires_line = entry->line;
	return 0;
}

static int keep_base(struct config *c, const struct ini_entry *entry, enum config_base base)
{
	c->base = base;
	c->base_value = mem_strdup(entry->value);
	c->base_line = entry->line;
	return 0;
}

static int set_image(struct config *c, const struct ini_entry *entry, struct err *e)
{
	struct reference r;

	if (value_check_line(c->file, entry, e))
		return -1;
	if (reference_parse(entry->value, &r, e)) {
		e->code = ERR_CONFIG;
		return value_place(c->file, entry, e);
	}
	reference_release(&r);
	return keep_base(c, entry, CONFIG_BASE_IMAGE);
}

static int set_oci(struct config *c, const struct ini_entry *entry, struct err *e)
{
	const char *colon = strrchr(entry->value, ':');

	if (value_check_line(c->file, entry, e) || value_check_path(c->file, entry, entry->value, e))
		return -1;
	if (colon == entry->value)
		return value_bad(c->file, entry, e, "there is no path before the tag in '%s'",
		                 text_safe(entry->value));
	if (colon && !strchr(colon, '/') && !reference_tag_is_valid(colon + 1))
		return value_bad(c->file, entry, e, "'%s' is not a tag", text_safe(colon + 1));
	return keep_base(c, entry, CONFIG_BASE_OCI);
}

static int set_archive(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_check_line(c->file, entry, e) || value_check_path(c->file, entry, entry->value, e))
		return -1;
	return keep_base(c, entry, CONFIG_BASE_ARCHIVE);
}

static int set_workspace_target(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_check_line(c->file, entry, e) || value_check_path(c->file, entry, entry->value, e))
		return -1;
	if (!strcmp(entry->value, "same"))
		return 0;
	if (entry->value[0] != '/')
		return value_bad(c->file, entry, e, "'%s' is neither 'same' nor an absolute path",
		                 text_safe(entry->value));
	if (value_check_target(c->file, entry, e))
		return -1;
	c->workspace_target = path_clean(entry->value);
	return 0;
}

static int set_user(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const words[] = { "me", "root", NULL };
	int word;

	if (value_choice(c->file, entry, words, &word, e))
		return -1;
	c->user_root = word == 1;
	return 0;
}

static int set_shell(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_check_shell(c->file, entry, e))
		return -1;
	c->shell = mem_strdup(entry->value);
	return 0;
}

static int set_path(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_list(c->file, entry, &c->path, e))
		return -1;
	for (size_t i = 0; i < c->path.count; i++) {
		const char *item = c->path.items[i];

		if (value_check_path(c->file, entry, item, e))
			return -1;
		if (strchr(item, ':')) {
			value_bad(c->file, entry, e, "'%s' has ':' in it", text_safe(item));
			return err_hint(e, "directories are separated by blanks or lines");
		}
		if (item[0] == '~' && item[1] != '/')
			return value_bad(c->file, entry, e,
			                 "'%s' is not absolute, ~/... or below the project", text_safe(item));
		if (value_path_climbs(item))
			return value_bad(c->file, entry, e, "'%s' has '..' in it", text_safe(item));
	}
	return 0;
}

static int set_env(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (variable_check(entry->key, e)) {
		cleanup_free char *why = mem_strdup(e->msg);

		return err_set(e, ERR_CONFIG, "%s:%u: [env] %s", text_safe(c->file), entry->line, why);
	}
	c->env = mem_grow(c->env, c->env_count, &c->env_cap, sizeof(*c->env));
	c->env[c->env_count++] = (struct config_pair){ .name = mem_strdup(entry->key),
		                                       .value = mem_strdup(entry->value),
		                                       .line = entry->line };
	return 0;
}

static int set_env_file(struct config *c, const struct ini_entry *entry, struct err *e)
{
	bool required = !strcmp(entry->key, "required");
	struct strlist *list = required ? &c->env_files : &c->env_files_optional;

	*(required ? &c->env_files_line : &c->env_files_optional_line) = entry->line;
	if (value_list(c->file, entry, list, e))
		return -1;
	for (size_t i = 0; i < list->count; i++)
		if (value_check_path(c->file, entry, list->items[i], e))
			return -1;
	return 0;
}

static bool is_volume_name(const char *name)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

	return strspn(name, chars) == strlen(name) && !strchr("_.-", name[0]) && strlen(name) <= NAME_LONGEST;
}

static int check_volume_target(struct config *c, const struct ini_entry *entry, struct err *e)
{
	const char *target = entry->value;
	cleanup_free char *clean = NULL;

	if (value_check_line(c->file, entry, e) || value_check_path(c->file, entry, target, e))
		return -1;
	if (target[0] == '/')
		return value_check_target(c->file, entry, e);
	if (value_path_climbs(target))
		return value_bad(c->file, entry, e, "'%s' has '..' in it", text_safe(target));
	clean = path_clean(target[0] == '~' && target[1] == '/' ? target + 2 + strspn(target + 2, "/")
	                                                        : target);
	if (!strcmp(clean, "."))
		return value_bad(c->file, entry, e, "'%s' as a whole can't be a volume", text_safe(target));
	if (target[0] == '~' && target[1] != '/')
		return value_bad(c->file, entry, e, "'%s' is not absolute, ~/... or below the project",
		                 text_safe(target));
	if (target[0] != '~' && path_is_below(clean, ".git"))
		return value_bad(c->file, entry, e, "'%s' can't be a volume: git needs it",
		                 text_safe(target));
	return 0;
}

static int set_volume(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const scopes[] = { "checkout", "project", NULL };
	struct config_volume *v = &c->volumes[c->volume_count - 1]; /* begin_section() made it */
	int scope;

	if (!strcmp(entry->key, "scope")) {
		if (value_choice(c->file, entry, scopes, &scope, e))
			return -1;
		v->project_scope = scope == 1;
		return 0;
	}
	if (check_volume_target(c, entry, e))
		return -1;
	v->target = mem_strdup(entry->value);
	v->line = entry->line;
	return 0;
}

static int set_network(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const words[] = { "auto", "host", "none", "private", NULL };
	static const enum config_network networks[] = { CONFIG_NETWORK_AUTO, CONFIG_NETWORK_HOST,
		                                        CONFIG_NETWORK_NONE };
	int word;

	if (value_choice(c->file, entry, words, &word, e))
		return -1;
	if (word == ARRAY_SIZE(networks))
		return err_set(e, ERR_UNSUPPORTED, "%s:%u: [sandbox] network = private is not supported yet",
		               text_safe(c->file), entry->line);
	c->network = networks[word];
	c->network_line = entry->line;
	return 0;
}

static int set_persist(struct config *c, const struct ini_entry *entry, struct err *e)
{
	return value_bool(c->file, entry, &c->persist, e);
}

static int set_scratch(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const words[] = { "tmpfs", "disk", NULL };
	int word;

	if (value_choice(c->file, entry, words, &word, e))
		return -1;
	c->scratch = word == 1 ? CONFIG_SCRATCH_DISK : CONFIG_SCRATCH_TMPFS;
	return 0;
}

static int set_hook(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (entry->value[0] == '\0')
		return value_bad(c->file, entry, e, "the script is empty");
	*(!strcmp(entry->key, "start") ? &c->hook_start : &c->hook_enter) = mem_strdup(entry->value);
	return 0;
}

static int set_git_hook(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (entry->value[0] == '\0')
		return value_bad(c->file, entry, e, "the script is empty");
	c->git_hooks = mem_grow(c->git_hooks, c->git_hook_count, &c->git_hook_cap, sizeof(*c->git_hooks));
	c->git_hooks[c->git_hook_count++] = (struct config_pair){ .name = mem_strdup(entry->key),
		                                                  .value = mem_strdup(entry->value),
		                                                  .line = entry->line };
	return 0;
}

static const struct {
	const char *section, *key;
	setter set;
} setters[] = {
	{ "devenv", "name", set_name },           { "devenv", "requires", set_requires },
	{ "base", "image", set_image },           { "base", "oci", set_oci },
	{ "base", "archive", set_archive },       { "workspace", "target", set_workspace_target },
	{ "workspace", "user", set_user },        { "workspace", "shell", set_shell },
	{ "workspace", "path", set_path },        { "env", "*", set_env },
	{ "env-file", "required", set_env_file }, { "env-file", "optional", set_env_file },
	{ "volume.*", "target", set_volume },     { "volume.*", "scope", set_volume },
	{ "sandbox", "network", set_network },    { "sandbox", "persist", set_persist },
	{ "sandbox", "scratch", set_scratch },    { "hooks", "start", set_hook },
	{ "hooks", "enter", set_hook },           { "git-hooks", "*", set_git_hook },
};

static int set(struct config *c, const struct ini_entry *entry, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(setters); i++)
		if (keys_match(setters[i].section, entry->section) && keys_match(setters[i].key, entry->key))
			return setters[i].set(c, entry, e);
	abort(); /* a supported key without a setter: a unit test sees to it that there is none */
}

/* What belongs to the user is not a typing mistake, and not the project's to say (security rule 19). */
static int check_not_users(const char *file, const struct ini *ini, struct err *e)
{
	for (size_t i = 0; i < ini->section_count; i++) {
		const char *section = ini->sections[i].name;

		if (keys_has_section(config_keys, config_key_count, section) ||
		    !keys_has_section(user_config_keys, user_config_key_count, section))
			continue;
		err_set(e, ERR_CONFIG, "%s:%u: [%s] is not for a project to set", text_safe(file),
		        ini->sections[i].line, text_safe(section));
		return err_hint(e, "it belongs into your own configuration, ~/.config/devenv/config.ini");
	}
	return 0;
}

static int check_one_base(const char *file, const struct ini *ini, struct err *e)
{
	const struct ini_entry *first = NULL;

	for (size_t i = 0; i < ini->count; i++) {
		const struct ini_entry *entry = &ini->entries[i];
		bool base = false;

		if (strcmp(entry->section, "base"))
			continue;
		for (size_t k = 0; base_keys[k]; k++)
			base = base || !strcmp(entry->key, base_keys[k]);
		if (base && first) {
			err_set(e, ERR_CONFIG, "%s:%u: [base] %s: there is %s at line %u already",
			        text_safe(file), entry->line, entry->key, first->key, first->line);
			return err_hint(e, "say exactly one of image, debian, dockerfile, oci and archive");
		}
		if (base)
			first = entry;
	}
	return 0;
}

static int compare_volumes(const void *a, const void *b)
{
	const struct config_volume *x = *(const struct config_volume *const *)a;
	const struct config_volume *y = *(const struct config_volume *const *)b;
	cleanup_free char *left = path_clean(x->target), *right = path_clean(y->target);
	int order = strcmp(left, right);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static int check_volumes(const struct config *c, struct err *e)
{
	cleanup_free const struct config_volume **sorted = mem_array(c->volume_count + 1, sizeof(*sorted));

	for (size_t i = 0; i < c->volume_count; i++) {
		sorted[i] = &c->volumes[i];
		if (!sorted[i]->target)
			return err_set(e, ERR_CONFIG, "%s:%u: [volume.%s] has no target", text_safe(c->file),
			               sorted[i]->line, text_safe(sorted[i]->name));
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
				text_safe(c->file), sorted[i]->line, text_safe(sorted[i]->name),
				text_safe(sorted[i]->target), text_safe(sorted[i - 1]->name),
				sorted[i - 1]->line);
	}
	return 0;
}

static int begin_section(struct config *c, const struct ini_section *section, struct err *e)
{
	const char *name = section->name + strlen("volume.");

	if (!text_starts(section->name, "volume."))
		return 0;
	if (!is_volume_name(name)) {
		err_set(e, ERR_CONFIG, "%s:%u: '%s' can't be the name of a volume", text_safe(c->file),
		        section->line, text_safe(name));
		return err_hint(
			e, "a name starts with a lower-case letter or digit and goes on with them and _ . -");
	}
	c->volumes = mem_grow(c->volumes, c->volume_count, &c->volume_cap, sizeof(*c->volumes));
	c->volumes[c->volume_count++] = (struct config_volume){ .name = mem_strdup(name),
		                                                .line = section->line };
	return 0;
}

/* Something is not known here: perhaps the file was written for a newer devenv, and says so. */
static int hint_requires(const struct ini *ini, struct err *e)
{
	for (size_t i = 0; i < ini->count; i++)
		if (!strcmp(ini->entries[i].section, "devenv") && !strcmp(ini->entries[i].key, "requires") &&
		    !e->hint[0])
			return err_hint(e, "the file requires devenv %s; `devenv version` says which this is",
			                text_safe(ini->entries[i].value));
	return -1;
}

static int fill(struct config *c, const struct ini *ini, struct err *e)
{
	size_t next = 0; /* entry: those of a section follow each other */

	if (check_one_base(c->file, ini, e) || check_not_users(c->file, ini, e))
		return -1;
	if (keys_check(config_keys, config_key_count, c->file, ini, e))
		return hint_requires(ini, e);
	for (size_t i = 0; i < ini->section_count; i++) {
		if (begin_section(c, &ini->sections[i], e))
			return -1;
		for (; next < ini->count && !strcmp(ini->entries[next].section, ini->sections[i].name);
		     next++)
			if (set(c, &ini->entries[next], e))
				return -1;
	}
	if (check_volumes(c, e))
		return -1;
	if (c->base == CONFIG_BASE_NONE) {
		err_set(e, ERR_CONFIG, "%s: no base: say `image = …` in [base]", text_safe(c->file));
		return err_hint(e, "for instance: image = docker.io/library/debian:bookworm");
	}
	return 0;
}

int config_parse(const char *name, const char *text, size_t len, struct config *out, struct err *e)
{
	struct config c = { 0 };
	struct ini ini;
	int rc;

	if (ini_read(name, text, len, &ini, e))
		return -1;
	c.file = mem_strdup(name);
	rc = fill(&c, &ini, e);
	ini_release(&ini);
	if (rc)
		config_release(&c);
	else
		*out = c;
	return rc;
}

void config_release(struct config *c)
{
	for (size_t i = 0; i < c->volume_count; i++) {
		free(c->volumes[i].name);
		free(c->volumes[i].target);
	}
	free(c->volumes);
	config_pairs_release(c->env, c->env_count);
	config_pairs_release(c->git_hooks, c->git_hook_count);
	strlist_release(&c->path);
	strlist_release(&c->env_files);
	strlist_release(&c->env_files_optional);
	free(c->file);
	free(c->name);
	free(c->requires);
	free(c->base_value);
	free(c->workspace_target);
	free(c->shell);
	free(c->hook_start);
	free(c->hook_enter);
	*c = (struct config){ 0 };
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
