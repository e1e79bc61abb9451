/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extending.c - the files that a configuration is made of.
 *
 * Theory of operation. devenv.ini is read, and each file it extends before it, depth first; devenv.local.ini comes last. A file
 * of a git repository is read from the cache at the commit that the lock names, and must have the content that the lock
 * names; what can't be had so is left out and makes the configuration incomplete. Who may fetch (extending_complete)
 * then asks for that power alone, fetches one file, and reads everything again, since what came may extend more. What a
 * complete configuration asks for beyond that is asked for when it is complete.
 *
 * A path in a file of a repository is a file of the same commit: it needs no entry of its own in the lock.
 */
#include "env/extending.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/version.h"
#include "env/inputs.h"
#include "env/place.h"
#include "fetch/gitrepo.h"

struct walk {
	struct environment *env;
	struct strlist order; /* names of texts, base first */
	struct strlist stack; /* names of files whose bases are being read */
};

/* ---- texts ---- */

static struct env_text *find_text(const struct environment *env, const char *name)
{
	for (size_t i = 0; i < env->text_count; i++)
		if (!strcmp(env->texts[i].name, name))
			return &env->texts[i];
	return NULL;
}

static void keep_text(struct environment *env, const char *name, struct buf *text /* takes */)
{
	env->texts = mem_grow(env->texts, env->text_count, &env->text_cap, sizeof(*env->texts));
	env->texts[env->text_count++] = (struct env_text){ mem_strdup(name), *text };
	*text = BUF_INIT;
}

/* A file of the project: 1, 0 when there is none. */
static int read_file(struct walk *w, const char *name, struct err *e)
{
	cleanup_free char *path = path_join(w->env->project, name);
	cleanup_buf struct buf text = BUF_INIT;
	struct input in = { path, w->env->project_fd, name, SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_BENEATH,
		            true };
	int got;

	if (find_text(w->env, name))
		return 1;
	got = inputs_read(w->env, &in, ERR_CONFIG, &text, e);
	if (got > 0)
		keep_text(w->env, name, &text);
	return got;
}

static struct gitrepo access_to(const struct env_options *o, const char *cache)
{
	return (struct gitrepo){ .cache = cache,
		                 .offline = !o || o->offline,
		                 .interactive = o && o->ui->interactive,
		                 .progress = o ? o->ui->git_progress : NULL,
		                 .data = o ? o->ui->progress.data : NULL };
}

static int check_content(const struct environment *env, const struct env_extends *x, const struct buf *text,
                         struct err *e)
{
	const struct lock_extends *entry = x->name ? lock_find_extends(&env->lock, x->name) : NULL;
	char digest[DIGEST_MAX];

	digest_bytes(text->data, text->len, digest);
	if (!entry || !strcmp(entry->content, digest))
		return 0;
	err_set(e, ERR_INTEGRITY, "%s is not what %s says: its content is %s, the lock has %s",
	        text_safe(x->request), PROJECT_LOCK, digest, entry->content);
	return err_hint(e, "if the lock was edited, take it from git again");
}

/* A file of a repository, if it is here: 1 or 0. */
static int read_extended(struct walk *w, struct env_extends *x, struct err *e)
{
	cleanup_free char *cache = path_join(w->env->dirs.cache, "git");
	struct gitrepo g = access_to(NULL, cache);
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_free char *key = NULL;
	int got;

	if (!x->commit)
		return 0;
	/* By commit as well: an update reads another one of the same name. */
	key = mem_printf("%s %s", x->request, x->commit);
	if (find_text(w->env, key))
		return 1;
	got = gitrepo_read_cached(&g, x->git.url, x->commit, x->git.path, INPUTS_MAX, &text, e);
	if (got > 0 && check_content(w->env, x, &text, e) < 0)
		return -1;
	if (got > 0)
		keep_text(w->env, key, &text);
	return got;
}

/* ---- the walk ---- */

static struct env_extends *find_extends(const struct environment *env, const char *request)
{
	for (size_t i = 0; i < env->extends_count; i++)
		if (!strcmp(env->extends[i].request, request))
			return &env->extends[i];
	return NULL;
}

/* Remember a file of a repository; takes git. `commit`: that of the file beside it, or NULL. */
static struct env_extends *add_extends(struct environment *env, struct extends_git *git, const char *commit)
{
	cleanup_free char *request = extends_format_git(git);
	struct env_extends *x = find_extends(env, request);
	const struct lock_extends *entry;

	if (x) {
		extends_git_release(git);
		return x;
	}
	env->extends = mem_grow(env->extends, env->extends_count, &env->extends_cap, sizeof(*env->extends));
	x = &env->extends[env->extends_count++];
	*x = (struct env_extends){ .request = mem_steal(request), .git = *git };
	*git = (struct extends_git){ 0 };
	if (commit) {
		x->commit = mem_strdup(commit);
		return x;
	}
	x->name = extends_lock_name(&x->git);
	entry = lock_find_extends(&env->lock, x->name);
	if (entry && !strcmp(entry->request, x->request))
		x->commit = mem_strdup(entry->commit);
	return x;
}

#define PLACED (-2) /* an error whose message names its file already */

static int visit(struct walk *w, const char *name, const char *shown, struct err *e);

static int check_cycle(const struct walk *w, const char *name, struct err *e)
{
	cleanup_buf struct buf circle = BUF_INIT;
	bool in = false;

	for (size_t i = 0; i < w->stack.count; i++) {
		in = in || !strcmp(w->stack.items[i], name);
		if (in)
			buf_addf(&circle, "%s \xe2\x86\x92 ", text_safe(w->stack.items[i]));
	}
	if (in)
		return err_set(e, ERR_CONFIG, "it goes round in a circle: %s%s", circle.data,
		               text_safe(name));
	if (w->stack.count > EXTENDING_DEPTH_MAX)
		return err_set(e, ERR_CONFIG, "more than %d files extend one another", EXTENDING_DEPTH_MAX);
	if (w->order.count + w->stack.count > EXTENDING_FILES_MAX)
		return err_set(e, ERR_CONFIG, "more than %d files are extended", EXTENDING_FILES_MAX);
	return 0;
}

static int visit_git(struct walk *w, struct extends_git *git /* takes */, const char *commit, struct err *e)
{
	struct env_extends *x = add_extends(w->env, git, commit);
	cleanup_free char *request = mem_strdup(x->request);
	cleanup_free char *key = NULL;
	int got = check_cycle(w, request, e) < 0 ? -1 : read_extended(w, x, e);

	if (got < 0)
		return -1;
	x->present = got > 0;
	if (!got) {
		w->env->incomplete = true;
		return 0;
	}
	key = mem_printf("%s %s", request, x->commit);
	return visit(w, key, request, e);
}

static int visit_file(struct walk *w, const char *path, struct err *e)
{
	int got;

	if (check_cycle(w, path, e) < 0)
		return -1;
	got = read_file(w, path, e);
	if (got == 0)
		return err_set(e, ERR_CONFIG, "there is no %s in the project", text_safe(path));
	return got < 0 ? PLACED : visit(w, path, path, e);
}

/* One item of a file's list. `shown`: how that file is called. */
static int visit_item(struct walk *w, const char *shown, const char *item, struct err *e)
{
	const struct env_extends *from = find_extends(w->env, shown);
	cleanup_free char *path = NULL;
	struct extends_git git;

	if (extends_check(item, e) < 0)
		return -1;
	if (extends_is_git(item))
		return extends_parse_git(item, &git, e) < 0 ? -1 : visit_git(w, &git, NULL, e);
	path = extends_join(from ? from->git.path : shown, item);
	if (!path)
		return err_set(e, ERR_CONFIG, "'%s' leads out of the %s", text_safe(item),
		               from ? "repository" : "project");
	if (!from)
		return visit_file(w, path, e);
	git = (struct extends_git){ .url = mem_strdup(from->git.url),
		                    .ref = from->git.ref ? mem_strdup(from->git.ref) : NULL,
		                    .path = mem_steal(path) };
	return visit_git(w, &git, from->commit, e);
}

/* The bases of a file whose text is here, then the file. `name`: of its text; `shown`: for people. */
static int visit(struct walk *w, const char *name, const char *shown, struct err *e)
{
	cleanup_strlist struct strlist items = STRLIST_INIT;
	const struct env_text *text = find_text(w->env, name);
	unsigned int line = 0;
	int r = 0;

	if (strlist_has(&w->order, name))
		return 0;
	if (config_parse_extends(shown, text->text.data, text->text.len, &items, &line, e) < 0)
		return PLACED;
	strlist_add(&w->stack, shown);
	for (size_t i = 0; r == 0 && i < items.count; i++) {
		r = visit_item(w, shown, items.items[i], e);
		if (r < 0 && r != PLACED)
			err_wrap(e, "%s:%u: [devenv] extends", text_safe(shown), line);
	}
	free(w->stack.items[--w->stack.count]);
	w->stack.items[w->stack.count] = NULL;
	strlist_add(&w->order, name);
	return r < 0 ? PLACED : 0;
}

/* ---- all of it ---- */

static int check_requires(const struct config *c, struct err *e)
{
	if (!c->requires || config_version_at_least(DEVENV_VERSION, c->requires) == 1)
		return 0;
	err_set(e, ERR_CONFIG, "%s:%u: this project requires devenv %s or newer; this is devenv %s",
	        text_safe(c->requires_file), c->requires_line, text_safe(c->requires), DEVENV_VERSION);
	return err_hint(e, "install a newer devenv");
}

/* The commit in a text's name is for us; messages name what the user wrote. */
static char *shown_name(const char *name)
{
	return mem_strndup(name, text_starts(name, "git+") ? strcspn(name, " ") : strlen(name));
}

static int put_together(struct walk *w, struct err *e)
{
	cleanup_free struct config_text *texts = mem_array(w->order.count, sizeof(*texts));
	cleanup_strlist struct strlist names = STRLIST_INIT;
	int r;

	for (size_t i = 0; i < w->order.count; i++) {
		const struct env_text *t = find_text(w->env, w->order.items[i]);

		strlist_add_take(&names, shown_name(t->name));
		texts[i] = (struct config_text){ names.items[i], t->text.data, t->text.len,
			                         !strcmp(t->name, PROJECT_LOCAL) };
	}
	config_release(&w->env->config);
	r = config_parse_texts(texts, w->order.count, !w->env->incomplete, &w->env->config, e);
	return r < 0 ? -1 : check_requires(&w->env->config, e);
}

/* Overrides of one person: they must not come with the repository. */
static int add_local(struct walk *w, struct err *e)
{
	bool before = find_text(w->env, PROJECT_LOCAL) != NULL;
	int got = read_file(w, PROJECT_LOCAL, e);

	if (got <= 0)
		return got;
	if (!before && gitrepo_tracks(w->env->project, PROJECT_LOCAL)) {
		err_set(e, ERR_CONFIG,
		        "%s/" PROJECT_LOCAL " is tracked by git, but it is for one person only",
		        text_safe(w->env->project));
		return err_hint(e, "git rm --cached " PROJECT_LOCAL ", and list it in .gitignore");
	}
	strlist_add(&w->order, PROJECT_LOCAL);
	return 0;
}

static void forget_extends(struct environment *env)
{
	for (size_t i = 0; i < env->extends_count; i++) {
		struct env_extends *x = &env->extends[i];

		free(x->name);
		free(x->request);
		free(x->commit);
		extends_git_release(&x->git);
	}
	env->extends_count = 0;
}

static int read_all(struct walk *w, struct err *e)
{
	struct environment *env = w->env;
	int got = read_file(w, PROJECT_CONFIG, e);

	if (got == 0)
		return err_set(e, ERR_NO_PROJECT, "%s/" PROJECT_CONFIG " has just gone",
		               text_safe(env->project));
	if (got < 0 || visit(w, PROJECT_CONFIG, PROJECT_CONFIG, e) < 0 || add_local(w, e) < 0 ||
	    put_together(w, e) < 0)
		return -1;
	place_release_all(env);
	if (place_find_all(env, e) < 0)
		return -1;
	free(env->name);
	env->name = mem_strdup(env->config.name ? env->config.name : path_base(env->project));
	return 0;
}

int extending_read(struct environment *env, struct err *e)
{
	struct walk w = { .env = env };
	int r;

	env->incomplete = false;
	forget_extends(env);
	r = read_all(&w, e);
	strlist_release(&w.order);
	strlist_release(&w.stack);
	return r;
}

void extending_release(struct environment *env)
{
	forget_extends(env);
	free(env->extends);
	env->extends = NULL;
	env->extends_cap = 0;
	for (size_t i = 0; i < env->text_count; i++) {
		free(env->texts[i].name);
		buf_release(&env->texts[i].text);
	}
	free(env->texts);
	env->texts = NULL;
	env->text_count = env->text_cap = 0;
}

/* ---- fetching ---- */

static void add_change(struct env_changes *c, const char *name, const char *before, const char *after)
{
	if (!c || !strcmp(before, after))
		return;
	c->items = mem_grow(c->items, c->count, &c->cap, sizeof(*c->items));
	c->items[c->count++] = (struct env_change){ mem_strdup(name), mem_strdup(before), mem_strdup(after),
	                                                mem_strdup(""), mem_strdup("") };
}

/* Bring one file into the cache: at the commit of the lock, or else at what its ref is now, which goes into the lock. */
static int fetch_one(struct environment *env, const struct env_options *o, const struct env_extends *x,
                     bool again, struct env_changes *changes, struct err *e)
{
	cleanup_free char *cache = path_join(env->dirs.cache, "git");
	struct gitrepo g = access_to(o, cache);
	cleanup_buf struct buf text = BUF_INIT;
	struct lock_extends entry;
	char commit[GITREPO_COMMIT], digest[DIGEST_MAX];

	if (x->commit && !again) {
		if (gitrepo_read(&g, x->git.url, x->git.ref, x->commit, x->git.path, INPUTS_MAX, &text, e) <
		    0)
			return -1;
		return check_content(env, x, &text, e);
	}
	if (gitrepo_resolve(&g, x->git.url, x->git.ref, commit, e) < 0 ||
	    gitrepo_read(&g, x->git.url, x->git.ref, commit, x->git.path, INPUTS_MAX, &text, e) < 0)
		return -1;
	digest_bytes(text.data, text.len, digest);
	add_change(changes, x->name, x->commit ? x->commit : "", commit);
	entry = (struct lock_extends){ mem_strdup(x->name), mem_strdup(x->request), mem_strdup(commit),
		                       mem_strdup(digest) };
	lock_put_extends(&env->lock, &entry);
	return 0;
}

static bool wants_update(const struct env_extends *x, const struct strlist *update)
{
	return update && x->name && !extends_is_pinned(&x->git) &&
	       (!update->count || strlist_has(update, x->name));
}

/* The next one to fetch: one that isn't here, or is to be resolved again and was not yet. */
static const struct env_extends *next(const struct environment *env, bool may_lock,
                                      const struct strlist *update, const struct strlist *done)
{
	for (size_t i = 0; i < env->extends_count; i++) {
		const struct env_extends *x = &env->extends[i];
		bool wanted = x->present ? wants_update(x, update) : x->commit || may_lock;

		if (wanted && !strlist_has(done, x->request))
			return x;
	}
	return NULL;
}

int extending_complete(struct environment *env, const struct env_options *o, bool may_lock,
                       const struct strlist *update, struct env_changes *changes, struct err *e)
{
	cleanup_strlist struct strlist done = STRLIST_INIT;
	const struct env_extends *x;

	while ((x = next(env, may_lock, update, &done))) {
		cleanup_free char *request = mem_strdup(x->request);

		if (env_require_allowed(env, o, e) < 0)
			return -1;
		if (fetch_one(env, o, x, wants_update(x, update), changes, e) < 0)
			return err_wrap(e, "can't get what the configuration extends");
		strlist_add(&done, request);
		if (extending_read(env, e) < 0)
			return -1;
	}
	return 0;
}

int env_extend(struct environment *env, const struct env_options *o, struct err *e)
{
	return env->incomplete ? extending_complete(env, o, !o->locked, NULL, NULL, e) : 0;
}

void extending_prune(struct environment *env, struct env_changes *changes)
{
	for (size_t i = env->lock.extends_count; i-- > 0;) {
		cleanup_free char *name = mem_strdup(env->lock.extends[i].name);
		cleanup_free char *commit = mem_strdup(env->lock.extends[i].commit);
		bool used = false;

		for (size_t k = 0; !used && k < env->extends_count; k++)
			used = env->extends[k].name && !strcmp(env->extends[k].name, name);
		if (used)
			continue;
		add_change(changes, name, commit, "");
		lock_remove_extends(&env->lock, name);
	}
}
