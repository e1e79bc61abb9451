/* SPDX-License-Identifier: Apache-2.0 */
/* env.c - opening an environment: find the project and read its files, each once. */
#include "env/env.h"

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
#include "env/checkout.h"
#include "env/inputs.h"
#include "env/place.h"
#include "env/version.h"

#define LOCAL_CONFIG "devenv.local.ini"

/* DEVENV_STORE > [store] path > default: dirs_find has applied the first and the last. */
static void choose_store(struct environment *env)
{
	const char *forced = getenv("DEVENV_STORE");

	env->store_found = mem_strdup(env->dirs.store);
	if ((forced && forced[0] == '/') || !env->user.store_path)
		return;
	free(env->dirs.store);
	env->dirs.store = path_clean(env->user.store_path);
}

int env_open_user(struct environment *env, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_free char *path = NULL;
	struct user_config user;
	int got;

	memset(env, 0, sizeof(*env));
	env->project_fd = -1;
	env->lock_text = BUF_INIT;
	user_config_init(&env->user);
	if (dirs_find(&env->dirs, e) < 0)
		goto fail;
	path = path_join(env->dirs.config, "config.ini");
	got = inputs_read(env, &(struct input){ .path = path, .dirfd = AT_FDCWD, .name = path }, ERR_CONFIG, &text, e);
	if (got < 0)
		goto fail;
	if (got > 0) {
		if (user_config_parse(path, text.data, text.len, &user, e) < 0)
			goto fail;
		user_config_release(&env->user);
		env->user = user;
	}
	choose_store(env);
	return 0;
fail:
	env_release(env);
	return -1;
}

static int check_requires(const struct config *c, struct err *e)
{
	if (!c->requires || config_version_at_least(DEVENV_VERSION, c->requires) == 1)
		return 0;
	err_set(e, ERR_CONFIG, "%s:%u: this project requires devenv %s or newer; this is devenv %s", c->file,
		c->requires_line, text_safe(c->requires), DEVENV_VERSION);
	return err_hint(e, "install a newer devenv");
}

static int read_config(struct environment *env, struct err *e)
{
	cleanup_free char *path = path_join(env->project, PROJECT_CONFIG);
	cleanup_free char *local = path_join(env->project, LOCAL_CONFIG);
	cleanup_buf struct buf text = BUF_INIT;
	struct input in = { path, env->project_fd, PROJECT_CONFIG, SYS_RESOLVE_NO_SYMLINKS, true };
	int got = inputs_read(env, &in, ERR_CONFIG, &text, e);

	if (got == 0)
		return err_set(e, ERR_NO_PROJECT, "%s has just gone", text_safe(path));
	if (got < 0 || config_parse(PROJECT_CONFIG, text.data, text.len, &env->config, e) < 0)
		return -1;
	if (check_requires(&env->config, e) < 0)
		return -1;
	in = (struct input){ local, env->project_fd, LOCAL_CONFIG, SYS_RESOLVE_NO_SYMLINKS, true };
	got = inputs_read(env, &in, ERR_CONFIG, NULL, e);
	if (got > 0) {
		err_set(e, ERR_UNSUPPORTED, "%s: local overrides are not supported yet", text_safe(local));
		err_hint(e, "move %s out of the way", LOCAL_CONFIG);
	}
	return got ? -1 : 0;
}

static void read_lock(struct environment *env)
{
	cleanup_free char *path = path_join(env->project, PROJECT_LOCK);
	struct input in = { path, env->project_fd, PROJECT_LOCK, SYS_RESOLVE_NO_SYMLINKS, false };
	int got = inputs_read(env, &in, ERR_LOCK, &env->lock_text, &env->lock_error);

	if (got > 0 && lock_parse(PROJECT_LOCK, env->lock_text.data, env->lock_text.len, &env->lock,
				  &env->lock_error) == 0)
		env->has_lock = true;
}

int env_open(struct environment *env, const char *start, struct err *e)
{
	if (env_open_user(env, e) < 0)
		return -1;
	if (project_find(start, env->dirs.home, &env->project, e) < 0) {
		env_release(env);
		return -1;
	}
	env->state = dirs_checkout(&env->dirs, env->project);
	if (checkout_open(env, e) < 0 || read_config(env, e) < 0 || place_find_all(env, e) < 0) {
		env_release(env);
		return -1;
	}
	env->name = mem_strdup(env->config.name ? env->config.name : path_base(env->project));
	read_lock(env);
	return 0;
}

void env_release(struct environment *env)
{
	checkout_close(env);
	place_release_all(env);
	inputs_release(env);
	user_config_release(&env->user);
	config_release(&env->config);
	lock_release(&env->lock);
	buf_release(&env->lock_text);
	strlist_release(&env->warnings);
	dirs_release(&env->dirs);
	free(env->store_found);
	free(env->project);
	free(env->state);
	free(env->name);
	memset(env, 0, sizeof(*env));
	env->project_fd = -1;
	env->lock_text = BUF_INIT;
}

int env_store(const struct environment *env, struct store *s, struct err *e)
{
	return store_open(s, env->dirs.store, e);
}
