/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_config.c - `devenv config`: the configuration in force. `--plan` is cmd_config_plan.c. */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/config_plan.h"
#include "cli/option_ids.h"

#define ORIGIN_COLUMN 44

/* Sections and their keys in file order: printed as INI with the origin of each line, or as nested objects. */
struct listing {
	struct cli *c;
	const struct config *config;
	json_t *root, *section; /* NULL: print */
	json_t *origins, *section_origins;
	const char *name; /* of the section */
	bool first;
};

static void section(struct listing *l, const char *name)
{
	l->name = name;
	if (l->root) {
		l->section = json_object();
		l->section_origins = json_object();
		json_object_set_new(l->root, name, l->section);
		json_object_set_new(l->origins, name, l->section_origins);
		return;
	}
	printf("%s%s[%s]%s\n", l->first ? "" : "\n", output_begin(l->c, stdout, STYLE_BOLD), text_safe(name),
	       output_end(l->c, stdout));
	l->first = false;
}

/* The end of a line: where it comes from. `line` is NULL for defaults. */
static void end_line(const struct listing *l, int width, const struct config_line *line)
{
	cleanup_buf struct buf safe = BUF_INIT;

	if (line)
		text_escape(&safe, line->file);
	printf("%*s%s; %s", width < ORIGIN_COLUMN ? ORIGIN_COLUMN - width : 2, "",
	       output_begin(l->c, stdout, STYLE_DIM), line ? safe.data : "default");
	if (line)
		printf(":%u", line->line);
	printf("%s\n", output_end(l->c, stdout));
}

/* The nth line of this section's key, or NULL. */
static const struct config_line *find_line(const struct listing *l, const char *key, size_t n)
{
	for (size_t i = 0; i < l->config->line_count; i++) {
		const struct config_line *line = &l->config->lines[i];

		if (strcmp(line->section, l->name) == 0 && strcmp(line->key, key) == 0 && n-- == 0)
			return line;
	}
	return NULL;
}

/* The line of an item of a list, whose order need not be that of the lines. NULL: it goes without saying. */
static const struct config_line *find_item(const struct listing *l, const char *key, const char *item)
{
	const struct config_line *line;

	for (size_t i = 0; (line = find_line(l, key, i)); i++)
		if (strcmp(line->value, item) == 0)
			return line;
	return NULL;
}

static json_t *origin_json(const struct config_line *line)
{
	cleanup_free char *text = line ? mem_printf("%s:%u", line->file, line->line) : NULL;

	return output_json_text(line ? text : "default");
}

static void value(struct listing *l, const char *key, const char *text)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	cleanup_buf struct buf safe = BUF_INIT;
	const struct config_line *origin = find_line(l, key, 0);

	if (l->root) {
		json_object_set_new(l->section, key, output_json_text(text));
		json_object_set_new(l->section_origins, key, origin_json(origin));
		return;
	}
	strlist_split(&lines, text, "\n");
	buf_addf(&safe, "%s =", text_safe(key));
	if (lines.count <= 1) {
		buf_addf(&safe, "%s", lines.count ? " " : "");
		text_escape(&safe, lines.count ? lines.items[0] : "");
	}
	fputs(safe.data, stdout);
	end_line(l, (int)safe.len, origin);
	for (size_t i = 0; lines.count > 1 && i < lines.count; i++) {
		buf_clear(&safe);
		text_escape(&safe, lines.items[i]);
		printf("    %s\n", safe.data);
	}
}

/* One item on a line, because each may come from another file. */
static void list_value(struct listing *l, const char *key, const struct strlist *items)
{
	cleanup_buf struct buf joined = BUF_INIT, safe = BUF_INIT;
	json_t *origins = l->root && items->count ? json_array() : NULL;

	if (items->count == 1 && !l->root) {
		value(l, key, items->items[0]);
		return;
	}
	for (size_t i = 0; i < items->count; i++)
		buf_addf(&joined, "%s%s", i ? " " : "", items->items[i]);
	if (items->count && !l->root)
		printf("%s =\n", text_safe(key));
	for (size_t i = 0; i < items->count; i++) {
		const struct config_line *origin = find_item(l, key, items->items[i]);

		if (origins) {
			json_array_append_new(origins, origin_json(origin));
			continue;
		}
		buf_clear(&safe);
		buf_adds(&safe, "    ");
		text_escape(&safe, items->items[i]);
		fputs(safe.data, stdout);
		end_line(l, (int)safe.len, origin);
	}
	if (origins) {
		json_object_set_new(l->section, key, output_json_text(joined.data));
		json_object_set_new(l->section_origins, key, origins);
	}
}

static void list_workspace(struct listing *l, const struct config *k, const struct environment *env)
{
	section(l, "workspace");
	value(l, "target", k->workspace_target ? k->workspace_target : "same");
	value(l, "user", k->user_root ? "root" : "me");
	if (k->shell || env->user.shell)
		value(l, "shell", k->shell ? k->shell : env->user.shell);
	list_value(l, "path", &k->path);
}

static void list_environment(struct listing *l, const struct config *k)
{
	if (k->env_count)
		section(l, "env");
	for (size_t i = 0; i < k->env_count; i++)
		value(l, k->env[i].name, k->env[i].value);
	if (k->env_files.count || k->env_files_optional.count)
		section(l, "env-file");
	list_value(l, "required", &k->env_files);
	list_value(l, "optional", &k->env_files_optional);
}

static void list_volumes(struct listing *l, const struct config *k)
{
	for (size_t i = 0; i < k->volume_count; i++) {
		cleanup_free char *name = mem_printf("volume.%s", k->volumes[i].name);

		section(l, name);
		value(l, "target", k->volumes[i].target);
		value(l, "scope", k->volumes[i].project_scope ? "project" : "checkout");
	}
}

static void list_grants(struct listing *l, const struct config *k)
{
	if (k->pass_env.count)
		section(l, "pass-env");
	list_value(l, "names", &k->pass_env);
	for (size_t i = 0; i < k->mount_count; i++) {
		cleanup_free char *name = mem_printf("mount.%s", k->mounts[i].name);

		section(l, name);
		value(l, "source", k->mounts[i].source);
		value(l, "target", k->mounts[i].target);
		value(l, "mode", k->mounts[i].read_only ? "ro" : "rw");
	}
}

static void list_reach(struct listing *l, const struct config *k)
{
	static const char *const limits[] = { "memory", "cpus", "pids" };
	cleanup_strlist struct strlist devices = STRLIST_INIT;

	value(l, "nested", k->nested ? "yes" : "no");
	value(l, "perf", k->perf ? "yes" : "no");
	value(l, "ssh-agent", k->ssh_agent ? "yes" : "no");
	for (size_t i = 0; find_line(l, "devices", i); i++)
		strlist_add(&devices, find_line(l, "devices", i)->value);
	list_value(l, "devices", &devices);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct config_line *line = find_line(l, limits[i], 0);

		if (line)
			value(l, limits[i], line->value);
	}
}

static void list_scripts(struct listing *l, const struct config *k)
{
	if (k->setup)
		section(l, "setup");
	list_value(l, "inputs", &k->setup_inputs);
	if (k->setup)
		value(l, "run", k->setup);
	if (k->hook_start || k->hook_enter)
		section(l, "hooks");
	if (k->hook_start)
		value(l, "start", k->hook_start);
	if (k->hook_enter)
		value(l, "enter", k->hook_enter);
}

static void list_packages(struct listing *l, const struct config *k)
{
	cleanup_strlist struct strlist all = STRLIST_INIT; /* everybody's, then one's own */

	if (k->base == CONFIG_BASE_DEBIAN) {
		value(l, "variant", k->variant == CONFIG_VARIANT_STANDARD ? "standard" : "minimal");
		list_value(l, "components", &k->components);
	}
	if (k->packages_apt.count || k->packages_own.count)
		section(l, "packages");
	for (size_t i = 0; i < k->packages_apt.count; i++)
		strlist_add(&all, k->packages_apt.items[i]);
	for (size_t i = 0; i < k->packages_own.count; i++)
		strlist_add(&all, k->packages_own.items[i]);
	list_value(l, "apt", &all);
}

static void list_all(struct listing *l, const struct environment *env)
{
	static const char *const bases[] = {
		[CONFIG_BASE_IMAGE] = "image",
		[CONFIG_BASE_OCI] = "oci",
		[CONFIG_BASE_ARCHIVE] = "archive",
		[CONFIG_BASE_DEBIAN] = "debian",
	};
	static const char *const networks[] = {
		[CONFIG_NETWORK_AUTO] = "auto",
		[CONFIG_NETWORK_HOST] = "host",
		[CONFIG_NETWORK_NONE] = "none",
	};
	static const char *const protects[] = {
		[CONFIG_PROTECT_HOOKS] = "hooks",
		[CONFIG_PROTECT_GIT] = "git",
		[CONFIG_PROTECT_OFF] = "off",
	};
	const struct config *k = &env->config;
	char linger[16];

	section(l, "devenv");
	value(l, "name", env->name);
	if (k->requires)
		value(l, "requires", k->requires);
	list_value(l, "platforms", &k->platforms);
	section(l, "base");
	if (k->base != CONFIG_BASE_NONE)
		value(l, bases[k->base], k->base_value);
	list_packages(l, k);
	list_workspace(l, k, env);
	list_environment(l, k);
	list_volumes(l, k);
	list_grants(l, k);
	section(l, "sandbox");
	value(l, "network", networks[k->network]);
	value(l, "persist", k->persist ? "yes" : "no");
	value(l, "scratch", k->scratch == CONFIG_SCRATCH_DISK ? "disk" : "tmpfs");
	snprintf(linger, sizeof(linger), "%u", k->linger);
	value(l, "linger", linger);
	value(l, "protect", protects[k->protect]);
	if (k->repository != CONFIG_REPOSITORY_UNSET)
		value(l, "repository", k->repository == CONFIG_REPOSITORY_YES ? "yes" : "no");
	list_reach(l, k);
	list_scripts(l, k);
	if (k->git_hook_count)
		section(l, "git-hooks");
	for (size_t i = 0; i < k->git_hook_count; i++)
		value(l, k->git_hooks[i].name, k->git_hooks[i].value);
}

static void say_missing(struct cli *c, const struct environment *env)
{
	for (size_t i = 0; i < env->extends_count; i++)
		if (!env->extends[i].present)
			output_warning(c, "%s is not here yet, so this is not all: `devenv %s` fetches it",
			               text_safe(env->extends[i].request),
			               env->extends[i].commit ? "pull" : "lock");
}

int cmd_config(struct cli *c, struct err *e)
{
	struct environment env;
	struct listing l = { .c = c, .first = true, .config = &env.config };
	int result = 0;

	if (cli_open(c, &env, e) < 0)
		return -1;
	if (cli_has(c, OPTION_PLAN)) {
		result = config_plan(c, &env, e);
	} else {
		l.root = c->json ? json_object() : NULL;
		l.origins = c->json ? json_object() : NULL;
		list_all(&l, &env);
		if (l.root)
			result = output_json(c,
			                     json_pack("{s:o,s:o,s:o,s:b}", "project", output_json_text(env.project),
			                               "config", l.root, "origins", l.origins, "complete",
			                               !env.incomplete),
			                     e);
		if (env.incomplete)
			say_missing(c, &env);
	}
	env_release(&env);
	return result;
}
