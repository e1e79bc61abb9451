/* SPDX-License-Identifier: Apache-2.0 */
/* expand.c - see expand.h. */
#include "layer/expand.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { PIECE = 256 << 10 };

struct expansion {
	struct archive *archive;
	int out;
	uint64_t max, size;
	const char *what;
	struct digest *digest;
};

static int damaged(const struct expansion *x, struct err *e)
{
	const char *why = archive_error_string(x->archive);

	return err_set(e, ERR_INTEGRITY, "%s can't be decompressed: %s", x->what, why ? text_safe(why) : "it is damaged");
}

static int write_all(struct expansion *x, struct err *e)
{
	cleanup_free char *piece = mem_resize(NULL, PIECE, 1);
	la_ssize_t n;

	while ((n = archive_read_data(x->archive, piece, PIECE)) > 0) {
		x->size += (uint64_t)n;
		if (x->size > x->max)
			return err_set(e, ERR_INTEGRITY, "%s is larger than %llu bytes when it is decompressed", x->what,
				       (unsigned long long)x->max);
		digest_add(x->digest, piece, (size_t)n);
		if (file_write_all(x->out, piece, (size_t)n, e) < 0)
			return err_wrap(e, "%s", x->what);
	}
	return n < 0 ? damaged(x, e) : 0;
}

static int expand(struct expansion *x, int in, struct err *e)
{
	struct archive_entry *entry;
	int ret;

	archive_read_support_filter_xz(x->archive);
	archive_read_support_filter_gzip(x->archive);
	archive_read_support_filter_zstd(x->archive);
	archive_read_support_format_raw(x->archive);
	archive_read_support_format_empty(x->archive);
	if (archive_read_open_fd(x->archive, in, PIECE) != ARCHIVE_OK)
		return damaged(x, e);
	ret = archive_read_next_header(x->archive, &entry);
	if (ret == ARCHIVE_EOF)
		return 0;
	return ret == ARCHIVE_OK ? write_all(x, e) : damaged(x, e);
}

int expand_file(int in, int out, uint64_t max, const char *what, char digest[DIGEST_MAX], uint64_t *size, struct err *e)
{
	struct expansion x = { .archive = archive_read_new(), .out = out, .max = max, .what = what, .digest = digest_new(NULL) };
	int result;

	if (!x.archive)
		abort();
	result = expand(&x, in, e);
	archive_read_free(x.archive);
	if (result < 0) {
		digest_free(x.digest);
		return -1;
	}
	digest_end(x.digest, digest);
	*size = x.size;
	return 0;
}
