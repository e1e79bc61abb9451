/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c - devenv.ini as structs.
 *
 * keys_check() has rejected everything that is unknown or not built before the first value is looked at; a
 * table leads from each supported key to the function that checks and keeps its value.
 */
#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "base/variable.h"
#include "config/build.h"
#include "config/extends.h"
#include "config/fill.h"
#include "config/grants.h"
#include "config/ini.h"
#include "config/keys.h"
#include "config/merge.h"
#include "config/packages.h"
#include "config/reach.h"
#include "config/reference.h"
#include "config/requires.h"
#include "config/user.h"
#include "config/value.h"
#include "config/volumes.h"

#define NAME_LONGEST 63 /* a host name's part */
#define LINGER_LONGEST (7 * 24 * 3600)

typedef int (*setter)(struct config *c, const struct ini_entry *entry, struct err *e);

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

static int set_extends(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (value_list(c->file, entry, &c->extends, e))
		return -1;
	for (size_t i = 0; i < c->extends.count; i++)
		if (extends_check(c->extends.items[i], e))
			return value_place(c->file, entry, e);
	return 0;
}

static int keep_base(struct config *c, const struct ini_entry *entry, enum config_base base)
{
	c->base = base;
	c->base_value = mem_strdup(entry->value);
	c->base_line = entry->line;
	c->base_file = entry->file;
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

static int set_debian(struct config *c, const struct ini_entry *entry, struct err *e)
{
	return packages_check_codename(c->file, entry, e) ? -1 : keep_base(c, entry, CONFIG_BASE_DEBIAN);
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
		                                       .line = entry->line,
		                                       .file = entry->file };
	return 0;
}

static int set_env_file(struct config *c, const struct ini_entry *entry, struct err *e)
{
	struct strlist *list = !strcmp(entry->key, "required") ? &c->env_files : &c->env_files_optional;

	if (value_list(c->file, entry, list, e))
		return -1;
	for (size_t i = 0; i < list->count; i++)
		if (value_check_path(c->file, entry, list->items[i], e))
			return -1;
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

static int set_linger(struct config *c, const struct ini_entry *entry, struct err *e)
{
	uint64_t seconds;

	if (value_check_line(c->file, entry, e))
		return -1;
	if (entry->value[strspn(entry->value, "0123456789")]) {
		value_bad(c->file, entry, e, "'%s' is not a number of seconds", text_safe(entry->value));
		return err_hint(e, "ten minutes are 600");
	}
	if (text_number(entry->value, LINGER_LONGEST, &seconds) < 0)
		return value_bad(c->file, entry, e, "%s seconds are too long: a week, %d, is the most",
		                 text_safe(entry->value), LINGER_LONGEST);
	c->linger = (unsigned int)seconds;
	return 0;
}

static int set_protect(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const words[] = { "hooks", "git", "off", NULL };
	static const enum config_protect protects[] = { CONFIG_PROTECT_HOOKS, CONFIG_PROTECT_GIT,
		                                        CONFIG_PROTECT_OFF };
	int word;

	if (value_choice(c->file, entry, words, &word, e))
		return -1;
	c->protect = protects[word];
	return 0;
}

static int set_repository(struct config *c, const struct ini_entry *entry, struct err *e)
{
	bool yes;

	if (value_bool(c->file, entry, &yes, e))
		return -1;
	c->repository = yes ? CONFIG_REPOSITORY_YES : CONFIG_REPOSITORY_NO;
	return 0;
}

static int set_setup(struct config *c, const struct ini_entry *entry, struct err *e)
{
	if (!strcmp(entry->key, "run")) {
		if (entry->value[0] == '\0')
			return value_bad(c->file, entry, e, "the script is empty");
		c->setup = mem_strdup(entry->value);
		return 0;
	}
	if (value_list(c->file, entry, &c->setup_inputs, e))
		return -1;
	for (size_t i = 0; i < c->setup_inputs.count; i++)
		if (value_check_path(c->file, entry, c->setup_inputs.items[i], e))
			return -1;
	c->setup_inputs_line = entry->line;
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
		                                                  .line = entry->line,
		                                                  .file = entry->file };
	return 0;
}

static const struct {
	const char *section, *key;
	setter set;
} setters[] = {
	{ "devenv", "name", set_name },           { "devenv", "requires", requires_set },
	{ "devenv", "extends", set_extends },     { "devenv", "platforms", packages_set_platforms },
	{ "base", "debian", set_debian },         { "base", "variant", packages_set_variant },
	{ "base", "components", packages_set_components }, { "packages", "apt", packages_set_apt },
	{ "base", "image", set_image },           { "base", "oci", set_oci },
	{ "base", "archive", set_archive },       { "workspace", "target", set_workspace_target },
	{ "workspace", "user", set_user },        { "workspace", "shell", set_shell },
	{ "workspace", "path", set_path },        { "env", "*", set_env },
	{ "env-file", "required", set_env_file }, { "env-file", "optional", set_env_file },
	{ "volume.*", "target", volumes_set },     { "volume.*", "scope", volumes_set },
	{ "sandbox", "network", set_network },    { "sandbox", "persist", set_persist },
	{ "sandbox", "scratch", set_scratch },    { "sandbox", "linger", set_linger },
	{ "hooks", "start", set_hook },
	{ "hooks", "enter", set_hook },           { "pass-env", "names", grants_set_pass },
	{ "mount.*", "source", grants_set_mount }, { "mount.*", "target", grants_set_mount },
	{ "sandbox", "memory", reach_set_memory }, { "sandbox", "cpus", reach_set_cpus },
	{ "sandbox", "pids", reach_set_pids },    { "sandbox", "devices", reach_set_devices },
	{ "sandbox", "nested", reach_set_power }, { "sandbox", "perf", reach_set_power },
	{ "sandbox", "ssh-agent", reach_set_power },
	{ "mount.*", "mode", grants_set_mount },  { "sandbox", "protect", set_protect },
	{ "build", "*", build_set },
	{ "sandbox", "repository", set_repository },
	{ "setup", "inputs", set_setup },         { "setup", "run", set_setup }, { "git-hooks", "*", set_git_hook },
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
		bool base = !strcmp(entry->section, "base") && merge_is_base(entry->key);

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

int fill_check(const char *file, const struct ini *ini, struct err *e)
{
	if (check_one_base(file, ini, e) || check_not_users(file, ini, e))
		return -1;
	return keys_check(config_keys, config_key_count, file, ini, e) ? hint_requires(ini, e) : 0;
}

/* Every setter finds the file of what it is given in c->file. */
static int fill_section(struct config *c, const struct ini *ini, size_t n, size_t *next, struct err *e)
{
	const struct ini_section *section = &ini->sections[n];

	c->file = (char *)section->file;
	if (volumes_begin(c, section, e) || grants_begin(c, section, e))
		return -1;
	for (; *next < ini->count && !strcmp(ini->entries[*next].section, section->name); ++*next) {
		c->file = (char *)ini->entries[*next].file;
		if (set(c, &ini->entries[*next], e))
			return -1;
	}
	return 0;
}

int fill_config(struct config *c, const struct ini *ini, struct err *e)
{
	char *own = c->file;
	size_t next = 0; /* entry: those of a section follow each other */
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ini->section_count; i++)
		rc = fill_section(c, ini, i, &next, e);
	c->file = own;
	return rc;
}

int fill_check_all(struct config *c, bool whole, struct err *e)
{
	if (volumes_check(c, e) || grants_check(c, e) || packages_check(c, e) || build_check(c, whole, e))
		return -1;
	if (c->setup_inputs.count && !c->setup) {
		err_set(e, ERR_CONFIG, "%s:%u: [setup] has inputs but no run", text_safe(c->file),
		        c->setup_inputs_line);
		return err_hint(e, "say what is to be done: run = …");
	}
	if (whole && c->base == CONFIG_BASE_NONE) {
		err_set(e, ERR_CONFIG, "%s: no base: say `debian = …` or `image = …` in [base]", text_safe(c->file));
		return err_hint(e, "for instance: debian = bookworm, or image = docker.io/library/python:3.12");
	}
	return 0;
}

void config_release(struct config *c)
{
	volumes_release(c);
	grants_release(c);
	build_release(c);
	packages_release(c);
	strlist_release(&c->setup_inputs);
	free(c->setup);
	config_pairs_release(c->env, c->env_count);
	for (size_t i = 0; i < c->line_count; i++) {
		free(c->lines[i].section);
		free(c->lines[i].key);
		free(c->lines[i].value);
	}
	free(c->lines);
	strlist_release(&c->files);
	strlist_release(&c->extends);
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
