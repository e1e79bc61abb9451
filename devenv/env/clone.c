/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone.c - which clone of a repository a project belongs to.
 *
 * What this says decides which trust record counts, so a repository must not be able to claim another's: a `.git` that
 * is a link is not followed; a `.git` file must name a directory COMMON/worktrees/ID whose own `gitdir` names that very
 * `.git` file and whose `commondir` is COMMON. Only somebody who can write inside COMMON can make that true.
 */
#include "env/clone.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/text.h"
#include "plan/gitkeys.h"

#define CONFIG_MAX (1u << 20)

/* As the kernel sees it at one moment: realpath() looks at one part after the other. */
static char *real_path(const char *path, int flags)
{
	cleanup_close int fd = open(path, O_PATH | O_CLOEXEC | flags);
	char handle[40], real[PATH_MAX];
	ssize_t n;

	if (fd < 0)
		return NULL;
	snprintf(handle, sizeof(handle), "/proc/self/fd/%d", fd);
	n = readlink(handle, real, sizeof(real));
	if (n <= 0 || n == sizeof(real))
		return realpath(path, NULL);
	return mem_strndup(real, (size_t)n);
}

static char *read_path(const char *dir, const char *file)
{
	cleanup_free char *path = path_join(dir, file);
	cleanup_free char *line = file_line(path);
	cleanup_free char *joined = NULL;

	if (!line || !*line)
		return NULL;
	joined = path_join(dir, line);
	return real_path(joined, 0);
}

/* The common directory of the linked worktree whose .git file is `dotgit`, or NULL when the link isn't answered. */
static char *linked_common(const char *dotgit, const char *work_tree)
{
	cleanup_free char *line = file_line(dotgit);
	cleanup_free char *joined = NULL, *own = NULL, *common = NULL, *back = NULL, *real = NULL, *worktrees = NULL;
	cleanup_free char *expected = NULL;

	if (!line || !text_starts(line, "gitdir: "))
		return NULL;
	joined = path_join(work_tree, line + strlen("gitdir: "));
	own = real_path(joined, 0);
	real = real_path(dotgit, 0);
	if (!own || !real)
		return NULL;
	common = read_path(own, "commondir");
	back = read_path(own, "gitdir");
	if (!common || !back || strcmp(back, real) != 0)
		return NULL;
	worktrees = path_parent(own);
	expected = path_join(common, "worktrees");
	return strcmp(worktrees, expected) == 0 ? mem_steal(common) : NULL;
}

static char *common_dir(const char *work_tree, bool *found)
{
	cleanup_free char *dotgit = path_join(work_tree, ".git");
	struct stat st;

	*found = lstat(dotgit, &st) == 0;
	if (!*found)
		return NULL;
	if (S_ISDIR(st.st_mode))
		return real_path(dotgit, O_NOFOLLOW);
	return S_ISREG(st.st_mode) ? linked_common(dotgit, work_tree) : NULL;
}

char *clone_worktree_common(const char *work_tree)
{
	cleanup_free char *dotgit = path_join(work_tree, ".git");
	struct stat st;

	return lstat(dotgit, &st) == 0 && S_ISREG(st.st_mode) ? linked_common(dotgit, work_tree) : NULL;
}

/* The last one counts. */
static void take_work_tree(void *data, const char *name, const char *value)
{
	char **last = data;

	if (strcmp(name, "core.worktree") == 0) {
		free(*last);
		*last = mem_strdup(value);
	}
}

/* As with worktrees: the .git file is the project's to write, what answers it is not. */
char *clone_submodule_git(const char *work_tree)
{
	cleanup_free char *dotgit = path_join(work_tree, ".git");
	cleanup_free char *line = file_line(dotgit), *joined = NULL, *own = NULL, *config = NULL, *back = NULL, *real = NULL;
	cleanup_free char *answer = NULL, *answered = NULL;
	cleanup_buf struct buf text = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (!line || !text_starts(line, "gitdir: "))
		return NULL;
	joined = path_join(work_tree, line + strlen("gitdir: "));
	own = real_path(joined, O_DIRECTORY);
	real = real_path(work_tree, O_DIRECTORY);
	if (!own || !real)
		return NULL;
	config = path_join(own, "config");
	if (file_read(AT_FDCWD, config, CONFIG_MAX, O_NOFOLLOW, &text, NULL, &ignored) < 0)
		return NULL;
	gitkeys_scan(text.data, text.len, take_work_tree, &back);
	if (!back || !*back)
		return NULL;
	answer = path_join(own, back);
	answered = real_path(answer, O_DIRECTORY);
	return answered && strcmp(answered, real) == 0 ? mem_steal(own) : NULL;
}

char *clone_key(const char *project)
{
	cleanup_free char *real = real_path(project, 0);
	cleanup_free char *dir = mem_strdup(real ? real : project);
	const char *root = real ? real : project;

	for (;;) {
		bool found;
		/* Its own .git by the way that was given: a descriptor's stays the same directory. */
		cleanup_free char *common = common_dir(strcmp(dir, root) == 0 ? project : dir, &found);
		char *up;

		if (common)
			return mem_printf("git:%s\n%s", common, path_below(root, dir));
		if (found || strcmp(dir, "/") == 0)
			return mem_printf("path:%s", root);
		up = path_parent(dir);
		free(dir);
		dir = up;
	}
}

static char *name_of(const char *key)
{
	char digest[DIGEST_MAX];

	digest_bytes(key, strlen(key), digest);
	return mem_strdup(digest_hex(digest));
}

char *clone_name(const char *project)
{
	cleanup_free char *key = clone_key(project);

	return name_of(key);
}

char *clone_path_name(const char *project)
{
	cleanup_free char *real = real_path(project, 0);
	cleanup_free char *key = mem_printf("path:%s", real ? real : project);

	return name_of(key);
}
