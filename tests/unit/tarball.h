/* SPDX-License-Identifier: Apache-2.0 */
/* tarball.h - tar archives made byte by byte, so that a test can make wrong ones too; and what compresses them. */
#ifndef TESTS_UNIT_TARBALL_H
#define TESTS_UNIT_TARBALL_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/mem.h"

struct tarball {
	struct buf bytes;
	struct buf pax; /* records for the next entry */
	unsigned int mode, uid, gid;
	long long mtime;
	const char *magic; /* NULL: POSIX "ustar\0" "00" */
};
#define TARBALL_INIT                                                                                         \
	((struct tarball){ .bytes = BUF_INIT, .pax = BUF_INIT, .mode = 0644, .mtime = 1000000000 })

static inline void tarball_pad(struct tarball *t)
{
	static const char zeros[512];

	if (t->bytes.len % 512)
		buf_add(&t->bytes, zeros, 512 - t->bytes.len % 512);
}

static inline void tarball_header(struct tarball *t, char type, const char *name, const char *link,
                                  size_t size)
{
	char h[512] = { 0 };
	unsigned int sum = 0;

	memcpy(h, name, strlen(name) > 100 ? 100 : strlen(name));
	snprintf(h + 100, 8, "%07o", t->mode & 07777);
	snprintf(h + 108, 8, "%07o", t->uid & 07777777);
	snprintf(h + 116, 8, "%07o", t->gid & 07777777);
	snprintf(h + 124, 12, "%011llo", (unsigned long long)size & 077777777777ull);
	snprintf(h + 136, 12, "%011llo", (unsigned long long)t->mtime & 077777777777ull);
	memset(h + 148, ' ', 8);
	h[156] = type;
	if (link)
		memcpy(h + 157, link, strlen(link) > 100 ? 100 : strlen(link));
	memcpy(h + 257, t->magic ? t->magic : "ustar\00000", 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_add(&t->bytes, h, sizeof(h));
}

static inline void tarball_pax(struct tarball *t, const char *key, const void *value, size_t len)
{
	size_t rest = strlen(key) + len + 3, total = rest + 1;
	char digits[24];

	while ((size_t)snprintf(digits, sizeof(digits), "%zu", total) + rest != total)
		total = rest + strlen(digits);
	buf_addf(&t->pax, "%zu %s=", total, key);
	buf_add(&t->pax, value, len);
	buf_addch(&t->pax, '\n');
}

static inline void tarball_add_bytes(struct tarball *t, char type, const char *name, const char *link,
                                     const void *data, size_t size)
{
	if (t->pax.len > 0) {
		tarball_header(t, 'x', "pax", NULL, t->pax.len);
		buf_add(&t->bytes, t->pax.data, t->pax.len);
		tarball_pad(t);
		buf_clear(&t->pax);
	}
	tarball_header(t, type, name, link, size);
	buf_add(&t->bytes, data, size);
	tarball_pad(t);
}

static inline void tarball_file(struct tarball *t, const char *name, const char *text)
{
	tarball_add_bytes(t, '0', name, NULL, text, strlen(text));
}

static inline void tarball_dir(struct tarball *t, const char *name, unsigned int mode)
{
	unsigned int old = t->mode;

	t->mode = mode;
	tarball_add_bytes(t, '5', name, NULL, "", 0);
	t->mode = old;
}

static inline void tarball_link(struct tarball *t, char type, const char *name, const char *target)
{
	tarball_add_bytes(t, type, name, target, "", 0);
}

static inline void tarball_end(struct tarball *t)
{
	static const char zeros[1024];

	buf_add(&t->bytes, zeros, sizeof(zeros));
}

static inline void tarball_release(struct tarball *t)
{
	buf_release(&t->bytes);
	buf_release(&t->pax);
}

/* Append one gzip member. */
static inline void tarball_gzip(struct buf *out, const void *data, size_t len, int level)
{
	z_stream z = { 0 };
	size_t room = len + len / 100 + 1024;

	if (deflateInit2(&z, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	z.next_in = (unsigned char *)data;
	z.avail_in = (unsigned int)len;
	z.next_out = (unsigned char *)buf_reserve(out, room);
	z.avail_out = (unsigned int)room;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out->len += z.total_out;
	out->data[out->len] = '\0';
	deflateEnd(&z);
}

static inline void tarball_zstd(struct buf *out, const void *data, size_t len)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(len), n;

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(context, buf_reserve(out, room), room, data, len);
	ZSTD_freeCCtx(context);
	if (ZSTD_isError(n))
		abort();
	out->len += n;
	out->data[out->len] = '\0';
}

#endif
