/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tarstream.c - see tarstream.h.
 *
 * libarchive converts names from UTF-8 to the current locale and, where that can't be done, keeps the bytes as they are
 * and warns. Bytes as they are is what a layer means, so the reader runs in the C locale: ASCII is converted to itself,
 * everything else is kept.
 *
 * libarchive keeps a file's extended attributes and sparse map in memory, and an archive may make these as long as it
 * likes: so what is read on the way from one entry to the next is counted and limited.
 */
#include "layer/tarstream.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { HEADERS_MAX = 4 << 20 }; /* of one entry; +- one buffer */

struct tarstream {
	struct tarstream_params p;
	struct archive *archive;
	struct digest *digest;
	locale_t locale, previous;
	const unsigned char *buffer; /* borrowed from the ring */
	size_t len;
	uint64_t total;        /* bytes including the buffer */
	uint64_t header_bytes; /* read since the last entry's content */
	bool in_header, in_entry, malformed;
	bool failed; /* the callback did: */
	struct err failure;
};

static int report(const struct tarstream *t, struct err *e)
{
	if (t->p.progress && t->p.progress(t->p.data, feed_bytes(t->p.feed)))
		return err_set(e, ERR_INTERRUPTED, "interrupted");
	return 0;
}

/* Length of the next buffer, 0 at the end, -1. */
static ssize_t next_buffer(struct tarstream *t, struct err *e)
{
	ssize_t n;

	do {
		t->len = 0;
		n = ring_next(t->p.ring, &t->buffer, e);
		if (n != -1 && report(t, e) < 0)
			return -1;
	} while (n == RING_WAITING);
	if (n <= 0)
		return n;
	t->len = (size_t)n;
	t->total += (uint64_t)n;
	digest_add(t->digest, t->buffer, t->len);
	return n;
}

static ssize_t fill(struct tarstream *t, struct err *e)
{
	ssize_t n = next_buffer(t, e);

	if (n > 0 && t->p.max_bytes && t->total > t->p.max_bytes)
		return err_set(e, ERR_INTEGRITY, "the layer's archive is larger than %s",
		               text_bytes(t->p.max_bytes));
	if (n > 0 && t->in_header) {
		t->header_bytes += (uint64_t)n;
		if (t->header_bytes > HEADERS_MAX + RING_BUFFER_SIZE)
			return err_set(e, ERR_INTEGRITY,
			               "the layer has an entry whose headers are larger than %s",
			               text_bytes(HEADERS_MAX));
	}
	return n;
}

static la_ssize_t read_callback(struct archive *a, void *data, const void **buffer)
{
	struct tarstream *t = data;
	ssize_t n = t->failed ? -1 : fill(t, &t->failure);

	*buffer = t->buffer;
	if (n >= 0)
		return n;
	t->failed = true;
	archive_set_error(a, EIO, "reading failed");
	return -1;
}

static int archive_failure(struct tarstream *t, struct err *e)
{
	const char *why = archive_error_string(t->archive);

	if (t->failed) {
		*e = t->failure;
		return -1;
	}
	t->malformed = true;
	return err_set(e, ERR_INTEGRITY, "the layer is not a good tar archive: %s",
	               why ? text_safe(why) : "unknown error");
}

struct tarstream *tarstream_new(const struct tarstream_params *p, struct err *e)
{
	struct tarstream *t = mem_alloc(sizeof(*t));

	t->p = *p;
	t->digest = digest_new(p->digest_like);
	t->failure = ERR_INIT;
	t->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	t->previous = t->locale ? uselocale(t->locale) : (locale_t)0;
	t->archive = archive_read_new();
	if (!t->archive)
		abort(); /* out of memory */
	archive_read_support_format_tar(t->archive);
	archive_read_support_format_empty(t->archive); /* no byte at all is an empty layer to docker too */
	archive_read_set_read_callback(t->archive, read_callback);
	archive_read_set_callback_data(t->archive, t);
	if (archive_read_open1(t->archive) == ARCHIVE_OK)
		return t;
	archive_failure(t, e);
	tarstream_free(t);
	return NULL;
}

void tarstream_free(struct tarstream *t)
{
	if (!t)
		return;
	archive_read_free(t->archive);
	if (t->previous)
		uselocale(t->previous);
	if (t->locale)
		freelocale(t->locale);
	digest_free(t->digest);
	free(t);
}

/* Warnings about what we don't use or want unconverted; any other means that the entry isn't what it seems. */
static bool is_harmless(const char *warning)
{
	return warning && (strstr(warning, "can't be converted") || strstr(warning, "SCHILY.acl"));
}

int tarstream_next(struct tarstream *t, struct archive_entry **entry, struct err *e)
{
	int ret;

	if (t->in_entry && archive_read_data_skip(t->archive) != ARCHIVE_OK)
		return archive_failure(t, e);
	t->in_entry = false;
	t->in_header = true;
	t->header_bytes = 0;
	ret = archive_read_next_header(t->archive, entry);
	t->in_header = false;
	if (t->failed)
		return archive_failure(t, e);
	if (ret == ARCHIVE_EOF)
		return 0;
	if (ret != ARCHIVE_OK && !(ret == ARCHIVE_WARN && is_harmless(archive_error_string(t->archive))))
		return archive_failure(t, e);
	t->in_entry = true;
	return 1;
}

int tarstream_data(struct tarstream *t, const void **data, size_t *len, int64_t *offset, struct err *e)
{
	la_int64_t at = 0;
	int ret = archive_read_data_block(t->archive, data, len, &at);

	*offset = at;
	if (ret == ARCHIVE_EOF)
		return 0;
	return ret == ARCHIVE_OK ? 1 : archive_failure(t, e);
}

static bool is_zero(const unsigned char *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

int tarstream_finish(struct tarstream *t, char diff_id[DIGEST_MAX], struct err *e)
{
	/* Where libarchive looked for a header last: the end mark, or the end of the bytes. */
	uint64_t end = (uint64_t)archive_read_header_position(t->archive), start = t->total - t->len;
	size_t skip = end <= start ? 0 : end - start > t->len ? t->len : (size_t)(end - start);
	ssize_t n;

	if (t->len && !is_zero(t->buffer + skip, t->len - skip))
		return err_set(e, ERR_INTEGRITY, "the layer has data after the end of its archive");
	while ((n = fill(t, e)) > 0)
		if (!is_zero(t->buffer, t->len))
			return err_set(e, ERR_INTEGRITY, "the layer has data after the end of its archive");
	if (n < 0)
		return -1;
	digest_end(t->digest, diff_id);
	t->digest = NULL;
	return 0;
}

int tarstream_drain(struct tarstream *t, struct err *e)
{
	ssize_t n;

	while ((n = next_buffer(t, e)) > 0)
		;
	return n < 0 ? -1 : 0;
}

bool tarstream_is_malformed(const struct tarstream *t)
{
	return t->malformed;
}

uint64_t tarstream_bytes(const struct tarstream *t)
{
	return t->total;
}
