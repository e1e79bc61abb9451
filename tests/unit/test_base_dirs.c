/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are kept: what the variables say, what is there without them, and what is said when it can't be used. */
#include "unit/tempdir.h"

#include "base/dirs.h"
#include "base/path.h"
#include "base/text.h"
#include "base/variable.h"

static struct dirs find(void)
{
	struct err e = ERR_INIT;
	struct dirs d;

	if (dirs_find(&d, &e) < 0)
		fail_msg("%s", e.msg);
	return d;
}

static int clear(void **state)
{
	static const char *const names[] = { "DEVENV_STORE",  "XDG_DATA_HOME",	 "XDG_STATE_HOME",
					     "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	tempdir_setup(state);
	return setenv("HOME", tempdir, 1);
}

#define dirs_test(f) cmocka_unit_test_setup_teardown(f, clear, tempdir_teardown)

static void test_store(void **state)
{
	struct err e = ERR_INIT;
	struct dirs d = find();

	(void)state;
	assert_true(text_ends(d.store, "/.local/share/devenv"));
	dirs_release(&d);
	setenv("DEVENV_STORE", "/some/../where/", 1);
	d = find();
	assert_string_equal(d.store, "/where");
	dirs_release(&d);
	setenv("DEVENV_STORE", "", 1);
	d = find();
	assert_true(text_ends(d.store, "/.local/share/devenv"));
	dirs_release(&d);
	setenv("DEVENV_STORE", "where", 1);
	assert_int_equal(dirs_find(&d, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "DEVENV_STORE='where' is not an absolute path");
}

static void test_runtime(void **state)
{
	cleanup_free char *session = mem_printf("/run/user/%u", (unsigned int)geteuid());
	cleanup_free char *ours = path_join(session, "devenv");
	struct stat st;
	struct dirs d = find();

	(void)state;
	if (lstat(session, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 07777) == 0700)
		assert_string_equal(d.runtime, ours);
	else
		assert_true(path_is_below(d.runtime, d.state));
	dirs_release(&d);
	setenv("XDG_RUNTIME_DIR", "/run/else", 1);
	d = find();
	assert_string_equal(d.runtime, "/run/else/devenv");
	dirs_release(&d);
}

static void test_long_names(void **state)
{
	cleanup_buf struct buf project = BUF_INIT;
	cleanup_free char *checkout = NULL;
	struct dirs d = find();
	const char *base;

	(void)state;
	buf_adds(&project, "/src/");
	for (int i = 0; i < 80; i++)
		buf_adds(&project, "\xe2\x82\xac"); /* 240 bytes */
	checkout = dirs_checkout(&d, project.data);
	base = path_base(checkout);
	assert_int_equal(strlen(base), 60 + 1 + 16);
	buf_adds(&project, "x");
	free(checkout);
	checkout = dirs_checkout(&d, project.data);
	assert_int_equal(strlen(path_base(checkout)), 60 + 1 + 16);
	buf_clear(&project);
	buf_adds(&project, "/src/x");
	for (int i = 0; i < 80; i++)
		buf_adds(&project, "\xe2\x82\xac");
	free(checkout);
	checkout = dirs_checkout(&d, project.data); /* no character is cut in two */
	assert_int_equal(strlen(path_base(checkout)), 58 + 1 + 16);
	dirs_release(&d);
}

static void test_unusable(void **state)
{
	cleanup_free char *file = path_join(tempdir, "file"), *path = path_join(file, "devenv");
	struct err e = ERR_INIT;

	(void)state;
	tempdir_write("file", "");
	setenv("XDG_RUNTIME_DIR", file, 1);
	assert_int_equal(dirs_private(path, &e), -1);
	assert_true(text_starts(e.hint, "XDG_RUNTIME_DIR is "));
	assert_non_null(strstr(e.hint, "unset it"));
}

static void test_variables(void **state)
{
	static const char *const promised[] = { "HOME", "USER", "LOGNAME", "container", "DEVENV", "DEVENV_NAME" };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(promised); i++)
		assert_int_equal(variable_check(promised[i], &e), -1);
	assert_int_equal(variable_check("PATH", &e), 0);
	assert_int_equal(variable_check("SHELL", &e), 0);
	assert_int_equal(variable_check("DEVENVX", &e), 0);
	assert_int_equal(variable_check("A-B", &e), -1);
	assert_string_equal(e.msg, "'A-B' can't be the name of a variable");
}

/* As they can be typed. */
static void test_shown(void **state)
{
	(void)state;
	assert_int_equal(setenv("HOME", "/home/ann", 1), 0);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_CACHE_HOME");
	assert_string_equal(dirs_shown_config(), "~/.config/devenv/config.ini");
	assert_string_equal(dirs_shown_cache("debian/releases"), "~/.cache/devenv/debian/releases");
	assert_int_equal(setenv("XDG_CONFIG_HOME", "/home/anne/c", 1), 0);
	assert_int_equal(setenv("XDG_CACHE_HOME", "/home/ann/a\033b", 1), 0);
	assert_string_equal(dirs_shown_config(), "/home/anne/c/devenv/config.ini");
	assert_string_equal(dirs_shown_cache("debian"), "~/a\\x1bb/devenv/debian");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		dirs_test(test_store),	  dirs_test(test_runtime),   dirs_test(test_long_names),
		dirs_test(test_unusable), dirs_test(test_shown), dirs_test(test_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
