/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile_probe.c - what hostile.bats tries from inside: linked statically, run in sessions.
 *
 *   flip STOP A B [A B...]  exchange each pair of names and back, until there is a file STOP; a directory in one comes and goes
 *   race PATH...            the working directory, every mount ("WHERE ROOT"), and which of these is seen
 *   privileges              ids and capabilities after whatever the file's own bits did
 *   inject                  put characters into every terminal that can be had; prints one line per way: NAME ERRNO
 *   abstract NAME           connect to an abstract socket
 *   debug                   what a debugger does to a child of its own
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXCHANGE 2
#define HIGH	 (1UL << 32)

/* ---- flip ---- */

static void make_and_remove(const char *directory, unsigned int round)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/volume", directory);
	/* odd rounds: the directory is in its place */
	if (round % 16 == 1)
		rmdir(path);
	else if (round % 16 == 7)
		mkdir(path, 0755);
}

/* One pair at a time and briefly: most things are as the other side expects them, or it would not get far enough to be fooled. */
static int do_flip(const char *stop, char **names)
{
	const struct timespec pauses[2] = { { 0, 300000 }, { 0, 200000 } };
	unsigned int round, pairs = 0;
	unsigned long done = 0;

	while (names[2 * pairs] && names[2 * pairs + 1])
		pairs++;
	for (round = 0; round % 2 || access(stop, F_OK) < 0; round++) {
		char **n = names + 2 * (round / 2 % pairs);

		done += syscall(SYS_renameat2, AT_FDCWD, n[0], AT_FDCWD, n[1], EXCHANGE) == 0;
		make_and_remove(names[0], round);
		nanosleep(&pauses[round % 2], NULL);
	}
	printf("exchanged %lu\n", done);
	return 0;
}

/* ---- race ---- */

static int do_race(char **paths)
{
	const char *seen = "no";
	char cwd[4096], line[8192], root[4096], where[4096];
	FILE *file = fopen("/proc/self/mountinfo", "re");

	if (syscall(SYS_getcwd, cwd, sizeof(cwd)) < 0)
		snprintf(cwd, sizeof(cwd), "(%s)", strerror(errno));
	printf("cwd %s\n", cwd);
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*s %*s %4095s %4095s", root, where) == 2)
			printf("mount %s %s\n", where, root);
	for (; *paths; paths++)
		if (access(*paths, F_OK) == 0)
			seen = *paths;
	printf("seen %s\n", seen);
	return 0;
}

/* ---- privileges ---- */

static int do_privileges(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[512];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "Uid:", 4) || !strncmp(line, "Gid:", 4) || !strncmp(line, "Cap", 3))
			fputs(line, stdout);
	return 0;
}

/* ---- inject ---- */

static void tell(const char *name, long r)
{
	printf("%s %s\n", name, r >= 0 ? "DONE" : errno == EPERM ? "EPERM" : strerror(errno));
}

static void inject_into(int fd, const char *where)
{
	static const struct {
		const char *name;
		unsigned long request;
	} ways[] = { { "TIOCSTI", 0x5412 }, { "TIOCSTI-high", 0x5412 | HIGH }, { "TIOCSTI-higher", 0x5412 | HIGH << 31 },
		     { "TIOCLINUX", 0x541c }, { "TIOCLINUX-high", 0x541c | HIGH }, { "TIOCLINUX-higher", 0x541c | HIGH << 31 } };
	char name[64], byte = 'Q';

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		snprintf(name, sizeof(name), "%s-%s", where, ways[i].name);
		tell(name, syscall(SYS_ioctl, fd, ways[i].request, &byte, 0, 0, 0));
	}
}

static int do_inject(void)
{
	int tty = open("/dev/tty", O_RDWR), master = posix_openpt(O_RDWR | O_NOCTTY), status;
	pid_t pid;

	inject_into(0, "stdin");
	inject_into(tty, "tty");
	inject_into(master, "own-pty");
	fflush(stdout);
	pid = fork();
	if (pid == 0) { /* a session of its own that takes the terminal over, as far as it gets it */
		setsid();
		ioctl(0, TIOCSCTTY, 1);
		inject_into(0, "stolen");
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
#ifdef __x86_64__
	pid = fork();
	if (pid == 0) {
		char byte = 'Q';

		syscall(0x40000000 | 514, 0, 0x5412, &byte);
		syscall(0x40000000 | 16, 0, 0x5412, &byte);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("x32 %s\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "KILLED" : "lived");
#endif
	return 0;
}

/* ---- abstract ---- */

static int do_abstract(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(a.sun_path + 1, name, sizeof(a.sun_path) - 2);
	tell("connect", connect(s, (struct sockaddr *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))));
	return 0;
}

/* ---- debug ---- */

static int do_debug(void)
{
	char secret[] = "the child's", copy[sizeof(secret)] = "";
	struct iovec here = { copy, sizeof(copy) }, there = { secret, sizeof(secret) };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		secret[0] = 'T';
		raise(SIGSTOP);
		_exit(7);
	}
	waitpid(pid, &status, WUNTRACED); /* without a tracer it stops too */
	tell("stopped", WIFSTOPPED(status) ? 0 : -1);
	tell("process_vm_readv", process_vm_readv(pid, &here, 1, &there, 1, 0) == sizeof(copy) && copy[0] == 'T' ? 0 : -1);
	copy[0] = 'X';
	tell("process_vm_writev", process_vm_writev(pid, &here, 1, &there, 1, 0));
	errno = 0;
	tell("peek", ptrace(PTRACE_PEEKDATA, pid, secret, NULL) == -1 && errno ? -1 : 0);
	errno = 0;
	tell("continue", ptrace(PTRACE_CONT, pid, NULL, NULL));
	if (errno == EPERM || errno == ESRCH)
		kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	tell("ended", WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : -1);
	tell("personality", personality(ADDR_NO_RANDOMIZE));
	tell("was-set", (personality(0xffffffff) & ADDR_NO_RANDOMIZE) ? 0 : -1);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *word = argc > 2 ? argv[2] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "flip") && argc > 4)
		return do_flip(word, argv + 3);
	if (!strcmp(what, "race"))
		return do_race(argv + 2);
	if (!strcmp(what, "inject"))
		return do_inject();
	if (!strcmp(what, "abstract"))
		return do_abstract(word);
	if (!strcmp(what, "debug"))
		return do_debug();
	if (!strcmp(what, "privileges"))
		return do_privileges();
	return 2;
}
