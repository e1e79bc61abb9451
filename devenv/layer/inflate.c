/* SPDX-License-Identifier: Apache-2.0 */
/* inflate.c - see inflate.h. */
#include "layer/inflate.h"

#include <limits.h>
#include <lzma.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

#include "base/mem.h"

struct piece { /* what one call works on */
	const unsigned char **in;
	size_t *in_len;
	unsigned char *out;
	size_t room;
	size_t *written;
};

struct inflate {
	int (*run)(struct inflate *z, const struct piece *p, struct err *e);
	void (*end)(struct inflate *z);
	const char *name;
	bool inside; /* of a member or frame: the end of input here is a truncation */
	bool began;  /* at least one member or frame was there */
	z_stream zlib;
	ZSTD_DStream *zstd;
	lzma_stream lzma;
#ifdef HAVE_ISAL
	struct inflate_state *isal;
#endif
};

static size_t at_most_int(size_t n)
{
	return n > INT_MAX ? INT_MAX : n;
}

static void advance(const struct piece *p, size_t used, size_t made)
{
	*p->in += used;
	*p->in_len -= used;
	*p->written += made;
}

/* A member that can't even begin, after a complete one, is rubbish behind the layer, not a damaged layer. */
static int damaged(const struct inflate *z, bool first_bytes, const char *detail, struct err *e)
{
	if (z->began && first_bytes)
		return err_set(e, ERR_INTEGRITY, "there are bytes after the end of the %s data", z->name);
	return err_set(e, ERR_INTEGRITY, "the %s data is damaged: %s", z->name,
	               detail ? detail : "invalid data");
}

/* ---- zlib ---- */

static int zlib_run(struct inflate *z, const struct piece *p, struct err *e)
{
	while (*p->in_len > 0 || z->inside) {
		size_t in = at_most_int(*p->in_len), room = at_most_int(p->room - *p->written);
		bool first = !z->inside;
		int ret;

		if (first && inflateReset2(&z->zlib, 16 + MAX_WBITS) != Z_OK)
			return damaged(z, false, "can't reset", e);
		z->inside = true;
		z->zlib.next_in = (unsigned char *)*p->in;
		z->zlib.avail_in = (unsigned int)in;
		z->zlib.next_out = p->out + *p->written;
		z->zlib.avail_out = (unsigned int)room;
		ret = inflate(&z->zlib, Z_NO_FLUSH);
		advance(p, in - z->zlib.avail_in, room - z->zlib.avail_out);
		if (ret == Z_STREAM_END) {
			z->inside = false;
			z->began = true;
		} else if (ret != Z_OK && ret != Z_BUF_ERROR) {
			return damaged(z, first || z->zlib.total_in < 10, z->zlib.msg, e);
		} else if (!z->zlib.avail_in || !z->zlib.avail_out) {
			break;
		}
	}
	return 0;
}

static void zlib_end(struct inflate *z)
{
	inflateEnd(&z->zlib);
}

struct inflate *inflate_new_portable(void)
{
	struct inflate *z = mem_alloc(sizeof(*z));

	z->name = "gzip";
	z->run = zlib_run;
	z->end = zlib_end;
	if (inflateInit2(&z->zlib, 16 + MAX_WBITS) != Z_OK)
		abort(); /* out of memory */
	return z;
}

/* ---- ISA-L ---- */

#ifdef HAVE_ISAL
static const char *isal_reason(int code)
{
	switch (code) {
	case ISAL_INVALID_BLOCK:
		return "invalid block";
	case ISAL_INVALID_SYMBOL:
		return "invalid symbol";
	case ISAL_INVALID_LOOKBACK:
		return "invalid distance";
	case ISAL_INVALID_WRAPPER:
		return "not a gzip header";
	case ISAL_UNSUPPORTED_METHOD:
		return "unknown compression method";
	case ISAL_INCORRECT_CHECKSUM:
		return "wrong checksum";
	default:
		return NULL;
	}
}

static int isal_run(struct inflate *z, const struct piece *p, struct err *e)
{
	struct inflate_state *s = z->isal;

	while (*p->in_len > 0 || z->inside) {
		size_t in = at_most_int(*p->in_len), room = at_most_int(p->room - *p->written);
		int ret;

		if (!z->inside) {
			isal_inflate_reset(s);
			s->crc_flag = ISAL_GZIP;
			z->inside = true;
		}
		s->next_in = (unsigned char *)*p->in;
		s->avail_in = (unsigned int)in;
		s->next_out = p->out + *p->written;
		s->avail_out = (unsigned int)room;
		ret = isal_inflate(s);
		advance(p, in - s->avail_in, room - s->avail_out);
		if (ret < 0 || ret == ISAL_NEED_DICT)
			return damaged(z, ret == ISAL_INVALID_WRAPPER || ret == ISAL_UNSUPPORTED_METHOD,
			               isal_reason(ret), e);
		if (s->block_state == ISAL_BLOCK_FINISH) {
			z->inside = false;
			z->began = true;
		} else if (!s->avail_in || !s->avail_out) {
			break;
		} else if (s->avail_in == in && s->avail_out == room) {
			return damaged(z, false, "no progress", e);
		}
	}
	return 0;
}

static void isal_end(struct inflate *z)
{
	free(z->isal);
}

static struct inflate *isal_new(void)
{
	struct inflate *z = mem_alloc(sizeof(*z));

	z->name = "gzip";
	z->run = isal_run;
	z->end = isal_end;
	z->isal = mem_alloc(sizeof(*z->isal));
	isal_inflate_init(z->isal);
	return z;
}
#endif

/* ---- zstd ---- */

static int zstd_run(struct inflate *z, const struct piece *p, struct err *e)
{
	while (*p->in_len > 0 || z->inside) {
		ZSTD_inBuffer in = { .src = *p->in, .size = *p->in_len };
		ZSTD_outBuffer out = { .dst = p->out + *p->written, .size = p->room - *p->written };
		bool first = !z->inside;
		size_t ret = ZSTD_decompressStream(z->zstd, &out, &in);

		if (ZSTD_isError(ret))
			return damaged(z, first, ZSTD_getErrorName(ret), e);
		advance(p, in.pos, out.pos);
		z->inside = ret != 0;
		z->began |= ret == 0;
		if (z->inside && (in.pos == in.size || out.pos == out.size))
			break;
		if (z->inside && !in.pos && !out.pos)
			return damaged(z, false, "no progress", e);
	}
	return 0;
}

static void zstd_end(struct inflate *z)
{
	ZSTD_freeDStream(z->zstd);
}

static struct inflate *zstd_new(void)
{
	struct inflate *z = mem_alloc(sizeof(*z));

	z->name = "zstd";
	z->run = zstd_run;
	z->end = zstd_end;
	z->zstd = ZSTD_createDStream();
	if (!z->zstd)
		abort(); /* out of memory */
	return z;
}

/* ---- xz ---- */

/* xz -9 needs 65 MB; a dictionary may be as large as 4 GB. */
#define XZ_MEMORY (256ull << 20)

static const char *xz_reason(lzma_ret ret)
{
	switch (ret) {
	case LZMA_FORMAT_ERROR:
		return "not an xz header";
	case LZMA_MEMLIMIT_ERROR:
		return "it needs more memory than is allowed";
	case LZMA_OPTIONS_ERROR:
		return "unknown options";
	default:
		return NULL;
	}
}

static int xz_run(struct inflate *z, const struct piece *p, struct err *e)
{
	while (*p->in_len > 0 || z->inside) {
		size_t in = *p->in_len, room = p->room - *p->written;
		bool first = !z->inside;
		lzma_ret ret;

		if (first && lzma_stream_decoder(&z->lzma, XZ_MEMORY, 0) != LZMA_OK)
			abort(); /* out of memory */
		z->inside = true;
		z->lzma.next_in = *p->in;
		z->lzma.avail_in = in;
		z->lzma.next_out = p->out + *p->written;
		z->lzma.avail_out = room;
		ret = lzma_code(&z->lzma, LZMA_RUN);
		advance(p, in - z->lzma.avail_in, room - z->lzma.avail_out);
		if (ret == LZMA_STREAM_END) {
			z->inside = false;
			z->began = true;
		} else if (ret != LZMA_OK && ret != LZMA_BUF_ERROR) {
			return damaged(z, ret == LZMA_FORMAT_ERROR, xz_reason(ret), e);
		} else if (!z->lzma.avail_in || !z->lzma.avail_out) {
			break;
		}
	}
	return 0;
}

static void xz_end(struct inflate *z)
{
	lzma_end(&z->lzma);
}

static struct inflate *xz_new(void)
{
	struct inflate *z = mem_alloc(sizeof(*z));

	z->name = "xz";
	z->run = xz_run;
	z->end = xz_end;
	z->lzma = (lzma_stream)LZMA_STREAM_INIT;
	return z;
}

/* ---- nothing ---- */

static int plain_run(struct inflate *z, const struct piece *p, struct err *e)
{
	size_t n = *p->in_len < p->room ? *p->in_len : p->room;

	(void)z;
	(void)e;
	memcpy(p->out, *p->in, n);
	advance(p, n, n);
	return 0;
}

static void plain_end(struct inflate *z)
{
	(void)z;
}

static struct inflate *plain_new(void)
{
	struct inflate *z = mem_alloc(sizeof(*z));

	z->name = "tar";
	z->run = plain_run;
	z->end = plain_end;
	z->began = true;
	return z;
}

struct inflate *inflate_new(enum layer_compression c)
{
	switch (c) {
	case LAYER_GZIP:
#ifdef HAVE_ISAL
		return isal_new();
#else
		return inflate_new_portable();
#endif
	case LAYER_ZSTD:
		return zstd_new();
	case LAYER_XZ:
		return xz_new();
	default:
		return plain_new();
	}
}

void inflate_free(struct inflate *z)
{
	if (!z)
		return;
	z->end(z);
	free(z);
}

int inflate_run(struct inflate *z, const unsigned char **in, size_t *in_len, unsigned char *out, size_t room,
                size_t *written, struct err *e)
{
	const struct piece p = { in, in_len, out, room, written };

	*written = 0;
	return room ? z->run(z, &p, e) : 0;
}

int inflate_end(const struct inflate *z, struct err *e)
{
	if (z->inside || !z->began)
		return err_set(e, ERR_INTEGRITY, "the %s data is cut short", z->name);
	return 0;
}

int inflate_detect(const unsigned char *data, size_t len, enum layer_compression *out, struct err *e)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *name;
	} foreign[] = { { "\xfd"
		          "7zXZ",
		          6, "xz" },
		        { "BZh", 3, "bzip2" },
		        { "\x04\x22\x4d\x18", 4, "lz4" } };

	*out = LAYER_PLAIN;
	if (len >= 2 && data[0] == 0x1f && data[1] == 0x8b)
		*out = LAYER_GZIP;
	else if (len >= 4 && ((!memcmp(data, "\x28\xb5\x2f\xfd", 4)) ||
	                      ((data[0] & 0xf0) == 0x50 && !memcmp(data + 1, "\x2a\x4d\x18", 3))))
		*out = LAYER_ZSTD;
	else
		for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
			if (len >= foreign[i].len && !memcmp(data, foreign[i].magic, foreign[i].len)) {
				err_set(e, ERR_UNSUPPORTED, "the layer is compressed with %s",
				        foreign[i].name);
				return err_hint(
					e, "layers are gzip, zstd or plain tar; repack it with one of these");
			}
	return 0;
}
