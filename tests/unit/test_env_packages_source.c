/* SPDX-License-Identifier: Apache-2.0 */
/* test_env_packages_source.c - the keys of an image's archive are on this machine only while it is read. */
#include "unit/env_fixture.h"

#include "env/packages.h"
#include "source/recipe.h"

static void write_in(int dirfd, const char *path, const char *text)
{
	cleanup_free char *parent = path_parent(path);
	struct err e = ERR_INIT;

	assert_done(file_mkdirs(dirfd, parent, 0755, &e), e);
	assert_done(file_replace(dirfd, path, text, strlen(text), 0644, FILE_FAST, &e), e);
}

/* An image that apt is set up in. */
static void publish(struct store *s, char digest[DIGEST_MAX])
{
	cleanup_strlist struct strlist parts = STRLIST_INIT;
	const struct recipe r = { .kind = "build", .platform = oci_platform(), .below = "", .parts = &parts };
	cleanup_buf struct buf text = BUF_INIT;
	struct store_stage stage;
	struct err e = ERR_INIT;

	assert_done(store_stage_new(s, &stage, &e), e);
	write_in(stage.fd, "fs/var/lib/dpkg/status", "Package: libc6\nStatus: install ok installed\nVersion: 1\n");
	write_in(stage.fd, "fs/etc/apt/sources.list", "deb http://127.0.0.1/debian bookworm main\n");
	write_in(stage.fd, "fs/etc/apt/trusted.gpg.d/k.gpg", "\x99key");
	write_in(stage.fd, "owners", "devenv-owners 1\n");
	assert_done(recipe_publish(s, &r, &stage, NULL, &e), e);
	store_stage_drop(s, &stage);
	recipe_format(&r, &text, digest);
}

static size_t count_keys(void)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct err e = ERR_INIT;

	assert_done(file_names(tempfd, "cache/devenv/keys", true, &names, &e), e);
	return names.count;
}

static void test_keys(void **state)
{
	static const struct env_ui ui;
	const struct env_options options = { .offline = true, .ui = &ui };
	struct packages_source one, two;
	char digest[DIGEST_MAX];
	struct environment env;
	struct err e = ERR_INIT;
	struct store s;

	(void)state;
	fixture_write("devenv.ini", "[base]\nimage = debian\n[packages]\napt = jq\n");
	fixture_open(&env);
	assert_done(env_store(&env, &s, &e), e);
	publish(&s, digest);
	/* of a process that was killed */
	fixture_mkdir("cache/devenv/keys/aaaaaa");
	tempdir_write("cache/devenv/keys/aaaaaa/keys-0.gpg", "left");
	assert_done(packages_source_open(&one, &env, &s, digest, &options, &e), e);
	assert_int_equal(count_keys(), 1);
	assert_done(packages_source_open(&two, &env, &s, digest, &options, &e), e);
	assert_int_equal(count_keys(), 2); /* what is in use stays */
	assert_true(file_exists(AT_FDCWD, one.archive.suites[0].keyring));
	packages_source_close(&two);
	packages_source_close(&one);
	assert_int_equal(count_keys(), 0);
	store_close(&s);
	env_release(&env);
}

int main(void)
{
	const struct CMUnitTest tests[] = { fixture_test(test_keys) };

	return cmocka_run_group_tests_name("env_packages_source", tests, NULL, NULL);
}
