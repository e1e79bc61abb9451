/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages.c - [base] debian and [packages].
 *
 * A name of a package becomes part of the lock, of messages and of file names: nothing but what Debian's policy allows in
 * one, so no options, no shell characters. Here config/ knows of Debian only how its words are spelled.
 */
#include "config/packages.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/value.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define NAME_MAX_LEN 100
#define APT_MAX 2000 /* more than anybody writes */

static const char *const codenames[] = { "bullseye", "bookworm", "trixie", "forky", "sid", "buster", "stretch", NULL };

/* What changes its meaning when a release comes out would make another environment of the same file. */
static const char *const aliases[] = { "stable", "testing", "unstable", "oldstable", "oldoldstable", "experimental" };

int packages_check_codename(const char *file, const struct ini_entry *entry, struct err *e)
{
	const char *name = entry->value, *nearest;
	size_t n = strlen(name);

	if (value_check_line(file, entry, e))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (!strcmp(name, aliases[i])) {
			value_bad(file, entry, e, "'%s' is another release from time to time: name the release itself", name);
			return err_hint(e, "such as %s", !strcmp(name, "unstable") ? "sid" : "bookworm or trixie");
		}
	if (!strchr(LOWER, name[0]) || strspn(name, LOWER DIGITS "-") != n || n > VALUE_NAME_MAX) {
		value_bad(file, entry, e, "'%s' is not the codename of a release", text_safe(name));
		return err_hint(e, "such as bookworm or trixie");
	}
	nearest = text_nearest(name, codenames);
	if (nearest && strcmp(nearest, name) != 0)
		return value_bad(file, entry, e, "unknown release '%s'; did you mean '%s'?", text_safe(name), nearest);
	return 0;
}

int packages_set_variant(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const words[] = { "minimal", "standard", NULL };
	int word;

	if (value_choice(c->file, entry, words, &word, e))
		return -1;
	c->variant = word == 1 ? CONFIG_VARIANT_STANDARD : CONFIG_VARIANT_MINIMAL;
	c->variant_line = entry->line;
	c->variant_file = entry->file;
	return 0;
}

/* Sorted, and each once: the order changes nothing. */
static void sort_out(struct strlist *l)
{
	size_t kept = 0;

	strlist_sort(l);
	for (size_t i = 0; i < l->count; i++) {
		if (kept && !strcmp(l->items[kept - 1], l->items[i]))
			free(l->items[i]);
		else
			l->items[kept++] = l->items[i];
	}
	l->count = kept;
	if (l->items)
		l->items[kept] = NULL;
}

int packages_set_components(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const known[] = { "main", "contrib", "non-free", "non-free-firmware", NULL };

	if (value_list(c->file, entry, &c->components, e))
		return -1;
	for (size_t i = 0; i < c->components.count; i++) {
		const char *item = c->components.items[i], *nearest = text_nearest(item, known);

		if (nearest && strcmp(nearest, item) != 0)
			return value_bad(c->file, entry, e, "unknown component '%s'; did you mean '%s'?", text_safe(item), nearest);
		if (!strchr(LOWER, item[0]) || strspn(item, LOWER DIGITS "-") != strlen(item) || strlen(item) > VALUE_NAME_MAX) {
			value_bad(c->file, entry, e, "'%s' is not a component of an archive", text_safe(item));
			return err_hint(e, "Debian has main, contrib, non-free and non-free-firmware");
		}
	}
	/* Everything else needs main. */
	strlist_add(&c->components, "main");
	sort_out(&c->components);
	c->variant_line = entry->line;
	c->variant_file = entry->file;
	return 0;
}

/* [a-z0-9][a-z0-9+.-]+, Debian policy 5.6.1 */
static bool is_name(const char *s, size_t n)
{
	return n >= 2 && n <= NAME_MAX_LEN && strchr(LOWER DIGITS, s[0]) && strspn(s, LOWER DIGITS "+.-") >= n;
}

/* Letters, digits and . + - ~ :, beginning with a digit. */
static bool is_version(const char *s)
{
	return *s && strchr(DIGITS, *s) && strlen(s) <= NAME_MAX_LEN &&
	       strspn(s, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS ".+-~:") == strlen(s);
}

/* What apt-get install takes and this does not, by what it is. -1: it is of such a kind. */
static int check_kind(const struct config *c, const struct ini_entry *entry, const char *item, struct err *e)
{
	const char *slash = strchr(item, '/'), *colon = strchr(item, ':');
	size_t n = strcspn(item, "=");

	if (item[0] == '-') {
		value_bad(c->file, entry, e, "'%s' is an option of apt, and options can't be given: here are names of packages only", text_safe(item));
		return strstr(item, "recommends") ? err_hint(e, "recommended packages are never installed: name those that are needed") : -1;
	}
	if (item[0] == '/' || item[0] == '.' || (text_ends(item, ".deb") && slash)) {
		value_bad(c->file, entry, e, "'%s' is a file, and local packages are not supported", text_safe(item));
		return err_hint(e, "a [build] that has it among its inputs can run dpkg -i on it; or put it into an archive of your own");
	}
	if (slash && slash < item + n) {
		value_bad(c->file, entry, e, "'%s': a release can't be chosen for a package", text_safe(item));
		return err_hint(e, "write the name, or name=version with a version that the release has");
	}
	if (colon && colon < item + n) {
		value_bad(c->file, entry, e, "'%s': an architecture can't be chosen for a package; it is that of the environment",
			  text_safe(item));
		return err_hint(e, "write %.*s; for which architectures it is locked is said by platforms in [devenv]", (int)(colon - item), item);
	}
	return 0;
}

static int check_package(const struct config *c, const struct ini_entry *entry, const char *item, struct err *e)
{
	const char *equals = strchr(item, '=');
	size_t n = equals ? (size_t)(equals - item) : strlen(item);

	if (check_kind(c, entry, item, e))
		return -1;
	if (strpbrk(item, "*?^$[")) {
		value_bad(c->file, entry, e, "'%s' is a pattern: name each package", text_safe(item));
		return -1;
	}
	if (!is_name(item, n)) {
		value_bad(c->file, entry, e, "'%s' is not the name of a package", text_safe(item));
		return err_hint(e, "names have small letters, digits and + - . after the first");
	}
	if (equals && !is_version(equals + 1))
		return value_bad(c->file, entry, e, "'%s' is not a version, in '%s'", text_safe(equals + 1), text_safe(item));
	return 0;
}

/* "hello hello=2.10": the version says more than the name alone. */
static void drop_bare(struct strlist *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		const char *item = list->items[i];
		size_t n = strlen(item);
		bool bare = false;

		for (size_t k = 0; !bare && k < list->count; k++)
			bare = k != i && list->items[k] && strncmp(list->items[k], item, n) == 0 && list->items[k][n] == '=';
		if (bare)
			free(mem_steal(list->items[i]));
	}
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i])
			list->items[kept++] = list->items[i];
	list->count = kept;
	if (list->items)
		list->items[kept] = NULL;
}

/* Not two versions of one package in one list; then sorted. */
static int finish_list(struct strlist *list, const struct ini_entry *entry, struct err *e)
{
	drop_bare(list);
	for (size_t i = 0; i < list->count; i++)
		for (size_t k = 0; k < i; k++) {
			const char *item = list->items[i], *other = list->items[k];
			size_t n = strcspn(item, "=");

			if (strcmp(item, other) != 0 && n == strcspn(other, "=") && !strncmp(item, other, n))
				return value_bad(entry->file, entry, e, "'%s' and '%s' are two versions of one package", text_safe(other),
						 text_safe(item));
		}
	sort_out(list);
	return 0;
}

/* The line of an item that devenv.local.ini alone has. NULL: everybody shares it. */
static const struct config_line *own_line(const struct config *c, const char *item)
{
	for (size_t i = 0; c->local && i < c->line_count; i++) {
		const struct config_line *line = &c->lines[i];

		if (line->file == c->local && !strcmp(line->section, "packages") && !strcmp(line->key, "apt") &&
		    !strcmp(line->value, item))
			return line;
	}
	return NULL;
}

/* A version of one's own is one's own; who wants any has the one that everybody has. */
static bool is_shared(const struct strlist *shared, const char *item)
{
	size_t n = strlen(item);

	for (size_t i = 0; i < shared->count; i++)
		if (!strncmp(shared->items[i], item, n) && (shared->items[i][n] == '=' || shared->items[i][n] == '\0'))
			return true;
	return false;
}

/* Whose is each? devenv.local.ini comes last, so that what everybody shares is known by then. */
static void share_out(struct config *c, const struct ini_entry *entry, const struct strlist *items)
{
	for (size_t i = 0; i < items->count; i++) {
		const struct config_line *own = own_line(c, items->items[i]);

		if (!own) {
			strlist_add(&c->packages_apt, items->items[i]);
			c->packages_line = entry->line;
			c->packages_file = entry->file;
		} else if (!is_shared(&c->packages_apt, items->items[i])) {
			strlist_add(&c->packages_own, items->items[i]);
			c->packages_own_line = own->line;
		}
	}
	/* The entry has the place of its last item. */
	for (size_t i = 0; i < c->line_count; i++) {
		const struct config_line *line = &c->lines[i];

		if (line->file != c->local && !strcmp(line->section, "packages") && !strcmp(line->key, "apt")) {
			c->packages_line = line->line;
			c->packages_file = line->file;
		}
	}
}

int packages_set_apt(struct config *c, const struct ini_entry *entry, struct err *e)
{
	cleanup_strlist struct strlist items = STRLIST_INIT;
	struct ini_entry shared = *entry, own = *entry;

	if (value_list(c->file, entry, &items, e))
		return -1;
	if (items.count > APT_MAX)
		return value_bad(c->file, entry, e, "there are more than %d packages", APT_MAX);
	for (size_t i = 0; i < items.count; i++)
		if (check_package(c, entry, items.items[i], e))
			return -1;
	share_out(c, entry, &items);
	shared.file = c->packages_file;
	shared.line = c->packages_line;
	own.file = c->local;
	own.line = c->packages_own_line;
	return finish_list(&c->packages_apt, &shared, e) < 0 ? -1 : finish_list(&c->packages_own, &own, e);
}

int packages_set_platforms(struct config *c, const struct ini_entry *entry, struct err *e)
{
	static const char *const known[] = { "linux/amd64",  "linux/arm64",   "linux/arm/v7", "linux/386",
					     "linux/riscv64", "linux/ppc64le", "linux/s390x",  NULL };

	if (value_list(c->file, entry, &c->platforms, e))
		return -1;
	for (size_t i = 0; i < c->platforms.count; i++) {
		const char *item = c->platforms.items[i], *nearest;
		bool ok = false;

		for (size_t k = 0; known[k]; k++)
			ok = ok || !strcmp(item, known[k]);
		if (ok)
			continue;
		nearest = text_nearest(item, known);
		value_bad(c->file, entry, e, "unknown platform '%s'%s%s%s", text_safe(item), nearest ? "; did you mean '" : "",
			  nearest ? nearest : "", nearest ? "'?" : "");
		return err_hint(e, "platforms are written as in linux/amd64 and linux/arm64");
	}
	sort_out(&c->platforms);
	return 0;
}

int packages_check(struct config *c, struct err *e)
{
	if (c->base == CONFIG_BASE_DEBIAN) {
		if (!c->components.count)
			strlist_add(&c->components, "main");
		return 0;
	}
	if (!c->variant_line || c->base == CONFIG_BASE_NONE)
		return 0;
	err_set(e, ERR_CONFIG, "%s:%u: [base] has variant or components, and they belong to a base of Debian packages",
		text_safe(c->variant_file), c->variant_line);
	return err_hint(e, "such a base is: debian = bookworm");
}

void packages_release(struct config *c)
{
	strlist_release(&c->components);
	strlist_release(&c->packages_apt);
	strlist_release(&c->packages_own);
	strlist_release(&c->platforms);
}
