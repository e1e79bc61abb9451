/* SPDX-License-Identifier: Apache-2.0 */
/* idmap.c - the one-uid map: a single line that an unprivileged process may write for itself (user_namespaces(7)). */
#include "sandbox/idmap.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_file(int proc_fd, const char *name, const char *text, struct err *e)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s%s", proc_fd == AT_FDCWD ? "/proc/self/" : "", name);
	/* Left open for the close_range that every process here does before it runs anything. */
	fd = openat(proc_fd, path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
		return 0;
	err_sys(e, "can't write the id map (%s)", name);
	if (e->sys == EMFILE || e->sys == ENFILE)
		return -1;
	e->code = ERR_SANDBOX;
	return err_hint(e, "`devenv doctor` says whether this machine restricts user namespaces");
}

int idmap_write(int proc_fd, uint32_t uid, uint32_t outer_uid, uint32_t gid, uint32_t outer_gid, struct err *e)
{
	char users[48], groups[48];

	snprintf(users, sizeof(users), "%u %u 1", uid, outer_uid);
	snprintf(groups, sizeof(groups), "%u %u 1", gid, outer_gid);
	if (write_file(proc_fd, "setgroups", "deny", e) < 0)
		return -1;
	if (write_file(proc_fd, "uid_map", users, e) < 0)
		return -1;
	return write_file(proc_fd, "gid_map", groups, e);
}
