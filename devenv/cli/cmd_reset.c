/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_reset.c - `devenv reset`: throw away what the environment wrote outside project, home and volumes, and what its last build
 * left when it failed; with --home and --volumes those too, after showing what goes and asking. One that is named need not have its checkout any more.
 *
 * The persistent scratch is flocked by whoever runs on it (sandbox/scratch.c); it is locked here while it goes, so that
 * no session can start on half of it.
 */
#include <jansson.h>

#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/option_ids.h"
#include "cli/places.h"
#include "env/building_failed.h"
#include "env/live.h"
#include "plan/plan.h"
#include "plan/running.h"

struct victim {
	const char *what;
	char *path;
	uint64_t bytes;
	bool precious; /* asked about */
	bool swept;    /* its entries, where nobody has them locked */
};

struct victims {
	struct victim *items;
	size_t count, cap;
	uint64_t bytes;
	bool precious;
	struct strlist lingering; /* plans of environments that have no session and are ended */
};

static void add_measured(struct victims *v, struct victim item /* takes its path */)
{
	v->items = mem_grow(v->items, v->count, &v->cap, sizeof(*v->items));
	v->items[v->count++] = item;
	v->bytes += item.bytes;
	v->precious = v->precious || item.precious;
}

static void add(struct victims *v, const char *what, char *path /* takes */, bool precious)
{
	if (file_exists(AT_FDCWD, path))
		add_measured(v, (struct victim){ what, path, file_tree_bytes(AT_FDCWD, path), precious, false });
	else
		free(path);
}

static void release(struct victims *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->items[i].path);
	free(v->items);
	strlist_release(&v->lingering);
}

/* What killed holders left in their slots. The next holder to take one would empty it too. */
static void add_left_over(struct victims *v, const struct place *place)
{
	cleanup_free char *path = path_join(place->state, "scratch");
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t bytes = 0;
	size_t count = 0;

	if (fd >= 0)
		file_sweep(fd, true, &count, &bytes);
	if (count)
		add_measured(v, (struct victim){ "left-over scratch", mem_steal(path), bytes, .swept = true });
}

/* A checkout's own volumes lie in one directory; those shared by worktrees are where the plan mounts them from. */
static void add_volumes(struct victims *v, const struct dirs *d, const struct place *place)
{
	cleanup_free char *all = path_join(d->store, "volumes"), *plan_path = path_join(place->state, "plan");
	cleanup_free char *own = path_join(all, path_base(place->state));
	struct err none = ERR_INIT;
	struct plan plan;

	plan_init(&plan);
	plan_load(&plan, plan_path, &none);
	add(v, "volumes", mem_strdup(own), true);
	for (size_t i = 0; i < plan.mount_count; i++) {
		const char *host = plan.mounts[i].host;

		if (host && path_is_below(host, all) && !path_is_below(host, own))
			add(v, "volume shared by worktrees", mem_strdup(host), true);
	}
	plan_release(&plan);
}

/* What nobody can come back to is forgotten, unless something of value is left that its records explain. */
static void add_records(struct victims *v, const struct cli *c, const struct dirs *d, const struct place *place)
{
	cleanup_free char *home = path_join(place->state, "home");
	cleanup_free char *volumes = mem_printf("%s/volumes/%s", d->store, path_base(place->state));
	uint64_t bytes, others = 0;

	if (!place->gone || (!cli_has(c, OPTION_HOME) && file_exists(AT_FDCWD, home)) ||
	    (!cli_has(c, OPTION_VOLUMES) && file_exists(AT_FDCWD, volumes)))
		return;
	for (size_t i = 0; i < v->count; i++)
		if (path_is_below(v->items[i].path, place->state))
			others += v->items[i].bytes;
	bytes = file_tree_bytes(AT_FDCWD, place->state);
	add_measured(v, (struct victim){ "its records", mem_strdup(place->state), bytes > others ? bytes - others : 0 });
}

/* Nobody may be in it. What lingers is ended when the time has come. */
static int check_running(const struct dirs *d, const struct place *place, struct strlist *lingering, struct err *e)
{
	cleanup_strlist struct strlist plans = STRLIST_INIT;

	live_running(d, place->state, &plans);
	if (place->plan_id && !strlist_has(&plans, place->plan_id))
		strlist_add(&plans, place->plan_id);
	for (size_t i = 0; i < plans.count; i++) {
		pid_t pid = running_pid(d, plans.items[i]);

		if (running_lingers(d, plans.items[i])) {
			strlist_add(lingering, plans.items[i]);
		} else if (pid > 0) {
			err_set_(e, ERR_BUSY, "%s is running: its pid 1 is %d", text_safe(place->name), (int)pid);
			return err_hint(e, "leave its sessions first");
		}
	}
	return 0;
}

static int collect(struct cli *c, const struct dirs *d, const struct place *place, struct victims *v, struct err *e)
{
	if (check_running(d, place, &v->lingering, e) < 0)
		return -1;
	add(v, "scratch layer", path_join(place->state, "persist"), false);
	add(v, "what a failed build left", building_failed_path(d->store, place->state), false);
	add(v, "record of the setup", path_join(place->state, "setup-done"), false);
	add_left_over(v, place);
	if (cli_has(c, OPTION_HOME))
		add(v, "home", path_join(place->state, "home"), true);
	if (cli_has(c, OPTION_VOLUMES))
		add_volumes(v, d, place);
	add_records(v, c, d, place);
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

	if (fd >= 0 && item->swept) {
		file_sweep(fd, false, NULL, NULL);
		return 0;
	}
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

/* Their scratch slots are empty of locks then, and are swept with the others. */
static int end_lingering(struct cli *c, const struct dirs *d, const struct place *place, const struct victims *v, struct err *e)
{
	cleanup_free char *scratch = path_join(place->state, "scratch");
	cleanup_close int fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < v->lingering.count && !c->dry_run; i++)
		if (running_end(d, v->lingering.items[i], e) < 0)
			return err_wrap(e, "can't end what lingers of %s", text_safe(place->name));
	if (v->lingering.count && fd >= 0 && !c->dry_run)
		file_sweep(fd, false, NULL, NULL);
	if (v->lingering.count && !c->json)
		output_notice(c, "%s the environment that lingered", c->dry_run ? "would end" : "ended");
	return 0;
}

static int confirm(struct cli *c, const struct victims *v, struct err *e)
{
	if (!v->precious || c->dry_run || c->yes)
		return 1;
	show(stderr, v);
	return ask_confirm(c, "Delete this for good?", e);
}

static int reset(struct cli *c, const struct dirs *d, const struct place *place, struct victims *v, struct err *e)
{
	int answer;

	if (collect(c, d, place, v, e) < 0)
		return -1;
	answer = confirm(c, v, e);
	if (answer <= 0)
		return answer < 0 ? -1 : 1;
	if (end_lingering(c, d, place, v, e) < 0)
		return -1;
	if (v->count == 0 && !c->json) {
		if (!v->lingering.count)
			output_notice(c, "there is nothing to throw away");
		return 0;
	}
	for (size_t i = 0; i < v->count && !c->dry_run; i++)
		if (remove_one(&v->items[i], e) < 0)
			return -1;
	return say_result(c, v, e);
}

static int reset_named(struct cli *c, const struct dirs *d, const char *word, struct victims *v, struct err *e)
{
	struct places all = { 0 };
	const struct place *place;
	int result;

	places_find(d, &all);
	place = places_named(&all, word, e);
	result = place ? reset(c, d, place, v, e) : -1;
	if (result == 0 && place->gone && !c->json && file_exists(AT_FDCWD, place->state))
		output_notice(c, "its home or its volumes are kept; --home and --volumes delete them too");
	places_release(&all);
	return result;
}

int cmd_reset(struct cli *c, struct err *e)
{
	const char *word = c->operands[0];
	struct environment env;
	struct victims v = { .lingering = STRLIST_INIT };
	struct place here;
	int result;

	if ((word ? cli_open_user(c, &env, e) : cli_open(c, &env, e)) < 0)
		return -1;
	if (word) {
		result = reset_named(c, &env.dirs, word, &v, e);
	} else {
		place_read(&env.dirs, env.state, &here);
		result = reset(c, &env.dirs, &here, &v, e);
		place_release(&here);
	}
	release(&v);
	env_release(&env);
	return result;
}
