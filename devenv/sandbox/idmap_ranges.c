/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idmap_ranges.c - a map of more ids than the caller's own, for plans that have ranges of /etc/subuid.
 *
 * Only newuidmap and newgidmap of the system, which run as root, may write one, and only from outside. So pid 1 waits at
 * a gate until the launcher has called them. They look the ranges up for themselves: a forged plan gets nothing.
 */
#include "sandbox/idmap.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

/* Not on PATH: nobody but the system has them. The last is NixOS's. */
static const char *const places[] = { "/usr/bin", "/bin", "/usr/local/bin", "/run/wrappers/bin" };

static _Noreturn void execute(char *const argv[])
{
	char *env[] = { NULL };
	char path[64];
	int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
	size_t i;

	if (quiet >= 0)
		dup2(quiet, STDERR_FILENO); /* what they say of a refusal is one line more than a user should read */
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s/%s", places[i], argv[0]);
		execve(path, argv, env);
	}
	_exit(127);
}

static int run(char *const argv[], const char *file, struct err *e)
{
	int status = 0;
	pid_t pid = vfork();

	if (pid == 0)
		execute(argv);
	if (pid < 0)
		return err_sys(e, "can't start %s", argv[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		err_set(e, ERR_SANDBOX, "can't map further ids: there is no %s", argv[0]);
		return err_hint(e, "install it: `sudo apt install uidmap` (Debian, Ubuntu) or your system's shadow-utils");
	}
	err_set(e, ERR_SANDBOX, "can't map further ids: %s refuses what the plan took from %s", argv[0], file);
	return err_hint(e, "`devenv doctor -v` says which ranges you have and how to get one");
}

static int map(const char *program, const char *file, pid_t pid, uint32_t own, uint32_t outer_own,
	       const struct plan_range *ranges, size_t count, struct err *e)
{
	cleanup_strlist struct strlist argv = STRLIST_INIT;
	size_t i;

	strlist_add(&argv, program);
	strlist_addf(&argv, "%d", (int)pid);
	for (i = 0; i <= count; i++) {
		struct plan_range r = i ? ranges[i - 1] : (struct plan_range){ own, outer_own, 1 };

		strlist_addf(&argv, "%u", r.inside);
		strlist_addf(&argv, "%u", r.outside);
		strlist_addf(&argv, "%u", r.count);
	}
	return run(argv.items, file, e);
}

int idmap_write_ranges(pid_t pid, const struct plan *p, uint32_t outer_uid, uint32_t outer_gid, struct err *e)
{
	if (map("newuidmap", "/etc/subuid", pid, p->uid, outer_uid, p->uid_ranges, p->uid_range_count, e) < 0)
		return -1;
	return map("newgidmap", "/etc/subgid", pid, p->gid, outer_gid, p->gid_ranges, p->gid_range_count, e);
}

int idmap_await(const int gate[2], struct err *e)
{
	char byte;

	close(gate[1]); /* or the end of the launcher would not be seen */
	if (read(gate[0], &byte, 1) != 1)
		return err_set(e, ERR_SANDBOX, "the launcher ended before it had mapped the ids");
	return 0;
}
