/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_git_hooks_run.c - `devenv git-hooks run NAME ARG...`, which hooks/hook.sh calls: one of [git-hooks] inside.
 *
 * The script lies in the generated layer (env/git_hooks.h), so what runs is what the plan was made from; `devenv run`
 * gives it the environment, its input and arguments, and its exit status is ours. The variables by which git says what
 * it is working on go along; those that name a place in the project name it as it is seen inside.
 */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/process.h"
#include "base/text.h"
#include "env/launcher.h"
#include "env/git_hooks.h"

#define MESSAGE_MAX (1u << 20)

static const char *script_of(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->git_hook_count; i++)
		if (strcmp(config->git_hooks[i].name, name) == 0)
			return config->git_hooks[i].value;
	return NULL;
}

/* Git gives paths relative to where it runs the hook, which hook.sh says ("NAME DIRECTORY"). */
static char *absolute(const char *path)
{
	const char *hook = getenv("DEVENV_GIT_HOOK"), *directory = hook ? strchr(hook, ' ') : NULL;
	cleanup_free char *cwd = directory ? NULL : getcwd(NULL, 0);
	cleanup_free char *joined = path_join(directory ? directory + 1 : cwd ? cwd : "/", path);

	return path_clean(joined);
}

/* A path of the host as the session sees it. */
static char *inside(const struct environment *env, const char *path)
{
	cleanup_free char *clean = absolute(path);
	const char *target = env->config.workspace_target, *below = path_below(clean, env->project);

	return target && below ? path_join(target, below) : mem_steal(clean);
}

static void add_variables(const struct environment *env, struct strlist *argv)
{
	static const struct {
		const char *name;
		bool is_path;
	} variables[] = {
		{ "GIT_DIR", true },           { "GIT_WORK_TREE", true },      { "GIT_INDEX_FILE", true },
		{ "GIT_PREFIX", false },       { "GIT_REFLOG_ACTION", false }, { "GIT_AUTHOR_NAME", false },
		{ "GIT_AUTHOR_EMAIL", false }, { "GIT_AUTHOR_DATE", false }
	};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i].name);
		cleanup_free char *path = NULL;

		if (!value)
			continue;
		path = variables[i].is_path ? inside(env, value) : mem_strdup(value);
		strlist_add(argv, "-e");
		strlist_addf(argv, "%s=%s", variables[i].name, path);
	}
}

static void add_flags(const struct cli *c, const struct environment *env, struct strlist *argv)
{
	if (c->locked)
		strlist_add(argv, "--locked");
	if (c->offline)
		strlist_add(argv, "--offline");
	if (c->quiet)
		strlist_add(argv, "-q");
	if (c->verbose)
		strlist_add(argv, "-v");
	strlist_add(argv, "--directory");
	strlist_add(argv, env->project);
}

/*
 * The message of a commit in a linked worktree, or above the project, lies where the session can't see it: it gets a
 * copy in its home, and what it made of that goes back.
 */
struct message {
	char *host, *copy, *inside; /* NULL: no copy is needed */
};

static int lend(const struct environment *env, const char *path, struct message *m, struct err *e)
{
	cleanup_buf struct buf text = BUF_INIT;
	cleanup_free char *full = absolute(path), *real = realpath(full, NULL),
			  *home = path_join(env->state, "home");

	if (!real)
		return err_sys(e, "can't find the commit message %s", text_safe(path));
	if (path_is_below(real, env->project))
		return 0;
	m->copy = mem_printf("%s/.devenv-commit-msg.%d", home, (int)getpid());
	m->inside = path_join(env->config.user_root ? "/root" : env->dirs.home, path_base(m->copy));
	m->host = mem_steal(real);
	if (file_read(AT_FDCWD, m->host, MESSAGE_MAX, 0, &text, NULL, e) < 0 || dirs_private(home, e) < 0)
		return -1;
	return file_replace(AT_FDCWD, m->copy, text.data, text.len, 0600, FILE_FAST, e);
}

static int take_back(struct message *m, struct err *e)
{
	cleanup_buf struct buf before = BUF_INIT, after = BUF_INIT;
	cleanup_close int fd = -1;

	/* O_NOFOLLOW: the script could have put a link there */
	if (file_read(AT_FDCWD, m->host, MESSAGE_MAX, 0, &before, NULL, e) < 0 ||
	    file_read(AT_FDCWD, m->copy, MESSAGE_MAX, O_NOFOLLOW, &after, NULL, e) < 0)
		return err_wrap(e, "can't take the commit message back");
	if (before.len == after.len && memcmp(before.data, after.data, after.len) == 0)
		return 0;
	fd = open(m->host, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "can't write the commit message %s", text_safe(m->host));
	return file_write_all(fd, after.data, after.len, e);
}

static void message_release(struct message *m)
{
	if (m->copy)
		unlink(m->copy);
	free(m->host);
	free(m->copy);
	free(m->inside);
}

static int run(struct cli *c, struct environment *env, struct err *e)
{
	cleanup_strlist struct strlist argv = STRLIST_INIT;
	struct message message = { 0 };
	const char *name = c->operands[0];
	bool is_message = strcmp(name, "commit-msg") == 0 && c->operand_count > 1;
	char *launcher = launcher_find(e);
	int status = launcher ? 0 : -1;

	if (status == 0 && is_message)
		status = lend(env, c->operands[1], &message, e);
	strlist_add(&argv, launcher ? launcher : "");
	free(launcher);
	strlist_add(&argv, "run");
	add_flags(c, env, &argv);
	add_variables(env, &argv);
	strlist_add(&argv, "--");
	strlist_add(&argv, "/bin/sh");
	strlist_add(&argv, "-e");
	strlist_addf(&argv, GIT_HOOKS_INSIDE "/%s", name);
	for (int i = 1; i < c->operand_count; i++) {
		cleanup_free char *path = is_message && i == 1 ? inside(env, c->operands[i]) : NULL;

		strlist_add(&argv, path && message.inside ? message.inside : path ? path : c->operands[i]);
	}
	if (status == 0)
		status = process_run((const char *const *)argv.items, e);
	if (status >= 0 && message.copy && take_back(&message, e) < 0)
		status = -1;
	message_release(&message);
	if (status == 125) /* what went wrong is on the screen already */
		output_notice(c, "the %s hook did not run; git's --no-verify goes on without it",
		              text_safe(name));
	return status;
}

int cmd_git_hooks_run(struct cli *c, struct err *e)
{
	struct environment env;
	int status = 0;

	if (cli_open(c, &env, e) < 0) {
		if (!e->hint[0])
			err_hint_(e, "--no-verify commits or pushes without the hook");
		return -1;
	}
	if (script_of(&env.config, c->operands[0]))
		status = run(c, &env, e);
	env_release(&env);
	return status;
}
