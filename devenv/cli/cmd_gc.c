/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_gc.c - `devenv gc`: delete what no checkout, lock or image name refers to.
 *
 * --max-age first forgets the names of images pulled longer ago that no living checkout uses; the store then sees them
 * as unreferenced. A dry run forgets nothing, so what those names would free is added up here.
 */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/option_ids.h"

struct collection {
	struct cli *c;
	json_t *list;   /* NULL: print */
	int64_t oldest; /* pulled before this: forget the name; 0: none */
	size_t names, skeletons, scratches;
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

static void removed(void *data, const char *kind, const char *name, uint64_t bytes)
{
	struct collection *k = data;
	const char *short_name = strlen(name) >= 64 ? output_short_digest(name) : text_safe(name);

	if (k->list)
		json_array_append_new(k->list, json_pack("{s:s,s:o,s:I}", "kind", kind, "name",
		                                         output_json_text(name), "bytes", (json_int_t)bytes));
	else if (k->c->dry_run || k->c->verbose)
		printf("%-8s %-12s %9s\n", kind, short_name, bytes ? text_bytes(bytes) : "");
}

static bool is_old(const struct collection *k, const struct store_list_item *item, const struct strlist *keep)
{
	return item->reference && k->oldest && item->pulled < k->oldest && !strlist_has(keep, item->digest);
}

/* Layers of images that stay: by a living checkout, or by a name that is not too old. */
static void kept_layers(const struct collection *k, const struct store *store,
                        const struct store_list_item *items, size_t count, const struct strlist *keep,
                        struct strlist *layers)
{
	for (size_t i = 0; i < count; i++) {
		struct store_image image;
		struct err ignored = ERR_INIT;

		if (is_old(k, &items[i], keep) ||
		    (!items[i].reference && !strlist_has(keep, items[i].digest)) ||
		    store_image_load(store, items[i].digest, &image, &ignored) < 0)
			continue;
		for (size_t n = 0; n < image.chain_ids.count; n++)
			if (!strlist_has(layers, image.chain_ids.items[n]))
				strlist_add(layers, image.chain_ids.items[n]);
		store_image_release(&image);
	}
}

/* Dry run: what an old name's image alone holds. Each layer is counted once: it joins `seen`. */
static uint64_t bytes_freed(const struct store *store, const char *digest, struct strlist *seen)
{
	struct store_image image;
	struct err ignored = ERR_INIT;
	uint64_t bytes = 0;

	if (store_image_load(store, digest, &image, &ignored) < 0)
		return 0;
	for (size_t n = 0; n < image.chain_ids.count; n++) {
		if (strlist_has(seen, image.chain_ids.items[n]))
			continue;
		strlist_add(seen, image.chain_ids.items[n]);
		bytes += store_layer_bytes(store, image.chain_ids.items[n]);
	}
	store_image_release(&image);
	return bytes;
}

static int forget_old_names(struct collection *k, struct store *store, struct store_gc *gc, struct err *e)
{
	cleanup_strlist struct strlist seen = STRLIST_INIT;
	struct store_list_item *items;
	size_t count;
	int result = 0;

	if (store_list(store, &items, &count, e) < 0)
		return -1;
	if (k->c->dry_run)
		kept_layers(k, store, items, count, &gc->keep, &seen);
	for (size_t i = 0; i < count && result == 0; i++) {
		uint64_t bytes = 0;

		if (!is_old(k, &items[i], &gc->keep))
			continue;
		if (k->c->dry_run)
			bytes = bytes_freed(store, items[i].digest, &seen);
		else
			result = store_name_remove(store, items[i].reference, e);
		gc->bytes += bytes;
		k->names++;
		removed(k, "name", items[i].reference, bytes);
	}
	store_list_free(items, count);
	return result;
}

static int collect(struct collection *k, struct environment *env, struct store *store, struct store_gc *gc,
                   struct err *e)
{
	uint64_t before;

	if (env_live_digests(env, &gc->keep, e) < 0)
		return -1;
	if (k->oldest && forget_old_names(k, store, gc, e) < 0)
		return -1;
	before = gc->bytes;
	gc->bytes = 0;
	if (store_gc(store, gc, e) < 0)
		return -1;
	gc->bytes += before;
	env_gc_scratch(env, k->c->dry_run, &k->scratches, &gc->bytes);
	return env_gc_skeletons(env, store, k->c->dry_run, &k->skeletons, &gc->bytes, e);
}

static int say_result(const struct collection *k, const struct store_gc *gc, struct err *e)
{
	if (k->list)
		return output_json(k->c,
		                   json_pack("{s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:O}", "dry_run", k->c->dry_run, "bytes",
		                             (json_int_t)gc->bytes, "images", (json_int_t)gc->images,
		                             "layers", (json_int_t)gc->layers, "staging",
		                             (json_int_t)gc->stages, "generated_layers",
		                             (json_int_t)k->skeletons, "scratch", (json_int_t)k->scratches,
		                             "removed", k->list),
		                   e);
	if (gc->images + gc->layers + gc->stages + k->names + k->skeletons + k->scratches == 0) {
		output_notice(k->c, "nothing to delete");
		return 0;
	}
	if (k->c->quiet && !k->c->dry_run)
		return 0;
	printf("%s %s: %s, %s", k->c->dry_run ? "would free" : "freed", text_bytes(gc->bytes),
	       output_count(gc->images, "image", "images"), output_count(gc->layers, "layer", "layers"));
	if (k->names)
		printf(", %s", output_count(k->names, "old name", "old names"));
	if (gc->stages)
		printf(", %s", output_count(gc->stages, "abandoned download", "abandoned downloads"));
	if (k->skeletons)
		printf(", %s", output_count(k->skeletons, "generated layer", "generated layers"));
	if (k->scratches)
		printf(", %s", output_count(k->scratches, "scratch of a killed session", "scratches of killed sessions"));
	fputc('\n', stdout);
	return 0;
}

int cmd_gc(struct cli *c, struct err *e)
{
	const char *age = cli_value(c, OPTION_MAX_AGE);
	struct collection k = { .c = c };
	struct store_gc gc = { .dry_run = c->dry_run, .removed = removed, .data = &k };
	struct environment env;
	struct store store;
	int64_t seconds;
	int result;

	if (age && parse_age(age, &seconds, e) < 0)
		return -1;
	k.oldest = age ? time(NULL) - seconds : 0;
	if (cli_open_user(c, &env, e) < 0)
		return -1;
	k.list = c->json ? json_array() : NULL;
	result = env_store(&env, &store, e);
	if (result == 0) {
		result = collect(&k, &env, &store, &gc, e);
		store_close(&store);
	}
	if (result == 0)
		result = say_result(&k, &gc, e);
	json_decref(k.list);
	strlist_release(&gc.keep);
	env_release(&env);
	return result;
}
