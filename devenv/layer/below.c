/* SPDX-License-Identifier: Apache-2.0 */
/*
 * below.c - see below.h. Only used for what an archive doesn't say itself (parents without an entry, links into lower
 * layers), so it walks component by component and keeps nothing.
 */
#include "layer/below.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"

/* One attribute of an O_PATH descriptor, which fgetxattr refuses. */
static char attribute(int fd, const char *name)
{
	char link[40], value[8];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return getxattr(link, name, value, sizeof(value)) > 0 ? value[0] : '\0';
}

static bool is_opaque(int fd)
{
	return attribute(fd, "user.overlay.opaque") == 'y';
}

static bool is_whiteout(int dirfd, const char *name, const struct stat *st)
{
	char link[40 + NAME_MAX + 2], value[8];

	if (S_ISCHR(st->st_mode) && st->st_rdev == 0)
		return true;
	if (!S_ISREG(st->st_mode) || st->st_size != 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d/%s", dirfd, name);
	return lgetxattr(link, "user.overlay.whiteout", value, sizeof(value)) >= 0;
}

enum step { STEP_DIR, STEP_MISSING, STEP_HIDES, STEP_ERROR };

/* Go down one component in one layer; *fd is replaced on STEP_DIR. */
static enum step step_down(int *fd, const char *name, bool *opaque)
{
	struct stat st;
	int next;

	if (fstatat(*fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? STEP_MISSING : STEP_ERROR;
	if (!S_ISDIR(st.st_mode))
		return STEP_HIDES;
	next = openat(*fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return STEP_ERROR;
	close(*fd);
	*fd = next;
	*opaque |= is_opaque(next);
	return STEP_DIR;
}

/* The directory `dir` of layer i in *fd, or why there is none; *opaque: layers below it don't count. */
static enum step walk(const struct below *b, size_t i, const char *dir, int *fd, bool *opaque)
{
	enum step step = STEP_DIR;
	char name[NAME_MAX + 1];

	*opaque = false;
	*fd = openat(b->fds[i], ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return STEP_ERROR;
	while (*dir && step == STEP_DIR) {
		size_t len = strcspn(dir, "/");

		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
			return STEP_ERROR;
		}
		memcpy(name, dir, len);
		name[len] = '\0';
		dir += len + (dir[len] == '/');
		step = step_down(fd, name, opaque);
	}
	return step;
}

/* Add layer i's part of `dir`: 1 when what lies below it counts too, 0 when it doesn't, -1. */
static int add_part(const struct below *b, size_t i, const char *dir, struct below_dir *out)
{
	cleanup_close int fd = -1;
	bool opaque;
	enum step step = walk(b, i, dir, &fd, &opaque);

	if (step == STEP_ERROR)
		return -1;
	if (step == STEP_HIDES)
		return 0;
	if (step == STEP_DIR) {
		out->layers[out->count] = i;
		out->fds[out->count++] = mem_steal_fd(fd);
	}
	return !opaque;
}

int below_dir_open(const struct below *b, const char *dir, struct below_dir *out, struct err *e)
{
	int more = 1;

	*out = (struct below_dir){ .fds = mem_array(b->count + 1, sizeof(*out->fds)),
		                   .layers = mem_array(b->count + 1, sizeof(*out->layers)) };
	for (size_t i = 0; i < b->count && more > 0; i++)
		more = add_part(b, i, dir, out);
	if (more >= 0)
		return 0;
	err_sys(e, "can't look up %s in the layers below", text_safe(dir));
	below_dir_close(out);
	return -1;
}

void below_dir_close(struct below_dir *d)
{
	while (d->count > 0)
		close(d->fds[--d->count]);
	free(d->fds);
	free(d->layers);
	*d = (struct below_dir){ 0 };
}

static enum below_kind kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return BELOW_DIR;
	if (S_ISLNK(mode))
		return BELOW_LINK;
	return S_ISREG(mode) ? BELOW_FILE : BELOW_OTHER;
}

/* In one part: 1 found (kind NONE: found to be hidden), 0 not there, -1. */
static int find_in(int fd, const char *name, struct below_hit *hit)
{
	ssize_t n;

	if (fstatat(fd, name, &hit->st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (is_whiteout(fd, name, &hit->st))
		return 1;
	hit->kind = kind_of(hit->st.st_mode);
	if (hit->kind != BELOW_LINK)
		return 1;
	n = readlinkat(fd, name, hit->target, sizeof(hit->target) - 1);
	if (n < 0)
		return -1;
	hit->target[n] = '\0';
	return 1;
}

int below_dir_find(const struct below_dir *d, const char *name, struct below_hit *hit, struct err *e)
{
	hit->kind = BELOW_NONE;
	for (size_t i = 0; i < d->count; i++) {
		int found = find_in(d->fds[i], name, hit);

		if (found < 0)
			return err_sys(e, "can't look up %s in the layers below", text_safe(name));
		hit->layer = d->layers[i];
		if (found)
			return 0;
	}
	return 0;
}

int below_find(const struct below *b, const char *dir, const char *name, struct below_hit *hit, struct err *e)
{
	struct below_dir d;
	int result;

	if (below_dir_open(b, dir, &d, e) < 0)
		return -1;
	result = below_dir_find(&d, name, hit, e);
	below_dir_close(&d);
	return result;
}

int below_open(const struct below *b, const char *dir, const char *name, const struct below_hit *hit,
               struct err *e)
{
	cleanup_close int parent = -1;
	bool opaque;
	int fd = -1;

	if (walk(b, hit->layer, dir, &parent, &opaque) == STEP_DIR)
		fd = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "can't open %s/%s in the layers below", text_safe(dir), text_safe(name))
	              : fd;
}

int below_list_root(const struct below *b, struct strlist *names, struct err *e)
{
	for (size_t i = 0; i < b->count; i++) {
		int fd = openat(b->fds[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *dir = fd < 0 ? NULL : fdopendir(fd);
		const struct dirent *entry;

		if (!dir) {
			if (fd >= 0)
				close(fd);
			return err_sys(e, "can't list the layers below");
		}
		while ((entry = readdir(dir))) {
			struct stat st;

			if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			    is_whiteout(fd, entry->d_name, &st))
				continue;
			strlist_add(names, entry->d_name);
		}
		closedir(dir);
	}
	return 0;
}
