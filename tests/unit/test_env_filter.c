/* SPDX-License-Identifier: Apache-2.0 */
/* The system call filter, loaded in a child for each question, asked of the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "env/filter.h"

#define HIGH (1UL << 32)
#define KILLED -1
#define SETUP_FAILED 255

static struct buf program;

struct question {
	const char *what;
	long number;
	unsigned long a, b, c, d;
	int expected; /* errno, 0 for success, KILLED */
};

static int setup(void **state)
{
	(void)state;
	program = BUF_INIT;
	filter_compile(&(struct filter_options){ 0 }, &program);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_release(&program);
	return 0;
}

static int load(void)
{
	struct sock_fprog f = { .len = (unsigned short)(program.len / sizeof(struct sock_filter)),
				.filter = (struct sock_filter *)program.data };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f);
}

static int ask(const struct question *q)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		long r;

		if (load() < 0)
			_exit(SETUP_FAILED);
		r = syscall(q->number, q->a, q->b, q->c, q->d, 0UL, 0UL);
		_exit(r < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -2;
	assert_int_not_equal(WEXITSTATUS(status), SETUP_FAILED);
	return WEXITSTATUS(status);
}

static void ask_all(const struct question *q, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int got = ask(&q[i]);

		if (got != q[i].expected)
			fail_msg("%s: expected %d, got %d (%s)", q[i].what, q[i].expected, got,
				 got > 0 ? strerror(got) : "no error");
	}
}

static void test_size(void **state)
{
	(void)state;
	assert_true(program.len > 0);
	assert_int_equal(program.len % sizeof(struct sock_filter), 0);
	assert_true(program.len / sizeof(struct sock_filter) <= BPF_MAXINSNS);
}

static void test_deterministic(void **state)
{
	cleanup_buf struct buf again = BUF_INIT;

	(void)state;
	filter_compile(&(struct filter_options){ 0 }, &again);
	assert_int_equal(again.len, program.len);
	assert_memory_equal(again.data, program.data, again.len);
}

static void test_ordinary(void **state)
{
	static const struct question q[] = {
		{ "getpid", SYS_getpid, 0, 0, 0, 0, 0 },
		{ "openat", SYS_openat, (unsigned long)AT_FDCWD, (unsigned long)"/", O_RDONLY, 0, 0 },
		{ "socket unix", SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0, 0 },
		{ "socket inet", SYS_socket, AF_INET, SOCK_STREAM, 0, 0, 0 },
		{ "socket netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0, 0, 0 },
		{ "ioctl of a closed descriptor", SYS_ioctl, 900, 0x5401, 0, 0, EBADF },
		{ "personality query", SYS_personality, 0xffffffff, 0, 0, 0, 0 },
		{ "personality without randomisation", SYS_personality, 0x0040000, 0, 0, 0, 0 },
		{ "unshare files", SYS_unshare, CLONE_FILES, 0, 0, 0, 0 },
		{ "ptrace reaches the kernel", SYS_ptrace, 2, (unsigned long)-1, 0, 0, ESRCH },
		{ "process_vm_readv reaches the kernel", SYS_process_vm_readv, (unsigned long)-1, 0, 0, 0, 0 },
		{ "chroot reaches the kernel", SYS_chroot, 0, 0, 0, 0, EFAULT },
		{ "seccomp reaches the kernel", SYS_seccomp, 99, 0, 0, 0, EINVAL },
		{ "cachestat reaches the kernel or is unknown to it", 451, (unsigned long)-1, 0, 0, 0, EBADF },
	};

	(void)state;
	/* An older kernel has no cachestat: leave that one out there. */
	ask_all(q, ARRAY_SIZE(q) - (syscall(451, -1, 0, 0, 0) < 0 && errno == ENOSYS ? 1 : 0));
}

static void test_denied(void **state)
{
	static const struct question q[] = {
		{ "mount", SYS_mount, 0, 0, 0, 0, EPERM },
		{ "umount2", SYS_umount2, 0, 0, 0, 0, EPERM },
		{ "pivot_root", SYS_pivot_root, 0, 0, 0, 0, EPERM },
		{ "open_tree", 428, 0, 0, 0, 0, EPERM },
		{ "move_mount", 429, 0, 0, 0, 0, EPERM },
		{ "fsopen", 430, 0, 0, 0, 0, EPERM },
		{ "mount_setattr", 442, 0, 0, 0, 0, EPERM },
		{ "open_tree_attr", 467, 0, 0, 0, 0, EPERM },
		{ "setns", SYS_setns, (unsigned long)-1, 0, 0, 0, EPERM },
		{ "bpf", SYS_bpf, 0, 0, 0, 0, EPERM },
		{ "perf_event_open", SYS_perf_event_open, 0, 0, 0, 0, EPERM },
		{ "userfaultfd", SYS_userfaultfd, 0, 0, 0, 0, EPERM },
		{ "io_uring_setup", 425, 1, 0, 0, 0, EPERM },
		{ "io_uring_enter", 426, 0, 0, 0, 0, EPERM },
		{ "io_uring_register", 427, 0, 0, 0, 0, EPERM },
		{ "keyctl", SYS_keyctl, 0, 0, 0, 0, EPERM },
		{ "add_key", SYS_add_key, 0, 0, 0, 0, EPERM },
		{ "kexec_load", SYS_kexec_load, 0, 0, 0, 0, EPERM },
		{ "init_module", SYS_init_module, 0, 0, 0, 0, EPERM },
		{ "open_by_handle_at", SYS_open_by_handle_at, 0, 0, 0, 0, EPERM },
		{ "syslog", SYS_syslog, 0, 0, 0, 0, EPERM },
		{ "reboot", SYS_reboot, 0, 0, 0, 0, EPERM },
	};

	(void)state;
	ask_all(q, ARRAY_SIZE(q));
}

static void test_unknown(void **state)
{
	static const struct question q[] = {
		{ "clone3", 435, 0, 0, 0, 0, ENOSYS },
		{ "a number that is nobody's", 1000, 0, 0, 0, 0, ENOSYS },
		{ "statmount", 457, 0, 0, 0, 0, ENOSYS },
	};

	(void)state;
	ask_all(q, ARRAY_SIZE(q));
}

static void test_arguments(void **state)
{
	static const struct question q[] = {
		{ "socket vsock", SYS_socket, 40, SOCK_STREAM, 0, 0, EAFNOSUPPORT },
		{ "socket vsock with high bits", SYS_socket, 40 | HIGH, SOCK_STREAM, 0, 0, EAFNOSUPPORT },
		{ "socket alg", SYS_socket, 38, SOCK_SEQPACKET, 0, 0, EAFNOSUPPORT },
		{ "socket alg with high bits", SYS_socket, 38 | HIGH, SOCK_SEQPACKET, 0, 0, EAFNOSUPPORT },
		{ "socket packet", SYS_socket, 17, SOCK_RAW, 0, 0, EAFNOSUPPORT },
		{ "socket of a negative family", SYS_socket, 0xffffffff, SOCK_RAW, 0, 0, EAFNOSUPPORT },
		{ "socket unix with high bits", SYS_socket, AF_UNIX | HIGH, SOCK_STREAM, 0, 0, 0 },
		{ "socketpair vsock", SYS_socketpair, 40, SOCK_STREAM, 0, 0, EAFNOSUPPORT },
		{ "TIOCSTI", SYS_ioctl, 900, 0x5412, 0, 0, EPERM },
		{ "TIOCSTI with high bits", SYS_ioctl, 900, 0x5412 | HIGH, 0, 0, EPERM },
		{ "TIOCLINUX", SYS_ioctl, 900, 0x541c, 0, 0, EPERM },
		{ "TIOCLINUX with high bits", SYS_ioctl, 900, 0x541c | (HIGH << 7), 0, 0, EPERM },
		{ "beside TIOCSTI", SYS_ioctl, 900, 0x5413, 0, 0, EBADF },
		{ "unshare user", SYS_unshare, CLONE_NEWUSER, 0, 0, 0, EPERM },
		{ "unshare user and more", SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS | CLONE_FS, 0, 0, 0, EPERM },
		{ "unshare user with high bits", SYS_unshare, CLONE_NEWUSER | HIGH, 0, 0, 0, EPERM },
		{ "unshare time", SYS_unshare, 0x80, 0, 0, 0, EPERM },
		{ "clone user", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, EPERM },
		{ "clone pid and files", SYS_clone, CLONE_NEWPID | CLONE_FILES | SIGCHLD, 0, 0, 0, EPERM },
		{ "clone net with high bits", SYS_clone, CLONE_NEWNET | SIGCHLD | HIGH, 0, 0, 0, EPERM },
		{ "personality of 32 bits", SYS_personality, 8, 0, 0, 0, EPERM },
		{ "personality read implies exec", SYS_personality, 0x0400000, 0, 0, 0, EPERM },
		{ "personality with high bits", SYS_personality, 8 | HIGH, 0, 0, 0, EPERM },
	};

	(void)state;
	ask_all(q, ARRAY_SIZE(q));
}

static void test_fork_still_works(void **state)
{
	static const struct question q[] = { { "clone as fork does", SYS_clone, SIGCHLD, 0, 0, 0, 0 } };

	(void)state;
	ask_all(q, ARRAY_SIZE(q));
}

/* What a power opens, and that it opens nothing else. */
static void ask_variant(const struct filter_options *options, const struct question *q, size_t count)
{
	struct buf usual = program;

	program = BUF_INIT;
	filter_compile(options, &program);
	ask_all(q, count);
	buf_release(&program);
	program = usual;
}

static void test_nested(void **state)
{
	static const struct question q[] = {
		{ "unshare user", SYS_unshare, CLONE_NEWUSER, 0, 0, 0, 0 },
		{ "clone user", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0 },
		{ "mount reaches the kernel", SYS_mount, 0, 0, 0, 0, EFAULT },
		{ "setns reaches the kernel", SYS_setns, (unsigned long)-1, 0, 0, 0, EBADF },
		{ "clone3", 435, 0, 0, 0, 0, ENOSYS },
		{ "bpf", SYS_bpf, 0, 0, 0, 0, EPERM },
		{ "keyctl", SYS_keyctl, 0, 0, 0, 0, EPERM },
		{ "perf_event_open", SYS_perf_event_open, 0, 0, 0, 0, EPERM },
		{ "TIOCSTI", SYS_ioctl, 900, 0x5412, 0, 0, EPERM },
	};

	(void)state;
	ask_variant(&(struct filter_options){ .nested = true }, q, ARRAY_SIZE(q));
}

static void test_perf(void **state)
{
	static const struct question q[] = {
		{ "perf_event_open reaches the kernel", SYS_perf_event_open, 0, 0, 0, 0, EFAULT },
		{ "mount", SYS_mount, 0, 0, 0, 0, EPERM },
		{ "unshare user", SYS_unshare, CLONE_NEWUSER, 0, 0, 0, EPERM },
	};

	(void)state;
	ask_variant(&(struct filter_options){ .perf = true }, q, ARRAY_SIZE(q));
}

/* The owner 4321 is nobody's here: what reaches the kernel names a file that is not there. */
static void test_owners(void **state)
{
	static const char *const missing = "/nowhere/at/all";
	const struct question q[] = {
		{ "chown", SYS_chown, (unsigned long)missing, 4321, 4321, 0, ENOENT },
		{ "lchown", SYS_lchown, (unsigned long)missing, 4321, 4321, 0, ENOENT },
		{ "fchown", SYS_fchown, 900, 4321, 4321, 0, EBADF },
		{ "fchownat", SYS_fchownat, 900, (unsigned long)"x", 4321, 4321, EBADF },
	};

	(void)state;
	ask_all(q, ARRAY_SIZE(q));
}

/* The same with the program of root, and nothing else answered for: who changes its own ids hears the kernel. */
static void test_owners_of_root(void **state)
{
	const struct question q[] = {
		{ "chown", SYS_chown, 0, 4321, 4321, 0, 0 },
		{ "lchown", SYS_lchown, 0, 4321, 4321, 0, 0 },
		{ "fchown", SYS_fchown, 900, 4321, 4321, 0, 0 },
		{ "fchownat", SYS_fchownat, 900, 0, 4321, 4321, 0 },
		{ "chmod", SYS_chmod, 0, 0644, 0, 0, EFAULT },
		{ "mknod", SYS_mknod, 0, S_IFBLK, 0x800, 0, EFAULT },
		{ "setuid of no id", SYS_setuid, 0xffffffff, 0, 0, 0, EINVAL },
		{ "setgid of no id", SYS_setgid, 0xffffffff, 0, 0, 0, EINVAL },
		{ "mount", SYS_mount, 0, 0, 0, 0, EPERM },
		{ "socket vsock", SYS_socket, 40, SOCK_STREAM, 0, 0, EAFNOSUPPORT },
		{ "clone user", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, EPERM },
	};

	(void)state;
	ask_variant(&(struct filter_options){ .root = true }, q, ARRAY_SIZE(q));
}

/* What maintainer scripts are told. Files and everything else as root hears it. */
static void test_ids(void **state)
{
	const struct question q[] = {
		{ "setuid of no id", SYS_setuid, 0xffffffff, 0, 0, 0, 0 },
		{ "setgid of no id", SYS_setgid, 0xffffffff, 0, 0, 0, 0 },
		{ "setreuid", SYS_setreuid, 4321, 4321, 0, 0, 0 },
		{ "setregid", SYS_setregid, 4321, 4321, 0, 0, 0 },
		{ "setresuid", SYS_setresuid, 4321, 4321, 4321, 0, 0 },
		{ "setresgid", SYS_setresgid, 4321, 4321, 4321, 0, 0 },
		{ "setgroups", SYS_setgroups, 1 << 20, 0, 0, 0, 0 },
		{ "capset", SYS_capset, 0, 0, 0, 0, 0 },
		{ "chown", SYS_chown, 0, 4321, 4321, 0, 0 },
		{ "chmod", SYS_chmod, 0, 0644, 0, 0, EFAULT },
		{ "mount", SYS_mount, 0, 0, 0, 0, EPERM },
		{ "clone user", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, EPERM },
	};

	(void)state;
	ask_variant(&(struct filter_options){ .root = true, .set_ids = true }, q, ARRAY_SIZE(q));
}

/* The descriptor is nobody's, so the kernel would say so. */
static void test_sync(void **state)
{
	struct question q[] = {
		{ "fsync", SYS_fsync, 900, 0, 0, 0, EBADF },
		{ "fdatasync", SYS_fdatasync, 900, 0, 0, 0, EBADF },
		{ "syncfs", SYS_syncfs, 900, 0, 0, 0, EBADF },
		{ "sync_file_range", SYS_sync_file_range, 900, 0, 0, 0, EBADF },
		{ "ftruncate", SYS_ftruncate, 900, 0, 0, 0, EBADF },
	};

	(void)state;
	ask_all(q, ARRAY_SIZE(q));
	for (size_t i = 0; i + 1 < ARRAY_SIZE(q); i++)
		q[i].expected = 0;
	ask_variant(&(struct filter_options){ .root = true, .unsynced = true }, q, ARRAY_SIZE(q));
}

static void test_other_architectures(void **state)
{
	(void)state;
#ifdef __x86_64__
	static const struct question q[] = {
		{ "x32 getpid", 0x40000000 | 39, 0, 0, 0, 0, KILLED },
		{ "x32 socket", 0x40000000 | 41, 1, 1, 0, 0, KILLED },
	};
	pid_t pid;
	int status;

	ask_all(q, ARRAY_SIZE(q));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		long r = 20; /* getpid of i386 */

		if (load() < 0)
			_exit(SETUP_FAILED);
		__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* SIGSEGV on a kernel without 32-bit support. */
	assert_true(WIFSIGNALED(status));
#else
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),	      cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_ordinary),      cmocka_unit_test(test_denied),
		cmocka_unit_test(test_unknown),	      cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_owners),	      cmocka_unit_test(test_owners_of_root),
		cmocka_unit_test(test_ids), cmocka_unit_test(test_sync),
		cmocka_unit_test(test_fork_still_works), cmocka_unit_test(test_other_architectures),
		cmocka_unit_test(test_nested),	      cmocka_unit_test(test_perf),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
