/* SPDX-License-Identifier: Apache-2.0 */
/* tree_list.h - all that a layer's tree is, as text: a line per path with type, mode, time, content, link and attributes. */
#ifndef TESTS_UNIT_TREE_LIST_H
#define TESTS_UNIT_TREE_LIST_H

#include "tempdir.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/digest.h"

static inline void tree_list_xattrs(int fd, const char *path, struct buf *out)
{
	char names[4096], value[4096], *full = mem_printf("/proc/self/fd/%d/%s", fd, path);
	ssize_t len = llistxattr(full, names, sizeof(names));

	for (ssize_t at = 0; at < len; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t n = lgetxattr(full, names + at, value, sizeof(value));

		if (strncmp(names + at, "user.", 5) == 0 && n >= 0)
			buf_addf(out, " %s=%.*s", names + at, (int)n, value);
	}
	free(full);
}

static inline void tree_list_one(int fd, const char *path, const struct stat *st, struct buf *out)
{
	char target[4096] = "", digest[DIGEST_MAX] = "-";
	struct err e = ERR_INIT;

	if (S_ISLNK(st->st_mode))
		assert_true(readlinkat(fd, path, target, sizeof(target) - 1) > 0);
	if (S_ISREG(st->st_mode)) {
		int file = openat(fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		assert_true(file >= 0 && digest_fd(file, digest, NULL, &e) == 0);
		close(file);
	}
	buf_addf(out, "%s %o %lld.%09ld %s %s", path, st->st_mode, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, digest, target);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		buf_addf(out, " %u:%u", major(st->st_rdev), minor(st->st_rdev));
	tree_list_xattrs(fd, path, out);
	buf_addch(out, '\n');
}

/* `path` is "." at first. */
static inline void tree_list(int fd, const char *path, struct buf *out)
{
	struct strlist names = STRLIST_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	assert_int_equal(fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	tree_list_one(fd, path, &st, out);
	if (!S_ISDIR(st.st_mode))
		return;
	if (file_names(fd, path, true, &names, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < names.count; i++) {
		char *child = mem_printf("%s/%s", path, names.items[i]);

		tree_list(fd, child, out);
		free(child);
	}
	strlist_release(&names);
}

#endif
