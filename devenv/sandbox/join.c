/* SPDX-License-Identifier: Apache-2.0 */
/* join.c - into the namespaces of a holder: one setns on its pidfd for all of them. */
#include "sandbox/join.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "sandbox/discard.h"
#include "sandbox/idmap.h"

static int become_root(const struct plan *p, int proc_fd, struct err *e)
{
	if (unshare(CLONE_NEWUSER) < 0) {
		err_sys(e, "can't make the user namespace of `--root`");
		e->code = ERR_SANDBOX;
		return -1;
	}
	return idmap_write(proc_fd, 0, p->uid, 0, p->gid, e);
}

int join_enter(const struct plan *p, const struct holder *h, bool root, int *scratch_fd, struct err *e)
{
	int namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
			 (p->network == PLAN_NETWORK_NONE ? CLONE_NEWNET : 0);
	cleanup_close int proc_fd = -1;

	/* The /proc inside does not show this process: it stays in the pid namespace it was born in. */
	if (root) {
		proc_fd = openat(AT_FDCWD, "/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (proc_fd < 0)
			return err_sys(e, "can't open /proc/self");
	}
	if (setns(h->pidfd, namespaces) < 0) {
		err_sys(e, "can't join the environment");
		e->code = ERR_SANDBOX;
		return -1;
	}
	/* Now: as root of the child namespace there is no way to it. */
	if (scratch_fd)
		*scratch_fd = discard_open_scratch();
	return root ? become_root(p, proc_fd, e) : 0;
}

int join_open_workdir(const char *path, struct err *e)
{
	int fd;

	while (*path == '/')
		path++;
	fd = sys_openat2(AT_FDCWD, *path ? path : ".", O_PATH | O_DIRECTORY, 0,
			 SYS_RESOLVE_IN_ROOT | SYS_RESOLVE_NO_MAGICLINKS);
	return fd < 0 ? err_sys(e, "can't use /%s as the working directory inside", text_safe(path)) : fd;
}
