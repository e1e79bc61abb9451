/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_reset.c - `devenv reset`: throw away what the environment wrote outside project, home and volumes; with --home and
 * --volumes those too, after showing what goes and asking.
 *
 * The persistent scratch is flocked by whoever runs on it (sandbox/scratch.c); it is locked here while it goes, so that
 * no session can start on half of it.
 */
#include <jansson.h>

#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/option_ids.h"
#include "env/live.h"
#include "plan/plan.h"
#include "plan/running.h"

struct victim {
	const char *what;
	char *path;
	uint64_t bytes;
	bool precious; /* asked about */
};

struct victims {
	struct victim *items;
	size_t count, cap;
	uint64_t bytes;
	bool precious;
};

static void add(struct victims *v, const char *what, char *path /* takes */, bool precious)
{
	struct victim *item;

	if (!file_exists(AT_FDCWD, path)) {
		free(path);
		return;
	}
	v->items = mem_grow(v->items, v->count, &v->cap, sizeof(*v->items));
	item = &v->items[v->count++];
	*item = (struct victim){ what, path, file_tree_bytes(AT_FDCWD, path), precious };
	v->bytes += item->bytes;
	v->precious = v->precious || precious;
}

static void release(struct victims *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i].path);
	free(v->items);
}

/* Nobody lives on this scratch directory: a holder that loses one it has just made makes another (sandbox/scratch.c). */
static bool is_abandoned(const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct err ignored = ERR_INIT;

	return fd >= 0 && file_lock(fd, true, false, &ignored) == 0;
}

/* What killed holders left. The next holder to end would sweep it too. */
static void add_left_over(struct victims *v, const struct environment *env)
{
	cleanup_free char *parent = path_join(env->state, "scratch");
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	file_names(AT_FDCWD, parent, false, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = path_join(parent, names.items[i]);

		if (is_abandoned(path))
			add(v, "left-over scratch", mem_steal(path), false);
	}
}

/* This checkout's own volumes lie in one directory; those shared by worktrees are where the plan mounts them from. */
static void add_volumes(struct victims *v, const struct environment *env, const struct plan *plan)
{
	cleanup_free char *all = path_join(env->dirs.store, "volumes");
	cleanup_free char *own = path_join(all, path_base(env->state));

	add(v, "volumes", mem_strdup(own), true);
	for (size_t i = 0; i < plan->mount_count; i++) {
		const char *host = plan->mounts[i].host;

		if (host && path_is_below(host, all) && !path_is_below(host, own))
			add(v, "volume shared by worktrees", mem_strdup(host), true);
	}
}

static int collect(struct cli *c, const struct environment *env, struct victims *v, struct err *e)
{
	cleanup_free char *path = path_join(env->state, "plan");
	struct err none = ERR_INIT;
	struct plan plan;
	pid_t pid;

	plan_init(&plan);
	pid = plan_load(&plan, path, &none) == 0 ? running_pid(&env->dirs, plan.id) : 0;
	if (!pid)
		live_earlier(&env->dirs, env->state, plan.id, &pid);
	if (pid > 0) {
		err_set_(e, ERR_BUSY, "%s is running: its pid 1 is %d", text_safe(env->name), (int)pid);
		plan_release(&plan);
		return err_hint(e, "leave its sessions first");
	}
	add(v, "scratch layer", path_join(env->state, "persist"), false);
	add(v, "record of the setup", path_join(env->state, "setup-done"), false);
	add_left_over(v, env);
	if (cli_has(c, OPTION_HOME))
		add(v, "home", path_join(env->state, "home"), true);
	if (cli_has(c, OPTION_VOLUMES))
		add_volumes(v, env, &plan);
	plan_release(&plan);
	return 0;
}

static void show(FILE *to, const struct victims *v)
{
	for (size_t i = 0; i < v->count; i++)
		fprintf(to, "  %-26s %9s  %s\n", v->items[i].what, text_bytes(v->items[i].bytes),
		        text_safe(v->items[i].path));
}

static int remove_one(const struct victim *item, struct err *e)
{
	cleanup_close int fd = open(item->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_sys(e, "can't open %s", text_safe(item->path));
	if (file_lock(fd, true, false, e) < 0)
		return err_wrap(e, "can't remove %s while it is in use", text_safe(item->path));
	return file_remove_tree(AT_FDCWD, item->path, e);
}

static int say_result(struct cli *c, const struct victims *v, struct err *e)
{
	json_t *list;

	if (!c->json) {
		if (c->dry_run)
			show(stdout, v);
		output_notice(c, "%s %s", c->dry_run ? "would free" : "freed", text_bytes(v->bytes));
		return 0;
	}
	list = json_array();
	for (size_t i = 0; i < v->count; i++)
		json_array_append_new(list, json_pack("{s:s,s:o,s:I}", "what", v->items[i].what, "path",
		                                      output_json_text(v->items[i].path), "bytes",
		                                      (json_int_t)v->items[i].bytes));
	return output_json(c,
	                   json_pack("{s:b,s:I,s:o}", "dry_run", c->dry_run, "bytes", (json_int_t)v->bytes,
	                             "removed", list),
	                   e);
}

static int reset(struct cli *c, const struct environment *env, struct victims *v, struct err *e)
{
	int answer;

	if (collect(c, env, v, e) < 0)
		return -1;
	if (v->count == 0 && !c->json) {
		output_notice(c, "there is nothing to throw away");
		return 0;
	}
	if (v->precious && !c->dry_run && !c->yes) {
		show(stderr, v);
		answer = ask_confirm(c, "Delete this for good?", e);
		if (answer <= 0)
			return answer < 0 ? -1 : 1;
	}
	for (size_t i = 0; i < v->count && !c->dry_run; i++)
		if (remove_one(&v->items[i], e) < 0)
			return -1;
	return say_result(c, v, e);
}

int cmd_reset(struct cli *c, struct err *e)
{
	struct environment env;
	struct victims v = { 0 };
	int result;

	if (cli_open(c, &env, e) < 0)
		return -1;
	result = reset(c, &env, &v, e);
	release(&v);
	env_release(&env);
	return result;
}
