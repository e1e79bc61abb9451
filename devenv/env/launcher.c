/* SPDX-License-Identifier: Apache-2.0 */
/* launcher.c - where the launcher is: relative to the core, so that a tree can be moved as a whole. */
#include "env/launcher.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

char *launcher_find(struct err *e)
{
	static const char *const places[] = { "devenv", "../bin/devenv", "../../bin/devenv" };
	cleanup_free char *self = realpath("/proc/self/exe", NULL);
	cleanup_free char *dir = NULL;

	if (!self) {
		err_sys_(e, errno, "can't find the directory of devenv-core");
		return NULL;
	}
	dir = path_parent(self);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *path = path_join(dir, places[i]);

		if (access(path, X_OK) == 0)
			return mem_steal(path);
	}
	err_set_(e, ERR_SANDBOX, "can't find the launcher 'devenv' beside %s", self);
	err_hint_(e, "install devenv again");
	return NULL;
}
