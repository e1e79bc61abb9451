/* SPDX-License-Identifier: Apache-2.0 */
/* debian_choose.c - taking one version of a package: what speaks against it, and what it needs in turn. */
#include <stdlib.h>

#include "base/mem.h"
#include "source/debian_solve_internal.h"
#include "source/debian_version.h"

bool meets(const struct solver *s, const struct debian_dependency *d, size_t package)
{
	return debian_universe_meets(s->u, d, package);
}

static bool is_chosen(const struct solver *s, size_t package)
{
	return s->chosen[s->head[package]] == package;
}

/* Chosen, or sure to be: what speaks against a version, but does not meet a need yet. */
static bool is_coming(const struct solver *s, size_t package)
{
	return is_chosen(s, package) || s->must[s->head[package]] == package;
}

static size_t real_match(const struct solver *s, const struct debian_dependency *d,
			 bool (*counts)(const struct solver *, size_t))
{
	size_t first, n = debian_universe_find(s->u, d->name, &first);

	for (size_t i = first; i < first + n; i++)
		if (counts(s, i) && debian_depends_allows(d, s->u->packages[i].version))
			return i;
	return DEBIAN_NONE;
}

/* The first package that counts, from *at on in an order of this function's own, and is what `d` speaks of. */
static size_t next_match(const struct solver *s, const struct debian_dependency *d, size_t *at,
			 bool (*counts)(const struct solver *, size_t))
{
	size_t first, n, real;

	if (!debian_universe_is_here(s->u, d->arch))
		return DEBIAN_NONE;
	if (*at == 0) {
		*at = 1;
		real = real_match(s, d, counts);
		if (real != DEBIAN_NONE)
			return real;
	}
	n = debian_universe_providers(s->u, d->name, &first);
	while (*at <= n) {
		const struct debian_provided *p = &s->u->provided[first + (*at)++ - 1];

		if (counts(s, p->package) && (d->relation == DEBIAN_ANY || p->version.len) &&
		    debian_depends_allows(d, p->version))
			return p->package;
	}
	return DEBIAN_NONE;
}

bool is_met(const struct solver *s, struct debian_text group)
{
	struct debian_dependency d;

	while (debian_depends_next(&group, s->u->arch, &d)) {
		size_t at = 0;

		if (next_match(s, &d, &at, is_chosen) != DEBIAN_NONE)
			return true;
	}
	return false;
}

void need_add(struct solver *s, struct need **after, size_t owner, struct debian_text group)
{
	struct need *n = mem_alloc(sizeof(*n));

	*n = (struct need){ .next = *after, .owner = owner, .group = group };
	*after = n;
	s->arena = mem_grow(s->arena, s->arena_count, &s->arena_cap, sizeof(*s->arena));
	s->arena[s->arena_count++] = n;
}

/* Something installed stands in the way: it can only go to its newest version. */
static bool can_move(const struct solver *s, size_t package)
{
	size_t candidate = candidate_of(s, package);

	return s->u->packages[package].installed && candidate != package && candidate != DEBIAN_NONE &&
	       !s->u->packages[candidate].installed;
}

void conflicts_add(struct solver *s, size_t package)
{
	static const char *const fields[] = { "Conflicts", "Breaks" };

	for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
		struct debian_text rest, group;
		struct debian_dependency d;

		debian_control_field(s->u->packages[package].stanza, fields[f], &rest);
		while (debian_depends_group(&rest, &group)) {
			if (!debian_depends_next(&group, s->u->arch, &d))
				continue;
			s->conflicts = mem_grow(s->conflicts, s->conflict_count, &s->conflict_cap, sizeof(*s->conflicts));
			s->conflicts[s->conflict_count++] = (struct conflict){ d, package };
		}
	}
}

/* The conflicts of a version about to be chosen, from `from` on, against what is. */
static bool conflicts_hold(struct solver *s, size_t package, size_t from)
{
	for (size_t i = from; i < s->conflict_count; i++) {
		struct debian_dependency d = s->conflicts[i].with;
		size_t at = 0, other;

		while ((other = next_match(s, &d, &at, is_coming)) != DEBIAN_NONE) {
			if (s->head[other] == s->head[package])
				continue;
			if (!can_move(s, other) || meets(s, &d, candidate_of(s, other))) {
				explain_conflict(s, package, package, &d, other);
				return false;
			}
			need_add(s, &s->needs, other, (struct debian_text){ "", 0 });
		}
	}
	return true;
}

static bool is_welcome(struct solver *s, size_t package)
{
	for (size_t i = 0; i < s->conflict_count; i++) {
		const struct conflict *c = &s->conflicts[i];

		if (!is_coming(s, c->owner) || s->head[c->owner] == s->head[package] || !meets(s, &c->with, package))
			continue;
		if (!can_move(s, c->owner)) {
			explain_conflict(s, package, c->owner, &c->with, package);
			return false;
		}
		need_add(s, &s->needs, c->owner, (struct debian_text){ "", 0 });
	}
	return true;
}

static void add_needs(struct solver *s, size_t package, const char *field, struct need ***tail)
{
	struct debian_text rest, group;

	debian_control_field(s->u->packages[package].stanza, field, &rest);
	while (debian_depends_group(&rest, &group)) {
		need_add(s, *tail, package, group);
		*tail = &(**tail)->next;
	}
}

/* An installed version has gone: what is installed and relied on it is seen to again. */
static void recheck_installed(struct solver *s)
{
	static const char *const fields[] = { "Pre-Depends", "Depends" };

	for (size_t i = 0; i < s->u->count; i++)
		for (size_t f = 0; s->u->packages[i].installed && is_chosen(s, i) && f < ARRAY_SIZE(fields); f++) {
			struct debian_text rest, group;

			debian_control_field(s->u->packages[i].stanza, fields[f], &rest);
			while (debian_depends_group(&rest, &group))
				if (!is_met(s, group))
					need_add(s, &s->needs, i, group);
		}
}

/* Versions are sorted, the latest first: only what apt's policy says may go back. */
static bool can_follow(struct solver *s, size_t before, size_t package, size_t owner)
{
	const struct debian_package *now = &s->u->packages[before], *then = &s->u->packages[package];

	if (!now->installed)
		return false; /* another version was chosen */
	if (now->held || (package > before && then->policy < DEBIAN_PRIORITY_DOWNGRADE)) {
		explain_stays(s, before, package, owner);
		return false;
	}
	return true;
}

bool choose(struct solver *s, size_t package, size_t owner)
{
	size_t head = s->head[package], before = s->chosen[head], conflicts = s->conflict_count;
	struct need *chain = s->needs, **tail = &chain;

	if (before == package)
		return true;
	if (before != DEBIAN_NONE && !can_follow(s, before, package, owner))
		return false;
	if (s->must[head] != DEBIAN_NONE && s->must[head] != package)
		return false;
	s->why[package] = owner;
	if (!is_welcome(s, package))
		return false;
	s->undo = mem_grow(s->undo, s->undo_count, &s->undo_cap, sizeof(*s->undo));
	s->undo[s->undo_count++] = (struct undo){ head, before };
	s->chosen[head] = package;
	conflicts_add(s, package);
	if (!conflicts_hold(s, package, conflicts))
		return false;
	if (before != DEBIAN_NONE)
		recheck_installed(s);
	chain = s->needs;
	tail = &chain;
	add_needs(s, package, "Pre-Depends", &tail);
	add_needs(s, package, "Depends", &tail);
	s->needs = chain;
	return true;
}
