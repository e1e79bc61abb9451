/* SPDX-License-Identifier: Apache-2.0 */
/* debian_explain.c - why a set of packages can't be, in words. */
#include "base/text.h"
#include "source/debian_solve_internal.h"

static const char *const signs[] = {
	[DEBIAN_ANY] = "", [DEBIAN_EARLIER] = "<<", [DEBIAN_EARLIER_EQUAL] = "<=", [DEBIAN_EQUAL] = "=",
	[DEBIAN_LATER_EQUAL] = ">=", [DEBIAN_LATER] = ">>",
};

static void add_text(struct buf *b, struct debian_text t)
{
	text_escape_bytes(b, t.at, t.len);
}

static void add_package(struct buf *b, const struct solver *s, size_t package)
{
	add_text(b, s->u->packages[package].name);
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

/* "a 1, which b 2 needs, which c 3 needs" */
static void add_chain(struct buf *b, const struct solver *s, size_t package)
{
	add_package(b, s, package);
	for (int depth = 0; s->why[package] != DEBIAN_NONE && depth < 6; depth++) {
		package = s->why[package];
		buf_adds(b, ", which ");
		add_package(b, s, package);
		buf_adds(b, " needs");
	}
}

/* What there is instead: the newest version of the name, or nothing. */
static void add_instead(struct buf *b, const struct solver *s, const struct debian_dependency *d)
{
	size_t first, n = debian_universe_find(s->u, d->name, &first);

	explain_dependency(b, d);
	if (n == 0) {
		buf_adds(b, " (there is none)");
		return;
	}
	if (!debian_depends_allows(d, s->u->packages[first].version)) {
		buf_adds(b, " (there is ");
		add_text(b, s->u->packages[first].version);
		buf_addch(b, ')');
	}
}

void explain_unmet(struct solver *s, const struct need *n)
{
	struct debian_text group = n->group;
	struct debian_dependency d;
	bool more = false;

	if (s->explained)
		return;
	s->explained = true;
	add_chain(&s->reason, s, n->owner);
	if (group.len == 0) {
		buf_adds(&s->reason, " would have to be upgraded and can't be");
		return;
	}
	buf_adds(&s->reason, " needs ");
	while (debian_depends_next(&group, s->u->arch, &d)) {
		buf_adds(&s->reason, more ? " or " : "");
		add_instead(&s->reason, s, &d);
		more = true;
	}
	if (!more)
		add_text(&s->reason, n->group);
}

void explain_conflict(struct solver *s, size_t package, size_t owner, const struct debian_dependency *d, size_t with)
{
	if (s->explained)
		return;
	s->explained = true;
	add_chain(&s->reason, s, owner);
	buf_adds(&s->reason, " conflicts with ");
	explain_dependency(&s->reason, d);
	buf_adds(&s->reason, "; ");
	add_chain(&s->reason, s, owner == package ? with : package);
}

int explain_unknown(const struct debian_universe *u, const char *name, struct err *e)
{
	struct strlist all = STRLIST_INIT;
	const char *nearest = NULL;

	for (size_t i = 0; i < u->count; i++)
		if (i == 0 || debian_text_compare(u->packages[i].name, u->packages[i - 1].name) != 0)
			strlist_add_take(&all, debian_text_dup(u->packages[i].name));
	if (all.count)
		nearest = text_nearest(name, (const char *const *)all.items);
	err_set(e, ERR_NOT_FOUND, "there is no package '%s' in the distribution", text_safe(name));
	if (nearest)
		err_hint(e, "did you mean '%s'?", text_safe(nearest));
	strlist_release(&all);
	return -1;
}
