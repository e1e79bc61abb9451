/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed.h - the first half of unpacking, in a thread of its own: reads the compressed bytes, counts and hashes them,
 * inflates them into a ring.
 */
#ifndef DEVENV_LAYER_FEED_H
#define DEVENV_LAYER_FEED_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/stream.h"
#include "layer/layer.h"
#include "layer/ring.h"

struct feed;

/*
 * Start. The thread ends the ring with ring_finish: without a failure only when the stream ended, the size and digest
 * of `spec` (where given) match, the compressed data is complete and nothing follows it. `spec` and `in` must outlive
 * feed_end; nobody else reads `in` meanwhile.
 */
struct feed *feed_start(const struct layer_spec *spec, struct stream *in, struct ring *ring, struct err *e);
/* Compressed bytes read so far; from any thread. */
uint64_t feed_bytes(const struct feed *f);
/* Wait for the thread (which sees ring_stop at its next buffer), then free. `digest`, when not NULL, receives what was
 * computed: meaningful only after a good end. */
void feed_end(struct feed *f, char digest[DIGEST_MAX]);

#endif
