/* SPDX-License-Identifier: Apache-2.0 */
/* packages_unknown.c - see packages_unknown.h. Nothing is read here unless a name is unknown, and who asked waits for the answer. */
#include "env/packages_unknown.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/debian_solve.h"

struct answer {
	struct buf text, hint;
	struct strlist rest; /* what is nowhere */
	struct strlist components, elsewhere; /* that would have to be enabled; names that other architectures have */
};

static void fill(const struct debian_indexes *indexes, const char *arch, struct debian_universe *u)
{
	debian_universe_init(u, arch);
	for (size_t i = 0; i < indexes->count; i++)
		debian_universe_add(u, indexes->texts[i], (unsigned int)i);
	debian_universe_sort(u);
}

static void add_sentence(struct buf *b, const char *sentence)
{
	buf_addf(b, "%s%s", b->len ? "; " : "", sentence);
}

/* ---- components ---- */

static void find_in_components(const struct packages_unknown *u, const struct debian_indexes *indexes, struct strlist *names,
			       struct answer *a)
{
	struct debian_universe all;
	struct strlist rest = STRLIST_INIT;

	fill(indexes, debian_arch(u->platform), &all);
	for (size_t i = 0; i < names->count; i++) {
		size_t first, n = debian_universe_find(&all, DEBIAN_TEXT(names->items[i]), &first);
		const char *component = n ? indexes->origins[all.packages[first].source].component : NULL;
		cleanup_free char *text = NULL;

		if (!component) {
			strlist_add(&rest, names->items[i]);
			continue;
		}
		text = mem_printf("%s is in the component %s, which isn't used", text_safe(names->items[i]), text_safe(component));
		add_sentence(&a->text, text);
		if (!strlist_has(&a->components, component))
			strlist_add(&a->components, component);
	}
	debian_universe_release(&all);
	strlist_release(names);
	*names = rest;
}

static void try_components(const struct packages_unknown *u, struct strlist *names, struct answer *a)
{
	struct debian_indexes indexes = { 0 };
	struct debian_archive rest = { 0 };
	struct err ignored = ERR_INIT;

	debian_archive_other_components(&u->source->context, &u->source->archive, &rest);
	if (rest.count && debian_indexes_read(&u->source->context, &rest, debian_arch(u->platform), false, &indexes, &ignored) == 0) {
		find_in_components(u, &indexes, names, a);
		debian_indexes_release(&indexes);
	}
	debian_archive_release(&rest);
}

/* ---- architectures ---- */

static void find_elsewhere(const struct packages_unknown *u, const struct debian_indexes *indexes, const char *arch,
			   struct strlist *names, struct answer *a)
{
	struct debian_universe all;
	struct strlist rest = STRLIST_INIT;

	fill(indexes, arch, &all);
	for (size_t i = 0; i < names->count; i++) {
		size_t first;
		cleanup_free char *text = NULL;

		if (!debian_universe_find(&all, DEBIAN_TEXT(names->items[i]), &first)) {
			strlist_add(&rest, names->items[i]);
			continue;
		}
		text = mem_printf("%s has no %s for %s: it is there for %s", text_safe(u->source->archive.suites[0].suite),
				  text_safe(names->items[i]), debian_arch(u->platform), arch);
		add_sentence(&a->text, text);
		strlist_add(&a->elsewhere, names->items[i]);
	}
	debian_universe_release(&all);
	strlist_release(names);
	*names = rest;
}

static void try_platforms(const struct packages_unknown *u, struct strlist *names, struct answer *a)
{
	for (size_t i = 0; i < u->platforms->count && names->count; i++) {
		const char *arch = debian_arch(u->platforms->items[i]);
		struct debian_indexes indexes = { 0 };
		struct err ignored = ERR_INIT;

		if (!arch || strcmp(arch, debian_arch(u->platform)) == 0 ||
		    debian_indexes_read(&u->source->context, &u->source->archive, arch, false, &indexes, &ignored) < 0)
			continue;
		find_elsewhere(u, &indexes, arch, names, a);
		debian_indexes_release(&indexes);
	}
}

/* ---- the answer ---- */

static void add_hints(const struct packages_unknown *u, struct answer *a)
{
	cleanup_buf struct buf components = BUF_INIT;
	cleanup_free char *text = NULL;

	for (size_t i = 0; i < a->components.count; i++)
		buf_addf(&components, " %s", text_safe(a->components.items[i]));
	if (components.len)
		text = u->release ? mem_printf("write components =%s in [base]", components.data)
				  : mem_printf("the image's own sources of apt don't have%s: another image, or a [build] that adds it", components.data);
	if (text)
		add_sentence(&a->hint, text);
	if (!a->elsewhere.count)
		return;
	free(text);
	text = u->named ? mem_printf("take %s out of platforms in [devenv]; or %s out of [packages] and into devenv.local.ini where it can be had",
				     u->platform, text_safe(a->elsewhere.items[0]))
			: mem_printf("take %s out of [packages] and into devenv.local.ini where it can be had", text_safe(a->elsewhere.items[0]));
	add_sentence(&a->hint, text);
}

int packages_unknown_explain(const struct packages_unknown *u, struct err *e)
{
	struct answer a = { .text = BUF_INIT, .hint = BUF_INIT };
	struct err nowhere = ERR_INIT;
	struct debian_universe all;

	for (size_t i = 0; i < u->names->count; i++)
		strlist_add(&a.rest, u->names->items[i]);
	try_components(u, &a.rest, &a);
	try_platforms(u, &a.rest, &a);
	if (a.rest.count) {
		fill(u->indexes, debian_arch(u->platform), &all);
		debian_unknown_names(&all, &a.rest, &nowhere);
		debian_universe_release(&all);
		add_sentence(&a.text, nowhere.msg);
	}
	add_hints(u, &a);
	if (nowhere.hint[0])
		add_sentence(&a.hint, nowhere.hint);
	*e = ERR_INIT;
	err_set(e, ERR_NOT_FOUND, "%s", a.text.data);
	if (a.hint.len)
		err_hint(e, "%s", a.hint.data);
	buf_release(&a.text);
	buf_release(&a.hint);
	strlist_release(&a.rest);
	strlist_release(&a.components);
	strlist_release(&a.elsewhere);
	return -1;
}
