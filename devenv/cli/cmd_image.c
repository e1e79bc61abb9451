/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_image.c - `devenv image ls|pull|rm`: names and images of the store. inspect and history are cmd_image_show.c. */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/images.h"
#include "cli/images_made.h"
#include "config/reference.h"

/* By what name a project's lock asks for it; "" when only a plan does; NULL: none. */
static const char *request_of(const struct images *images, const char *digest)
{
	for (size_t i = 0; i < images->live.count; i++)
		if (strcmp(images->live.items[i], digest) == 0)
			return images->requests.items[i];
	return NULL;
}

/* "debian", "packages", "build"...: made here; NULL: pulled. malloc'ed. */
static char *kind_of(const struct images *images, const char *digest)
{
	struct made_stages made;
	char *kind;

	made_stages_find(&images->store, digest, &made);
	kind = made.count ? mem_strdup(made.items[made.count - 1].kind) : NULL;
	made_stages_release(&made);
	return kind;
}

/* Bases of projects need no name: their locks and plans hold them. */
static const char *shown_name(const struct images *images, const struct store_list_item *item)
{
	const char *request = request_of(images, item->digest);
	cleanup_free char *kind = NULL;
	static char text[64];

	if (item->reference)
		return text_safe(item->reference);
	if (request && *request)
		return text_safe(request);
	kind = kind_of(images, item->digest);
	if (!kind)
		return request ? "<used by a project>" : "<no name>";
	snprintf(text, sizeof(text), "<%s%s>", text_safe(kind), request ? " of a project" : ", no longer used");
	return text;
}

static json_t *item_json(const struct images *images, const struct store_list_item *i)
{
	const char *request = request_of(images, i->digest);
	cleanup_free char *kind = kind_of(images, i->digest);

	return json_pack("{s:o,s:b,s:o,s:o,s:s,s:I,s:I,s:I,s:I}", "kind", kind ? output_json_text(kind) : json_null(), "in_use", request != NULL, "request",
	                 request && *request ? output_json_text(request) : json_null(), "name",
	                 output_json_text(i->reference), "digest", i->digest, "bytes",
	                 (json_int_t)i->bytes, "layers", (json_int_t)i->layer_count, "created",
	                 (json_int_t)i->created, "pulled", (json_int_t)i->pulled);
}

static int list_json(struct cli *c, const struct images *images, struct err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < images->count; i++)
		json_array_append_new(list, item_json(images, &images->items[i]));
	return output_json(c, json_pack("{s:o}", "images", list), e);
}

/* Names differ in length, so the first column is as wide as the longest, within reason. */
static int name_width(const struct images *images)
{
	int width = 4;

	for (size_t i = 0; i < images->count; i++) {
		int columns = output_columns(shown_name(images, &images->items[i]));

		if (columns > width)
			width = columns;
	}
	return width > 60 ? 60 : width;
}

static void list_table(const struct cli *c, const struct images *images)
{
	int width = name_width(images);
	int64_t now = time(NULL);

	printf("%s%-*s  %-12s  %9s  %6s  %-14s  %s%s\n", output_begin(c, stdout, STYLE_DIM), width, "NAME",
	       "DIGEST", "SIZE", "LAYERS", "CREATED", "PULLED", output_end(c, stdout));
	for (size_t i = 0; i < images->count; i++) {
		const struct store_list_item *item = &images->items[i];

		printf("%-*s  %-12s  %9s  %6zu  %-14s  %s\n", width, shown_name(images, item),
		       output_short_digest(item->digest), text_bytes(item->bytes), item->layer_count,
		       item->created ? output_age(item->created, now) : "unknown",
		       output_age(item->pulled, now));
	}
}

int cmd_image_ls(struct cli *c, struct err *e)
{
	struct images images;
	int result = 0;

	if (images_open(c, &images, e) < 0)
		return -1;
	if (c->json)
		result = list_json(c, &images, e);
	else if (images.count)
		list_table(c, &images);
	else
		output_notice(c, "the store holds no image yet");
	images_close(&images);
	return result;
}

/* ---- pull ---- */

static int pull_one(struct cli *c, struct environment *env, struct store *store, const char *text,
                    json_t *list, struct err *e)
{
	struct oci_context context = {
		.store = store,
		.user = &env->user,
		.offline = c->offline,
		.progress = c->ui.progress,
	};
	cleanup_free char *name = NULL;
	struct oci_source source;
	struct lock_image found = { 0 };
	struct reference ref;
	const char *digest;
	int result;

	if (reference_parse(text, &ref, e) < 0)
		return -1;
	name = reference_format(&ref);
	reference_release(&ref);
	source = (struct oci_source){ .kind = OCI_REGISTRY, .location = name, .request = name };
	progress_title(c->progress, name);
	if (oci_resolve(&context, &source, &found, e) < 0)
		return -1;
	digest = lock_manifest_digest(&found, oci_platform());
	if (c->verbose && found.index)
		output_notice(c, "%s is the index %s", text_safe(name), found.index);
	if (c->verbose)
		output_notice(c, "its manifest for %s is %s", oci_platform(), digest);
	result = oci_fetch(&context, &source, digest, e);
	if (result == 0)
		result = store_name_set(store, name, digest, e);
	progress_end(c->progress, result == 0);
	if (result == 0 && list)
		json_array_append_new(list, json_pack("{s:o,s:s}", "name", output_json_text(name), "digest",
		                                      digest));
	else if (result == 0 && !c->quiet)
		printf("%s@%s\n", text_safe(name), digest);
	lock_image_release(&found);
	return result;
}

int cmd_image_pull(struct cli *c, struct err *e)
{
	struct environment env;
	struct store store;
	json_t *list = c->json ? json_array() : NULL;
	int result = 0;

	if (cli_open_user(c, &env, e) < 0) {
		json_decref(list);
		return -1;
	}
	result = env_store(&env, &store, e);
	if (result == 0) {
		for (int i = 0; i < c->operand_count && result == 0; i++)
			result = pull_one(c, &env, &store, c->operands[i], list, e);
		store_close(&store);
	}
	env_release(&env);
	if (result == 0 && list)
		return output_json(c, json_pack("{s:o}", "images", list), e);
	json_decref(list);
	return result;
}

/* ---- rm ---- */

static int remove_name(struct cli *c, struct images *images, const struct store_list_item *item,
                       struct err *e)
{
	if (!item->reference) {
		err_set_(e, ERR_USAGE, "%s has no name to remove", item->digest);
		return err_hint(e, "`devenv gc` deletes it when nothing refers to it");
	}
	if (!c->dry_run && store_name_remove(&images->store, item->reference, e) < 0)
		return -1;
	if (!c->json && !c->quiet)
		printf("%s %s\n", c->dry_run ? "would remove" : "removed", text_safe(item->reference));
	return 0;
}

int cmd_image_rm(struct cli *c, struct err *e)
{
	const struct store_list_item *item;
	json_t *list = json_array();
	struct images images;
	int result = 0;

	if (images_open(c, &images, e) < 0) {
		json_decref(list);
		return -1;
	}
	for (int i = 0; i < c->operand_count && result == 0; i++) {
		item = images_find(&images, c->operands[i], e);
		result = item ? remove_name(c, &images, item, e) : -1;
		if (result == 0)
			json_array_append_new(list, output_json_text(item->reference));
	}
	images_close(&images);
	if (result == 0 && c->json)
		return output_json(c, json_pack("{s:o,s:b}", "removed", list, "dry_run", c->dry_run), e);
	if (result == 0)
		output_notice(c, "layers stay until `devenv gc`");
	json_decref(list);
	return result;
}
