/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - see files.h. In the C locale, as tarstream.c: names are bytes. */
#include "layer/files.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "layer/inflate.h"
#include "layer/name.h"

enum { PIECE = 64 << 10 };

static int inflate_all(enum layer_compression c, const unsigned char *bytes, size_t len, size_t max, struct buf *out, struct err *e)
{
	struct inflate *z = inflate_new(c);
	size_t made = PIECE;
	int result = 0;

	while (result == 0 && (len > 0 || made == PIECE)) {
		result = inflate_run(z, &bytes, &len, (unsigned char *)buf_reserve(out, PIECE), PIECE, &made, e);
		out->len += made;
		if (result == 0 && out->len > max)
			result = err_set(e, ERR_INTEGRITY, "the archive is larger than %s", text_bytes(max));
	}
	if (result == 0)
		result = inflate_end(z, e);
	inflate_free(z);
	return result;
}

static int damaged(struct archive *a, struct err *e)
{
	const char *why = archive_error_string(a);

	return err_set(e, ERR_INTEGRITY, "it is not a good tar archive: %s", why ? text_safe(why) : "unknown error");
}

/* The content is in one piece unless the file is sparse. */
static int read_content(struct archive *a, size_t max, struct buf *content, struct err *e)
{
	for (;;) {
		const void *piece;
		la_int64_t at = 0;
		size_t len;
		int ret = archive_read_data_block(a, &piece, &len, &at);

		if (ret == ARCHIVE_EOF)
			return 0;
		if (ret != ARCHIVE_OK)
			return damaged(a, e);
		if (at != (la_int64_t)content->len || len > max - content->len)
			return err_set(e, ERR_INTEGRITY, "it has a sparse file");
		buf_add(content, piece, len);
	}
}

static int each_entry(struct archive *a, size_t max, struct name *name, layer_file *file, void *data, struct err *e)
{
	cleanup_buf struct buf content = BUF_INIT;
	cleanup_free char *path = NULL;
	struct archive_entry *entry;
	int ret = archive_read_next_header(a, &entry);

	if (ret == ARCHIVE_EOF)
		return 0;
	if ((ret != ARCHIVE_OK && ret != ARCHIVE_WARN) || !archive_entry_pathname(entry))
		return damaged(a, e);
	if (archive_entry_hardlink(entry) || archive_entry_filetype(entry) != AE_IFREG)
		return 1;
	if (name_parse(name, archive_entry_pathname(entry), e) < 0 || read_content(a, max, &content, e) < 0)
		return -1;
	path = mem_printf("%s%s%s", name->dir, *name->dir ? "/" : "", name->base);
	return file(data, path, archive_entry_mode(entry) & 07777, content.data, content.len, e) < 0 ? -1 : 1;
}

static int each_file(const struct buf *tar, size_t max, layer_file *file, void *data, struct err *e)
{
	cleanup_free struct name *name = mem_alloc(sizeof(*name));
	struct archive *a = archive_read_new();
	int more = 1;

	if (!a)
		abort(); /* out of memory */
	archive_read_support_format_tar(a);
	if (archive_read_open_memory(a, tar->data, tar->len) != ARCHIVE_OK)
		more = damaged(a, e);
	while (more > 0)
		more = each_entry(a, max, name, file, data, e);
	archive_read_free(a);
	return more;
}

int layer_each_file(enum layer_compression c, const void *bytes, size_t len, size_t max, layer_file *file, void *data, struct err *e)
{
	cleanup_buf struct buf tar = BUF_INIT;
	locale_t locale, previous;
	int result;

	if (inflate_all(c, bytes, len, max, &tar, e) < 0)
		return -1;
	locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	previous = locale ? uselocale(locale) : (locale_t)0;
	result = each_file(&tar, max, file, data, e);
	if (previous)
		uselocale(previous);
	if (locale)
		freelocale(locale);
	return result;
}
