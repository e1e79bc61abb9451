/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_lock.c - `devenv lock` and `devenv update`: who may move what in devenv.lock. */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/option_ids.h"

static json_t *names_json(const struct strlist *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->count; i++)
		json_array_append_new(list, output_json_text(names->items[i]));
	return list;
}

/* `lock --check`: offline, from the files alone. */
static int check(struct cli *c, const struct environment *env, struct err *e)
{
	cleanup_strlist struct strlist unchecked = STRLIST_INIT;
	struct env_gaps gaps = { 0 };
	int status;

	if (env->lock_error.code != ERR_NONE) {
		*e = env->lock_error;
		return -1;
	}
	env_gaps_find(env, &gaps);
	env_gaps_unchecked(env, &unchecked);
	status = gaps.count ? 1 : 0;
	if (c->json) {
		if (output_json(c,
		                json_pack("{s:b,s:o,s:o}", "locked", !gaps.count, "gaps",
		                          output_json_gaps(&gaps), "unchecked", names_json(&unchecked)),
		                e) < 0)
			status = -1;
	} else {
		for (size_t i = 0; i < gaps.count; i++) {
			cleanup_buf struct buf safe = BUF_INIT;

			text_escape(&safe, gaps.items[i].reason);
			printf("%s: %s\n", text_safe(gaps.items[i].name), safe.data);
		}
		if (gaps.count)
			output_notice(c, "devenv.lock has %s; `devenv lock` fills %s in",
			              output_count(gaps.count, "gap", "gaps"),
			              gaps.count == 1 ? "it" : "them");
		else
			output_notice(c, "devenv.lock answers everything devenv.ini asks for%s",
			              unchecked.count ? ", so far as can be seen" : "");
		for (size_t i = 0; i < unchecked.count; i++)
			output_warning(c, "not checked: what %s asks for, because it is not fetched yet; `devenv pull` does that",
			               text_safe(unchecked.items[i]));
	}
	env_gaps_release(&gaps);
	return status;
}

static json_t *digest_json(const char *digest)
{
	return digest[0] ? output_json_text(digest) : json_null();
}

static json_t *changes_json(const struct env_changes *changes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < changes->count; i++) {
		const struct env_change *k = &changes->items[i];

		json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o,s:o}", "name", output_json_text(k->name),
		                                      "before", digest_json(k->before), "after",
		                                      digest_json(k->after), "index_before",
		                                      digest_json(k->index_before), "index_after",
		                                      digest_json(k->index_after)));
	}
	return json_pack("{s:o}", "changes", list);
}

/* "base 3f2a… → 91c0…": the digits that `image ls` and `status` show; of a package its version. */
static void print_digest(const struct cli *c, const char *digest, const char *none, enum style style)
{
	printf("%s", output_begin(c, stdout, style));
	if (!digest[0])
		printf("%s", none);
	else
		printf("%s", digest_is_valid(digest) ? output_short_digest(digest) : text_safe(digest));
	printf("%s", output_end(c, stdout));
}

static void print_change(const struct cli *c, const char *name, const char *before, const char *after,
                         const char *none)
{
	printf("%s%s%s ", output_begin(c, stdout, STYLE_BOLD), text_safe(name), output_end(c, stdout));
	print_digest(c, before, none, STYLE_DIM);
	printf(" %s ", c->utf8 ? "→" : "->");
	print_digest(c, after, "removed", after[0] ? STYLE_GREEN : STYLE_RED);
	fputc('\n', stdout);
}

static void print_changes(const struct cli *c, const struct env_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct env_change *k = &changes->items[i];
		bool same = strcmp(k->before, k->after) == 0;
		cleanup_free char *index = mem_printf("%s (%s)", k->name, same ? "index, for other platforms" : "index");

		if (!same)
			print_change(c, k->name, k->before, k->after, "new");
		if (same || (c->verbose && strcmp(k->index_before, k->index_after) != 0))
			print_change(c, index, k->index_before, k->index_after, "none");
	}
}

static int write_lock(struct cli *c, struct environment *env, bool update, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct env_options options = c->options;
	struct env_changes changes = { 0 };
	int result;

	for (int i = 0; i < c->operand_count; i++)
		strlist_add(&names, c->operands[i]);
	/* CI=true keeps other commands from writing the lock; this one is asked for by name */
	options.locked = false;
	if (env_lock(env, &options, update, &names, &changes, e) < 0)
		return -1;
	if (c->json) {
		result = output_json(c, changes_json(&changes), e);
	} else {
		if (!c->quiet)
			print_changes(c, &changes);
		if (!changes.count)
			output_notice(c, "devenv.lock is up to date");
		result = 0;
	}
	env_changes_release(&changes);
	return result;
}

int cmd_lock(struct cli *c, struct err *e)
{
	struct environment env;
	int result;

	if (cli_open(c, &env, e) < 0)
		return -1;
	if (cli_has(c, OPTION_CHECK) || c->dry_run || c->locked)
		result = check(c, &env, e);
	else
		result = write_lock(c, &env, false, e);
	env_release(&env);
	return result;
}

int cmd_update(struct cli *c, struct err *e)
{
	struct environment env;
	int result;

	if (c->locked)
		return err_set(e, ERR_USAGE, "devenv update writes devenv.lock, and --locked forbids that");
	if (cli_open(c, &env, e) < 0)
		return -1;
	result = write_lock(c, &env, true, e);
	env_release(&env);
	return result;
}
