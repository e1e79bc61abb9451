/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_diff.c - `devenv diff`: what was written outside project, home and volumes, against the image.
 *
 * One line for each change, as docker has them, with what belongs to an installed package summed up in a line for that. A
 * listing: differences are no failure.
 */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/option_ids.h"
#include "env/diff.h"

static const char *kind_name(enum diff_kind kind)
{
	return kind == DIFF_ADDED ? "added" : kind == DIFF_DELETED ? "deleted" : "modified";
}

static enum style kind_style(enum diff_kind kind)
{
	return kind == DIFF_ADDED ? STYLE_GREEN : kind == DIFF_DELETED ? STYLE_RED : STYLE_YELLOW;
}

static void print_kind(const struct cli *c, enum diff_kind kind)
{
	printf("%s%c%s ", output_begin(c, stdout, kind_style(kind)), (char)kind, output_end(c, stdout));
}

static void print_package(const struct cli *c, const struct diff_package *p)
{
	print_kind(c, p->kind);
	printf("package %s %s", text_safe(p->name), text_safe(p->from ? p->from : p->to));
	if (p->from && p->to)
		printf(" %s %s", c->utf8 ? "→" : "->", text_safe(p->to));
	printf(" (%s)\n", output_count(p->files, "change", "changes"));
}

static void print_change(const struct cli *c, const struct diff_change *change)
{
	cleanup_buf struct buf safe = BUF_INIT;

	text_escape(&safe, change->path);
	print_kind(c, change->kind);
	printf("%s%s\n", safe.data, change->directory ? "/" : "");
}

static void print(struct cli *c, const struct diff *d)
{
	size_t passing = 0;

	for (size_t i = 0; i < d->package_count; i++)
		print_package(c, &d->packages[i]);
	for (size_t i = 0; i < d->change_count; i++) {
		const struct diff_change *change = &d->changes[i];

		if (c->verbose || (!change->package && !change->passing))
			print_change(c, change);
		else
			passing += !change->package;
	}
	if (passing)
		output_notice(c, "and %s to caches, logs and package databases: `devenv diff -v` lists all",
		              output_count(passing, "change", "changes"));
	if (d->incomplete)
		output_warning(c, "some directories could not be looked into");
}

static json_t *packages_json(const struct diff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->package_count; i++) {
		const struct diff_package *p = &d->packages[i];

		json_array_append_new(list, json_pack("{s:o,s:s,s:o,s:o,s:I}", "name", output_json_text(p->name), "change",
		                                      kind_name(p->kind), "from", output_json_text(p->from), "to",
		                                      output_json_text(p->to), "changes", (json_int_t)p->files));
	}
	return list;
}

static json_t *changes_json(const struct diff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->change_count; i++) {
		const struct diff_change *change = &d->changes[i];

		json_array_append_new(
			list, json_pack("{s:o,s:s,s:b,s:b,s:o}", "path", output_json_text(change->path), "change",
		                        kind_name(change->kind), "directory", change->directory, "passing", change->passing,
		                        "package",
		                        change->package ? output_json_text(d->packages[change->package - 1].name)
		                                        : json_null()));
	}
	return list;
}

/* Without a place there is nothing that could differ. */
static int print_json(struct cli *c, const struct diff_place *p, const struct diff *d, struct err *e)
{
	return output_json(c,
	                   json_pack("{s:b,s:b,s:b,s:b,s:b,s:o,s:o}", "kept", p && !p->pid, "running", p && p->pid,
	                             "earlier", p && p->earlier, "untrusted", p && p->untrusted, "incomplete",
	                             d->incomplete, "packages", packages_json(d), "changes", changes_json(d)),
	                   e);
}

/* An untrusted session's only when asked for, or when there is nothing else. */
static const struct diff_place *choose(struct cli *c, const struct diff_places *places)
{
	const struct diff_place *untrusted = NULL;
	bool asked = cli_has(c, OPTION_DIFF_UNTRUSTED);

	for (size_t i = 0; i < places->count; i++)
		if (places->items[i].untrusted)
			untrusted = &places->items[i];
	if (asked || !places->count || places->items[0].untrusted)
		return untrusted;
	if (untrusted)
		output_notice(c, "an untrusted session runs too: `devenv diff --untrusted` shows what it tried");
	return &places->items[0];
}

static void say_which(struct cli *c, const struct diff_place *p)
{
	if (!p)
		output_notice(c, cli_has(c, OPTION_DIFF_UNTRUSTED) ?
		                         "no untrusted session runs, and of those that have ended nothing is kept" :
		                         "nothing runs and nothing is kept, so there is nothing to compare");
	else if (p->untrusted)
		output_notice(c, "this is what an untrusted session tried; it goes with it");
	else if (p->earlier)
		output_notice(c, "this is of sessions of an earlier configuration (pid 1 is %d)", (int)p->pid);
}

static int diff(struct cli *c, const struct environment *env, const struct diff_places *places, struct err *e)
{
	const struct diff_place *p = choose(c, places);
	struct diff d = { 0 };
	int result = p ? diff_compare(env, p, &d, e) : 0;

	if (result == 0 && c->json) {
		result = print_json(c, p, &d, e);
	} else if (result == 0) {
		say_which(c, p);
		print(c, &d);
		if (p && !d.change_count)
			output_notice(c, "nothing differs");
	}
	diff_release(&d);
	return result;
}

int cmd_diff(struct cli *c, struct err *e)
{
	struct environment env;
	struct diff_places places = { 0 };
	int result;

	if (cli_open(c, &env, e) < 0)
		return -1;
	result = diff_find(&env, &places, e);
	if (result == 0)
		result = diff(c, &env, &places, e);
	diff_places_release(&places);
	env_release(&env);
	return result;
}
