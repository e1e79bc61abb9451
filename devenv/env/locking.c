/* SPDX-License-Identifier: Apache-2.0 */
/*
 * locking.c - the lock against the config: which entries are missing or answer another request, and filling them.
 *
 * An entry answers a request, so drift is seen entry by entry and offline. Entries without a gap are never touched; a
 * lock whose bytes would not change is not written.
 */
#include "env/locking.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/sys.h"
#include "base/text.h"
#include "config/reference.h"
#include "env/extending.h"
#include "env/fetching.h"
#include "env/inputs.h"
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
	g->items[g->count++] = (struct env_gap){ mem_strdup(name), reason };
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
	if (!env->incomplete)
		packages_gaps(env, out);
}

void env_gaps_release(struct env_gaps *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free(g->items[i].name);
		free(g->items[i].reason);
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

/* It is a file of the project like those an editor makes: a new one as the umask says, an old one as it was. */
static mode_t lock_mode(const struct environment *env)
{
	struct stat st;
	mode_t mask;

	if (fstatat(env->project_fd, PROJECT_LOCK, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		return st.st_mode & 0777;
	mask = umask(022);
	umask(mask);
	return 0666 & ~mask;
}

static int not_saved(const char *path, struct err *e)
{
	int sys = e->sys;

	if (e->code == ERR_BUSY || !sys)
		return -1;
	errno = sys;
	err_sys(e, "can't write %s", text_safe(path));
	if (sys == EACCES || sys == EPERM || sys == EROFS)
		return err_hint(e, "devenv.lock belongs beside devenv.ini: make that directory writable for you, or lock "
				   "where it is and commit the file");
	return -1;
}

/* Write devenv.lock when its bytes change, and remember the new file for the plan. */
static int save(struct environment *env, const struct env_options *o, struct err *e)
{
	cleanup_free char *path = path_join(env->project, PROJECT_LOCK);
	cleanup_buf struct buf text = BUF_INIT;
	struct input in;

	lock_format(&env->lock, &text);
	if (env->lock_text.len == text.len && memcmp(env->lock_text.data, text.data, text.len) == 0)
		return 0;
	if (env->lock.image_count == 0 && env->lock.extends_count == 0 && !env->has_lock)
		return 0;
	if (file_replace(env->project_fd, PROJECT_LOCK, text.data, text.len, lock_mode(env), FILE_DURABLE, e) < 0)
		return not_saved(path, e);
	if (o->ui->detail) {
		cleanup_free char *line = mem_printf("wrote %s", text_safe(path));

		o->ui->detail(o->ui->data, line);
	}
	buf_clear(&env->lock_text);
	buf_add(&env->lock_text, text.data, text.len);
	env->has_lock = true;
	in = (struct input){ path, env->project_fd, PROJECT_LOCK, SYS_RESOLVE_NO_SYMLINKS, false };
	return inputs_read(env, &in, ERR_LOCK, NULL, e) < 0 ? -1 : 0;
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
	if (save(env, o, e) == 0)
		return 0;
fail:
	env_changes_release(changes);
	return -1;
}

/* ---- sessions ---- */

static int refuse(const struct env_gaps *gaps, struct err *e)
{
	cleanup_buf struct buf list = BUF_INIT;

	for (size_t i = 0; i < gaps->count; i++)
		buf_addf(&list, "%s%s: %s", i ? "; " : "", gaps->items[i].name, gaps->items[i].reason);
	err_set(e, ERR_LOCK, "%s does not cover this project: %s", PROJECT_LOCK, list.data);
	return err_hint(e, "run `devenv lock`");
}

static bool in_ci(void)
{
	const char *ci = getenv("CI");

	return ci && strcmp(ci, "true") == 0;
}

/* A package that came along: there may be hundreds. */
static bool is_dependency(const struct environment *env, const char *name)
{
	const char *arch = debian_arch(oci_platform());
	const struct lock_package *p = arch ? lock_find_package(&env->lock, arch, name) : NULL;

	return p && !p->request;
}

static void tell(const struct environment *env, const struct env_options *o, bool had_lock,
		 const struct env_changes *changes)
{
	cleanup_buf struct buf line = BUF_INIT;
	size_t needed = 0;

	if (!o->ui->notice)
		return;
	if (!had_lock) {
		buf_addf(&line, "there was no %s: wrote %s/%s", PROJECT_LOCK, text_safe(env->project), PROJECT_LOCK);
		o->ui->notice(o->ui->data, line.data);
	}
	for (size_t i = 0; i < changes->count; i++) {
		const struct env_change *c = &changes->items[i];
		const struct lock_image *entry = lock_find(&env->lock, c->name);

		if (!*c->before && is_dependency(env, c->name)) {
			needed++;
			continue;
		}
		buf_clear(&line);
		buf_addf(&line, "locked %s%s", text_safe(c->name), (entry && entry->request) || *c->before ? ":" : "");
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

int locking_for_session(struct environment *env, enum env_purpose purpose, const struct env_options *o, struct err *e)
{
	bool had_lock = env->has_lock, may_write;
	struct env_changes changes = { 0 };
	struct env_gaps gaps;
	int r = 0;

	if (env->lock_error.code) {
		*e = env->lock_error;
		return -1;
	}
	may_write = !o->locked && !in_ci() &&
		    (purpose == ENV_FOR_ENTER ? o->ui->interactive : !had_lock);
	if (extending_complete(env, o, may_write, NULL, &changes, e) < 0) {
		env_changes_release(&changes);
		return -1;
	}
	env_gaps_find(env, &gaps);
	if (gaps.count && !may_write)
		r = refuse(&gaps, e);
	else if (gaps.count)
		r = fill(env, o, false, &(struct packages_update){ 0 }, &changes, e);
	if (r == 0 && (gaps.count || changes.count)) {
		r = save(env, o, e);
		if (r == 0)
			tell(env, o, had_lock, &changes);
	}
	env_gaps_release(&gaps);
	env_changes_release(&changes);
	return r;
}
