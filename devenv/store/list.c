/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - what `devenv image ls` shows: every name with its image, then the images without one. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "store/layout.h"
#include "store/names.h"

struct list {
	struct store_list_item *items;
	size_t count, cap;
};

/* Adds nothing when the image isn't complete. */
static void add_item(struct list *l, const struct store *s, const char *digest, char *reference /* takes */)
{
	struct store_list_item item = { .reference = reference };
	struct store_image image;
	char path[STORE_PATH_MAX];
	struct err ignored;
	struct stat st;

	if (store_image_load(s, digest, &image, &ignored) < 0) {
		free(reference);
		return;
	}
	snprintf(item.digest, sizeof(item.digest), "%s", digest);
	item.layer_count = image.chain_ids.count;
	for (size_t i = 0; i < image.chain_ids.count; i++)
		item.bytes += store_layer_bytes(s, image.chain_ids.items[i]);
	item.created = store_created(image.config);
	store_digest_path(STORE_IMAGES, digest, path);
	if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		item.pulled = st.st_mtim.tv_sec;
	store_image_release(&image);
	l->items = mem_grow(l->items, l->count, &l->cap, sizeof(*l->items));
	l->items[l->count++] = item;
}

static int add_named(struct list *l, const struct store *s, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	char digest[136];
	struct err ignored;

	if (store_names_in(s, STORE_NAMES, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		char *reference = store_name_reference(names.items[i]);

		if (reference && store_name_get(s, reference, digest, &ignored) == 0)
			add_item(l, s, digest, reference);
		else
			free(reference);
	}
	return 0;
}

static int add_unnamed(struct list *l, const struct store *s, struct err *e)
{
	cleanup_strlist struct strlist images = STRLIST_INIT;
	size_t named = l->count;

	if (store_names_in(s, STORE_IMAGES, &images, e) < 0)
		return -1;
	for (size_t i = 0; i < images.count; i++) {
		char digest[136];
		bool has_name = false;

		if (!store_digest_of_name(images.items[i], digest))
			continue;
		for (size_t n = 0; n < named && !has_name; n++)
			has_name = strcmp(l->items[n].digest, digest) == 0;
		if (!has_name)
			add_item(l, s, digest, NULL);
	}
	return 0;
}

int store_list(const struct store *s, struct store_list_item **items, size_t *count, struct err *e)
{
	struct list l = { 0 };

	if (add_named(&l, s, e) < 0 || add_unnamed(&l, s, e) < 0) {
		store_list_free(l.items, l.count);
		return -1;
	}
	*items = l.items;
	*count = l.count;
	return 0;
}

void store_list_free(struct store_list_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(items[i].reference);
	free(items);
}
