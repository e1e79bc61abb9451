/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_conflict.c - a devenv.lock with git's conflict markers in it.
 *
 * Each side of the conflict is a whole lock file once the lines of the other side, of their common ancestor
 * (diff3 style) and the markers are blanked out; blanked and not removed, so that line numbers stay right.
 */
#include "config/lock.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/lock_entries.h"
#include "config/lock_package.h"

enum side { BOTH, OURS, ANCESTOR, THEIRS };

static bool is_marker(const char *line, size_t n, char c)
{
	if (n < 7 || (n > 7 && line[7] != ' '))
		return false;
	for (size_t i = 0; i < 7; i++)
		if (line[i] != c)
			return false;
	return true;
}

/* The state after a line, and whether it is a marker. -1: a marker where none can be. */
static int step(enum side *side, const char *line, size_t n)
{
	if (is_marker(line, n, '<')) {
		if (*side != BOTH)
			return -1;
		*side = OURS;
	} else if (is_marker(line, n, '|')) {
		if (*side != OURS)
			return -1;
		*side = ANCESTOR;
	} else if (n == 7 && is_marker(line, n, '=')) {
		if (*side != OURS && *side != ANCESTOR)
			return -1;
		*side = THEIRS;
	} else if (is_marker(line, n, '>')) {
		if (*side != THEIRS)
			return -1;
		*side = BOTH;
	} else {
		return 0;
	}
	return 1;
}

/* Split a text into the two files it was made from. *marked tells whether there is any conflict. */
static int split(const char *name, const char *text, size_t len, struct buf *ours, struct buf *theirs,
                 bool *marked, struct err *e)
{
	enum side side = BOTH;
	unsigned int line = 0;

	*marked = false;
	for (size_t pos = 0; pos < len;) {
		const char *start = text + pos, *end = memchr(start, '\n', len - pos);
		size_t whole = end ? (size_t)(end - start) + 1 : len - pos, n = end ? whole - 1 : whole;
		int rc;

		if (n > 0 && start[n - 1] == '\r')
			n--;
		line++;
		pos += whole;
		rc = step(&side, start, n);
		if (rc < 0)
			return err_set(e, ERR_LOCK, "%s:%u: a conflict marker where none can be",
			               text_safe(name), line);
		*marked = *marked || rc;
		if (!rc && (side == BOTH || side == OURS))
			buf_add(ours, start, n);
		if (!rc && (side == BOTH || side == THEIRS))
			buf_add(theirs, start, n);
		buf_addch(ours, '\n');
		buf_addch(theirs, '\n');
	}
	if (side != BOTH)
		return err_set(e, ERR_LOCK, "%s:%u: the file ends within a conflict", text_safe(name), line);
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same_image(const void *one, const void *two)
{
	const struct lock_image *a = one, *b = two;

	if (a->manifest_count != b->manifest_count || !same_text(a->index, b->index) ||
	    !same_text(a->request, b->request))
		return false;
	for (size_t i = 0; i < a->manifest_count; i++)
		if (!same_text(a->manifests[i].digest, lock_manifest_digest(b, a->manifests[i].platform)))
			return false;
	return true;
}

static bool same_extends(const void *one, const void *two)
{
	const struct lock_extends *a = one, *b = two;

	return same_text(a->request, b->request) && same_text(a->commit, b->commit) && same_text(a->content, b->content);
}

/* Drop what the two sides disagree about, and take the rest of both: into ours. */
static void unite(struct lock_entries ours, struct lock_entries theirs, bool (*same)(const void *a, const void *b))
{
	for (size_t i = 0; i < *theirs.count; i++) {
		void *two = (char *)*theirs.items + i * theirs.size;
		const char *name = *(char **)two;
		const void *one = lock_entries_find(ours, name);

		if (one && !same(one, two))
			lock_entries_remove(ours, name);
		else
			lock_entries_put(ours, two);
	}
}

static int parse_sides(const char *name, const struct buf *text_ours, const struct buf *text_theirs,
                       struct lock *ours, struct lock *theirs, struct err *e)
{
	if (lock_parse(name, text_ours->data, text_ours->len, ours, e))
		return -1;
	if (lock_parse(name, text_theirs->data, text_theirs->len, theirs, e)) {
		lock_release(ours);
		return -1;
	}
	return 0;
}

int lock_parse_both_sides(const char *name, const char *text, size_t len, struct lock *out, struct err *e)
{
	cleanup_buf struct buf text_ours = BUF_INIT, text_theirs = BUF_INIT;
	struct lock ours = { 0 }, theirs = { 0 };
	bool marked;

	if (split(name, text, len, &text_ours, &text_theirs, &marked, e))
		return err_hint(e, "resolve the conflict by hand, or delete the file and run `devenv lock`");
	if (!marked)
		return lock_parse(name, text, len, out, e);
	if (parse_sides(name, &text_ours, &text_theirs, &ours, &theirs, e))
		return -1;
	unite(lock_entries_images(&ours), lock_entries_images(&theirs), same_image);
	unite(lock_entries_extends(&ours), lock_entries_extends(&theirs), same_extends);
	lock_join_packages(&ours, &theirs);
	*out = ours;
	lock_release(&theirs);
	return 0;
}
