/* SPDX-License-Identifier: Apache-2.0 */
/* namespaces.h - for the child of a test: another user, and a user namespace in which it may mount. */
#ifndef TESTS_UNIT_NAMESPACES_H
#define TESTS_UNIT_NAMESPACES_H

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NAMESPACES_MISSING = 77 }; /* exit status of a child that can't have them: skip the test */

/* If root, become nobody for good. */
static inline bool become_nobody(void)
{
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
	                       setresuid(65534, 65534, 65534) < 0))
		return false;
	return prctl(PR_SET_DUMPABLE, 1) == 0; /* or /proc/self is root's after the change of uid */
}

static inline bool namespaces_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* A user and a mount namespace with the caller as its root. */
static inline bool enter_namespaces(void)
{
	char uid_map[64], gid_map[64];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", (unsigned int)geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", (unsigned int)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       namespaces_write("/proc/self/setgroups", "deny") &&
	       namespaces_write("/proc/self/uid_map", uid_map) &&
	       namespaces_write("/proc/self/gid_map", gid_map);
}

/* Exit status of a child, 128+N when signal N ended it. */
static inline int child_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
