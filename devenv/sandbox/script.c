/* SPDX-License-Identifier: Apache-2.0 */
/* script.c - a hook or the setup: run to its end, with nothing of the caller's in its hands. */
#include "sandbox/script.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"

#define LOOK_MS 20 /* between looks whether it has ended */

/* What it prints goes to our stderr, but it gets no descriptor of it: that may be the caller's terminal. */
static void copy_until_exit(int from, pid_t pid, int *status)
{
	struct pollfd p = { .fd = from, .events = POLLIN };
	char data[4096];

	for (;;) {
		bool ended = waitpid(pid, status, WNOHANG) == pid;
		ssize_t n = 0;

		while (poll(&p, 1, ended ? 0 : LOOK_MS) > 0 && (n = read(from, data, sizeof(data))) > 0)
			if (write(2, data, (size_t)n) < 0)
				break;
		if (ended)
			return;
		if (n == 0 && p.revents) /* it closed its output but runs on */
			p.fd = -1;
	}
}

int script_run(struct spawn *script, struct err *e)
{
	int output[2], status = 0;
	pid_t pid;

	sigprocmask(SIG_BLOCK, NULL, &script->mask);
	if (pipe2(output, O_CLOEXEC) < 0)
		return err_sys(e, "can't make a pipe");
	script->stdio[0] = openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
	script->stdio[1] = script->stdio[2] = output[1];
	pid = spawn_process(script, e);
	close(output[1]);
	if (pid >= 0)
		copy_until_exit(output[0], pid, &status);
	close(output[0]);
	if (script->stdio[0] >= 0)
		close(script->stdio[0]);
	return pid < 0 ? -1 : spawn_status(status);
}
