/* SPDX-License-Identifier: Apache-2.0 */
/* Powers, the record of what was granted, and which checkouts share it. */
#include "unit/env_fixture.h"

#include "env/clone.h"
#include "env/trust.h"

#define IMAGE "[base]\nimage = debian:12\n"
#define OFFLINE_IMAGE IMAGE "[sandbox]\nnetwork = none\n"

static void check_powers(const char *config, const char *expected)
{
	cleanup_buf struct buf got = BUF_INIT;
	struct err e = ERR_INIT;
	struct environment env;
	struct env_powers p;

	fixture_write("devenv.ini", config);
	fixture_open(&env);
	assert_done(env_powers(&env, &p, &e), e);
	for (size_t i = 0; i < p.count; i++)
		buf_addf(&got, "%s\n", p.items[i].key);
	assert_string_equal(got.data, expected);
	env_powers_release(&p);
	env_release(&env);
}

static void test_network(void **state)
{
	(void)state;
	check_powers(IMAGE, "network:host\nnetwork:abstract-sockets\n");
	check_powers(IMAGE "[sandbox]\nnetwork = host\n", "network:host\nnetwork:abstract-sockets\n");
	check_powers(OFFLINE_IMAGE, "");
}

static void test_files(void **state)
{
	cleanup_free char *config = NULL, *expected = NULL, *linked = NULL;

	(void)state;
	fixture_write(".env", "A=1\n");
	tempdir_write("home/secrets", "B=2\n");
	linked = path_join(tempdir, "home/secrets");
	assert_int_equal(symlinkat("../../secrets", tempfd, "home/src/shop/link.env"), 0);
	config = mem_printf(OFFLINE_IMAGE "[env-file]\nrequired = .env\noptional = missing.env %s/x.env\n", tempdir);
	expected = mem_printf("file:%s/x.env\n", tempdir);
	check_powers(config, expected);
	free(expected);
	expected = mem_printf("file:%s\n", linked);
	check_powers(OFFLINE_IMAGE "[env-file]\nrequired = ~/secrets\n", expected);
	check_powers(OFFLINE_IMAGE "[env-file]\nrequired = ../../secrets\n", expected);
	check_powers(OFFLINE_IMAGE "[env-file]\nrequired = link.env\n", expected);
	check_powers("[base]\narchive = ../../secrets\n[sandbox]\nnetwork = none\n", expected);
	check_powers("[base]\noci = ../../secrets:tag\n[sandbox]\nnetwork = none\n", expected);
	check_powers("[base]\noci = layout:tag\n[sandbox]\nnetwork = none\n", "");
}

static void check_forbidden(const char *path)
{
	cleanup_free char *config = mem_printf(OFFLINE_IMAGE "[env-file]\nrequired = %s\n", path);
	struct err e = ERR_INIT;
	struct environment env;

	fixture_write("devenv.ini", config);
	assert_error(env_open(&env, fixture_project, &e), e, ERR_CONFIG, "devenv.ini");
}

static void test_forbidden(void **state)
{
	cleanup_free char *store = path_join(tempdir, "store/layers/x");
	cleanup_free char *trust = path_join(tempdir, "state/devenv/trust/x");

	(void)state;
	check_forbidden("~");
	check_forbidden("/");
	check_forbidden("../..");
	check_forbidden(store);
	check_forbidden(trust);
	check_forbidden("/run/docker.sock");
}

static void test_first_use(void **state)
{
	struct person p = { .answer = true };
	struct env_ui ui = person_ui(&p, true);
	struct env_options o = { .ui = &ui };
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", IMAGE);
	fixture_open(&env);
	assert_done(env_require_allowed(&env, &o, &e), e);
	assert_int_equal(p.asked, 1);
	assert_true(text_starts(p.shown.data, "first\n"));
	assert_non_null(strstr(p.shown.data, "itself included"));
	assert_done(env_require_allowed(&env, &o, &e), e);
	assert_int_equal(p.asked, 1);
	env_release(&env);
	person_release(&p);
}

static void test_growth(void **state)
{
	struct person p = { .answer = true };
	struct env_ui ui = person_ui(&p, true);
	struct env_options o = { .ui = &ui };
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", IMAGE);
	fixture_open(&env);
	assert_done(env_require_allowed(&env, &o, &e), e);
	env_release(&env);
	fixture_write("devenv.ini", IMAGE "[env-file]\noptional = ~/more\n");
	fixture_open(&env);
	assert_done(env_require_allowed(&env, &o, &e), e);
	assert_int_equal(p.asked, 2);
	assert_true(text_starts(p.shown.data, "growth\nfile: "));
	assert_null(strstr(p.shown.data, "network"));
	env_release(&env);
	fixture_write("devenv.ini", OFFLINE_IMAGE);
	fixture_open(&env);
	assert_done(env_require_allowed(&env, &o, &e), e);
	assert_int_equal(p.asked, 2);
	env_release(&env);
	person_release(&p);
}

static void test_refused(void **state)
{
	struct person p = { .answer = false };
	struct env_ui ui = person_ui(&p, true);
	struct env_options o = { .ui = &ui };
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", IMAGE);
	fixture_open(&env);
	assert_error(env_require_allowed(&env, &o, &e), e, ERR_NOT_ALLOWED, "itself included");
	assert_int_equal(p.asked, 1);
	ui.interactive = false;
	p.answer = true;
	assert_error(env_require_allowed(&env, &o, &e), e, ERR_NOT_ALLOWED, "abstract sockets");
	assert_non_null(strstr(e.hint, "devenv allow"));
	assert_int_equal(p.asked, 1);
	o.yes = true;
	assert_done(env_require_allowed(&env, &o, &e), e);
	o.yes = false;
	assert_done(env_require_allowed(&env, &o, &e), e);
	assert_done(env_deny(&env, &e), e);
	assert_done(env_deny(&env, &e), e);
	e = ERR_INIT;
	assert_error(env_require_allowed(&env, &o, &e), e, ERR_NOT_ALLOWED, "not allowed yet");
	env_release(&env);
	person_release(&p);
}

static void test_nothing_asked_needs_no_answer(void **state)
{
	struct person p = { 0 };
	struct env_ui ui = person_ui(&p, false);
	struct env_options o = { .ui = &ui };
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", OFFLINE_IMAGE);
	fixture_open(&env);
	assert_done(env_require_allowed(&env, &o, &e), e);
	env_release(&env);
	person_release(&p);
}

/* ---- clones ---- */

static void check_key(const char *project, const char *expected_format, bool same)
{
	cleanup_free char *path = path_join(tempdir, project);
	cleanup_free char *real = realpath(path, NULL);
	cleanup_free char *key = clone_key(path);
	cleanup_free char *expected = mem_printf("%s%s", expected_format, same ? real : "");

	assert_string_equal(key, expected);
}

static void make_worktree(const char *work, const char *back, const char *common)
{
	cleanup_free char *dotgit = mem_printf("gitdir: %s/clone/.git/worktrees/w\n", tempdir);
	cleanup_free char *name = mem_printf("%s/.git", work);

	fixture_mkdir("clone/.git/worktrees/w");
	fixture_mkdir(work);
	tempdir_write(name, dotgit);
	tempdir_write("clone/.git/worktrees/w/gitdir", back);
	tempdir_write("clone/.git/worktrees/w/commondir", common);
}

static void test_worktree_shares(void **state)
{
	cleanup_free char *real = realpath(tempdir, NULL);
	cleanup_free char *back = mem_printf("%s/tree/.git\n", tempdir);
	cleanup_free char *expected = mem_printf("git:%s/clone/.git\nsub", real);

	(void)state;
	make_worktree("tree", back, "../..\n");
	fixture_mkdir("clone/sub");
	fixture_mkdir("tree/sub");
	check_key("clone/sub", expected, false);
	check_key("tree/sub", expected, false);
}

static void test_forged_worktree(void **state)
{
	cleanup_free char *back = mem_printf("%s/tree/.git\n", tempdir);
	cleanup_free char *common = mem_printf("%s/clone/.git\n", tempdir);
	cleanup_free char *inner = mem_printf("%s/evil/.git\n", tempdir);

	(void)state;
	make_worktree("tree", back, "../..\n");
	/* It points at a worktree of somebody else's. */
	fixture_mkdir("evil");
	tempdir_write("evil/.git", "gitdir: ../clone/.git/worktrees/w\n");
	check_key("evil", "path:", true);
	/* It brings a git directory of its own that claims the other's common directory. */
	fixture_mkdir("evil/fake");
	tempdir_write("evil/.git", "gitdir: fake\n");
	tempdir_write("evil/fake/gitdir", inner);
	tempdir_write("evil/fake/commondir", common);
	check_key("evil", "path:", true);
	fixture_mkdir("evil/worktrees/fake");
	tempdir_write("evil/.git", "gitdir: worktrees/fake\n");
	tempdir_write("evil/worktrees/fake/gitdir", inner);
	tempdir_write("evil/worktrees/fake/commondir", common);
	check_key("evil", "path:", true);
	/* A link is not followed at all. */
	fixture_mkdir("linked");
	assert_int_equal(symlinkat("../clone/.git", tempfd, "linked/.git"), 0);
	check_key("linked", "path:", true);
}

static void test_no_clone(void **state)
{
	(void)state;
	fixture_mkdir("plain/deep");
	check_key("plain/deep", "path:", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_network),	    fixture_test(test_files),
		fixture_test(test_forbidden),	    fixture_test(test_first_use),
		fixture_test(test_growth),	    fixture_test(test_refused),
		fixture_test(test_nothing_asked_needs_no_answer),
		fixture_test(test_worktree_shares), fixture_test(test_forged_worktree),
		fixture_test(test_no_clone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
