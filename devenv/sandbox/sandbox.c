/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - one session of a plan, from the holder to the exit status. */
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "sandbox/environ.h"
#include "sandbox/foreground.h"
#include "sandbox/holder.h"
#include "sandbox/join.h"
#include "sandbox/spawn.h"
#include "sandbox/terminal.h"

/* Runs the hook in a shell of its own, so that a broken hook can't cost the session; then becomes the shell ($0). */
#define ENTER_SCRIPT                                                                                      \
	"sh -c \"$1\" devenv-enter || echo \"devenv: the enter hook ended with status $?\" >&2; exec \"$0\""

#define HOOK_LOOK_MS 20 /* between looks whether the hook has ended */

static const char *workdir_of(const struct plan *p, const struct session *s)
{
	return s->workdir ? s->workdir : p->workdir;
}

/* What the hook prints goes to our stderr, but it gets no descriptor of it: that may be the caller's terminal. */
static void copy_until_exit(int from, pid_t pid, int *status)
{
	struct pollfd p = { .fd = from, .events = POLLIN };
	char data[4096];

	for (;;) {
		bool ended = waitpid(pid, status, WNOHANG) == pid;
		ssize_t n = 0;

		while (poll(&p, 1, ended ? 0 : HOOK_LOOK_MS) > 0 && (n = read(from, data, sizeof(data))) > 0)
			if (write(2, data, (size_t)n) < 0)
				break;
		if (ended)
			return;
		if (n == 0 && p.revents) /* it closed its output but runs on */
			p.fd = -1;
	}
}

static int run_hook(struct spawn *hook, struct err *e)
{
	int output[2], status = 0;
	pid_t pid;

	if (pipe2(output, O_CLOEXEC) < 0)
		return err_sys(e, "can't make a pipe");
	hook->stdio[0] = openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
	hook->stdio[1] = hook->stdio[2] = output[1];
	pid = spawn_process(hook, e);
	close(output[1]);
	if (pid >= 0)
		copy_until_exit(output[0], pid, &status);
	close(output[0]);
	if (hook->stdio[0] >= 0)
		close(hook->stdio[0]);
	return pid < 0 ? -1 : spawn_status(status);
}

/* When the environment starts: before anybody's command, with the door closed. */
static int run_start_hook(const struct plan *p, const struct session *s, const struct spawn *model, struct err *e)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)p->hook_start, NULL };
	struct spawn hook = *model;
	int status;

	sigprocmask(SIG_BLOCK, NULL, &hook.mask);
	hook.argv = argv;
	status = run_hook(&hook, e);
	if (status == 0)
		return 0;
	if (status > 0)
		err_set(e, ERR_FAILED, "the start hook ended with status %d", status);
	if (!s->interactive)
		return err_hint(e, "see [hooks] start in devenv.ini");
	if (s->warn)
		s->warn(e->msg);
	return 0;
}

static int run_command(struct spawn *spawn, unsigned int terminals, bool shell, struct err *e)
{
	return terminals ? terminal_run(spawn, terminals, shell, e) : foreground_run(spawn, e);
}

static int run_shell(const struct plan *p, const struct session *s, struct spawn *spawn, struct err *e)
{
	const char *shell = s->root && p->uid != 0 ? p->root_shell : p->shell;
	char *plain[] = { (char *)shell, NULL };
	char *hooked[] = { (char *)"/bin/sh", (char *)"-c", (char *)ENTER_SCRIPT, (char *)shell, (char *)p->hook_enter, NULL };

	spawn->argv = *p->hook_enter ? hooked : plain;
	return run_command(spawn, s->terminals, s->terminals & 1, e);
}

/* In the namespaces now. */
static int run_session(const struct plan *p, const struct session *s, const struct holder *h, struct spawn *spawn,
		       struct err *e)
{
	spawn->workdir_fd = join_open_workdir(workdir_of(p, s), e);
	if (spawn->workdir_fd < 0)
		return -1;
	if (h->created) {
		if (*p->hook_start && run_start_hook(p, s, spawn, e) < 0)
			return -1;
		holder_open_door(h);
	}
	return s->interactive ? run_shell(p, s, spawn, e) : run_command(spawn, s->terminals, false, e);
}

int sandbox_run(const struct plan *p, const struct dirs *d, const struct session *s, struct err *e)
{
	cleanup_strlist struct strlist env = STRLIST_INIT;
	struct spawn spawn = { .plan = p, .argv = s->argv, .stdio = { -1, -1, -1 }, .terminal_fd = -1,
			       .root = s->root || p->root };
	struct holder_request request = { .plan = p, .dirs = d, .process_argv = s->process_argv };
	struct holder h;
	int result;

	environ_build(p, s, workdir_of(p, s), &env);
	spawn.envp = env.items;
	spawn.launcher_pidfd = sys_pidfd_open(gettid()); /* the only thread; musl knows this one without a system call */
	if (spawn.launcher_pidfd < 0)
		return err_sys(e, "can't open a descriptor of this process");
	if (holder_acquire(&request, &h, e) < 0)
		return -1;
	result = join_enter(p, &h, s->root && p->uid != 0, e);
	if (result == 0)
		result = run_session(p, s, &h, &spawn, e);
	holder_release(&h);
	return result;
}
