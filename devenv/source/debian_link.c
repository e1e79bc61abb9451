/* SPDX-License-Identifier: Apache-2.0 */
/* debian_link.c - the tree that debian_tree.c worked out, made of directories and hard links. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "source/debian_parallel.h"
#include "source/debian_tree_internal.h"

enum { CHUNK = 256, COPY_SIZE = 128 << 10 };

struct making {
	const struct debian_tree *tree;
	int fs_fd;
};

static int failure(const char *what, const char *path, struct err *e)
{
	return err_sys(e, "can't %s /%s of the base", what, text_safe(path));
}

static int make_directories(const struct making *m, struct err *e)
{
	for (size_t i = 1; i < m->tree->count; i++) {
		const struct debian_node *n = m->tree->nodes[i];
		cleanup_buf struct buf path = BUF_INIT;

		if (!S_ISDIR(n->mode))
			continue;
		debian_node_path(n, &path);
		if (mkdirat(m->fs_fd, path.data, 0700) < 0)
			return failure("make", path.data, e);
	}
	return 0;
}

/* ---- where a hard link can't be: too many of them, or the file system has none ---- */

static int copy_bytes(int from, int to, struct err *e)
{
	cleanup_free char *buffer = mem_resize(NULL, COPY_SIZE, 1);
	ssize_t n;

	while ((n = read(from, buffer, COPY_SIZE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "can't read a file of an unpacked package");
		if (file_write_all(to, buffer, (size_t)n, e) < 0)
			return -1;
	}
	return 0;
}

static int copy_file(const struct making *m, const struct debian_node *n, const char *source, const char *path, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, n->mtime };
	cleanup_close int from = openat(n->owner->fs_fd, source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int to = from < 0 ? -1 : openat(m->fs_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (to < 0)
		return failure("copy", path, e);
	if (copy_bytes(from, to, e) < 0)
		return err_wrap(e, "/%s of the base", text_safe(path));
	return fchmod(to, n->mode & 07777) < 0 || futimens(to, times) < 0 ? failure("copy", path, e) : 0;
}

static int make_symlink(const struct making *m, const struct debian_node *n, const char *path, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, n->mtime };

	if (symlinkat(n->link, m->fs_fd, path) < 0 || utimensat(m->fs_fd, path, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failure("make the link", path, e);
	return 0;
}

/* ---- links ---- */

static int make_link(const struct making *m, const struct debian_node *n, struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT, source = BUF_INIT;

	debian_node_path(n, &path);
	if (!n->owner)
		return make_symlink(m, n, path.data, e);
	unpacked_path(n->owner, n->entry, &source);
	if (linkat(n->owner->fs_fd, source.data, m->fs_fd, path.data, 0) == 0)
		return 0;
	if (errno != EMLINK && errno != EPERM && errno != EXDEV && errno != EOPNOTSUPP)
		return failure("link", path.data, e);
	return n->link ? make_symlink(m, n, path.data, e) : copy_file(m, n, source.data, path.data, e);
}

static int make_chunk(void *data, size_t chunk, struct err *e)
{
	const struct making *m = data;
	size_t end = (chunk + 1) * CHUNK < m->tree->count ? (chunk + 1) * CHUNK : m->tree->count;

	for (size_t i = chunk * CHUNK; i < end; i++)
		if (!S_ISDIR(m->tree->nodes[i]->mode) && make_link(m, m->tree->nodes[i], e) < 0)
			return -1;
	return 0;
}

int debian_tree_make(const struct debian_tree *t, int fs_fd, struct err *e)
{
	struct making m = { t, fs_fd };

	if (make_directories(&m, e) < 0)
		return -1;
	return debian_parallel((t->count + CHUNK - 1) / CHUNK, make_chunk, &m, e);
}

/* ---- the end ---- */

static void set_time(int dirfd, const char *path, struct timespec mtime)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, mtime };

	utimensat(dirfd, path, times, AT_SYMLINK_NOFOLLOW);
}

/* From the last to the first, so that a directory's mode is no obstacle on the way to what is in it. */
int debian_tree_finish(const struct debian_tree *t, int fs_fd, int64_t time, struct err *e)
{
	for (size_t i = t->count; i-- > 0;) {
		const struct debian_node *n = t->nodes[i];
		cleanup_buf struct buf path = BUF_INIT;

		if (n->owner && !S_ISDIR(n->mode))
			continue;
		debian_node_path(n, &path);
		set_time(fs_fd, path.data, n->owner ? n->mtime : (struct timespec){ .tv_sec = time });
		if (S_ISDIR(n->mode) && fchmodat(fs_fd, path.data, n->mode & 07777, 0) < 0)
			return failure("set the mode of", path.data, e);
	}
	return 0;
}

static void write_capability(struct owners_writer *w, const char *path, const char *hex)
{
	cleanup_buf struct buf value = BUF_INIT;

	for (; hex[0] && hex[1]; hex += 2) {
		char digits[3] = { hex[0], hex[1], '\0' };

		buf_addch(&value, (char)strtoul(digits, NULL, 16));
	}
	owners_write_capability(w, path, value.data, value.len);
}

/* What is left out of a package's tree stays left out, and a parent without an entry has nothing to say. */
static void write_record(struct owners_writer *w, const struct owners_record *record, char *path)
{
	struct owners_record r = *record;

	r.path = path;
	if (r.kind == 'e')
		owners_write(w, &r);
	if (r.capability)
		write_capability(w, path, r.capability);
}

int debian_tree_owners(const struct debian_tree *t, int owners_fd, struct err *e)
{
	struct owners_writer w;

	owners_writer_begin(&w, owners_fd);
	for (size_t i = 0; i < t->count; i++) {
		const struct debian_node *n = t->nodes[i];
		cleanup_buf struct buf path = BUF_INIT;

		if (!n->record)
			continue;
		debian_node_path(n, &path);
		write_record(&w, n->record, path.data);
	}
	return owners_writer_end(&w, e);
}
