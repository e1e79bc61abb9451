/* SPDX-License-Identifier: Apache-2.0 */
/*
 * step_contents.c - see step_contents.h.
 *
 * shadow(5) has the day of the last change of a password, for a new account that of its making; programs that honour
 * SOURCE_DATE_EPOCH write the right one themselves, not all do.
 *
 * A Java keystore (JKS, version 2) has for each certificate: u32 tag 2, alias, u64 milliseconds, type of certificate, then u32 and
 * that many bytes; strings are u16 and bytes; all big-endian. At the end is a SHA-1 over the password, a phrase and all before it.
 * ca-certificates-java uses the password everybody uses, for nothing in it is secret.
 *
 * A Berkeley DB file of the kind "hash" begins with a page of 72 bytes at least: u32 magic at 12, u32 size of its pages at 20, byte 25
 * its kind, and 20 bytes at 52 that are a name made of device, inode, time and process; each of its pages of that kind has them. Pages of
 * items have a u16 at 20 that counts them, their places as u16 from 26 on, and a u16 at 22 that says where the first lies: between them is
 * what happened to be in memory. Postfix keeps the time of an alias map in it: ten digits, a byte that says what kind of item follows, and the key YP_LAST_MODIFIED.
 */
#include "env/step_contents.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

enum { CONTENT_MAX = 16 << 20, DAY = 86400, KEYSTORE_HEADER = 12, KEYSTORE_CERTIFICATE = 2 };

/* ---- shadow ---- */

/* name:password:DAY:... */
static void clamp_line(const char *line, size_t len, int64_t day, struct buf *out)
{
	const char *end = line + len, *first = memchr(line, ':', len);
	const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
	const char *third = second ? memchr(second + 1, ':', (size_t)(end - second - 1)) : NULL;
	cleanup_free char *text = third ? mem_strndup(second + 1, (size_t)(third - second - 1)) : NULL;
	uint64_t was;

	if (!text || text_number(text, INT32_MAX, &was) < 0 || (int64_t)was <= day) {
		buf_add(out, line, len);
		return;
	}
	buf_add(out, line, (size_t)(second + 1 - line));
	buf_addf(out, "%lld", (long long)day);
	buf_add(out, third, (size_t)(end - third));
}

void step_clamp_days(const char *text, int64_t day, struct buf *out)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		clamp_line(text, len, day, out);
		text += len;
		if (*text == '\n') {
			buf_addch(out, '\n');
			text++;
		}
	}
}

/* ---- keystores ---- */

struct reader {
	unsigned char *at;
	size_t left;
};

/* A big-endian number; false when there is not so much left. */
static bool take_number(struct reader *r, size_t len, uint64_t *out)
{
	if (r->left < len)
		return false;
	for (*out = 0; len > 0; len--, r->left--)
		*out = *out << 8 | *r->at++;
	return true;
}

static bool pass_over(struct reader *r, size_t length_len)
{
	uint64_t len;

	if (!take_number(r, length_len, &len) || len > r->left)
		return false;
	r->at += len;
	r->left -= len;
	return true;
}

static void put_milliseconds(unsigned char *at, uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		at[i] = (unsigned char)value;
}

static void keystore_digest(const unsigned char *bytes, size_t len, unsigned char out[DIGEST_SHA1_LEN])
{
	static const char password[] = "changeit", phrase[] = "Mighty Aphrodite";
	cleanup_buf struct buf all = BUF_INIT;

	for (const char *p = password; *p; p++) {
		buf_addch(&all, '\0');
		buf_addch(&all, *p);
	}
	buf_adds(&all, phrase);
	buf_add(&all, bytes, len);
	digest_sha1(all.data, all.len, out);
}

static bool clamp_entry(struct reader *r, uint64_t latest)
{
	uint64_t tag, milliseconds;
	unsigned char *at;

	if (!take_number(r, 4, &tag) || tag != KEYSTORE_CERTIFICATE || !pass_over(r, 2))
		return false;
	at = r->at;
	if (!take_number(r, 8, &milliseconds))
		return false;
	if (milliseconds > latest)
		put_milliseconds(at, latest);
	return pass_over(r, 2) && pass_over(r, 4);
}

bool step_clamp_keystore(unsigned char *bytes, size_t len, int64_t epoch)
{
	static const unsigned char magic[] = { 0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2 };
	unsigned char digest[DIGEST_SHA1_LEN] = { 0 };
	struct reader r;
	uint64_t count;

	if (len < KEYSTORE_HEADER + DIGEST_SHA1_LEN || memcmp(bytes, magic, sizeof(magic)) != 0 || epoch < 0)
		return false;
	len -= DIGEST_SHA1_LEN;
	keystore_digest(bytes, len, digest);
	if (memcmp(bytes + len, digest, sizeof(digest)) != 0) /* somebody has a password of his own */
		return false;
	r = (struct reader){ bytes + sizeof(magic), len - sizeof(magic) };
	if (!take_number(&r, 4, &count))
		return false;
	for (uint64_t i = 0; i < count; i++)
		if (!clamp_entry(&r, (uint64_t)epoch * 1000))
			return false;
	if (r.left > 0)
		return false;
	keystore_digest(bytes, len, bytes + len);
	return true;
}

/* ---- Berkeley DB ---- */

enum { DB_MAGIC_AT = 12, DB_PAGE_SIZE_AT = 20, DB_KIND_AT = 25, DB_NAME_AT = 52, DB_NAME_LEN = 20 };
enum { DB_COUNT_AT = 20, DB_FIRST_AT = 22, DB_PLACES_AT = 26 };
enum { DB_HASH_UNSORTED = 2, DB_HASH_META = 8, DB_HASH = 13 }; /* kinds of pages */

/* In the byte order of the machine that wrote it, which is this one. */
static uint32_t native_number(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void clear_page(unsigned char *page, uint32_t size)
{
	uint16_t count, first;
	size_t places_end;

	if (page[DB_KIND_AT] == DB_HASH_META)
		memset(page + DB_NAME_AT, 0, DB_NAME_LEN);
	if (page[DB_KIND_AT] != DB_HASH && page[DB_KIND_AT] != DB_HASH_UNSORTED)
		return;
	memcpy(&count, page + DB_COUNT_AT, sizeof(count));
	memcpy(&first, page + DB_FIRST_AT, sizeof(first));
	places_end = DB_PLACES_AT + 2 * (size_t)count;
	if (places_end < first && first <= size)
		memset(page + places_end, 0, first - places_end);
}

static void clamp_alias_time(unsigned char *bytes, size_t len, int64_t epoch)
{
	static const char key[] = "YP_LAST_MODIFIED";
	enum { DIGITS = 10, BEFORE = DIGITS + 1 };
	unsigned char *at = memmem(bytes, len, key, sizeof(key) - 1);
	char text[24];

	if (!at || at - bytes < BEFORE || strspn((char *)at - BEFORE, "0123456789") != DIGITS)
		return;
	snprintf(text, sizeof(text), "%010lld", (long long)epoch);
	memcpy(at - BEFORE, text, DIGITS);
}

bool step_clamp_database(unsigned char *bytes, size_t len, int64_t epoch)
{
	const uint32_t magic = 0x061561;
	uint32_t page;

	if (len < 512 || native_number(bytes + DB_MAGIC_AT) != magic || epoch < 0)
		return false;
	page = native_number(bytes + DB_PAGE_SIZE_AT);
	if (page < 512 || page > 65536 || len % page != 0)
		return false;
	for (size_t at = 0; at < len; at += page)
		clear_page(bytes + at, page);
	clamp_alias_time(bytes, len, epoch);
	return true;
}

/* ---- ucf ---- */

/* "MD5  /etc/FILE": of files with a password that was made up, which are removed. */
void step_drop_sums(const char *text, struct buf *out)
{
	static const char directory[] = " /etc/dbconfig-common/", end[] = ".conf";

	while (*text) {
		size_t len = strcspn(text, "\n"), whole = len + (text[len] == '\n');

		if (!memmem(text, len, directory, strlen(directory)) || memcmp(text + len - strlen(end), end, strlen(end)) != 0)
			buf_add(out, text, whole);
		text += whole;
	}
}

/* ---- files ---- */

enum content { SHADOW, KEYSTORE, DATABASE, SUMS };
static const struct {
	const char *path;
	enum content content;
	bool of_packages; /* a script of [build] means it */
} files[] = {
	{ "etc/shadow", SHADOW, false },	 { "etc/ssl/certs/java/cacerts", KEYSTORE, false },
	{ "etc/aliases.db", DATABASE, false }, { "var/lib/ucf/hashfile", SUMS, true },
};

static bool clamp(enum content content, const struct buf *in, int64_t epoch, struct buf *out)
{
	if (content == SHADOW) {
		step_clamp_days(in->data, epoch / DAY, out);
		return strlen(in->data) == in->len;
	}
	if (content == SUMS) {
		step_drop_sums(in->data, out);
		return strlen(in->data) == in->len;
	}
	buf_add(out, in->data, in->len);
	return (content == KEYSTORE ? step_clamp_keystore : step_clamp_database)((unsigned char *)out->data, out->len, epoch);
}

int step_settle_content(int dirfd, const char *name, const char *path, const struct stat *st, int64_t epoch, bool packages, struct err *e)
{
	cleanup_buf struct buf in = BUF_INIT, out = BUF_INIT;
	size_t i = 0;

	while (i < ARRAY_SIZE(files) && strcmp(path, files[i].path) != 0)
		i++;
	if (i == ARRAY_SIZE(files) || (files[i].of_packages && !packages) || !S_ISREG(st->st_mode) || st->st_size > CONTENT_MAX || (st->st_mode & 0400) == 0)
		return 0;
	if (file_read(dirfd, name, CONTENT_MAX, O_NOFOLLOW, &in, NULL, e) < 0)
		return -1;
	if (!clamp(files[i].content, &in, epoch, &out) || (in.len == out.len && memcmp(in.data, out.data, in.len) == 0))
		return 0;
	return file_replace(dirfd, name, out.data, out.len, st->st_mode & 07777, FILE_FAST, e);
}
