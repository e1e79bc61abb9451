/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.c - starting other programs, without a shell.
 *
 * Input goes through an unnamed file, so there is one pipe only and nothing can deadlock. Everything of ours but the
 * three standard descriptors is O_CLOEXEC. The child starts with default signal handling and nothing blocked.
 */
#include "base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

extern char **environ;

/* posix_spawnp says EACCES for a program that is nowhere when a directory of PATH can't be searched. */
static bool is_on_path(const char *name)
{
	cleanup_strlist struct strlist dirs = STRLIST_INIT;
	const char *path = getenv("PATH");

	strlist_split(&dirs, path ? path : "/bin:/usr/bin", ":");
	for (size_t i = 0; i < dirs.count; i++) {
		cleanup_free char *file = mem_printf("%s/%s", dirs.items[i], name);

		if (file_exists(AT_FDCWD, file))
			return true;
	}
	return false;
}

static int spawn(const char *const argv[], const posix_spawn_file_actions_t *actions, pid_t *pid, struct err *e)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD };
	posix_spawnattr_t attributes;
	sigset_t set;
	int failure;

	posix_spawnattr_init(&attributes);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attributes, &set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&set, signals[i]);
	posix_spawnattr_setsigdefault(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	failure = posix_spawnp(pid, argv[0], actions, &attributes, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	if (!failure)
		return 0;
	if (failure == EACCES && !strchr(argv[0], '/') && !is_on_path(argv[0]))
		failure = ENOENT;
	errno = failure;
	err_sys(e, "can't start %s", text_safe(argv[0]));
	if (failure == ENOENT && e)
		e->code = ERR_NOT_FOUND;
	return -1;
}

static int wait_for(pid_t pid, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "can't wait for a process");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int process_run(const char *const argv[], struct err *e)
{
	pid_t pid;

	if (spawn(argv, NULL, &pid, e) < 0)
		return -1;
	return wait_for(pid, e);
}

/* The signal that asked us to end meanwhile, or 0. `set` is blocked. */
static int see_to(pid_t pid, const sigset_t *set, int *status)
{
	siginfo_t info;
	int ended_by = 0;

	for (;;) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return ended_by;
		if (sigwaitinfo(set, &info) < 0 || info.si_signo == SIGCHLD)
			continue;
		ended_by = info.si_signo;
		if (info.si_code != SI_KERNEL) /* the terminal sends to its whole foreground */
			kill(pid, info.si_signo == SIGTERM ? SIGHUP : SIGTERM);
	}
}

int process_run_to_end(const char *const argv[], struct err *e)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
	sigset_t set, before;
	struct sigaction action;
	int status, ended_by;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &before);
	if (spawn(argv, NULL, &pid, e) < 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return -1;
	}
	ended_by = see_to(pid, &set, &status);
	if (ended_by)
		raise(ended_by); /* when it is let through */
	sigprocmask(SIG_SETMASK, &before, NULL);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* A descriptor that reads `input` from its start. */
static int open_input(const char *input, struct err *e)
{
	int fd;

	if (!input) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? err_sys(e, "can't open /dev/null") : fd;
	}
	fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "can't hold the input of a process");
	if (file_write_all(fd, input, strlen(input), e) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return err_wrap(e, "can't hold the input of a process");
	}
	return fd;
}

static int start(const char *const argv[], int in, int out, pid_t *pid, struct err *e)
{
	posix_spawn_file_actions_t actions;
	int result;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	result = spawn(argv, &actions, pid, e);
	posix_spawn_file_actions_destroy(&actions);
	return result;
}

int process_capture(const char *const argv[], const char *input, size_t max, struct buf *output, struct err *e)
{
	cleanup_close int in = open_input(input, e);
	cleanup_close int from = -1;
	cleanup_close int to = -1;
	int ends[2], status;
	pid_t pid;

	if (in < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "can't make a pipe");
	from = ends[0];
	to = ends[1];
	if (start(argv, in, to, &pid, e) < 0)
		return -1;
	close(mem_steal_fd(to));
	if (file_read_fd(from, max, output, e) < 0) {
		kill(pid, SIGKILL);
		wait_for(pid, NULL);
		if (e && !e->sys)
			e->code = ERR_FAILED;
		return err_wrap(e, "output of %s", text_safe(argv[0]));
	}
	status = wait_for(pid, e);
	return status;
}
