/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_package.c - the sections of devenv.lock for a distribution's packages.
 *
 * The list is kept sorted by architecture and name, which is the order of the sections too: an environment has hundreds.
 */
#include "config/lock_package.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/lock_extends.h"

#define PACKAGES_MAX 20000
#define PLATFORMS_MAX 64
#define PATH_MAX_LEN 512
#define SIZE_MAX_BYTES (1ULL << 40)
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS

/* ---- what values may look like: they become paths, addresses and parts of command lines ---- */

static bool consists_of(const char *s, const char *first, const char *others, size_t max)
{
	size_t n = strlen(s);

	return n && n <= max && strchr(first, s[0]) && strspn(s, others) == n;
}

static bool is_name(const char *s)
{
	return s[0] && s[1] && consists_of(s, LOWER DIGITS, LOWER DIGITS "+.-", 200);
}

static bool is_version(const char *s)
{
	return consists_of(s, DIGITS, LETTERS ".+-~:", 200);
}

/* Relative, of plain components, none of which begins with a dot. */
bool lock_package_path_is_valid(const char *s)
{
	if (!consists_of(s, LETTERS, LETTERS "/+.~_:%=-", PATH_MAX_LEN))
		return false;
	return !strstr(s, "//") && !strstr(s, "/.") && s[strlen(s) - 1] != '/' && text_ends(s, ".deb");
}

/* A suite, which may be a path too: "buster/updates". */
static bool is_suite(const char *s)
{
	return consists_of(s, LETTERS, LETTERS "/+.~_:%=-", PATH_MAX_LEN) && !strstr(s, "//") && !strstr(s, "/.");
}

/* "libpq5", "libpq5=15.8-0": what [packages] apt says, of several words where several items are one package. */
static bool is_request(const char *s)
{
	return consists_of(s, LOWER DIGITS, LETTERS ".+-~:= ", 2000);
}

/* ---- reading ---- */

static int keep(const char *name, const struct ini_entry *entry, bool ok, const char *what, char **out, struct err *e)
{
	if (!ok || strchr(entry->value, '\n'))
		return lock_bad_value(name, entry, what, e);
	*out = mem_strdup(entry->value);
	return 0;
}

static int take_entry(const char *name, const struct ini_entry *entry, struct lock_package *p, struct err *e)
{
	const char *key = entry->key, *value = entry->value;

	if (!strcmp(key, "in")) {
		if (strcmp(value, "base") != 0)
			return lock_bad_value(name, entry, "'base'", e);
		p->in_base = true;
		return 0;
	}
	if (!strcmp(key, "path"))
		return keep(name, entry, lock_package_path_is_valid(value), "the path of a package in an archive", &p->path,
			    e);
	if (!strcmp(key, "request"))
		return keep(name, entry, is_request(value), "a request", &p->request, e);
	if (!strcmp(key, "sha256"))
		return keep(name, entry, text_is_hex(value, 64), "a sha256", &p->sha256, e);
	if (!strcmp(key, "suite"))
		return keep(name, entry, is_suite(value), "a suite", &p->suite, e);
	if (!strcmp(key, "version"))
		return keep(name, entry, is_version(value), "a version", &p->version, e);
	if (strcmp(key, "size") != 0)
		return lock_unknown_key(name, entry, e);
	if (text_number(value, SIZE_MAX_BYTES, &p->size) < 0 || p->size == 0)
		return lock_bad_value(name, entry, "a size", e);
	return 0;
}

static int section_error(const char *name, const struct ini_section *section, const char *what, struct err *e)
{
	err_set(e, ERR_LOCK, "%s:%u: [%s] %s", text_safe(name), section->line, text_safe(section->name), what);
	return err_hint(e, "take the file from git again, or delete it and run `devenv lock`");
}

/* The two names behind the prefix. */
static int split_section(const char *name, const struct ini_section *section, struct lock_package *p, struct err *e)
{
	const char *arch = section->name + strlen(LOCK_PACKAGE_PREFIX), *dot = strchr(arch, '.');

	p->arch = mem_strndup(arch, dot ? (size_t)(dot - arch) : strlen(arch));
	p->name = mem_strdup(dot ? dot + 1 : "");
	if (!consists_of(p->arch, LOWER, LOWER DIGITS "-", 32) || !is_name(p->name))
		return section_error(name, section, "does not name a package", e);
	return 0;
}

static int read_package(const char *name, const struct ini *ini, const struct ini_section *section, size_t first,
			struct lock_package *p, struct err *e)
{
	const char *missing;

	if (split_section(name, section, p, e) < 0)
		return -1;
	for (size_t i = first; i < ini->count && !strcmp(ini->entries[i].section, section->name); i++)
		if (take_entry(name, &ini->entries[i], p, e) < 0)
			return -1;
	missing = !p->path     ? "has no path" :
		  !p->sha256   ? "has no sha256" :
		  !p->size     ? "has no size" :
		  !p->suite    ? "has no suite" :
		  !p->version  ? "has no version" :
				 NULL;
	return missing ? section_error(name, section, missing, e) : 0;
}

int lock_take_package(const char *name, const struct ini *ini, const struct ini_section *section, size_t first,
		      struct lock *l, struct err *e)
{
	struct lock_package p = { 0 };

	if (l->package_count == PACKAGES_MAX)
		return section_error(name, section, "is one package too many", e);
	if (read_package(name, ini, section, first, &p, e) < 0) {
		lock_package_release(&p);
		return -1;
	}
	lock_put_package(l, &p);
	return 0;
}

static void put_on(struct lock *l, const char *platform, const char *digest)
{
	l->packages_on = mem_grow(l->packages_on, l->packages_on_count, &l->packages_on_cap, sizeof(*l->packages_on));
	l->packages_on[l->packages_on_count++] = (struct lock_manifest){ mem_strdup(platform), mem_strdup(digest) };
}

static void put_present(struct lock *l, const char *platform, const char *names)
{
	l->packages_present = mem_grow(l->packages_present, l->packages_present_count, &l->packages_present_cap,
				       sizeof(*l->packages_present));
	l->packages_present[l->packages_present_count++] =
		(struct lock_present){ mem_strdup(platform), mem_strdup(names) };
}

int lock_take_packages_on(const char *name, const struct ini *ini, const struct ini_section *section, size_t first,
			  struct lock *l, struct err *e)
{
	for (size_t i = first; i < ini->count && !strcmp(ini->entries[i].section, section->name); i++) {
		const struct ini_entry *entry = &ini->entries[i];
		bool on = text_starts(entry->key, "on."), present = text_starts(entry->key, "present.");
		const char *platform = strchr(entry->key, '.');

		if ((!on && !present) || !lock_platform_is_valid(platform + 1))
			return lock_unknown_key(name, entry, e);
		if (on && !digest_is_valid(entry->value))
			return lock_bad_value(name, entry, "a digest", e);
		if (present && !is_request(entry->value))
			return lock_bad_value(name, entry, "a list of packages", e);
		if (i - first == PLATFORMS_MAX * 2)
			return section_error(name, section, "has too many platforms", e);
		if (on)
			put_on(l, platform + 1, entry->value);
		else
			put_present(l, platform + 1, entry->value);
	}
	return 0;
}

/* ---- writing ---- */

static int by_platform(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void format_on(const struct lock *l, struct buf *out)
{
	if (!l->packages_on_count && !l->packages_present_count)
		return;
	/* The order of the list means nothing, so it may as well be the written one. */
	if (l->packages_on_count)
		qsort(l->packages_on, l->packages_on_count, sizeof(*l->packages_on), by_platform);
	if (l->packages_present_count)
		qsort(l->packages_present, l->packages_present_count, sizeof(*l->packages_present), by_platform);
	buf_adds(out, "\n[" LOCK_PACKAGES "]\n");
	for (size_t i = 0; i < l->packages_on_count; i++)
		buf_addf(out, "on.%s = %s\n", l->packages_on[i].platform, l->packages_on[i].digest);
	for (size_t i = 0; i < l->packages_present_count; i++)
		buf_addf(out, "present.%s = %s\n", l->packages_present[i].platform, l->packages_present[i].names);
}

void lock_format_packages(const struct lock *l, struct buf *out)
{
	for (size_t i = 0; i < l->package_count; i++) {
		const struct lock_package *p = &l->packages[i];

		buf_addf(out, "\n[" LOCK_PACKAGE_PREFIX "%s.%s]\n", p->arch, p->name);
		if (p->in_base)
			buf_adds(out, "in = base\n");
		buf_addf(out, "path = %s\n", p->path);
		if (p->request)
			buf_addf(out, "request = %s\n", p->request);
		buf_addf(out, "sha256 = %s\nsize = %" PRIu64 "\nsuite = %s\nversion = %s\n", p->sha256, p->size, p->suite,
			 p->version);
	}
	format_on(l, out); /* "package." comes before "packages" */
}

/* ---- the list ---- */

static int compare(const struct lock_package *p, const char *arch, const char *name)
{
	int order = strcmp(p->arch, arch);

	return order ? order : strcmp(p->name, name);
}

/* The place of the first that is not before it. */
static size_t place_of(const struct lock *l, const char *arch, const char *name)
{
	size_t low = 0, high = l->package_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&l->packages[middle], arch, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct lock_package *lock_find_package(const struct lock *l, const char *arch, const char *name)
{
	size_t at = place_of(l, arch, name);

	return at < l->package_count && compare(&l->packages[at], arch, name) == 0 ? &l->packages[at] : NULL;
}

void lock_put_package(struct lock *l, struct lock_package *entry)
{
	size_t at = place_of(l, entry->arch, entry->name);

	if (at < l->package_count && compare(&l->packages[at], entry->arch, entry->name) == 0) {
		lock_package_release(&l->packages[at]);
	} else {
		l->packages = mem_grow(l->packages, l->package_count, &l->package_cap, sizeof(*l->packages));
		memmove(&l->packages[at + 1], &l->packages[at], (l->package_count++ - at) * sizeof(*l->packages));
	}
	l->packages[at] = *entry;
	*entry = (struct lock_package){ 0 };
}

void lock_remove_package(struct lock *l, const char *arch, const char *name)
{
	struct lock_package *there = lock_find_package(l, arch, name);
	size_t at = there ? (size_t)(there - l->packages) : 0;

	if (!there)
		return;
	lock_package_release(there);
	memmove(there, there + 1, (--l->package_count - at) * sizeof(*there));
}

void lock_package_release(struct lock_package *entry)
{
	free(entry->arch);
	free(entry->name);
	free(entry->version);
	free(entry->path);
	free(entry->suite);
	free(entry->sha256);
	free(entry->request);
	*entry = (struct lock_package){ 0 };
}

static void release_on(struct lock_manifest *on)
{
	free(on->platform);
	free(on->digest);
}

static void release_present(struct lock_present *present)
{
	free(present->platform);
	free(present->names);
}

void lock_release_packages(struct lock *l)
{
	for (size_t i = 0; i < l->package_count; i++)
		lock_package_release(&l->packages[i]);
	for (size_t i = 0; i < l->packages_on_count; i++)
		release_on(&l->packages_on[i]);
	for (size_t i = 0; i < l->packages_present_count; i++)
		release_present(&l->packages_present[i]);
	free(l->packages);
	free(l->packages_on);
	free(l->packages_present);
}

const char *lock_packages_on(const struct lock *l, const char *platform)
{
	for (size_t i = 0; i < l->packages_on_count; i++)
		if (!strcmp(l->packages_on[i].platform, platform))
			return l->packages_on[i].digest;
	return NULL;
}

const char *lock_packages_present(const struct lock *l, const char *platform)
{
	for (size_t i = 0; i < l->packages_present_count; i++)
		if (!strcmp(l->packages_present[i].platform, platform))
			return l->packages_present[i].names;
	return NULL;
}

void lock_set_packages_on(struct lock *l, const char *platform, const char *digest, const char *present)
{
	for (size_t i = l->packages_on_count; i-- > 0;)
		if (!strcmp(l->packages_on[i].platform, platform)) {
			release_on(&l->packages_on[i]);
			l->packages_on[i] = l->packages_on[--l->packages_on_count];
		}
	for (size_t i = l->packages_present_count; i-- > 0;)
		if (!strcmp(l->packages_present[i].platform, platform)) {
			release_present(&l->packages_present[i]);
			l->packages_present[i] = l->packages_present[--l->packages_present_count];
		}
	if (digest)
		put_on(l, platform, digest);
	if (digest && present && *present)
		put_present(l, platform, present);
}

/* ---- conflicts ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same(const struct lock_package *a, const struct lock_package *b)
{
	return a->in_base == b->in_base && a->size == b->size && same_text(a->version, b->version) &&
	       same_text(a->path, b->path) && same_text(a->suite, b->suite) && same_text(a->sha256, b->sha256) &&
	       same_text(a->request, b->request);
}

static void join_on(struct lock *ours, const struct lock *theirs)
{
	cleanup_strlist struct strlist platforms = STRLIST_INIT;

	for (size_t i = 0; i < theirs->packages_on_count; i++)
		strlist_add(&platforms, theirs->packages_on[i].platform);
	for (size_t i = 0; i < platforms.count; i++) {
		const char *platform = platforms.items[i], *digest = lock_packages_on(theirs, platform);
		const char *here = lock_packages_on(ours, platform), *names = lock_packages_present(theirs, platform);

		if (!here)
			lock_set_packages_on(ours, platform, digest, names);
		else if (!digest || strcmp(here, digest) != 0 || !same_text(lock_packages_present(ours, platform), names))
			lock_set_packages_on(ours, platform, NULL, NULL);
	}
}

void lock_join_packages(struct lock *ours, struct lock *theirs)
{
	for (size_t i = 0; i < theirs->package_count; i++) {
		struct lock_package *p = &theirs->packages[i];
		const struct lock_package *there = lock_find_package(ours, p->arch, p->name);

		if (!there)
			lock_put_package(ours, p); /* leaves an entry without a name behind */
		else if (!same(there, p))
			lock_remove_package(ours, p->arch, p->name);
	}
	join_on(ours, theirs);
}
