/* SPDX-License-Identifier: Apache-2.0 */
/* test_env_moved.c - a moved checkout keeps what is its own; nobody else gets it. */
#include "unit/env_plan.h"

/* a power, so that a project nobody knows is asked about */
#define HOST "[sandbox]\nnetwork = host\n"
#define VOLUMES "[volume.mine]\ntarget = ~/mine\n[volume.ours]\ntarget = ~/ours\nscope = project\n"

/* Where a file system tells no time of birth, nothing is recognised, and there is nothing to test. */
static void need_birth_times(void)
{
	struct statx st;

	if (statx(tempfd, ".", 0, STATX_BTIME, &st) < 0 || !(st.stx_mask & STATX_BTIME))
		skip();
}

/* What a session leaves: something in home and in both volumes, at the paths the plan mounts. */
static void leave_marks(const struct plan *p)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < p->mount_count; i++) {
		cleanup_free char *mark = NULL;
		cleanup_close int fd = -1;

		if (!strstr(p->mounts[i].host, "/volumes/") && !text_ends(p->mounts[i].host, "/home"))
			continue;
		assert_done(file_mkdirs(AT_FDCWD, p->mounts[i].host, 0700, &e), e);
		mark = path_join(p->mounts[i].host, "mark");
		fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
	}
}

static size_t count_marks(const struct plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->mount_count; i++) {
		cleanup_free char *mark = path_join(p->mounts[i].host, "mark");

		n += file_exists(AT_FDCWD, mark);
	}
	return n;
}

static void move_to(const char *name)
{
	cleanup_free char *to = mem_printf("home/src/%s", name);

	assert_int_equal(renameat(tempfd, "home/src/shop", tempfd, to), 0);
	free(fixture_project);
	fixture_project = path_join(tempdir, to);
}

/* Prepare without granting anything: 0, or the error. */
static int prepare_again(struct person *person, struct err *e)
{
	struct env_ui ui = person_ui(person, false);
	struct env_options o = { .ui = &ui, .offline = true };
	struct environment env;
	int r;

	fixture_open(&env);
	r = env_prepare(&env, ENV_FOR_RUN, &o, e);
	env_release(&env);
	return r;
}

static void test_a_moved_checkout_keeps_its_own(void **state)
{
	struct err e = ERR_INIT;
	struct person person;
	struct plan p;

	(void)state;
	need_birth_times();
	fixture_layout("one");
	prepare(LAYOUT HOST VOLUMES);
	load(&p);
	leave_marks(&p);
	assert_int_equal(count_marks(&p), 3);
	plan_release(&p);
	move_to("market");
	/* no question, no network: it is known */
	assert_done(prepare_again(&person, &e), e);
	if (!strstr(person.said.data, "this checkout was at ") || !strstr(person.said.data, "/home/src/shop"))
		fail_msg("%s", person.said.data);
	person_release(&person);
	load(&p);
	assert_string_equal(p.project, fixture_project);
	assert_int_equal(count_marks(&p), 3);
	plan_release(&p);
	/* and it is said once */
	assert_done(prepare_again(&person, &e), e);
	assert_string_equal(person.said.data, "");
	person_release(&person);
}

/* The old path is free again and another project takes it: the moved one's things are not there. */
static void test_the_old_path_starts_anew(void **state)
{
	struct err e = ERR_INIT;
	struct person person;
	struct plan p;

	(void)state;
	need_birth_times();
	fixture_layout("one");
	prepare(LAYOUT HOST VOLUMES);
	load(&p);
	leave_marks(&p);
	plan_release(&p);
	move_to("market");
	assert_done(prepare_again(&person, &e), e);
	person_release(&person);
	free(fixture_project);
	fixture_project = path_join(tempdir, "home/src/shop");
	fixture_mkdir("home/src/shop");
	fixture_write("devenv.ini", LAYOUT HOST VOLUMES);
	fixture_layout("one");
	assert_error(prepare_again(&person, &e), e, ERR_NOT_ALLOWED, "");
	person_release(&person);
}

/* A copy is another project: its directory was made at another time, and the first is still where it was. */
static void test_a_copy_gets_nothing(void **state)
{
	struct err e = ERR_INIT;
	struct person person;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT HOST);
	free(fixture_project);
	fixture_project = path_join(tempdir, "home/src/copy");
	fixture_mkdir("home/src/copy");
	tempdir_write("home/src/copy/devenv.ini", "[base]\nimage = debian\n");
	assert_error(prepare_again(&person, &e), e, ERR_NOT_ALLOWED, "");
	assert_string_equal(person.said.data, "");
	person_release(&person);
}

/* The inode of a deleted project is given to the next one: the time it was made tells them apart. */
static void test_a_reused_inode_is_another_project(void **state)
{
	struct err e = ERR_INIT;
	cleanup_free char *record = NULL, *text = NULL;
	cleanup_buf struct buf bytes = BUF_INIT;
	struct environment env;
	struct person person;
	char *dot;

	(void)state;
	need_birth_times();
	fixture_layout("one");
	prepare(LAYOUT HOST);
	fixture_open(&env);
	record = path_join(env.state, "origin");
	env_release(&env);
	assert_done(file_read(AT_FDCWD, record, 1 << 16, 0, &bytes, NULL, &e), e);
	dot = strchr(bytes.data, '.');
	assert_non_null(dot);
	dot[1] = dot[1] == '9' ? '8' : (char)(dot[1] + 1);
	assert_done(file_replace(AT_FDCWD, record, bytes.data, bytes.len, 0600, FILE_FAST, &e), e);
	move_to("market");
	assert_error(prepare_again(&person, &e), e, ERR_NOT_ALLOWED, "");
	assert_string_equal(person.said.data, "");
	person_release(&person);
}

/* A record that is damaged is ignored. */
static void test_damaged_records(void **state)
{
	static const char *const damaged[] = { "", "\n", "\n\n\n", "a\nb\nc", "1:2 3 4.5\n../../x\n/tmp\n" };
	struct err e = ERR_INIT;
	cleanup_free char *record = NULL;
	struct environment env;
	struct person person;

	(void)state;
	fixture_layout("one");
	prepare(LAYOUT HOST);
	fixture_open(&env);
	record = path_join(env.state, "origin");
	env_release(&env);
	move_to("market");
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		assert_done(file_replace(AT_FDCWD, record, damaged[i], strlen(damaged[i]), 0600, FILE_FAST, &e), e);
		assert_error(prepare_again(&person, &e), e, ERR_NOT_ALLOWED, "");
		person_release(&person);
		e = ERR_INIT;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_a_moved_checkout_keeps_its_own),
		fixture_test(test_the_old_path_starts_anew),
		fixture_test(test_a_copy_gets_nothing),
		fixture_test(test_a_reused_inode_is_another_project),
		fixture_test(test_damaged_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
