/* SPDX-License-Identifier: Apache-2.0 */
/* resolve_kept.c - see resolve_kept.h. */
#include "env/resolve_kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/debian_version.h"

struct kept {
	const struct resolve *r;
	const struct debian_universe *u;
	bool *chosen; /* of u->packages */
	struct strlist *words;
};

/* Its locked version, if it meets the dependency and nothing of that name is chosen. */
static bool is_answer(const struct kept *k, const struct debian_dependency *d, const char *version)
{
	size_t first, n = debian_universe_find(k->u, d->name, &first);
	bool meets = false;

	for (size_t i = first; i < first + n; i++) {
		const struct debian_package *p = &k->u->packages[i];

		if (k->chosen[i] || p->installed)
			return false;
		meets = meets || (debian_version_compare(p->version, DEBIAN_TEXT(version)) == 0 && debian_universe_meets(k->u, d, i));
	}
	return meets;
}

static void look_at_group(const struct kept *k, struct debian_text group)
{
	struct debian_dependency d;

	while (debian_depends_next(&group, k->u->arch, &d)) {
		cleanup_free char *name = debian_text_dup(d.name), *word = NULL;
		const struct lock_package *locked = resolved_find(k->r->locked, name);

		if (!locked || locked->in_base || locked->request || resolve_may_move(k->r, name) || !is_answer(k, &d, locked->version))
			continue;
		word = mem_printf("%s=%s", name, locked->version);
		if (!strlist_has(k->words, word))
			strlist_add_take(k->words, mem_steal(word));
	}
}

/* Words to be wanted besides: "name=version" of packages that came along, that `s` has not, and that one of its packages names among
 * its alternatives. */
static void find_kept(const struct resolve *r, const struct debian_universe *u, const struct debian_solution *s, struct strlist *words)
{
	static const char *const fields[] = { "Pre-Depends", "Depends" };
	cleanup_free bool *chosen = mem_array(u->count + 1, sizeof(*chosen));
	const struct kept k = { r, u, chosen, words };

	for (size_t i = 0; i < s->count; i++)
		chosen[s->packages[i]] = true;
	for (size_t i = 0; i < s->count; i++)
		for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
			struct debian_text rest, group;

			debian_control_field(u->packages[s->packages[i]].stanza, fields[f], &rest);
			while (debian_depends_group(&rest, &group))
				look_at_group(&k, group);
		}
}

int resolve_kept_solve(const struct resolve *r, const struct debian_universe *u, const struct debian_goal *goal,
		       struct debian_solution *solution, struct err *e)
{
	cleanup_strlist struct strlist words = STRLIST_INIT;
	struct debian_solution keeping = { 0 };
	struct debian_goal larger = *goal;
	struct err ignored = ERR_INIT;
	size_t asked = goal->wanted->count;

	if (debian_solve(u, goal, solution, e) < 0)
		return -1;
	for (size_t i = 0; i < asked; i++)
		strlist_add(&words, goal->wanted->items[i]);
	find_kept(r, u, solution, &words);
	larger.wanted = &words;
	if (words.count > asked && debian_solve(u, &larger, &keeping, &ignored) == 0) {
		debian_solution_release(solution);
		*solution = keeping;
	}
	return 0;
}
