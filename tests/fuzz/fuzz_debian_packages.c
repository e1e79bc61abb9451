/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_debian_packages.c - Packages files, and the resolver on them: every dependency of what it chooses is met, whatever the index
 * says. The first line has what is wanted.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/debian_depends.h"
#include "source/debian_solve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_chosen(const struct debian_solution *s, size_t package)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->packages[i] == package)
			return true;
	return false;
}

/* By a real package, or one that provides the name. */
static bool is_met(const struct debian_universe *u, const struct debian_solution *s, const struct debian_dependency *d)
{
	size_t first, count = debian_universe_find(u, d->name, &first);

	for (size_t i = 0; i < count; i++)
		if (is_chosen(s, first + i) && debian_depends_allows(d, u->packages[first + i].version))
			return true;
	count = debian_universe_providers(u, d->name, &first);
	for (size_t i = 0; i < count; i++)
		if (is_chosen(s, u->provided[first + i].package) &&
		    (d->relation == DEBIAN_ANY || debian_depends_allows(d, u->provided[first + i].version)))
			return true;
	return false;
}

static void check_field(const struct debian_universe *u, const struct debian_solution *s, const struct debian_package *p,
			const char *field)
{
	struct debian_text rest, group;

	if (!debian_control_field(p->stanza, field, &rest))
		return;
	while (debian_depends_group(&rest, &group)) {
		struct debian_dependency d;
		bool met = false;

		while (!met && debian_depends_next(&group, u->arch, &d))
			met = is_met(u, s, &d);
		if (!met && group.len == 0)
			continue; /* nothing of it means anything on this architecture */
		if (!met)
			abort();
	}
}

static void solve(const struct debian_universe *u, const struct strlist *wanted)
{
	const struct debian_goal goal = { .wanted = wanted, .priority = -1 };
	struct debian_solution s;
	struct err e = ERR_INIT;

	if (debian_solve(u, &goal, &s, &e) < 0) {
		if (e.code != ERR_NOT_FOUND && e.code != ERR_CONFIG && e.code != ERR_UNSUPPORTED)
			abort();
		return;
	}
	for (size_t i = 0; i < s.count; i++) {
		if (s.packages[i] >= u->count)
			abort();
		check_field(u, &s, &u->packages[s.packages[i]], "Depends");
		check_field(u, &s, &u->packages[s.packages[i]], "Pre-Depends");
	}
	debian_solution_release(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct debian_text rest = { (const char *)data, size }, line = { "", 0 }, word;
	struct strlist wanted = STRLIST_INIT;
	struct debian_universe u;

	if (size > 64 << 10)
		return 0;
	debian_control_line(&rest, &line);
	while (debian_control_word(&line, &word) && wanted.count < 8)
		strlist_add_take(&wanted, debian_text_dup(word));
	debian_universe_init(&u, "amd64");
	debian_universe_add(&u, rest, 0);
	debian_universe_sort(&u);
	for (size_t i = 1; i < u.count; i++)
		if (debian_text_compare(u.packages[i - 1].name, u.packages[i].name) > 0)
			abort();
	solve(&u, &wanted);
	debian_universe_release(&u);
	strlist_release(&wanted);
	return 0;
}
