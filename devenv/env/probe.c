/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.c - what this machine can do, found out by trying it.
 *
 * Settings tell half of the truth: a container, a security module or a hoster's patch refuses what every sysctl allows.
 * So each probe forks, the child does the real thing in namespaces of its own, and reports through a pipe which step
 * failed with which errno. Nothing it mounts or makes outlives it.
 */
#include "env/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"

#ifndef SYS_landlock_create_ruleset /* the same number on every architecture */
#define SYS_landlock_create_ruleset 444
#endif
#define LANDLOCK_VERSION_FLAG 1

static int failed(struct probe *p, const char *step)
{
	p->sys = errno;
	snprintf(p->step, sizeof(p->step), "%s", step);
	return -1;
}

static int write_text(const char *path, const char *text)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

static int enter_namespaces(struct probe *p, int more)
{
	char uid_map[48], gid_map[48];

	/* before the namespace: afterwards both are the overflow id */
	snprintf(uid_map, sizeof(uid_map), "0 %u 1", (unsigned int)geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", (unsigned int)getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | more) < 0)
		return failed(p, "unshare");
	if (write_text("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
		return failed(p, "write to /proc/self/setgroups");
	if (write_text("/proc/self/uid_map", uid_map) < 0)
		return failed(p, "write to /proc/self/uid_map");
	if (write_text("/proc/self/gid_map", gid_map) < 0)
		return failed(p, "write to /proc/self/gid_map");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return failed(p, "make mounts private");
	return 0;
}

static int try_user_namespace(struct probe *p)
{
	return enter_namespaces(p, 0);
}

static int enter_tmpfs(struct probe *p)
{
	if (enter_namespaces(p, 0) < 0)
		return -1;
	if (mount("probe", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, NULL) < 0)
		return failed(p, "mount tmpfs");
	return chdir("/tmp") < 0 ? failed(p, "enter tmpfs") : 0;
}

static int try_overlay(struct probe *p)
{
	static const char *const dirs[] = { "lower", "upper", "work", "merged" };

	if (enter_tmpfs(p) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return failed(p, "mkdir");
	if (mount("probe", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work,userxattr") <
	    0)
		return failed(p, "mount overlay with userxattr");
	return 0;
}

static int try_tmpfs_xattr(struct probe *p)
{
	if (enter_tmpfs(p) < 0)
		return -1;
	if (mkdir("d", 0755) < 0)
		return failed(p, "mkdir");
	return setxattr("d", "user.devenv", "y", 1, 0) < 0 ? failed(p, "set a user attribute on tmpfs") : 0;
}

static int try_proc(struct probe *p)
{
	int status;
	pid_t pid;

	if (enter_namespaces(p, CLONE_NEWPID) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return failed(p, "fork in a pid namespace");
	if (pid == 0)
		_exit(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? errno : 0);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return failed(p, "wait");
	errno = WEXITSTATUS(status);
	return errno ? failed(p, "mount proc") : 0;
}

static int try_devpts(struct probe *p)
{
	if (enter_tmpfs(p) < 0)
		return -1;
	if (mkdir("pts", 0755) < 0)
		return failed(p, "mkdir");
	if (mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620") < 0)
		return failed(p, "mount devpts");
	return open("pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) < 0 ? failed(p, "open a pseudo terminal") : 0;
}

/* Calls that need arguments to succeed get bad ones: what then matters is that the complaint is about those. */
static bool is_refused(long result)
{
	return result < 0 && (errno == ENOSYS || errno == EPERM);
}

static bool lacks_ofd_locks(void)
{
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1 };
	cleanup_close int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && fcntl(fd, F_OFD_SETLK, &l) < 0;
}

static int try_system_calls(struct probe *p)
{
	struct {
		const char *name;
		bool refused;
	} calls[8] = { 0 };
	size_t n = 0, len = 0;
	int pidfd;

	if (enter_namespaces(p, 0) < 0)
		return -1;
	pidfd = sys_pidfd_open(getpid());
	calls[n].name = "openat2", calls[n++].refused = is_refused(sys_openat2(AT_FDCWD, ".", O_PATH, 0, 0));
	calls[n].name = "open_tree", calls[n++].refused = is_refused(sys_open_tree(-1, "", 0));
	calls[n].name = "move_mount", calls[n++].refused = is_refused(sys_move_mount(-1, "", -1, "", 0));
	calls[n].name = "mount_setattr", calls[n++].refused = is_refused(sys_mount_setattr(-1, "", 0, &(struct sys_mount_attr){ 0 }));
	calls[n].name = "close_range", calls[n++].refused = is_refused(sys_close_range(~0U, ~0U, 0));
	calls[n].name = "pidfd_open", calls[n++].refused = pidfd < 0;
	/* before Linux 5.8 it knows no pidfd */
	calls[n].name = "setns", calls[n++].refused = pidfd >= 0 && setns(pidfd, CLONE_NEWNS) < 0;
	calls[n].name = "fcntl(F_OFD_SETLK)", calls[n++].refused = lacks_ofd_locks();
	for (size_t i = 0; i < n; i++)
		if (calls[i].refused)
			len += (size_t)snprintf(p->step + len, sizeof(p->step) - len, "%s%s", len ? ", " : "", calls[i].name);
	p->sys = len ? ENOSYS : 0;
	return len ? -1 : 0;
}

static enum probe_result run(struct probe *p, int (*attempt)(struct probe *p))
{
	int pipe_fds[2];
	pid_t pid;
	ssize_t n;

	memset(p, 0, sizeof(*p));
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return PROBE_UNKNOWN;
	pid = fork();
	if (pid == 0) {
		attempt(p);
		n = write(pipe_fds[1], p, sizeof(*p));
		_exit(n == (ssize_t)sizeof(*p) ? 0 : 1);
	}
	close(pipe_fds[1]);
	n = pid < 0 ? -1 : read(pipe_fds[0], p, sizeof(*p));
	close(pipe_fds[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != (ssize_t)sizeof(*p)) {
		memset(p, 0, sizeof(*p));
		return PROBE_UNKNOWN;
	}
	return p->step[0] ? PROBE_NO : PROBE_YES;
}

enum probe_result probe_user_namespace(struct probe *p)
{
	return run(p, try_user_namespace);
}

enum probe_result probe_overlay(struct probe *p)
{
	return run(p, try_overlay);
}

enum probe_result probe_tmpfs_xattr(struct probe *p)
{
	return run(p, try_tmpfs_xattr);
}

enum probe_result probe_proc(struct probe *p)
{
	return run(p, try_proc);
}

enum probe_result probe_devpts(struct probe *p)
{
	return run(p, try_devpts);
}

enum probe_result probe_system_calls(struct probe *p)
{
	return run(p, try_system_calls);
}

enum probe_result probe_seccomp(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ? PROBE_YES : PROBE_NO;
}

int probe_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION_FLAG);

	return abi < 0 ? 0 : (int)abi;
}

/* The child makes a grandchild and ends at once; the grandchild ends when the child is gone, an orphan. */
static pid_t make_orphan(void)
{
	int report[2], gate[2];
	pid_t middle, orphan = -1;
	char byte;

	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	if (pipe2(gate, O_CLOEXEC) < 0) {
		close(report[0]);
		close(report[1]);
		return -1;
	}
	middle = fork();
	if (middle == 0) {
		close(gate[1]);
		orphan = fork();
		if (orphan ==
		    0) /* returns when our first parent has closed the gate, after it waited for the child */
			_exit(read(gate[0], &byte, 1) < 0);
		_exit(write(report[1], &orphan, sizeof(orphan)) != (ssize_t)sizeof(orphan));
	}
	close(report[1]);
	if (middle < 0 || read(report[0], &orphan, sizeof(orphan)) != (ssize_t)sizeof(orphan))
		orphan = -1;
	while (middle > 0 && waitpid(middle, NULL, 0) < 0 && errno == EINTR)
		;
	close(report[0]);
	close(gate[0]);
	close(gate[1]);
	return orphan;
}

enum probe_result probe_init_reaps(void)
{
	struct timespec pause = { .tv_nsec = 10000000 };
	pid_t orphan = make_orphan();

	for (int i = 0; orphan > 0 && i < 100; i++) {
		if (kill(orphan, 0) < 0)
			return PROBE_YES;
		nanosleep(&pause, NULL);
	}
	return orphan > 0 ? PROBE_NO : PROBE_UNKNOWN;
}
