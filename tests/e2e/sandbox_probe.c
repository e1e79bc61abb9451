/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_probe.c - what can be done from inside: linked statically, run by sandbox.bats in sessions.
 *
 *   calls        a table: one line per system call tried, "NAME RESULT" (ok, an errno, SIGNAL N)
 *   pid1         what may be done to pid 1; only what should fail prints its name
 *   exe SECONDS  attack every /proc/N/exe that appears, until there is a file stop-attack; prints what it could see
 *   fds          the open descriptors
 *   orphans N    leave N orphans behind and count zombies a second later
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define HIGH (1UL << 32)
#define NONE (-1UL)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *error_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = { { EPERM, "EPERM" }, { ENOSYS, "ENOSYS" }, { EAFNOSUPPORT, "EAFNOSUPPORT" }, { EACCES, "EACCES" },
		      { EBADF, "EBADF" }, { EINVAL, "EINVAL" }, { ESRCH, "ESRCH" }, { EFAULT, "EFAULT" }, { EROFS, "EROFS" } };
	static char number[16];

	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].error == error)
			return names[i].name;
	snprintf(number, sizeof(number), "%d", error);
	return number;
}

/* ---- calls ---- */

struct call {
	const char *name;
	long number;
	unsigned long a, b, c, d;
};

#define NEW(flag) ((unsigned long)(flag) | SIGCHLD)
static const struct call calls[] = {
	{ "mount", SYS_mount, 0, 0, 0, 0 },
	{ "umount2", SYS_umount2, 0, 0, 0, 0 },
	{ "pivot_root", SYS_pivot_root, 0, 0, 0, 0 },
	{ "open_tree", 428, NONE, 0, 0, 0 },
	{ "move_mount", 429, NONE, 0, NONE, 0 },
	{ "fsopen", 430, 0, 0, 0, 0 },
	{ "fsconfig", 431, NONE, 0, 0, 0 },
	{ "fsmount", 432, NONE, 0, 0, 0 },
	{ "fspick", 433, NONE, 0, 0, 0 },
	{ "mount_setattr", 442, NONE, 0, 0, 0 },
	{ "open_tree_attr", 467, NONE, 0, 0, 0 },
	{ "setns", SYS_setns, NONE, 0, 0, 0 },
	{ "unshare-user", SYS_unshare, 0x10000000, 0, 0, 0 },
	{ "unshare-user-high", SYS_unshare, 0x10000000 | HIGH, 0, 0, 0 },
	{ "unshare-mount", SYS_unshare, 0x00020000, 0, 0, 0 },
	{ "unshare-net", SYS_unshare, 0x40000000, 0, 0, 0 },
	{ "unshare-pid", SYS_unshare, 0x20000000, 0, 0, 0 },
	{ "unshare-uts", SYS_unshare, 0x04000000, 0, 0, 0 },
	{ "unshare-ipc", SYS_unshare, 0x08000000, 0, 0, 0 },
	{ "unshare-cgroup", SYS_unshare, 0x02000000, 0, 0, 0 },
	{ "unshare-time", SYS_unshare, 0x00000080, 0, 0, 0 },
	{ "unshare-files", SYS_unshare, 0x00000400, 0, 0, 0 },
	{ "clone-user", SYS_clone, NEW(0x10000000), 0, 0, 0 },
	{ "clone-user-high", SYS_clone, NEW(0x10000000) | HIGH, 0, 0, 0 },
	{ "clone-user-and-fs", SYS_clone, NEW(0x10000200), 0, 0, 0 },
	{ "clone-mount", SYS_clone, NEW(0x00020000), 0, 0, 0 },
	{ "clone-net", SYS_clone, NEW(0x40000000), 0, 0, 0 },
	{ "clone-pid", SYS_clone, NEW(0x20000000), 0, 0, 0 },
	{ "clone3", 435, 0, 0, 0, 0 },
	{ "bpf", SYS_bpf, 0, 0, 0, 0 },
	{ "perf_event_open", SYS_perf_event_open, 0, 0, 0, 0 },
	{ "userfaultfd", SYS_userfaultfd, 0, 0, 0, 0 },
	{ "io_uring_setup", 425, 1, 0, 0, 0 },
	{ "io_uring_enter", 426, NONE, 0, 0, 0 },
	{ "io_uring_register", 427, NONE, 0, 0, 0 },
	{ "keyctl", SYS_keyctl, 0, 0, 0, 0 },
	{ "add_key", SYS_add_key, 0, 0, 0, 0 },
	{ "request_key", SYS_request_key, 0, 0, 0, 0 },
	{ "kexec_load", SYS_kexec_load, 0, 0, 0, 0 },
	{ "init_module", SYS_init_module, 0, 0, 0, 0 },
	{ "finit_module", SYS_finit_module, NONE, 0, 0, 0 },
	{ "delete_module", SYS_delete_module, 0, 0, 0, 0 },
	{ "open_by_handle_at", SYS_open_by_handle_at, NONE, 0, 0, 0 },
	{ "syslog", SYS_syslog, 10, 0, 0, 0 },
	{ "reboot", SYS_reboot, 0, 0, 0, 0 },
	{ "swapon", SYS_swapon, 0, 0, 0, 0 },
	{ "swapoff", SYS_swapoff, 0, 0, 0, 0 },
	{ "acct", SYS_acct, 0, 0, 0, 0 },
	{ "sethostname", SYS_sethostname, 0, 0, 0, 0 },
	{ "setdomainname", SYS_setdomainname, 0, 0, 0, 0 },
	{ "settimeofday", SYS_settimeofday, 0, 0, 0, 0 },
	{ "clock_settime", SYS_clock_settime, 0, 0, 0, 0 },
	{ "quotactl", SYS_quotactl, 0, 0, 0, 0 },
	{ "fanotify_init", SYS_fanotify_init, 0, 0, 0, 0 },
	{ "move_pages", SYS_move_pages, 0, 0, 0, 0 },
	{ "migrate_pages", SYS_migrate_pages, 0, 0, 0, 0 },
	{ "vhangup", SYS_vhangup, 0, 0, 0, 0 },
	{ "socket-unix", SYS_socket, 1, 1, 0, 0 },
	{ "socket-inet", SYS_socket, 2, 1, 0, 0 },
	{ "socket-netlink", SYS_socket, 16, 3, 0, 0 },
	{ "socket-vsock", SYS_socket, 40, 1, 0, 0 },
	{ "socket-vsock-high", SYS_socket, 40 | HIGH, 1, 0, 0 },
	{ "socket-alg", SYS_socket, 38, 5, 0, 0 },
	{ "socket-alg-high", SYS_socket, 38 | HIGH << 5, 5, 0, 0 },
	{ "socket-packet", SYS_socket, 17, 3, 0, 0 },
	{ "socket-bluetooth", SYS_socket, 31, 3, 0, 0 },
	{ "socket-can", SYS_socket, 29, 3, 0, 0 },
	{ "socket-xdp", SYS_socket, 44, 3, 0, 0 },
	{ "socket-negative", SYS_socket, 0xffffffff, 1, 0, 0 },
	{ "socketpair-vsock", SYS_socketpair, 40, 1, 0, 0 },
	{ "ioctl-tiocsti", SYS_ioctl, 900, 0x5412, 0, 0 },
	{ "ioctl-tiocsti-high", SYS_ioctl, 900, 0x5412 | HIGH, 0, 0 },
	{ "ioctl-tioclinux", SYS_ioctl, 900, 0x541c, 0, 0 },
	{ "ioctl-other", SYS_ioctl, 900, 0x5413, 0, 0 },
	{ "personality-ask", SYS_personality, 0xffffffff, 0, 0, 0 },
	{ "personality-no-randomize", SYS_personality, 0x0040000, 0, 0, 0 },
	{ "personality-32-bit", SYS_personality, 8, 0, 0, 0 },
	{ "personality-read-implies-exec", SYS_personality, 0x0400000, 0, 0, 0 },
	{ "ptrace-traceme", SYS_ptrace, PTRACE_TRACEME, 0, 0, 0 },
	{ "process_vm_readv", SYS_process_vm_readv, NONE, 0, 0, 0 },
	{ "chroot", SYS_chroot, (unsigned long)"/", 0, 0, 0 },
	{ "mknod-device", SYS_mknodat, (unsigned long)AT_FDCWD, (unsigned long)"/tmp/probe-null", S_IFCHR | 0666, 0x103 },
	{ "setuid-unmapped", SYS_setuid, 54321, 0, 0, 0 },
	{ "setgroups", SYS_setgroups, 0, 0, 0, 0 },
	{ "nobody's-number", 1000, 0, 0, 0, 0 },
	{ "statmount", 457, 0, 0, 0, 0 },
	{ "listmount", 458, 0, 0, 0, 0 },
	{ "lsm_set_self_attr", 460, 0, 0, 0, 0 },
	{ "file_setattr", 469, NONE, 0, 0, 0 },
	{ "last-number", 0x3fffffff, 0, 0, 0, 0 },
	{ "minus-one", -1, 0, 0, 0, 0 },
	{ "mount-number-high", SYS_mount | (long)HIGH, 0, 0, 0, 0 },
	{ "kexec_file_load", 320, NONE, NONE, 0, 0 },
	{ "fanotify_mark", SYS_fanotify_mark, NONE, 0, 0, 0 },
	{ "quotactl_fd", 443, NONE, 0, 0, 0 },
	{ "iopl", 172, 3, 0, 0, 0 },
	{ "ioperm", 173, 0, 1, 1, 0 },
	{ "unshare-mount-high", SYS_unshare, 0x00020000 | HIGH << 7, 0, 0, 0 },
	{ "clone-uts", SYS_clone, NEW(0x04000000), 0, 0, 0 },
	{ "clone-ipc", SYS_clone, NEW(0x08000000), 0, 0, 0 },
	{ "clone-cgroup", SYS_clone, NEW(0x02000000), 0, 0, 0 },
	{ "clone-all-high", SYS_clone, NEW(0x7e020000) | HIGH << 31, 0, 0, 0 },
	{ "clone3-high", 435 | (long)HIGH, 0, 0, 0, 0 },
	{ "socket-inet-high", SYS_socket, 2 | HIGH, 1, 0, 0 },
	{ "socket-packet-high", SYS_socket, 17 | HIGH << 9, 3, 0, 0 },
	{ "socketpair-alg-high", SYS_socketpair, 38 | HIGH, 5, 0, 0 },
	{ "ioctl-tioclinux-high", SYS_ioctl, 900, 0x541c | HIGH << 20, 0, 0 },
	{ "personality-32-bit-high", SYS_personality, 8 | HIGH, 0, 0, 0 },
	{ "prlimit-pid1", SYS_prlimit64, 1, 7, 0, 0 },
	{ "prlimit-pid1-high", SYS_prlimit64, 1 | HIGH, 7, 0, 0 },
	{ "prlimit-self", SYS_prlimit64, 0, 7, 0, 0 },
};

/* Run f(argument) in a child and print what became of it. */
static void try(const char *name, long (*f)(const struct call *), const struct call *c)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		long r = f(c);

		_exit(r < 0 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s SIGNAL %d\n", name, WTERMSIG(status));
	else
		printf("%s %s\n", name, WEXITSTATUS(status) ? error_name(WEXITSTATUS(status)) : "ok");
}

static long plain(const struct call *c)
{
	errno = 0;
	return syscall(c->number, c->a, c->b, c->c, c->d, 0UL, 0UL);
}

#ifdef __x86_64__
static long by_int80(const struct call *c)
{
	long r = c->number;

	__asm__ volatile("int $0x80" : "+a"(r) : "b"(c->a), "c"(c->b), "d"(c->c) : "memory", "r8", "r9", "r10", "r11");
	return 0;
}
#endif

static int do_calls(void)
{
	for (size_t i = 0; i < COUNT(calls); i++)
		try(calls[i].name, plain, &calls[i]);
#ifdef __x86_64__
	static const struct call other[] = {
		{ "x32-getpid", 0x40000000 | 39, 0, 0, 0, 0 },
		{ "x32-ioctl", 0x40000000 | 514, 0, 0x5412, 0, 0 },
		{ "x32-mount", 0x40000000 | 165, 0, 0, 0, 0 },
		{ "x32-execve", 0x40000000 | 520, 0, 0, 0, 0 },
		{ "x32-getpid-high", (0x40000000 | 39) | (long)HIGH, 0, 0, 0, 0 },
		{ "x32-last", 0x7fffffff, 0, 0, 0, 0 },
	}, old[] = { { "int80-getpid", 20, 0, 0, 0, 0 }, { "int80-mount", 21, 0, 0, 0, 0 },
		     { "int80-socketcall", 102, 1, 0, 0, 0 }, { "int80-clone", 120, 0x10000011, 0, 0, 0 } };

	for (size_t i = 0; i < COUNT(other); i++)
		try(other[i].name, plain, &other[i]);
	for (size_t i = 0; i < COUNT(old); i++)
		try(old[i].name, by_int80, &old[i]);
#endif
	return 0;
}

/* ---- pid 1 ---- */

static void must_fail(const char *what, long r)
{
	if (r >= 0)
		printf("possible: %s\n", what);
}

static int do_pid1(void)
{
	static const char *const files[] = { "/proc/1/mem", "/proc/1/environ", "/proc/1/maps", "/proc/1/auxv", "/proc/1/stack",
					     "/proc/1/syscall", "/proc/1/exe", "/proc/1/cwd", "/proc/1/root",
					     "/proc/1/pagemap", "/proc/1/io" };
	static const char *const links[] = { "/proc/1/exe", "/proc/1/cwd", "/proc/1/root", "/proc/1/ns/mnt", "/proc/1/ns/user" };
	char byte, path[4096], target[4096];
	struct iovec here = { &byte, 1 }, there = { (void *)0x400000, 1 };
	long pidfd = syscall(SYS_pidfd_open, 1, 0);
	ssize_t n;

	for (size_t i = 0; i < COUNT(files); i++) {
		/* Some of these open for everybody, or for root, and refuse only then. */
		int fd = open(files[i], O_RDONLY), out = open(files[i], O_WRONLY);

		if (fd >= 0 && read(fd, &byte, 1) > 0)
			printf("possible: read %s\n", files[i]);
		if (out >= 0 && write(out, "x", 1) >= 0)
			printf("possible: write %s\n", files[i]);
		if (fd >= 0)
			close(fd);
		if (out >= 0)
			close(out);
	}
	for (size_t i = 0; i < COUNT(links); i++)
		must_fail(links[i], readlink(links[i], target, sizeof(target)));
	for (int fd = 0; fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/1/fd/%d", fd);
		must_fail("open a descriptor of pid 1", open(path, O_RDONLY | O_NONBLOCK));
		must_fail("read where a descriptor of pid 1 leads", readlink(path, target, sizeof(target)));
	}
	must_fail("chmod /proc/1/exe", chmod("/proc/1/exe", 0777));
	must_fail("chdir /proc/1/root", chdir("/proc/1/root"));
	must_fail("chdir /proc/1/cwd", chdir("/proc/1/cwd"));
	must_fail("ptrace attach", ptrace(PTRACE_ATTACH, 1, NULL, NULL));
	must_fail("ptrace seize", ptrace(PTRACE_SEIZE, 1, NULL, NULL));
	n = process_vm_readv(1, &here, 1, &there, 1, 0);
	must_fail("process_vm_readv", n > 0 ? 0 : -1);
	n = process_vm_writev(1, &here, 1, &there, 1, 0);
	must_fail("process_vm_writev", n > 0 ? 0 : -1);
	for (int fd = 0; fd < 20; fd++)
		must_fail("pidfd_getfd", syscall(438, pidfd, fd, 0));
	must_fail("kcmp", syscall(SYS_kcmp, 1, getpid(), 0, 0, 0) >= 0 ? 0 : -1);
	for (int signal = 1; signal <= 64; signal++)
		kill(1, signal); /* success is the kernel's answer; that it has no effect is what the caller looks at */
	printf("done\n");
	return 0;
}

/* ---- exe ---- */

static void attack(const char *pid, dev_t dev, ino_t ino)
{
	char path[64];
	struct stat st;
	int fd, other;

	snprintf(path, sizeof(path), "/proc/%.20s/exe", pid);
	other = stat(path, &st) == 0 && (st.st_dev != dev || st.st_ino != ino);
	fd = open(path, O_RDWR);
	if (fd >= 0) {
		if (fstat(fd, &st) == 0 && (st.st_dev != dev || st.st_ino != ino) && st.st_nlink)
			printf("opened %s for writing: inode %lu\n", path, (unsigned long)st.st_ino);
		close(fd);
	}
	if (other)
		printf("saw %s: %lx:%lu\n", path, (unsigned long)st.st_dev, (unsigned long)st.st_ino);
	chmod(path, 0777);
	utimensat(AT_FDCWD, path, NULL, 0);
	setxattr(path, "user.attack", "x", 1, 0);
	if (lchown(path, 0, 0) < 0 || chown(path, getuid(), getgid()) < 0)
		errno = 0;
	fd = open(path, O_PATH);
	if (fd >= 0) {
		char magic[64];

		snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
		chmod(magic, 0777);
		utimensat(AT_FDCWD, magic, NULL, 0);
		close(fd);
	}
	snprintf(path, sizeof(path), "/proc/%.20s/environ", pid);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		char text[65536];
		ssize_t n = read(fd, text, sizeof(text));

		if (n > 0 && memmem(text, (size_t)n, "HOST_SECRET", 11))
			printf("read the host's environment in %s\n", path);
		close(fd);
	}
}

/* `saw` lines name every program that was visible: the caller knows the launcher's device and inode. */
static int do_exe(int seconds)
{
	time_t end = time(NULL) + seconds;
	struct stat self;
	struct rlimit core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &core);
	if (stat("/proc/self/exe", &self) < 0)
		return 1;
	while (time(NULL) < end && access("stop-attack", F_OK) < 0) {
		DIR *dir = opendir("/proc");
		struct dirent *entry;

		while (dir && (entry = readdir(dir)))
			if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
				attack(entry->d_name, self.st_dev, self.st_ino);
		if (dir)
			closedir(dir);
	}
	printf("done\n");
	return 0;
}

/* ---- orphans ---- */

static int count_zombies(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir))) {
		char path[64], text[512], *end;
		int fd;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%.20s/stat", entry->d_name);
		fd = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? open(path, O_RDONLY) : -1;
		if (fd < 0)
			continue;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
		end = strrchr(text, ')');
		count += end && end[1] == ' ' && end[2] == 'Z';
	}
	if (dir)
		closedir(dir);
	return count;
}

static int do_orphans(int count)
{
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			/* The grandchild may outlive this child or not: an orphan, or a zombie whose parent is gone. */
			fork();
			_exit(0);
		}
		if (pid < 0) {
			printf("fork %d: %s\n", i, strerror(errno));
			return 1;
		}
		waitpid(pid, NULL, 0);
	}
	sleep(1);
	printf("zombies %d\n", count_zombies());
	return 0;
}

static int do_fds(void)
{
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d\n", fd);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int number = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "calls"))
		return do_calls();
	if (!strcmp(what, "pid1"))
		return do_pid1();
	if (!strcmp(what, "exe"))
		return do_exe(number);
	if (!strcmp(what, "fds"))
		return do_fds();
	if (!strcmp(what, "orphans"))
		return do_orphans(number);
	return 2;
}
