/* SPDX-License-Identifier: Apache-2.0 */
/* [build]: what changes its key and what does not, what of the project is copied, and what is asked for. */
#include "unit/env_fixture.h"

#include "env/building.h"
#include "env/building_inputs.h"
#include "env/checkout.h"

#define BASE "[base]\nimage = debian\n[sandbox]\nnetwork = none\n[build]\nnetwork = none\n"
#define BELOW "sha256:1111111111111111111111111111111111111111111111111111111111111111"

static void key(const char *lines, char out[DIGEST_MAX])
{
	cleanup_free char *text = mem_printf(BASE "%s\n", lines);
	struct environment env;
	struct err e = ERR_INIT;

	fixture_write("devenv.ini", text);
	fixture_open(&env);
	assert_done(building_digest(&env, BELOW, out, &e), e);
	env_release(&env);
}

#define assert_same(lines, before)                      \
	do {                                            \
		char after_[DIGEST_MAX];                \
		key(lines, after_);                     \
		assert_string_equal(after_, before);    \
	} while (0)
#define assert_differs(lines, before)                   \
	do {                                            \
		char after_[DIGEST_MAX];                \
		key(lines, after_);                     \
		assert_string_not_equal(after_, before); \
		memcpy(before, after_, DIGEST_MAX);     \
	} while (0)

static void fill(void)
{
	fixture_mkdir("home/src/shop/src/deep");
	fixture_mkdir("home/src/shop/src/.git");
	fixture_write("src/a.c", "a");
	fixture_write("src/deep/b.c", "b");
	fixture_write("src/.git/HEAD", "ref");
	fixture_write("req.txt", "one");
	fixture_write("other.txt", "two");
	fixture_write("README", "read me");
}

static void test_no_build(void **state)
{
	struct environment env;
	struct err e = ERR_INIT;
	char digest[DIGEST_MAX];

	(void)state;
	fixture_write("devenv.ini", "[base]\nimage = debian\n");
	fixture_open(&env);
	assert_done(building_digest(&env, BELOW, digest, &e), e);
	assert_string_equal(digest, BELOW);
	env_release(&env);
}

static void test_content(void **state)
{
	static const char lines[] = "run = x\ninputs = src req.txt";
	char before[DIGEST_MAX];

	(void)state;
	fill();
	key(lines, before);
	assert_same(lines, before);
	assert_same("run = x\ninputs = req.txt src src/a.c src", before);
	fixture_write("README", "changed");
	fixture_write("other.txt", "changed");
	fixture_write("src/.git/HEAD", "changed");
	assert_same(lines, before);
	fixture_write("req.txt", "changed");
	assert_differs(lines, before);
	fixture_write("src/deep/b.c", "changed");
	assert_differs(lines, before);
	fixture_write("src/deep/new.c", "");
	assert_differs(lines, before);
}

static void test_kinds(void **state)
{
	static const char lines[] = "run = x\ninputs = src";
	cleanup_free char *file = path_join(fixture_project, "src/a.c"), *link = path_join(fixture_project, "src/link");
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	char before[DIGEST_MAX];

	(void)state;
	fill();
	key(lines, before);
	assert_int_equal(utimensat(AT_FDCWD, file, old, 0), 0);
	assert_int_equal(chmod(file, 0600), 0);
	assert_same(lines, before);
	assert_int_equal(chmod(file, 0755), 0);
	assert_differs(lines, before);
	assert_int_equal(symlink("a.c", link), 0);
	assert_differs(lines, before);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("deep", link), 0);
	assert_differs(lines, before);
}

static void test_script(void **state)
{
	char before[DIGEST_MAX];

	(void)state;
	fill();
	key("run = x", before);
	assert_same("run = x", before);
	assert_differs("run = y", before);
	assert_differs("run = y\nenv.A = 1", before);
	assert_differs("run = y\nenv.A = 2", before);
	assert_differs("run = y\nenv.A = 2\nshell = bash", before);
	assert_differs("run = y\nenv.A = 2\nshell = bash\ncache = /c", before);
}

static void test_patterns(void **state)
{
	char txt[DIGEST_MAX], all[DIGEST_MAX];

	(void)state;
	fill();
	key("run = x\ninputs = *.txt", txt);
	assert_same("run = x\ninputs = other.txt req.txt", txt);
	key("run = x\ninputs = src/**/*.c", all);
	assert_same("run = x\ninputs = src/a.c src/deep/b.c", all);
	fixture_write(".hidden.txt", "");
	assert_same("run = x\ninputs = *.txt", txt);
	fixture_write("third.txt", "");
	assert_differs("run = x\ninputs = *.txt", txt);
}

static void refuse(const char *lines, const char *says)
{
	cleanup_free char *text = mem_printf(BASE "%s\n", lines);
	char digest[DIGEST_MAX];
	struct environment env;
	struct err e = ERR_INIT;

	fixture_write("devenv.ini", text);
	fixture_open(&env);
	assert_error(building_digest(&env, BELOW, digest, &e), e, ERR_CONFIG, says);
	env_release(&env);
}

static void test_missing(void **state)
{
	cleanup_free char *fifo = path_join(fixture_project, "src/pipe");

	(void)state;
	fill();
	refuse("run = x\ninputs = none.txt", "devenv.ini:8: [build] inputs: there is no none.txt");
	refuse("run = x\ninputs = *.none", "devenv.ini:8: [build] inputs: nothing matches *.none");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	refuse("run = x\ninputs = src", "src/pipe is no file, directory or link");
}

/* Two checkouts at different places: one key. */
static void test_place(void **state)
{
	char before[DIGEST_MAX];
	char *here = fixture_project;

	(void)state;
	fill();
	key("run = x\ninputs = src", before);
	fixture_mkdir("elsewhere/src/deep");
	tempdir_write("elsewhere/src/a.c", "a");
	tempdir_write("elsewhere/src/deep/b.c", "b");
	tempdir_write("elsewhere/devenv.ini", BASE "run = x\ninputs = src\n");
	fixture_project = path_join(tempdir, "elsewhere");
	{
		struct environment env;
		struct err e = ERR_INIT;
		char digest[DIGEST_MAX];

		fixture_open(&env);
		assert_done(building_digest(&env, BELOW, digest, &e), e);
		assert_string_equal(digest, before);
		env_release(&env);
	}
	free(fixture_project);
	fixture_project = here;
}

/* What a cache has in it is in no key: another clone, which may have filled its own with anything, must not make this one's image. */
static void test_cache_is_of_a_clone(void **state)
{
	char before[DIGEST_MAX], elsewhere[DIGEST_MAX];
	char *here = fixture_project;

	(void)state;
	key("run = x\ncache = /c", before);
	assert_same("run = x\ncache = /c", before);
	fixture_mkdir("elsewhere");
	tempdir_write("elsewhere/devenv.ini", BASE "run = x\ncache = /c\n");
	fixture_project = path_join(tempdir, "elsewhere");
	{
		struct environment env;
		struct err e = ERR_INIT;

		fixture_open(&env);
		assert_done(building_digest(&env, BELOW, elsewhere, &e), e);
		env_release(&env);
	}
	assert_string_not_equal(elsewhere, before);
	free(fixture_project);
	fixture_project = here;
}

static void test_copy(void **state)
{
	struct environment env;
	struct err e = ERR_INIT;
	char with[DIGEST_MAX], without[DIGEST_MAX];
	cleanup_free char *file = path_join(fixture_project, "src/a.c");
	cleanup_close int copy = -1;
	size_t files;
	struct stat st;

	(void)state;
	fill();
	assert_int_equal(chmod(file, 0700), 0);
	fixture_mkdir("copy");
	copy = openat(tempfd, "copy", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fixture_write("devenv.ini", BASE "run = x\ninputs = src/deep/b.c src ./req.txt\n");
	fixture_open(&env);
	assert_done(building_inputs_read(&env, -1, without, &e), e);
	files = env.file_count;
	assert_done(building_inputs_read(&env, copy, with, &e), e);
	assert_string_equal(with, without);
	assert_int_equal(env.file_count, files);
	assert_int_equal(fstatat(copy, "src/a.c", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0755);
	assert_int_equal(fstatat(copy, "src/deep/b.c", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	assert_int_equal(st.st_size, 1);
	assert_true(file_exists(copy, "req.txt"));
	assert_false(file_exists(copy, "src/.git"));
	assert_false(file_exists(copy, "README"));
	env_release(&env);
}

/* What ~/ leads to is a file of the host, with its own name, and nothing below a directory named "~". */
static void test_home(void **state)
{
	struct environment env;
	struct err e = ERR_INIT;
	char digest[DIGEST_MAX];
	cleanup_close int copy = -1;

	(void)state;
	fill();
	fixture_mkdir("copy");
	fixture_mkdir("home/src/shop/~");
	fixture_write("~/settings", "of the project");
	tempdir_write("home/settings", "one's own");
	copy = openat(tempfd, "copy", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fixture_write("devenv.ini", BASE "run = x\ninputs = ~/settings ./~/settings\n");
	fixture_open(&env);
	assert_done(building_inputs_read(&env, copy, digest, &e), e);
	assert_true(file_exists(copy, "settings"));
	assert_true(file_exists(copy, "~/settings"));
	env_release(&env);
}

/* An input that was a link while it was copied and is a directory for the next one: whoever is inside can do that. */
static void test_copy_never_follows(void **state)
{
	static const char *const inputs[] = { "src", "src/deep", "src/*", "src/**/b.c", "src/a.c", "src/deep/b.c" };
	char digest[DIGEST_MAX];

	(void)state;
	fill();
	fixture_mkdir("outside");
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		cleanup_free char *text = mem_printf(BASE "run = x\ninputs = %s\n", inputs[i]);
		cleanup_free char *name = mem_printf("copy%zu", i), *target = path_join(tempdir, "outside");
		cleanup_strlist struct strlist names = STRLIST_INIT;
		cleanup_close int copy = -1;
		struct environment env;
		struct err e = ERR_INIT;

		fixture_mkdir(name);
		copy = openat(tempfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(symlinkat(target, copy, "src"), 0);
		fixture_write("devenv.ini", text);
		fixture_open(&env);
		assert_int_equal(building_inputs_read(&env, copy, digest, &e), -1);
		assert_done(file_names(tempfd, "outside", true, &names, &e), e);
		assert_int_equal(names.count, 0);
		env_release(&env);
	}
}

static void has_power(const char *lines, const char *wanted, bool has)
{
	cleanup_free char *text = mem_printf(BASE "%s\n", lines);
	struct env_powers powers;
	struct environment env;
	struct err e = ERR_INIT;
	bool found = false;

	fixture_write("devenv.ini", text);
	fixture_open(&env);
	assert_done(env_powers(&env, &powers, &e), e);
	for (size_t i = 0; i < powers.count; i++)
		found = found || text_starts(powers.items[i].key, wanted);
	assert_int_equal(found, has);
	env_powers_release(&powers);
	env_release(&env);
}

static void test_powers(void **state)
{
	struct environment env;

	(void)state;
	fill();
	tempdir_write("outside.txt", "x");
	has_power("run = x\ninputs = src", "network:host", false);
	has_power("run = x\ninputs = src", "file:", false);
	has_power("run = x\ninputs = ../../../outside.txt", "file:", true);
	tempdir_write("home/settings", "x");
	has_power("run = x\ninputs = ~/settings", "file:", true);
	fixture_write("devenv.ini", "[base]\nimage = debian\n[sandbox]\nnetwork = none\n[build]\nrun = x\n");
	fixture_open(&env);
	{
		struct env_powers powers;
		struct err e = ERR_INIT;

		assert_done(env_powers(&env, &powers, &e), e);
		assert_string_equal(powers.items[0].key, "network:host");
		env_powers_release(&powers);
	}
	env_distrust(&env);
	assert_null(env.config.build);
	env_release(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(test_no_build), fixture_test(test_content),  fixture_test(test_kinds),
		fixture_test(test_script),   fixture_test(test_patterns), fixture_test(test_missing),
		fixture_test(test_place),    fixture_test(test_copy),	  fixture_test(test_powers),
		fixture_test(test_home),
		fixture_test(test_copy_never_follows), fixture_test(test_cache_is_of_a_clone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
