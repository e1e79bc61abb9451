/* SPDX-License-Identifier: Apache-2.0 */
/* Gaps between config and lock, who may fill them, and what is written. */
#include "unit/env_fixture.h"

#include "env/locking.h"

#define OFFLINE "[sandbox]\nnetwork = none\n"
#define IMAGE "[base]\nimage = debian:12\n" OFFLINE
#define LAYOUT "[base]\noci = layout\n" OFFLINE
#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define REQUEST "docker.io/library/debian:12"

static void check_gap(const char *name, const char *reason)
{
	struct environment env;
	struct env_gaps g;

	fixture_open(&env);
	env_gaps_find(&env, &g);
	if (!name) {
		if (g.count)
			fail_msg("a gap: %s: %s", g.items[0].name, g.items[0].reason);
	} else {
		assert_int_equal(g.count, 1);
		assert_string_equal(g.items[0].name, name);
		if (!strstr(g.items[0].reason, reason))
			fail_msg("reason '%s'", g.items[0].reason);
	}
	env_gaps_release(&g);
	env_release(&env);
}

static void test_gaps(void **state)
{
	(void)state;
	fixture_write("devenv.ini", IMAGE);
	check_gap("base", "not locked");
	fixture_lock(REQUEST, DIGEST);
	check_gap(NULL, NULL);
	fixture_lock("docker.io/library/debian:11", DIGEST);
	check_gap("base", "the lock answers docker.io/library/debian:11");
	fixture_write("devenv.lock", "[base]\nmanifest.linux/s390x = " DIGEST "\nrequest = " REQUEST "\n");
	check_gap("base", "no manifest for linux/");
	fixture_write("devenv.lock", "{}\n");
	check_gap("devenv.lock", "");
	fixture_write("devenv.lock", "<<<<<<< ours\n");
	check_gap("devenv.lock", "");
}

static void check_session(enum env_purpose purpose, bool interactive, bool locked, enum err_code code)
{
	struct person p = { 0 };
	struct env_ui ui = person_ui(&p, interactive);
	struct env_options o = { .ui = &ui, .locked = locked, .yes = true };
	struct err e = ERR_INIT;
	struct environment env;
	int r;

	fixture_open(&env);
	r = locking_for_session(&env, purpose, &o, &e);
	if (code) {
		assert_error(r, e, code, "");
		assert_non_null(strstr(e.hint, "devenv lock"));
	} else {
		assert_done(r, e);
		assert_non_null(lock_find(&env.lock, "base"));
	}
	person_release(&p);
	env_release(&env);
}

static void forget_lock(void)
{
	unlinkat(tempfd, "home/src/shop/devenv.lock", 0);
}

static void test_who_writes(void **state)
{
	(void)state;
	fixture_layout("one");
	fixture_write("devenv.ini", LAYOUT);
	check_session(ENV_FOR_ENTER, false, false, ERR_LOCK);
	check_session(ENV_FOR_ENTER, true, true, ERR_LOCK);
	check_session(ENV_FOR_RUN, true, true, ERR_LOCK);
	assert_int_equal(setenv("CI", "true", 1), 0);
	check_session(ENV_FOR_RUN, false, false, ERR_LOCK);
	check_session(ENV_FOR_ENTER, true, false, ERR_LOCK);
	unsetenv("CI");
	assert_false(file_exists(tempfd, "home/src/shop/devenv.lock"));
	check_session(ENV_FOR_RUN, false, false, ERR_NONE);
	assert_true(file_exists(tempfd, "home/src/shop/devenv.lock"));
	check_session(ENV_FOR_ENTER, false, true, ERR_NONE);
	forget_lock();
	check_session(ENV_FOR_ENTER, true, false, ERR_NONE);
	/* Drift: enter on a terminal fills it in, run does not. */
	fixture_lock("oci:another", DIGEST);
	check_session(ENV_FOR_RUN, true, false, ERR_LOCK);
	check_session(ENV_FOR_ENTER, false, false, ERR_LOCK);
	check_session(ENV_FOR_ENTER, true, false, ERR_NONE);
	fixture_write("devenv.lock", "<<<<<<< ours\n");
	check_session(ENV_FOR_ENTER, true, false, ERR_LOCK);
}

static void lock(bool update, const char *name, size_t changes, const char *after_starts)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct person p = { 0 };
	struct env_ui ui = person_ui(&p, false);
	struct env_options o = { .ui = &ui, .yes = true };
	struct env_changes c;
	struct err e = ERR_INIT;
	struct environment env;

	if (name)
		strlist_add(&names, name);
	fixture_open(&env);
	assert_done(env_lock(&env, &o, update, &names, &c, &e), e);
	assert_int_equal(c.count, changes);
	if (changes && after_starts)
		assert_true(text_starts(c.items[0].after, after_starts));
	assert_true(env.has_lock);
	env_changes_release(&c);
	env_release(&env);
	person_release(&p);
}

static char *read_lock(void)
{
	struct buf b = BUF_INIT;
	struct err e = ERR_INIT;

	assert_done(file_read(tempfd, "home/src/shop/devenv.lock", 1 << 20, 0, &b, NULL, &e), e);
	return buf_steal(&b);
}

static void test_lock_and_update(void **state)
{
	cleanup_free char *first = NULL, *same = NULL, *second = NULL;
	struct stat before, after;

	(void)state;
	fixture_layout("one");
	fixture_write("devenv.ini", LAYOUT);
	lock(false, NULL, 1, "sha256:");
	first = read_lock();
	assert_non_null(strstr(first, "request = oci:layout\n"));
	assert_int_equal(fstatat(tempfd, "home/src/shop/devenv.lock", &before, 0), 0);
	assert_int_equal(before.st_mode & 07777, 0644);
	fixture_layout("two");
	lock(false, NULL, 0, NULL);
	same = read_lock();
	assert_string_equal(first, same);
	assert_int_equal(fstatat(tempfd, "home/src/shop/devenv.lock", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino); /* not even rewritten */
	lock(true, "base", 1, "sha256:");
	second = read_lock();
	assert_string_not_equal(first, second);
}

static void test_unknown_name(void **state)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui };
	struct env_changes c;
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", IMAGE);
	fixture_lock(REQUEST, DIGEST);
	fixture_open(&env);
	strlist_add(&names, "bas");
	assert_error(env_lock(&env, &o, true, &names, &c, &e), e, ERR_USAGE, "did you mean 'base'?");
	env_release(&env);
}

static void test_pinned_is_not_asked_again(void **state)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui, .offline = true };
	struct env_changes c;
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", "[base]\nimage = debian@" DIGEST "\n" OFFLINE);
	fixture_lock("docker.io/library/debian@" DIGEST, DIGEST);
	fixture_open(&env);
	assert_done(env_lock(&env, &o, true, NULL, &c, &e), e); /* offline: asking would fail */
	assert_int_equal(c.count, 0);
	env_release(&env);
}

static void test_nothing_before_allowed(void **state)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui };
	struct env_changes c;
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_layout("one");
	fixture_write("devenv.ini", "[base]\noci = layout\n");
	fixture_open(&env);
	assert_error(env_lock(&env, &o, false, NULL, &c, &e), e, ERR_NOT_ALLOWED, "network");
	assert_false(file_exists(tempfd, "home/src/shop/devenv.lock"));
	env_release(&env);
}

static void test_conflict(void **state)
{
	cleanup_free char *text = NULL;

	(void)state;
	fixture_layout("one");
	fixture_write("devenv.ini", LAYOUT);
	text = mem_printf("[base]\n<<<<<<< ours\nmanifest.%s = " DIGEST "\n=======\nmanifest.%s = " OTHER
			  "\n>>>>>>> theirs\nrequest = oci:layout\n", oci_platform(), oci_platform());
	fixture_write("devenv.lock", text);
	free(text);
	lock(false, NULL, 1, "sha256:");
	text = read_lock();
	assert_null(strstr(text, "<<<<"));
	assert_non_null(strstr(text, "request = oci:layout\n"));
}

static void test_foreign_lock(void **state)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui };
	struct env_changes c;
	struct err e = ERR_INIT;
	struct environment env;

	(void)state;
	fixture_write("devenv.ini", IMAGE);
	fixture_write("devenv.lock", "{\"nodes\": {}}\n");
	fixture_open(&env);
	assert_error(env_lock(&env, &o, false, NULL, &c, &e), e, ERR_LOCK, "devenv.lock");
	env_release(&env);
	forget_lock();
	assert_int_equal(symlinkat("/etc/passwd", tempfd, "home/src/shop/devenv.lock"), 0);
	fixture_open(&env);
	e = ERR_INIT;
	assert_error(env_lock(&env, &o, false, NULL, &c, &e), e, ERR_LOCK, "link");
	env_release(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_gaps),	      fixture_test(test_who_writes),
		fixture_test(test_lock_and_update),   fixture_test(test_unknown_name),
		fixture_test(test_pinned_is_not_asked_again), fixture_test(test_nothing_before_allowed),
		fixture_test(test_conflict),	      fixture_test(test_foreign_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
