/* SPDX-License-Identifier: Apache-2.0 */
/* debian_policy.c - preferences against the origins of indexes, as apt's own policy and version matching do it. */
#include "source/debian_policy.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void debian_origin_release(struct debian_origin *o)
{
	free(o->archive);
	free(o->codename);
	free(o->origin);
	free(o->label);
	free(o->version);
	free(o->component);
	free(o->site);
	*o = (struct debian_origin){ 0 };
}

void debian_preferences_release(struct debian_preferences *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->items[i].package);
		free(p->items[i].value);
	}
	free(p->items);
	*p = (struct debian_preferences){ 0 };
}

/* Whatever the case, as apt has it. */
static bool fits(const char *pattern, const char *value)
{
	return value && fnmatch(pattern, value, FNM_CASEFOLD) == 0;
}

static bool text_fits(const char *pattern, struct debian_text value)
{
	cleanup_free char *copy = NULL;

	if (!strpbrk(pattern, "*?["))
		return debian_text_is(value, pattern);
	copy = debian_text_dup(value);
	return fits(pattern, copy);
}

/* One word of "release a=stable, c=main". A word alone is the name of the release, or its version. */
static bool word_fits(const char *word, const struct debian_origin *o)
{
	if (word[0] && word[1] == '=')
		switch (word[0]) {
		case 'a':
			return fits(word + 2, o->archive);
		case 'n':
			return fits(word + 2, o->codename);
		case 'o':
			return fits(word + 2, o->origin);
		case 'l':
			return fits(word + 2, o->label);
		case 'c':
			return fits(word + 2, o->component);
		case 'v':
			return fits(word + 2, o->version);
		default:
			return false;
		}
	return fits(word, o->archive) || fits(word, o->codename) || fits(word, o->version);
}

static bool release_fits(const char *words, const struct debian_origin *o)
{
	cleanup_strlist struct strlist split = STRLIST_INIT;

	strlist_split(&split, words, "\n");
	for (size_t i = 0; i < split.count; i++)
		if (!word_fits(split.items[i], o))
			return false;
	return true;
}

static const struct debian_origin *origin_of(const struct debian_policy *p, unsigned int source)
{
	return source < p->count ? &p->origins[source] : NULL;
}

static bool is_of(const struct debian_preference *x, const struct debian_origin *o)
{
	if (!o || x->kind == DEBIAN_PREFERENCE_VERSION)
		return false;
	return x->kind == DEBIAN_PREFERENCE_SITE ? fits(x->value, o->site ? o->site : "") : release_fits(x->value, o);
}

int debian_policy_of_source(const struct debian_policy *p, unsigned int source)
{
	const struct debian_origin *o = origin_of(p, source);

	if (!o)
		return source == DEBIAN_INSTALLED ? DEBIAN_PRIORITY_INSTALLED : DEBIAN_PRIORITY;
	for (size_t i = 0; p->preferences && i < p->preferences->count; i++)
		if (!p->preferences->items[i].package && is_of(&p->preferences->items[i], o))
			return p->preferences->items[i].priority;
	return o->priority;
}

unsigned int debian_policy_find(const struct debian_policy *p, struct debian_text name, struct debian_text version, unsigned int source)
{
	for (size_t i = 0; p->preferences && i < p->preferences->count; i++) {
		const struct debian_preference *x = &p->preferences->items[i];

		if (!x->package || !text_fits(x->package, name))
			continue;
		if (x->kind == DEBIAN_PREFERENCE_VERSION ? text_fits(x->value, version) : is_of(x, origin_of(p, source)))
			return (unsigned int)i + 1;
	}
	return 0;
}
