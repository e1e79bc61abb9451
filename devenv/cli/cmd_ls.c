/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ls.c - `devenv ls`: every environment on this machine, with what it keeps and when it was prepared. */
#include <jansson.h>

#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "env/live.h"
#include "plan/plan.h"
#include "plan/running.h"

struct place {
	char *name, *project, *image, *state;
	bool gone; /* the checkout is not there any more */
	bool planned;
	bool lingers;
	pid_t pid;
	uint64_t bytes; /* home, scratch and records */
	int64_t prepared;
};

struct places {
	struct place *items;
	size_t count, cap;
};

static void places_release(struct places *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->items[i].name);
		free(p->items[i].project);
		free(p->items[i].image);
		free(p->items[i].state);
	}
	free(p->items);
}

/* A directory without a readable plan (another version's, denied) is shown by its directory name. */
static void add_place(struct places *all, const struct dirs *d, const char *parent, const char *name)
{
	cleanup_free char *state = mem_printf("%s/%s", parent, name);
	cleanup_free char *path = mem_printf("%s/plan", state);
	cleanup_free char *config = NULL;
	struct place *p;
	struct plan plan;
	struct err ignored = ERR_INIT;
	struct stat st;

	all->items = mem_grow(all->items, all->count, &all->cap, sizeof(*all->items));
	p = &all->items[all->count++];
	*p = (struct place){ 0 };
	plan_init(&plan);
	if (stat(path, &st) == 0)
		p->prepared = st.st_mtime;
	p->project = live_project(state);
	if (plan_load(&plan, path, &ignored) == 0) {
		p->planned = true;
		p->name = mem_strdup(plan.name);
		p->image = mem_strdup(plan.image);
		p->pid = running_pid(d, plan.id);
		p->lingers = running_lingers(d, plan.id);
	} else {
		p->name = mem_strdup(p->project ? path_base(p->project) : name);
	}
	if (!p->pid)
		live_earlier(d, state, plan.id, &p->pid);
	plan_release(&plan);
	config = p->project ? path_join(p->project, PROJECT_CONFIG) : NULL;
	p->gone = config && access(config, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
	p->bytes = file_tree_bytes(AT_FDCWD, state);
	p->state = mem_steal(state);
}

static void add_places(struct places *all, const struct dirs *d, const char *kind)
{
	cleanup_free char *parent = mem_printf("%s/%s", d->state, kind);
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	file_names(AT_FDCWD, parent, false, &names, &ignored);
	for (size_t i = 0; i < names.count; i++)
		add_place(all, d, parent, names.items[i]);
}

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int names = strcmp(x->name, y->name);

	return names ? names : strcmp(x->project ? x->project : "", y->project ? y->project : "");
}

static int list_json(struct cli *c, const struct places *all, struct err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < all->count; i++) {
		const struct place *p = &all->items[i];

		json_array_append_new(list,
		                      json_pack("{s:o,s:o,s:o,s:b,s:b,s:b,s:I,s:I,s:o}", "name",
		                                output_json_text(p->name), "project",
		                                p->project && *p->project ? output_json_text(p->project)
		                                                          : json_null(),
		                                "image", output_json_text(p->image), "running", p->pid > 0,
		                                "lingering", p->lingers,
		                                "gone", p->gone, "bytes", (json_int_t)p->bytes, "prepared",
		                                (json_int_t)p->prepared, "state",
		                                output_json_text(p->state)));
	}
	return output_json(c, json_pack("{s:o}", "environments", list), e);
}

static const char *state_word(const struct place *p)
{
	if (p->pid > 0)
		return p->lingers ? "lingering" : "running";
	if (p->gone)
		return "gone";
	return p->planned ? "ready" : "no plan";
}

/* What names a place to a person: the project, the image of `run --image`; with -v where its state is. */
static const char *where(const struct cli *c, const struct place *p)
{
	if (c->verbose)
		return text_safe(p->state);
	return text_safe(p->project ? p->project : p->image ? p->image : "");
}

static void list_table(const struct cli *c, const struct places *all)
{
	int64_t now = time(NULL);
	int width = 4;

	for (size_t i = 0; i < all->count; i++) {
		int columns = output_columns(text_safe(all->items[i].name));

		width = columns > width ? columns : width;
	}
	width = width > 32 ? 32 : width;
	printf("%s%-*s  %-9s  %9s  %-14s  %s%s\n", output_begin(c, stdout, STYLE_DIM), width, "NAME",
	       "STATE", "SIZE", "PREPARED", c->verbose ? "STATE DIRECTORY" : "WHERE", output_end(c, stdout));
	for (size_t i = 0; i < all->count; i++) {
		const struct place *p = &all->items[i];
		const char *name = text_safe(p->name);
		int pad = width - output_columns(name);

		printf("%s%*s  %s%-9s%s  %9s  %-14s  %s\n", name, pad > 0 ? pad : 0, "",
		       output_begin(c, stdout, p->pid > 0 ? STYLE_GREEN : STYLE_YELLOW), state_word(p),
		       output_end(c, stdout), text_bytes(p->bytes), output_age(p->prepared, now), where(c, p));
	}
}

/* gc deletes no home and no volume, so it has to be said where they are. */
static void tell_gone(struct cli *c, const struct places *all)
{
	const struct place *last = NULL;
	size_t gone = 0;

	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].gone) {
			last = &all->items[i];
			gone++;
		}
	if (gone == 1)
		output_notice(c, "%s is gone or has moved; to forget its home too: rm -r '%s'", text_safe(last->project),
		              text_safe(last->state));
	else if (gone)
		output_notice(c, "%zu projects are gone or have moved; `devenv ls -v` names the directories with their "
		              "homes: delete those that nobody needs", gone);
}

int cmd_ls(struct cli *c, struct err *e)
{
	struct environment env;
	struct places all = { 0 };
	int result = 0;

	if (cli_open_user(c, &env, e) < 0)
		return -1;
	add_places(&all, &env.dirs, "checkouts");
	add_places(&all, &env.dirs, "images");
	if (all.count)
		qsort(all.items, all.count, sizeof(*all.items), by_name);
	if (c->json)
		result = list_json(c, &all, e);
	else if (all.count)
		list_table(c, &all);
	else
		output_notice(c, "no environment on this machine yet");
	if (!c->json)
		tell_gone(c, &all);
	places_release(&all);
	env_release(&env);
	return result;
}
