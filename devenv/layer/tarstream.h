/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tarstream.h - the inflated bytes of a layer as tar entries: libarchive over a ring, with the diff id computed on the
 * way and limits on what one archive may make us keep in memory.
 */
#ifndef DEVENV_LAYER_TARSTREAM_H
#define DEVENV_LAYER_TARSTREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "layer/feed.h"
#include "layer/layer.h"
#include "layer/ring.h"

struct archive_entry;
struct tarstream;

struct tarstream_params {
	struct ring *ring;
	const struct feed *feed;  /* for progress */
	const char *digest_like;  /* algorithm of the diff id; NULL: sha256 */
	uint64_t max_bytes;       /* of the whole tar */
	layer_progress *progress; /* may be NULL */
	void *data;
};
struct tarstream *tarstream_new(const struct tarstream_params *p, struct err *e);
void tarstream_free(struct tarstream *t);

/* The next entry (owned by the stream, until the next call): 1, 0 at the end of the archive, -1. */
int tarstream_next(struct tarstream *t, struct archive_entry **entry, struct err *e);
/* A piece of the current entry's content at `offset` (gaps are holes): 1, 0 at its end, -1. */
int tarstream_data(struct tarstream *t, const void **data, size_t *len, int64_t *offset, struct err *e);
/* After the end of the archive: read what is left (only zeros are allowed) and give the diff id. */
int tarstream_finish(struct tarstream *t, char diff_id[DIGEST_MAX], struct err *e);
/* Did the last failure come from the form of the archive (and not from its stream, or from a limit)? */
bool tarstream_is_malformed(const struct tarstream *t);
/* Read everything that is left, whatever it is, to learn whether the stream itself is good: 0 if so, -1 if the feed
 * failed (then *e is its error) or the caller cancelled. */
int tarstream_drain(struct tarstream *t, struct err *e);
/* Bytes of tar seen so far. */
uint64_t tarstream_bytes(const struct tarstream *t);

#endif
