/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stage.c - staging below tmp/: made by one writer, who holds a flock on it; whoever can take that lock knows that the
 * writer is gone, and removes it.
 *
 * Between making an entry and locking it, it looks abandoned: so a writer makes sure that what it locked is still there
 * under its name, and otherwise begins again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "store/layout.h"

enum { TRIES = 100 };

static void tmp_path(char out[STORE_PATH_MAX], const char *name)
{
	snprintf(out, STORE_PATH_MAX, STORE_TMP "/%s", name);
}

/* Lock what was just made; false: a sweep was faster. */
static bool lock_new(const struct store *s, int fd, const char *path)
{
	struct stat mine, there;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &mine) == 0 &&
	       fstatat(s->fd, path, &there, AT_SYMLINK_NOFOLLOW) == 0 && mine.st_ino == there.st_ino &&
	       mine.st_dev == there.st_dev;
}

int store_stage_new(struct store *s, struct store_stage *st, struct err *e)
{
	char path[STORE_PATH_MAX];

	for (int i = 0; i < TRIES; i++) {
		store_random_name(st->name);
		tmp_path(path, st->name);
		if (mkdirat(s->fd, path, 0700) < 0) {
			if (errno == EEXIST)
				continue;
			break;
		}
		st->fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (st->fd < 0 && errno != ENOENT)
			break;
		if (st->fd >= 0 && lock_new(s, st->fd, path))
			return 0;
		if (st->fd >= 0)
			close(st->fd);
		errno = EBUSY;
	}
	*st = (struct store_stage){ .fd = -1 };
	return store_failure(s, "can't make a staging directory", e);
}

void store_stage_drop(struct store *s, struct store_stage *st)
{
	char path[STORE_PATH_MAX];
	struct err ignored;

	if (!st->name[0])
		return;
	tmp_path(path, st->name);
	file_remove_tree(s->fd, path, &ignored); /* what is left, the next start sweeps */
	close(st->fd);
	*st = (struct store_stage){ .fd = -1 };
}

/* Create, lock and fill tmp/NAME. 1: a sweep took it away. */
static int write_temporary(const struct store *s, const char *path, const void *data, size_t len, int *fd,
                           struct err *e)
{
	*fd = openat(s->fd, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return store_failure(s, "can't make a file", e);
	if (!lock_new(s, *fd, path))
		return 1;
	if (file_write_all(*fd, data, len, e) < 0) {
		err_wrap(e, "store %s", text_safe(s->path));
		return e->code == ERR_SPACE ? err_hint(e, STORE_SPACE_HINT) : -1;
	}
	if (fsync(*fd) < 0)
		return store_failure(s, "can't write a file", e);
	return 0;
}

static int sync_parent(const struct store *s, const char *path, struct err *e)
{
	cleanup_free char *parent = path_parent(path);
	cleanup_close int fd = openat(s->fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return store_failure(s, "can't write a directory", e);
	return 0;
}

int store_put_file(const struct store *s, const char *path, const void *data, size_t len, struct err *e)
{
	char name[32], temporary[STORE_PATH_MAX];

	for (int i = 0; i < TRIES; i++) {
		cleanup_close int fd = -1;
		int result;

		store_random_name(name);
		tmp_path(temporary, name);
		result = write_temporary(s, temporary, data, len, &fd, e);
		if (result == 0 && renameat(s->fd, temporary, s->fd, path) == 0)
			return sync_parent(s, path, e);
		if (result == 0 && errno != ENOENT)
			result = store_failure(s, "can't rename a file", e);
		unlinkat(s->fd, temporary, 0);
		if (result < 0)
			return -1;
	}
	return err_set(e, ERR_STORE, "can't write %s in the store %s: it vanishes", path,
	               text_safe(s->path));
}

static int sweep_one(const struct store *s, const char *name, bool dry, store_removed *removed, void *data,
                     struct err *e)
{
	char path[STORE_PATH_MAX];
	cleanup_close int fd = -1;
	uint64_t bytes;

	if (strlen(name) > 64)
		return 0; /* not ours */
	tmp_path(path, name);
	fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ELOOP
		               ? 0
		               : store_failure(s, "can't open abandoned staging", e);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return 0; /* its writer lives */
	bytes = removed ? file_tree_bytes(s->fd, path) : 0;
	if (!dry && file_remove_tree(s->fd, path, e) < 0)
		return err_wrap(e, "store %s", text_safe(s->path));
	if (removed)
		removed(data, "staging", name, bytes);
	return 0;
}

int store_sweep(const struct store *s, bool dry, store_removed *removed, void *data, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;

	if (store_names_in(s, STORE_TMP, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (sweep_one(s, names.items[i], dry, removed, data, e) < 0)
			return -1;
	return 0;
}
