/* SPDX-License-Identifier: Apache-2.0 */
/* store_fixture.h - a store in a temporary directory, with made-up layers and images. */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "tempdir.h"

#include <dirent.h>

#include "base/digest.h"
#include "store/store.h"

static struct store store;
static char *store_path;

static inline void open_store(void)
{
	struct err e = ERR_INIT;

	store_path = mem_printf("%s/store", tempdir);
	if (store_open(&store, store_path, &e) < 0)
		fail_msg("%s", e.msg);
}

static inline void close_store(void)
{
	store_close(&store);
	free(store_path);
	store_path = NULL;
}

static inline void stage_write(const struct store_stage *st, const char *path, const char *text)
{
	int fd = openat(st->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* A layer whose tree holds one file "content"; its chain id in `id`. */
static inline void add_layer(struct store *s, const char *content, const char *parent, char id[DIGEST_MAX])
{
	struct store_layer_meta meta = { .bytes = 8192, .files = 1, .parent = parent };
	char diff_id[DIGEST_MAX];
	struct store_stage st;
	struct err e = ERR_INIT;

	digest_bytes(content, strlen(content), diff_id);
	store_chain_id(parent, diff_id, id);
	meta.diff_id = diff_id;
	if (store_stage_new(s, &st, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(mkdirat(st.fd, "fs", 0755), 0);
	stage_write(&st, "fs/content", content);
	stage_write(&st, "owners", "devenv-owners 1\n");
	assert_int_equal(store_layer_meta_write(&st, &meta, &e), 0);
	if (store_layer_publish(s, &st, id, &e) < 0)
		fail_msg("%s", e.msg);
	store_stage_drop(s, &st);
}

/* An image of two layers named after `name`; its digest in `digest`. */
static inline void add_image(struct store *s, const char *name, char digest[DIGEST_MAX])
{
	struct store_image image = { .config =
		                             (char *)"{\"history\":[{\"created\":\"2001-01-01T00:00:00Z\"}],"
		                                     "\"created\" : \"2024-05-14T01:02:03.5+02:00\"}" };
	char low[DIGEST_MAX], top[DIGEST_MAX], *text = mem_printf("{\"name\":\"%s\"}", name);
	struct err e = ERR_INIT;

	add_layer(s, "shared", NULL, low);
	add_layer(s, name, low, top);
	image.manifest = text;
	digest_bytes(text, strlen(text), digest);
	memcpy(image.digest, digest, DIGEST_MAX);
	strlist_add(&image.chain_ids, low);
	strlist_add(&image.chain_ids, top);
	if (store_image_publish(s, &image, &e) < 0)
		fail_msg("%s", e.msg);
	strlist_release(&image.chain_ids);
	free(text);
}

static inline size_t count_in(const char *dir)
{
	char *path = mem_printf("%s/%s", store_path, dir);
	size_t n = 0;
	DIR *d = opendir(path);

	assert_non_null(d);
	for (const struct dirent *entry; (entry = readdir(d));)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(d);
	free(path);
	return n;
}

#endif
