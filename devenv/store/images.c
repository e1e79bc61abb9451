/* SPDX-License-Identifier: Apache-2.0 */
/* images.c - records of complete images: the manifest, the config, and the layers' chain ids. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/layout.h"

enum { JSON_MAX = 4 << 20, LAYERS_MAX = 64 << 10 };

static int not_found(const char *digest, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "the store has no image %s", text_safe(digest));
}

static int read_part(int dir, const char *name, size_t max, char **out, struct err *e)
{
	struct buf text = BUF_INIT;

	if (file_read(dir, name, max, O_NOFOLLOW, &text, NULL, e) < 0) {
		buf_release(&text);
		return -1;
	}
	*out = buf_steal(&text);
	return 0;
}

static int read_record(int dir, struct store_image *out, struct err *e)
{
	cleanup_free char *layers = NULL;

	if (read_part(dir, "manifest.json", JSON_MAX, &out->manifest, e) < 0 ||
	    read_part(dir, "config.json", JSON_MAX, &out->config, e) < 0 ||
	    read_part(dir, "layers", LAYERS_MAX, &layers, e) < 0)
		return -1;
	strlist_split(&out->chain_ids, layers, "\n");
	return 0;
}

int store_image_load(const struct store *s, const char *digest, struct store_image *out, struct err *e)
{
	char path[STORE_PATH_MAX];
	cleanup_close int dir = -1;
	struct err why = ERR_INIT;

	*out = (struct store_image){ 0 };
	if (!store_digest_path(STORE_IMAGES, digest, path))
		return err_set(e, ERR_NOT_FOUND, "'%s' is not the digest of an image", text_safe(digest));
	dir = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? not_found(digest, e)
		                       : store_failure(s, "can't open an image record", e);
	snprintf(out->digest, sizeof(out->digest), "%s", digest);
	if (read_record(dir, out, &why) < 0) {
		store_image_release(out);
		if (why.code == ERR_NOT_FOUND)
			return not_found(digest, e);
		*e = why;
		return err_wrap(e, "record of image %s", digest);
	}
	for (size_t i = 0; i < out->chain_ids.count; i++) {
		if (store_has_layer(s, out->chain_ids.items[i]))
			continue;
		err_set(e, ERR_NOT_FOUND, "the store has image %s without its layer %s", digest,
		        text_safe(out->chain_ids.items[i]));
		store_image_release(out);
		return -1;
	}
	return 0;
}

void store_image_release(struct store_image *i)
{
	if (!i)
		return;
	free(i->manifest);
	free(i->config);
	strlist_release(&i->chain_ids);
	*i = (struct store_image){ 0 };
}

static int write_part(const struct store_stage *st, const char *name, const char *text, struct err *e)
{
	cleanup_close int fd = openat(st->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	                              0600);

	if (fd < 0)
		return err_sys(e, "can't make the file %s of an image record", name);
	if (file_write_all(fd, text, strlen(text), e) == 0)
		return 0;
	err_wrap(e, "image record");
	return e->code == ERR_SPACE ? err_hint(e, STORE_SPACE_HINT) : -1;
}

static int write_record(const struct store_stage *st, const struct store_image *i, struct err *e)
{
	cleanup_buf struct buf layers = BUF_INIT;

	for (size_t n = 0; n < i->chain_ids.count; n++)
		buf_addf(&layers, "%s\n", i->chain_ids.items[n]);
	if (write_part(st, "manifest.json", i->manifest, e) < 0 ||
	    write_part(st, "config.json", i->config, e) < 0)
		return -1;
	return write_part(st, "layers", layers.data, e);
}

/* A record that can't be read makes room for the one that can. */
static int set_aside(const struct store *s, const char *path, struct err *e)
{
	char name[32], aside[STORE_PATH_MAX];
	struct err ignored;

	store_random_name(name);
	snprintf(aside, sizeof(aside), STORE_TMP "/%s", name);
	if (renameat(s->fd, path, s->fd, aside) < 0 && errno != ENOENT)
		return store_failure(s, "can't replace an image record", e);
	file_remove_tree(s->fd, aside, &ignored); /* or the next start sweeps it */
	return 0;
}

static int rename_record(struct store *s, const struct store_stage *st, const struct store_image *i,
                         const char *path, struct err *e)
{
	cleanup_close int images = openat(s->fd, STORE_IMAGES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char from[STORE_PATH_MAX];
	struct store_image there;
	struct err ignored;

	snprintf(from, sizeof(from), STORE_TMP "/%s", st->name);
	/* Makes the layers' new names durable too, so that the record never comes before them. */
	if (images < 0 || syncfs(st->fd) < 0)
		return store_failure(s, "can't make an image record durable", e);
	for (int tries = 0; renameat(s->fd, from, s->fd, path) < 0; tries++) {
		if ((errno != EEXIST && errno != ENOTEMPTY) || tries)
			return store_failure(s, "can't publish an image record", e);
		if (store_image_load(s, i->digest, &there, &ignored) == 0) {
			store_image_release(&there);
			return 0;
		}
		if (set_aside(s, path, e) < 0)
			return -1;
	}
	return fsync(images) < 0 ? store_failure(s, "can't make an image record durable", e) : 0;
}

static int check_image(const struct store *s, const struct store_image *i, struct err *e)
{
	struct digest *d;
	char computed[DIGEST_MAX];

	if (!digest_is_valid(i->digest))
		return err_set(e, ERR_INTEGRITY, "'%s' is not a digest", text_safe(i->digest));
	d = digest_new(i->digest);
	digest_add(d, i->manifest, strlen(i->manifest));
	digest_end(d, computed);
	if (strcmp(computed, i->digest) != 0)
		return err_set(e, ERR_INTEGRITY, "the manifest's digest is %s, not %s", computed, i->digest);
	for (size_t n = 0; n < i->chain_ids.count; n++)
		if (!store_has_layer(s, i->chain_ids.items[n]))
			return err_set(e, ERR_STORE,
			               "can't record image %s: its layer %s is not in the store", i->digest,
			               text_safe(i->chain_ids.items[n]));
	return 0;
}

int store_image_publish(struct store *s, const struct store_image *i, struct err *e)
{
	char path[STORE_PATH_MAX];
	struct store_stage st;
	int result;

	if (check_image(s, i, e) < 0 || store_stage_new(s, &st, e) < 0)
		return -1;
	store_digest_path(STORE_IMAGES, i->digest, path);
	result = write_record(&st, i, e) < 0 ? -1 : rename_record(s, &st, i, path, e);
	store_stage_drop(s, &st);
	return result;
}
