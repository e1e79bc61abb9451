/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subreaper.c - run a command as an init that reaps would: whatever is orphaned below it becomes its child and is
 * waited for. Tests that kill launchers need one, because the pid 1 of a container often reaps nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t child, pid;
	int status, result = 125;

	if (argc < 2 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return 125;
	child = fork();
	if (child == 0) {
		execvp(argv[1], argv + 1);
		fprintf(stderr, "subreaper: %s: %s\n", argv[1], strerror(errno));
		_exit(127);
	}
	while (child > 0 && ((pid = wait(&status)) > 0 || errno == EINTR)) {
		if (pid != child)
			continue;
		result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		break;
	}
	return result;
}
