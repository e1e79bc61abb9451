/* SPDX-License-Identifier: Apache-2.0 */
/*
 * building.c - [build]: the stage that a script of the project makes.
 *
 * The inputs are copied into the stage while they are hashed; so the step sees exactly what the key says, and can't see
 * or change anything else of the project. Two builds of one key wait for each other at the lock of its layer.
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
#include "config/script.h"
#include "env/building_caches.h"
#include "env/building_failed.h"
#include "env/building_inputs.h"
#include "env/step.h"
#include "source/recipe.h"

#define WORKSPACE "workspace"
#define TRIES 5

/* ---- the key ---- */

/* What lies in a cache is in no key, and builds of the clone before have written it: a result that used one is that clone's alone,
 * or another project with the same script and inputs could choose what this one gets. */
static void collect_parts(const struct environment *env, const char *inputs, struct strlist *parts)
{
	const struct config *c = &env->config;

	strlist_add(parts, RECIPE_PROCEDURE_BUILD);
	strlist_addf(parts, "run %s", c->build);
	strlist_addf(parts, "shell %s", c->build_shell ? c->build_shell : "");
	strlist_addf(parts, "network %s", c->build_network == CONFIG_NETWORK_NONE ? "none" : "host");
	for (size_t i = 0; i < c->build_env_count; i++)
		strlist_addf(parts, "env %s=%s", c->build_env[i].name, c->build_env[i].value);
	for (size_t i = 0; i < c->build_cache.count; i++)
		strlist_addf(parts, "cache %s", c->build_cache.items[i]);
	if (c->build_cache.count)
		strlist_addf(parts, "clone %s", env->clone);
	strlist_addf(parts, "inputs %s", inputs);
	strlist_sort(parts);
}

static void name_result(const struct environment *env, const char *below, const char *inputs, struct strlist *parts,
			struct recipe *r, char digest[DIGEST_MAX])
{
	cleanup_buf struct buf text = BUF_INIT;

	collect_parts(env, inputs, parts);
	*r = (struct recipe){ .kind = "build", .platform = oci_platform(), .below = below, .parts = parts };
	recipe_format(r, &text, digest);
}

void building_name(const struct environment *env, const char *below, const char *inputs, char digest[DIGEST_MAX])
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	struct recipe recipe;

	name_result(env, below, inputs, &parts, &recipe, digest);
}

int building_digest(struct environment *env, const char *below, char digest[DIGEST_MAX], struct err *e)
{
	char inputs[DIGEST_MAX];

	if (!env->config.build) {
		snprintf(digest, DIGEST_MAX, "%s", below);
		return 0;
	}
	if (!*env->built) {
		if (building_inputs_read(env, -1, inputs, e) < 0)
			return -1;
		building_name(env, below, inputs, env->built);
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

/* ---- running ---- */

struct telling {
	const struct environment *env;
	const struct env_ui *ui;
};

static void tell_line(void *data, const char *line, size_t len)
{
	const struct telling *t = data;
	cleanup_buf struct buf escaped = BUF_INIT;

	text_escape_output(&escaped, line, len, t->ui->color);
	t->ui->build_line(t->ui->data, escaped.data);
}

static void tell_elapsed(void *data, double seconds)
{
	const struct telling *t = data;

	t->ui->step_elapsed(t->ui->data, "build", seconds);
}

/* "devenv.ini:12" of a line of the script. */
static bool locate(void *data, unsigned int line, struct buf *out)
{
	const struct telling *t = data;
	cleanup_buf struct buf origin = BUF_INIT;
	char *colon;
	uint64_t key;

	config_origin(&t->env->config, "build", "run", NULL, &origin);
	colon = strrchr(origin.data, ':');
	if (!colon || text_number(colon + 1, UINT32_MAX, &key) < 0)
		return false;
	*colon = '\0';
	for (size_t i = 0; i < t->env->text_count; i++) {
		const struct env_text *text = &t->env->texts[i];
		unsigned int found;

		if (strcmp(text->name, origin.data) != 0)
			continue;
		found = script_line(text->text.data, text->text.len, (unsigned int)key, line);
		if (found)
			buf_addf(out, "%s:%u", origin.data, found);
		return found != 0;
	}
	return false;
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

/* What it left below a directory, but for what is dropped and what programs keep without being asked. */
static bool left_anything(int dirfd, const char *name, const char *path)
{
	static const char *const searched[] = { "", "var", "root" };
	static const char *const passed[] = { "tmp", "run", "var/tmp", "root/.cache", "root/.npm" };
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err e = ERR_INIT;
	bool search = false;

	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		if (strcmp(path, passed[i]) == 0)
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(searched); i++)
		search = search || strcmp(path, searched[i]) == 0;
	if (!search || file_names(dirfd, name, true, &names, &e) < 0)
		return true;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *child = path_join(name, names.items[i]);
		cleanup_free char *inside = *path ? path_join(path, names.items[i]) : mem_strdup(names.items[i]);

		if (left_anything(dirfd, child, inside))
			return true;
	}
	return false;
}

static void look_at_result(const struct store_stage *stage, const struct env_ui *ui)
{
	if (ui->notice && !left_anything(stage->fd, "fs", ""))
		ui->notice(ui->data, "the build step left nothing: what it writes to /workspace is dropped; what belongs into "
				     "the project is for [setup], and the rest into a directory like /opt");
}

static int run_step(struct environment *env, struct store *s, struct store_stage *stage, const char *below,
		    const struct building_caches *caches, const struct env_options *o, struct err *e)
{
	const struct config *c = &env->config;
	cleanup_free char *workspace = mem_printf("%s/tmp/%s/" WORKSPACE, s->path, stage->name);
	cleanup_free struct plan_mount *mounts = mem_array(caches->count + 1, sizeof(*mounts));
	cleanup_strlist struct strlist variables = STRLIST_INIT;
	struct telling telling = { env, o->ui };
	int64_t since = wall_ns();
	struct step step = { .name = "build",	   .digest = below,	    .script = c->build,
			     .shell = c->build_shell, .workdir = "/" WORKSPACE, .mounts = mounts,
			     .mount_count = caches->count + 1, .network = c->build_network != CONFIG_NETWORK_NONE,
			     .no_services = true,
			     .output = o->ui->build_line ? tell_line : NULL,
			     .elapsed = o->ui->step_elapsed ? tell_elapsed : NULL, .locate = locate, .data = &telling };

	building_caches_mount(caches, mounts);
	mounts[caches->count] = (struct plan_mount){ .kind = PLAN_BIND, .host = workspace, .target = "/" WORKSPACE };
	for (size_t i = 0; i < c->build_env_count; i++)
		strlist_addf(&variables, "%s=%s", c->build_env[i].name, c->build_env[i].value);
	step.variables = (const char *const *)variables.items;
	if (step_run(env, s, stage, &step, e) < 0)
		return -1;
	if (file_remove_tree(stage->fd, WORKSPACE, e) < 0 || step_settle(stage, since, STEP_EPOCH, e) < 0)
		return -1;
	look_at_result(stage, o->ui);
	return 0;
}

/* 1: the inputs have changed since their digest was told; env->built is now what they are. */
static int copy_inputs(struct environment *env, const char *below, struct store_stage *stage, char inputs[DIGEST_MAX],
		       struct strlist *parts, struct recipe *recipe, struct err *e)
{
	char digest[DIGEST_MAX];
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

/* The time that is told begins when nothing is waited for any more. */
static int build_in(struct environment *env, struct store *s, struct store_stage *stage, const char *below,
		    const struct env_options *o, struct err *e)
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	struct building_caches caches = { 0 };
	char inputs[DIGEST_MAX];
	struct recipe recipe;
	double start = 0;
	int r = copy_inputs(env, below, stage, inputs, &parts, &recipe, e);

	if (r != 0)
		return r;
	r = building_caches_open(env, o->ui, &caches, e);
	if (r == 0) {
		start = now();
		r = run_step(env, s, stage, below, &caches, o, e);
		if (r < 0 && e->code == ERR_FAILED)
			building_failed_keep(env, s, stage, below, inputs, e);
	}
	building_caches_close(&caches);
	if (r == 0)
		r = recipe_publish(s, &recipe, stage, NULL, e);
	if (r == 0 && o->ui->build_done)
		o->ui->build_done(o->ui->data, "build", now() - start);
	return r;
}

/* 1: as copy_inputs. */
static int build(struct environment *env, struct store *s, const char *below, const struct env_options *o, struct err *e)
{
	cleanup_close int lock = store_layer_await(s, env->built, "another devenv that builds the same", e);
	struct store_stage stage;
	int r;

	if (lock < 0)
		return -1;
	if (is_stored(s, env->built, e))
		return 0;
	if (e->code != ERR_NOT_FOUND)
		return -1;
	*e = ERR_INIT;
	if (building_failed_forget(env, s, e) < 0 || store_stage_new(s, &stage, e) < 0)
		return -1;
	r = build_in(env, s, &stage, below, o, e);
	store_stage_drop(s, &stage);
	if (r < 0 && e->code == ERR_SPACE && !*e->hint)
		err_hint(e, "free some space on the file system of the store %s, for example with `devenv gc`", text_safe(s->path));
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
