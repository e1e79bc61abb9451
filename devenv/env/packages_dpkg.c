/* SPDX-License-Identifier: Apache-2.0 */
/* packages_dpkg.c - see packages_dpkg.h. */
#include "env/packages_dpkg.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define DPKG "dpkg --force-unsafe-io --force-confdef --force-confold --log=/dev/null"

char *packages_dpkg_file(const struct lock_package *p)
{
	return mem_printf("%s_%.12s.deb", p->name, p->sha256);
}

/* A command with a word for each package that is chosen: its file, or its name. Nothing where none is. */
struct command {
	struct buf *script;
	const char *begin;
	size_t words;
};

static void add_file(struct command *c, const struct lock_package *p)
{
	cleanup_free char *file = packages_dpkg_file(p);

	buf_addf(c->script, "%s " PACKAGES_DPKG_DEBS "/%s", c->words++ ? "" : c->begin, file);
}

static void add_name(struct command *c, const struct lock_package *p)
{
	buf_addf(c->script, "%s %s", c->words++ ? "" : c->begin, p->name);
}

static void end(struct command *c)
{
	buf_adds(c->script, c->words ? "\n" : "");
}

/* Indexes of packages in the order of their places. malloc'ed. */
static size_t *by_place(const struct packages_control *all, size_t count)
{
	size_t *at = mem_array(count + 1, sizeof(*at));

	for (size_t i = 0; i < count; i++)
		at[all[i].place] = i;
	return at;
}

char *packages_dpkg_add(const struct lock_package *const *locked, struct packages_control *all, size_t count, const char *arch)
{
	unsigned int batches = packages_order(all, count, arch);
	cleanup_free size_t *at = by_place(all, count);
	struct buf b = BUF_INIT;

	for (unsigned int batch = 0; batch < batches; batch++) {
		struct command unpack = { &b, DPKG " --auto-deconfigure --no-triggers --unpack", 0 };

		for (size_t k = 0; k < count; k++)
			if (all[at[k]].batch == batch)
				add_file(&unpack, locked[at[k]]);
		end(&unpack);
		buf_adds(&b, unpack.words ? DPKG " --configure -a\n" : "");
	}
	return buf_steal(&b);
}

/* ---- a base ---- */

struct base {
	const struct lock_package *const *locked;
	struct packages_control *all;
	size_t count;
	size_t *at; /* in the order of their places */
	struct buf script;
};

/* Whose preinst the others' stand on, in this order. */
static const char *const foremost[] = { "base-passwd", "base-files" };

static bool is_foremost(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(foremost); i++)
		if (strcmp(name, foremost[i]) == 0)
			return true;
	return false;
}

static void unpack_system(struct base *b)
{
	struct command unpack = { &b->script, DPKG " --force-depends --no-triggers --unpack", 0 };

	for (size_t f = 0; f < ARRAY_SIZE(foremost); f++)
		for (size_t i = 0; i < b->count; i++)
			if (b->all[i].by_dpkg && b->all[i].in_system && strcmp(b->locked[i]->name, foremost[f]) == 0)
				add_file(&unpack, b->locked[i]);
	for (size_t k = 0; k < b->count; k++) {
		size_t i = b->at[k];

		if (b->all[i].by_dpkg && b->all[i].in_system && !is_foremost(b->locked[i]->name))
			add_file(&unpack, b->locked[i]);
	}
	end(&unpack);
}

static void configure_system(struct base *b)
{
	struct command configure = { &b->script, DPKG " --no-triggers --configure", 0 };

	for (size_t i = 0; i < b->count; i++)
		if (b->all[i].in_system)
			add_name(&configure, b->locked[i]);
	end(&configure);
}

static void unpack_batch(struct base *b, unsigned int batch)
{
	struct command unpack = { &b->script, DPKG " --no-triggers --unpack", 0 };

	for (size_t k = 0; k < b->count; k++) {
		size_t i = b->at[k];

		if (b->all[i].batch == batch && b->all[i].by_dpkg && !b->all[i].in_system)
			add_file(&unpack, b->locked[i]);
	}
	end(&unpack);
}

static void configure_batch(struct base *b, unsigned int batch)
{
	struct command configure = { &b->script, DPKG " --no-triggers --configure", 0 };

	for (size_t i = 0; i < b->count; i++)
		if (b->all[i].batch == batch && !b->all[i].in_system)
			add_name(&configure, b->locked[i]);
	end(&configure);
}

char *packages_dpkg_base(const struct lock_package *const *locked, struct packages_control *all, size_t count, const char *arch)
{
	struct base b = { locked, all, count, NULL, BUF_INIT };
	unsigned int batches = 0;

	packages_order_system(all, count, arch);
	packages_order(all, count, arch);
	b.at = by_place(all, count);
	for (size_t i = 0; i < count; i++)
		if (all[i].by_dpkg && !all[i].in_system && all[i].batch >= batches)
			batches = all[i].batch + 1;
	unpack_system(&b);
	/* Only what is unpacked after it has to find it configured. */
	if (batches)
		configure_system(&b);
	for (unsigned int batch = 0; batch < batches; batch++) {
		unpack_batch(&b, batch);
		if (batch + 1 < batches)
			configure_batch(&b, batch);
	}
	buf_adds(&b.script, DPKG " --configure -a\n");
	free(b.at);
	return buf_steal(&b.script);
}
