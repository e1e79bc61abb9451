/* SPDX-License-Identifier: Apache-2.0 */
/* config_plan.c - a plan in words: everything the launcher will do, before it does it. */
#include <jansson.h>

#include "cli/config_plan.h"

#include <linux/filter.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/config_promise.h"
#include "cli/limits_shown.h"
#include "plan/plan.h"

static const char *const network_names[] = {
	[PLAN_NETWORK_HOST] = "host",
	[PLAN_NETWORK_NONE] = "none",
};
static const char *const scratch_names[] = {
	[PLAN_SCRATCH_TMPFS] = "tmpfs, gone with the last session",
	[PLAN_SCRATCH_DISK] = "on disk, gone with the last session",
	[PLAN_SCRATCH_PERSIST] = "on disk, kept",
};

static void heading(const struct cli *c, const char *text)
{
	printf("\n%s%s%s\n", output_begin(c, stdout, STYLE_BOLD), text, output_end(c, stdout));
}

static void line(const char *text)
{
	cleanup_buf struct buf safe = BUF_INIT;

	text_escape(&safe, text);
	printf("  %s\n", safe.data);
}

static void lines(const struct cli *c, const char *title, const char **items, size_t count)
{
	if (count)
		heading(c, title);
	for (size_t i = 0; i < count; i++)
		line(items[i]);
}

static void print_mounts(const struct cli *c, const struct environment *env, const struct plan *p)
{
	if (p->mount_count)
		heading(c, "Mounts, in this order (besides /dev, /proc and /sys)");
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];
		cleanup_free char *why = config_promise_why(env, p, m);
		cleanup_free char *text =
			mem_printf("%s  %s%s%s%s%s%s%s%s", m->target,
		                   m->kind == PLAN_TMPFS ? "empty, in memory" : "from ",
		                   m->kind == PLAN_TMPFS ? "" : m->flags & PLAN_MOUNT_AGENT ?
		                   "the ssh agent of each session" : m->host,
		                   m->flags & PLAN_MOUNT_DEVICE ? ", a device" : "",
		                   m->kind == PLAN_VIEW			   ? ", copy-on-write" :
		                   m->flags & PLAN_MOUNT_READ_ONLY ? ", read-only" : "",
		                   m->flags & PLAN_MOUNT_MAKE_HOST ? ", made when missing" : "",
		                   m->flags & PLAN_MOUNT_OPTIONAL ? ", if it is there" : "",
		                   *why ? ": " : "", why);

		line(text);
	}
}

static void print_watches(const struct cli *c, const struct plan *p)
{
	heading(c, "Made from, and made again when one of them changes");
	for (size_t i = 0; i < p->watch_count; i++) {
		cleanup_free char *text = mem_printf("%s%s", p->watches[i].path,
		                                     p->watches[i].absent ? "  (absent)" : "");

		line(text);
	}
}

static void print_plan(struct cli *c, const struct environment *env, const struct plan *p, const char *stale)
{
	cleanup_strlist struct strlist limits = STRLIST_INIT;

	printf("%s%s%s\n", output_begin(c, stdout, STYLE_BOLD), text_safe(p->name), output_end(c, stdout));
	output_field(c, 8, "plan", "%s", p->id);
	output_field(c, 8, "fresh", "%s%s", stale ? "no, changed: " : "yes", stale ? stale : "");
	output_field(c, 8, "project", "%s", p->project[0] ? p->project : "none");
	output_field(c, 8, "inside", "%s", p->project_target[0] ? p->project_target : "nowhere");
	output_field(c, 8, "image", "%s", p->image);
	output_field(c, 8, "network", "%s", network_names[p->network]);
	output_field(c, 8, "scratch", "%s", scratch_names[p->scratch]);
	if (p->uid_range_count)
		output_field(c, 8, "ranges", "%zu of further uids, %zu of gids", p->uid_range_count, p->gid_range_count);
	if (p->linger)
		output_field(c, 8, "linger", "%u seconds after the last session", p->linger);
	output_field(c, 8, "hostname", "%s", p->hostname);
	output_field(c, 8, "home", "%s", p->home);
	output_field(c, 8, "shell", "%s", p->shell);
	output_field(c, 8, "workdir", "%s", p->workdir);
	if (p->root_filter_size)
		output_field(c, 8, "filter", "%zu seccomp instructions; %zu for uid 0, whose chown succeeds in name only",
			     p->filter_size / sizeof(struct sock_filter), p->root_filter_size / sizeof(struct sock_filter));
	else
		output_field(c, 8, "filter", "%zu seccomp instructions", p->filter_size / sizeof(struct sock_filter));
	config_promise_print(c, env, p);
	limits_shown_plan(p, &env->dirs, &limits);
	if (!limits.count)
		strlist_add(&limits, "none but those of your account");
	lines(c, "Limits of all its processes together", (const char **)limits.items, limits.count);
	lines(c, "Layers, topmost first", p->layers, p->layer_count);
	print_mounts(c, env, p);
	lines(c, "Environment", p->env, p->env_count);
	lines(c, "Passed from the caller where set", p->pass, p->pass_count);
	lines(c, "Entrypoint", p->entrypoint, p->entrypoint_count);
	lines(c, "Command", p->command, p->command_count);
	if (p->setup[0])
		lines(c, "Once for this checkout", (const char *[]){ p->setup }, 1);
	if (p->hook_start[0])
		lines(c, "When its first session starts", (const char *[]){ p->hook_start }, 1);
	if (p->hook_enter[0])
		lines(c, "When an interactive session starts", (const char *[]){ p->hook_enter }, 1);
	print_watches(c, p);
}

static json_t *strings_json(const char **items, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, output_json_text(items[i]));
	return list;
}

static json_t *mounts_json(const struct environment *env, const struct plan *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];
		cleanup_free char *why = config_promise_why(env, p, m);

		json_array_append_new(list, json_pack("{s:s,s:o,s:o,s:b,s:b,s:o}", "kind",
		                                      m->kind == PLAN_TMPFS ? "tmpfs" : m->kind == PLAN_VIEW ? "view" : "bind", "host",
		                                      output_json_text(m->host), "target",
		                                      output_json_text(m->target), "read_only",
		                                      m->flags & PLAN_MOUNT_READ_ONLY ? 1 : 0, "optional",
		                                      m->flags & PLAN_MOUNT_OPTIONAL ? 1 : 0, "why",
		                                      output_json_text(why)));
	}
	return list;
}

static json_t *plan_json(const struct environment *env, const struct plan *p, const char *stale)
{
	json_t *root = json_object();
	const struct {
		const char *key, *value;
	} texts[] = {
		{ "plan", p->id },
		{ "name", p->name },
		{ "project", p->project },
		{ "image", p->image },
		{ "stale", stale },
		{ "network", network_names[p->network] },
		{ "hostname", p->hostname },
		{ "home", p->home },
		{ "shell", p->shell },
		{ "workdir", p->workdir },
		{ "project_target", p->project_target },
		{ "setup", p->setup },
		{ "hook_start", p->hook_start },
		{ "hook_enter", p->hook_enter },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		json_object_set_new(root, texts[i].key, output_json_text(texts[i].value));
	json_object_set_new(root, "memory", json_integer((json_int_t)p->memory));
	json_object_set_new(root, "cpus", json_real(p->cpus / 1000.0));
	json_object_set_new(root, "pids", json_integer(p->pids));
	json_object_set_new(root, "nested", json_boolean(p->nested));
	json_object_set_new(root, "uid", json_integer(p->uid));
	json_object_set_new(root, "gid", json_integer(p->gid));
	json_object_set_new(root, "persist", json_boolean(p->scratch == PLAN_SCRATCH_PERSIST));
	json_object_set_new(root, "promise", config_promise_json(env, p));
	json_object_set_new(root, "linger", json_integer(p->linger));
	json_object_set_new(root, "layers", strings_json(p->layers, p->layer_count));
	json_object_set_new(root, "mounts", mounts_json(env, p));
	json_object_set_new(root, "env", strings_json(p->env, p->env_count));
	json_object_set_new(root, "pass", strings_json(p->pass, p->pass_count));
	json_object_set_new(root, "entrypoint", strings_json(p->entrypoint, p->entrypoint_count));
	json_object_set_new(root, "command", strings_json(p->command, p->command_count));
	return root;
}

int config_plan(struct cli *c, const struct environment *env, struct err *e)
{
	cleanup_free char *path = path_join(env->state, "plan");
	struct plan plan;
	int result = 0;

	plan_init(&plan);
	if (plan_load(&plan, path, e) < 0) {
		plan_release(&plan);
		if (e->code == ERR_NOT_FOUND)
			err_set_(e, ERR_NOT_FOUND, "no plan was prepared for %s yet",
			         text_safe(env->project));
		return err_hint(e, "`devenv pull` prepares it without entering");
	}
	/* a file that was young then is asked about again at the next enter; it has not changed for that */
	for (size_t i = 0; i < plan.watch_count; i++)
		plan.watches[i].young = false;
	if (c->json)
		result = output_json(c, plan_json(env, &plan, plan_stale(&plan)), e);
	else
		print_plan(c, env, &plan, plan_stale(&plan));
	plan_release(&plan);
	return result;
}
