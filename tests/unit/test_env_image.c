/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of `run --image`: what of an image's config counts, and what is refused. */
#include "unit/env_plan.h"

static void build_image(int tree)
{
	stage_write(tree, "etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/srv/app:/bin/sh\n", 0644);
	stage_write(tree, "etc/group", "root:x:0:\nstaff:x:50:\n", 0644);
}

static void prepare_image(const char *config, struct plan *p)
{
	cleanup_free char *path = NULL;
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui, .offline = true };
	struct err e = ERR_INIT;
	struct environment env;
	struct store s;
	char digest[136];

	assert_done(env_open_user(&env, &e), e);
	assert_done(env_store(&env, &s, &e), e);
	fixture_image(&s, config, build_image, config, digest);
	assert_done(store_name_set(&s, "docker.io/library/app:latest", digest, &e), e);
	store_close(&s);
	assert_done(env_prepare_image(&env, "app", &o, &e), e);
	path = path_join(env.state, "plan");
	assert_done(plan_load(p, path, &e), e);
	env_release(&env);
}

static void test_image(void **state)
{
	cleanup_free char *text = NULL;
	struct plan p;

	(void)state;
	prepare_image("{\"User\":\"app:staff\",\"WorkingDir\":\"/srv/new\",\"Env\":[\"A=1\",\"PATH=/x:/bin\"],"
		      "\"Entrypoint\":[\"/entry\"],\"Cmd\":[\"one\",\"two\"]}", &p);
	assert_string_equal(p.project, "");
	assert_string_equal(p.project_target, "");
	assert_string_equal(p.name, "app");
	assert_string_equal(p.image, "app"); /* as typed: the launcher compares */
	text = skeleton_text(&p, "/run/.containerenv");
	assert_non_null(strstr(text, "image=\"docker.io/library/app:latest\"\n"));
	assert_int_equal(p.uid, 1000);
	assert_int_equal(p.gid, 50);
	assert_string_equal(p.home, "/srv/app");
	assert_string_equal(p.workdir, "/srv/new");
	assert_true(S_ISDIR(skeleton_mode(&p, "/srv/new")));
	assert_int_equal(skeleton_mode(&p, "/etc/passwd"), 0); /* the image's is good */
	assert_string_equal(variable(&p, "A"), "1");
	assert_string_equal(variable(&p, "PATH"), "/x:/bin");
	assert_string_equal(variable(&p, "HOME"), "/srv/app");
	assert_string_equal(variable(&p, "USER"), "app");
	assert_int_equal(p.entrypoint_count, 1);
	assert_int_equal(p.command_count, 3);
	assert_string_equal(p.command[0], "/entry");
	assert_string_equal(p.command[2], "two");
	assert_string_equal(p.shell, "/bin/sh");
	plan_release(&p);
}

static void test_image_unknown_user(void **state)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui, .offline = true };
	struct err e = ERR_INIT;
	struct environment env;
	struct store s;
	char digest[136];

	(void)state;
	assert_done(env_open_user(&env, &e), e);
	assert_done(env_store(&env, &s, &e), e);
	fixture_image(&s, "x", build_image, "{\"User\":\"nobody-here\"}", digest);
	assert_done(store_name_set(&s, "docker.io/library/app:latest", digest, &e), e);
	store_close(&s);
	assert_error(env_prepare_image(&env, "app", &o, &e), e, ERR_NOT_FOUND, "nobody-here");
	assert_error(env_prepare_image(&env, "Not Valid", &o, &e), e, ERR_USAGE, "Not Valid");
	assert_error(env_prepare_image(&env, "unknown", &o, &e), e, ERR_OFFLINE, "");
	env_release(&env);
}

static void build_hostile(int tree)
{
	assert_int_equal(symlinkat("/etc", tree, "proc"), 0);
}

static void test_hostile_root(void **state)
{
	struct env_ui ui = { 0 };
	struct env_options o = { .ui = &ui, .offline = true };
	struct err e = ERR_INIT;
	struct environment env;
	struct store s;
	char digest[136];

	(void)state;
	assert_done(env_open_user(&env, &e), e);
	assert_done(env_store(&env, &s, &e), e);
	fixture_image(&s, "x", build_hostile, NULL, digest);
	assert_done(store_name_set(&s, "docker.io/library/app:latest", digest, &e), e);
	store_close(&s);
	assert_error(env_prepare_image(&env, "app", &o, &e), e, ERR_INTEGRITY, "/proc is a symbolic link");
	env_release(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_image),
		fixture_test(test_image_unknown_user),
		fixture_test(test_hostile_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
