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

/* Sections and their keys in file order: printed as INI, or as nested objects. */
struct listing {
	struct cli *c;
	json_t *root, *section; /* NULL: print */
	bool first;
};

static void section(struct listing *l, const char *name)
{
	if (l->root) {
		l->section = json_object();
		json_object_set_new(l->root, name, l->section);
		return;
	}
	printf("%s%s[%s]%s\n", l->first ? "" : "\n", output_begin(l->c, stdout, STYLE_BOLD), text_safe(name),
	       output_end(l->c, stdout));
	l->first = false;
}

static void value(struct listing *l, const char *key, const char *text)
{
	cleanup_strlist struct strlist lines = STRLIST_INIT;
	cleanup_buf struct buf safe = BUF_INIT;

	if (l->root) {
		json_object_set_new(l->section, key, output_json_text(text));
		return;
	}
	strlist_split(&lines, text, "\n");
	printf("%s =", text_safe(key));
	for (size_t i = 0; i < lines.count; i++) {
		buf_clear(&safe);
		text_escape(&safe, lines.items[i]);
		printf(lines.count == 1 ? " %s" : "\n    %s", safe.data);
	}
	fputc('\n', stdout);
}

static void list_value(struct listing *l, const char *key, const struct strlist *items)
{
	cleanup_buf struct buf joined = BUF_INIT;

	for (size_t i = 0; i < items->count; i++)
		buf_addf(&joined, "%s%s", i ? " " : "", items->items[i]);
	if (items->count)
		value(l, key, joined.data);
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

static void list_all(struct listing *l, const struct environment *env)
{
	static const char *const bases[] = {
		[CONFIG_BASE_IMAGE] = "image",
		[CONFIG_BASE_OCI] = "oci",
		[CONFIG_BASE_ARCHIVE] = "archive",
	};
	static const char *const networks[] = {
		/* ports and services, which would make auto private, are not there yet */
		[CONFIG_NETWORK_AUTO] = "host",
		[CONFIG_NETWORK_HOST] = "host",
		[CONFIG_NETWORK_NONE] = "none",
	};
	const struct config *k = &env->config;

	section(l, "devenv");
	value(l, "name", env->name);
	if (k->requires)
		value(l, "requires", k->requires);
	section(l, "base");
	if (k->base != CONFIG_BASE_NONE)
		value(l, bases[k->base], k->base_value);
	list_workspace(l, k, env);
	list_environment(l, k);
	list_volumes(l, k);
	section(l, "sandbox");
	value(l, "network", networks[k->network]);
	value(l, "persist", k->persist ? "yes" : "no");
	value(l, "scratch", k->scratch == CONFIG_SCRATCH_DISK ? "disk" : "tmpfs");
	if (k->hook_start || k->hook_enter)
		section(l, "hooks");
	if (k->hook_start)
		value(l, "start", k->hook_start);
	if (k->hook_enter)
		value(l, "enter", k->hook_enter);
	if (k->git_hook_count)
		section(l, "git-hooks");
	for (size_t i = 0; i < k->git_hook_count; i++)
		value(l, k->git_hooks[i].name, k->git_hooks[i].value);
}

int cmd_config(struct cli *c, struct err *e)
{
	struct environment env;
	struct listing l = { .c = c, .first = true };
	int result = 0;

	if (cli_open(c, &env, e) < 0)
		return -1;
	if (cli_has(c, OPTION_PLAN)) {
		result = config_plan(c, &env, e);
	} else {
		l.root = c->json ? json_object() : NULL;
		list_all(&l, &env);
		if (l.root)
			result = output_json(c,
			                     json_pack("{s:o,s:o}", "project", output_json_text(env.project),
			                               "config", l.root),
			                     e);
	}
	env_release(&env);
	return result;
}
