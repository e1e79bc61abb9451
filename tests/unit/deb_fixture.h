/* SPDX-License-Identifier: Apache-2.0 */
/* deb_fixture.h - .deb files made byte by byte. */
#ifndef TESTS_UNIT_DEB_FIXTURE_H
#define TESTS_UNIT_DEB_FIXTURE_H

#include <lzma.h>

#include "tarball.h"

static inline void deb_xz(struct buf *out, const void *data, size_t len)
{
	size_t room = lzma_stream_buffer_bound(len), at = 0;

	if (lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, data, len, (uint8_t *)buf_reserve(out, room), &at, room) != LZMA_OK)
		abort();
	out->len += at;
	out->data[out->len] = '\0';
}

/* One member of the ar archive. */
static inline void deb_member(struct buf *out, const char *name, long long time, const void *data, size_t len)
{
	buf_addf(out, "%-16s%-12lld%-6d%-6d%-8s%-10zu`\n", name, time, 0, 0, "100644", len);
	buf_add(out, data, len);
	if (len & 1)
		buf_addch(out, '\n');
}

/* A member of this tar, ended, compressed as the suffix says: "", ".gz", ".xz", ".zst". */
static inline void deb_tar_member(struct buf *out, const char *base, const char *suffix, struct tarball *t)
{
	struct buf packed = BUF_INIT;
	char *name = mem_printf("%s%s", base, suffix);

	tarball_end(t);
	if (strcmp(suffix, ".gz") == 0)
		tarball_gzip(&packed, t->bytes.data, t->bytes.len, 6);
	else if (strcmp(suffix, ".xz") == 0)
		deb_xz(&packed, t->bytes.data, t->bytes.len);
	else if (strcmp(suffix, ".zst") == 0)
		tarball_zstd(&packed, t->bytes.data, t->bytes.len);
	else
		buf_add(&packed, t->bytes.data, t->bytes.len);
	deb_member(out, name, 1600000000, packed.data, packed.len);
	tarball_release(t);
	buf_release(&packed);
	free(name);
}

static inline void deb_begin(struct buf *out)
{
	buf_adds(out, "!<arch>\n");
	deb_member(out, "debian-binary", 1600000000, "2.0\n", 4);
}

#endif
