/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring.h - a bounded queue of large buffers between the thread that inflates a layer and the one that unpacks it.
 *
 * One writer, one reader. The writer fills a buffer in place and commits it; the reader borrows it until it asks for
 * the next one. So no byte is copied, and memory is RING_BUFFERS * RING_BUFFER_SIZE whatever the layer's size.
 */
#ifndef DEVENV_LAYER_RING_H
#define DEVENV_LAYER_RING_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum { RING_BUFFERS = 4, RING_BUFFER_SIZE = 1 << 20 };

struct ring;

struct ring *ring_new(void);
void ring_free(struct ring *r); /* both sides have ended; NULL is fine */

/* Writer: the buffer to fill, RING_BUFFER_SIZE bytes; waits for a free one. NULL: the reader has gone. */
unsigned char *ring_reserve(struct ring *r);
void ring_commit(struct ring *r, size_t len);
/* Writer, last call: no more will come; `failure` is NULL at a good end and is copied. */
void ring_finish(struct ring *r, const struct err *failure);

/* Reader: give back the last buffer and borrow the next. Returns its length, 0 at the end, -1 when the writer failed
 * (its error is in *e), RING_WAITING when nothing came for a tenth of a second. A failure overtakes what is queued. */
enum { RING_WAITING = -2 };
ssize_t ring_next(struct ring *r, const unsigned char **data, struct err *e);
/* Reader: want no more; wakes the writer. */
void ring_stop(struct ring *r);

#endif
