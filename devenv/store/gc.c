/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc.c - delete what nothing refers to.
 *
 * Theory of operation: with the lock exclusive nobody reads or writes the store, so what is referred to can be told and
 * names can be taken away: each victim is renamed into one staging directory, images before layers, so that a gc that is
 * killed leaves no image without its layers, and what it had taken away is swept by the next start. The trees, which
 * take long, are deleted after the lock is shared again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/layout.h"
#include "store/names.h"

struct collection {
	struct store *s;
	struct store_gc *gc;
	struct store_stage stage;      /* where victims go */
	struct strlist images, layers, packages; /* digests to keep, sorted */
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_kept(const struct strlist *keep, const char *digest)
{
	return keep->count && bsearch(&digest, keep->items, keep->count, sizeof(*keep->items), compare);
}

static void tell(struct store_gc *gc, const char *kind, const char *name, uint64_t bytes)
{
	gc->bytes += bytes;
	if (gc->removed)
		gc->removed(gc->data, kind, name, bytes);
}

static void count_staging(void *data, const char *kind, const char *name, uint64_t bytes)
{
	struct store_gc *gc = data;

	gc->stages++;
	tell(gc, kind, name, bytes);
}

/* ---- what is referred to ---- */

static int keep_named(struct collection *c, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	char digest[136];
	struct err ignored;

	if (store_names_in(c->s, STORE_NAMES, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *reference = store_name_reference(names.items[i]);

		if (reference && !strlist_has(&c->gc->forget, reference) &&
		    store_name_get(c->s, reference, digest, &ignored) == 0)
			strlist_add(&c->images, digest);
	}
	return 0;
}

static int forget_names(struct collection *c, struct err *e)
{
	for (size_t i = 0; i < c->gc->forget.count; i++) {
		const char *reference = c->gc->forget.items[i];

		if (!c->gc->dry_run && store_name_remove(c->s, reference, e) < 0)
			return -1;
		c->gc->names++;
		tell(c->gc, "name", reference, 0);
	}
	return 0;
}

/* A layer and those below it. */
static void keep_layer(struct collection *c, const char *chain_id)
{
	char id[136], parent[136];

	snprintf(id, sizeof(id), "%s", chain_id);
	for (int depth = 0; depth < 1000 && store_has_layer(c->s, id); depth++) {
		strlist_add(&c->layers, id);
		if (!store_layer_parent(c->s, id, parent))
			return;
		memcpy(id, parent, sizeof(id));
	}
}

static int keep_layers_of(struct collection *c, const char *digest, struct err *e)
{
	char path[STORE_PATH_MAX];
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_strlist struct strlist ids = STRLIST_INIT;
	struct err why = ERR_INIT;

	if (!store_digest_path(STORE_IMAGES, digest, path))
		return 0;
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/layers");
	if (file_read(c->s->fd, path, 64 << 10, O_NOFOLLOW, &text, NULL, &why) < 0) {
		if (why.code == ERR_NOT_FOUND)
			return 0;
		*e = why; /* not knowing is no reason to delete */
		return err_wrap(e, "store %s", text_safe(c->s->path));
	}
	strlist_split(&ids, text.data, "\n");
	for (size_t i = 0; i < ids.count; i++)
		strlist_add(&c->layers, ids.items[i]);
	return 0;
}

static int find_kept(struct collection *c, struct err *e)
{
	if (keep_named(c, e) < 0)
		return -1;
	for (size_t i = 0; i < c->gc->keep.count; i++) {
		strlist_add(&c->images, c->gc->keep.items[i]);
		strlist_add(&c->packages, c->gc->keep.items[i]);
		keep_layer(c, c->gc->keep.items[i]);
	}
	for (size_t i = 0; i < c->images.count; i++)
		if (keep_layers_of(c, c->images.items[i], e) < 0)
			return -1;
	/* An image that was made here is called as its topmost layer: while another stands on it, it is not made again. */
	for (size_t i = 0; i < c->layers.count; i++)
		strlist_add(&c->images, c->layers.items[i]);
	strlist_sort(&c->images);
	strlist_sort(&c->layers);
	strlist_sort(&c->packages);
	return 0;
}

/* ---- taking away ---- */

static int take(struct collection *c, const char *dir, const char *name, const char *kind, struct err *e)
{
	char from[STORE_PATH_MAX], to[STORE_PATH_MAX], digest[136];
	uint64_t bytes = 0;

	snprintf(from, sizeof(from), "%s/%s", dir, name);
	if (strcmp(dir, STORE_DEBS) != 0 && store_digest_of_name(name, digest))
		bytes = store_layer_bytes(c->s, digest);
	if (bytes == 0)
		bytes = file_tree_bytes(c->s->fd, from);
	if (!c->gc->dry_run) {
		snprintf(to, sizeof(to), "%s-%s", kind, name);
		if (renameat(c->s->fd, from, c->stage.fd, to) < 0)
			return store_failure(c->s, "can't take away what is not needed", e);
	}
	tell(c->gc, kind, name, bytes);
	return 0;
}

static int take_unkept(struct collection *c, const char *dir, const char *kind, const struct strlist *keep,
                       size_t *count, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	char digest[136];

	if (!file_exists(c->s->fd, dir))
		return 0;
	if (store_names_in(c->s, dir, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		if (store_digest_of_name(names.items[i], digest) && is_kept(keep, digest))
			continue;
		if (strlen(names.items[i]) > 128)
			continue; /* not ours */
		if (take(c, dir, names.items[i], kind, e) < 0)
			return -1;
		++*count;
	}
	return 0;
}

/* Nobody holds or waits for a layer's lock while ours is exclusive. */
static int remove_locks(const struct collection *c, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	char path[STORE_PATH_MAX];

	if (c->gc->dry_run)
		return 0;
	if (store_names_in(c->s, STORE_LOCKS, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		snprintf(path, sizeof(path), STORE_LOCKS "/%s", names.items[i]);
		unlinkat(c->s->fd, path, 0);
	}
	return 0;
}

static int collect(struct collection *c, struct err *e)
{
	if (c->gc->survey && c->gc->survey(c->gc->data, c->s, e) < 0)
		return -1;
	if (forget_names(c, e) < 0 || find_kept(c, e) < 0 || store_sweep(c->s, c->gc->dry_run, count_staging, c->gc, e) < 0)
		return -1;
	if (!c->gc->dry_run && store_stage_new(c->s, &c->stage, e) < 0)
		return -1;
	if (take_unkept(c, STORE_IMAGES, "image", &c->images, &c->gc->images, e) < 0 ||
	    take_unkept(c, STORE_LAYERS, "layer", &c->layers, &c->gc->layers, e) < 0 ||
	    take_unkept(c, STORE_DEBS, "package", &c->packages, &c->gc->packages, e) < 0)
		return -1;
	return remove_locks(c, e);
}

int store_gc(struct store *s, struct store_gc *gc, struct err *e)
{
	struct collection c = { .s = s, .gc = gc, .stage = { .fd = -1 } };
	struct err relock = ERR_INIT;
	int result;

	gc->bytes = 0;
	gc->names = gc->images = gc->layers = gc->packages = gc->stages = 0;
	if (!gc->dry_run && s->lock_fd < 0) {
		errno = EROFS;
		return store_failure(s, "can't delete", e);
	}
	if (!gc->dry_run && store_wait(s->lock_fd, true, "others that use the store", e) < 0)
		return err_wrap(e, "store %s", text_safe(s->path));
	result = collect(&c, e);
	if (!gc->dry_run && file_lock(s->lock_fd, false, true, &relock) < 0 && result == 0) {
		*e = relock;
		result = -1;
	}
	store_stage_drop(s, &c.stage);
	strlist_release(&c.images);
	strlist_release(&c.layers);
	strlist_release(&c.packages);
	return result;
}
