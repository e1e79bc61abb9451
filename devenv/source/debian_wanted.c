/* SPDX-License-Identifier: Apache-2.0 */
/* debian_wanted.c - what a search begins with: the version of every name that is taken by choice, and those that are wanted. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_solve_internal.h"
#include "source/debian_version.h"

enum { NAMES_SHOWN = 8 };

/* ---- candidates ---- */

/* What apt would take of versions that are sorted, the latest first. DEBIAN_NONE: nothing. */
static size_t find_candidate(const struct debian_universe *u, size_t first, size_t end)
{
	size_t installed = DEBIAN_NONE, best = DEBIAN_NONE;
	int most = 0;

	for (size_t i = first; i < end; i++)
		if (u->packages[i].installed)
			installed = i;
	if (installed != DEBIAN_NONE && u->packages[installed].held)
		return installed;
	for (size_t i = first; i < end; i++) {
		int policy = u->packages[i].policy;

		if (policy <= most || (installed != DEBIAN_NONE && i > installed && policy < DEBIAN_PRIORITY_DOWNGRADE))
			continue;
		best = i;
		most = policy;
	}
	return best == DEBIAN_NONE ? installed : best;
}

void wanted_candidates(struct solver *s)
{
	size_t end;

	for (size_t head = 0; head < s->u->count; head = end) {
		size_t candidate;

		for (end = head + 1; end < s->u->count &&
				     debian_text_compare(s->u->packages[end].name, s->u->packages[head].name) == 0;)
			end++;
		candidate = find_candidate(s->u, head, end);
		for (size_t i = head; i < end; i++) {
			s->head[i] = head;
			s->wants[i] = i == head ? candidate : i;
		}
	}
	for (size_t p = 0; p < s->goal->pin_count; p++) {
		struct debian_text name = DEBIAN_TEXT(s->goal->pins[p].name), version = DEBIAN_TEXT(s->goal->pins[p].version);
		size_t first, n = debian_universe_find(s->u, name, &first);

		if (n && s->wants[first] != DEBIAN_NONE && s->u->packages[s->wants[first]].held)
			continue;
		for (size_t i = first; i < first + n; i++)
			if (debian_version_compare(s->u->packages[i].version, version) == 0)
				s->wants[first] = i;
	}
}

/* ---- what is wanted ---- */

static void add_root(struct solver *s, size_t package, struct debian_text word)
{
	s->roots = mem_grow(s->roots, s->root_count, &s->root_cap, sizeof(*s->roots));
	s->roots[s->root_count++] = (struct root){ package, word };
}

static void add_names(struct buf *b, const struct debian_universe *u, const struct choice *c)
{
	for (size_t i = 0; i < c->count && i < NAMES_SHOWN; i++) {
		struct debian_text t = u->packages[c->options[i]].name;

		buf_addf(b, "%s%.*s", i ? ", " : "", (int)t.len, t.at);
	}
}

/* 1: *out is the version that the name means; 0: there is no such name. A name that only one package provides means that one. */
static int find_name(struct solver *s, struct debian_text name, const char *text, size_t *out, struct err *e)
{
	size_t first, n = debian_universe_find(s->u, name, &first);
	struct debian_dependency d = { .name = name };
	struct choice providers = { 0 };
	int result = 1;

	if (n && s->wants[first] == DEBIAN_NONE)
		return err_set(e, ERR_CONFIG, "%s has a negative Pin-Priority in the image's preferences of apt: it is never installed", text_safe(text));
	if (n) {
		*out = s->wants[first];
		return 1;
	}
	options_add_providers(s, &providers, &d);
	*out = providers.count ? providers.options[0] : DEBIAN_NONE;
	if (providers.count > 1) {
		cleanup_buf struct buf names = BUF_INIT;

		add_names(&names, s->u, &providers);
		err_set(e, ERR_CONFIG, "'%s' is no package but what several packages provide", text_safe(text));
		result = err_hint(e, "name one of: %s", names.data);
	} else if (providers.count == 0) {
		result = 0;
	}
	free(providers.options);
	return result;
}

static int no_version(const struct debian_universe *u, const char *text, size_t first, size_t n, struct err *e)
{
	const char *equals = strchr(text, '=');
	cleanup_free char *name = mem_strndup(text, (size_t)(equals - text));
	cleanup_buf struct buf versions = BUF_INIT;

	for (size_t i = first; i < first + n && i < first + NAMES_SHOWN; i++) {
		buf_adds(&versions, i > first ? ", " : "");
		text_escape_bytes(&versions, u->packages[i].version.at, u->packages[i].version.len);
	}
	return err_set(e, ERR_NOT_FOUND, "there is no version %s of %s; there %s %s%s", text_safe(equals + 1), text_safe(name),
		       n == 1 ? "is" : "are", versions.data, n > NAMES_SHOWN ? " and earlier ones" : "");
}

/* "name" or "name=version". 1: it is a root now; 0: there is no such name. */
static int add_wanted(struct solver *s, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	struct debian_text name = { text, equals ? (size_t)(equals - text) : strlen(text) };
	size_t first, n = debian_universe_find(s->u, name, &first), package;
	int found;

	if (equals && n) {
		for (size_t i = first; i < first + n; i++)
			if (debian_version_compare(s->u->packages[i].version, DEBIAN_TEXT(equals + 1)) == 0) {
				add_root(s, i, (struct debian_text){ "", 0 });
				return 1;
			}
		return no_version(s->u, text, first, n, e);
	}
	found = equals ? 0 : find_name(s, name, text, &package, e);
	if (found > 0)
		add_root(s, package, name);
	return found;
}

static bool is_basic(const struct solver *s, size_t package)
{
	const struct debian_package *p = &s->u->packages[package];

	return s->head[package] == package && s->goal->priority >= 0 && s->wants[package] != DEBIAN_NONE &&
	       (s->u->packages[s->wants[package]].essential || (int)p->priority <= s->goal->priority);
}

int wanted_roots(struct solver *s, struct err *e)
{
	const struct strlist *wanted = s->goal->wanted;
	cleanup_strlist struct strlist unknown = STRLIST_INIT;

	for (size_t i = 0; wanted && i < wanted->count; i++) {
		int found = add_wanted(s, wanted->items[i], e);

		if (found < 0)
			return -1;
		if (found == 0)
			strlist_add_take(&unknown, mem_strndup(wanted->items[i], strcspn(wanted->items[i], "=")));
	}
	for (size_t i = 0; s->goal->unknown && i < unknown.count; i++)
		strlist_add(s->goal->unknown, unknown.items[i]);
	if (unknown.count)
		return debian_unknown_names(s->u, &unknown, e);
	for (size_t i = 0; i < s->u->count; i++)
		if (is_basic(s, i))
			add_root(s, s->wants[i], s->u->packages[i].name);
	return 0;
}
