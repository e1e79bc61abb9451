/* SPDX-License-Identifier: Apache-2.0 */
/* debian_universe.c - one pass over the indexes, one sort; look-ups are by bisection. */
#include "source/debian_universe.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "source/debian_version.h"

void debian_universe_init(struct debian_universe *u, const char *arch)
{
	*u = (struct debian_universe){ .arch = mem_strdup(arch) };
}

void debian_universe_release(struct debian_universe *u)
{
	free(u->arch);
	free(u->packages);
	free(u->provided);
	*u = (struct debian_universe){ 0 };
}

/* The fields that are looked at of every stanza, in one pass over it: asking for each by name takes five times as long. */
struct header {
	struct debian_text name, version, arch, provides, priority, essential, multi_arch, status;
};

static const struct {
	const char *name;
	size_t offset;
} header_fields[] = {
	{ "Package", offsetof(struct header, name) },
	{ "Version", offsetof(struct header, version) },
	{ "Architecture", offsetof(struct header, arch) },
	{ "Provides", offsetof(struct header, provides) },
	{ "Priority", offsetof(struct header, priority) },
	{ "Essential", offsetof(struct header, essential) },
	{ "Multi-Arch", offsetof(struct header, multi_arch) },
	{ "Status", offsetof(struct header, status) },
};

static bool read_header(struct debian_text stanza, struct header *h)
{
	struct debian_text rest = stanza, name, value;

	memset(h, 0, sizeof(*h));
	while (debian_control_each(&rest, &name, &value))
		for (size_t i = 0; i < ARRAY_SIZE(header_fields); i++)
			if (strlen(header_fields[i].name) == name.len &&
			    strncasecmp(name.at, header_fields[i].name, name.len) == 0) {
				*(struct debian_text *)((char *)h + header_fields[i].offset) = value;
				break;
			}
	return debian_name_is_valid(h->name) && debian_version_is_valid(h->version);
}

static enum debian_priority priority_of(struct debian_text t)
{
	static const char *const names[] = { "required", "important", "standard", "optional" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (debian_text_is(t, names[i]))
			return (enum debian_priority)i;
	return debian_text_is(t, "extra") ? DEBIAN_EXTRA : DEBIAN_OPTIONAL;
}

static enum debian_multi_arch multi_arch_of(struct debian_text t)
{
	if (debian_text_is(t, "same"))
		return DEBIAN_MULTI_SAME;
	if (debian_text_is(t, "foreign"))
		return DEBIAN_MULTI_FOREIGN;
	return debian_text_is(t, "allowed") ? DEBIAN_MULTI_ALLOWED : DEBIAN_MULTI_NO;
}

static void add_provided(struct debian_universe *u, struct debian_text provides, size_t package)
{
	struct debian_text group;

	while (debian_depends_group(&provides, &group)) {
		struct debian_dependency d;

		if (!debian_depends_next(&group, u->arch, &d) || (d.relation != DEBIAN_ANY && d.relation != DEBIAN_EQUAL))
			continue;
		u->provided = mem_grow(u->provided, u->provided_count, &u->provided_cap, sizeof(*u->provided));
		u->provided[u->provided_count++] = (struct debian_provided){
			d.name, d.relation == DEBIAN_EQUAL ? d.version : (struct debian_text){ "", 0 }, package };
	}
}

/* "hold ok installed": the first word is what somebody wants. */
static bool is_held(struct debian_text status)
{
	struct debian_text word;

	return debian_control_word(&status, &word) && debian_text_is(word, "hold");
}

static void add(struct debian_universe *u, struct debian_text stanza, const struct header *h, unsigned int source,
		bool installed)
{
	if (!debian_text_is(h->arch, "all") && !debian_text_is(h->arch, u->arch))
		return;
	u->packages = mem_grow(u->packages, u->count, &u->cap, sizeof(*u->packages));
	u->packages[u->count++] = (struct debian_package){
		.stanza = stanza,
		.name = h->name,
		.version = h->version,
		.source = source,
		.priority = priority_of(h->priority),
		.multi_arch = multi_arch_of(h->multi_arch),
		.essential = debian_text_is(h->essential, "yes"),
		.installed = installed,
		.held = installed && is_held(h->status),
	};
}

void debian_universe_add(struct debian_universe *u, struct debian_text index, unsigned int source)
{
	struct debian_text stanza;
	struct header h;

	while (debian_control_next(&index, &stanza))
		if (read_header(stanza, &h))
			add(u, stanza, &h, source, false);
}

/* "install ok installed": the third word says how far it came. What has only its configuration left isn't there. */
static bool is_there(struct debian_text status)
{
	struct debian_text word = { "", 0 };

	for (int i = 0; i < 3; i++)
		if (!debian_control_word(&status, &word))
			return false;
	return !debian_text_is(word, "not-installed") && !debian_text_is(word, "config-files");
}

void debian_universe_add_installed(struct debian_universe *u, struct debian_text status)
{
	struct debian_text stanza;
	struct header h;

	while (debian_control_next(&status, &stanza))
		if (read_header(stanza, &h) && is_there(h.status))
			add(u, stanza, &h, 0, true);
}

static int by_name(const void *a, const void *b)
{
	const struct debian_package *x = a, *y = b;
	int order = debian_text_compare(x->name, y->name);

	if (order == 0)
		order = -debian_version_compare(x->version, y->version);
	if (order == 0)
		order = (int)y->installed - (int)x->installed;
	/* The same version in two suites: the source given first. */
	return order ? order : (x->source > y->source) - (x->source < y->source);
}

static int by_provided(const void *a, const void *b)
{
	const struct debian_provided *x = a, *y = b;
	int order = debian_text_compare(x->name, y->name);

	return order ? order : (x->package > y->package) - (x->package < y->package);
}

/* The highest of the sources of a version counts, and of the preferences that name it the first. */
static void join_policy(struct debian_package *kept, const struct debian_package *same)
{
	if (same->policy > kept->policy)
		kept->policy = same->policy;
	if (same->preference && (!kept->preference || same->preference < kept->preference))
		kept->preference = same->preference;
}

/* The same version of a package from two suites is one package. */
static void drop_repeated(struct debian_universe *u)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->count; i++)
		if (!kept || debian_text_compare(u->packages[i].name, u->packages[kept - 1].name) != 0 ||
		    debian_version_compare(u->packages[i].version, u->packages[kept - 1].version) != 0)
			u->packages[kept++] = u->packages[i];
		else
			join_policy(&u->packages[kept - 1], &u->packages[i]);
	u->count = kept;
}

static void rate(struct debian_universe *u)
{
	cleanup_free int *of_source = mem_array(u->policy.count + 1, sizeof(*of_source));

	for (size_t i = 0; i < u->policy.count; i++)
		of_source[i] = debian_policy_of_source(&u->policy, (unsigned int)i);
	for (size_t i = 0; i < u->count; i++) {
		struct debian_package *p = &u->packages[i];
		unsigned int source = p->installed ? DEBIAN_INSTALLED : p->source;

		p->policy = source < u->policy.count ? of_source[source] : debian_policy_of_source(&u->policy, source);
		p->preference = debian_policy_find(&u->policy, p->name, p->version, source);
	}
}

void debian_universe_sort(struct debian_universe *u)
{
	if (u->count)
		qsort(u->packages, u->count, sizeof(*u->packages), by_name);
	rate(u);
	drop_repeated(u);
	for (size_t i = 0; i < u->count; i++)
		if (u->packages[i].preference)
			u->packages[i].policy = u->policy.preferences->items[u->packages[i].preference - 1].priority;
	u->provided_count = 0;
	for (size_t i = 0; i < u->count; i++) {
		struct debian_text provides;

		if (debian_control_field(u->packages[i].stanza, "Provides", &provides))
			add_provided(u, provides, i);
	}
	if (u->provided_count)
		qsort(u->provided, u->provided_count, sizeof(*u->provided), by_provided);
}

/* Both arrays hold what begins with a struct debian_text at `offset` and are sorted by it. */
static size_t find(const void *array, size_t count, size_t size, size_t offset, struct debian_text name, size_t *first)
{
	size_t low = 0, high = count, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct debian_text *t = (const void *)((const char *)array + middle * size + offset);

		if (debian_text_compare(*t, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	while (low + n < count &&
	       debian_text_compare(*(const struct debian_text *)(const void *)((const char *)array + (low + n) * size + offset),
				   name) == 0)
		n++;
	return n;
}

size_t debian_universe_find(const struct debian_universe *u, struct debian_text name, size_t *first)
{
	return find(u->packages, u->count, sizeof(*u->packages), offsetof(struct debian_package, name), name, first);
}

size_t debian_universe_providers(const struct debian_universe *u, struct debian_text name, size_t *first)
{
	return find(u->provided, u->provided_count, sizeof(*u->provided), offsetof(struct debian_provided, name), name, first);
}

/* ---- dependencies ---- */

bool debian_universe_is_here(const struct debian_universe *u, struct debian_text arch)
{
	return arch.len == 0 || debian_text_is(arch, "any") || debian_text_is(arch, "native") || debian_text_is(arch, "all") ||
	       debian_text_is(arch, u->arch);
}

static bool provides(const struct debian_universe *u, const struct debian_dependency *d, size_t package)
{
	size_t first, n = debian_universe_providers(u, d->name, &first);

	for (size_t i = first; i < first + n; i++) {
		const struct debian_provided *p = &u->provided[i];

		/* A relation with a version is met only by a provision with one. */
		if (p->package == package && (d->relation == DEBIAN_ANY || p->version.len) && debian_depends_allows(d, p->version))
			return true;
	}
	return false;
}

bool debian_universe_meets(const struct debian_universe *u, const struct debian_dependency *d, size_t package)
{
	const struct debian_package *p = &u->packages[package];

	if (!debian_universe_is_here(u, d->arch))
		return false;
	return (debian_text_compare(p->name, d->name) == 0 && debian_depends_allows(d, p->version)) || provides(u, d, package);
}
