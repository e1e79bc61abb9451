/* SPDX-License-Identifier: Apache-2.0 */
/* recipe.c - the names and records of images that were made here. */
#include "source/recipe.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#define MEDIA_TYPE "application/vnd.devenv.recipe.v1+json"

/* File names may be any bytes, JSON may not: those that are no UTF-8 are written escaped after a backslash, and so are those that begin
 * with one, or they could look like such. */
static json_t *part(const char *s)
{
	cleanup_buf struct buf escaped = BUF_INIT;
	json_t *text = *s == '\\' ? NULL : json_string(s);

	if (text)
		return text;
	buf_adds(&escaped, "\\");
	text_escape(&escaped, s);
	return json_string(escaped.data);
}

void recipe_format(const struct recipe *r, struct buf *text, char digest[DIGEST_MAX])
{
	json_t *parts = json_array();
	cleanup_free char *dumped = NULL;
	json_t *whole;

	for (size_t i = 0; r->parts && i < r->parts->count; i++)
		json_array_append_new(parts, part(r->parts->items[i]));
	whole = json_pack("{s:s, s:i, s:s, s:s, s:s, s:o}", "mediaType", MEDIA_TYPE, "schemaVersion", 2, "kind", r->kind,
			  "platform", r->platform, "below", r->below, "parts", parts);
	dumped = whole ? json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	if (!dumped)
		abort(); /* only without memory */
	json_decref(whole);
	buf_adds(text, dumped);
	digest_bytes(dumped, strlen(dumped), digest);
}

bool recipe_parse(const char *manifest, struct recipe_record *out)
{
	json_t *whole = json_loads(manifest, JSON_REJECT_DUPLICATES, NULL), *parts = json_object_get(whole, "parts"), *item;
	const char *type = json_string_value(json_object_get(whole, "mediaType"));
	const char *kind = json_string_value(json_object_get(whole, "kind"));
	const char *below = json_string_value(json_object_get(whole, "below"));
	bool is_one = type && strcmp(type, MEDIA_TYPE) == 0 && kind && below;
	size_t i;

	*out = (struct recipe_record){ .parts = STRLIST_INIT };
	if (is_one) {
		out->kind = mem_strdup(kind);
		out->below = mem_strdup(below);
		json_array_foreach(parts, i, item)
			if (json_is_string(item))
				strlist_add(&out->parts, json_string_value(item));
	}
	json_decref(whole);
	return is_one;
}

void recipe_record_release(struct recipe_record *r)
{
	free(r->kind);
	free(r->below);
	strlist_release(&r->parts);
	*r = (struct recipe_record){ .parts = STRLIST_INIT };
}

/* What a base that stands on nothing is run with: nothing but the usual PATH. */
static char *plain_config(const char *platform)
{
	const char *slash = strchr(platform, '/');

	return mem_printf("{\"architecture\":\"%s\",\"os\":\"linux\",\"config\":{\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:"
			  "/usr/sbin:/usr/bin:/sbin:/bin\"],\"Cmd\":[\"bash\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}",
			  slash ? slash + 1 : platform);
}

static int load_below(struct store *s, const struct recipe *r, struct store_image *below, struct err *e)
{
	*below = (struct store_image){ 0 };
	if (!*r->below)
		return 0;
	return store_image_load(s, r->below, below, e);
}

static int publish(struct store *s, const struct recipe *r, struct store_stage *stage, struct store_image *image,
		   const struct store_image *below, struct err *e)
{
	struct store_layer_meta meta = { 0 };
	size_t n = below->chain_ids.count;

	for (size_t i = 0; i < n; i++)
		strlist_add(&image->chain_ids, below->chain_ids.items[i]);
	meta.parent = n ? below->chain_ids.items[n - 1] : NULL;
	meta.bytes = file_tree_bytes(stage->fd, "fs");
	if (store_layer_meta_write(stage, &meta, e) < 0 || store_layer_publish(s, stage, image->digest, e) < 0)
		return err_wrap(e, "the %s layer", r->kind);
	strlist_add(&image->chain_ids, image->digest);
	return store_image_publish(s, image, e);
}

int recipe_publish(struct store *s, const struct recipe *r, struct store_stage *stage, const char *config, struct err *e)
{
	cleanup_free char *plain = plain_config(r->platform);
	cleanup_buf struct buf text = BUF_INIT;
	struct store_image image = { 0 }, below;
	int result;

	recipe_format(r, &text, image.digest);
	if (load_below(s, r, &below, e) < 0)
		return -1;
	/* Borrowed: the record is written, not released. */
	image.manifest = text.data;
	image.config = (char *)(config ? config : below.config ? below.config : plain);
	result = publish(s, r, stage, &image, &below, e);
	strlist_release(&image.chain_ids);
	store_image_release(&below);
	return result;
}
