/* SPDX-License-Identifier: Apache-2.0 */
/* around.c - the repository that a project is a subdirectory of. */
#include "env/around.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

char *around_find(const char *project)
{
	cleanup_free char *dir = mem_strdup(project);

	for (;;) {
		cleanup_free char *dotgit = path_join(dir, ".git");
		struct stat git, top;
		char *up;

		if (lstat(dotgit, &git) == 0) {
			/* What somebody else put above us, such as /tmp/.git, is not ours to follow (as git's safe.directory). */
			if (strcmp(dir, project) == 0 || stat(dir, &top) < 0 || git.st_uid != getuid() || top.st_uid != getuid())
				return NULL;
			if (!S_ISDIR(git.st_mode) && !S_ISREG(git.st_mode))
				return NULL;
			return mem_strdup(dir);
		}
		if (strcmp(dir, "/") == 0)
			return NULL;
		up = path_parent(dir);
		free(dir);
		dir = up;
	}
}
