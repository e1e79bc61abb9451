/* SPDX-License-Identifier: Apache-2.0 */
/*
 * building.c - [build]: the stage that a script of the project makes.
 *
 * The inputs are copied into the stage while they are hashed; so the step sees exactly what the key says, and can't see
 * or change anything else of the project. Two builds of one key wait for each other at the lock of its layer. Caches belong
 * to the clone and are locked too, because package managers trust nobody else to be in there.
 *
 * The stage of a build that failed goes to <store>/failed/<name of the checkout's state>, where `devenv build --shell`
 * finds it: until the next build of that checkout, reset, or gc. Whoever is in there has it locked.
 */
#include "env/building.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/building_inputs.h"
#include "env/step.h"
#include "source/recipe.h"

#define WORKSPACE "workspace"
#define TRIES 5
#define FAILED "failed"

/* ---- the key ---- */

static void collect_parts(const struct config *c, const char *inputs, struct strlist *parts)
{
	strlist_add(parts, RECIPE_PROCEDURE_BUILD);
	strlist_addf(parts, "run %s", c->build);
	strlist_addf(parts, "shell %s", c->build_shell ? c->build_shell : "");
	strlist_addf(parts, "network %s", c->build_network == CONFIG_NETWORK_NONE ? "none" : "host");
	for (size_t i = 0; i < c->build_env_count; i++)
		strlist_addf(parts, "env %s=%s", c->build_env[i].name, c->build_env[i].value);
	for (size_t i = 0; i < c->build_cache.count; i++)
		strlist_addf(parts, "cache %s", c->build_cache.items[i]);
	strlist_addf(parts, "inputs %s", inputs);
	strlist_sort(parts);
}

static void name_result(const struct environment *env, const char *below, const char *inputs, struct strlist *parts,
			struct recipe *r, char digest[DIGEST_MAX])
{
	cleanup_buf struct buf text = BUF_INIT;

	collect_parts(&env->config, inputs, parts);
	*r = (struct recipe){ .kind = "build", .platform = oci_platform(), .below = below, .parts = parts };
	recipe_format(r, &text, digest);
}

int building_digest(struct environment *env, const char *below, char digest[DIGEST_MAX], struct err *e)
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	char inputs[DIGEST_MAX];
	struct recipe recipe;

	if (!env->config.build) {
		snprintf(digest, DIGEST_MAX, "%s", below);
		return 0;
	}
	if (!*env->built) {
		if (building_inputs_read(env, -1, inputs, e) < 0)
			return -1;
		name_result(env, below, inputs, &parts, &recipe, env->built);
	}
	snprintf(digest, DIGEST_MAX, "%s", env->built);
	return 0;
}

static bool is_stored(const struct store *s, const char *digest, struct err *e)
{
	struct store_image image;

	if (store_image_load(s, digest, &image, e) < 0)
		return false;
	store_image_release(&image);
	return true;
}

/* ---- caches ---- */

struct caches {
	int *locks;
	struct strlist paths;
	size_t count;
};

/* <cache>/build/<clone>/<directory inside, hashed>/{lock,data} */
static int open_cache(const struct environment *env, const char *inside, struct caches *c, struct err *e)
{
	cleanup_free char *dir = mem_printf("%s/build/%s/%016llx", env->dirs.cache, env->clone,
					    (unsigned long long)text_hash(inside, strlen(inside)));
	cleanup_free char *data = path_join(dir, "data"), *lock = path_join(dir, "lock");
	int fd;

	if (file_mkdirs(AT_FDCWD, data, 0700, e) < 0)
		return err_wrap(e, "the cache of %s", text_safe(inside));
	fd = open(lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "can't open the lock of the cache %s", text_safe(dir));
	c->locks[c->count++] = fd;
	strlist_add(&c->paths, data);
	return file_lock(fd, true, true, e);
}

/* Each once, and always in one order, or two builds could wait for each other. */
static void sort_caches(const struct environment *env, struct strlist *out)
{
	const struct strlist *wanted = &env->config.build_cache;

	for (size_t i = 0; i < wanted->count; i++)
		if (!strlist_has(out, wanted->items[i]))
			strlist_add(out, wanted->items[i]);
	strlist_sort(out);
}

static int open_caches(const struct environment *env, struct caches *c, struct err *e)
{
	cleanup_strlist struct strlist sorted = STRLIST_INIT;

	sort_caches(env, &sorted);
	c->locks = mem_array(sorted.count + 1, sizeof(*c->locks));
	for (size_t i = 0; i < sorted.count; i++)
		if (open_cache(env, sorted.items[i], c, e) < 0)
			return -1;
	return 0;
}

static void close_caches(struct caches *c)
{
	for (size_t i = 0; i < c->count; i++)
		close(c->locks[i]);
	free(c->locks);
	strlist_release(&c->paths);
}

/* Each once, as open_caches took them. */
static void mount_caches(const struct environment *env, const struct caches *c, struct plan_mount *mounts, struct strlist *own)
{
	cleanup_strlist struct strlist sorted = STRLIST_INIT;

	sort_caches(env, &sorted);
	for (size_t i = 0; i < c->count; i++) {
		const char *inside = sorted.items[i];

		strlist_addf(own, "%s%s", text_starts(inside, "~/") ? "/root" : "",
			     text_starts(inside, "~/") ? inside + 1 : inside);
		mounts[i] = (struct plan_mount){ .kind = PLAN_BIND,
						 .host = c->paths.items[i],
						 .target = own->items[own->count - 1] };
	}
}

/* ---- running ---- */

struct telling {
	const struct env_ui *ui;
};

static void tell_line(void *data, const char *line, size_t len)
{
	const struct telling *t = data;
	cleanup_buf struct buf escaped = BUF_INIT;

	text_escape_bytes(&escaped, line, len);
	t->ui->build_line(t->ui->data, escaped.data);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static char *failed_path(const struct environment *env)
{
	return mem_printf(FAILED "/%s", path_base(env->state));
}

/* Locked, so that nobody takes it away from who is in there: 1; 0: there is none. ERR_BUSY: a shell is open in it. */
static int lock_failed(const struct store *s, const char *path, bool exclusive, int *fd, struct err *e)
{
	*fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "can't open what is left of a build");
	if (file_lock(*fd, exclusive, false, e) == 0)
		return 1;
	if (e->code != ERR_BUSY)
		return -1;
	err_set(e, ERR_BUSY, "a shell is open where the last build stopped");
	return err_hint(e, "leave it first");
}

static int forget_failed(const struct store *s, const char *path, struct err *e)
{
	cleanup_close int fd = -1;
	int there = lock_failed(s, path, true, &fd, e);

	return there == 1 ? file_remove_tree(s->fd, path, e) : there;
}

/* The stage's lock goes with its descriptor; here nothing sweeps. */
static void keep_failed(const struct environment *env, struct store *s, struct store_stage *stage, struct err *e)
{
	cleanup_free char *to = failed_path(env), *from = mem_printf("tmp/%s", stage->name);
	struct err ignored = ERR_INIT;

	if (file_mkdirs(s->fd, FAILED, 0700, &ignored) < 0 || file_remove_tree(s->fd, to, &ignored) < 0 ||
	    renameat(s->fd, from, s->fd, to) < 0)
		return;
	close(stage->fd);
	*stage = (struct store_stage){ .fd = -1 };
	err_hint(e, "`devenv build --shell` opens a shell where it stopped");
}

static int run_step(struct environment *env, struct store *s, struct store_stage *stage, const char *below,
		    const struct caches *caches, const struct env_options *o, struct err *e)
{
	const struct config *c = &env->config;
	cleanup_free char *workspace = mem_printf("%s/tmp/%s/" WORKSPACE, s->path, stage->name);
	cleanup_free struct plan_mount *mounts = mem_array(caches->count + 1, sizeof(*mounts));
	cleanup_strlist struct strlist variables = STRLIST_INIT, own = STRLIST_INIT;
	struct telling telling = { o->ui };
	int64_t since = wall_ns();
	struct step step = { .name = "build",	   .digest = below,	    .script = c->build,
			     .shell = c->build_shell, .workdir = "/" WORKSPACE, .mounts = mounts,
			     .mount_count = caches->count + 1, .network = c->build_network != CONFIG_NETWORK_NONE,
			     .no_services = true,
			     .output = o->ui->build_line ? tell_line : NULL, .data = &telling };

	mount_caches(env, caches, mounts, &own);
	mounts[caches->count] = (struct plan_mount){ .kind = PLAN_BIND, .host = workspace, .target = "/" WORKSPACE };
	for (size_t i = 0; i < c->build_env_count; i++)
		strlist_addf(&variables, "%s=%s", c->build_env[i].name, c->build_env[i].value);
	step.variables = (const char *const *)variables.items;
	if (step_run(env, s, stage, &step, e) < 0)
		return -1;
	return file_remove_tree(stage->fd, WORKSPACE, e) < 0 ? -1 : step_settle(stage, since, STEP_EPOCH, e);
}

/* 1: the inputs have changed since their digest was told; env->built is now what they are. */
static int copy_inputs(struct environment *env, const char *below, struct store_stage *stage, struct strlist *parts,
		       struct recipe *recipe, struct err *e)
{
	char inputs[DIGEST_MAX], digest[DIGEST_MAX];
	cleanup_close int fd = -1;

	if (file_mkdirs(stage->fd, WORKSPACE, 0755, e) < 0)
		return -1;
	fd = openat(stage->fd, WORKSPACE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "can't stage the build's inputs");
	if (building_inputs_read(env, fd, inputs, e) < 0)
		return -1;
	name_result(env, below, inputs, parts, recipe, digest);
	if (strcmp(digest, env->built) == 0)
		return 0;
	snprintf(env->built, sizeof(env->built), "%s", digest);
	return 1;
}

static int build_in(struct environment *env, struct store *s, struct store_stage *stage, const char *below,
		    const struct env_options *o, struct err *e)
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	struct caches caches = { 0 };
	struct recipe recipe;
	double start = now();
	int r = copy_inputs(env, below, stage, &parts, &recipe, e);

	if (r != 0)
		return r;
	r = open_caches(env, &caches, e);
	if (r == 0)
		r = run_step(env, s, stage, below, &caches, o, e);
	close_caches(&caches);
	if (r == 0)
		r = recipe_publish(s, &recipe, stage, NULL, e);
	else if (e->code == ERR_FAILED)
		keep_failed(env, s, stage, e);
	if (r == 0 && o->ui->build_done)
		o->ui->build_done(o->ui->data, "build", now() - start);
	return r;
}

/* 1: as copy_inputs. */
static int build(struct environment *env, struct store *s, const char *below, const struct env_options *o, struct err *e)
{
	cleanup_close int lock = store_layer_lock(s, env->built, e);
	cleanup_free char *failed = failed_path(env);
	struct store_stage stage;
	int r;

	if (lock < 0)
		return -1;
	if (is_stored(s, env->built, e))
		return 0;
	if (e->code != ERR_NOT_FOUND)
		return -1;
	*e = ERR_INIT;
	if (forget_failed(s, failed, e) < 0 || store_stage_new(s, &stage, e) < 0)
		return -1;
	r = build_in(env, s, &stage, below, o, e);
	store_stage_drop(s, &stage);
	return r;
}

int building_make(struct environment *env, struct store *s, const char *below, const struct env_options *o, struct err *e)
{
	char digest[DIGEST_MAX];
	int r = 1;

	if (building_digest(env, below, digest, e) < 0)
		return -1;
	if (!env->config.build || is_stored(s, digest, e))
		return 0;
	if (e->code != ERR_NOT_FOUND)
		return -1;
	*e = ERR_INIT;
	if (o->offline && env->config.build_network != CONFIG_NETWORK_NONE) {
		err_set(e, ERR_OFFLINE, "the build of %s has the network, and this is offline", text_safe(env->name));
		return err_hint(e, "run `devenv build` without --offline, or say network = none in [build]");
	}
	if (env_require_allowed(env, o, e) < 0)
		return -1;
	for (int i = 0; r == 1 && i < TRIES; i++)
		r = build(env, s, below, o, e);
	return r == 1 ? err_set(e, ERR_BUSY, "the inputs of [build] change all the time: nothing can be built from them") : r;
}

/* ---- what is left of a failure ---- */

int building_shell(const struct environment *env, struct store *s, int *status, struct err *e)
{
	cleanup_free char *below = failed_path(env), *path = path_join(s->path, below);
	cleanup_close int fd = -1;
	int there = lock_failed(s, below, true, &fd, e);

	if (there < 0)
		return -1;
	if (!there) {
		err_set(e, ERR_NOT_FOUND, "no build of this checkout has stopped");
		return err_hint(e, "`devenv build` builds what is missing");
	}
	return step_shell(path, status, e);
}

bool building_has_failed(const struct environment *env, const struct store *s)
{
	cleanup_free char *path = failed_path(env);

	return file_exists(s->fd, path);
}

char *building_failed_path(const char *store, const char *state)
{
	return mem_printf("%s/" FAILED "/%s", store, path_base(state));
}

int building_gc(const struct store *s, bool dry_run, uint64_t *bytes, size_t *count, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err why = ERR_INIT;

	if (file_names(s->fd, FAILED, false, &names, &why) < 0)
		return 0;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = path_join(FAILED, names.items[i]);
		cleanup_close int fd = -1;

		if (lock_failed(s, path, true, &fd, &why) != 1)
			continue; /* somebody is in there */
		*bytes += file_tree_bytes(s->fd, path);
		++*count;
		if (!dry_run && file_remove_tree(s->fd, path, e) < 0)
			return -1;
	}
	return 0;
}
