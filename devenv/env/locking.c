/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locking.c - the lock against the config: which entries are missing or answer another request, and filling them.
 *
 * An entry answers a request, so drift is seen entry by entry and offline. Entries without a gap are never touched; a
 * lock whose bytes would not change is not written.
 */
#include "env/locking.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/project.h"
#include "base/text.h"
#include "config/reference.h"
#include "env/extending.h"
#include "env/fetching.h"
#include "env/lock_file.h"
#include "env/packages.h"

#define NAMES_SHOWN 12 /* of what `devenv update` knows */

char *locking_request(const struct environment *env, struct err *e)
{
	const struct config *c = &env->config;
	struct reference ref;
	char *request;

	switch (c->base) {
	case CONFIG_BASE_OCI:
		return mem_printf("oci:%s", c->base_value);
	case CONFIG_BASE_ARCHIVE:
		return mem_printf("archive:%s", c->base_value);
	case CONFIG_BASE_IMAGE:
		if (reference_parse(c->base_value, &ref, e) < 0) {
			e->code = ERR_CONFIG;
			err_wrap(e, "%s:%u", text_safe(c->base_file), c->base_line);
			return NULL;
		}
		request = reference_format(&ref);
		reference_release(&ref);
		return request;
	case CONFIG_BASE_DEBIAN:
		return packages_base_request(c);
	case CONFIG_BASE_NONE:
		break;
	}
	return NULL;
}

/* ---- gaps ---- */

void locking_add_gap(struct env_gaps *g, const char *name, char *reason /* takes */)
{
	g->items = mem_grow(g->items, g->count, &g->cap, sizeof(*g->items));
	g->items[g->count++] = (struct env_gap){ .name = mem_strdup(name), .reason = reason };
}

/* Who asks for what base: devenv.ini has the last word, so what it says holds even if something it extends isn't here. */
static bool base_is_known(const struct environment *env)
{
	return !env->incomplete || (env->config.base_file && !strcmp(env->config.base_file, PROJECT_CONFIG));
}

void env_gaps_unchecked(const struct environment *env, struct strlist *names)
{
	for (size_t i = 0; i < env->extends_count; i++)
		if (!env->extends[i].present && env->extends[i].commit)
			strlist_add(names, env->extends[i].name ? env->extends[i].name : env->extends[i].request);
}

static void base_gaps(const struct environment *env, struct env_gaps *out)
{
	struct err e = ERR_INIT;
	cleanup_free char *request = locking_request(env, &e);
	const struct lock_image *entry = lock_find(&env->lock, LOCKING_BASE);

	if (e.code)
		locking_add_gap(out, LOCKING_BASE, mem_strdup(e.msg));
	else if (!request && (!env->incomplete || out->count))
		return;
	else if (!entry)
		locking_add_gap(out, LOCKING_BASE, mem_strdup("not locked"));
	else if (!base_is_known(env) || !request)
		return;
	else if (!entry->request || strcmp(entry->request, request) != 0)
		locking_add_gap(out, LOCKING_BASE,
				mem_printf("%s asks for %s, the lock answers %s", text_safe(env->config.base_file),
					   text_safe(request), text_safe(entry->request ? entry->request : "nothing")));
	else if (!lock_manifest_digest(entry, oci_platform()))
		locking_add_gap(out, LOCKING_BASE, mem_printf("no manifest for %s", oci_platform()));
}

static void own_gaps(const struct environment *env, struct env_gaps *out)
{
	size_t first = out->count;

	packages_own_gaps(env, out);
	for (size_t i = first; i < out->count; i++)
		out->items[i].own = true;
}

void env_gaps_find(const struct environment *env, struct env_gaps *out)
{
	*out = (struct env_gaps){ 0 };
	if (env->lock_error.code) {
		locking_add_gap(out, PROJECT_LOCK, mem_strdup(env->lock_error.msg));
		return;
	}
	for (size_t i = 0; i < env->extends_count; i++)
		if (env->extends[i].name && !env->extends[i].commit)
			locking_add_gap(out, env->extends[i].name, mem_strdup("not locked"));
	if (env->config.base != CONFIG_BASE_DEBIAN)
		base_gaps(env, out);
	if (env->incomplete)
		return;
	packages_gaps(env, out);
	own_gaps(env, out);
}

size_t env_gaps_count(const struct env_gaps *g, bool own)
{
	size_t count = 0;

	for (size_t i = 0; i < g->count; i++)
		count += g->items[i].own == own;
	return count;
}

char *env_gap_text(const struct env_gap *g, bool whose)
{
	bool elsewhere = g->platform && strcmp(g->platform, oci_platform()) != 0 && !strstr(g->reason, g->platform);

	return mem_printf("%s%s: %s%s%s", g->name, whose && g->own ? " (" PACKAGES_OWN ")" : "", g->reason, elsewhere ? " for " : "", elsewhere ? g->platform : "");
}

void env_gaps_release(struct env_gaps *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free(g->items[i].name);
		free(g->items[i].reason);
		free(g->items[i].platform);
	}
	free(g->items);
	*g = (struct env_gaps){ 0 };
}

/* ---- changes ---- */

/* What people compare of an entry, and what everything else shows: the manifest for this machine, else any. */
static const char *entry_digest(const struct lock_image *entry)
{
	const char *digest = entry ? lock_manifest_digest(entry, oci_platform()) : NULL;

	if (!digest && entry && entry->manifest_count)
		digest = entry->manifests[0].digest;
	return digest ? digest : "";
}

static const char *entry_index(const struct lock_image *entry)
{
	return entry && entry->index ? entry->index : "";
}

void locking_note_change(struct env_changes *c, const char *name, const char *before, const char *after)
{
	c->items = mem_grow(c->items, c->count, &c->cap, sizeof(*c->items));
	c->items[c->count++] = (struct env_change){ mem_strdup(name), mem_strdup(before), mem_strdup(after), mem_strdup(""),
						    mem_strdup("") };
}

/* Nothing when both are the same. Either may be NULL. */
static void add_change(struct env_changes *c, const char *name, const struct lock_image *before,
		       const struct lock_image *after)
{
	if (strcmp(entry_digest(before), entry_digest(after)) == 0 && strcmp(entry_index(before), entry_index(after)) == 0)
		return;
	c->items = mem_grow(c->items, c->count, &c->cap, sizeof(*c->items));
	c->items[c->count++] = (struct env_change){ .name = mem_strdup(name),
						    .before = mem_strdup(entry_digest(before)),
						    .after = mem_strdup(entry_digest(after)),
						    .index_before = mem_strdup(entry_index(before)),
						    .index_after = mem_strdup(entry_index(after)) };
}

void env_changes_release(struct env_changes *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->items[i].name);
		free(c->items[i].before);
		free(c->items[i].after);
		free(c->items[i].index_before);
		free(c->items[i].index_after);
	}
	free(c->items);
	*c = (struct env_changes){ 0 };
}

/* ---- filling ---- */

static int check_names(const struct environment *env, const struct strlist *names, struct err *e)
{
	cleanup_strlist struct strlist known = STRLIST_INIT;

	strlist_add(&known, LOCKING_BASE);
	for (size_t i = 0; i < env->extends_count; i++)
		if (env->extends[i].name)
			strlist_add(&known, env->extends[i].name);
	packages_names(env, &known);
	for (size_t i = 0; names && i < names->count; i++) {
		cleanup_buf struct buf list = BUF_INIT;
		const char *near;

		if (strlist_has(&known, names->items[i]))
			continue;
		near = text_nearest(names->items[i], (const char *const *)known.items);
		err_set(e, ERR_USAGE, "nothing in this project's lock is called '%s'%s%s%s", text_safe(names->items[i]),
			near ? "; did you mean '" : "", near ? text_safe(near) : "", near ? "'?" : "");
		for (size_t k = 0; k < known.count && k < NAMES_SHOWN; k++)
			buf_addf(&list, "%s%s", k ? ", " : "", text_safe(known.items[k]));
		return err_hint(e, "the names are: %s%s", list.data, known.count > NAMES_SHOWN ? ", and further packages" : "");
	}
	return 0;
}

/* A malformed lock stops everything but a merge that was left half way: of that both sides are taken. */
static int settle_conflict(struct environment *env, struct err *e)
{
	const char *text = env->lock_text.data;

	if (!env->lock_error.code)
		return 0;
	if (!text_starts(text, "<<<<<<<") && !strstr(text, "\n<<<<<<<")) {
		*e = env->lock_error;
		return -1;
	}
	lock_release(&env->lock);
	if (lock_parse_both_sides(PROJECT_LOCK, text, env->lock_text.len, &env->lock, e) < 0)
		return -1;
	env->lock_error = ERR_INIT;
	env->has_lock = true;
	return extending_read(env, e); /* other entries, other files that are extended */
}

/* A digest in the reference can't move: once answered there is nothing to ask again. */
static bool is_pinned(const struct environment *env)
{
	return env->config.base == CONFIG_BASE_IMAGE && strchr(env->config.base_value, '@');
}

static int resolve_base(struct environment *env, const struct env_options *o, struct env_changes *changes,
			struct err *e)
{
	struct oci_context context = { .user = &env->user, .offline = o->offline, .progress = o->ui->progress };
	struct fetching_source from;
	struct lock_image image = { 0 };
	int r;

	/* Nothing is fetched, and nobody asked about it, before it is allowed (security rule 18). */
	if (env_require_allowed(env, o, e) < 0 || fetching_source(env, &from, e) < 0)
		return -1;
	r = oci_resolve(&context, &from.source, &image, e);
	fetching_source_release(&from);
	if (r < 0)
		return -1;
	free(image.name);
	image.name = mem_strdup(LOCKING_BASE);
	add_change(changes, LOCKING_BASE, lock_find(&env->lock, LOCKING_BASE), &image);
	lock_put(&env->lock, &image);
	return 0;
}

static void prune(struct environment *env, struct env_changes *changes)
{
	extending_prune(env, changes);
	for (size_t i = 0; i < env->lock.image_count;) {
		const struct lock_image *entry = &env->lock.images[i];
		cleanup_free char *name = mem_strdup(entry->name);

		if (strcmp(name, LOCKING_BASE) == 0 && env->config.base != CONFIG_BASE_NONE) {
			i++;
			continue;
		}
		add_change(changes, name, entry, NULL);
		lock_remove(&env->lock, name);
	}
}

/* What is extended is complete. `image`: ask for the base's image again. */
static int fill(struct environment *env, const struct env_options *o, bool image, const struct packages_update *update,
		struct env_changes *changes, struct err *e)
{
	struct env_gaps gaps = { 0 };
	bool gap;

	if (env->config.base != CONFIG_BASE_DEBIAN) {
		base_gaps(env, &gaps);
		gap = gaps.count > 0;
		env_gaps_release(&gaps);
		if ((gap || (image && env->config.base != CONFIG_BASE_NONE && !is_pinned(env))) &&
		    resolve_base(env, o, changes, e) < 0)
			return -1;
	}
	return packages_lock(env, o, update, changes, e);
}

int env_lock(struct environment *env, const struct env_options *o, bool update, const struct strlist *names,
	     struct env_changes *changes, struct err *e)
{
	bool image = update && (!names || !names->count || strlist_has(names, LOCKING_BASE));
	struct packages_update packages = { .again = update, .names = names, .mend = env->lock_error.code != ERR_NONE };
	struct lock_file file = lock_file_shared(env);
	struct strlist all = STRLIST_INIT;

	*changes = (struct env_changes){ 0 };
	if (settle_conflict(env, e) < 0 || extending_complete(env, o, true, NULL, changes, e) < 0 ||
	    check_names(env, names, e) < 0)
		goto fail;
	if (update && extending_complete(env, o, true, names ? names : &all, changes, e) < 0)
		goto fail;
	if (fill(env, o, image, &packages, changes, e) < 0)
		goto fail;
	prune(env, changes);
	if (lock_file_save(env, &file, o, e) == 0)
		return 0;
fail:
	env_changes_release(changes);
	return -1;
}

int env_lock_own(struct environment *env, const struct env_options *o, bool update, const struct strlist *names,
		 struct env_changes *changes, struct err *e)
{
	struct packages_update packages = { .again = update, .names = names };
	struct lock_file file = lock_file_own(env);

	*changes = (struct env_changes){ 0 };
	if (!env->config.packages_own.count)
		return lock_file_drop_own(env, o, e);
	if (env->local_lock_error.code) {
		*e = env->local_lock_error;
		return -1;
	}
	if (packages_lock_own(env, o, &packages, changes, e) == 0 && lock_file_save(env, &file, o, e) == 0)
		return 0;
	env_changes_release(changes);
	return -1;
}

/* ---- sessions ---- */

static int refuse(const struct env_gaps *gaps, bool own, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT;

	for (size_t i = 0; i < gaps->count; i++) {
		cleanup_free char *text = gaps->items[i].own == own ? env_gap_text(&gaps->items[i], false) : NULL;

		if (text)
			buf_addf(&list, "%s%s", list.len ? "; " : "", text);
	}
	if (own)
		err_set(e, ERR_LOCK, PROJECT_LOCAL_LOCK " does not cover " PROJECT_LOCAL ": %s", list.data);
	else
		err_set(e, ERR_LOCK, "%s does not cover this project: %s", PROJECT_LOCK, list.data);
	return err_hint(e, "run `devenv lock`");
}

bool locking_in_ci(void)
{
	const char *ci = getenv("CI");

	return ci && strcmp(ci, "true") == 0;
}

/* A package that came along: there may be hundreds. */
static bool is_dependency(const struct lock *l, const char *name)
{
	const char *arch = debian_arch(oci_platform());
	const struct lock_package *p = arch ? lock_find_package(l, arch, name) : NULL;

	return p && !p->request;
}

static void tell(const struct environment *env, const struct lock_file *f, const struct env_options *o, bool had_lock,
		 const struct env_changes *changes)
{
	cleanup_buf struct buf line = BUF_INIT;
	size_t needed = 0;

	if (!o->ui->notice)
		return;
	if (!had_lock) {
		buf_addf(&line, "there was no %s: wrote %s/%s", f->name, text_safe(env->project), f->name);
		o->ui->notice(o->ui->data, line.data);
	}
	for (size_t i = 0; i < changes->count; i++) {
		const struct env_change *c = &changes->items[i];
		const struct lock_image *entry = lock_find(f->lock, c->name);

		if (!*c->before && is_dependency(f->lock, c->name)) {
			needed++;
			continue;
		}
		buf_clear(&line);
		buf_addf(&line, "locked %s%s%s", text_safe(c->name), f->own ? " (" PACKAGES_OWN ")" : "",
			 (entry && entry->request) || *c->before ? ":" : "");
		if (entry && entry->request)
			buf_addf(&line, " %s", text_safe(entry->request));
		buf_addf(&line, "%s%s \xe2\x86\x92 %s", *c->before ? " " : "", c->before, *c->after ? c->after : "removed");
		o->ui->notice(o->ui->data, line.data);
	}
	buf_clear(&line);
	buf_addf(&line, "locked what they need: %zu package%s", needed, needed == 1 ? "" : "s");
	if (needed)
		o->ui->notice(o->ui->data, line.data);
}

/*
 * What one person has for himself needs nobody's review, so every session fills it in, with a terminal or without: an
 * editor or a script of his would otherwise stop at what the next terminal mends unasked. Not where nothing is to be written.
 */
static int own_for_session(struct environment *env, const struct env_options *o, struct err *e)
{
	bool may_write = !o->locked && !locking_in_ci(), had_lock = env->has_local_lock;
	struct lock_file file = lock_file_own(env);
	struct env_changes changes = { 0 };
	struct env_gaps gaps = { 0 };
	int r = 0;

	if (!env->config.packages_own.count)
		return may_write && !env->incomplete ? lock_file_drop_own(env, o, e) : 0;
	own_gaps(env, &gaps);
	if (gaps.count && !may_write)
		r = refuse(&gaps, true, e);
	else if (gaps.count)
		r = env_lock_own(env, o, false, NULL, &changes, e);
	if (r == 0 && gaps.count)
		tell(env, &file, o, had_lock, &changes);
	env_gaps_release(&gaps);
	env_changes_release(&changes);
	return r;
}

/* Who may write devenv.lock, fills what it lacks. */
static int shared_for_session(struct environment *env, bool may_write, const struct env_options *o, struct env_changes *changes,
			      struct err *e)
{
	struct lock_file file = lock_file_shared(env);
	bool had_lock = env->has_lock;
	struct env_gaps gaps;
	size_t count;
	int r = 0;

	env_gaps_find(env, &gaps);
	count = env_gaps_count(&gaps, false);
	if (count && !may_write)
		r = refuse(&gaps, false, e);
	else if (count)
		r = fill(env, o, false, &(struct packages_update){ 0 }, changes, e);
	env_gaps_release(&gaps);
	if (r < 0 || (!count && !changes->count))
		return r;
	if (lock_file_save(env, &file, o, e) < 0)
		return -1;
	tell(env, &file, o, had_lock, changes);
	return 0;
}

int locking_for_session(struct environment *env, enum env_purpose purpose, const struct env_options *o, struct err *e)
{
	struct env_changes changes = { 0 };
	bool may_write;
	int r;

	if (env->lock_error.code || env->local_lock_error.code) {
		*e = env->lock_error.code ? env->lock_error : env->local_lock_error;
		return -1;
	}
	may_write = !o->locked && !locking_in_ci() &&
		    (purpose == ENV_FOR_ENTER ? o->ui->interactive : !env->has_lock);
	r = extending_complete(env, o, may_write, NULL, &changes, e);
	if (r == 0)
		r = shared_for_session(env, may_write, o, &changes, e);
	if (r == 0)
		r = own_for_session(env, o, e);
	env_changes_release(&changes);
	return r;
}
