/* SPDX-License-Identifier: Apache-2.0 */
/* members.c - see members.h. */
#include "source/members.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "source/tarlist.h"

struct members {
	int fd; /* the directory or the tar */
	bool is_tar;
	struct tarlist list;
	char *name; /* safe to print */
};

/* Streams of one tar share its open file, so they must not share an offset: all reading is by pread. */
struct member_stream {
	struct stream stream;
	int fd;
	uint64_t at, left;
};

int members_open_directory(const char *path, struct members **out, struct err *e)
{
	int fd = file_open_dir(AT_FDCWD, path, e);

	if (fd < 0)
		return -1;
	*out = members_of_directory(fd, path);
	return 0;
}

struct members *members_of_directory(int fd, const char *name)
{
	struct members *m = mem_alloc(sizeof(*m));

	m->fd = fd;
	m->name = mem_strdup(text_safe(name));
	return m;
}

int members_open_tar(int fd, const char *name, struct members **out, struct err *e)
{
	struct members *m = mem_alloc(sizeof(*m));

	m->fd = fd;
	m->is_tar = true;
	m->name = mem_strdup(text_safe(name));
	if (tarlist_read(fd, m->name, &m->list, e) < 0) {
		members_free(m);
		return -1;
	}
	*out = m;
	return 0;
}

void members_free(struct members *m)
{
	if (!m)
		return;
	if (m->fd >= 0)
		close(m->fd);
	tarlist_release(&m->list);
	free(m->name);
	free(m);
}

static int not_found(const struct members *m, const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "%s has no file '%s'", m->name, text_safe(name));
}

/* A descriptor of its own and where in it the member lies. */
static int open_member(struct members *m, const char *name, uint64_t *offset, uint64_t *size, struct err *e)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (m->is_tar) {
		const struct tarlist_entry *entry = tarlist_find(&m->list, name);

		if (!entry)
			return not_found(m, name, e);
		*offset = entry->offset;
		*size = entry->size;
		fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? err_sys(e, "can't open '%s' in %s", text_safe(name), m->name)
		              : mem_steal_fd(fd);
	}
	/* O_NONBLOCK: a FIFO planted under a blob's name must not hang us */
	fd = sys_openat2(m->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
	                 SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_MAGICLINKS);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EXDEV || errno == ELOOP))
		return not_found(m, name, e);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "can't open '%s' in %s", text_safe(name), m->name);
	if (!S_ISREG(st.st_mode))
		return not_found(m, name, e);
	*offset = 0;
	*size = (uint64_t)st.st_size;
	return mem_steal_fd(fd);
}

bool members_has(struct members *m, const char *name)
{
	struct err ignored = ERR_INIT;
	uint64_t size;

	return members_size(m, name, &size, &ignored) == 0;
}

int members_size(struct members *m, const char *name, uint64_t *size, struct err *e)
{
	uint64_t offset;
	int fd = open_member(m, name, &offset, size, e);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static ssize_t member_read(struct stream *stream, void *data, size_t n, struct err *e)
{
	struct member_stream *s = (struct member_stream *)stream;
	ssize_t got;

	if (n > s->left)
		n = (size_t)s->left;
	if (n == 0)
		return 0;
	do
		got = pread(s->fd, data, n, (off_t)s->at);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, "can't read the image");
	if (got == 0)
		return err_set(e, ERR_INTEGRITY, "the image was cut short while it was read");
	s->at += (uint64_t)got;
	s->left -= (uint64_t)got;
	return got;
}

static void member_close(struct stream *stream)
{
	struct member_stream *s = (struct member_stream *)stream;

	close(s->fd);
}

int members_stream(struct members *m, const char *name, struct stream **out, struct err *e)
{
	struct member_stream *s;
	uint64_t offset, size;
	int fd = open_member(m, name, &offset, &size, e);

	if (fd < 0)
		return -1;
	s = mem_alloc(sizeof(*s));
	*s = (struct member_stream){
		.stream = { .read = member_read, .close = member_close },
		.fd = fd,
		.at = offset,
		.left = size,
	};
	*out = &s->stream;
	return 0;
}

int members_read(struct members *m, const char *name, size_t max, struct buf *out, struct err *e)
{
	struct stream *s;
	uint64_t size;
	int r = 0;

	if (members_size(m, name, &size, e) < 0)
		return -1;
	if (size > max)
		return err_set(e, ERR_INTEGRITY,
		               "'%s' in %s has %llu bytes, more than the %zu that are allowed",
		               text_safe(name), m->name, (unsigned long long)size, max);
	if (members_stream(m, name, &s, e) < 0)
		return -1;
	while (size > 0) {
		ssize_t n = s->read(s, buf_reserve(out, size), size, e);

		if (n <= 0) {
			r = n < 0 ? -1
			          : err_set(e, ERR_INTEGRITY, "'%s' in %s is cut short", text_safe(name),
			                    m->name);
			break;
		}
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		size -= (uint64_t)n;
	}
	stream_close(s);
	return r;
}
