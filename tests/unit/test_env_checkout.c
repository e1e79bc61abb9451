/* SPDX-License-Identifier: Apache-2.0 */
/* A project that is exchanged while it is worked on, and one that may not be a project at all. */
#include "unit/env_plan.h"

#include "env/locking.h"

#define SHOP "home/src/shop"

static void make_link(const char *to, const char *name)
{
	assert_int_equal(symlinkat(to, tempfd, name), 0);
}

static void move_away(void)
{
	assert_int_equal(renameat(tempfd, SHOP, tempfd, "home/src/moved"), 0);
	make_link("secret", SHOP);
}

static void move_back(void)
{
	assert_int_equal(unlinkat(tempfd, SHOP, 0), 0);
	assert_int_equal(renameat(tempfd, "home/src/moved", tempfd, SHOP), 0);
}

/* ---- exchanged under way ---- */

static bool exchange_and_agree(void *data, const char *project, const struct strlist *texts, bool growth)
{
	(void)data;
	(void)project;
	(void)texts;
	(void)growth;
	move_away();
	return true;
}

static void exchange_back(void *data, const char *line)
{
	bool *done = data;

	(void)line;
	if (!*done)
		move_back();
	*done = true;
}

static void test_exchanged_while_asked(void **state)
{
	bool done = false;
	struct env_ui ui = { .data = &done, .interactive = true, .ask_powers = exchange_and_agree };
	struct env_options o = { .ui = &ui };
	cleanup_free char *plan = NULL;
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_mkdir("home/src/secret");
	fixture_layout("one");
	fixture_write("devenv.ini", LAYOUT OFFLINE);
	fixture_open(&env);
	plan = path_join(env.state, "plan");
	assert_error(env_prepare(&env, ENV_FOR_ENTER, &o, &e), e, ERR_FAILED, "not the directory any more");
	assert_false(file_exists(AT_FDCWD, plan));
	assert_false(file_exists(tempfd, "home/src/secret/devenv.lock"));
	env_release(&env);
}

static void test_lock_and_env_file_stay(void **state)
{
	bool done = false;
	struct env_ui ui = {
		.data = &done, .interactive = true, .ask_powers = exchange_and_agree, .notice = exchange_back
	};
	struct env_options o = { .ui = &ui };
	struct err e = ERR_INIT;
	struct environment env;
	struct plan p;
	struct stat st;

	(void)state;
	fixture_mkdir("home/src/secret");
	fixture_layout("one");
	fixture_write(".env", "WHOSE=ours\n");
	fixture_write("devenv.ini", LAYOUT OFFLINE "[env-file]\nrequired = .env\n");
	fixture_open(&env);
	assert_done(env_prepare(&env, ENV_FOR_ENTER, &o, &e), e);
	assert_true(done);
	env_release(&env);
	assert_false(file_exists(tempfd, "home/src/secret/devenv.lock"));
	assert_true(file_exists(tempfd, SHOP "/devenv.lock"));
	load(&p);
	assert_string_equal(variable(&p, "WHOSE"), "ours");
	assert_int_equal(fstatat(tempfd, SHOP, &st, 0), 0);
	assert_true(mount_at(&p, fixture_project)->ino == st.st_ino);
	plan_release(&p);
}

/* The answer that was given to another project is not this one's. */
static void test_trust_of_another(void **state)
{
	cleanup_free char *other = path_join(tempdir, "home/src/secret");
	struct env_powers asked, missing;
	struct err e = ERR_INIT;
	struct environment env;
	bool known;

	(void)state;
	fixture_mkdir("home/src/secret/.git");
	tempdir_write("home/src/secret/devenv.ini", LAYOUT);
	assert_done(env_open(&env, other, &e), e);
	assert_done(env_powers(&env, &asked, &e), e);
	assert_done(env_allow(&env, &asked, &e), e);
	env_powers_release(&asked);
	env_release(&env);
	fixture_write("devenv.ini", LAYOUT);
	fixture_open(&env);
	move_away();
	assert_done(env_powers(&env, &asked, &e), e);
	assert_done(env_powers_missing(&env, &asked, &missing, &known, &e), e);
	assert_false(known);
	assert_int_equal(missing.count, asked.count);
	env_powers_release(&asked);
	env_powers_release(&missing);
	env_release(&env);
}

/* ---- where the base comes from ---- */

static void lock_fails(struct environment *env, enum err_code code, const char *says)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui, .yes = true };
	struct env_changes c;
	struct err e = ERR_INIT;

	assert_error(env_lock(env, &o, false, &STRLIST_INIT, &c, &e), e, code, says);
	assert_false(file_exists(tempfd, SHOP "/devenv.lock"));
}

static void test_archive_becomes_link(void **state)
{
	cleanup_buf struct buf tar = BUF_INIT;
	struct environment env;
	struct err e = ERR_INIT;

	(void)state;
	fixture_tar_add(&tar, "bin/sh", "#!\n", 0755);
	for (int i = 0; i < 1024; i++)
		buf_addch(&tar, '\0');
	assert_done(file_replace(tempfd, "home/secret.tar", tar.data, tar.len, 0644, FILE_FAST, &e), e);
	fixture_write("base.tar", "");
	fixture_write("devenv.ini", "[base]\narchive = base.tar\n" OFFLINE);
	fixture_open(&env);
	assert_int_equal(unlinkat(tempfd, SHOP "/base.tar", 0), 0);
	make_link("../../secret.tar", SHOP "/base.tar");
	lock_fails(&env, ERR_CONFIG, "link that leads out");
	env_release(&env);
}

static void test_layout_becomes_link(void **state)
{
	struct environment env;

	(void)state;
	fixture_layout("one");
	assert_int_equal(renameat(tempfd, SHOP "/layout", tempfd, "home/layout"), 0);
	fixture_mkdir(SHOP "/layout");
	fixture_write("devenv.ini", LAYOUT OFFLINE);
	fixture_open(&env);
	assert_int_equal(unlinkat(tempfd, SHOP "/layout", AT_REMOVEDIR), 0);
	make_link("../../layout", SHOP "/layout");
	lock_fails(&env, ERR_CONFIG, "link that leads out");
	env_release(&env);
}

/* Granted is the path that was shown, not what is put behind it later. */
static void test_granted_layout_becomes_link(void **state)
{
	struct environment env;

	(void)state;
	fixture_layout("one");
	assert_int_equal(renameat(tempfd, SHOP "/layout", tempfd, "home/layout"), 0);
	fixture_mkdir("home/granted");
	fixture_write("devenv.ini", "[base]\noci = ../../granted\n" OFFLINE);
	fixture_open(&env);
	assert_int_equal(unlinkat(tempfd, "home/granted", AT_REMOVEDIR), 0);
	make_link("layout", "home/granted");
	lock_fails(&env, ERR_CONFIG, "link");
	env_release(&env);
}

static void test_links_within(void **state)
{
	(void)state;
	fixture_layout("one");
	make_link("layout", SHOP "/latest");
	prepare("[base]\noci = latest\n" OFFLINE);
	assert_int_equal(renameat(tempfd, SHOP "/layout", tempfd, SHOP "/with:colon"), 0);
	assert_int_equal(unlinkat(tempfd, SHOP "/devenv.lock", 0), 0);
	prepare("[base]\noci = with:colon\n" OFFLINE);
	assert_int_equal(renameat(tempfd, SHOP "/with:colon", tempfd, "home/layout"), 0);
	assert_int_equal(unlinkat(tempfd, SHOP "/devenv.lock", 0), 0);
	prepare("[base]\noci = ../../layout\n" OFFLINE);
}

/* ---- what can't be a project ---- */

static void check_refused(const char *variable_name, const char *value, const char *says)
{
	struct err e = ERR_INIT;
	struct environment env;

	fixture_setenv(variable_name, value);
	assert_error(env_open(&env, fixture_project, &e), e, ERR_CONFIG, says);
	assert_non_null(strstr(e.msg, "can't be a project"));
}

static void test_project_holds_our_own(void **state)
{
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", LAYOUT);
	fixture_open(&env);
	env_release(&env);
	check_refused("DEVENV_STORE", SHOP "/deep/store", "the store");
	check_refused("DEVENV_STORE", SHOP, "the store");
	fixture_setenv("DEVENV_STORE", "store");
	check_refused("XDG_STATE_HOME", SHOP "/state", "records");
	fixture_setenv("XDG_STATE_HOME", "state");
	check_refused("XDG_RUNTIME_DIR", SHOP, "locks");
	fixture_setenv("XDG_RUNTIME_DIR", "run");
	check_refused("XDG_CONFIG_HOME", SHOP, "settings");
	fixture_setenv("XDG_CONFIG_HOME", "config");
	check_refused("HOME", SHOP "/ann", "home directory");
	/* Spelled another way: by a link to it, and by one in it that leads on. */
	fixture_mkdir(SHOP "/inner");
	make_link(SHOP "/inner", "elsewhere");
	check_refused("HOME", "elsewhere", "home directory");
	make_link(SHOP, "shop");
	check_refused("HOME", "shop", "home directory");
	fixture_mkdir("far");
	make_link("../../../far", SHOP "/way");
	check_refused("HOME", SHOP "/way/off", "home directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_exchanged_while_asked),
		fixture_test(test_lock_and_env_file_stay),
		fixture_test(test_trust_of_another),
		fixture_test(test_archive_becomes_link),
		fixture_test(test_layout_becomes_link),
		fixture_test(test_granted_layout_becomes_link),
		fixture_test(test_links_within),
		fixture_test(test_project_holds_our_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
