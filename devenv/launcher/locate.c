/* SPDX-License-Identifier: Apache-2.0 */
/* locate.c - where the core program is: relative to the launcher, so that a tree can be moved as a whole. */
#include "launcher/locate.h"

#include <limits.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

char *locate_core(struct err *e)
{
	static const char *const places[] = { "devenv-core", "../libexec/devenv/devenv-core" };
	cleanup_free char *dir = NULL;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	if (n < 0) {
		err_sys(e, "can't find out where devenv is installed (/proc/self/exe)");
		return NULL;
	}
	self[n] = '\0';
	dir = path_parent(self);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *joined = path_join(dir, places[i]);
		char *path = path_clean(joined);

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	err_set(e, ERR_FAILED, "devenv-core is neither in %s nor in ../libexec/devenv beside it", dir);
	err_hint(e, "install devenv again");
	return NULL;
}
