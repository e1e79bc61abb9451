/* SPDX-License-Identifier: Apache-2.0 */
/*
 * building_failed.c - see building_failed.h.
 *
 * The plan in it is of the time of the failure. What may be done with it is decided by what is allowed now, and of its
 * powers, of which there is only the network, it keeps what the present configuration asks for.
 */
#include "env/building_failed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "env/building.h"
#include "env/building_inputs.h"
#include "env/stages.h"
#include "env/step.h"

#define FAILED "failed"
#define ORIGIN "origin" /* two lines, the digest of the configuration and that of the inputs; then the project's path */
#define ORIGIN_MAX 65536

static char *failed_path(const struct environment *env)
{
	return mem_printf(FAILED "/%s", path_base(env->state));
}

bool building_failed_exists(const struct environment *env, const struct store *s)
{
	cleanup_free char *path = failed_path(env);

	return file_exists(s->fd, path);
}

char *building_failed_path(const char *store, const char *state)
{
	return mem_printf("%s/" FAILED "/%s", store, path_base(state));
}

/* Locked, so that nobody takes it away from who is in there: 1; 0: there is none. ERR_BUSY: a shell is open in it. */
static int lock_failed(const struct store *s, const char *path, int *fd, struct err *e)
{
	*fd = openat(s->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "can't open what is left of a build");
	if (file_lock(*fd, true, false, e) == 0)
		return 1;
	if (e->code != ERR_BUSY)
		return -1;
	err_set(e, ERR_BUSY, "a shell is open where the last build stopped");
	return err_hint(e, "leave it first");
}

static int note_origin(const struct environment *env, const struct store_stage *stage, const char *below, const char *inputs,
		       struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	char config[DIGEST_MAX];

	building_name(env, below, "", config);
	buf_addf(&text, "%s\n%s\n%s", config, inputs, env->project);
	return file_replace(stage->fd, ORIGIN, text.data, text.len, 0600, FILE_FAST, e);
}

/* The stage's lock goes with its descriptor; here nothing sweeps. */
void building_failed_keep(const struct environment *env, struct store *s, struct store_stage *stage, const char *below,
			  const char *inputs, struct err *e)
{
	cleanup_free char *to = failed_path(env), *from = mem_printf("tmp/%s", stage->name);
	struct err ignored = ERR_INIT;

	/* Another build may have failed meanwhile, and somebody be in what that left. */
	if (note_origin(env, stage, below, inputs, &ignored) < 0 || file_mkdirs(s->fd, FAILED, 0700, &ignored) < 0 ||
	    building_failed_forget(env, s, &ignored) < 0 || renameat(s->fd, from, s->fd, to) < 0)
		return;
	close(stage->fd);
	*stage = (struct store_stage){ .fd = -1 };
	err_hint(e, "`devenv build --shell` opens a shell where it stopped");
}

int building_failed_forget(const struct environment *env, struct store *s, struct err *e)
{
	cleanup_free char *path = failed_path(env);
	cleanup_close int fd = -1;
	int there = lock_failed(s, path, &fd, e);

	return there == 1 ? file_remove_tree(s->fd, path, e) : there;
}

/* ---- what it is of ---- */

struct origin {
	struct buf text;
	const char *config, *inputs, *project; /* "" when it is not known */
};

static char *cut_line(char *from)
{
	char *end = strchr(from, '\n');

	if (!end)
		return from + strlen(from);
	*end = '\0';
	return end + 1;
}

static void read_origin(const struct store *s, const char *failed, struct origin *o)
{
	cleanup_free char *path = path_join(failed, ORIGIN);
	struct err ignored = ERR_INIT;
	char *inputs;

	*o = (struct origin){ BUF_INIT, "", "", "" };
	if (file_read(s->fd, path, ORIGIN_MAX, O_NOFOLLOW, &o->text, NULL, &ignored) < 0 || !o->text.len)
		return;
	inputs = cut_line(o->text.data);
	o->config = o->text.data;
	o->project = cut_line(inputs);
	o->inputs = inputs;
}

/* What has changed since, or NULL. */
static const char *compare(struct environment *env, const struct origin *o)
{
	char below[DIGEST_MAX], config[DIGEST_MAX] = "", inputs[DIGEST_MAX] = "";
	struct err ignored = ERR_INIT;

	if (env->config.build && stages_below_build(env, below, &ignored) == 0)
		building_name(env, below, "", config);
	if (strcmp(config, o->config) != 0)
		return "this is where a build of an older devenv.ini or devenv.lock stopped: `devenv build` tries the present one";
	if (building_inputs_read(env, -1, inputs, &ignored) < 0 || strcmp(inputs, o->inputs) != 0)
		return "the inputs have changed since: /workspace has them as they were";
	return NULL;
}

int building_failed_shell(struct environment *env, struct store *s, const struct env_options *o, int *status, struct err *e)
{
	cleanup_free char *below = failed_path(env), *path = path_join(s->path, below);
	bool network = env->config.build && env->config.build_network != CONFIG_NETWORK_NONE;
	cleanup_close int fd = -1;
	int there = lock_failed(s, below, &fd, e);
	struct origin origin;
	const char *changed;

	if (there < 0)
		return -1;
	if (!there) {
		err_set(e, ERR_NOT_FOUND, "no build of this checkout has stopped");
		return err_hint(e, "`devenv build` builds what is missing");
	}
	if (env_require_allowed(env, o, e) < 0)
		return -1;
	read_origin(s, below, &origin);
	changed = compare(env, &origin);
	if (changed && o->ui->notice)
		o->ui->notice(o->ui->data, changed);
	buf_release(&origin.text);
	return step_shell(path, network && !env->incomplete, status, e);
}

int building_failed_gc(const struct store *s, bool dry_run, void (*gone)(void *data, const char *project, uint64_t bytes),
		       void *data, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err none = ERR_INIT;

	if (file_names(s->fd, FAILED, false, &names, &none) < 0)
		return 0;
	for (size_t i = 0; i < names.count; i++) {
		cleanup_free char *path = path_join(FAILED, names.items[i]);
		cleanup_close int fd = -1;
		struct origin origin;
		uint64_t bytes;
		int r;

		if (lock_failed(s, path, &fd, &none) != 1)
			continue; /* somebody is in there */
		bytes = file_tree_bytes(s->fd, path);
		read_origin(s, path, &origin);
		r = dry_run ? 0 : file_remove_tree(s->fd, path, e);
		if (r == 0)
			gone(data, *origin.project ? origin.project : names.items[i], bytes);
		buf_release(&origin.text);
		if (r < 0)
			return -1;
	}
	return 0;
}
