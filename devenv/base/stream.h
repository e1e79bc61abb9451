/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - a source of bytes that is read once, from front to back: a download, a file, a member of an archive. */
#ifndef DEVENV_BASE_STREAM_H
#define DEVENV_BASE_STREAM_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct stream {
	/* Read up to n bytes; blocks until there is at least one. 0 at the end, -1 on error. Called from one thread. */
	ssize_t (*read)(struct stream *s, void *buf, size_t n, struct err *e);
	/* Release whatever stands behind it; ends a download that is under way. */
	void (*close)(struct stream *s);
};

/* A stream over an open file from its current offset, limited to `limit` bytes (UINT64_MAX: to its end). Owns fd. */
struct stream *stream_from_fd(int fd /* takes */, unsigned long long limit);
/* Close and free; NULL is fine. */
void stream_close(struct stream *s);

#endif
