/* SPDX-License-Identifier: Apache-2.0 */
/* project.c - walking up to the nearest devenv.ini, and who may have put it there (security rule 20). */
#include "base/project.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/self.h"
#include "base/text.h"

static const char *kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFLNK:
		return "a symbolic link";
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	default:
		return "a device";
	}
}

/* $HOME may go through a link (/home -> var/home) where getcwd() does not, and the other way round. */
static bool is_home(const char *path, const struct stat *dir, const char *home)
{
	struct stat st;

	/* What lies below the path of home is not home: the usual case, without a system call. */
	if (home && path_below(path, home))
		return !*path_below(path, home);
	return home && stat(home, &st) == 0 && dir->st_dev == st.st_dev && dir->st_ino == st.st_ino;
}

static int check(const char *dir, const char *home, const struct stat *config, struct err *e)
{
	const char *base = strcmp(dir, "/") ? dir : "";
	uid_t me = self_uid();
	struct stat st;

	/* A link would let a repository name any file of the machine; skipping it would silently use another project. */
	if (!S_ISREG(config->st_mode)) {
		err_set(e, ERR_CONFIG, "%s/" PROJECT_CONFIG " is %s, not a regular file", text_safe(base),
			kind(config->st_mode));
		if (S_ISLNK(config->st_mode))
			return err_hint(e, "links are not followed: put a file with its content in its place");
		return err_hint(e, "move it away, or put a file in its place");
	}
	if (stat(dir, &st) < 0)
		return err_sys(e, "can't look at %s", text_safe(dir));
	if (!strcmp(dir, "/") || is_home(dir, &st, home)) {
		err_set(e, ERR_CONFIG, "%s/" PROJECT_CONFIG ": %s can't be a project", text_safe(base),
			strcmp(dir, "/") ? "the home directory" : "the root directory");
		return err_hint(e, "move it into a directory of its own");
	}
	if (config->st_uid != me) {
		err_set(e, ERR_CONFIG, "%s/" PROJECT_CONFIG " belongs to another user (uid %u)", text_safe(base),
			(unsigned int)config->st_uid);
		return err_hint(e, "work in a checkout of your own, or chown it if you trust what is in it");
	}
	if (st.st_uid != me && st.st_uid != 0)
		return err_set(e, ERR_CONFIG, "%s belongs to another user (uid %u)", text_safe(dir),
			       (unsigned int)st.st_uid);
	if (st.st_mode & S_IWOTH) {
		err_set(e, ERR_CONFIG, "%s is writable by everybody, so anybody could have put " PROJECT_CONFIG " there",
			text_safe(dir));
		return err_hint(e, "chmod o-w the directory, or move the project");
	}
	return 0;
}

int project_find(const char *start, const char *home, char **root, struct err *e)
{
	cleanup_free char *cwd = NULL;
	cleanup_free char *dir = NULL;

	if (!start) {
		cwd = getcwd(NULL, 0);
		if (!cwd)
			return err_sys(e, "can't tell the current directory");
		start = cwd;
	}
	if (start[0] != '/')
		return err_set(e, ERR_FAILED, "can't look for a project from %s: not an absolute path", text_safe(start));
	dir = path_clean(start);
	for (;;) {
		cleanup_free char *file = path_join(dir, PROJECT_CONFIG);
		struct stat st;
		char *parent;

		if (lstat(file, &st) == 0) {
			if (check(dir, home, &st, e) < 0)
				return -1;
			*root = mem_steal(dir);
			return 0;
		}
		if (errno != ENOENT && errno != ENOTDIR)
			return err_sys(e, "can't look for %s", text_safe(file));
		if (!strcmp(dir, "/"))
			break;
		parent = path_parent(dir);
		free(dir);
		dir = parent;
	}
	err_set(e, ERR_NO_PROJECT, "no " PROJECT_CONFIG " in %s or above", text_safe(start));
	return err_hint(e, "run `devenv init` in the project's directory to write one");
}

int project_change_to(const char *directory, struct err *e)
{
	if (chdir(directory) == 0)
		return 0;
	if (errno == ENOTDIR) {
		err_set(e, ERR_FAILED, "'%s' is not a directory", text_safe(directory));
		return err_hint(e, "-C takes the directory of a project, or one below it");
	}
	return err_sys(e, "can't use directory '%s'", text_safe(directory));
}
