/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c - one session of a plan, from the holder to the exit status.
 *
 * Theory of operation
 *
 *   demote           real root becomes an ordinary user; nothing from here on knows the difference
 *   environ_build    the variables of the session, while the caller's are at hand
 *   setup_begin      has the checkout's setup to run? (outside, where its record is)
 *   holder_acquire   find the environment's pid 1, or make it: there init.c builds root.c's root with standard.c's /dev, /proc
 *                    and /sys, and reports
 *   join_enter       into its namespaces
 *   setup_run, run_start_hook, holder_open_door   what comes before anybody's command; then others may join
 *   run_command      spawn.c starts the command restricted (restrict.c); foreground.c or terminal.c sees to it until it ends
 *   parting_words    what goes with an environment, what has changed meanwhile, what is left for the host to mind
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
#include "plan/demote.h"
#include "plan/guard.h"
#include "sandbox/devices.h"
#include "sandbox/environ.h"
#include "sandbox/foreground.h"
#include "sandbox/holder.h"
#include "sandbox/join.h"
#include "sandbox/parting.h"
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

/* What the kernel or a container around us refuses: doctor knows each of these, and its remedy. */
static int refused_by_machine(struct err *e)
{
	bool refusal = e->sys == ENOSYS || (e->code == ERR_SANDBOX && (e->sys == EPERM || e->sys == ENODEV || e->sys == EINVAL));

	return refusal && !*e->hint ? err_hint(e, "`devenv doctor` says what this machine lacks, and how to mend it") : -1;
}

struct visit { /* everything of one session, from outside to outside */
	const struct plan *plan;
	const struct session *session;
	struct strlist env;
	struct spawn spawn;
	struct setup setup;
	struct restorer restorer;
	struct join join;
	struct holder holder;
	struct guard guard;
	int project_fd; /* of `enter --untrusted`: the project as it is outside; -1 */
};

/* What has to be had from outside: the caller's variables, descriptors of the host, a child that stays out here. */
static int get_ready(struct visit *v, struct holder_request *request, struct err *e)
{
	const struct plan *p = v->plan;
	const struct session *s = v->session;
	cleanup_free char *no_agent = NULL;

	if (s->terminals & 1)
		restorer_start(&v->restorer);
	if (demote(p, request->dirs, &request->lock_fd, e) == DEMOTE_FAILED)
		return -1;
	*e = ERR_INIT; /* why it stays what it is, doctor tells */
	environ_build(p, s, workdir_of(p, s), &v->env);
	v->spawn.launcher_pidfd = sys_pidfd_open(gettid()); /* the only thread; musl knows this one without a system call */
	if (v->spawn.launcher_pidfd < 0)
		return err_sys(e, "can't open a descriptor of this process");
	/* To compare with afterwards; from inside its path leads to the view. */
	if (s->untrusted)
		v->project_fd = openat(AT_FDCWD, p->project, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (setup_begin(&v->setup, p, s, e) < 0)
		return -1;
	v->join.agent_fd = devices_open_agent(p, &no_agent);
	if (no_agent && s->warn)
		s->warn(no_agent);
	return 0;
}

static int enter_and_run(struct visit *v, struct err *e)
{
	const struct session *s = v->session;

	if (join_enter(v->plan, &v->holder, s->root && v->plan->uid != 0, &v->join, e) < 0)
		return -1;
	if (v->join.agent)
		strlist_addf(&v->env, "SSH_AUTH_SOCK=%s", v->join.agent);
	v->spawn.envp = v->env.items;
	return run_session(v->plan, s, &v->holder, &v->setup, &v->spawn, e);
}

/* Still inside; what is left open closes with this process (see above). */
static void leave(struct visit *v, int result)
{
	const struct session *s = v->session;

	setup_end(&v->setup);
	if (result >= 0)
		parting_words(v->plan, s, &v->holder, v->join.scratch_fd, v->project_fd);
	parting_report(v->plan, s, &v->holder, &v->guard);
	if (s->was_last)
		*s->was_last = holder_is_last(&v->holder);
	/* Whoever asks for was_last waits for pid 1 to go, which waits for this. */
	if (result < 0 || s->was_last)
		holder_release(&v->holder);
}

/*
 * What ends of a ^C dies of it: a shell goes on with its script or loop after a program that only says 130. Where the terminal was
 * raw they have not had the signal either.
 */
static void die_interrupted(const struct visit *v)
{
	if (v->spawn.interrupt == INTERRUPT_NONE)
		return;
	signal(SIGINT, SIG_DFL);
	sigprocmask(SIG_SETMASK, &v->spawn.mask, NULL);
	if (v->spawn.interrupt == INTERRUPT_TYPED)
		restorer_signal_job(&v->restorer, SIGINT);
	kill(getpid(), SIGINT);
}

static int visit(struct visit *v, struct holder_request *request, struct err *e)
{
	int result;

	if (get_ready(v, request, e) < 0 || holder_acquire(request, &v->holder, e) < 0) {
		setup_end(&v->setup);
		restorer_end(&v->restorer);
		return -1;
	}
	guard_begin(&v->guard, v->plan, v->holder.created);
	result = enter_and_run(v, e);
	leave(v, result);
	die_interrupted(v);
	restorer_end(&v->restorer);
	return result;
}

int sandbox_run(const struct plan *p, const struct dirs *d, const struct session *s, struct err *e)
{
	struct visit v = {
		.plan = p,
		.session = s,
		.spawn = { .plan = p, .argv = s->argv, .stdio = { -1, -1, -1 }, .terminal_fd = -1, .root = s->root || p->root,
			   .process_argv = s->process_argv, .restorer = &v.restorer },
		.setup = SETUP_INIT,
		.restorer = RESTORER_NONE,
		.join = { .want_scratch = s->interactive, .scratch_fd = -1, .pids = s->pids },
		.project_fd = -1,
	};
	struct holder_request request = { .plan = p, .dirs = d, .process_argv = s->process_argv };
	int result = visit(&v, &request, e);

	strlist_release(&v.env);
	return result < 0 ? refused_by_machine(e) : result;
}
