/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages.c - [base] debian and [packages] against the lock.
 *
 * What is compared offline: the request of the base, a word for each of [packages] apt, and for packages on an image the
 * manifest they were resolved on; for those of devenv.local.ini the image that devenv.lock makes of base and [packages].
 */
#include "env/packages_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/project.h"
#include "base/text.h"
#include "env/locking.h"
#include "env/stages.h"

struct packages_list packages_shared(const struct environment *env)
{
	return (struct packages_list){ false, &env->config.packages_apt, &env->lock, PROJECT_CONFIG, PACKAGES_ALL };
}

struct packages_list packages_own(const struct environment *env)
{
	return (struct packages_list){ true, &env->config.packages_own, &env->local_lock, PROJECT_LOCAL, PACKAGES_OWN };
}

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

/* This machine's first. */
static void own_platforms(const struct environment *env, struct strlist *out)
{
	strlist_add(out, oci_platform());
	for (size_t i = 0; i < env->config.platforms.count; i++)
		if (!strlist_has(out, env->config.platforms.items[i]))
			strlist_add(out, env->config.platforms.items[i]);
}

void packages_platforms(const struct environment *env, struct strlist *out)
{
	static const char *const known[] = { PACKAGES_PLATFORMS };

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

/* Is the word of an entry still asked for? The first that is not; malloc'ed. */
static char *stale_word(const struct packages_list *list, const char *words)
{
	cleanup_strlist struct strlist split = STRLIST_INIT;

	strlist_split(&split, words ? words : "", " ");
	for (size_t i = 0; i < split.count; i++)
		if (!strlist_has(list->apt, split.items[i]))
			return mem_strdup(split.items[i]);
	return NULL;
}

static char *name_of(const char *item)
{
	return mem_strndup(item, strcspn(item, "="));
}

static char *why_stale(const struct environment *env, const struct packages_list *list, const char *word)
{
	bool taken_over = list->own && strlist_has(&env->config.packages_apt, word);

	return taken_over ? mem_printf("%s asks for %s too, now", PROJECT_CONFIG, text_safe(word))
			  : mem_printf("%s no longer asks for %s", list->config, text_safe(word));
}

static void stale_gaps(const struct environment *env, const struct packages_list *list, const char *platform, const char *arch,
		       struct env_gaps *out)
{
	cleanup_free char *present = stale_word(list, lock_packages_present(list->lock, platform));
	bool extra = false;

	if (present)
		locking_add_gap(out, present, mem_printf("%s no longer asks for it", list->config));
	for (size_t i = 0; i < list->lock->package_count; i++) {
		const struct lock_package *p = &list->lock->packages[i];
		cleanup_free char *word = strcmp(p->arch, arch) == 0 ? stale_word(list, p->request) : NULL;

		extra = extra || (!p->in_base && strcmp(p->arch, arch) == 0);
		if (word)
			locking_add_gap(out, p->name, why_stale(env, list, word));
	}
	if (extra && !list->apt->count)
		locking_add_gap(out, list->all, mem_printf("%s no longer asks for any", list->config));
}

/* Do they stand on what they were resolved on? NULL, or why not; malloc'ed. */
static char *moved_below(const struct environment *env, const struct packages_list *list, const char *platform)
{
	const struct lock_image *entry = lock_find(&env->lock, LOCKING_BASE);
	const char *on = lock_packages_on(list->lock, platform), *below = entry ? lock_manifest_digest(entry, platform) : NULL;
	struct err unknown = ERR_INIT;
	char digest[DIGEST_MAX];

	if (!list->own && packages_is_debian(env))
		return NULL;
	if (list->own) /* where the shared lock has a gap that is what is said */
		below = stages_below_build(env, digest, &unknown) == 0 ? digest : on;
	if (on && below && strcmp(on, below) == 0)
		return NULL;
	if (list->own)
		return on ? mem_strdup("the base or the packages below them are others now") : NULL;
	return mem_printf("the lock has them for another image of %s", platform);
}

static void list_gaps(const struct environment *env, const struct packages_list *list, const char *platform, struct env_gaps *out)
{
	const char *arch = debian_arch(platform), *on = lock_packages_on(list->lock, platform);
	size_t before = out->count;
	char *moved;

	if (!arch) {
		if (list->apt->count)
			locking_add_gap(out, list->all, mem_printf("Debian is not made for %s", platform));
		return;
	}
	for (size_t i = 0; i < list->apt->count; i++) {
		cleanup_free char *name = name_of(list->apt->items[i]);

		if (!is_answered(list->lock, platform, arch, list->apt->items[i]))
			locking_add_gap(out, name, mem_strdup("not locked"));
	}
	stale_gaps(env, list, platform, arch, out);
	/* Where none was locked yet there is no image that they were locked for. */
	moved = list->apt->count && (on || out->count == before) ? moved_below(env, list, platform) : NULL;
	if (moved)
		locking_add_gap(out, list->all, moved);
}

void packages_added_gaps(const struct environment *env, const char *platform, struct env_gaps *out)
{
	struct packages_list shared = packages_shared(env);

	list_gaps(env, &shared, platform, out);
}

/* The gaps from `first` on are this platform's. What another one lacks too, and for the same reason, is said once. */
static void of_platform(struct env_gaps *g, size_t first, const char *platform)
{
	size_t count = first;

	for (size_t i = first; i < g->count; i++) {
		struct env_gap *gap = &g->items[i];
		bool said = false;

		for (size_t k = 0; k < first && !said; k++)
			said = strcmp(g->items[k].name, gap->name) == 0 && strcmp(g->items[k].reason, gap->reason) == 0;
		if (said) {
			free(gap->name);
			free(gap->reason);
			continue;
		}
		gap->platform = mem_strdup(platform);
		g->items[count++] = *gap;
	}
	g->count = count;
}

void packages_own_gaps(const struct environment *env, struct env_gaps *out)
{
	struct packages_list own = packages_own(env);
	size_t first = out->count;

	/* What is left over when nothing is asked for is in nobody's way. */
	if (!own.apt->count)
		return;
	if (env->local_lock_error.code)
		locking_add_gap(out, PROJECT_LOCAL_LOCK, mem_strdup(env->local_lock_error.msg));
	else
		list_gaps(env, &own, oci_platform(), out);
	of_platform(out, first, oci_platform());
}

void packages_gaps(const struct environment *env, struct env_gaps *out)
{
	cleanup_strlist struct strlist platforms = STRLIST_INIT;

	own_platforms(env, &platforms);
	for (size_t i = 0; i < platforms.count; i++) {
		char *reason = packages_base_gap(env, platforms.items[i]);
		size_t first = out->count;

		if (reason)
			locking_add_gap(out, LOCKING_BASE, reason);
		packages_added_gaps(env, platforms.items[i], out);
		of_platform(out, first, platforms.items[i]);
		if (!packages_are_asked_for(env))
			break; /* what is left over is left over once */
	}
}

static void add_names(const struct lock *l, struct strlist *names)
{
	for (size_t i = 0; i < l->package_count; i++)
		if (!strlist_has(names, l->packages[i].name))
			strlist_add(names, l->packages[i].name);
}

void packages_names(const struct environment *env, struct strlist *names)
{
	if (packages_is_debian(env))
		strlist_add(names, PACKAGES_BASE);
	if (env->config.packages_apt.count)
		strlist_add(names, PACKAGES_ALL);
	if (env->config.packages_own.count)
		strlist_add(names, PACKAGES_OWN);
	add_names(&env->lock, names);
	add_names(&env->local_lock, names);
}
