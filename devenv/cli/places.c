/* SPDX-License-Identifier: Apache-2.0 */
/* places.c - every environment of this machine, from its state directory alone: the checkout may be gone. */
#include "cli/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "env/live.h"
#include "plan/plan.h"
#include "plan/running.h"

void place_release(struct place *p)
{
	free(p->name);
	free(p->project);
	free(p->image);
	free(p->state);
	free(p->plan_id);
	*p = (struct place){ 0 };
}

void places_release(struct places *p)
{
	for (size_t i = 0; i < p->count; i++)
		place_release(&p->items[i]);
	free(p->items);
	*p = (struct places){ 0 };
}

static void note_time(struct place *p, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && st.st_mtime > p->used)
		p->used = st.st_mtime;
}

/*
 * Nobody writes down that a session began: that would cost each of them. But a holder touches the tmp/ of its slot when it
 * ends (sandbox/scratch.c); of one that was killed, what was written in /tmp or home tells, or the plan.
 */
static void find_last_use(struct place *p, const char *plan)
{
	cleanup_free char *slots = path_join(p->state, "scratch"), *home = path_join(p->state, "home");
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	note_time(p, plan);
	note_time(p, home);
	if (p->pid)
		p->used = time(NULL);
	file_names(AT_FDCWD, slots, false, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *tmp = mem_printf("%s/%s/tmp", slots, names.items[i]);

		note_time(p, tmp);
	}
}

/* A directory without a readable plan (another version's, denied) is called by its project or by its own name. */
void place_read(const struct dirs *d, const char *state, struct place *out)
{
	cleanup_free char *path = path_join(state, "plan");
	cleanup_strlist struct strlist running = STRLIST_INIT;
	cleanup_free char *config = NULL;
	struct err ignored = ERR_INIT;
	struct plan plan;

	*out = (struct place){ .state = mem_strdup(state), .project = live_project(state) };
	plan_init(&plan);
	if (plan_load(&plan, path, &ignored) == 0) {
		out->plan_id = mem_strdup(plan.id);
		out->name = mem_strdup(plan.name);
		out->image = mem_strdup(plan.image);
		out->pid = running_pid(d, plan.id);
		out->lingers = running_lingers(d, plan.id);
	} else {
		out->name = mem_strdup(path_base(out->project ? out->project : state));
	}
	plan_release(&plan);
	live_running(d, state, &running);
	for (size_t i = 0; !out->pid && i < running.count; i++)
		out->pid = running_pid(d, running.items[i]);
	config = out->project ? path_join(out->project, PROJECT_CONFIG) : NULL;
	out->gone = config && access(config, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
	find_last_use(out, path);
}

static void add(const struct dirs *d, const char *kind, struct places *out)
{
	cleanup_free char *parent = path_join(d->state, kind);
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err ignored = ERR_INIT;

	file_names(AT_FDCWD, parent, false, &names, &ignored);
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *state = path_join(parent, names.items[i]);

		out->items = mem_grow(out->items, out->count, &out->cap, sizeof(*out->items));
		place_read(d, state, &out->items[out->count++]);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int names = strcmp(x->name, y->name);

	return names ? names : strcmp(x->project ? x->project : "", y->project ? y->project : "");
}

void places_find(const struct dirs *d, struct places *out)
{
	add(d, "checkouts", out);
	add(d, "images", out);
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), by_name);
}

static bool is_path_of(const struct place *p, const char *path)
{
	return strcmp(p->state, path) == 0 || (p->project && strcmp(p->project, path) == 0);
}

const struct place *places_named(const struct places *p, const char *word, struct err *e)
{
	cleanup_free char *here = getcwd(NULL, 0);
	cleanup_free char *joined = path_join(here ? here : "/", word), *path = path_clean(*word == '/' ? word : joined);
	const struct place *found = NULL;

	for (size_t i = 0; i < p->count; i++)
		if (is_path_of(&p->items[i], path))
			return &p->items[i];
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->items[i].name, word) != 0)
			continue;
		if (found) {
			err_set_(e, ERR_FAILED, "there are several environments called '%s'", text_safe(word));
			err_hint(e, "say which by its path: `devenv ls` has them");
			return NULL;
		}
		found = &p->items[i];
	}
	if (!found) {
		err_set_(e, ERR_NOT_FOUND, "no environment is called '%s'", text_safe(word));
		err_hint(e, "`devenv ls` has their names and paths");
	}
	return found;
}
