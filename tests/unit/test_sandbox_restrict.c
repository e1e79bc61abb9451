/* SPDX-License-Identifier: Apache-2.0 */
/* What a process gives up, each in a child of its own: descriptors, capabilities, system calls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/sys.h"
#include "sandbox/restrict.h"

#define CHILD_SKIP 77

/* Run `body` in a child; its result is the child's exit status. */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void check(int (*body)(void))
{
	int status = in_child(body);

	if (status == CHILD_SKIP)
		skip();
	if (status)
		fail_msg("failed at line %d of the child's checks", status);
}

/* The number of the check that failed, as exit status. */
#define expect(number, condition)      \
	do {                           \
		if (!(condition))      \
			return number; \
	} while (0)

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int open_many(int from, int to)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = from; fd <= to; fd++)
		if (dup2(null, fd) != fd)
			return -1;
	return 0;
}

/* A tool that runs this test (valgrind) may keep descriptors far up; those of the kernel's default table are ours. */
static int exactly(const int *kept, size_t count)
{
	for (int fd = 0; fd < 200; fd++) {
		bool expected = false;

		for (size_t i = 0; i < count; i++)
			expected |= kept[i] == fd;
		if (is_open(fd) != expected)
			return 100 + fd % 100;
	}
	return 0;
}

static int has_close_range(void)
{
	return sys_close_range(900, 900, 0) == 0;
}

static int close_unsorted(void)
{
	int keep[] = { 90, -1, 7, 63, 62, 0, -1, 40 };
	const int kept[] = { 0, 7, 40, 62, 63, 90 };
	struct err e = ERR_INIT;

	if (!has_close_range())
		return CHILD_SKIP;
	expect(1, open_many(0, 120) == 0);
	expect(2, restrict_close_all_but(keep, ARRAY_SIZE(keep), &e) == 0);
	return exactly(kept, ARRAY_SIZE(kept));
}

static int close_all(void)
{
	int keep[] = { -1, -1, -1 };
	struct err e = ERR_INIT;

	if (!has_close_range())
		return CHILD_SKIP;
	expect(1, open_many(0, 60) == 0);
	expect(2, restrict_close_all_but(keep, ARRAY_SIZE(keep), &e) == 0);
	return exactly(NULL, 0);
}

static int close_neighbours(void)
{
	int keep[] = { 2, 1, 0, 3 };
	const int kept[] = { 0, 1, 2, 3 };
	struct err e = ERR_INIT;

	if (!has_close_range())
		return CHILD_SKIP;
	expect(1, open_many(0, 60) == 0);
	expect(2, restrict_close_all_but(keep, ARRAY_SIZE(keep), &e) == 0);
	return exactly(kept, ARRAY_SIZE(kept));
}

static void test_close(void **state)
{
	(void)state;
	check(close_unsorted);
	check(close_all);
	check(close_neighbours);
}

/* A field of /proc/self/status as hexadecimal number. */
static unsigned long long status_field(const char *name)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long found = ~0ULL;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			found = strtoull(line + strlen(name) + 1, NULL, 16);
	if (file)
		fclose(file);
	return found;
}

/* Every capability, in a user namespace of our own unless we are root. */
static bool become_able(void)
{
	return geteuid() == 0 || unshare(CLONE_NEWUSER) == 0;
}

static int drop_all(void)
{
	struct err e = ERR_INIT;

	if (!become_able())
		return CHILD_SKIP;
	expect(1, status_field("CapEff") != 0);
	expect(2, restrict_capabilities(RESTRICT_NONE, &e) == 0);
	expect(3, status_field("CapEff") == 0);
	expect(4, status_field("CapPrm") == 0);
	expect(5, status_field("CapInh") == 0);
	expect(6, status_field("CapBnd") == 0);
	expect(7, status_field("CapAmb") == 0);
	return 0;
}

/* chown dac_override fowner fsetid kill setgid setuid net_bind_service */
#define ROOT_SET ((1ULL << 0) | (1ULL << 1) | (1ULL << 3) | (1ULL << 4) | (1ULL << 5) | (1ULL << 6) | (1ULL << 7) | (1ULL << 10))

static int keep_those_of_root(void)
{
	struct err e = ERR_INIT;
	unsigned long long bounding;

	if (!become_able())
		return CHILD_SKIP;
	bounding = status_field("CapBnd");
	if ((bounding & ROOT_SET) != ROOT_SET)
		return CHILD_SKIP; /* a container gave us less */
	expect(1, restrict_capabilities(RESTRICT_ROOT, &e) == 0);
	expect(2, status_field("CapEff") == ROOT_SET);
	expect(3, status_field("CapPrm") == ROOT_SET);
	expect(4, status_field("CapBnd") == ROOT_SET);
	expect(5, status_field("CapInh") == 0);
	return 0;
}

static int keep_that_of_the_holder(void)
{
	struct err e = ERR_INIT;

	if (!become_able() || !(status_field("CapPrm") & (1ULL << 35)))
		return CHILD_SKIP;
	expect(1, restrict_capabilities(RESTRICT_HOLDER, &e) == 0);
	expect(2, status_field("CapEff") == 1ULL << 35);
	expect(3, status_field("CapPrm") == 1ULL << 35);
	return 0;
}

/* What can't be given up is an error and no silence. */
static int without_any(void)
{
	struct err e = ERR_INIT;

	if (!become_able())
		return CHILD_SKIP;
	expect(1, restrict_capabilities(RESTRICT_NONE, &e) == 0);
	expect(2, restrict_capabilities(RESTRICT_ROOT, &e) == -1);
	expect(3, e.code == ERR_FAILED && strstr(e.msg, "capabilit"));
	return 0;
}

static void test_capabilities(void **state)
{
	(void)state;
	check(drop_all);
	check(keep_those_of_root);
	check(keep_that_of_the_holder);
	check(without_any);
}

static const struct sock_filter no_getppid[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_getppid, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

/* valgrind does not pass it on. */
static bool has_seccomp(void)
{
	return syscall(SYS_seccomp, ~0U, 0, NULL) == 0 || errno != ENOSYS;
}

static int filtered(void)
{
	struct err e = ERR_INIT;

	if (!has_seccomp())
		return CHILD_SKIP;
	expect(1, syscall(SYS_getppid) > 0);
	expect(2, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	expect(3, restrict_system_calls(no_getppid, sizeof(no_getppid), &e) == 0);
	errno = 0;
	expect(4, syscall(SYS_getppid) == -1 && errno == EXDEV);
	expect(5, status_field("Seccomp") == 2);
	return 0;
}

/* An empty program, or one the kernel does not take, must not pass for a filter. */
static int not_filtered(void)
{
	static const struct sock_filter endless[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) };
	struct err e = ERR_INIT;

	if (!has_seccomp())
		return CHILD_SKIP;
	expect(1, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	expect(2, restrict_system_calls(no_getppid, 0, &e) == -1);
	expect(3, strstr(e.msg, "filter") != NULL);
	expect(4, restrict_system_calls(endless, sizeof(endless), &e) == -1);
	return 0;
}

static void test_system_calls(void **state)
{
	(void)state;
	check(filtered);
	check(not_filtered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_system_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
