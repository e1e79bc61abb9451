/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_solve.c - a search over needs.
 *
 * Theory of operation
 *
 * The state is which version of each name is chosen, and a list of needs. A step takes the first need off the list: when
 * something chosen meets it, that was all; otherwise its options - versions that would meet it, best first - become a
 * choice, and the first of them that does not conflict is taken, its own needs before the others (depth first, as apt goes).
 * When no option is left the search goes back to the last choice: everything chosen since is undone from a log, and the list
 * of needs is simply the one of then, for needs are only ever put before others. So the search is complete, and ordinary
 * sets of packages never go back once.
 */
#include "source/debian_solve.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_solve_internal.h"
#include "source/debian_version.h"

#define STEPS_MAX 100000 /* of one attempt; an ordinary set takes a few thousand */

/* ---- options ---- */

static void add_option(struct choice *c, size_t package)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->options[i] == package)
			return;
	c->options = mem_resize(c->options, c->count + 1, sizeof(*c->options));
	c->options[c->count++] = package;
}

static const struct debian_universe *sorted_universe; /* qsort has no argument for it; one thread solves */

/* Of those that provide a name: what the system is made of first. Else the order of apt's cache, which is that of the index. */
static int by_standing(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	const struct debian_package *p = &sorted_universe->packages[x], *q = &sorted_universe->packages[y];

	if (p->essential != q->essential)
		return p->essential ? -1 : 1;
	if (p->priority != q->priority)
		return p->priority < q->priority ? -1 : 1;
	return (x > y) - (x < y);
}

static void add_providers(struct solver *s, struct choice *c, const struct debian_dependency *d)
{
	size_t first, n = debian_universe_providers(s->u, d->name, &first), count = 0;
	size_t *found = mem_array(n + 1, sizeof(*found));

	for (size_t i = first; i < first + n; i++) {
		size_t package = s->u->provided[i].package;

		if (candidate_of(s, package) == package && meets(s, d, package))
			found[count++] = package;
	}
	sorted_universe = s->u;
	if (count)
		qsort(found, count, sizeof(*found), by_standing);
	for (size_t i = 0; i < count; i++)
		add_option(c, found[i]);
	free(found);
}

static void add_candidate(struct solver *s, struct choice *c, const struct debian_dependency *d)
{
	size_t first, n = debian_universe_find(s->u, d->name, &first);

	if (n && meets(s, d, s->wants[first]))
		add_option(c, s->wants[first]);
}

static void add_other_versions(struct solver *s, struct choice *c, const struct debian_dependency *d)
{
	size_t first, n = debian_universe_find(s->u, d->name, &first);

	for (size_t i = first; i < first + n; i++)
		if (meets(s, d, i))
			add_option(c, i);
}

static void find_options(struct solver *s, const struct need *n, struct choice *c)
{
	struct debian_text rest = n->group;
	struct debian_dependency d;

	/* The old version of something installed needs what is gone: a newer one may not. */
	if (s->u->packages[n->owner].installed && candidate_of(s, n->owner) != n->owner)
		add_option(c, candidate_of(s, n->owner));
	while (debian_depends_next(&rest, s->u->arch, &d)) {
		add_candidate(s, c, &d);
		add_providers(s, c, &d);
	}
}

/* Versions that nobody would take by choice: an older one of the archive's, or one that was not pinned. */
static void find_last_resorts(struct solver *s, const struct need *n, struct choice *c)
{
	struct debian_text rest = n->group;
	struct debian_dependency d;

	while (debian_depends_next(&rest, s->u->arch, &d))
		add_other_versions(s, c, &d);
}

/* ---- the search ---- */

static void take_back(struct solver *s, const struct choice *c)
{
	while (s->undo_count > c->undo_count) {
		const struct undo *u = &s->undo[--s->undo_count];

		s->chosen[u->head] = u->before;
	}
	s->conflict_count = c->conflict_count;
	s->later_count = c->later_count;
	s->later_next = c->later_next;
	s->needs = c->needs;
}

/* The next option of the last choice that has one. */
static bool go_on(struct solver *s)
{
	while (s->choice_count) {
		struct choice *c = &s->choices[s->choice_count - 1];

		while (c->next < c->count) {
			size_t option = c->options[c->next++];

			take_back(s, c);
			if (choose(s, option, c->need->owner))
				return true;
		}
		explain_unmet(s, c->need);
		take_back(s, c);
		free(c->options);
		s->choice_count--;
	}
	return false;
}

/* Is the need one of a version that has been replaced meanwhile, or met? */
static bool is_settled(const struct solver *s, const struct need *n)
{
	if (s->chosen[s->head[n->owner]] != n->owner)
		return true;
	return n->group.len && is_met(s, n->group);
}

/* The next need, or NULL. One with several options waits until there is no other: what is needed anyway may meet it. */
static struct need *next_need(struct solver *s)
{
	struct need *n = s->needs;

	if (n)
		s->needs = n->next;
	else if (s->later_next < s->later_count)
		n = s->later[s->later_next++];
	return n;
}

static void put_off(struct solver *s, struct need *n)
{
	s->later = mem_grow(s->later, s->later_count, &s->later_cap, sizeof(*s->later));
	s->later[s->later_count++] = n;
}

static bool search(struct solver *s)
{
	for (;;) {
		bool first_time = s->needs != NULL;
		struct need *n = next_need(s);
		struct choice c = { .need = n };

		if (!n)
			return true;
		if (++s->steps > STEPS_MAX)
			return false;
		if (is_settled(s, n))
			continue;
		find_options(s, n, &c);
		if (s->put_off && first_time && c.count > 1) {
			free(c.options);
			put_off(s, n);
			continue;
		}
		find_last_resorts(s, n, &c);
		c.needs = s->needs;
		c.undo_count = s->undo_count;
		c.conflict_count = s->conflict_count;
		c.later_count = s->later_count;
		c.later_next = s->later_next;
		s->choices = mem_grow(s->choices, s->choice_count, &s->choice_cap, sizeof(*s->choices));
		s->choices[s->choice_count++] = c;
		if (!go_on(s))
			return false;
	}
}

/* ---- the goal ---- */

/* "name" or "name=version": the version that is meant. A name that only one package provides means that one. */
static int find_wanted(struct solver *s, const char *text, size_t *out, struct err *e)
{
	const char *equals = strchr(text, '=');
	struct debian_text name = { text, equals ? (size_t)(equals - text) : strlen(text) };
	struct debian_text version = { equals ? equals + 1 : "", equals ? strlen(equals + 1) : 0 };
	size_t first, n = debian_universe_find(s->u, name, &first);
	struct debian_dependency d = { .name = name };
	struct choice providers = { 0 };

	for (size_t i = first; equals && i < first + n; i++)
		if (debian_version_compare(s->u->packages[i].version, version) == 0) {
			*out = i;
			return 0;
		}
	if (n && equals) {
		cleanup_free char *have = debian_text_dup(s->u->packages[first].version);

		return err_set(e, ERR_NOT_FOUND, "there is no version %s; the newest one is %s", text_safe(text), text_safe(have));
	}
	if (n) {
		*out = s->wants[first];
		return 0;
	}
	add_providers(s, &providers, &d);
	n = providers.count;
	*out = n == 1 ? providers.options[0] : 0;
	if (n > 1) {
		cleanup_buf struct buf names = BUF_INIT;

		for (size_t i = 0; i < n && i < 8; i++) {
			struct debian_text t = s->u->packages[providers.options[i]].name;

			buf_addf(&names, "%s%.*s", i ? ", " : "", (int)t.len, t.at);
		}
		err_set(e, ERR_CONFIG, "'%s' is no package but what several packages provide", text_safe(text));
		err_hint(e, "name one of: %s", names.data);
	} else if (n == 0) {
		explain_unknown(s->u, text, e);
	}
	free(providers.options);
	return n == 1 ? 0 : -1;
}

static void find_candidates(struct solver *s)
{
	size_t head = 0;

	for (size_t i = 0; i < s->u->count; i++) {
		if (i == 0 || debian_text_compare(s->u->packages[i].name, s->u->packages[i - 1].name) != 0)
			head = i;
		s->head[i] = head;
		s->wants[i] = i;
	}
	for (size_t p = 0; p < s->goal->pin_count; p++) {
		struct debian_text name = DEBIAN_TEXT(s->goal->pins[p].name), version = DEBIAN_TEXT(s->goal->pins[p].version);
		size_t first, n = debian_universe_find(s->u, name, &first);

		for (size_t i = first; i < first + n; i++)
			if (debian_version_compare(s->u->packages[i].version, version) == 0)
				s->wants[first] = i;
	}
}

static void choose_installed(struct solver *s)
{
	for (size_t i = 0; i < s->u->count; i++)
		if (s->u->packages[i].installed) {
			s->chosen[s->head[i]] = i;
			conflicts_add(s, i);
		}
}

/* The only version that meets a need, or DEBIAN_NONE. */
static size_t only_option(struct solver *s, size_t owner, struct debian_text group)
{
	struct need n = { .owner = owner, .group = group };
	struct choice c = { .need = &n };
	size_t only;

	find_options(s, &n, &c);
	only = c.count == 1 ? c.options[0] : DEBIAN_NONE;
	free(c.options);
	return only;
}

static void add_must(struct solver *s, size_t package)
{
	if (s->must[s->head[package]] != DEBIAN_NONE || s->chosen[s->head[package]] == package)
		return;
	s->must[s->head[package]] = package;
	conflicts_add(s, package);
	s->musts = mem_grow(s->musts, s->must_count, &s->must_cap, sizeof(*s->musts));
	s->musts[s->must_count++] = package;
}

/*
 * What every solution has: what is wanted, and what that needs without an alternative. Known beforehand, it keeps the search
 * from alternatives that conflict with it - as apt protects such packages.
 */
static void find_musts(struct solver *s)
{
	static const char *const fields[] = { "Pre-Depends", "Depends" };

	for (size_t i = 0; i < s->root_count; i++)
		add_must(s, s->roots[i]);
	for (size_t i = 0; i < s->must_count; i++)
		for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
			struct debian_text rest, group;

			debian_control_field(s->u->packages[s->musts[i]].stanza, fields[f], &rest);
			while (debian_depends_group(&rest, &group)) {
				size_t only = is_met(s, group) ? DEBIAN_NONE : only_option(s, s->musts[i], group);

				if (only != DEBIAN_NONE && !s->u->packages[only].installed)
					add_must(s, only);
			}
		}
}

static bool is_basic(const struct solver *s, size_t package)
{
	const struct debian_package *p = &s->u->packages[package];

	return s->head[package] == package && s->goal->priority >= 0 &&
	       (s->u->packages[s->wants[package]].essential || (int)p->priority <= s->goal->priority);
}

static void add_root(struct solver *s, size_t package)
{
	s->roots = mem_grow(s->roots, s->root_count, &s->root_cap, sizeof(*s->roots));
	s->roots[s->root_count++] = package;
}

static int find_roots(struct solver *s, struct err *e)
{
	const struct strlist *wanted = s->goal->wanted;

	for (size_t i = 0; wanted && i < wanted->count; i++) {
		size_t package;

		if (find_wanted(s, wanted->items[i], &package, e) < 0)
			return -1;
		add_root(s, package);
	}
	for (size_t i = 0; i < s->u->count; i++)
		if (is_basic(s, i))
			add_root(s, s->wants[i]);
	return 0;
}

/* All that is wanted is chosen before anything that it needs, so that alternatives are met by what was asked for. */
static bool choose_roots(struct solver *s)
{
	for (size_t i = s->root_count; i-- > 0;)
		if (!choose(s, s->roots[i], DEBIAN_NONE)) {
			if (!s->explained)
				buf_addf(&s->reason, "%.*s is wanted in two versions", (int)s->u->packages[s->roots[i]].name.len,
					 s->u->packages[s->roots[i]].name.at);
			s->explained = true;
			return false;
		}
	return true;
}

static void take_solution(const struct solver *s, struct debian_solution *out)
{
	out->packages = mem_array(s->u->count + 1, sizeof(*out->packages));
	out->count = 0;
	for (size_t i = 0; i < s->u->count; i++)
		if (s->head[i] == i && s->chosen[i] != DEBIAN_NONE && !s->u->packages[s->chosen[i]].installed)
			out->packages[out->count++] = s->chosen[i];
}

/* Forget the last attempt, but not why it failed. */
static void start_over(struct solver *s)
{
	for (size_t i = 0; i < s->choice_count; i++)
		free(s->choices[i].options);
	for (size_t i = 0; i < s->arena_count; i++)
		free(s->arena[i]);
	s->choice_count = s->arena_count = s->undo_count = s->conflict_count = 0;
	s->later_count = s->later_next = s->must_count = s->steps = 0;
	s->needs = NULL;
	for (size_t i = 0; i < s->u->count; i++)
		s->chosen[i] = s->must[i] = s->why[i] = DEBIAN_NONE;
}

static bool attempt(struct solver *s, bool put_off, bool use_musts)
{
	start_over(s);
	s->put_off = put_off;
	choose_installed(s);
	if (use_musts)
		find_musts(s);
	return choose_roots(s) && search(s);
}

static void release(struct solver *s)
{
	start_over(s);
	free(s->choices);
	free(s->arena);
	free(s->later);
	free(s->roots);
	free(s->musts);
	free(s->head);
	free(s->chosen);
	free(s->must);
	free(s->wants);
	free(s->why);
	free(s->undo);
	free(s->conflicts);
	buf_release(&s->reason);
}

int debian_solve(const struct debian_universe *u, const struct debian_goal *goal, struct debian_solution *out,
		 struct err *e)
{
	struct solver s = { .u = u, .goal = goal, .reason = BUF_INIT };
	int result;

	s.head = mem_array(u->count + 1, sizeof(*s.head));
	s.chosen = mem_array(u->count + 1, sizeof(*s.chosen));
	s.wants = mem_array(u->count + 1, sizeof(*s.wants));
	s.must = mem_array(u->count + 1, sizeof(*s.must));
	s.why = mem_array(u->count + 1, sizeof(*s.why));
	find_candidates(&s);
	result = find_roots(&s, e);
	if (result == 0) {
		/* In apt's order first; then in one that goes back less; then without believing what seemed sure. */
		if (attempt(&s, false, true) || attempt(&s, true, true) || attempt(&s, true, false))
			take_solution(&s, out);
		else
			result = err_set(e, ERR_CONFIG, "these packages can't be installed together: %s", s.reason.data);
	}
	release(&s);
	return result;
}

void debian_solution_release(struct debian_solution *s)
{
	free(s->packages);
	*s = (struct debian_solution){ 0 };
}
