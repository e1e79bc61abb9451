/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_order.c - batches of packages by Pre-Depends, in each the order by Depends, and what is essential.
 *
 * Who needs whom is worked out once, with a sorted table of all names: a lock may have thousands of packages, and their fields are
 * whatever their makers wrote. So nothing here calls itself either; a chain of dependencies may be as long as the lock.
 */
#include "env/packages_order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/debian_depends.h"

#define LEFT 0u /* of `batch`: not yet in any; they are counted from 1 while we go */

struct named { /* a package is, or provides, that name */
	struct debian_text name;
	size_t package;
};

struct links { /* from one package to others */
	size_t *to;
	size_t count, cap;
};

struct visit {
	size_t package, next; /* of its links */
};

struct order {
	struct packages_control *all;
	size_t count;
	const char *arch;
	struct named *names; /* sorted */
	size_t name_count, name_cap;
	struct links *needs;	 /* of each package: first what it pre-depends on, then what it depends on */
	struct links *needed_by; /* the other way */
	size_t *before;		 /* how many of a package's needs are pre-dependencies */
	unsigned int batch;	 /* whose packages are looked at */
	bool *marked;
	struct visit *stack;
	size_t placed;
};

/* ---- who needs whom ---- */

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = debian_text_compare(x->name, y->name);

	return order ? order : x->package < y->package ? -1 : x->package > y->package;
}

static void add_name(struct order *o, struct debian_text name, size_t package)
{
	o->names = mem_grow(o->names, o->name_count, &o->name_cap, sizeof(*o->names));
	o->names[o->name_count++] = (struct named){ name, package };
}

static void collect_names(struct order *o)
{
	for (size_t i = 0; i < o->count; i++) {
		struct debian_text rest, word;
		struct debian_dependency d;

		add_name(o, o->all[i].name, i);
		debian_control_field(o->all[i].stanza, "Provides", &rest);
		while (debian_depends_group(&rest, &word))
			if (debian_depends_next(&word, "", &d))
				add_name(o, d.name, i);
	}
	if (o->name_count)
		qsort(o->names, o->name_count, sizeof(*o->names), by_name);
}

/* The first entry of the table that has this name, or where it would be. */
static size_t find_name(const struct order *o, struct debian_text name)
{
	size_t low = 0, high = o->name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (debian_text_compare(o->names[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_link(struct links *l, size_t to)
{
	if (l->count && l->to[l->count - 1] == to) /* by its name, and because it provides that */
		return;
	l->to = mem_grow(l->to, l->count, &l->cap, sizeof(*l->to));
	l->to[l->count++] = to;
}

/* Every package that a field of `i` may mean. */
static void add_needs(struct order *o, size_t i, const char *field)
{
	struct debian_text rest, group;
	struct debian_dependency d;

	debian_control_field(o->all[i].stanza, field, &rest);
	while (debian_depends_group(&rest, &group))
		while (debian_depends_next(&group, o->arch, &d))
			for (size_t n = find_name(o, d.name); n < o->name_count && debian_text_compare(o->names[n].name, d.name) == 0; n++)
				add_link(&o->needs[i], o->names[n].package);
}

static void order_init(struct order *o, struct packages_control *all, size_t count, const char *arch)
{
	*o = (struct order){ .all = all, .count = count, .arch = arch, .batch = LEFT };
	o->needs = mem_array(count + 1, sizeof(*o->needs));
	o->needed_by = mem_array(count + 1, sizeof(*o->needed_by));
	o->before = mem_array(count + 1, sizeof(*o->before));
	o->marked = mem_array(count + 1, sizeof(*o->marked));
	o->stack = mem_array(count + 1, sizeof(*o->stack));
	collect_names(o);
	for (size_t i = 0; i < count; i++) {
		all[i].batch = LEFT;
		add_needs(o, i, "Pre-Depends");
		o->before[i] = o->needs[i].count;
		add_needs(o, i, "Depends");
		for (size_t k = 0; k < o->needs[i].count; k++)
			add_link(&o->needed_by[o->needs[i].to[k]], i);
	}
}

static void order_release(struct order *o)
{
	for (size_t i = 0; i < o->count; i++) {
		free(o->needs[i].to);
		free(o->needed_by[i].to);
	}
	free(o->needs);
	free(o->needed_by);
	free(o->before);
	free(o->names);
	free(o->marked);
	free(o->stack);
}

/* ---- going along it ---- */

/* Mark what is reached from `start` within the batch. `place`: each gets its place, after all that it reaches itself. */
static void walk(struct order *o, const struct links *links, size_t start, bool place)
{
	size_t depth = 0;

	if (o->marked[start])
		return;
	o->marked[start] = true;
	o->stack[depth++] = (struct visit){ start, 0 };
	while (depth) {
		struct visit *v = &o->stack[depth - 1];
		const struct links *l = &links[v->package];
		size_t to;

		if (v->next == l->count) {
			if (place)
				o->all[v->package].place = o->placed++;
			depth--;
			continue;
		}
		to = l->to[v->next++];
		if (o->marked[to] || o->all[to].batch != o->batch)
			continue;
		o->marked[to] = true;
		o->stack[depth++] = (struct visit){ to, 0 };
	}
}

static void unmark(struct order *o)
{
	memset(o->marked, 0, o->count * sizeof(*o->marked));
}

/* ---- batches ---- */

/* Has it a pre-dependency that is in no batch yet? `wanted`: set for each of them. */
static bool waits(const struct order *o, size_t i, bool *wanted)
{
	bool does = false;

	for (size_t k = 0; k < o->before[i]; k++) {
		size_t to = o->needs[i].to[k];

		if (o->all[to].batch == LEFT)
			does = wanted[to] = true;
	}
	return does;
}

/* Put everything into the batch that something left waits for and that itself, with all it needs, waits for nothing. */
static bool take_awaited(struct order *o, const bool *waiting, bool *wanted, unsigned int batch)
{
	bool any = false;

	unmark(o);
	for (size_t i = 0; i < o->count; i++)
		if (waiting[i])
			walk(o, o->needed_by, i, false);
	for (size_t i = 0; i < o->count; i++)
		wanted[i] = wanted[i] && !o->marked[i];
	unmark(o);
	for (size_t i = 0; i < o->count; i++)
		if (wanted[i])
			walk(o, o->needs, i, false);
	for (size_t i = 0; i < o->count; i++) {
		if (o->marked[i])
			o->all[i].batch = batch;
		any = any || o->marked[i];
	}
	return any;
}

/* Returns how many batches there are; they are counted from 1. */
static unsigned int find_batches(struct order *o)
{
	bool *waiting = mem_array(o->count + 1, sizeof(*waiting)), *wanted = mem_array(o->count + 1, sizeof(*wanted));
	unsigned int batch = 0;
	bool more = true;

	while (more) {
		batch++;
		memset(wanted, 0, o->count * sizeof(*wanted));
		for (size_t i = 0; i < o->count; i++)
			waiting[i] = o->all[i].batch == LEFT && waits(o, i, wanted);
		more = take_awaited(o, waiting, wanted, batch);
	}
	for (size_t i = 0; i < o->count; i++)
		if (o->all[i].batch == LEFT)
			o->all[i].batch = batch;
	free(waiting);
	free(wanted);
	return batch;
}

unsigned int packages_order(struct packages_control *all, size_t count, const char *arch)
{
	struct order o;
	unsigned int batches;

	order_init(&o, all, count, arch);
	batches = find_batches(&o);
	unmark(&o);
	for (o.batch = 1; o.batch <= batches; o.batch++)
		for (size_t i = 0; i < count; i++)
			if (all[i].batch == o.batch)
				walk(&o, o.needs, i, true);
	for (size_t i = 0; i < count; i++)
		all[i].batch--;
	order_release(&o);
	return batches;
}

void packages_order_system(struct packages_control *all, size_t count, const char *arch)
{
	struct debian_text essential;
	struct order o;

	order_init(&o, all, count, arch);
	for (size_t i = 0; i < count; i++)
		if (debian_control_field(all[i].stanza, "Essential", &essential) && debian_text_is(essential, "yes"))
			walk(&o, o.needs, i, false);
	for (size_t i = 0; i < count; i++)
		all[i].in_system = o.marked[i];
	order_release(&o);
}
