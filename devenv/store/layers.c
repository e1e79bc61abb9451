/* SPDX-License-Identifier: Apache-2.0 */
/* layers.c - the layers of the store: one immutable directory each. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/layout.h"

enum { META_MAX = 4096 };

void store_chain_id(const char *parent_or_null, const char *diff_id, char out[136])
{
	struct digest *d;

	if (!parent_or_null) {
		snprintf(out, DIGEST_MAX, "%s", diff_id);
		return;
	}
	d = digest_new(NULL);
	digest_add(d, parent_or_null, strlen(parent_or_null));
	digest_add(d, " ", 1);
	digest_add(d, diff_id, strlen(diff_id));
	digest_end(d, out);
}

bool store_has_layer(const struct store *s, const char *chain_id)
{
	char path[STORE_PATH_MAX];

	return store_digest_path(STORE_LAYERS, chain_id, path) && file_exists(s->fd, path);
}

char *store_layer_path(const struct store *s, const char *chain_id)
{
	return mem_printf("%s/" STORE_LAYERS "/%s/fs", s->path, digest_hex(chain_id));
}

int store_layer_open(const struct store *s, const char *chain_id, struct err *e)
{
	char path[STORE_PATH_MAX];
	int fd;

	if (!store_digest_path(STORE_LAYERS, chain_id, path))
		return err_set(e, ERR_NOT_FOUND, "'%s' is not the id of a layer", text_safe(chain_id));
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/fs");
	fd = openat(s->fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "the store has no layer %s", chain_id);
	return fd < 0 ? store_failure(s, "can't open a layer", e) : fd;
}

int store_layer_lock(struct store *s, const char *chain_id, struct err *e)
{
	return store_layer_await(s, chain_id, "another devenv that fetches this layer", e);
}

int store_layer_await(struct store *s, const char *chain_id, const char *what, struct err *e)
{
	char path[STORE_PATH_MAX];

	if (!store_digest_path(STORE_LOCKS, chain_id, path))
		return err_set(e, ERR_NOT_FOUND, "'%s' is not the id of a layer", text_safe(chain_id));
	for (;;) {
		struct stat mine, there;
		int fd = openat(s->fd, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0)
			return store_failure(s, "can't open a layer's lock", e);
		if (store_wait(fd, true, what, e) < 0) {
			close(fd);
			return err_wrap(e, "store %s", text_safe(s->path));
		}
		/* A lock on a file that lost its name holds nobody back. */
		if (fstat(fd, &mine) == 0 && fstatat(s->fd, path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		    mine.st_ino == there.st_ino)
			return fd;
		close(fd);
	}
}

/* ---- meta ---- */

int store_layer_meta_write(struct store_stage *st, const struct store_layer_meta *m, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_close int fd = -1;

	buf_addf(&text, "diff_id %s\n", m->diff_id ? m->diff_id : "-");
	if (m->parent)
		buf_addf(&text, "parent %s\n", m->parent);
	buf_addf(&text, "bytes %llu\nfiles %llu\n", (unsigned long long)m->bytes,
	         (unsigned long long)m->files);
	fd = openat(st->fd, "meta", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "can't make a layer's meta file");
	if (file_write_all(fd, text.data, text.len, e) == 0)
		return 0;
	err_wrap(e, "a layer's meta file");
	return e->code == ERR_SPACE ? err_hint(e, STORE_SPACE_HINT) : -1;
}

/* The value of a line "key value" of a layer's meta, into out. */
static bool meta_value(const struct store *s, const char *chain_id, const char *key, char *out, size_t size)
{
	char path[STORE_PATH_MAX];
	cleanup_buf struct buf text = BUF_INIT;
	size_t key_len = strlen(key);
	struct err ignored;

	if (!store_digest_path(STORE_LAYERS, chain_id, path))
		return false;
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/meta");
	if (file_read(s->fd, path, META_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0)
		return false;
	for (const char *line = text.data; *line;) {
		size_t len = strcspn(line, "\n");

		if (len > key_len && strncmp(line, key, key_len) == 0 && line[key_len] == ' ') {
			snprintf(out, size, "%.*s", (int)(len - key_len - 1), line + key_len + 1);
			return true;
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

uint64_t store_layer_bytes(const struct store *s, const char *chain_id)
{
	char value[32];
	uint64_t bytes;

	if (!meta_value(s, chain_id, "bytes", value, sizeof(value)) ||
	    text_number(value, UINT64_MAX, &bytes) < 0)
		return 0;
	return bytes;
}

bool store_layer_parent(const struct store *s, const char *chain_id, char parent[136])
{
	return meta_value(s, chain_id, "parent", parent, DIGEST_MAX) && digest_is_valid(parent);
}

/* ---- publishing ---- */

static int complete_stage(struct store_stage *st, struct err *e)
{
	struct store_layer_meta meta = { 0 };
	struct stat file;

	if (fstatat(st->fd, "fs", &file, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(file.st_mode))
		return err_set(e, ERR_STORE, "can't publish a layer: its staging directory has no tree");
	if (file_exists(st->fd, "meta"))
		return 0;
	meta.bytes = file_tree_bytes(st->fd, "fs");
	return store_layer_meta_write(st, &meta, e);
}

/* A name must never outlive, in a power failure, the content it stands for: after a syncfs. Somebody else's is as good. */
static int give_name(struct store *s, const char *from, const char *to, struct err *e)
{
	if (renameat(s->fd, from, s->fd, to) == 0 || errno == EEXIST || errno == ENOTEMPTY)
		return 0;
	return store_failure(s, "can't publish a layer", e);
}

static int check_chain_id(const char *chain_id, char path[STORE_PATH_MAX], struct err *e)
{
	if (!store_digest_path(STORE_LAYERS, chain_id, path))
		return err_set(e, ERR_STORE, "can't publish a layer under the name '%s'", text_safe(chain_id));
	return 0;
}

int store_staged_publish(struct store *s, struct store_staged *layers, size_t count, struct err *e)
{
	char from[STORE_PATH_MAX], to[STORE_PATH_MAX];
	const struct store_stage *missing = NULL;

	for (size_t i = 0; i < count; i++) {
		if (check_chain_id(layers[i].chain_id, to, e) < 0 || complete_stage(&layers[i].stage, e) < 0)
			return -1;
		if (!file_exists(s->fd, to))
			missing = &layers[i].stage;
	}
	if (missing && syncfs(missing->fd) < 0)
		return store_failure(s, "can't make a layer durable", e);
	for (size_t i = 0; i < count; i++) {
		check_chain_id(layers[i].chain_id, to, e);
		snprintf(from, sizeof(from), STORE_TMP "/%s", layers[i].stage.name);
		if (!file_exists(s->fd, to) && give_name(s, from, to, e) < 0)
			return -1;
	}
	return 0;
}

int store_layer_publish(struct store *s, struct store_stage *st, const char *chain_id, struct err *e)
{
	struct store_staged one = { .stage = *st };

	snprintf(one.chain_id, sizeof(one.chain_id), "%s", chain_id);
	return store_staged_publish(s, &one, 1, e);
}

int store_layers_publish(struct store *s, struct store_stage *st, const struct strlist *chain_ids, struct err *e)
{
	char from[STORE_PATH_MAX], to[STORE_PATH_MAX];

	if (chain_ids->count > 0 && syncfs(st->fd) < 0)
		return store_failure(s, "can't make layers durable", e);
	for (size_t i = 0; i < chain_ids->count; i++) {
		if (check_chain_id(chain_ids->items[i], to, e) < 0)
			return -1;
		snprintf(from, sizeof(from), STORE_TMP "/%s/%s", st->name, digest_hex(chain_ids->items[i]));
		if (!file_exists(s->fd, to) && give_name(s, from, to, e) < 0)
			return -1;
	}
	return 0;
}
