/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages_stage.c - images made of packages.
 *
 * A base is two layers: the tree as the packages have it, hard links into the layers of the packages, and what dpkg and the
 * maintainer scripts made of it. dpkg itself unpacks what has to run a script before. What is added to an image is one, which the image's own dpkg writes: diversions,
 * configuration files, triggers and Replaces are its business. Each is made once, under a lock of its name.
 */
#include "env/packages_stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/project.h"
#include "base/text.h"
#include "env/packages.h"
#include "env/packages_dpkg.h"
#include "env/packages_order.h"
#include "env/packages_run.h"
#include "env/packages_space.h"
#include "env/packages_output.h"
#include "env/packages_whole.h"
#include "source/debian_base.h"
#include "source/debian_deb.h"
#include "source/debian_pool.h"
#include "source/debian_preinst.h"
#include "source/recipe.h"

struct chosen { /* packages of the lock; they belong to it */
	const struct lock_package **items;
	size_t count;
};

static void choose(const struct lock *l, const char *platform, bool in_base, struct chosen *out)
{
	const char *arch = debian_arch(platform);

	*out = (struct chosen){ mem_array(l->package_count + 1, sizeof(*out->items)), 0 };
	for (size_t i = 0; arch && i < l->package_count; i++)
		if (l->packages[i].in_base == in_base && strcmp(l->packages[i].arch, arch) == 0)
			out->items[out->count++] = &l->packages[i];
}

/* ---- names ---- */

static void add_parts(const struct chosen *c, const char *procedure, struct strlist *parts)
{
	for (size_t i = 0; i < c->count; i++)
		strlist_addf(parts, "%s %s %s", c->items[i]->name, c->items[i]->version, c->items[i]->sha256);
	strlist_add(parts, procedure);
	strlist_sort(parts);
}

static void name(const struct recipe *r, char digest[DIGEST_MAX])
{
	cleanup_buf struct buf text = BUF_INIT;

	recipe_format(r, &text, digest);
}

struct base_recipes {
	struct strlist parts;
	char unpacked_digest[DIGEST_MAX], digest[DIGEST_MAX];
	struct recipe unpacked, configured;
};

/* "debian:bookworm minimal main": the second word of it decides about links that no package brings. */
static char *codename_of(const struct lock *l)
{
	const struct lock_image *entry = lock_find(l, "base");
	const char *name_at = entry && text_starts(entry->request, LOCK_DEBIAN_PREFIX) ? entry->request + strlen(LOCK_DEBIAN_PREFIX)
										      : "";

	return mem_strndup(name_at, strcspn(name_at, " "));
}

static void name_base(const struct lock *l, const struct chosen *c, const char *platform, struct base_recipes *r)
{
	cleanup_free char *codename = codename_of(l);

	*r = (struct base_recipes){ .parts = STRLIST_INIT };
	strlist_addf(&r->parts, "codename %s", codename);
	add_parts(c, RECIPE_PROCEDURE_DEBIAN, &r->parts);
	r->unpacked = (struct recipe){ "unpacked", platform, "", &r->parts };
	name(&r->unpacked, r->unpacked_digest);
	r->configured = (struct recipe){ "debian", platform, r->unpacked_digest, &r->parts };
	name(&r->configured, r->digest);
}

/* false: there are no packages of a base. */
static bool digests_of_base(const struct lock *l, const char *platform, char unpacked[DIGEST_MAX], char digest[DIGEST_MAX])
{
	struct base_recipes r;
	struct chosen c;
	bool any;

	choose(l, platform, true, &c);
	any = c.count > 0;
	name_base(l, &c, platform, &r);
	snprintf(unpacked, DIGEST_MAX, "%s", r.unpacked_digest);
	snprintf(digest, DIGEST_MAX, "%s", r.digest);
	strlist_release(&r.parts);
	free(c.items);
	return any;
}

int packages_stage_base_digest(const struct lock *l, const char *platform, char digest[DIGEST_MAX], struct err *e)
{
	char unpacked[DIGEST_MAX];

	if (digests_of_base(l, platform, unpacked, digest))
		return 0;
	err_set(e, ERR_LOCK, "%s has no packages of a base for %s", PROJECT_LOCK, platform);
	return err_hint(e, "run `devenv lock`");
}

int packages_stage_unpacked_digest(const struct lock *l, const char *platform, char digest[DIGEST_MAX])
{
	char configured[DIGEST_MAX];

	return digests_of_base(l, platform, digest, configured) ? 0 : -1;
}

void packages_stage_addition_digest(const struct packages_addition *a, const char *platform, char digest[DIGEST_MAX])
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	struct chosen c;

	choose(a->lock, platform, false, &c);
	add_parts(&c, RECIPE_PROCEDURE_PACKAGES, &parts);
	if (c.count)
		name(&(struct recipe){ a->kind, platform, a->below, &parts }, digest);
	else
		snprintf(digest, DIGEST_MAX, "%s", a->below);
	free(c.items);
}

void packages_stage_added_digest(const struct lock *l, const char *platform, const char *below, char digest[DIGEST_MAX])
{
	packages_stage_addition_digest(&(struct packages_addition){ .kind = PACKAGES_STAGE_ADDED, .lock = l, .below = below }, platform, digest);
}

/* ---- what both do ---- */

/* 1: there; 0: not. */
static int is_stored(const struct store *s, const char *digest, struct err *e)
{
	struct store_image image;

	if (store_image_load(s, digest, &image, e) == 0) {
		store_image_release(&image);
		return 1;
	}
	if (e->code != ERR_NOT_FOUND)
		return -1;
	*e = ERR_INIT;
	return 0;
}

static void say(const struct env_options *o, const char *format, size_t count)
{
	cleanup_free char *line = mem_printf("%s %zu package%s", format, count, count == 1 ? "" : "s");

	if (o->ui->notice)
		o->ui->notice(o->ui->data, line);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* After everything of a stage: it may have been minutes. */
static void say_done(const struct env_options *o, const char *what, double start)
{
	if (o->ui->build_done)
		o->ui->build_done(o->ui->data, what, now() - start);
}

struct control { /* of all packages of a stage, read from their files */
	struct deb *debs;
	size_t deb_count;
	struct packages_control *items; /* which point into the debs */
	size_t count;
	int64_t epoch; /* when the youngest of them was made */
};

static void control_release(struct control *c)
{
	for (size_t i = 0; i < c->deb_count; i++)
		deb_release(&c->debs[i]);
	free(c->debs);
	free(c->items);
}

static int read_control(const struct store *s, const struct chosen *c, struct control *out, struct err *e)
{
	*out = (struct control){ .debs = mem_array(c->count + 1, sizeof(*out->debs)),
				 .items = mem_array(c->count + 1, sizeof(*out->items)) };
	for (size_t i = 0; i < c->count; i++) {
		const struct lock_package *p = c->items[i];
		cleanup_close int fd = debian_pool_open(s, p->sha256, e);
		const struct deb_file *file;

		if (fd < 0 || deb_read(fd, p->name, &out->debs[i], e) < 0)
			return -1;
		out->count = out->deb_count = i + 1;
		file = deb_find(&out->debs[i], "control");
		out->items[i].name = DEBIAN_TEXT(p->name);
		out->items[i].stanza = (struct debian_text){ file->data.data, file->data.len };
		if (debian_pool_check(p, out->items[i].stanza, e) < 0)
			return -1;
		if (out->debs[i].time > out->epoch)
			out->epoch = out->debs[i].time;
	}
	return 0;
}

/* The end of a stage that was made, or was not. */
static int drop(struct store *s, struct store_stage *stage, const struct chosen *c, int result, struct err *e)
{
	bool out = result < 0 && packages_space_is_out(s, e);

	store_stage_drop(s, stage);
	return out ? packages_space_explain(s, c->items, c->count, e) : result;
}

/* ---- dpkg ---- */

/* Run a script of dpkg's on the image `below`, and publish what it wrote. The order of the packages is decided. */
static int run_dpkg(struct environment *env, struct store *s, struct store_stage *stage, const struct recipe *r, const struct chosen *c,
		    const struct control *control, const char *script, struct packages_output *output, struct err *e)
{
	cleanup_free const struct lock_package **by_place = mem_array(c->count + 1, sizeof(*by_place));
	cleanup_free const struct lock_package **unpacked = mem_array(c->count + 1, sizeof(*unpacked));
	struct packages_run run = { r, unpacked, 0, script, control->epoch, output };

	for (size_t i = 0; i < c->count; i++)
		if (control->items[i].by_dpkg)
			by_place[control->items[i].place] = c->items[i];
	for (size_t i = 0; i < c->count; i++)
		if (by_place[i])
			unpacked[run.count++] = by_place[i];
	return packages_run(env, s, stage, &run, e);
}

/* ---- the base ---- */

struct unpacking {
	const struct env_options *options;
};

static void unpacked(void *data, size_t done, size_t total)
{
	const struct unpacking *u = data;

	if (u->options->ui->packages)
		u->options->ui->packages(u->options->ui->progress.data, "unpacking", done, total);
}

/* What has a preinst that matters is unpacked by dpkg, which needs a system for it: the tree has the files of that too. */
static struct debian_base_item *plan_base(const struct chosen *c, struct control *control, const char *arch, size_t *count)
{
	struct debian_base_item *items = mem_array(c->count + 1, sizeof(*items));

	*count = 0;
	packages_order_system(control->items, control->count, arch);
	for (size_t i = 0; i < c->count; i++) {
		struct packages_control *p = &control->items[i];

		p->by_dpkg = debian_preinst_matters(&control->debs[i]);
		if (!p->by_dpkg || p->in_system)
			items[(*count)++] = (struct debian_base_item){ c->items[i], p->by_dpkg };
	}
	return items;
}

static int make_unpacked(struct environment *env, struct store *s, const struct chosen *c, struct control *control,
			 const struct base_recipes *r, const struct env_options *o, struct err *e)
{
	size_t count;
	cleanup_free struct debian_base_item *items = plan_base(c, control, debian_arch(r->unpacked.platform), &count);
	cleanup_free char *codename = codename_of(&env->lock);
	struct unpacking u = { o };
	struct store_stage stage;
	int result = is_stored(s, r->unpacked_digest, e);

	if (result)
		return result < 0 ? -1 : 0;
	if (store_stage_new(s, &stage, e) < 0)
		return -1;
	say(o, "unpacking", c->count);
	result = debian_base_unpack(s, &stage, codename, items, count, unpacked, &u, e);
	if (result == 0)
		result = recipe_publish(s, &r->unpacked, &stage, NULL, e);
	return drop(s, &stage, c, result, e);
}

static int configure_in(struct environment *env, struct store *s, struct store_stage *stage, const struct base_recipes *r,
			const struct chosen *c, const struct control *control, const struct env_options *o, struct err *e)
{
	cleanup_free char *script = packages_dpkg_base(c->items, control->items, c->count, debian_arch(r->configured.platform));
	struct packages_output output = { .ui = o->ui, .packages = c->items, .count = c->count };

	if (run_dpkg(env, s, stage, &r->configured, c, control, script, &output, e) == 0)
		return 0;
	return e->code == ERR_FAILED ? err_wrap(e, "configuring the packages of the base") : -1;
}

/* What will be added to the base comes now too: whether all is there that they need of each other is known only then. */
static int fetch_all(struct environment *env, struct store *s, const struct chosen *base, const struct env_options *o, struct err *e)
{
	struct chosen all;
	int result;

	choose(&env->lock, oci_platform(), false, &all);
	for (size_t i = 0; i < base->count; i++)
		all.items[all.count++] = base->items[i];
	result = packages_fetch(env, s, all.items, all.count, NULL, o, e);
	free(all.items);
	return result < 0 ? -1 : packages_whole_check(env, s, e);
}

static int make_base(struct environment *env, struct store *s, const struct chosen *c, const struct base_recipes *r,
		     const struct env_options *o, struct err *e)
{
	cleanup_close int lock = store_layer_await(s, r->digest, "another devenv that installs the same packages", e);
	double start = now();
	struct control control = { 0 };
	struct store_stage stage;
	int result = lock < 0 ? -1 : is_stored(s, r->digest, e);

	if (result)
		return result < 0 ? -1 : 0;
	result = fetch_all(env, s, c, o, e);
	if (result == 0)
		result = read_control(s, c, &control, e);
	if (result == 0)
		result = make_unpacked(env, s, c, &control, r, o, e);
	if (result == 0)
		result = store_stage_new(s, &stage, e);
	if (result == 0) {
		say(o, "configuring", c->count);
		result = drop(s, &stage, c, configure_in(env, s, &stage, r, c, &control, o, e), e);
	}
	if (result == 0)
		say_done(o, "base", start);
	control_release(&control);
	return result;
}

int packages_stage_make_base(struct environment *env, struct store *s, const struct env_options *o, struct err *e)
{
	struct base_recipes r;
	struct chosen c;
	int result;

	choose(&env->lock, oci_platform(), true, &c);
	name_base(&env->lock, &c, oci_platform(), &r);
	result = c.count ? is_stored(s, r.digest, e) : packages_stage_base_digest(&env->lock, oci_platform(), r.digest, e);
	if (result == 0 && c.count)
		result = make_base(env, s, &c, &r, o, e);
	strlist_release(&r.parts);
	free(c.items);
	return result < 0 ? -1 : 0;
}

/* ---- what is added ---- */

static int add_in(struct environment *env, struct store *s, struct store_stage *stage, const struct recipe *r,
		  const struct chosen *c, struct control *control, const struct env_options *o, struct err *e)
{
	struct packages_output output = { .ui = o->ui, .packages = c->items, .count = c->count, .unpacks = true };
	cleanup_free char *script = NULL;

	for (size_t i = 0; i < control->count; i++)
		control->items[i].by_dpkg = true;
	script = packages_dpkg_add(c->items, control->items, c->count, debian_arch(r->platform));
	if (run_dpkg(env, s, stage, r, c, control, script, &output, e) == 0)
		return 0;
	return e->code == ERR_FAILED ? err_wrap(e, "[packages] apt") : -1;
}

/* Leave out what the image has. */
static int keep_lacking(const struct packages_addition *a, struct chosen *c, struct control *control, struct err *e)
{
	cleanup_free bool *lacking = mem_array(c->count + 1, sizeof(*lacking));
	size_t kept = 0;

	for (size_t i = 0; i < c->count; i++)
		lacking[i] = true;
	if (a->lacks && a->lacks(a->data, control->items, c->count, lacking, e) < 0)
		return -1;
	for (size_t i = 0; i < c->count; i++) {
		if (!lacking[i])
			continue;
		c->items[kept] = c->items[i];
		control->items[kept++] = control->items[i];
	}
	c->count = control->count = kept;
	return 0;
}

static int make_added(struct environment *env, struct store *s, const struct packages_addition *a, const struct recipe *r,
		      const char *digest, struct chosen *c, const struct env_options *o, struct err *e)
{
	cleanup_close int lock = store_layer_await(s, digest, "another devenv that installs the same packages", e);
	double start = now();
	struct control control = { 0 };
	struct store_stage stage;
	int result = lock < 0 ? -1 : is_stored(s, digest, e);

	if (result)
		return result < 0 ? -1 : 0;
	result = packages_fetch(env, s, c->items, c->count, a->sources, o, e);
	if (result == 0 && a->lock == &env->lock)
		result = packages_whole_check(env, s, e);
	if (result == 0)
		result = read_control(s, c, &control, e);
	if (result == 0)
		result = keep_lacking(a, c, &control, e);
	if (result == 0)
		result = store_stage_new(s, &stage, e);
	if (result == 0) {
		if (c->count)
			say(o, "installing", c->count);
		result = drop(s, &stage, c, add_in(env, s, &stage, r, c, &control, o, e), e);
	}
	if (result == 0)
		say_done(o, a->title, start);
	control_release(&control);
	return result;
}

int packages_stage_make_addition(struct environment *env, struct store *s, const struct packages_addition *a,
				 const struct env_options *o, struct err *e)
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	struct recipe r = { a->kind, oci_platform(), a->below, &parts };
	char digest[DIGEST_MAX];
	struct chosen c;
	int result = 1;

	choose(a->lock, oci_platform(), false, &c);
	add_parts(&c, RECIPE_PROCEDURE_PACKAGES, &parts);
	name(&r, digest);
	if (c.count)
		result = is_stored(s, digest, e);
	if (result == 0)
		result = make_added(env, s, a, &r, digest, &c, o, e);
	free(c.items);
	return result < 0 ? -1 : 0;
}
