/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c - one session of a plan, from the holder to the exit status.
 *
 * Theory of operation
 *
 *   environ_build    the variables of the session, while the caller's are at hand
 *   setup_begin      has the checkout's setup to run? (outside, where its record is)
 *   holder_acquire   find the environment's pid 1, or make it: there init.c builds root.c's root with standard.c's /dev, /proc
 *                    and /sys, and reports
 *   join_enter       into its namespaces
 *   setup_run, run_start_hook, holder_open_door   what comes before anybody's command; then others may join
 *   run_command      spawn.c starts the command restricted (restrict.c); foreground.c or terminal.c sees to it until it ends
 *
 * Nothing is let go at the end: this process exits with the session open. Then the kernel takes it out of the namespaces
 * before it closes the session, so that pid 1, which leaves at that, is the last one in and does the clearing away; the
 * caller has the exit status meanwhile. The other way round the launcher would be last, and the caller would wait for
 * every mount to be taken down.
 */
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "plan/guard.h"
#include "sandbox/changed.h"
#include "sandbox/devices.h"
#include "sandbox/discard.h"
#include "sandbox/environ.h"
#include "sandbox/foreground.h"
#include "sandbox/holder.h"
#include "sandbox/join.h"
#include "sandbox/restorer.h"
#include "sandbox/script.h"
#include "sandbox/setup.h"
#include "sandbox/spawn.h"
#include "sandbox/terminal.h"

/* Runs the hook in a shell of its own, so that a broken hook can't cost the session; then becomes the shell ($0). */
#define ENTER_SCRIPT                                                                                      \
	"sh -c \"$1\" devenv-enter || echo \"devenv: the enter hook ended with status $?\" >&2; exec \"$0\""

static const char *workdir_of(const struct plan *p, const struct session *s)
{
	return s->workdir ? s->workdir : p->workdir;
}

/* When the environment starts: before anybody's command, with the door closed. */
static int run_start_hook(const struct plan *p, const struct session *s, const struct spawn *model, struct err *e)
{
	char *argv[] = { (char *)"/bin/sh", (char *)"-c", (char *)p->hook_start, NULL };
	struct spawn hook = *model;
	int status;

	hook.argv = argv;
	status = script_run(&hook, e);
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

/* A broken setup is mended in a shell inside; a command would only fail in a way that is harder to understand. */
static int set_up(const struct plan *p, const struct session *s, struct setup *setup, const struct spawn *spawn,
		  struct err *e)
{
	int result = setup_run(setup, p, s, spawn, e);

	setup_end(setup);
	if (result == 0 || !s->interactive)
		return result;
	if (s->warn)
		s->warn(e->msg);
	*e = ERR_INIT;
	return 0;
}

/* In the namespaces now. */
static int run_session(const struct plan *p, const struct session *s, const struct holder *h, struct setup *setup,
		       struct spawn *spawn, struct err *e)
{
	if (set_up(p, s, setup, spawn, e) < 0)
		return -1;
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

/* After an interactive session that was the last one: what is gone with it. */
static void say_discarded(const struct plan *p, const struct session *s, const struct holder *h, int scratch_fd,
			  int project_fd)
{
	cleanup_buf struct buf line = BUF_INIT;

	if (!s->say || p->scratch == PLAN_SCRATCH_PERSIST || p->linger || !holder_is_last(h))
		return;
	if (project_fd >= 0)
		discard_describe_project(scratch_fd, project_fd, &line);
	else
		discard_describe_root(scratch_fd, &line);
	if (line.len)
		s->say(line.data);
}

/* After an interactive session: the next one will be in another environment. */
static void say_changed(const struct plan *p, const struct session *s)
{
	cleanup_free char *name = s->interactive && s->say && !s->untrusted ? changed_find(p) : NULL;
	cleanup_free char *line = NULL;

	if (!name)
		return;
	line = mem_printf("%s changed while this session ran, which kept its environment; the next one takes it in", text_safe(name));
	s->say(line);
}

/* What sessions left that acts on this machine, outside the sandbox: it matters to whoever types the next command here. */
static void say_left(const struct plan *p, const struct session *s, struct guard *g, const struct holder *h)
{
	cleanup_buf struct buf lines = BUF_INIT;
	char *line, *rest = NULL;

	guard_end(g, p, holder_is_last(h), &lines);
	if (s->say && s->warn && lines.len)
		for (line = strtok_r(lines.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
			s->warn(line);
}

/* What the kernel or a container around us refuses: doctor knows each of these, and its remedy. */
static int refused_by_machine(struct err *e)
{
	bool refusal = e->sys == ENOSYS || (e->code == ERR_SANDBOX && (e->sys == EPERM || e->sys == ENODEV || e->sys == EINVAL));

	return refusal && !*e->hint ? err_hint(e, "`devenv doctor` says what this machine lacks, and how to mend it") : -1;
}

static int run(const struct plan *p, const struct dirs *d, const struct session *s, struct err *e)
{
	cleanup_strlist struct strlist env = STRLIST_INIT;
	struct spawn spawn = { .plan = p, .argv = s->argv, .stdio = { -1, -1, -1 }, .terminal_fd = -1,
			       .root = s->root || p->root, .process_argv = s->process_argv };
	struct holder_request request = { .plan = p, .dirs = d, .process_argv = s->process_argv };
	struct setup setup = SETUP_INIT;
	struct restorer restorer = RESTORER_NONE;
	struct guard guard;
	struct holder h;
	cleanup_free char *no_agent = NULL;
	struct join join = { .want_scratch = s->interactive, .scratch_fd = -1, .pids = s->pids };
	int result, project_fd = -1;

	environ_build(p, s, workdir_of(p, s), &env);
	spawn.launcher_pidfd = sys_pidfd_open(gettid()); /* the only thread; musl knows this one without a system call */
	if (spawn.launcher_pidfd < 0)
		return err_sys(e, "can't open a descriptor of this process");
	/* To compare with afterwards; from inside its path leads to the view. */
	if (s->untrusted)
		project_fd = openat(AT_FDCWD, p->project, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (setup_begin(&setup, p, s, e) < 0)
		return -1;
	join.agent_fd = devices_open_agent(p, &no_agent);
	if (no_agent && s->warn)
		s->warn(no_agent);
	if (s->terminals & 1)
		restorer_start(&restorer);
	spawn.restorer = &restorer;
	if (holder_acquire(&request, &h, e) < 0) {
		restorer_end(&restorer);
		setup_end(&setup);
		return -1;
	}
	guard_begin(&guard, p, h.created);
	result = join_enter(p, &h, s->root && p->uid != 0, &join, e);
	if (result == 0 && join.agent)
		strlist_addf(&env, "SSH_AUTH_SOCK=%s", join.agent);
	spawn.envp = env.items;
	if (result == 0)
		result = run_session(p, s, &h, &setup, &spawn, e);
	setup_end(&setup);
	if (result >= 0 && join.scratch_fd >= 0)
		say_discarded(p, s, &h, join.scratch_fd, project_fd);
	if (result >= 0)
		say_changed(p, s);
	say_left(p, s, &guard, &h);
	if (s->was_last)
		*s->was_last = holder_is_last(&h);
	/* Whoever asks for was_last waits for pid 1 to go, which waits for this. */
	if (result < 0 || s->was_last)
		holder_release(&h);
	restorer_end(&restorer);
	return result;
}

int sandbox_run(const struct plan *p, const struct dirs *d, const struct session *s, struct err *e)
{
	int result = run(p, d, s, e);

	return result < 0 ? refused_by_machine(e) : result;
}
