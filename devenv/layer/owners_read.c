/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owners_read.c - reading the owners record: the lines are sorted by path, so that a directory stands before what is in
 * it, and by their order in the file; then one pass merges the lines of a path and leaves out what a "-" voids.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "layer/owners.h"

#define OWNERS_MAX ((size_t)1 << 30)

struct line {
	struct owners_record record; /* kind may be '-' or 'x' too */
	size_t order;
};

struct lines {
	struct line *items;
	size_t count, cap;
};

static void record_release(struct owners_record *r)
{
	free(r->path);
	free(r->target);
	free(r->capability);
}

static void lines_release(struct lines *l)
{
	for (size_t i = 0; i < l->count; i++)
		record_release(&l->items[i].record);
	free(l->items);
}

static bool octal(const char *s, size_t len, unsigned int *out)
{
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '7' || *out > 0777777)
			return false;
		*out = *out * 8 + (unsigned int)(s[i] - '0');
	}
	return len > 0;
}

/* The path in s[0..len), malloc'ed; NULL when it is malformed. */
static char *unescape(const char *s, size_t len)
{
	char *out = mem_alloc(len + 1), *p = out;

	for (size_t i = 0; i < len; i++) {
		unsigned int byte;

		if (s[i] != '\\') {
			*p++ = s[i];
		} else if (i + 3 < len && octal(s + i + 1, 3, &byte) && byte > 0 && byte < 256) {
			*p++ = (char)byte;
			i += 3;
		} else {
			free(out);
			return NULL;
		}
	}
	if (p == out) {
		free(out);
		return NULL;
	}
	return out;
}

/* Cut the next space-separated field off *s. */
static char *field(char **s)
{
	char *start = *s, *space = strchr(start, ' ');

	if (!space || space == start)
		return NULL;
	*space = '\0';
	*s = space + 1;
	return start;
}

static bool number(char **s, uint64_t max, uint64_t *out)
{
	const char *text = field(s);

	return text && text_number(text, max, out) == 0;
}

static bool device(char **s, struct owners_record *r)
{
	char *text = field(s), *colon = text ? strchr(text, ':') : NULL;
	uint64_t major, minor;

	if (!colon)
		return false;
	*colon = '\0';
	if (text_number(text, UINT32_MAX, &major) < 0 || text_number(colon + 1, UINT32_MAX, &minor) < 0)
		return false;
	r->major = (uint32_t)major;
	r->minor = (uint32_t)minor;
	return true;
}

static bool parse_line(char *s, struct owners_record *r)
{
	const char *text = field(&s);
	char *tab;

	if (!text || text[1] || !strchr("eicbpshx-", text[0]))
		return false;
	r->kind = text[0];
	if (strchr("ecbps", r->kind)) {
		const char *mode = field(&s);

		if (!mode || !octal(mode, strlen(mode), &r->mode) || !number(&s, UINT64_MAX, &r->uid) ||
		    !number(&s, UINT64_MAX, &r->gid))
			return false;
	}
	if ((r->kind == 'c' || r->kind == 'b') && !device(&s, r))
		return false;
	if (r->kind == 'x') {
		const char *hex = field(&s);

		if (!hex || strspn(hex, "0123456789abcdef") != strlen(hex))
			return false;
		r->capability = mem_strdup(hex);
	}
	tab = r->kind == 'h' ? strchr(s, '\t') : NULL;
	if (r->kind == 'h' && (!tab || !(r->target = unescape(tab + 1, strlen(tab + 1)))))
		return false;
	r->path = unescape(s, tab ? (size_t)(tab - s) : strlen(s));
	return r->path != NULL;
}

/* Bytewise, but '/' before everything else, so that what is below a path follows it immediately. */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (!*a || !*b)
		return *a ? 1 : -1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = compare_paths(x->record.path, y->record.path);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static bool is_within(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (!path[len] || path[len] == '/');
}

/* One line's fact into the record of its path. */
static void merge(struct owners_record *into, struct owners_record *line)
{
	if (line->kind == 'x') {
		free(into->capability);
		into->capability = mem_steal(line->capability);
		return;
	}
	free(into->target);
	into->target = mem_steal(line->target);
	into->kind = line->kind;
	into->mode = line->mode;
	into->uid = line->uid;
	into->gid = line->gid;
	into->major = line->major;
	into->minor = line->minor;
}

struct voids { /* the "-" lines whose subtree the pass is in, outermost first; `order` only grows */
	const struct line **items;
	size_t count, cap;
};

static bool is_void(struct voids *v, const struct line *l)
{
	while (v->count > 0 && !is_within(l->record.path, v->items[v->count - 1]->record.path))
		v->count--;
	if (l->record.kind == '-') {
		if (v->count == 0 || v->items[v->count - 1]->order < l->order) {
			v->items = mem_grow(v->items, v->count, &v->cap, sizeof(*v->items));
			v->items[v->count++] = l;
		}
		return true;
	}
	return v->count > 0 && v->items[v->count - 1]->order > l->order;
}

static void collect(struct owners *o, struct lines *l)
{
	struct voids voids = { 0 };
	struct owners_record *last = NULL;

	o->records = mem_array(l->count ? l->count : 1, sizeof(*o->records));
	/* A path's own "-" may come after lines it voids: look at the path's lines twice. */
	for (size_t i = 0; i < l->count;) {
		const char *path = l->items[i].record.path;
		size_t end = i;

		for (; end < l->count && strcmp(l->items[end].record.path, path) == 0; end++)
			if (l->items[end].record.kind == '-')
				is_void(&voids, &l->items[end]);
		for (last = NULL; i < end; i++) {
			if (l->items[i].record.kind == '-' || is_void(&voids, &l->items[i]))
				continue;
			if (!last) {
				last = &o->records[o->count++];
				last->path = mem_strdup(path);
			}
			merge(last, &l->items[i].record);
		}
	}
	free(voids.items);
}

static int parse(struct lines *l, char *text, struct err *e)
{
	char *line = text, *end;

	for (size_t n = 1; *line; line = end + 1, n++) {
		end = strchr(line, '\n');
		if (!end)
			return err_set(e, ERR_INTEGRITY, "owners record: it is cut short");
		*end = '\0';
		if (n == 1) {
			if (strcmp(line, "devenv-owners 1") != 0)
				return err_set(e, ERR_INTEGRITY, "owners record: unknown format '%s'",
				               text_safe(line));
			continue;
		}
		l->items = mem_grow(l->items, l->count, &l->cap, sizeof(*l->items));
		l->items[l->count] = (struct line){ .order = n };
		if (!parse_line(line, &l->items[l->count++].record))
			return err_set(e, ERR_INTEGRITY, "owners record: line %zu is malformed", n);
	}
	if (line == text)
		return err_set(e, ERR_INTEGRITY, "owners record: it is empty");
	return 0;
}

int owners_load(struct owners *o, int fd, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct lines lines = { 0 };
	int result;

	*o = (struct owners){ 0 };
	if (file_read_fd(fd, OWNERS_MAX, &text, e) < 0)
		return err_wrap(e, "owners record");
	if (strlen(text.data) != text.len)
		return err_set(e, ERR_INTEGRITY, "owners record: there is a NUL in it");
	result = parse(&lines, text.data, e);
	if (result == 0) {
		if (lines.count)
			qsort(lines.items, lines.count, sizeof(*lines.items), compare_lines);
		collect(o, &lines);
	}
	lines_release(&lines);
	return result;
}

static int compare_key(const void *key, const void *record)
{
	return compare_paths(key, ((const struct owners_record *)record)->path);
}

const struct owners_record *owners_find(const struct owners *o, const char *path)
{
	return o->count ? bsearch(path, o->records, o->count, sizeof(*o->records), compare_key) : NULL;
}

void owners_release(struct owners *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->count; i++)
		record_release(&o->records[i]);
	free(o->records);
	*o = (struct owners){ 0 };
}
