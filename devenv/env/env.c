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
#include "env/extending.h"
#include "env/inputs.h"
#include "env/lock_file.h"
#include "env/place.h"

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
	env->lock_text = env->local_lock_text = BUF_INIT;
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

/* What is not asked for is not looked at, and so nothing that a plan has to watch. */
static void read_own_lock(struct environment *env)
{
	struct lock_file own = lock_file_own(env);

	if (env->config.packages_own.count)
		lock_file_read(env, &own);
}

static void read_lock(struct environment *env)
{
	struct lock_file shared = lock_file_shared(env);

	lock_file_read(env, &shared);
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
	if (checkout_open(env, e) == 0) {
		read_lock(env); /* first: it says which commits are extended */
		if (extending_read(env, e) == 0) {
			read_own_lock(env);
			return 0;
		}
	}
	env_release(env);
	return -1;
}

void env_release(struct environment *env)
{
	checkout_close(env);
	place_release_all(env);
	inputs_release(env);
	extending_release(env);
	user_config_release(&env->user);
	config_release(&env->config);
	lock_release(&env->lock);
	lock_release(&env->local_lock);
	buf_release(&env->lock_text);
	buf_release(&env->local_lock_text);
	strlist_release(&env->warnings);
	dirs_release(&env->dirs);
	free(env->store_found);
	free(env->project);
	free(env->state);
	free(env->name);
	memset(env, 0, sizeof(*env));
	env->project_fd = -1;
	env->lock_text = env->local_lock_text = BUF_INIT;
}

int env_store(const struct environment *env, struct store *s, struct err *e)
{
	return store_open(s, env->dirs.store, e);
}
