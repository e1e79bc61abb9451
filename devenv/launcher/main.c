/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - the launcher.
 *
 * Theory of operation
 *
 *   `enter` and `run`: find the project, load its plan, ask whether the plan is still true (one stat per file it was made
 *   from), and carry it out. When there is no plan or it is stale, `devenv-core prepare` makes one - fetching, building,
 *   asking - and the launcher looks again. Every other command becomes the core by exec.
 *
 * The launcher reads the plan, which the core wrote, and parses nothing that a stranger wrote but, once a session is over,
 * git's settings (plan/guard.h). It links nothing but libc; it never runs the core when the plan is fresh. Reading order:
 * this file, plan/plan.h, sandbox/holder.c, init.c, root.c, standard.c, join.c, spawn.c, then the two ways to run a
 * command: foreground.c without a terminal; with one, leader.c and terminal.c, whose parts are caller.c, relay.c and
 * restorer.c.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/process.h"
#include "base/project.h"
#include "base/text.h"
#include "launcher/arguments.h"
#include "launcher/limits.h"
#include "launcher/locate.h"
#include "launcher/report.h"
#include "launcher/stdio.h"
#include "plan/plan.h"
#include "sandbox/sandbox.h"

struct launch {
	char **argv;   /* of this process */
	unsigned int terminals; /* bit N: descriptor N is one */
	struct arguments args;
	struct dirs dirs;
	char *project; /* NULL for --image */
	char *state;
	char *cwd;     /* the caller's */
	struct plan plan;
};

static int become_core(char **argv, struct err *e)
{
	cleanup_free char *core = locate_core(e);

	if (!core)
		return -1;
	execv(core, argv);
	return err_sys(e, "can't run %s", core);
}

/* Ask the core for a fresh plan. Returns its exit status; it has printed what went wrong. */
static int prepare(const struct launch *l, struct err *e)
{
	cleanup_free char *core = locate_core(e);
	cleanup_strlist struct strlist argv = STRLIST_INIT;
	size_t i;

	if (!core)
		return -1;
	strlist_add(&argv, core);
	strlist_add(&argv, "prepare");
	strlist_add(&argv, "--for");
	strlist_add(&argv, l->args.command == COMMAND_ENTER ? "enter" : "run");
	if (l->args.image) {
		strlist_add(&argv, "--image");
		strlist_add(&argv, l->args.image);
	} else {
		strlist_add(&argv, "--directory");
		strlist_add(&argv, l->project);
	}
	if (l->args.untrusted)
		strlist_add(&argv, "--untrusted");
	for (i = 0; i < l->args.pass_on.count; i++)
		strlist_add(&argv, l->args.pass_on.items[i]);
	return process_run_to_end((const char *const *)argv.items, e);
}

static int find_state(struct launch *l, struct err *e)
{
	char cwd[PATH_MAX];

	if (l->args.directory && project_change_to(l->args.directory, e) < 0)
		return -1;
	if (dirs_find(&l->dirs, e) < 0)
		return -1;
	if (l->args.image) {
		l->state = dirs_image(&l->dirs, l->args.image);
		return 0;
	}
	if (!getcwd(cwd, sizeof(cwd)))
		return err_sys(e, "can't find out the current directory");
	l->cwd = mem_strdup(cwd);
	if (project_find(l->cwd, l->dirs.home, &l->project, e) < 0)
		return -1;
	l->state = dirs_checkout(&l->dirs, l->project);
	return 0;
}

/* Is there a plan, is it this project's, and is it still true? */
static bool load_fresh(struct launch *l)
{
	cleanup_free char *path = mem_printf("%s/%s", l->state, l->args.untrusted ? "plan-untrusted" : "plan");
	struct err ignored = ERR_INIT;

	if (plan_load_open(&l->plan, path, &ignored) < 0)
		return false;
	/* State directories are named by a hash that can be made to collide: the plan must say whose it is. */
	if (!strcmp(l->plan.project, l->project ? l->project : "") &&
	    (!l->args.image || !strcmp(l->plan.image, l->args.image)) && !strcmp(l->plan.store, l->dirs.store) &&
	    !plan_stale(&l->plan))
		return true;
	plan_release(&l->plan);
	return false;
}

/*
 * What the core just wrote is carried out even when it says that a file was young: young means "ask again next time".
 */
static int load_prepared(struct launch *l, struct err *e)
{
	cleanup_free char *path = mem_printf("%s/%s", l->state, l->args.untrusted ? "plan-untrusted" : "plan");

	if (plan_load_open(&l->plan, path, e) < 0)
		return err_wrap(e, "the plan that was just made can't be read");
	return 0;
}

/* The directory inside that matches the caller's; NULL: the plan's own. */
static char *matching_directory(const struct launch *l)
{
	const char *below = l->project ? path_below(l->cwd, l->project) : NULL;

	return below && *l->plan.project_target ? path_join(l->plan.project_target, below) : NULL;
}

/* `run --image` puts the image's entrypoint before the words, and its command where there are none, as docker does. */
static void build_command(const struct launch *l, struct strlist *argv)
{
	size_t i;

	for (i = 0; l->args.image && l->args.words[0] && i < l->plan.entrypoint_count; i++)
		strlist_add(argv, l->plan.entrypoint[i]);
	for (i = 0; l->args.words[i]; i++)
		strlist_add(argv, l->args.words[i]);
	for (i = 0; !l->args.words[0] && i < l->plan.command_count; i++)
		strlist_add(argv, l->plan.command[i]);
}

static int carry_out(struct launch *l, struct err *e)
{
	cleanup_free char *workdir = matching_directory(l);
	cleanup_strlist struct strlist argv = STRLIST_INIT;
	struct session s = { .interactive = l->args.command == COMMAND_ENTER,
			     .root = l->args.root,
			     .untrusted = l->args.untrusted,
			     .process_argv = l->argv,
			     .workdir = workdir,
			     .terminals = l->terminals,
			     .extra_env = l->args.env.items,
			     .warn = report_warning,
			     .say = l->args.quiet ? NULL : report_line };
	struct limits limits = LIMITS_INIT;
	int status;

	if (!s.interactive) {
		build_command(l, &argv);
		if (!argv.count) {
			err_set(e, ERR_USAGE, "the image %s has no command of its own", l->args.image);
			return err_hint(e, "name one: `devenv run --image %s COMMAND`", l->args.image);
		}
		s.argv = argv.items;
	}
	if (limits_begin(&limits, &l->plan, e) < 0)
		return -1;
	s.was_last = l->plan.memory || l->plan.cpus || l->plan.pids ? &limits.was_last : NULL;
	s.pids = limits.count_processes ? l->plan.pids : 0;
	status = sandbox_run(&l->plan, &l->dirs, &s, e);
	limits_end(&limits, &l->plan, report_warning);
	return status;
}

/*
 * For git hooks: is what git just brought still what is prepared? Says nothing where nothing can be said, and never
 * fails: the answer that nothing changed costs a stat per file; whether the content differs too is the core's to tell.
 */
static int hook_check(struct launch *l)
{
	cleanup_free char *path = NULL, *core = NULL, *told = NULL;
	const char *argv[] = { "devenv", "--directory", NULL, "hook-check", NULL };
	struct err ignored = ERR_INIT;
	size_t i;

	if (find_state(l, &ignored) < 0)
		return 0;
	path = mem_printf("%s/plan", l->state);
	if (plan_load_open(&l->plan, path, &ignored) < 0)
		return 0;
	for (i = 0; i < l->plan.watch_count; i++)
		l->plan.watches[i].young = false; /* it has not changed for that */
	if (!plan_stale(&l->plan)) {
		told = mem_printf("%s/hook-told", l->state); /* cli/cmd_hook_check.c: what is said next is news */
		unlink(told);
		return 0;
	}
	core = locate_core(&ignored);
	argv[2] = l->project;
	if (core)
		execv(core, (char *const *)argv);
	return 0;
}

/*
 * A step of a build: the core made this plan for one run and waits for it. Without a command it is the shell where a step
 * stopped. All of it is in the directory of the plan, the lock too: so nothing is left anywhere else.
 */
static int run_step(struct launch *l, struct err *e)
{
	if (dirs_find(&l->dirs, e) < 0 || plan_load(&l->plan, l->args.words[0], e) < 0)
		return -1;
	free(l->dirs.runtime);
	l->dirs.runtime = mem_strdup(l->plan.state);
	l->args.image = l->plan.image;
	if (!l->plan.command_count)
		l->args.command = COMMAND_ENTER;
	l->args.words++;
	return carry_out(l, e);
}

/* Exit status, or -1 and an error to print. */
static int launch(int argc, struct launch *l, struct err *e)
{
	int status;

	if (arguments_parse(argc, l->argv, &l->args, e) < 0)
		return -1;
	if (l->args.command == COMMAND_OTHER || l->args.help)
		return become_core(l->argv, e);
	if (l->args.command == COMMAND_HOOK_CHECK)
		return hook_check(l);
	if (l->args.command == COMMAND_STEP)
		return run_step(l, e);
	if (find_state(l, e) < 0)
		return -1;
	if (!load_fresh(l)) {
		status = prepare(l, e);
		if (status != 0)
			return status;
		if (load_prepared(l, e) < 0)
			return -1;
	}
	return carry_out(l, e);
}

static int exit_status(const struct err *e)
{
	switch (e->code) {
	case ERR_EXEC_FORMAT:
		return 126;
	case ERR_EXEC_MISSING:
		return 127;
	default:
		return 125;
	}
}

int main(int argc, char **argv)
{
	struct launch l = { .argv = argv };
	struct err e = ERR_INIT;
	int status;

	signal(SIGCHLD, SIG_DFL); /* ignored, it would eat exit statuses */
	plan_init(&l.plan);
	status = stdio_prepare(&l.terminals, &e);
	if (status == 0)
		status = launch(argc, &l, &e);
	if (status >= 0)
		return status;
	report_error(&e, l.args.json);
	return exit_status(&e);
}
