/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_nearest.c - what may have been meant by names that are no packages. Among 60000 names some package is always one slip
 * away, so some kinds of likeness come first: two letters turned round, one too many or too few at the end. Of the others - a slip,
 * another version of the same family (libssl1.1, libssl3), a longer name (firefox, firefox-esr) - it is that which most packages
 * depend on: what is meant is rarely rare. Two slips count in long names only, and at last what is
 * in front of a dash (chromium-browser, chromium).
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_depends.h"
#include "source/debian_solve.h"

enum { LONG_NAME = 8, SHORT_NAME = 3, NAMES_SHOWN = 12, MUCH_RARER = 10 };
enum likeness { TURNED_ROUND, LETTER_AT_END, ALIKE, LONGER, TWO_SLIPS, SHORTER, UNLIKE };

struct likely { /* all of the best likeness, sorted by name; of ALIKE and LONGER both */
	struct debian_text *names;
	size_t *needed; /* by so many packages */
	size_t count, cap;
	enum likeness likeness;
};

static bool begins(struct debian_text t, struct debian_text with)
{
	return t.len >= with.len && memcmp(t.at, with.at, with.len) == 0;
}

static struct debian_text behind(struct debian_text t, size_t n)
{
	return n < t.len ? (struct debian_text){ t.at + n, t.len - n } : (struct debian_text){ "", 0 };
}

/* Are they so many letters apart that were changed, left out, put in or turned round? */
static bool is_within(struct debian_text a, struct debian_text b, unsigned int slips)
{
	while (a.len && b.len && *a.at == *b.at) {
		a = behind(a, 1);
		b = behind(b, 1);
	}
	if (a.len == 0 || b.len == 0)
		return a.len + b.len <= slips;
	if (slips == 0)
		return false;
	if (a.len > 1 && b.len > 1 && a.at[0] == b.at[1] && a.at[1] == b.at[0] && is_within(behind(a, 2), behind(b, 2), slips - 1))
		return true;
	return is_within(behind(a, 1), behind(b, 1), slips - 1) || is_within(behind(a, 1), b, slips - 1) ||
	       is_within(a, behind(b, 1), slips - 1);
}

static bool is_turned_round(struct debian_text a, struct debian_text b)
{
	size_t i = 0;

	if (a.len != b.len)
		return false;
	while (i < a.len && a.at[i] == b.at[i])
		i++;
	return i + 1 < a.len && a.at[i] == b.at[i + 1] && a.at[i + 1] == b.at[i] &&
	       debian_text_compare(behind(a, i + 2), behind(b, i + 2)) == 0;
}

/* Without the number at its end: "libssl" of "libssl1.1". */
static struct debian_text family(struct debian_text t)
{
	while (t.len && strchr("0123456789.", t.at[t.len - 1]))
		t.len--;
	return t;
}

static enum likeness like(struct debian_text word, struct debian_text name)
{
	bool first = *word.at == *name.at;

	if (is_turned_round(word, name))
		return TURNED_ROUND;
	if (word.len + 1 == name.len ? begins(name, word) : word.len == name.len + 1 && begins(word, name))
		return LETTER_AT_END;
	if (word.len > SHORT_NAME && is_within(word, name, 1))
		return ALIKE;
	if (!first || word.len < SHORT_NAME)
		return UNLIKE;
	if (family(word).len >= SHORT_NAME && debian_text_compare(family(word), family(name)) == 0)
		return ALIKE;
	if (begins(name, word))
		return LONGER;
	if (word.len >= LONG_NAME && is_within(word, name, 2))
		return TWO_SLIPS;
	return begins(word, name) && word.at[name.len] == '-' && name.len >= SHORT_NAME ? SHORTER : UNLIKE;
}

static struct likely find_likely(const struct debian_universe *u, struct debian_text word)
{
	struct likely l = { .likeness = UNLIKE };

	for (size_t i = 0; i < u->count; i++) {
		struct debian_text name = u->packages[i].name;
		enum likeness is = UNLIKE;

		if (i == 0 || debian_text_compare(name, u->packages[i - 1].name) != 0)
			is = like(word, name);
		is = is == LONGER ? ALIKE : is;
		if (is == UNLIKE || is > l.likeness)
			continue;
		if (is < l.likeness)
			l.count = 0;
		l.likeness = is;
		l.names = mem_grow(l.names, l.count, &l.cap, sizeof(*l.names));
		l.names[l.count++] = name;
	}
	l.needed = mem_array(l.count + 1, sizeof(*l.needed));
	return l;
}

static void count_one(struct likely *l, struct debian_text name)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (debian_text_compare(l->names[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < l->count && debian_text_compare(l->names[low], name) == 0)
		l->needed[low]++;
}

static void count_needed(const struct debian_universe *u, struct likely *l)
{
	for (size_t i = 0; l->count > 1 && i < u->count; i++) {
		struct debian_text rest, group;
		struct debian_dependency d;

		debian_control_field(u->packages[i].stanza, "Depends", &rest);
		while (debian_depends_group(&rest, &group))
			while (debian_depends_next(&group, u->arch, &d))
				count_one(l, d.name);
	}
}

/* The best one but `but`; l->count: none. */
static size_t best_of(const struct likely *l, size_t but)
{
	size_t best = l->count;

	for (size_t i = 0; i < l->count; i++)
		if (i != but && (best == l->count || l->needed[i] > l->needed[best] ||
				 (l->needed[i] == l->needed[best] && l->names[i].len < l->names[best].len)))
			best = i;
	return best;
}

/* Another that may be meant as well; l->count: none. Longer names of one beginning are too many, and what is rare beside it is not. */
static size_t second_of(const struct likely *l, struct debian_text word, size_t best)
{
	size_t second = best < l->count ? best_of(l, best) : l->count;

	if (second == l->count || like(word, l->names[second]) == LONGER || like(word, l->names[best]) == LONGER ||
	    l->needed[second] * MUCH_RARER < l->needed[best])
		return l->count;
	return second;
}

/* "python-is-python3": the distribution's own answer to a name that it gave up. */
static struct debian_text find_successor(const struct debian_universe *u, const char *name)
{
	cleanup_free char *prefix = mem_printf("%s-is-%s", name, name);

	for (size_t i = 0; i < u->count; i++) {
		struct debian_text found = u->packages[i].name;

		if (begins(found, DEBIAN_TEXT(prefix)) && found.len > strlen(prefix) && family(found).len == strlen(prefix))
			return found;
	}
	return (struct debian_text){ "", 0 };
}

/* "'a'", "'a' or 'b'", or nothing. */
static void add_nearest(const struct debian_universe *u, const char *name, struct buf *b)
{
	struct likely l = find_likely(u, DEBIAN_TEXT(name));
	struct debian_text second = find_successor(u, name);
	size_t best, other;

	count_needed(u, &l);
	best = best_of(&l, l.count);
	other = second_of(&l, DEBIAN_TEXT(name), best);
	if (!second.len && other < l.count)
		second = l.names[other];
	if (best < l.count)
		buf_addf(b, "'%.*s'", (int)l.names[best].len, l.names[best].at);
	if (second.len)
		buf_addf(b, "%s'%.*s'", b->len ? " or " : "", (int)second.len, second.at);
	free(l.names);
	free(l.needed);
}

int debian_unknown_names(const struct debian_universe *u, const struct strlist *names, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT, hint = BUF_INIT;

	for (size_t i = 0; i < names->count && i < NAMES_SHOWN; i++) {
		cleanup_buf struct buf nearest = BUF_INIT;

		buf_addf(&list, "%s'%s'", i ? ", " : "", text_safe(names->items[i]));
		add_nearest(u, names->items[i], &nearest);
		if (!nearest.len)
			continue;
		buf_addf(&hint, "%s %s", hint.len ? "," : "did you mean", nearest.data);
		if (names->count > 1)
			buf_addf(&hint, " for '%s'", text_safe(names->items[i]));
	}
	if (names->count > NAMES_SHOWN)
		buf_addf(&list, " and %zu more", names->count - NAMES_SHOWN);
	err_set(e, ERR_NOT_FOUND, names->count == 1 ? "there is no package %s in the distribution" : "there are no packages %s in the distribution",
		list.data);
	return hint.len ? err_hint(e, "%s?", hint.data) : -1;
}
