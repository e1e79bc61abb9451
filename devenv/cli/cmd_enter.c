/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_enter.c - `enter` and `run` typed at devenv-core: they are the launcher's, so it takes our place.
 *
 * The launcher hands us only their -h, which is answered before this is reached; so the two can't call each other for
 * ever.
 */
#include "cli/cli.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "cli/launcher.h"

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

int cmd_enter(struct cli *c, struct err *e)
{
	cleanup_free char *path = launcher_find(e);

	if (!path)
		return -1;
	execv(path, c->argv);
	return err_sys(e, "can't start the launcher %s", path);
}
