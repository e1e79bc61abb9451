/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.c - `run --image REF`: any image, no project, as docker would run it - but nothing of the host is there and what
 * it writes is gone at the end. Of the image's config Env, User, WorkingDir, Entrypoint and Cmd count and nothing else.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "config/reference.h"
#include "env/accounts.h"
#include "env/draft.h"
#include "env/inside.h"

static int set_user(struct draft *d, struct account *user, struct err *e)
{
	struct plan *p = &d->plan;

	if (accounts_parse_user(d->config.user, d->passwd.data, d->group.data, user, e) < 0)
		return -1;
	p->uid = user->uid;
	p->root = user->uid == 0;
	p->gid = user->gid;
	p->home = user->home[0] == '/' ? draft_keep(d, path_clean(user->home)) : "/";
	return 0;
}

/* Programs ask who they are: an uid the image does not know gets a line. Otherwise its files stay as they are. */
static int add_account(struct draft *d, const struct account *user, struct err *e)
{
	cleanup_buf struct buf passwd = BUF_INIT;
	struct account known, ours = *user;

	if (accounts_by_uid(d->passwd.data, user->uid, &known)) {
		account_release(&known);
		return 0;
	}
	ours.name = (char *)(user->uid ? "me" : "root");
	ours.home = (char *)d->plan.home;
	ours.shell = (char *)d->plan.shell;
	accounts_format_passwd(d->passwd.data, &ours, &passwd);
	return skeleton_add_file(&d->skeleton, "/etc/passwd", passwd.data, e);
}

/* Missing ones are made, as docker does. */
static int set_workdir(struct draft *d, struct err *e)
{
	const char *wanted = d->config.workdir;
	struct root_entry entry;
	const char *dir;
	enum root_kind kind;

	d->plan.workdir = "/";
	if (!*wanted || strcmp(wanted, "/") == 0)
		return 0;
	if (wanted[0] != '/')
		return err_set(e, ERR_INTEGRITY, "the image's working directory '%s' is not an absolute path",
			       text_safe(wanted));
	dir = draft_target(d, wanted, "the image's working directory", e);
	if (!dir || root_resolve(&d->root, dir, ROOT_NOFOLLOW, &entry, e) < 0)
		return -1;
	kind = entry.kind;
	root_entry_release(&entry);
	if (kind != ROOT_MISSING && kind != ROOT_DIRECTORY)
		return err_set(e, ERR_INTEGRITY, "the image's working directory %s is not a directory", text_safe(dir));
	d->plan.workdir = dir;
	if (kind == ROOT_DIRECTORY || path_is_below(dir, "/tmp"))
		return 0;
	return skeleton_add_directory(&d->skeleton, dir, SKELETON_MODE_BELOW, e);
}

static int set_variables(struct draft *d, const struct account *user, struct err *e)
{
	struct variables *v = &d->variables;
	struct plan *p = &d->plan;
	const char *shell;

	variables_set(v, "PATH", DRAFT_DEFAULT_PATH);
	for (size_t i = 0; i < d->config.env.count; i++)
		variables_put(v, d->config.env.items[i]);
	shell = draft_find_program(d, "sh", e);
	if (!shell && e->code)
		return -1;
	p->shell = shell ? shell : "/bin/sh";
	if (!variables_get(v, "HOME"))
		variables_set(v, "HOME", p->home);
	if (*user->name) {
		variables_set(v, "USER", user->name);
		variables_set(v, "LOGNAME", user->name);
	}
	variables_set(v, "container", "devenv");
	variables_set(v, "DEVENV", "1");
	variables_set(v, "DEVENV_NAME", p->name);
	return 0;
}

static void set_command(struct draft *d)
{
	const struct oci_config *c = &d->config;

	for (size_t i = 0; i < c->entrypoint.count; i++) {
		plan_add_entrypoint(&d->plan, c->entrypoint.items[i]);
		plan_add_command(&d->plan, c->entrypoint.items[i]);
	}
	for (size_t i = 0; i < c->cmd.count; i++)
		plan_add_command(&d->plan, c->cmd.items[i]);
}

static int fill(struct draft *d, struct err *e)
{
	struct account user = { 0 };
	int r;

	d->plan.name = d->env->name;
	d->plan.network = PLAN_NETWORK_HOST;
	r = set_user(d, &user, e);
	if (r == 0)
		r = set_workdir(d, e);
	if (r == 0)
		r = set_variables(d, &user, e);
	if (r == 0)
		r = add_account(d, &user, e);
	account_release(&user);
	if (r < 0)
		return -1;
	set_command(d);
	if (inside_put_certificates(d, e) < 0 || inside_put_terminals(d, e) < 0)
		return -1;
	return draft_standard_files(d, e) < 0 ? -1 : draft_standard_session(d, e);
}

/* A name that is set or removed changes the directory of names. */
struct names {
	char *path;
	struct stat st;
	bool there;
};

static void look_at_names(struct names *n)
{
	n->there = stat(n->path, &n->st) == 0;
}

static void watch_names(struct draft *d, const struct names *n)
{
	struct plan_watch w;
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	plan_watch_from_stat(&w, n->path, n->there ? &n->st : NULL, (int64_t)t.tv_sec * 1000000000 + t.tv_nsec);
	plan_add_watch(&d->plan, w);
}

static int write_plan(struct environment *env, struct store *s, const char *digest, const char *reference,
		      const char *canonical, const struct names *n, struct err *e)
{
	struct draft d;
	int r;

	/* As it was typed: the launcher compares, because the name of the directory is only a hash of it. */
	if (draft_open(&d, env, s, digest, reference, e) < 0)
		return -1;
	d.image_name = draft_copy(&d, canonical);
	watch_names(&d, n);
	r = fill(&d, e);
	if (r == 0)
		r = draft_write(&d, e);
	draft_release(&d);
	return r;
}

/* ---- from a reference to a plan ---- */

static bool is_stored(const struct store *s, const char *digest)
{
	struct err ignored = ERR_INIT;
	struct store_image image;

	if (store_image_load(s, digest, &image, &ignored) < 0)
		return false;
	store_image_release(&image);
	return true;
}

static int pull(struct environment *env, struct store *s, const char *reference, const struct env_options *o,
		char digest[136], struct err *e)
{
	struct oci_context context = {
		.store = s, .user = &env->user, .offline = o->offline, .progress = o->ui->progress
	};
	struct oci_source source = { OCI_REGISTRY, reference, reference };
	struct lock_image image = { 0 };
	const char *found;
	int r = oci_resolve(&context, &source, &image, e);

	if (r < 0 && e->code == ERR_OFFLINE)
		return err_hint(e, "run `devenv image pull %s` while there is a network", text_safe(reference));
	if (r < 0)
		return -1;
	found = lock_manifest_digest(&image, oci_platform());
	if (found)
		snprintf(digest, 136, "%s", found);
	else
		r = err_set(e, ERR_NOT_FOUND, "%s has no image for %s", text_safe(reference), oci_platform());
	lock_image_release(&image);
	if (r == 0)
		r = oci_fetch(&context, &source, digest, e);
	return r < 0 ? -1 : store_name_set(s, reference, digest, e);
}

static int get(struct environment *env, struct store *s, const char *reference, const struct env_options *o,
	       char digest[136], struct names *n, struct err *e)
{
	look_at_names(n);
	if (store_name_get(s, reference, digest, e) == 0 && is_stored(s, digest))
		return 0;
	if (e->code && e->code != ERR_NOT_FOUND)
		return -1;
	*e = ERR_INIT;
	if (pull(env, s, reference, o, digest, e) < 0)
		return -1;
	look_at_names(n);
	return store_name_get(s, reference, digest, e);
}

static int identify(struct environment *env, const char *reference, char **canonical, struct err *e)
{
	struct reference ref;

	if (reference_parse(reference, &ref, e) < 0)
		return err_wrap(e, "--image '%s'", text_safe(reference));
	*canonical = reference_format(&ref);
	free(env->name);
	free(env->state);
	env->name = mem_strdup(path_base(ref.path));
	/* By what was typed: the launcher looks for the plan without knowing how references are completed. */
	env->state = dirs_image(&env->dirs, reference);
	reference_release(&ref);
	return 0;
}

int env_prepare_image(struct environment *env, const char *reference, const struct env_options *o, struct err *e)
{
	cleanup_free char *canonical = NULL;
	char digest[136] = "";
	struct names names = { 0 };
	struct store s;
	int r;

	if (identify(env, reference, &canonical, e) < 0 || env_store(env, &s, e) < 0)
		return -1;
	names.path = path_join(s.path, "names");
	r = get(env, &s, canonical, o, digest, &names, e);
	if (r == 0)
		r = write_plan(env, &s, digest, reference, canonical, &names, e);
	store_close(&s);
	free(names.path);
	for (size_t i = 0; r == 0 && o->ui->warning && i < env->warnings.count; i++)
		o->ui->warning(o->ui->data, env->warnings.items[i]);
	return r;
}
