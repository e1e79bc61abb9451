/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - a stream over an open file, and the end of any stream. */
#include "base/stream.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

struct fd_stream {
	struct stream stream; /* first: the two are cast into each other */
	int fd;
	unsigned long long left;
};

static ssize_t fd_read(struct stream *s, void *data, size_t n, struct err *e)
{
	struct fd_stream *f = (struct fd_stream *)s;
	ssize_t got;

	if (n > f->left)
		n = (size_t)f->left;
	do
		got = read(f->fd, data, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, "can't read");
	f->left -= (unsigned long long)got;
	return got;
}

static void fd_close(struct stream *s)
{
	close(((struct fd_stream *)s)->fd);
}

struct stream *stream_from_fd(int fd, unsigned long long limit)
{
	struct fd_stream *f = mem_alloc(sizeof(*f));

	f->stream.read = fd_read;
	f->stream.close = fd_close;
	f->fd = fd;
	f->left = limit;
	return &f->stream;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	if (s->close)
		s->close(s);
	free(s);
}
