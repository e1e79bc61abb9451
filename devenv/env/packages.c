/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages.c - [base] debian and [packages] against the lock.
 *
 * What is compared offline: the request of the base, a word for each of [packages] apt, and for packages on an image the
 * manifest they were resolved on.
 */
#include "env/packages_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/project.h"
#include "base/text.h"
#include "env/locking.h"

bool packages_are_asked_for(const struct environment *env)
{
	return packages_is_debian(env) || env->config.packages_apt.count;
}

char *packages_base_request(const struct config *c)
{
	struct buf b = BUF_INIT;

	buf_addf(&b, LOCK_DEBIAN_PREFIX "%s %s", c->base_value, c->variant == CONFIG_VARIANT_STANDARD ? "standard" : "minimal");
	for (size_t i = 0; i < c->components.count; i++)
		buf_addf(&b, " %s", c->components.items[i]);
	return buf_steal(&b);
}

/* ---- what the lock says ---- */

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL)
		if (strncmp(p, word, n) == 0 && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static bool has_base(const struct lock *l, const char *arch)
{
	for (size_t i = 0; i < l->package_count; i++)
		if (l->packages[i].in_base && strcmp(l->packages[i].arch, arch) == 0)
			return true;
	return false;
}

static bool is_answered(const struct lock *l, const char *platform, const char *arch, const char *item)
{
	const char *present = lock_packages_present(l, platform);

	if (present && has_word(present, item))
		return true;
	for (size_t i = 0; i < l->package_count; i++) {
		const struct lock_package *p = &l->packages[i];

		if (p->request && strcmp(p->arch, arch) == 0 && has_word(p->request, item))
			return true;
	}
	return false;
}

static void own_platforms(const struct environment *env, struct strlist *out)
{
	for (size_t i = 0; i < env->config.platforms.count; i++)
		strlist_add(out, env->config.platforms.items[i]);
	if (!strlist_has(out, oci_platform()))
		strlist_add(out, oci_platform());
}

void packages_platforms(const struct environment *env, struct strlist *out)
{
	static const char *const known[] = { "linux/amd64",   "linux/arm64",   "linux/arm/v7", "linux/386",
					     "linux/riscv64", "linux/ppc64le", "linux/s390x" };

	own_platforms(env, out);
	for (size_t i = 0; !env->config.platforms.count && i < ARRAY_SIZE(known); i++) {
		const char *arch = debian_arch(known[i]);
		bool there = lock_packages_on(&env->lock, known[i]) != NULL;

		for (size_t k = 0; arch && !there && k < env->lock.package_count; k++)
			there = strcmp(env->lock.packages[k].arch, arch) == 0;
		if (there && !strlist_has(out, known[i]))
			strlist_add(out, known[i]);
	}
	strlist_sort(out);
}

/* ---- gaps ---- */

char *packages_base_gap(const struct environment *env, const char *platform)
{
	cleanup_free char *request = packages_is_debian(env) ? packages_base_request(&env->config) : NULL;
	const struct lock_image *entry = lock_find(&env->lock, LOCKING_BASE);
	const char *arch = debian_arch(platform);

	if (!request)
		return NULL;
	if (!entry)
		return mem_strdup("not locked");
	if (strcmp(entry->request, request) != 0)
		return mem_printf("%s asks for %s, the lock answers %s", text_safe(env->config.base_file), text_safe(request),
				  text_safe(entry->request));
	if (!arch)
		return mem_printf("Debian is not made for %s", platform);
	return has_base(&env->lock, arch) ? NULL : mem_printf("no packages for %s", platform);
}

/* Is the word of an entry still in [packages] apt? The first that is not; malloc'ed. */
static char *stale_word(const struct environment *env, const char *words)
{
	cleanup_strlist struct strlist list = STRLIST_INIT;

	strlist_split(&list, words ? words : "", " ");
	for (size_t i = 0; i < list.count; i++)
		if (!strlist_has(&env->config.packages_apt, list.items[i]))
			return mem_strdup(list.items[i]);
	return NULL;
}

static char *name_of(const char *item)
{
	return mem_strndup(item, strcspn(item, "="));
}

static void stale_gaps(const struct environment *env, const char *platform, const char *arch, struct env_gaps *out)
{
	cleanup_free char *present = stale_word(env, lock_packages_present(&env->lock, platform));
	bool extra = false;

	if (present)
		locking_add_gap(out, present, mem_printf("%s no longer asks for it", PROJECT_CONFIG));
	for (size_t i = 0; i < env->lock.package_count; i++) {
		const struct lock_package *p = &env->lock.packages[i];
		cleanup_free char *word = strcmp(p->arch, arch) == 0 ? stale_word(env, p->request) : NULL;

		extra = extra || (!p->in_base && strcmp(p->arch, arch) == 0);
		if (word)
			locking_add_gap(out, p->name, mem_printf("%s no longer asks for %s", PROJECT_CONFIG, text_safe(word)));
	}
	if (extra && !env->config.packages_apt.count)
		locking_add_gap(out, PACKAGES_ALL, mem_printf("%s no longer asks for any", PROJECT_CONFIG));
}

void packages_added_gaps(const struct environment *env, const char *platform, struct env_gaps *out)
{
	const struct strlist *apt = &env->config.packages_apt;
	const struct lock_image *entry = lock_find(&env->lock, LOCKING_BASE);
	const char *arch = debian_arch(platform), *on = lock_packages_on(&env->lock, platform), *manifest;

	if (!arch) {
		if (apt->count)
			locking_add_gap(out, PACKAGES_ALL, mem_printf("Debian is not made for %s", platform));
		return;
	}
	for (size_t i = 0; i < apt->count; i++) {
		cleanup_free char *name = name_of(apt->items[i]);

		if (!is_answered(&env->lock, platform, arch, apt->items[i]))
			locking_add_gap(out, name, strcmp(platform, oci_platform()) == 0
							   ? mem_strdup("not locked")
							   : mem_printf("not locked for %s", platform));
	}
	stale_gaps(env, platform, arch, out);
	if (packages_is_debian(env) || !apt->count)
		return;
	manifest = entry ? lock_manifest_digest(entry, platform) : NULL;
	if (!on || !manifest || strcmp(on, manifest) != 0)
		locking_add_gap(out, PACKAGES_ALL, mem_printf("the lock has them for another image of %s", platform));
}

void packages_gaps(const struct environment *env, struct env_gaps *out)
{
	cleanup_strlist struct strlist platforms = STRLIST_INIT;

	own_platforms(env, &platforms);
	for (size_t i = 0; i < platforms.count; i++) {
		char *reason = packages_base_gap(env, platforms.items[i]);

		if (reason)
			locking_add_gap(out, LOCKING_BASE, reason);
		packages_added_gaps(env, platforms.items[i], out);
		if (!packages_are_asked_for(env))
			break; /* what is left over is left over once */
	}
}

void packages_names(const struct environment *env, struct strlist *names)
{
	if (packages_is_debian(env))
		strlist_add(names, PACKAGES_BASE);
	if (env->config.packages_apt.count)
		strlist_add(names, PACKAGES_ALL);
	for (size_t i = 0; i < env->lock.package_count; i++)
		if (!strlist_has(names, env->lock.packages[i].name))
			strlist_add(names, env->lock.packages[i].name);
}
