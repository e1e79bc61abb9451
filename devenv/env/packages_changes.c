/* SPDX-License-Identifier: Apache-2.0 */
/* packages_changes.c - what became of the packages of a lock, for people; and those that nothing asks for any more. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "env/locking.h"
#include "env/packages_internal.h"

enum { HEX_SHOWN = 12 };

/* ---- before and after ---- */

/* malloc'ed: "libc6", "libc6 (linux/arm64)". */
static char *name_on(const char *name, const char *platform)
{
	return strcmp(platform, oci_platform()) == 0 ? mem_strdup(name) : mem_printf("%s (%s)", name, platform);
}

static void note_base(struct env_changes *changes, const char *platform, size_t before, size_t after)
{
	cleanup_free char *name = name_on(LOCKING_BASE, platform);
	cleanup_free char *old = before ? mem_printf("%zu package%s", before, before == 1 ? "" : "s") : mem_strdup("");
	cleanup_free char *new = after ? mem_printf("%zu package%s", after, after == 1 ? "" : "s") : mem_strdup("");

	locking_note_change(changes, name, old, new);
}

static size_t count_base(const struct resolved *r)
{
	size_t count = 0;

	for (size_t i = 0; i < r->count; i++)
		count += r->items[i].in_base;
	return count;
}

/* The same version: what else is another. false: nothing. */
static bool tell_apart(const struct lock_package *old, const struct lock_package *new, char **before, char **after)
{
	if (strcmp(old->version, new->version) != 0) {
		*before = mem_strdup(old->version);
		*after = mem_strdup(new->version);
	} else if (strcmp(old->sha256, new->sha256) != 0) {
		*before = mem_printf("%s sha256:%.*s", old->version, HEX_SHOWN, old->sha256);
		*after = mem_printf("%s sha256:%.*s", new->version, HEX_SHOWN, new->sha256);
	} else if (old->size != new->size) {
		*before = mem_printf("%s of %llu bytes", old->version, (unsigned long long)old->size);
		*after = mem_printf("%s of %llu bytes", new->version, (unsigned long long)new->size);
	} else if (strcmp(old->path, new->path) != 0) {
		*before = mem_printf("%s %s", old->version, old->path);
		*after = mem_printf("%s %s", new->version, new->path);
	} else if (strcmp(old->suite, new->suite) != 0) {
		*before = mem_printf("%s of %s", old->version, old->suite);
		*after = mem_printf("%s of %s", new->version, new->suite);
	} else {
		return false;
	}
	return true;
}

static void note_package(struct env_changes *changes, const char *platform, const struct lock_package *old,
			 const struct lock_package *new)
{
	cleanup_free char *name = name_on(old ? old->name : new->name, platform), *before = NULL, *after = NULL;

	if (!old || !new)
		locking_note_change(changes, name, old ? old->version : "", new ? new->version : "");
	else if (tell_apart(old, new, &before, &after))
		locking_note_change(changes, name, before, after);
}

void packages_note_changes(struct env_changes *changes, const char *platform, const struct resolved *before, const struct resolved *after)
{
	bool new_base = !count_base(before) && count_base(after);

	if (new_base)
		note_base(changes, platform, 0, count_base(after));
	for (size_t i = 0; i < after->count; i++) {
		const struct lock_package *p = &after->items[i], *old = resolved_find(before, p->name);

		if (old || !p->in_base || !new_base)
			note_package(changes, platform, old, p);
	}
	for (size_t i = 0; i < before->count; i++)
		if (!resolved_find(after, before->items[i].name))
			note_package(changes, platform, &before->items[i], NULL);
}

/* ---- what nothing asks for ---- */

/* What nothing asks for any more, without asking anybody. */
void packages_drop_all(struct lock *l, struct env_changes *changes)
{
	while (l->package_count) {
		struct lock_package *p = &l->packages[l->package_count - 1];
		cleanup_free char *arch = mem_strdup(p->arch), *name = mem_strdup(p->name);

		if (!p->in_base)
			locking_note_change(changes, name, p->version, "");
		lock_remove_package(l, arch, name);
	}
	while (l->packages_on_count) {
		cleanup_free char *platform = mem_strdup(l->packages_on[0].platform);

		lock_set_packages_on(l, platform, NULL, NULL);
	}
}

/* Packages of the base that stayed when another kind of base came. */
void packages_drop_base(struct environment *env)
{
	for (size_t i = env->lock.package_count; i-- > 0;) {
		struct lock_package *p = &env->lock.packages[i];
		cleanup_free char *arch = mem_strdup(p->arch), *name = mem_strdup(p->name);

		if (p->in_base)
			lock_remove_package(&env->lock, arch, name);
	}
}

static bool is_named(const struct strlist *platforms, const char *arch)
{
	for (size_t i = 0; i < platforms->count; i++) {
		const char *named = debian_arch(platforms->items[i]);

		if (named && strcmp(named, arch) == 0)
			return true;
	}
	return false;
}

/* Its name for people. malloc'ed. */
static char *platform_name(const char *arch)
{
	static const char *const known[] = { PACKAGES_PLATFORMS };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(debian_arch(known[i]), arch) == 0)
			return mem_strdup(known[i]);
	return mem_strdup(arch);
}

void packages_drop_platforms(struct lock *l, const struct strlist *platforms, struct env_changes *changes)
{
	for (size_t i = 0; i < l->package_count;) {
		cleanup_free char *arch = mem_strdup(l->packages[i].arch), *platform = NULL;
		size_t base = 0;

		if (is_named(platforms, arch)) {
			i++;
			continue;
		}
		platform = platform_name(arch);
		/* Sorted by architecture: those of one are beside each other. */
		while (i < l->package_count && strcmp(l->packages[i].arch, arch) == 0) {
			struct lock_package *p = &l->packages[i];
			cleanup_free char *name = mem_strdup(p->name);

			base += p->in_base;
			if (!p->in_base)
				note_package(changes, platform, p, NULL);
			lock_remove_package(l, arch, name);
		}
		if (base)
			note_base(changes, platform, base, 0);
	}
	for (size_t i = 0; i < l->packages_on_count;) {
		cleanup_free char *platform = mem_strdup(l->packages_on[i].platform);

		if (strlist_has(platforms, platform))
			i++;
		else
			lock_set_packages_on(l, platform, NULL, NULL);
	}
}
