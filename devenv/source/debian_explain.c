/* SPDX-License-Identifier: Apache-2.0 */
/* debian_explain.c - why a set of packages can't be, in words. */
#include "base/text.h"
#include "source/debian_solve_internal.h"

#define ARROW " \xe2\x86\x92 "
enum { CHAIN_MAX = 64, CHAIN_SHOWN = 8, CHAIN_IN_WORDS = 3 };

static const char *const signs[] = {
	[DEBIAN_ANY] = "", [DEBIAN_EARLIER] = "<<", [DEBIAN_EARLIER_EQUAL] = "<=", [DEBIAN_EQUAL] = "=",
	[DEBIAN_LATER_EQUAL] = ">=", [DEBIAN_LATER] = ">>",
};

static void add_text(struct buf *b, struct debian_text t)
{
	text_escape_bytes(b, t.at, t.len);
}

static void add_name(struct buf *b, const struct solver *s, size_t package)
{
	add_text(b, s->u->packages[package].name);
}

static void add_package(struct buf *b, const struct solver *s, size_t package)
{
	add_name(b, s, package);
	buf_addch(b, ' ');
	add_text(b, s->u->packages[package].version);
}

void explain_dependency(struct buf *b, const struct debian_dependency *d)
{
	add_text(b, d->name);
	if (d->relation == DEBIAN_ANY)
		return;
	buf_addf(b, " (%s ", signs[d->relation]);
	add_text(b, d->version);
	buf_addch(b, ')');
}

/* ---- who needs whom ---- */

static bool is_wanted(const struct solver *s, size_t package)
{
	for (size_t i = 0; i < s->root_count; i++)
		if (s->roots[i].package == package)
			return true;
	return false;
}

/* From the one that is wanted down to `package`. */
static size_t find_chain(const struct solver *s, size_t package, size_t chain[CHAIN_MAX])
{
	size_t count = 0;

	chain[count++] = package;
	while (count < CHAIN_MAX && !is_wanted(s, package) && s->why[package] != DEBIAN_NONE) {
		package = s->why[package];
		chain[count++] = package;
	}
	for (size_t i = 0; i < count / 2; i++) {
		size_t other = chain[count - 1 - i];

		chain[count - 1 - i] = chain[i];
		chain[i] = other;
	}
	return count;
}

static size_t root_of(const struct solver *s, size_t package)
{
	size_t chain[CHAIN_MAX];

	find_chain(s, package, chain);
	return s->u->packages[chain[0]].installed ? DEBIAN_NONE : chain[0];
}

static void add_arrows(struct buf *b, const struct solver *s, const size_t *chain, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (count > CHAIN_SHOWN && i == CHAIN_SHOWN / 2)
			buf_adds(b, ARROW "...");
		if (count > CHAIN_SHOWN && i >= CHAIN_SHOWN / 2 && i < count - CHAIN_SHOWN / 2)
			continue;
		buf_adds(b, i ? ARROW : "");
		if (i + 1 < count)
			add_name(b, s, chain[i]);
		else
			add_package(b, s, chain[i]);
	}
}

/* "app 1 needs ", "app needs lib 1, which needs ", "app → lib → core → base 1 needs " */
static void add_needing(struct buf *b, const struct solver *s, size_t package)
{
	size_t chain[CHAIN_MAX], count = find_chain(s, package, chain);

	if (count > CHAIN_IN_WORDS) {
		add_arrows(b, s, chain, count);
		buf_adds(b, " needs ");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count)
			add_name(b, s, chain[i]);
		else
			add_package(b, s, chain[i]);
		if (s->u->packages[chain[i]].installed)
			buf_adds(b, ", of the base,");
		buf_adds(b, i + 1 == count && i > 0 ? ", which needs " : i == 0 || count == 1 ? " needs " : ", which needs ");
	}
}

/* " (asked for)", " (of the base)", " (needed by app → lib)" */
static void add_standing(struct buf *b, const struct solver *s, size_t package)
{
	size_t chain[CHAIN_MAX], count = find_chain(s, package, chain);

	if (is_wanted(s, package) || (count == 1 && !s->u->packages[package].installed)) {
		buf_adds(b, " (asked for)");
	} else if (count == 1 || s->u->packages[package].installed) {
		buf_adds(b, " (of the base)");
	} else {
		buf_adds(b, " (needed by ");
		for (size_t i = 0; i + 1 < count; i++) {
			buf_adds(b, i ? ARROW : "");
			add_name(b, s, chain[i]);
		}
		buf_addch(b, ')');
	}
}

/* ---- needs ---- */

/* The version of the name that is installed, or DEBIAN_NONE. */
static size_t installed_of(const struct solver *s, struct debian_text name)
{
	size_t first, n = debian_universe_find(s->u, name, &first);

	for (size_t i = first; i < first + n; i++)
		if (s->u->packages[i].installed)
			return i;
	return DEBIAN_NONE;
}

static void add_held(struct buf *b, const struct solver *s, size_t package)
{
	add_name(b, s, package);
	buf_adds(b, " is held at ");
	add_text(b, s->u->packages[package].version);
	buf_adds(b, " by the image (apt-mark hold)");
}

/* A version would do that apt would not take by itself. */
static void add_lower(struct buf *b, const struct solver *s, size_t package, size_t candidate)
{
	buf_adds(b, "of it apt would take ");
	if (candidate == DEBIAN_NONE)
		buf_adds(b, "none");
	else
		add_text(b, s->u->packages[candidate].version);
	buf_adds(b, ", as ");
	add_text(b, s->u->packages[package].version);
	buf_addf(b, " has the priority %d: ask for ", s->u->packages[package].policy);
	add_name(b, s, package);
	buf_addch(b, '=');
	add_text(b, s->u->packages[package].version);
}

/* What there is instead of what `d` says: the newest version of the name, or nothing. */
static void add_instead(struct buf *b, const struct solver *s, const struct debian_dependency *d)
{
	size_t first, n = debian_universe_find(s->u, d->name, &first), fit = DEBIAN_NONE, held = installed_of(s, d->name);

	for (size_t i = first; i < first + n; i++)
		if (debian_depends_allows(d, s->u->packages[i].version) &&
		    (fit == DEBIAN_NONE || s->u->packages[i].policy > s->u->packages[fit].policy))
			fit = i;
	if (held != DEBIAN_NONE && s->u->packages[held].held && !debian_depends_allows(d, s->u->packages[held].version)) {
		add_held(b, s, held);
	} else if (n == 0) {
		size_t providers = debian_universe_providers(s->u, d->name, &first);

		buf_adds(b, providers ? "nothing that provides it can be had" : "there is no such package");
	} else if (fit == DEBIAN_NONE) {
		buf_adds(b, "the newest is ");
		add_text(b, s->u->packages[first].version);
	} else if (s->wants[first] == DEBIAN_NONE || s->u->packages[fit].policy < s->u->packages[s->wants[first]].policy) {
		add_lower(b, s, fit, s->wants[first]);
	}
}

static void add_unmet(struct buf *b, const struct solver *s, struct debian_text group)
{
	struct debian_text rest = group;
	struct debian_dependency d;
	size_t count = 0;

	while (debian_depends_next(&rest, s->u->arch, &d)) {
		cleanup_buf struct buf instead = BUF_INIT;

		add_instead(&instead, s, &d);
		buf_adds(b, count++ ? ", or " : "");
		explain_dependency(b, &d);
		buf_addf(b, "%s%s", instead.len ? ", and " : "", instead.data);
	}
	if (!count)
		add_text(b, group);
}

void explain_unmet(struct solver *s, const struct need *n)
{
	if (s->explained || n->owner == DEBIAN_NONE)
		return;
	s->explained = true;
	s->at_fault = root_of(s, n->owner);
	if (n->group.len == 0) {
		add_package(&s->reason, s, n->owner);
		add_standing(&s->reason, s, n->owner);
		buf_adds(&s->reason, " would have to be upgraded and can't be");
		return;
	}
	add_needing(&s->reason, s, n->owner);
	add_unmet(&s->reason, s, n->group);
}

void explain_stays(struct solver *s, size_t installed, size_t package, size_t owner)
{
	struct buf *b = &s->reason;

	if (s->explained)
		return;
	s->explained = true;
	s->at_fault = owner == DEBIAN_NONE ? package : root_of(s, owner);
	if (owner == DEBIAN_NONE)
		buf_adds(b, "it would be ");
	else
		add_needing(b, s, owner);
	add_package(b, s, package);
	buf_adds(b, ", and ");
	if (s->u->packages[installed].held) {
		add_held(b, s, installed);
	} else {
		buf_adds(b, "the base has ");
		add_text(b, s->u->packages[installed].version);
		buf_adds(b, ", which is not downgraded");
	}
}

/* ---- conflicts ---- */

/* "mta 1", or "postfix 3, which provides mail-transport-agent", for the other side of a conflict. */
static void add_other_side(struct buf *b, const struct solver *s, size_t package, const struct debian_dependency *d)
{
	bool by_name = debian_text_compare(s->u->packages[package].name, d->name) == 0;

	add_package(b, s, package);
	if (!by_name) {
		buf_adds(b, ", which provides ");
		add_text(b, d->name);
	}
	add_standing(b, s, package);
	if (by_name && d->relation != DEBIAN_ANY) {
		buf_adds(b, ": not with ");
		explain_dependency(b, d);
	}
}

void explain_conflict(struct solver *s, size_t package, size_t owner, const struct debian_dependency *d, size_t with)
{
	size_t other = owner == package ? with : package, one = root_of(s, owner), two = root_of(s, other);
	struct buf *b = &s->reason;

	if (s->explained)
		return;
	s->explained = true;
	s->at_fault = one == two || two == DEBIAN_NONE ? one : one == DEBIAN_NONE ? two : DEBIAN_NONE;
	add_package(b, s, owner);
	add_standing(b, s, owner);
	buf_adds(b, " conflicts with ");
	add_other_side(b, s, other, d);
	for (int side = 0; side < 2; side++) {
		size_t installed = installed_of(s, s->u->packages[side ? other : owner].name);

		if (installed != DEBIAN_NONE && s->u->packages[installed].held) {
			buf_adds(b, ", and ");
			add_held(b, s, installed);
		}
	}
}

/* ---- all of it ---- */

void explain_root(struct solver *s, size_t package)
{
	if (s->explained)
		return;
	s->explained = true;
	s->at_fault = DEBIAN_NONE;
	add_name(&s->reason, s, package);
	buf_adds(&s->reason, " would have to be in two versions");
}

int explain_failure(const struct solver *s, struct err *e)
{
	cleanup_buf struct buf name = BUF_INIT;

	if (s->at_fault == DEBIAN_NONE)
		return err_set(e, ERR_CONFIG, "these packages can't be installed together: %s", s->reason.data);
	add_name(&name, s, s->at_fault);
	return err_set(e, ERR_CONFIG, "%s can't be installed: %s", name.data, s->reason.data);
}
