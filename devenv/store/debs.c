/* SPDX-License-Identifier: Apache-2.0 */
/* debs.c - packages as they were fetched, by the hash of the file. What is there is whole: see store_debs_publish. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/layout.h"

/* false: no name of ours. */
static bool deb_path(const char *sha256, char out[STORE_PATH_MAX])
{
	if (!text_is_hex(sha256, 64))
		return false;
	snprintf(out, STORE_PATH_MAX, STORE_DEBS "/%s", sha256);
	return true;
}

bool store_has_deb(const struct store *s, const char *sha256, uint64_t size)
{
	char path[STORE_PATH_MAX];
	struct stat st;

	return deb_path(sha256, path) && fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == size;
}

int store_deb_open(const struct store *s, const char *sha256, struct err *e)
{
	char path[STORE_PATH_MAX];
	int fd;

	if (!deb_path(sha256, path))
		return err_set(e, ERR_INTEGRITY, "'%s' is not a sha256", text_safe(sha256));
	fd = openat(s->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "the store %s has no package %s", text_safe(s->path), sha256);
	return store_failure(s, "can't open a package", e);
}

int store_debs_publish(struct store *s, struct store_stage *st, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	cleanup_close int directory = -1;
	char path[STORE_PATH_MAX];

	if (file_names(st->fd, ".", false, &names, e) < 0)
		return err_wrap(e, "store %s", text_safe(s->path));
	if (names.count == 0)
		return 0;
	if (mkdirat(s->fd, STORE_DEBS, 0700) < 0 && errno != EEXIST)
		return store_failure(s, "can't make a directory", e);
	if (syncfs(st->fd) < 0)
		return store_failure(s, "can't write packages", e);
	for (size_t i = 0; i < names.count; i++)
		if (deb_path(names.items[i], path) && renameat(st->fd, names.items[i], s->fd, path) < 0)
			return store_failure(s, "can't keep a package", e);
	directory = openat(s->fd, STORE_DEBS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || fsync(directory) < 0)
		return store_failure(s, "can't write a directory", e);
	return 0;
}
