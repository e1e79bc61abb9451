/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_gc.c - `devenv gc`: delete what no checkout, lock or image name refers to.
 *
 * --max-age first forgets the names of images pulled longer ago that no living checkout uses; the store then sees them
 * as unreferenced. A dry run walks the same way and takes nothing away, so it lists what the real one would.
 */
#include <jansson.h>

#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/option_ids.h"

#define CLONE_AGE 86400 /* without --max-age: what was just fetched may be for a lock that is not written yet */

struct collection {
	struct cli *c;
	json_t *list;   /* NULL: print */
	int64_t oldest; /* pulled before this: forget the name; 0: none */
	const struct environment *where;
	struct store_gc store;
	struct env_gc env;
};

static int parse_age(const char *text, int64_t *seconds, struct err *e)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 }, { 's', 1 } };
	size_t len = strlen(text);
	cleanup_free char *digits = len > 1 ? mem_strndup(text, len - 1) : NULL;
	uint64_t n;

	for (size_t i = 0; digits && i < ARRAY_SIZE(units); i++)
		if (text[len - 1] == units[i].unit && text_number(digits, 100000000, &n) == 0) {
			*seconds = (int64_t)n * units[i].seconds;
			return 0;
		}
	return err_set(e, ERR_USAGE, "--max-age takes an age like 30d, 12h or 2w, not '%s'", text_safe(text));
}

/* A layer is told by the digits that `image inspect` shows, everything else by its name. */
static void removed(void *data, const char *kind, const char *name, uint64_t bytes)
{
	struct collection *k = data;
	const char *short_name = strcmp(kind, "name") != 0 && strlen(name) >= 64 ? output_short_digest(name)
	                                                                         : text_safe(name);

	if (k->list)
		json_array_append_new(k->list, json_pack("{s:s,s:o,s:I}", "kind", kind, "name",
		                                         output_json_text(name), "bytes", (json_int_t)bytes));
	else if (k->c->dry_run || k->c->verbose)
		printf("%-12s  %9s  %s\n", kind, bytes ? text_bytes(bytes) : "", short_name);
}

/* The store's: besides, an image that goes takes along what was generated for it. */
static void store_removed(void *data, const char *kind, const char *name, uint64_t bytes)
{
	struct collection *k = data;

	if (strcmp(kind, "image") == 0)
		strlist_addf(&k->env.images_gone, "%s:%s", strlen(name) == 64 ? "sha256" : "sha512", name);
	removed(data, kind, name, bytes);
}

static int find_old_names(struct collection *k, const struct store *store, struct err *e)
{
	struct store_list_item *items;
	size_t count;

	if (store_list(store, &items, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (items[i].reference && items[i].pulled < k->oldest &&
		    !strlist_has(&k->store.keep, items[i].digest))
			strlist_add(&k->store.forget, items[i].reference);
	store_list_free(items, count);
	return 0;
}

/* Once nobody else has the store: a session that began while we waited is seen. */
static int survey(void *data, struct store *store, struct err *e)
{
	struct collection *k = data;

	if (env_live_digests(k->where, &k->store.keep, e) < 0)
		return -1;
	return k->oldest ? find_old_names(k, store, e) : 0;
}

static int collect(struct collection *k, const struct environment *env, struct store *store, struct err *e)
{
	k->where = env;
	if (store_gc(store, &k->store, e) < 0)
		return -1;
	return env_gc(env, store, &k->env, e);
}

/* Everything that goes, by kind. */
static const struct {
	const char *one, *many, *key;
	size_t offset;
} kinds[] = {
	{ "image", "images", "images", offsetof(struct collection, store.images) },
	{ "layer", "layers", "layers", offsetof(struct collection, store.layers) },
	{ "package", "packages", "packages", offsetof(struct collection, store.packages) },
	{ "old name", "old names", "names", offsetof(struct collection, store.names) },
	{ "abandoned download", "abandoned downloads", "staging", offsetof(struct collection, store.stages) },
	{ "generated layer", "generated layers", "generated_layers", offsetof(struct collection, env.generated) },
	{ "plan of what is gone", "plans of what is gone", "plans", offsetof(struct collection, env.plans) },
	{ "scratch directory without a session", "scratch directories without a session", "scratch",
	  offsetof(struct collection, env.scratches) },
	{ "build that failed", "builds that failed", "failed_builds", offsetof(struct collection, env.failed_builds) },
	{ "build cache of what is gone", "build caches of what is gone", "build_caches",
	  offsetof(struct collection, env.build_caches) },
	{ "git clone", "git clones", "clones", offsetof(struct collection, env.clones) },
};

static size_t count_of(const struct collection *k, size_t kind)
{
	return *(const size_t *)((const char *)k + kinds[kind].offset);
}

static int say_json(const struct collection *k, uint64_t bytes, struct err *e)
{
	json_t *root = json_object();

	json_object_set_new(root, "dry_run", json_boolean(k->c->dry_run));
	json_object_set_new(root, "bytes", json_integer((json_int_t)bytes));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		json_object_set_new(root, kinds[i].key, json_integer((json_int_t)count_of(k, i)));
	json_object_set(root, "removed", k->list);
	return output_json(k->c, root, e);
}

static int say_result(const struct collection *k, struct err *e)
{
	uint64_t bytes = k->store.bytes + k->env.bytes;
	bool any = false;

	if (k->list)
		return say_json(k, bytes, e);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		any = any || count_of(k, i);
	if (!any) {
		output_notice(k->c, "nothing to delete");
		return 0;
	}
	if (k->c->quiet && !k->c->dry_run)
		return 0;
	printf("%s %s", k->c->dry_run ? "would free" : "freed", text_bytes(bytes));
	for (size_t i = 0, shown = 0; i < ARRAY_SIZE(kinds); i++)
		if (count_of(k, i))
			printf("%s %s", shown++ ? "," : ":", output_count(count_of(k, i), kinds[i].one, kinds[i].many));
	fputc('\n', stdout);
	return 0;
}

int cmd_gc(struct cli *c, struct err *e)
{
	const char *age = cli_value(c, OPTION_MAX_AGE);
	struct collection k = {
		.c = c,
		.store = { .dry_run = c->dry_run, .survey = survey, .removed = store_removed, .data = &k },
		.env = { .dry_run = c->dry_run, .removed = removed, .data = &k },
	};
	struct environment env;
	struct store store;
	int64_t seconds;
	int result;

	if (age && parse_age(age, &seconds, e) < 0)
		return -1;
	k.oldest = age ? time(NULL) - seconds : 0;
	k.env.oldest_clone = age ? k.oldest : time(NULL) - CLONE_AGE;
	if (cli_open_user(c, &env, e) < 0)
		return -1;
	k.list = c->json ? json_array() : NULL;
	result = env_store(&env, &store, e);
	if (result == 0) {
		result = collect(&k, &env, &store, e);
		store_close(&store);
	}
	if (result == 0)
		result = say_result(&k, e);
	json_decref(k.list);
	strlist_release(&k.store.keep);
	strlist_release(&k.store.forget);
	strlist_release(&k.env.images_gone);
	env_release(&env);
	return result;
}
