/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_enter.c - `enter` and `run` typed at devenv-core: they are the launcher's, so it takes our place.
 *
 * The launcher hands us only their -h, which is answered before this is reached; so the two can't call each other for
 * ever.
 */
#include "cli/cli.h"

#include <unistd.h>

#include "base/mem.h"
#include "env/launcher.h"

int cmd_enter(struct cli *c, struct err *e)
{
	cleanup_free char *path = launcher_find(e);

	if (!path)
		return -1;
	execv(path, c->argv);
	return err_sys(e, "can't start the launcher %s", path);
}
