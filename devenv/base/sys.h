/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys.h - system calls that musl 1.2.3 or glibc 2.36 have no wrapper for, and the constants they take.
 *
 * The constants are spelled here because <linux/mount.h> and <sys/mount.h> can't be included together. Every function
 * is the bare call: -1 and errno on failure.
 */
#ifndef DEVENV_BASE_SYS_H
#define DEVENV_BASE_SYS_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

struct sys_open_how {
	uint64_t flags, mode, resolve;
};
#define SYS_RESOLVE_NO_XDEV	  0x01
#define SYS_RESOLVE_NO_MAGICLINKS 0x02
#define SYS_RESOLVE_NO_SYMLINKS	  0x04
#define SYS_RESOLVE_BENEATH	  0x08
#define SYS_RESOLVE_IN_ROOT	  0x10

struct sys_mount_attr {
	uint64_t set, clear, propagation, userns_fd;
};
#define SYS_MOUNT_ATTR_RDONLY 0x01
#define SYS_MOUNT_ATTR_NOSUID 0x02
#define SYS_MOUNT_ATTR_NODEV  0x04
#define SYS_MOUNT_ATTR_NOEXEC 0x08
#define SYS_MOUNT_ATTR_IDMAP  0x00100000

#define SYS_OPEN_TREE_CLONE	   1
#define SYS_AT_RECURSIVE	   0x8000
#define SYS_MOVE_MOUNT_F_EMPTY_PATH 0x04
#define SYS_MOVE_MOUNT_T_EMPTY_PATH 0x40

struct sys_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

#ifndef __NR_open_tree /* the same number on every architecture since Linux 5.1 */
#define __NR_open_tree 428
#define __NR_move_mount 429
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open 434
#endif
#ifndef __NR_pidfd_send_signal
#define __NR_pidfd_send_signal 424
#endif
#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_mount_setattr
#define __NR_mount_setattr 442
#endif

static inline int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct sys_open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };

	return (int)syscall(__NR_openat2, dirfd, path, &how, sizeof(how));
}
static inline int sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return (int)syscall(__NR_open_tree, dirfd, path, flags | O_CLOEXEC);
}
static inline int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	return (int)syscall(__NR_move_mount, from_fd, from, to_fd, to, flags);
}
static inline int sys_mount_setattr(int dirfd, const char *path, unsigned int flags, struct sys_mount_attr *attr)
{
	return (int)syscall(__NR_mount_setattr, dirfd, path, flags, attr, sizeof(*attr));
}
static inline int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)syscall(__NR_close_range, first, last, flags);
}
static inline int sys_pidfd_open(pid_t pid)
{
	return (int)syscall(__NR_pidfd_open, pid, 0);
}
static inline int sys_pidfd_send_signal(int pidfd, int signal)
{
	return (int)syscall(__NR_pidfd_send_signal, pidfd, signal, NULL, 0);
}
static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

#endif
