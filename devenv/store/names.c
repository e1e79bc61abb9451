/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c - names of images: one small file each, named by the reference with '/' as '+', ':' as '=', and any byte but
 * letters, digits, '.', '_', '-' and '@' as %XX (a leading '.' too).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/layout.h"
#include "store/names.h"

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '_' || c == '-' || c == '@';
}

static int name_path(const char *reference, char out[STORE_PATH_MAX], struct err *e)
{
	cleanup_buf struct buf b = BUF_INIT;

	for (const char *p = reference; *p; p++) {
		if (*p == '/')
			buf_addch(&b, '+');
		else if (*p == ':')
			buf_addch(&b, '=');
		else if (is_plain(*p) && !(p == reference && *p == '.'))
			buf_addch(&b, *p);
		else
			buf_addf(&b, "%%%02X", (unsigned char)*p);
	}
	if (b.len == 0 || b.len > NAME_MAX)
		return err_set(e, ERR_UNSUPPORTED, "'%s' is too %s for a name in the store",
		               text_safe(reference), b.len ? "long" : "short");
	snprintf(out, STORE_PATH_MAX, STORE_NAMES "/%s", b.data);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *store_name_reference(const char *file_name)
{
	char *out = mem_alloc(strlen(file_name) + 1), *to = out;

	for (const char *p = file_name; *p; p++) {
		if (*p == '+') {
			*to++ = '/';
		} else if (*p == '=') {
			*to++ = ':';
		} else if (*p != '%') {
			*to++ = *p;
		} else if (hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			*to++ = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
			p += 2;
		} else {
			free(out);
			return NULL;
		}
	}
	return out;
}

int store_name_set(struct store *s, const char *reference, const char *digest, struct err *e)
{
	char path[STORE_PATH_MAX], line[DIGEST_MAX + 1], now[DIGEST_MAX];
	struct err ignored;

	if (!digest_is_valid(digest))
		return err_set(e, ERR_INTEGRITY, "'%s' is not a digest", text_safe(digest));
	if (name_path(reference, path, e) < 0)
		return -1;
	if (store_name_get(s, reference, now, &ignored) == 0 && strcmp(now, digest) == 0)
		return 0;
	snprintf(line, sizeof(line), "%s\n", digest);
	return store_put_file(s, path, line, strlen(line), e);
}

int store_name_get(const struct store *s, const char *reference, char digest[136], struct err *e)
{
	char path[STORE_PATH_MAX];
	cleanup_buf struct buf text = BUF_INIT;
	struct err why = ERR_INIT;

	if (name_path(reference, path, e) < 0)
		return -1;
	if (file_read(s->fd, path, 1024, O_NOFOLLOW, &text, NULL, &why) < 0) {
		if (why.code == ERR_NOT_FOUND)
			return err_set(e, ERR_NOT_FOUND, "the store has no image named '%s'",
			               text_safe(reference));
		*e = why;
		return err_wrap(e, "store %s", text_safe(s->path));
	}
	text.data[strcspn(text.data, "\n")] = '\0';
	if (!digest_is_valid(text.data))
		return err_set(e, ERR_NOT_FOUND, "the store's name '%s' is unreadable", text_safe(reference));
	snprintf(digest, DIGEST_MAX, "%s", text.data);
	return 0;
}

int store_name_remove(struct store *s, const char *reference, struct err *e)
{
	char path[STORE_PATH_MAX];

	if (name_path(reference, path, e) < 0)
		return -1;
	if (unlinkat(s->fd, path, 0) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "the store has no image named '%s'", text_safe(reference));
	return store_failure(s, "can't remove a name", e);
}
