/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_lock.c - filling in what the lock lacks of packages, and moving what may move.
 *
 * Whether the packages of the lock are all that is needed is not seen from the lock (only from the packages themselves:
 * env/packages_whole.h): what fills a gap therefore looks at the whole of its architecture again, with pins for what is there.
 */
#include "env/packages_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/project.h"
#include "base/text.h"
#include "env/fetching.h"
#include "env/locking.h"
#include "env/packages_unknown.h"
#include "env/packages_whole.h"
#include "env/resolve.h"
#include "env/stages.h"

#define ROUNDS_MAX 5 /* of making the base over for what stands on it; each moves packages that the one before did not */

struct job {
	struct environment *env;
	const struct env_options *options;
	const struct packages_update *update;
	struct env_changes *changes;
	struct store *store;
	struct lock *lock; /* what is filled in: env->lock or env->local_lock */
	struct packages_list list;
	const char *platform, *arch, *manifest;
	bool base, added; /* what is to be resolved */
	bool other;	  /* the base is another one than the lock's packages are for */
	struct strlist blamed; /* packages that can't stay as they are (env/packages_whole.h) */
	struct strlist unknown; /* words that are no packages */
};

/* The packages that may move to other versions. */
static void find_moving(const struct job *j, struct resolve *r, struct strlist *moving)
{
	const struct strlist *names = j->update->names;

	for (size_t i = 0; i < j->blamed.count; i++)
		strlist_add(moving, j->blamed.items[i]);
	r->moving = moving;
	if (!j->update->again || j->update->mend)
		return;
	r->all_moving = !names || !names->count;
	for (size_t i = 0; names && i < names->count; i++)
		strlist_add(moving, names->items[i]);
	for (size_t i = 0; i < r->locked->count; i++) {
		const struct lock_package *p = &r->locked->items[i];

		if (strlist_has(moving, p->in_base ? PACKAGES_BASE : j->list.all))
			strlist_add(moving, p->name);
	}
}

static void keep_result(const struct job *j, struct resolved *base, struct resolved *added, const struct strlist *present)
{
	struct lock *l = j->lock;
	cleanup_buf struct buf words = BUF_INIT;
	char below[DIGEST_MAX];
	struct err unknown = ERR_INIT;
	const char *on = j->list.apt->count ? j->manifest : NULL;

	for (size_t i = l->package_count; i-- > 0;)
		if (strcmp(l->packages[i].arch, j->arch) == 0) {
			cleanup_free char *name = mem_strdup(l->packages[i].name);

			lock_remove_package(l, j->arch, name);
		}
	for (size_t i = 0; i < base->count; i++)
		lock_put_package(l, &base->items[i]);
	for (size_t i = 0; i < added->count; i++)
		lock_put_package(l, &added->items[i]);
	base->count = added->count = 0;
	for (size_t i = 0; i < present->count; i++)
		buf_addf(&words, "%s%s", i ? " " : "", present->items[i]);
	if (j->list.own && stages_below_build(j->env, below, &unknown) == 0)
		on = below;
	lock_set_packages_on(l, j->platform, on, words.data);
}

/* Does a word of [packages] apt ask for another version of a package than the locked base has? */
static bool pins_base(const struct job *j)
{
	for (size_t i = 0; i < j->list.apt->count; i++) {
		const char *equals = strchr(j->list.apt->items[i], '=');
		cleanup_free char *name = mem_strndup(j->list.apt->items[i], strcspn(j->list.apt->items[i], "="));
		const struct lock_package *p = lock_find_package(j->lock, j->arch, name);

		if (equals && p && p->in_base && strcmp(p->version, equals + 1) != 0)
			return true;
	}
	return false;
}

/* Versions that the base has to have for what stands on it. */
static void force(struct resolved *forced, struct resolved *with)
{
	for (size_t i = 0; i < with->count; i++)
		resolved_put(forced, &with->items[i]);
	with->count = 0;
}

/* The base is made over where it has to follow what stands on it. */
static int resolve_both(const struct job *j, struct resolve *r, struct resolved *base, struct resolved *added,
			struct strlist *present, struct err *e)
{
	struct resolved again = { 0 }, forced = { 0 };
	bool debian = packages_is_debian(j->env), whole = j->base || (debian && pins_base(j));
	int result = 0;

	r->forced = &forced;
	for (int round = 0; result == 0; round++) {
		resolved_release(base);
		resolved_release(added);
		if (debian && whole)
			result = resolve_base(r, base, e);
		else if (debian)
			resolved_add_locked(base, j->lock, j->arch, true);
		if (result < 0 || !j->list.apt->count)
			break;
		strlist_release(present);
		result = resolve_packages(r, debian ? base : NULL, added, present, &again, e);
		if (result < 0 || !again.count)
			break;
		if (round == ROUNDS_MAX) {
			result = err_set(e, ERR_CONFIG, "[packages] apt needs %s %s, which the base can't have",
					 text_safe(again.items[0].name), text_safe(again.items[0].version));
			break;
		}
		force(&forced, &again);
		whole = true;
	}
	r->forced = NULL;
	resolved_release(&forced);
	resolved_release(&again);
	return result;
}

/* Of another release than the archive is of: such a version says nothing about this one. */
static void drop_foreign(const struct debian_archive *archive, struct resolved *locked)
{
	size_t kept = 0;

	for (size_t i = 0; i < locked->count; i++) {
		bool known = false;

		for (size_t k = 0; !known && k < archive->count; k++)
			known = strcmp(archive->suites[k].suite, locked->items[i].suite) == 0;
		if (known)
			locked->items[kept++] = locked->items[i];
		else
			lock_package_release(&locked->items[i]);
	}
	locked->count = kept;
}

/* One person's packages: what everybody's lock has stays what it is. */
static int resolve_own(const struct job *j, struct resolve *r, struct resolved *locked, struct resolved *added,
		       struct strlist *present, struct err *e)
{
	struct resolved below = { 0 }, none = { 0 };
	int result;

	drop_foreign(r->archive, locked);
	resolved_add_locked(&below, &j->env->lock, j->arch, false);
	r->below = &below;
	result = resolve_packages(r, NULL, added, present, &none, e);
	r->below = NULL;
	resolved_release(&below);
	resolved_release(&none);
	return result;
}

static void describe(const struct job *j, const struct packages_source *source, const struct debian_indexes *indexes,
		     struct resolve *out)
{
	const struct config *c = &j->env->config;

	*out = (struct resolve){ .env = j->env,
				 .options = j->options,
				 .apt = j->list.apt,
				 .apt_file = j->list.own ? j->list.config : c->packages_file,
				 .apt_line = j->list.own ? c->packages_own_line : c->packages_line,
				 .arch = j->arch,
				 .archive = &source->archive,
				 .indexes = indexes,
				 .store = j->store };
}

static int run_job(struct job *j, const struct packages_source *source, const struct debian_indexes *indexes, struct err *e)
{
	struct resolved before = { 0 }, locked = { 0 }, base = { 0 }, added = { 0 }, after = { 0 };
	struct debian_text status = { source->status.data, source->status.len };
	struct strlist present = STRLIST_INIT, moving = STRLIST_INIT;
	struct resolve r;
	int result;

	describe(j, source, indexes, &r);
	r.installed = j->manifest ? &status : NULL;
	r.locked = &locked;
	r.unknown = &j->unknown;
	resolved_add_locked(&before, j->lock, j->arch, false);
	if (!j->other)
		resolved_add_locked(&locked, j->lock, j->arch, false);
	find_moving(j, &r, &moving);
	result = j->list.own ? resolve_own(j, &r, &locked, &added, &present, e)
			     : resolve_both(j, &r, &base, &added, &present, e);
	if (result == 0) {
		keep_result(j, &base, &added, &present);
		resolved_add_locked(&after, j->lock, j->arch, false);
		packages_note_changes(j->changes, j->platform, &before, &after);
	}
	resolved_release(&before);
	resolved_release(&locked);
	resolved_release(&base);
	resolved_release(&added);
	resolved_release(&after);
	strlist_release(&present);
	strlist_release(&moving);
	return result;
}

static int explain_unknown(const struct job *j, struct packages_source *source, const struct debian_indexes *indexes, struct err *e)
{
	const struct config *c = &j->env->config;
	cleanup_strlist struct strlist platforms = STRLIST_INIT;
	struct packages_unknown u = { .source = source, .indexes = indexes, .platform = j->platform, .platforms = &platforms,
				      .names = &j->unknown, .release = packages_is_debian(j->env), .named = c->platforms.count > 0 };

	packages_platforms(j->env, &platforms);
	packages_unknown_explain(&u, e);
	return err_wrap(e, "%s:%u: [packages] apt", text_safe(j->list.own ? j->list.config : c->packages_file),
			j->list.own ? c->packages_own_line : c->packages_line);
}

/* 1: it failed with what the cache had, and the mirror may know better. */
static int try_with_indexes(struct job *j, struct packages_source *source, bool again, struct err *e)
{
	struct debian_indexes indexes = { 0 };
	int result = debian_indexes_read(&source->context, &source->archive, j->arch, again, &indexes, e);

	if (result < 0)
		return -1;
	result = run_job(j, source, &indexes, e);
	if (result < 0 && indexes.cached && !j->options->offline && (e->code == ERR_NOT_FOUND || e->code == ERR_CONFIG))
		result = 1;
	else if (result < 0 && j->unknown.count)
		explain_unknown(j, source, &indexes, e);
	for (size_t i = 0; result <= 0 && j->options->ui->warning && i < indexes.warnings.count; i++)
		j->options->ui->warning(j->options->ui->data, indexes.warnings.items[i]);
	debian_indexes_release(&indexes);
	return result;
}

static int with_indexes(struct job *j, struct packages_source *source, struct err *e)
{
	int result = try_with_indexes(j, source, j->update->again, e);

	if (result > 0) {
		*e = ERR_INIT;
		strlist_release(&j->unknown);
		result = try_with_indexes(j, source, true, e);
	}
	strlist_release(&j->unknown);
	return result;
}

/* Packages are added to what is there: the image itself has to be looked at. */
static int find_image(struct job *j, struct err *e)
{
	const struct lock_image *entry = lock_find(&j->env->lock, LOCKING_BASE);

	j->manifest = entry ? lock_manifest_digest(entry, j->platform) : NULL;
	if (!j->manifest)
		return err_set(e, ERR_NOT_FOUND, "the image of the base has no manifest for %s", j->platform);
	return fetching_image(j->env, j->store, j->manifest, j->options, e);
}

static int resolve_platform(struct job *j, struct err *e)
{
	struct packages_source source;
	int result;

	j->arch = debian_arch(j->platform);
	if (!j->arch)
		return err_set(e, ERR_UNSUPPORTED, "Debian is not made for %s", j->platform);
	if (j->update->again && j->options->offline) {
		err_set(e, ERR_OFFLINE, "nobody was asked what there is now of the packages for %s: --offline forbids it", j->platform);
		return err_hint(e, "`devenv lock` fills gaps from what was fetched before");
	}
	if (env_require_allowed(j->env, j->options, e) < 0)
		return -1;
	if (!packages_is_debian(j->env) && find_image(j, e) < 0)
		return -1;
	if (packages_source_open(&source, j->env, j->store, j->manifest, j->options, e) < 0)
		return err_wrap(e, packages_is_debian(j->env) ? "[base] debian" : "[packages] apt");
	result = with_indexes(j, &source, e);
	packages_source_close(&source);
	return result;
}

/* ---- all of it ---- */

static bool has_added_gap(const struct environment *env, const char *platform)
{
	struct env_gaps gaps = { 0 };
	bool gap;

	packages_added_gaps(env, platform, &gaps);
	gap = gaps.count > 0;
	env_gaps_release(&gaps);
	return gap;
}

/* `all`: how those of the lock are called together that are in the base, or that are not. */
static bool touches(const struct lock *l, const struct packages_update *u, bool base, const char *all)
{
	if (u->mend || !u->again)
		return u->mend;
	if (!u->names || !u->names->count || strlist_has(u->names, all))
		return true;
	for (size_t i = 0; i < l->package_count; i++)
		if (l->packages[i].in_base == base && strlist_has(u->names, l->packages[i].name))
			return true;
	return false;
}

/* What was resolved came from an index: what the lock's own reader would refuse is not written. */
static int check_result(const struct lock *l, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	struct lock read;

	lock_format(l, &text);
	if (lock_parse(PROJECT_LOCK, text.data, text.len, &read, e) < 0) {
		e->code = ERR_INTEGRITY;
		return err_wrap(e, "the archive's index has something that can't be locked");
	}
	lock_release(&read);
	return 0;
}

/* Another release, or another image: what was locked for it says nothing about this one. */
static bool is_other(const struct environment *env, const char *platform)
{
	const struct lock_image *entry = lock_find(&env->lock, LOCKING_BASE);
	const char *on = lock_packages_on(&env->lock, platform), *manifest;
	cleanup_free char *release = packages_is_debian(env) ? mem_printf(LOCK_DEBIAN_PREFIX "%s ", env->config.base_value) : NULL;

	if (release)
		return entry && !text_starts(entry->request, release);
	manifest = entry ? lock_manifest_digest(entry, platform) : NULL;
	return !on || !manifest || strcmp(on, manifest) != 0;
}

/* Each package may be there as asked for, and what it needs not: then all of it is looked at again. */
static void find_broken(struct job *j)
{
	struct env_gaps gaps = { 0 };

	packages_whole_gaps(j->env, j->store, j->platform, &gaps, &j->blamed);
	j->base = j->base || (gaps.count && packages_is_debian(j->env));
	j->added = j->added || gaps.count;
	env_gaps_release(&gaps);
}

static int lock_platforms(struct environment *env, const struct env_options *o, const struct packages_update *update,
			  struct store *s, struct env_changes *changes, struct err *e)
{
	cleanup_strlist struct strlist platforms = STRLIST_INIT;
	bool any = false;
	int result = 0;

	packages_platforms(env, &platforms);
	for (size_t i = 0; result == 0 && i < platforms.count; i++) {
		struct job j = { .env = env, .options = o, .update = update, .changes = changes, .store = s,
				 .lock = &env->lock, .list = packages_shared(env), .platform = platforms.items[i], .blamed = STRLIST_INIT };
		cleanup_free char *gap = packages_base_gap(env, j.platform);

		j.other = is_other(env, j.platform);
		j.base = gap || (packages_is_debian(env) && touches(&env->lock, update, true, PACKAGES_BASE));
		j.added = j.base || has_added_gap(env, j.platform) ||
			  (env->config.packages_apt.count && touches(&env->lock, update, false, PACKAGES_ALL));
		if (!j.added)
			find_broken(&j);
		if (!j.base && !j.added)
			continue;
		any = true;
		result = resolve_platform(&j, e);
		strlist_release(&j.blamed);
	}
	if (result < 0)
		return -1;
	return any ? check_result(&env->lock, e) : 0;
}

/* Architectures that `platforms` no longer names. Where it names none, those of colleagues' machines stay. */
static void drop_unnamed(struct environment *env, struct env_changes *changes)
{
	cleanup_strlist struct strlist platforms = STRLIST_INIT;

	packages_platforms(env, &platforms);
	packages_drop_platforms(&env->lock, &platforms, changes);
}

static void put_base(struct environment *env)
{
	struct lock_image image = { .name = mem_strdup(LOCKING_BASE), .request = packages_base_request(&env->config) };

	lock_put(&env->lock, &image);
}

/* What was an image has no entry that packages could answer. */
static void begin_base(struct environment *env)
{
	const struct lock_image *entry = lock_find(&env->lock, LOCKING_BASE);

	if (entry && !text_starts(entry->request, LOCK_DEBIAN_PREFIX))
		lock_remove(&env->lock, LOCKING_BASE);
}

int packages_lock(struct environment *env, const struct env_options *o, const struct packages_update *update,
		  struct env_changes *changes, struct err *e)
{
	struct store s;
	int result;

	if (!packages_are_asked_for(env)) {
		packages_drop_all(&env->lock, changes);
		return 0;
	}
	if (packages_is_debian(env))
		begin_base(env);
	else
		packages_drop_base(env);
	if (env_store(env, &s, e) < 0)
		return -1;
	result = lock_platforms(env, o, update, &s, changes, e);
	store_close(&s);
	if (result == 0 && packages_is_debian(env))
		put_base(env);
	if (result == 0 && env->config.platforms.count)
		drop_unnamed(env, changes);
	return result;
}

/* ---- one person's own ---- */

static bool has_own_gap(const struct environment *env)
{
	struct env_gaps gaps = { 0 };
	bool gap;

	packages_own_gaps(env, &gaps);
	gap = gaps.count > 0;
	env_gaps_release(&gaps);
	return gap;
}

int packages_lock_own(struct environment *env, const struct env_options *o, const struct packages_update *update,
		      struct env_changes *changes, struct err *e)
{
	struct job j = { .env = env, .options = o, .update = update, .changes = changes, .lock = &env->local_lock,
			 .list = packages_own(env), .platform = oci_platform(), .added = true };
	struct store s;
	int result;

	if (!j.list.apt->count) {
		packages_drop_all(j.lock, changes);
		return 0;
	}
	if (!has_own_gap(env) && !touches(j.lock, update, false, PACKAGES_OWN))
		return 0;
	if (env_store(env, &s, e) < 0)
		return -1;
	j.store = &s;
	result = resolve_platform(&j, e) < 0 ? -1 : check_result(j.lock, e);
	store_close(&s);
	return result;
}
