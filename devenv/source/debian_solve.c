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

void option_add(struct choice *c, size_t package)
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

void options_add_providers(struct solver *s, struct choice *c, const struct debian_dependency *d)
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
		option_add(c, found[i]);
	free(found);
}

static void add_candidate(struct solver *s, struct choice *c, const struct debian_dependency *d)
{
	size_t first, n = debian_universe_find(s->u, d->name, &first);

	if (n && s->wants[first] != DEBIAN_NONE && meets(s, d, s->wants[first]))
		option_add(c, s->wants[first]);
}

/* What backports need comes from there too; all else has no lower priority than the version that apt would take. */
static bool may_resort_to(const struct solver *s, size_t package, size_t owner)
{
	int policy = s->u->packages[package].policy;
	size_t candidate = candidate_of(s, package);

	if (policy < 0 || candidate == DEBIAN_NONE || s->u->packages[candidate].held)
		return false;
	if (policy >= s->u->packages[candidate].policy)
		return true;
	return owner != DEBIAN_NONE && !s->u->packages[owner].installed && s->u->packages[owner].policy < DEBIAN_PRIORITY &&
	       policy >= s->u->packages[owner].policy;
}

static void add_other_versions(struct solver *s, struct choice *c, const struct debian_dependency *d)
{
	size_t first, n = debian_universe_find(s->u, d->name, &first);

	for (size_t i = first; i < first + n; i++)
		if (meets(s, d, i) && may_resort_to(s, i, c->need->owner))
			option_add(c, i);
}

static void find_options(struct solver *s, const struct need *n, struct choice *c)
{
	struct debian_text rest = n->group;
	struct debian_dependency d;

	/* The old version of something installed needs what is gone: a newer one may not. */
	if (n->owner != DEBIAN_NONE && s->u->packages[n->owner].installed && candidate_of(s, n->owner) != n->owner)
		option_add(c, candidate_of(s, n->owner));
	while (debian_depends_next(&rest, s->u->arch, &d)) {
		add_candidate(s, c, &d);
		options_add_providers(s, c, &d);
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
	if (n->owner != DEBIAN_NONE && s->chosen[s->head[n->owner]] != n->owner)
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

static void add_must(struct solver *s, size_t package, size_t owner)
{
	if (s->must[s->head[package]] != DEBIAN_NONE || s->chosen[s->head[package]] == package)
		return;
	s->must[s->head[package]] = package;
	s->why[package] = owner;
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
		add_must(s, s->roots[i].package, DEBIAN_NONE);
	for (size_t i = 0; i < s->must_count; i++)
		for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
			struct debian_text rest, group;

			debian_control_field(s->u->packages[s->musts[i]].stanza, fields[f], &rest);
			while (debian_depends_group(&rest, &group)) {
				size_t only = is_met(s, group) ? DEBIAN_NONE : only_option(s, s->musts[i], group);

				if (only != DEBIAN_NONE && !s->u->packages[only].installed)
					add_must(s, only, s->musts[i]);
			}
		}
}

/*
 * All that is wanted is chosen before anything that it needs, so that alternatives are met by what was asked for. `loose`: what has
 * no version of its own is but a need, which another version than the pinned one may meet.
 */
static bool choose_roots(struct solver *s)
{
	for (size_t i = s->root_count; i-- > 0;) {
		const struct root *r = &s->roots[i];

		if (s->loose && r->word.len)
			need_add(s, &s->needs, DEBIAN_NONE, r->word);
	}
	for (size_t i = s->root_count; i-- > 0;) {
		const struct root *r = &s->roots[i];

		if ((!s->loose || !r->word.len) && !choose(s, r->package, DEBIAN_NONE)) {
			explain_root(s, r->package);
			return false;
		}
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

static bool attempt(struct solver *s, bool put_off, bool use_musts, bool loose)
{
	start_over(s);
	s->put_off = put_off;
	s->loose = loose;
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
	wanted_candidates(&s);
	result = wanted_roots(&s, e);
	if (result == 0) {
		/* In apt's order first; then in one that goes back less; then without believing what seemed sure; and at last
		 * with other versions than the pinned ones also of what is wanted. */
		if (attempt(&s, false, true, false) || attempt(&s, true, true, false) || attempt(&s, true, false, false) ||
		    (goal->pin_count && attempt(&s, true, false, true)))
			take_solution(&s, out);
		else
			result = explain_failure(&s, e);
	}
	release(&s);
	return result;
}

void debian_solution_release(struct debian_solution *s)
{
	free(s->packages);
	*s = (struct debian_solution){ 0 };
}
