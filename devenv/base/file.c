/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - single files: reading, replacing, locking. Trees are in file_tree.c. */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

#define LINE_MAX_BYTES 8192

int file_open_dir(int dirfd, const char *path, struct err *e)
{
	int fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "can't open the directory %s", text_safe(path)) : fd;
}

/* `expected`: where a regular file of that size ends, without the read that says so; 0: not known. */
static int read_up_to(int fd, size_t max, size_t expected, struct buf *out, struct err *e)
{
	size_t start = out->len;

	for (;;) {
		size_t had = out->len - start, room = out->cap > out->len + 1 ? out->cap - out->len - 1 : 0;
		ssize_t n;

		if (room < 4096)
			room = 4096;
		if (room > max - had)
			room = max - had + (max < SIZE_MAX); /* one byte more tells "too long" from "just fits" */
		n = read(fd, buf_reserve(out, room), room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "can't read");
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (!n || (expected && out->len - start == expected))
			return 0;
		if (out->len - start > max)
			return err_set(e, ERR_CONFIG, "more than %zu bytes", max);
	}
}

int file_read_fd(int fd, size_t max, struct buf *out, struct err *e)
{
	return read_up_to(fd, max, 0, out, e);
}

int file_read_open(int dirfd, const char *path, size_t max, int flags, struct buf *out, struct stat *st, struct err *e)
{
	cleanup_close int fd = -1;
	struct stat local;

	/* O_NONBLOCK: a FIFO put in a file's place must not hang us before fstat tells what it is. */
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | flags);
	if (fd < 0) {
		int missing = errno == ENOENT || errno == ENOTDIR;

		err_sys(e, "can't open %s", text_safe(path));
		if (missing && e)
			e->code = ERR_NOT_FOUND;
		return -1;
	}
	if (!st)
		st = &local;
	if (fstat(fd, st) < 0)
		return err_sys(e, "can't look at %s", text_safe(path));
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_CONFIG, "can't read %s: not a regular file", text_safe(path));
	if (st->st_size > 0 && (uint64_t)st->st_size <= max)
		buf_reserve(out, (size_t)st->st_size + 1 + 4096); /* a read never asks for less */
	if (read_up_to(fd, max, (uint64_t)st->st_size <= max ? (size_t)st->st_size : 0, out, e) < 0)
		return err_wrap(e, "%s", text_safe(path));
	return mem_steal_fd(fd);
}

int file_read(int dirfd, const char *path, size_t max, int flags, struct buf *out, struct stat *st, struct err *e)
{
	cleanup_close int fd = file_read_open(dirfd, path, max, flags, out, st, e);

	return fd < 0 ? -1 : 0;
}

char *file_line(const char *path)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (file_read(AT_FDCWD, path, LINE_MAX_BYTES, O_NOFOLLOW, &text, NULL, &ignored) < 0 ||
	    memchr(text.data, '\0', text.len))
		return NULL;
	return mem_strndup(text.data, strcspn(text.data, "\r\n"));
}

int file_names(int dirfd, const char *path, bool hidden, struct strlist *names, struct err *e)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *d;

	if (!dir) {
		err_sys_(e, errno, "can't list the directory %s", text_safe(path));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.' || (hidden && strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0))
			strlist_add(names, d->d_name);
	closedir(dir);
	strlist_sort(names);
	return 0;
}

int file_write_all(int fd, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "can't write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool is_still_there(int dirfd, const char *path, int fd)
{
	struct stat by_fd, by_name;

	return fstat(fd, &by_fd) == 0 && fstatat(dirfd, path, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	       by_fd.st_dev == by_name.st_dev && by_fd.st_ino == by_name.st_ino;
}

/* Remove a temporary file whose writer died. Only under its lock, so never one that is being written. */
static void sweep(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		if (errno != ENOENT)
			unlinkat(dirfd, path, 0); /* a link or an unreadable file: nothing of ours */
		return;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_still_there(dirfd, path, fd))
		unlinkat(dirfd, path, 0);
	close(fd);
}

/*
 * The temporary file has one fixed name per target, so a writer that is killed leaves at most one, and the next
 * writer removes it. It is always created anew (nobody else can hold it open for writing) and held under a lock.
 */
static int open_temporary(int dirfd, const char *path)
{
	for (int tries = 0; tries < 5000; tries++) {
		int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd >= 0) {
			if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_still_there(dirfd, path, fd))
				return fd;
			close(fd); /* somebody took it for a dead writer's in the meantime */
			continue;
		}
		if (errno != EEXIST)
			return -1;
		sweep(dirfd, path);
		if (tries)
			nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	}
	errno = EBUSY;
	return -1;
}

static int sync_directory(int dirfd, const char *path, struct err *e)
{
	cleanup_free char *parent = path_parent(path);
	cleanup_close int fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* EINVAL: a file system without fsync of directories has nothing to wait for. */
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_sys(e, "can't make %s durable", text_safe(path));
	return 0;
}

static int fill_temporary(int fd, const void *data, size_t len, mode_t mode, enum file_durability d)
{
	struct err why = ERR_INIT;

	if (file_write_all(fd, data, len, &why) < 0) {
		errno = why.sys;
		return -1;
	}
	if (fchmod(fd, mode) < 0)
		return -1;
	return d == FILE_DURABLE ? fsync(fd) : 0;
}

/* One message whichever step failed: who reads it knows the file, not our temporary one. */
static int not_replaced(const char *path, struct err *e)
{
	if (errno == EBUSY)
		return err_set(e, ERR_BUSY, "can't write %s: another process has been writing it for long",
			       text_safe(path));
	return err_sys(e, "can't write %s", text_safe(path));
}

int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode, enum file_durability d,
		 struct err *e)
{
	cleanup_free char *parent = path_parent(path);
	cleanup_free char *temporary = mem_printf("%s/.%.200s.new", parent, path_base(path));
	cleanup_close int fd = open_temporary(dirfd, temporary);

	if (fd < 0)
		return not_replaced(path, e);
	if (fill_temporary(fd, data, len, mode, d) < 0 || renameat(dirfd, temporary, dirfd, path) < 0) {
		not_replaced(path, e);
		unlinkat(dirfd, temporary, 0);
		return -1;
	}
	return d == FILE_DURABLE ? sync_directory(dirfd, path, e) : 0;
}

bool file_exists(int dirfd, const char *path)
{
	return faccessat(dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int file_lock(int fd, bool exclusive, bool wait, struct err *e)
{
	int operation = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB);

	if (flock(fd, operation) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(e, ERR_BUSY, "somebody else holds the lock");
	if (errno == EINTR)
		return err_set(e, ERR_INTERRUPTED, "interrupted while waiting for a lock");
	return err_sys(e, "can't lock");
}
