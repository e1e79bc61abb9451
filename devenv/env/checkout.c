/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkout.c - the project's directory.
 *
 * A project below a directory that a sandbox can write to can be exchanged at any moment: renamed, and a link to
 * something else put in its place. So the directory is opened once. The config, the lock and the env files are read below
 * that descriptor, the trust record is chosen by where the descriptor really is, and the plan says which directory it
 * was: the launcher mounts that one or none.
 */
#include "env/checkout.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"
#include "env/clone.h"

/* Does `dir`, as it is spelled, lie in the directory that `st` is of? Missing parts are none of it. */
static bool spelled_below(const char *dir, const struct stat *st)
{
	cleanup_free char *path = mem_strdup(dir);

	for (;;) {
		struct stat here;
		char *up;

		if (stat(path, &here) == 0 && here.st_dev == st->st_dev && here.st_ino == st->st_ino)
			return true;
		if (strcmp(path, "/") == 0)
			return false;
		up = path_parent(path);
		free(path);
		path = up;
	}
}

/* The same by its real path: a home behind a link has other parents than the link. */
static bool lies_in(const char *dir, const struct stat *st)
{
	cleanup_free char *real = NULL;
	cleanup_free char *path = mem_strdup(dir);

	if (spelled_below(dir, st))
		return true;
	/* What is not there yet will be made behind the same links. */
	while (!(real = realpath(path, NULL)) && strcmp(path, "/") != 0) {
		char *up = path_parent(path);

		free(path);
		path = up;
	}
	return real && spelled_below(real, st);
}

static int refuse_own(const struct environment *env, const struct stat *st, struct err *e)
{
	const struct dirs *d = &env->dirs;
	const struct {
		const char *path, *what;
	} own[] = {
		{ d->home, "the home directory" },
		{ d->store, "the store" },
		{ d->state, "devenv's own records" },
		{ d->runtime, "devenv's own locks" },
		{ d->config, "your settings of devenv" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (!lies_in(own[i].path, st))
			continue;
		err_set(e, ERR_CONFIG, "%s can't be a project: %s would be in it (%s)", text_safe(env->project),
			own[i].what, text_safe(own[i].path));
		return err_hint(e, "move devenv.ini into a directory of its own");
	}
	return 0;
}

/* Who looked for the project looked at a path; this is what was opened. */
static int check(const struct environment *env, struct err *e)
{
	struct stat st;

	if (fstat(env->project_fd, &st) < 0)
		return err_sys(e, "can't look at %s", text_safe(env->project));
	if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & S_IWOTH))
		return err_set(e, ERR_CONFIG, "%s can be written by other users", text_safe(env->project));
	return refuse_own(env, &st, e);
}

int checkout_open(struct environment *env, struct err *e)
{
	cleanup_free char *handle = NULL;

	env->project_fd = file_open_dir(AT_FDCWD, env->project, e);
	if (env->project_fd < 0 || check(env, e) < 0)
		return -1;
	handle = mem_printf("/proc/self/fd/%d", env->project_fd);
	env->clone = clone_name(access(handle, F_OK) == 0 ? handle : env->project);
	return 0;
}

void checkout_close(struct environment *env)
{
	/* Without a project there is no descriptor either, whatever the number says. */
	if (env->project && env->project_fd >= 0)
		close(env->project_fd);
	env->project_fd = -1;
	free(env->clone);
	env->clone = NULL;
}

int checkout_is_there(const struct environment *env, struct stat *st, struct err *e)
{
	struct stat opened, there;

	if (fstat(env->project_fd, &opened) < 0)
		return err_sys(e, "can't look at %s", text_safe(env->project));
	if (stat(env->project, &there) < 0 || there.st_dev != opened.st_dev || there.st_ino != opened.st_ino) {
		err_set(e, ERR_FAILED, "%s is not the directory any more that %s was read from", text_safe(env->project),
			env->config.file);
		return err_hint(e, "find out who moved it, then try again");
	}
	if (st)
		*st = opened;
	return 0;
}

struct checkout_way checkout_way(const struct environment *env, const struct env_place *place)
{
	const char *below = place->outside ? NULL : path_below(place->path, env->project);

	return (struct checkout_way){
		.dirfd = below ? env->project_fd : AT_FDCWD,
		.name = !below ? place->path : *below ? below : ".",
		.resolve = SYS_RESOLVE_NO_MAGICLINKS | (below ? SYS_RESOLVE_BENEATH : SYS_RESOLVE_NO_SYMLINKS),
	};
}
