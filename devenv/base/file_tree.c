/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_tree.c - directories and whole trees, by descriptor: making, removing, measuring.
 *
 * A descriptor is held per level, so depth is bounded; a tree that is deeper is removed by moving its deep part up to
 * the top first, as often as it takes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"

enum { DEEPEST = 200 }; /* well below the usual limit of 1024 descriptors */

int file_mkdirs(int dirfd, const char *path, mode_t mode, struct err *e)
{
	cleanup_free char *copy = mem_strdup(path);
	struct stat st;

	for (char *p = copy;; p++) {
		char c = *p;

		if ((c != '/' && c != '\0') || p == copy) {
			if (c)
				continue;
			return 0; /* "" */
		}
		*p = '\0';
		if (mkdirat(dirfd, copy, mode) < 0 && errno != EEXIST) {
			int saved = errno; /* EROFS, EACCES: fine where it exists */

			if (fstatat(dirfd, copy, &st, 0) < 0) {
				errno = saved;
				return err_sys(e, "can't make the directory %s", text_safe(copy));
			}
		}
		*p = c;
		if (!c)
			break;
	}
	if (fstatat(dirfd, path, &st, 0) < 0)
		return err_sys(e, "can't make the directory %s", text_safe(path));
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_FAILED, "can't make the directory %s: a file is there", text_safe(path));
	return 0;
}

static int open_component(int dirfd, const char *name, mode_t mode)
{
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (mkdirat(dirfd, name, mode) < 0 && errno != EEXIST)
		return -1;
	return openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int file_open_dirs_beneath(int dirfd, const char *path, mode_t mode, struct err *e)
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	int fd = openat(dirfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "can't open a directory");
	strlist_split(&parts, path, "/");
	for (size_t i = 0; i < parts.count; i++) {
		const char *name = parts.items[i];
		int next;

		if (!strcmp(name, "..")) {
			close(fd);
			return err_set(e, ERR_FAILED, "can't open %s: it has a '..' in it", text_safe(path));
		}
		next = open_component(fd, name, mode);
		if (next < 0)
			err_sys(e, "can't open the directory %s (at '%s')", text_safe(path), text_safe(name));
		close(fd);
		if (next < 0)
			return -1;
		fd = next;
	}
	return fd;
}

static bool is_dot(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* chmod of a directory that can't be opened, without following a link put in its place. */
static void make_accessible(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char link[40];

	if (fd < 0)
		return;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	chmod(link, 0700);
	close(fd);
}

/* Without openat2 (an old container's seccomp filter) a bind mount of the same file system is not told from a
 * directory. */
static int open_same_device(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat parent, child;

	if (fd >= 0 && (fstat(fd, &child) < 0 || fstatat(dirfd, ".", &parent, 0) < 0 || parent.st_dev != child.st_dev)) {
		close(fd);
		errno = EXDEV;
		return -1;
	}
	return fd;
}

static int open_same_mount(int dirfd, const char *name)
{
	int fd = sys_openat2(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, SYS_RESOLVE_NO_XDEV);

	return fd < 0 && errno == ENOSYS ? open_same_device(dirfd, name) : fd;
}

static int open_to_empty(int dirfd, const char *name)
{
	int fd = open_same_mount(dirfd, name);

	if (fd >= 0 || errno != EACCES)
		return fd;
	make_accessible(dirfd, name);
	return open_same_mount(dirfd, name);
}

struct removal {
	int top;	      /* the directory deep parts are moved to */
	unsigned int counter; /* names for them */
	bool moved;	      /* there may be new entries at the top */
};

static int empty_directory(struct removal *r, DIR *dir, int depth, struct err *e);

static int remove_directory(struct removal *r, int parent, const char *name, int depth, struct err *e)
{
	DIR *dir;
	int fd, result;

	if (depth >= DEEPEST) {
		char moved[40];

		make_accessible(parent, name); /* renaming a directory writes to it */
		do
			snprintf(moved, sizeof(moved), ".deep-%u", r->counter++);
		while (file_exists(r->top, moved));
		if (renameat(parent, name, r->top, moved) < 0)
			return err_sys(e, "can't remove the deep directory %s", text_safe(name));
		r->moved = true;
		return 0;
	}
	fd = open_to_empty(parent, name);
	if (fd < 0) {
		if (errno == ENOENT)
			return 0;
		if (errno == EXDEV)
			return err_set(e, ERR_BUSY, "can't remove %s: a file system is mounted there", text_safe(name));
		return err_sys(e, "can't remove the directory %s", text_safe(name));
	}
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return err_sys(e, "can't remove the directory %s", text_safe(name));
	}
	if (depth == 0)
		r->top = fd;
	result = empty_directory(r, dir, depth, e);
	closedir(dir);
	if (result == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "can't remove the directory %s", text_safe(name));
	return result;
}

static int remove_entry(struct removal *r, int fd, const struct dirent *entry, int depth, struct err *e)
{
	const char *name = entry->d_name;

	for (int tries = 0; entry->d_type != DT_DIR && tries < 2; tries++) {
		if (unlinkat(fd, name, 0) == 0 || errno == ENOENT)
			return 0;
		if (errno == EISDIR || (errno == EPERM && entry->d_type == DT_UNKNOWN))
			break;
		if (errno != EACCES || tries || fchmod(fd, 0700) < 0)
			return err_sys(e, "can't remove %s", text_safe(name));
	}
	return remove_directory(r, fd, name, depth + 1, e);
}

static int empty_directory(struct removal *r, DIR *dir, int depth, struct err *e)
{
	int fd = dirfd(dir);
	struct stat st;

	/* Entries of a directory without w or x can't be removed or opened; its owner may change that. */
	if (fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700)
		fchmod(fd, 0700);
	do {
		const struct dirent *entry;

		if (depth == 0)
			r->moved = false;
		rewinddir(dir);
		for (errno = 0; (entry = readdir(dir)); errno = 0) {
			if (!is_dot(entry->d_name) && remove_entry(r, fd, entry, depth, e) < 0)
				return -1;
		}
		if (errno)
			return err_sys(e, "can't list a directory");
	} while (depth == 0 && r->moved);
	return 0;
}

int file_remove_tree(int dirfd, const char *name, struct err *e)
{
	struct removal r = { .top = -1 };

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != EACCES)
		return err_sys(e, "can't remove %s", text_safe(name));
	return remove_directory(&r, dirfd, name, 0, e);
}

/* Inodes seen that have several links: open addressing, at most half full. */
struct inode_set {
	ino_t *slots; /* 0: free */
	size_t size, used;
};

static bool inode_set_insert(struct inode_set *set, ino_t ino)
{
	size_t i;

	for (i = (size_t)ino * 0x9e3779b97f4a7c15ULL & (set->size - 1); set->slots[i]; i = (i + 1) & (set->size - 1))
		if (set->slots[i] == ino)
			return false;
	set->slots[i] = ino;
	set->used++;
	return true;
}

static bool inode_set_add(struct inode_set *set, ino_t ino)
{
	if (set->used * 2 >= set->size) {
		struct inode_set bigger = { .size = set->size ? set->size * 2 : 256 };

		bigger.slots = mem_array(bigger.size, sizeof(*bigger.slots));
		for (size_t i = 0; i < set->size; i++)
			if (set->slots[i])
				inode_set_insert(&bigger, set->slots[i]);
		free(set->slots);
		*set = bigger;
	}
	return inode_set_insert(set, ino);
}

static uint64_t entry_bytes(int dirfd, const char *name, dev_t dev, struct inode_set *seen, int depth)
{
	struct stat st;
	uint64_t total;
	const struct dirent *entry;
	DIR *dir;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (depth && st.st_dev != dev))
		return 0;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && !inode_set_add(seen, st.st_ino))
		return 0;
	total = (uint64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode) || depth >= DEEPEST)
		return total;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return total;
	}
	while ((entry = readdir(dir)))
		if (!is_dot(entry->d_name))
			total += entry_bytes(fd, entry->d_name, st.st_dev, seen, depth + 1);
	closedir(dir);
	return total;
}

uint64_t file_tree_bytes(int dirfd, const char *name)
{
	struct inode_set seen = { 0 };
	uint64_t total = entry_bytes(dirfd, name, 0, &seen, 0);

	free(seen.slots);
	return total;
}
