/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_lock.c - `devenv lock` and `devenv update`: who may move what in devenv.lock. */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/project.h"
#include "base/text.h"
#include "cli/option_ids.h"
#include "env/locking.h"
#include "env/packages.h"

static json_t *names_json(const struct strlist *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->count; i++)
		json_array_append_new(list, output_json_text(names->items[i]));
	return list;
}

static void print_gaps(struct cli *c, const struct env_gaps *gaps, const struct strlist *unchecked)
{
	size_t shared = env_gaps_count(gaps, false), own = env_gaps_count(gaps, true);

	for (size_t i = 0; i < gaps->count; i++) {
		cleanup_free char *text = env_gap_text(&gaps->items[i], true);
		cleanup_buf struct buf safe = BUF_INIT;

		text_escape(&safe, text);
		printf("%s\n", safe.data);
	}
	if (shared)
		output_notice(c, "devenv.lock has %s; `devenv lock` fills %s in", output_count(shared, "gap", "gaps"),
		              shared == 1 ? "it" : "them");
	else
		output_notice(c, "devenv.lock answers everything devenv.ini asks for%s",
		              unchecked->count ? ", so far as can be seen" : "");
	if (own)
		output_notice(c, PROJECT_LOCAL_LOCK " has %s; `devenv lock` fills %s in, as does the next session",
		              output_count(own, "gap", "gaps"), own == 1 ? "it" : "them");
	for (size_t i = 0; i < unchecked->count; i++)
		output_warning(c, "not checked: what %s asks for, because it is not fetched yet; `devenv pull` does that",
		               text_safe(unchecked->items[i]));
}

/*
 * `lock --check`: offline, from the files and what the store has. In CI the question is whether what everybody shares is whole: one person's
 * packages are told there, and no reason to fail.
 */
static int check(struct cli *c, struct environment *env, struct err *e)
{
	cleanup_strlist struct strlist unchecked = STRLIST_INIT;
	struct env_gaps gaps = { 0 };
	int status;

	if (env->lock_error.code != ERR_NONE) {
		*e = env->lock_error;
		return -1;
	}
	env_gaps_find(env, &gaps);
	env_gaps_find_needs(env, &gaps);
	env_gaps_unchecked(env, &unchecked);
	status = env_gaps_count(&gaps, false) || (gaps.count && !locking_in_ci());
	if (!c->json)
		print_gaps(c, &gaps, &unchecked);
	else if (output_json(c,
	                     json_pack("{s:b,s:o,s:o}", "locked", !gaps.count, "gaps", output_json_gaps(&gaps), "unchecked",
	                               names_json(&unchecked)),
	                     e) < 0)
		status = -1;
	env_gaps_release(&gaps);
	return status;
}

static json_t *digest_json(const char *digest)
{
	return digest[0] ? output_json_text(digest) : json_null();
}

static void add_changes_json(json_t *list, const struct env_changes *changes, bool own)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct env_change *k = &changes->items[i];

		json_array_append_new(list, json_pack("{s:o,s:o,s:o,s:o,s:o,s:b}", "name", output_json_text(k->name),
		                                      "before", digest_json(k->before), "after",
		                                      digest_json(k->after), "index_before",
		                                      digest_json(k->index_before), "index_after",
		                                      digest_json(k->index_after), "personal", own));
	}
}

static json_t *changes_json(const struct env_changes *shared, const struct env_changes *own)
{
	json_t *list = json_array();

	add_changes_json(list, shared, false);
	add_changes_json(list, own, true);
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

static void print_changes(const struct cli *c, const struct env_changes *changes, bool own)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct env_change *k = &changes->items[i];
		bool same = strcmp(k->before, k->after) == 0;
		cleanup_free char *name = mem_printf("%s%s", k->name, own ? " (" PACKAGES_OWN ")" : "");
		cleanup_free char *index = mem_printf("%s (%s)", k->name, same ? "index, for other platforms" : "index");

		if (!same)
			print_change(c, name, k->before, k->after, "new");
		if (same || (c->verbose && strcmp(k->index_before, k->index_after) != 0))
			print_change(c, index, k->index_before, k->index_after, "none");
	}
}

/* `merged`: it had the marks of a merge that git could not finish. */
static void tell_outcome(struct cli *c, const struct environment *env, size_t changes, bool merged)
{
	if (merged)
		output_notice(c, "devenv.lock %s both sides of the merge; `git add devenv.lock`", c->dry_run ? "would have" : "has");
	else if (!changes && env->lock_written)
		output_notice(c, "devenv.lock was written anew: what it has is the same, what asks for it is not");
	else if (!changes)
		output_notice(c, "devenv.lock %s up to date", env->config.packages_own.count ? "and " PROJECT_LOCAL_LOCK " are" : "is");
	if ((changes || merged) && c->dry_run)
		output_notice(c, "nothing was written");
}

/* What is everybody's first; it is whole, and told, even if one's own packages can't be had. */
static int write_locks(struct cli *c, struct environment *env, bool update, struct env_changes *shared, struct env_changes *own,
                       struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct env_options options = c->options;
	bool merged = env->lock_error.code != ERR_NONE;
	int result;

	for (int i = 0; i < c->operand_count; i++)
		strlist_add(&names, c->operands[i]);
	/* CI=true keeps other commands from writing the lock; this one is asked for by name */
	options.locked = false;
	options.dry_run = c->dry_run;
	if (env_lock(env, &options, update, &names, shared, e) < 0)
		return -1;
	/* One's own stand on the others: on those that would be there nothing can be resolved. */
	result = c->dry_run && shared->count ? 0 : env_lock_own(env, &options, update, &names, own, e);
	if (c->json)
		return result < 0 ? -1 : output_json(c, changes_json(shared, own), e);
	if (!c->quiet) {
		print_changes(c, shared, false);
		print_changes(c, own, true);
	}
	if (result == 0)
		tell_outcome(c, env, shared->count + own->count, merged);
	return result;
}

static int write_lock(struct cli *c, struct environment *env, bool update, struct err *e)
{
	struct env_changes shared = { 0 }, own = { 0 };
	int result = write_locks(c, env, update, &shared, &own, e);

	env_changes_release(&shared);
	env_changes_release(&own);
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
