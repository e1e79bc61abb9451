/* SPDX-License-Identifier: Apache-2.0 */
/* packages_order.c - batches of packages by Pre-Depends, in each the order by Depends, and what is essential. */
#include "env/packages_order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "source/debian_depends.h"

#define LEFT 0u /* of `batch`: not yet in any; they are counted from 1 while we go */

struct order {
	struct packages_control *all;
	size_t count;
	const char *arch;
	struct debian_text *provided; /* by each of all */
	unsigned int batch; /* whose packages are looked at */
	bool *marked; /* of the closure that is looked at */
	size_t placed;
};

static bool provides(const struct order *o, size_t i, struct debian_text name)
{
	struct debian_text rest = o->provided[i], word;

	if (debian_text_compare(o->all[i].name, name) == 0)
		return true;
	while (debian_depends_group(&rest, &word)) {
		struct debian_dependency d;

		if (debian_depends_next(&word, "", &d) && debian_text_compare(d.name, name) == 0)
			return true;
	}
	return false;
}

/* Call `found` for every package of the batch (LEFT: that is in none) that a field of `p` may mean. */
static void each_needed(const struct order *o, const struct packages_control *p, const char *field,
			void (*found)(struct order *o, size_t i, void *data), void *data)
{
	struct debian_text rest, group;

	debian_control_field(p->stanza, field, &rest);
	while (debian_depends_group(&rest, &group)) {
		struct debian_dependency d;

		while (debian_depends_next(&group, o->arch, &d))
			for (size_t i = 0; i < o->count; i++)
				if (o->all[i].batch == o->batch && provides(o, i, d.name))
					found((struct order *)o, i, data);
	}
}

static void mark(struct order *o, size_t i, void *data)
{
	(void)data;
	if (o->marked[i])
		return;
	o->marked[i] = true;
	each_needed(o, &o->all[i], "Pre-Depends", mark, NULL);
	each_needed(o, &o->all[i], "Depends", mark, NULL);
}

static void tell(struct order *o, size_t i, void *data)
{
	(void)o;
	(void)i;
	*(bool *)data = true;
}

static bool waits(const struct order *o, size_t i)
{
	bool does = false;

	each_needed(o, &o->all[i], "Pre-Depends", tell, &does);
	return does;
}

static void want(struct order *o, size_t i, void *data)
{
	bool *wanted = data;

	(void)o;
	wanted[i] = true;
}

/* Put everything into the batch that something left waits for and that itself, with all it needs, waits for nothing. */
static bool take_awaited(struct order *o, const bool *waiting, const bool *wanted, unsigned int batch)
{
	bool *ready = mem_array(o->count + 1, sizeof(*ready)), any = false;

	for (size_t i = 0; i < o->count; i++) {
		bool clean = wanted[i] && o->all[i].batch == LEFT;

		if (!clean)
			continue;
		memset(o->marked, 0, o->count * sizeof(*o->marked));
		mark(o, i, NULL);
		for (size_t k = 0; k < o->count; k++)
			clean = clean && !(o->marked[k] && waiting[k]);
		for (size_t k = 0; clean && k < o->count; k++)
			ready[k] = ready[k] || o->marked[k];
		any = any || clean;
	}
	for (size_t i = 0; i < o->count; i++)
		if (ready[i])
			o->all[i].batch = batch;
	free(ready);
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
		for (size_t i = 0; i < o->count; i++) {
			waiting[i] = o->all[i].batch == LEFT && waits(o, i);
			if (waiting[i])
				each_needed(o, &o->all[i], "Pre-Depends", want, wanted);
		}
		more = take_awaited(o, waiting, wanted, batch);
	}
	for (size_t i = 0; i < o->count; i++)
		if (o->all[i].batch == LEFT)
			o->all[i].batch = batch;
	free(waiting);
	free(wanted);
	return batch;
}

/* After what it needs. */
static void place(struct order *o, size_t i, void *data)
{
	(void)data;
	if (o->marked[i])
		return;
	o->marked[i] = true;
	each_needed(o, &o->all[i], "Pre-Depends", place, NULL);
	each_needed(o, &o->all[i], "Depends", place, NULL);
	o->all[i].place = o->placed++;
}

static void order_init(struct order *o, struct packages_control *all, size_t count, const char *arch)
{
	*o = (struct order){ .all = all, .count = count, .arch = arch, .marked = mem_array(count + 1, sizeof(bool)),
			     .provided = mem_array(count + 1, sizeof(*o->provided)), .batch = LEFT };
	for (size_t i = 0; i < count; i++) {
		all[i].batch = LEFT;
		debian_control_field(all[i].stanza, "Provides", &o->provided[i]);
	}
}

static void order_release(struct order *o)
{
	free(o->marked);
	free(o->provided);
}

unsigned int packages_order(struct packages_control *all, size_t count, const char *arch)
{
	struct order o;
	unsigned int batches;

	order_init(&o, all, count, arch);
	batches = find_batches(&o);
	memset(o.marked, 0, count * sizeof(*o.marked));
	for (o.batch = 1; o.batch <= batches; o.batch++)
		for (size_t i = 0; i < count; i++)
			if (all[i].batch == o.batch)
				place(&o, i, NULL);
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
			mark(&o, i, NULL);
	for (size_t i = 0; i < count; i++)
		all[i].in_system = o.marked[i];
	order_release(&o);
}
