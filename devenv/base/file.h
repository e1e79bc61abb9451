/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files below a directory descriptor.
 *
 * Every descriptor returned is O_CLOEXEC. A `dirfd` may be AT_FDCWD. Errors name the path they were given.
 */
#ifndef DEVENV_BASE_FILE_H
#define DEVENV_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Open a directory O_PATH|O_DIRECTORY (follows links). Returns an fd. */
int file_open_dir(int dirfd, const char *path, struct err *e);

/* Append the whole regular file to `out`. More than `max` bytes: ERR_CONFIG. A missing file: ERR_NOT_FOUND.
 * `st`, when not NULL, receives fstat of the descriptor taken before reading. `flags` are extra open flags
 * (O_NOFOLLOW). */
int file_read(int dirfd, const char *path, size_t max, int flags, struct buf *out, struct stat *st, struct err *e);
/* The same, and returns the descriptor, still open. */
int file_read_open(int dirfd, const char *path, size_t max, int flags, struct buf *out, struct stat *st, struct err *e);
int file_read_fd(int fd, size_t max, struct buf *out, struct err *e);

/* The first line of a small file, without its end. malloc'ed; NULL: there is none, or it can't be read (links are not followed). */
char *file_line(const char *path);

/* Append the names of what lies in a directory to `names` and sort them. "." and ".." are left out, and other names that begin
 * with a dot unless `hidden`. A missing directory: e->sys is ENOENT. */
int file_names(int dirfd, const char *path, bool hidden, struct strlist *names, struct err *e);

/* Write all of it, restarting after short writes and EINTR. */
int file_write_all(int fd, const void *data, size_t len, struct err *e);

enum file_durability {
	FILE_FAST,    /* rename only: for what can be made again */
	FILE_DURABLE, /* fsync the file and its directory too: for records that must survive power loss */
};
/* Replace `path` by rename of a temporary file beside it, so readers see the old bytes or the new, never a mix. */
int file_replace(int dirfd, const char *path, const void *data, size_t len, mode_t mode, enum file_durability d,
		 struct err *e);

/* mkdir -p; existing directories are fine; new ones get `mode`. */
int file_mkdirs(int dirfd, const char *path, mode_t mode, struct err *e);
/* Open a directory below `dirfd` without ever following a link, making missing parts with `mode`. Returns an O_PATH fd. */
int file_open_dirs_beneath(int dirfd, const char *path, mode_t mode, struct err *e);

/* rm -rf of `name` below dirfd: by descriptor, links not followed, mode-0 directories opened up first, mount points
 * not crossed. Missing is success. */
int file_remove_tree(int dirfd, const char *name, struct err *e);

/*
 * Remove the directories in the directory `dirfd` that nobody holds a flock on: what an owner that was killed left. An
 * owner makes its directory, locks it, and makes sure that it is still there; if not, a sweep was faster. Adds to *count
 * and *bytes (either may be NULL). `dry_run` only counts. What can't be removed is left for the next sweep.
 */
void file_sweep(int dirfd, bool dry_run, size_t *count, uint64_t *bytes);

/* Sum of allocated bytes (st_blocks) of a tree; hard links counted once; unreadable parts skipped. */
uint64_t file_tree_bytes(int dirfd, const char *name);

bool file_exists(int dirfd, const char *path);

/* Advisory lock of a whole open file (flock). `wait` blocks until it is had. Returns 0, or -1 with ERR_BUSY when not
 * waiting and somebody else holds it. A signal that is handled without SA_RESTART ends the wait: ERR_INTERRUPTED. */
int file_lock(int fd, bool exclusive, bool wait, struct err *e);

#endif
