/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits_probe.c - run inside: what a session can do with the powers of [sandbox].
 *
 *   nested   in a user and mount namespace of its own, try to undo what the sandbox hides or makes read-only; print what
 *            succeeded, a line each, and then "tried N"
 *   agent    ask the ssh agent for its keys and print how many it has
 *   perf     count something with perf_event_open; "ok" or the errno
 *   kvm      open /dev/kvm and ask its version
 *   fork N   make N processes that wait; print how many there are, and end them
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MS_BIND
#define MS_RDONLY 1
#define MS_REMOUNT 32
#define MS_BIND 4096
#define MS_REC 16384
#endif

#define PLACE "/tmp/nested" /* where it mounts its own */

static int tried;

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	if (fd >= 0)
		close(fd);
}

static void expect_refusal(const char *what, const char *path, int result)
{
	tried++;
	if (result >= 0)
		printf("undone: %s %s\n", what, path);
}

/* Is it a read-only or masked place still, after all of it? */
static void expect_read_only(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	tried++;
	if (fd >= 0) {
		printf("undone: writable %s\n", path);
		close(fd);
	}
}

static void attack(const char *path)
{
	int tree;

	expect_refusal("umount", path, umount2(path, 0));
	expect_refusal("detach", path, umount2(path, MNT_DETACH));
	expect_refusal("remount", path, mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
	expect_refusal("move", path, mount(path, PLACE, NULL, 8192 /* MS_MOVE */, NULL));
	tree = (int)syscall(428, AT_FDCWD, path, 0); /* open_tree */
	if (tree >= 0)
		expect_refusal("move_mount", path, (int)syscall(429, tree, "", AT_FDCWD, PLACE, 4));
}

static int nested(char **paths)
{
	char uid[64], gid[64];
	pid_t pid;
	int status;

	mkdir(PLACE, 0755);
	snprintf(uid, sizeof(uid), "0 %u 1", getuid());
	snprintf(gid, sizeof(gid), "0 %u 1", getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0) {
		printf("unshare: %s\n", strerror(errno));
		return 1;
	}
	put("/proc/self/setgroups", "deny");
	put("/proc/self/uid_map", uid);
	put("/proc/self/gid_map", gid);
	pid = fork();
	if (pid == 0) {
		/* A fresh proc would have none of the masks; a bind without what is mounted below it would not either. */
		expect_refusal("fresh proc on", PLACE, mount("proc", PLACE, "proc", 0, NULL));
		expect_refusal("bare bind of", "/proc", mount("/proc", PLACE, NULL, MS_BIND, NULL));
		expect_refusal("bare bind of", "/dev", mount("/dev", PLACE, NULL, MS_BIND, NULL));
		expect_refusal("bare bind of", "/", mount("/", PLACE, NULL, MS_BIND, NULL));
		expect_refusal("sysfs on", PLACE, mount("sysfs", PLACE, "sysfs", 0, NULL));
		for (char **path = paths; *path; path++)
			attack(*path);
		/* What it may do: mount something of its own. */
		if (mount("mine", PLACE, "tmpfs", 0, NULL) < 0)
			printf("tmpfs: %s\n", strerror(errno));
		/* All that is below comes along with a bind of everything, and stays as it is. */
		if (mount("/proc", PLACE, NULL, MS_BIND | MS_REC, NULL) < 0)
			printf("recursive bind: %s\n", strerror(errno));
		expect_read_only(PLACE "/sys/kernel/core_pattern");
		expect_read_only(PLACE "/sysrq-trigger");
		expect_read_only("/proc/sys/kernel/core_pattern");
		for (char **path = paths; *path; path++)
			if (strncmp(*path, "/proc/", 6) && strncmp(*path, "/dev/", 5)) /* devices are there to be written to */
				expect_read_only(*path);
		printf("tried %d\n", tried);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int agent(void)
{
	static const unsigned char request[] = { 0, 0, 0, 1, 11 }; /* SSH_AGENTC_REQUEST_IDENTITIES */
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("SSH_AUTH_SOCK");
	unsigned char answer[9];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t got = 0;

	if (!path) {
		puts("no SSH_AUTH_SOCK");
		return 1;
	}
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    write(fd, request, sizeof(request)) != (ssize_t)sizeof(request)) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	while (got < sizeof(answer)) {
		ssize_t n = read(fd, answer + got, sizeof(answer) - got);

		if (n <= 0)
			return 1;
		got += (size_t)n;
	}
	printf("keys %u\n", answer[8]);
	return answer[4] == 12 ? 0 : 1;
}

static int perf(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
					.config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1 };
	uint64_t count = 0;
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL);

	if (fd < 0 || read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count)) {
		printf("perf: %s\n", strerror(errno));
		return 1;
	}
	puts("ok");
	return 0;
}

static int kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR), version = fd < 0 ? -1 : ioctl(fd, 0xae00, 0); /* KVM_GET_API_VERSION */

	printf("kvm %d\n", version);
	return version < 0;
}

static int fork_many(int wanted)
{
	int made = 0, error = 0;
	pid_t pids[4096];

	while (made < wanted && made < 4096) {
		pid_t pid = fork();

		if (pid < 0) {
			error = errno;
			break;
		}
		if (pid == 0) {
			pause();
			_exit(0);
		}
		pids[made++] = pid;
	}
	printf("made %d%s%s\n", made, error ? " " : "", error ? strerror(error) : "");
	for (int i = 0; i < made; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "nested"))
		return nested(argv + 2);
	if (argc > 1 && !strcmp(argv[1], "agent"))
		return agent();
	if (argc > 1 && !strcmp(argv[1], "perf"))
		return perf();
	if (argc > 1 && !strcmp(argv[1], "kvm"))
		return kvm();
	if (argc > 2 && !strcmp(argv[1], "fork"))
		return fork_many(atoi(argv[2]));
	return 2;
}
