/* SPDX-License-Identifier: Apache-2.0 */
/* join.c - into the namespaces of a holder: one setns on its pidfd for all of them. */
#include "sandbox/join.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "sandbox/devices.h"
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

/*
 * The kernel counts the processes of a user in this namespace, and remembers the limit of who makes a child namespace for
 * what is counted here: so it comes before that.
 */
static int limit_processes(uint32_t most, struct err *e)
{
	struct rlimit limit = { .rlim_cur = most, .rlim_max = most };

	return most && setrlimit(RLIMIT_NPROC, &limit) < 0 ? err_sys(e, "can't limit the number of processes") : 0;
}

int join_enter(const struct plan *p, const struct holder *h, bool root, struct join *j, struct err *e)
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
	j->scratch_fd = j->want_scratch ? discard_open_scratch() : -1;
	j->agent = devices_attach_agent(p, j->agent_fd);
	if (limit_processes(j->pids, e) < 0)
		return -1;
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
