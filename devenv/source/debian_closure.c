/* SPDX-License-Identifier: Apache-2.0 */
/* debian_closure.c - see debian_closure.h. */
#include "source/debian_closure.h"

#include <stdint.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_solve_internal.h"

struct looking {
	const struct debian_universe *u;
	void (*found)(void *data, const struct debian_fault *f);
	void *data;
	size_t count;
};

/* Installed, and not to be replaced by another version. */
static bool is_in_set(const struct debian_universe *u, size_t package)
{
	size_t first, n;

	if (!u->packages[package].installed)
		return true;
	n = debian_universe_find(u, u->packages[package].name, &first);
	for (size_t i = first; i < first + n; i++)
		if (!u->packages[i].installed)
			return false;
	return true;
}

/* A package of the set, by name or as a provider, that `d` speaks of; not `self`, nor another version of it. SIZE_MAX: none. */
static size_t find(const struct debian_universe *u, const struct debian_dependency *d, size_t self)
{
	size_t first, n = debian_universe_find(u, d->name, &first);

	for (size_t i = first; i < first + n; i++)
		if (i != self && is_in_set(u, i) && debian_universe_meets(u, d, i))
			return i;
	n = debian_universe_providers(u, d->name, &first);
	for (size_t i = first; i < first + n; i++)
		if (u->provided[i].package != self && is_in_set(u, u->provided[i].package) &&
		    debian_universe_meets(u, d, u->provided[i].package))
			return u->provided[i].package;
	return SIZE_MAX;
}

static bool has_needed(const struct debian_universe *u, struct debian_text group, size_t self)
{
	struct debian_dependency d;

	while (debian_depends_next(&group, u->arch, &d))
		if (debian_universe_meets(u, &d, self) || find(u, &d, self) != SIZE_MAX)
			return true;
	return false;
}

static void tell(struct looking *l, struct debian_fault f)
{
	l->count++;
	if (l->found)
		l->found(l->data, &f);
}

/* A group whose alternatives are all for other architectures asks for nothing. */
static bool asks(const struct debian_universe *u, struct debian_text group)
{
	struct debian_dependency d;

	return debian_depends_next(&group, u->arch, &d);
}

static void look_for_needed(struct looking *l, size_t package, const char *field)
{
	struct debian_text rest, group;

	debian_control_field(l->u->packages[package].stanza, field, &rest);
	while (debian_depends_group(&rest, &group))
		if (asks(l->u, group) && !has_needed(l->u, group, package))
			tell(l, (struct debian_fault){ package, group, SIZE_MAX });
}

/* The fields of what is installed count here too, against what comes. */
static void look_for_excluded(struct looking *l, size_t package, const char *field)
{
	struct debian_text rest, group, alternatives;
	struct debian_dependency d;
	size_t with;

	debian_control_field(l->u->packages[package].stanza, field, &rest);
	while (debian_depends_group(&rest, &group)) {
		alternatives = group;
		if (!debian_depends_next(&alternatives, l->u->arch, &d))
			continue;
		with = find(l->u, &d, package);
		if (with != SIZE_MAX && !(l->u->packages[package].installed && l->u->packages[with].installed))
			tell(l, (struct debian_fault){ package, group, with });
	}
}

size_t debian_closure_check(const struct debian_universe *u, void (*found)(void *data, const struct debian_fault *f), void *data)
{
	struct looking l = { u, found, data, 0 };

	for (size_t i = 0; i < u->count; i++) {
		if (!is_in_set(u, i))
			continue;
		if (!u->packages[i].installed) {
			look_for_needed(&l, i, "Pre-Depends");
			look_for_needed(&l, i, "Depends");
		}
		look_for_excluded(&l, i, "Conflicts");
		look_for_excluded(&l, i, "Breaks");
	}
	return l.count;
}

void debian_closure_explain(const struct debian_universe *u, const struct debian_fault *f, struct buf *out)
{
	const struct debian_package *with = f->with == SIZE_MAX ? NULL : &u->packages[f->with];
	struct debian_text group = f->group;
	struct debian_dependency d;
	bool more = false;

	buf_adds(out, with ? "excludes " : "needs ");
	while (debian_depends_next(&group, u->arch, &d)) {
		buf_adds(out, more ? " or " : "");
		explain_dependency(out, &d);
		more = true;
	}
	if (!with) {
		buf_adds(out, ", and no package that is it");
		return;
	}
	buf_adds(out, ", and ");
	text_escape_bytes(out, with->name.at, with->name.len);
	buf_addch(out, ' ');
	text_escape_bytes(out, with->version.at, with->version.len);
}
