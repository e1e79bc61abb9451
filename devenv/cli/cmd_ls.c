/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ls.c - `devenv ls`: every environment on this machine, with what it keeps and when it was last used. */
#include <jansson.h>

#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/places.h"

/* Home, scratch and records. */
static uint64_t bytes_of(const struct place *p)
{
	return file_tree_bytes(AT_FDCWD, p->state);
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
		                                "gone", p->gone, "bytes", (json_int_t)bytes_of(p), "used",
		                                (json_int_t)p->used, "state",
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
	return p->plan_id ? "ready" : "no plan";
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
	       "STATE", "SIZE", "USED", c->verbose ? "STATE DIRECTORY" : "WHERE", output_end(c, stdout));
	for (size_t i = 0; i < all->count; i++) {
		const struct place *p = &all->items[i];
		const char *name = text_safe(p->name);
		int pad = width - output_columns(name);

		printf("%s%*s  %s%-9s%s  %9s  %-14s  %s\n", name, pad > 0 ? pad : 0, "",
		       output_begin(c, stdout, p->pid > 0 ? STYLE_GREEN : STYLE_YELLOW), state_word(p),
		       output_end(c, stdout), text_bytes(bytes_of(p)), output_age(p->used, now), where(c, p));
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
		output_notice(c, "%s is gone or has moved; to forget it and its home: devenv reset --home --volumes '%s'",
		              text_safe(last->project), text_safe(last->project));
	else if (gone)
		output_notice(c, "%zu projects are gone or have moved; `devenv reset --home --volumes PATH` forgets one and "
		              "its home", gone);
}

int cmd_ls(struct cli *c, struct err *e)
{
	struct environment env;
	struct places all = { 0 };
	int result = 0;

	if (cli_open_user(c, &env, e) < 0)
		return -1;
	places_find(&env.dirs, &all);
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
