/* SPDX-License-Identifier: Apache-2.0 */
/* tarlist.c - see tarlist.h. */
#include "source/tarlist.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"

#define BLOCK         512
#define ENTRIES_MAX   65536
#define EXTENSION_MAX (1u << 20) /* bytes of a pax header or a long name */
#define LINKS_MAX     8

/* Offsets in a header block (POSIX pax interchange format, ustar). */
enum {
	AT_NAME = 0,
	AT_SIZE = 124,
	AT_CHECKSUM = 148,
	AT_TYPE = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_PREFIX = 345
};

struct scan {
	int fd;
	const char *name; /* of the archive, safe to print */
	uint64_t at, end;
	/* What extension headers said about the next entry; empty or false: nothing. */
	struct buf path, link;
	bool has_size;
	uint64_t size;
};

void tarlist_release(struct tarlist *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++) {
		free(l->entries[i].name);
		free(l->entries[i].link);
	}
	free(l->entries);
	*l = (struct tarlist){ 0 };
}

static int read_at(struct scan *s, void *to, size_t len, uint64_t at, struct err *e)
{
	char *p = to;

	if (at > s->end || len > s->end - at)
		return err_set(e, ERR_INTEGRITY, "%s is cut short", s->name);
	while (len > 0) {
		ssize_t n = pread(s->fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "can't read %s", s->name);
		if (n == 0)
			return err_set(e, ERR_INTEGRITY, "%s was cut short while it was read", s->name);
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Octal, ended by NUL, space or the field's end; or base 256 when the top bit is set. False: not a number. */
static bool parse_number(const unsigned char *field, size_t len, uint64_t *out)
{
	uint64_t n = 0;
	size_t i = 0;

	if (field[0] & 0x80) {
		n = field[0] & 0x7f;
		for (i = 1; i < len; i++) {
			if (n >> 55)
				return false;
			n = n << 8 | field[i];
		}
		*out = n;
		return true;
	}
	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
		if (n >> 60)
			return false;
		n = n << 3 | (uint64_t)(field[i] - '0');
	}
	*out = n;
	return i == len || field[i] == '\0' || field[i] == ' ';
}

/* Some old writers summed the bytes as signed ones. */
static bool checksum_is_right(const unsigned char *h)
{
	int64_t plain = 0, with_sign = 0;
	uint64_t stored;

	for (size_t i = 0; i < BLOCK; i++) {
		unsigned char c = i >= AT_CHECKSUM && i < AT_CHECKSUM + 8 ? ' ' : h[i];

		plain += c;
		with_sign += (signed char)c;
	}
	return parse_number(h + AT_CHECKSUM, 8, &stored) &&
	       ((int64_t)stored == plain || (int64_t)stored == with_sign);
}

static char *clean_name(const char *name)
{
	char *rooted = mem_printf("/%s", name), *clean = path_clean(rooted), *out;

	free(rooted);
	out = mem_strdup(clean[0] == '/' ? clean + 1 : clean);
	free(clean);
	return out;
}

static char *header_name(const struct scan *s, const unsigned char *h)
{
	const char *name = (const char *)h + AT_NAME, *prefix = (const char *)h + AT_PREFIX;
	bool ustar = memcmp(h + AT_MAGIC, "ustar\0", 6) == 0 && prefix[0];
	char *whole, *clean;

	if (s->path.len)
		return clean_name(s->path.data);
	whole = mem_printf("%.*s/%.100s", ustar ? 155 : 0, prefix, name);
	clean = clean_name(whole);
	free(whole);
	return clean;
}

/* A symbolic link is relative to its own directory, a hard link to the archive. */
static char *link_target(const char *name, const char *target, bool symbolic)
{
	char *parent, *joined, *clean;

	if (!symbolic)
		return clean_name(target);
	parent = path_parent(name);
	joined = path_join(parent, target);
	clean = clean_name(joined);
	free(parent);
	free(joined);
	return clean;
}

/* Records are "LENGTH KEY=VALUE\n". */
static int parse_pax(struct scan *s, const char *text, size_t len, struct err *e)
{
	while (len > 0) {
		const char *space = memchr(text, ' ', len), *equals, *value;
		size_t record = 0, value_len;

		for (const char *p = text; space && p < space; p++)
			record = *p >= '0' && *p <= '9' && record <= len ? record * 10 + (size_t)(*p - '0')
			                                                 : len + 1;
		if (!space || record > len || record < (size_t)(space - text) + 3 || text[record - 1] != '\n')
			return err_set(e, ERR_INTEGRITY, "%s is damaged: a malformed pax header", s->name);
		equals = memchr(space, '=', record - (size_t)(space - text));
		if (!equals)
			return err_set(e, ERR_INTEGRITY, "%s is damaged: a malformed pax header", s->name);
		value = equals + 1;
		value_len = (size_t)(text + record - 1 - value);
		if (text_starts(space + 1, "path=")) {
			buf_clear(&s->path);
			buf_add(&s->path, value, value_len);
		} else if (text_starts(space + 1, "linkpath=")) {
			buf_clear(&s->link);
			buf_add(&s->link, value, value_len);
		} else if (text_starts(space + 1, "size=")) {
			char *number = mem_strndup(value, value_len);

			s->has_size = text_number(number, INT64_MAX, &s->size) == 0;
			free(number);
			if (!s->has_size)
				return err_set(e, ERR_INTEGRITY,
				               "%s is damaged: a pax size that is no number", s->name);
		}
		text += record;
		len -= record;
	}
	return 0;
}

/* x: pax; L, K: GNU long name and long link. The content describes the entry that follows. */
static int read_extension(struct scan *s, char type, uint64_t offset, uint64_t size, struct err *e)
{
	struct buf content = BUF_INIT;
	int r;

	if (size > EXTENSION_MAX)
		return err_set(e, ERR_INTEGRITY, "%s is damaged: an extended header of %llu bytes", s->name,
		               (unsigned long long)size);
	r = read_at(s, buf_reserve(&content, size + 1), size, offset, e);
	if (r == 0) {
		content.len = size;
		content.data[size] = '\0';
		if (type == 'x') {
			r = parse_pax(s, content.data, content.len, e);
		} else {
			struct buf *to = type == 'L' ? &s->path : &s->link;

			buf_clear(to);
			buf_adds(to, content.data);
		}
	}
	buf_release(&content);
	return r;
}

static void add_entry(struct scan *s, struct tarlist *l, const unsigned char *h, uint64_t size)
{
	char type = (char)h[AT_TYPE], *name = header_name(s, h);
	struct tarlist_entry *entry;

	l->entries = mem_grow(l->entries, l->count, &l->cap, sizeof(*l->entries));
	entry = &l->entries[l->count++];
	*entry = (struct tarlist_entry){ .name = name, .offset = s->at, .size = size };
	if (type == '1' || type == '2') {
		char *target = s->link.len ? mem_strdup(s->link.data)
		                           : mem_strndup((const char *)h + AT_LINK,
		                                         strnlen((const char *)h + AT_LINK, 100));

		entry->link = link_target(name, target, type == '2');
		free(target);
	}
}

/* One header and what belongs to it. 0: go on; 1: the end; 2: leave here, the list is partial. */
static int scan_one(struct scan *s, struct tarlist *l, struct err *e)
{
	unsigned char h[BLOCK];
	uint64_t size;
	char type;

	if (s->at == s->end && l->count > 0)
		return 1; /* some writers leave the end marker out */
	if (read_at(s, h, BLOCK, s->at, e) < 0)
		return -1;
	if (h[0] == '\0' && memcmp(h, h + 1, BLOCK - 1) == 0)
		return 1;
	if (!checksum_is_right(h) || !parse_number(h + AT_SIZE, 12, &size)) {
		if (s->at == 0)
			return err_set(e, ERR_INTEGRITY, "%s is not a tar archive", s->name);
		return err_set(e, ERR_INTEGRITY, "%s is damaged: no tar header at byte %llu", s->name,
		               (unsigned long long)s->at);
	}
	type = (char)h[AT_TYPE];
	if (s->has_size && type != 'x' && type != 'g')
		size = s->size;
	if (type == '1' || type == '2')
		size = 0;
	s->at += BLOCK;
	if (size > s->end - s->at)
		return err_set(e, ERR_INTEGRITY, "%s is cut short", s->name);
	if (type == 'S' || l->count >= ENTRIES_MAX)
		return 2;
	if (type == 'x' || type == 'L' || type == 'K') {
		if (read_extension(s, type, s->at, size, e) < 0)
			return -1;
	} else {
		if (strchr("0127", type) || type == '\0')
			add_entry(s, l, h, size);
		if (type != 'g') {
			buf_clear(&s->path);
			buf_clear(&s->link);
			s->has_size = false;
		}
	}
	s->at += size;
	s->at = s->at + (BLOCK - s->at % BLOCK) % BLOCK;
	if (s->at > s->end) /* the last content may lack its padding */
		s->at = s->end;
	return 0;
}

int tarlist_read(int fd, const char *name, struct tarlist *out, struct err *e)
{
	struct scan s = { .fd = fd, .name = name, .path = BUF_INIT, .link = BUF_INIT };
	struct tarlist l = { 0 };
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "can't examine %s", name);
	s.end = (uint64_t)st.st_size;
	if (s.end < BLOCK)
		r = err_set(e, ERR_INTEGRITY, "%s is not a tar archive", name);
	while (r == 0)
		r = scan_one(&s, &l, e);
	buf_release(&s.path);
	buf_release(&s.link);
	if (r < 0) {
		tarlist_release(&l);
		return -1;
	}
	l.partial = r == 2;
	*out = l;
	return 0;
}

const struct tarlist_entry *tarlist_find(const struct tarlist *l, const char *name)
{
	for (int links = 0; links <= LINKS_MAX; links++) {
		const struct tarlist_entry *found = NULL;

		for (size_t i = l->count; i > 0 && !found; i--) {
			if (strcmp(l->entries[i - 1].name, name) == 0)
				found = &l->entries[i - 1];
		}
		if (!found || !found->link)
			return found;
		name = found->link;
	}
	return NULL;
}
