/* SPDX-License-Identifier: Apache-2.0 */
/* test_env_git_hooks.c - hooks in a repository: what install leaves, what uninstall brings back, what sessions get. */
#include "unit/env_plan.h"

#include "base/process.h"
#include "env/git_hooks.h"

#define SCRIPT "#!/bin/sh\n# A git hook installed by devenv; for the test\n"

static void git(const char *a, const char *b, const char *c)
{
	const char *argv[] = { "git", "-C", fixture_project, a, b, c, NULL };
	struct err e = ERR_INIT;

	assert_int_equal(process_run(argv, &e), 0);
}

static void repository(const char *config)
{
	cleanup_free char *none = path_join(tempdir, "gitconfig");

	fixture_write("devenv.ini", config);
	setenv("GIT_CONFIG_GLOBAL", none, 1);
	setenv("GIT_CONFIG_SYSTEM", "/dev/null", 1);
	if (access("/usr/bin/git", X_OK) < 0)
		skip();
	git("init", "-q", NULL);
}

static void allow(void)
{
	struct env_powers asked;
	struct err e = ERR_INIT;
	struct environment env;

	fixture_open(&env);
	assert_done(env_powers(&env, &asked, &e), e);
	assert_done(env_allow(&env, &asked, &e), e);
	env_powers_release(&asked);
	env_release(&env);
}

static void hooks_open(struct git_hooks *g)
{
	struct err e = ERR_INIT;
	struct environment env;

	fixture_open(&env);
	assert_done(git_hooks_open(&env, g, &e), e);
	env_release(&env);
}

static void install(struct strlist *notes)
{
	struct buf script = { .data = (char *)SCRIPT, .len = strlen(SCRIPT) };
	struct err e = ERR_INIT;
	struct git_hooks g;

	hooks_open(&g);
	assert_done(git_hooks_install(&g, &script, notes, &e), e);
	git_hooks_release(&g);
}

static void uninstall(struct strlist *notes, int expected)
{
	struct err e = ERR_INIT;
	struct git_hooks g;
	int got;

	hooks_open(&g);
	got = git_hooks_uninstall(&g, notes, &e);
	assert_done(got, e);
	assert_int_equal(got, expected);
	git_hooks_release(&g);
}

static char *content(const char *name)
{
	cleanup_free char *path = mem_printf("%s/.git/%s", fixture_project, name);
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;

	return file_read(AT_FDCWD, path, 1 << 20, O_NOFOLLOW, &text, NULL, &e) < 0 ? NULL : buf_steal(&text);
}

static void is(const char *name, const char *text)
{
	cleanup_free char *there = content(name);

	if (text)
		assert_non_null(there);
	else
		assert_null(there);
	if (text)
		assert_string_equal(there, text);
}

static void test_install_and_back(void **state)
{
	cleanup_strlist struct strlist notes = STRLIST_INIT;
	cleanup_free char *config = NULL, *after = NULL;

	(void)state;
	repository(LAYOUT OFFLINE);
	allow();
	config = content("config");
	fixture_write(".git/hooks/commit-msg", "what was there\n");
	install(&notes);
	is("hooks/commit-msg", SCRIPT);
	is("hooks/post-rewrite", SCRIPT);
	is("hooks/post-commit", NULL);
	is("hooks/devenv.d/commit-msg", "what was there\n");
	is("hooks/devenv.d/projects", ".\n");
	install(&notes);
	is("hooks/devenv.d/commit-msg", "what was there\n");
	is("hooks/devenv.d/projects", ".\n");
	uninstall(&notes, 1);
	is("hooks/commit-msg", "what was there\n");
	is("hooks/post-rewrite", NULL);
	is("hooks/devenv.d/projects", NULL);
	after = content("config");
	assert_string_equal(config, after);
	uninstall(&notes, 0);
	assert_int_equal(notes.count, 0);
}

/* Killed after a hook was moved and before ours took its place. */
static void test_interrupted(void **state)
{
	cleanup_strlist struct strlist notes = STRLIST_INIT;
	cleanup_free char *hooks = path_join(fixture_project, ".git/hooks"),
			  *hook = path_join(hooks, "pre-push");

	(void)state;
	repository(LAYOUT OFFLINE);
	allow();
	fixture_write(".git/hooks/pre-push", "mine\n");
	install(&notes);
	assert_int_equal(unlink(hook), 0);
	uninstall(&notes, 1);
	is("hooks/pre-push", "mine\n");
	install(&notes);
	assert_int_equal(unlink(hook), 0);
	install(&notes);
	is("hooks/pre-push", SCRIPT);
	is("hooks/devenv.d/pre-push", "mine\n");
	uninstall(&notes, 1);
	is("hooks/pre-push", "mine\n");
	assert_int_equal(notes.count, 0);
}

static void test_hooks_path(void **state)
{
	cleanup_strlist struct strlist notes = STRLIST_INIT;
	cleanup_free char *before = NULL, *after = NULL;
	struct git_hooks g;

	(void)state;
	repository(LAYOUT OFFLINE);
	allow();
	git("config", "core.hooksPath", "~/no where");
	before = content("config");
	hooks_open(&g);
	assert_string_equal(g.scope, "local");
	git_hooks_release(&g);
	install(&notes);
	hooks_open(&g);
	assert_null(g.path);
	git_hooks_release(&g);
	uninstall(&notes, 1);
	after = content("config");
	assert_string_equal(before, after);
	/* somebody points elsewhere meanwhile: that is theirs to undo */
	install(&notes);
	git("config", "core.hooksPath", "other");
	uninstall(&notes, 1);
	assert_int_equal(notes.count, 1);
	hooks_open(&g);
	assert_string_equal(g.path, "other");
	git_hooks_release(&g);
}

static void test_refusals(void **state)
{
	struct err e = ERR_INIT;
	struct environment env;
	struct git_hooks g;

	(void)state;
	fixture_write("devenv.ini", LAYOUT OFFLINE);
	allow();
	fixture_open(&env);
	assert_error(git_hooks_open(&env, &g, &e), e, ERR_NOT_FOUND, "is in no git repository");
	env_release(&env);
	repository(LAYOUT "[sandbox]\nnetwork = host\n");
	fixture_open(&env);
	assert_error(git_hooks_open(&env, &g, &e), e, ERR_NOT_ALLOWED, "asks for more than was allowed");
	env_release(&env);
	repository(LAYOUT OFFLINE);
	allow();
	git("config", "extensions.worktreeConfig", "true");
	fixture_write(".git/config.worktree", "[core]\n\thooksPath = here\n");
	fixture_open(&env);
	assert_error(git_hooks_open(&env, &g, &e), e, ERR_UNSUPPORTED,
	             "core.hooksPath is set for this worktree only, to here");
	env_release(&env);
}

static bool are_missing(void)
{
	struct environment env;
	bool missing;

	fixture_open(&env);
	missing = git_hooks_are_missing(&env);
	env_release(&env);
	return missing;
}

static void test_missing(void **state)
{
	cleanup_strlist struct strlist notes = STRLIST_INIT;

	(void)state;
	fixture_write("devenv.ini", LAYOUT OFFLINE);
	assert_false(are_missing()); /* no repository: nowhere to install */
	repository(LAYOUT OFFLINE);
	allow();
	assert_true(are_missing());
	install(&notes);
	assert_false(are_missing());
	uninstall(&notes, 1);
	assert_true(are_missing());
}

static void test_sessions_get_the_scripts(void **state)
{
	cleanup_free char *text = NULL;
	struct plan p;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT OFFLINE "[git-hooks]\npre-commit =\n    one\n    two\n");
	load(&p);
	text = skeleton_text(&p, GIT_HOOKS_INSIDE "/pre-commit");
	assert_string_equal(text, "one\ntwo\n");
	assert_int_equal(skeleton_mode(&p, GIT_HOOKS_INSIDE "/pre-push"), 0);
	plan_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_install_and_back), fixture_test(test_interrupted),
		fixture_test(test_hooks_path),       fixture_test(test_refusals),
		fixture_test(test_missing),          fixture_test(test_sessions_get_the_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
