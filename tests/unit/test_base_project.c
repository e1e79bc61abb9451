/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are kept, finding the project, and starting programs. */
#include "unit/tempdir.h"

#include "base/dirs.h"
#include "base/path.h"
#include "base/process.h"
#include "base/project.h"
#include "base/sys.h"
#include "base/text.h"

static char *below(const char *name)
{
	return path_join(tempdir, name);
}

static void test_dirs(void **state)
{
	struct err e = ERR_INIT;
	struct dirs d;
	char *path;

	(void)state;
	unsetenv("DEVENV_STORE");
	unsetenv("XDG_DATA_HOME");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("XDG_RUNTIME_DIR");
	setenv("HOME", "/home//me/", 1);
	setenv("XDG_STATE_HOME", "relative", 1);
	setenv("XDG_CONFIG_HOME", "/etc/mine", 1);
	assert_int_equal(dirs_find(&d, &e), 0);
	assert_string_equal(d.home, "/home/me");
	assert_string_equal(d.store, "/home/me/.local/share/devenv");
	assert_string_equal(d.state, "/home/me/.local/state/devenv");
	assert_string_equal(d.runtime, "/home/me/.local/state/devenv/run");
	assert_string_equal(d.cache, "/home/me/.cache/devenv");
	assert_string_equal(d.config, "/etc/mine/devenv");
	path = dirs_checkout(&d, "/home/me/shop");
	assert_true(text_starts(path, "/home/me/.local/state/devenv/checkouts/shop-"));
	assert_int_equal(strlen(path_base(path)), strlen("shop-") + 16);
	free(path);
	path = dirs_image(&d, "debian:12");
	assert_int_equal(strlen(path_base(path)), 16);
	free(path);
	dirs_release(&d);
	setenv("DEVENV_STORE", "/big/disk", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/5", 1);
	assert_int_equal(dirs_find(&d, &e), 0);
	assert_string_equal(d.store, "/big/disk");
	assert_string_equal(d.runtime, "/run/user/5/devenv");
	dirs_release(&d);
	dirs_release(&d);
}

static void test_dirs_private(void **state)
{
	char *path = below("x/y/private"), *file = below("file");
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(dirs_private(path, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(dirs_private(path, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	tempdir_write("file", "");
	assert_int_equal(dirs_private(file, &e), -1);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 1234, 1234), 0);
		assert_int_equal(dirs_private(path, &e), -1);
		assert_int_equal(e.code, ERR_STORE);
	}
	free(path);
	free(file);
}

static void check_found(const char *start, const char *home, const char *wanted)
{
	struct err e = ERR_INIT;
	char *root = NULL;

	if (project_find(start, home, &root, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(root, wanted);
	free(root);
}

static void check_refused(const char *start, const char *home, enum err_code code)
{
	struct err e = ERR_INIT;
	char *root = NULL;

	assert_int_equal(project_find(start, home, &root, &e), -1);
	assert_int_equal(e.code, code);
	assert_null(root);
}

static void test_project(void **state)
{
	struct err e = ERR_INIT;
	char *p = below("p"), *deep = below("p/a/b"), *inner = below("p/a"), *outside = below("q");
	char *home = below("home");

	(void)state;
	assert_int_equal(file_mkdirs(tempfd, "p/a/b", 0755, &e), 0);
	assert_int_equal(file_mkdirs(tempfd, "q", 0755, &e), 0);
	tempdir_write("p/devenv.ini", "");
	check_found(deep, "/home/me", p);
	check_found(p, NULL, p);
	check_refused(outside, NULL, ERR_NO_PROJECT);
	check_refused(deep, p, ERR_CONFIG); /* the home directory */
	assert_int_equal(symlinkat("p", tempfd, "home"), 0);
	check_refused(deep, home, ERR_CONFIG); /* spelled another way */
	check_refused(home, p, ERR_CONFIG);
	check_refused("relative", NULL, ERR_FAILED);
	assert_int_equal(chdir(deep), 0);
	check_found(NULL, NULL, p);
	assert_int_equal(chdir("/"), 0);
	tempdir_write("p/a/devenv.ini", "");
	check_found(deep, NULL, inner);
	free(p);
	free(deep);
	free(inner);
	free(outside);
	free(home);
}

static void test_project_distrust(void **state)
{
	struct err e = ERR_INIT;
	char *p = below("p"), *ini = below("p/devenv.ini");

	(void)state;
	assert_int_equal(file_mkdirs(tempfd, "p", 0755, &e), 0);
	tempdir_write("p/devenv.ini", "");
	assert_int_equal(chmod(p, 0777), 0);
	check_refused(p, NULL, ERR_CONFIG);
	assert_int_equal(chmod(p, 01777), 0);
	check_refused(p, NULL, ERR_CONFIG);
	assert_int_equal(chmod(p, 0775), 0);
	check_found(p, NULL, p);
	if (geteuid() == 0) {
		assert_int_equal(chown(ini, 1234, 1234), 0);
		check_refused(p, NULL, ERR_CONFIG);
		assert_int_equal(chown(ini, 0, 0), 0);
		assert_int_equal(chown(p, 1234, 1234), 0);
		check_refused(p, NULL, ERR_CONFIG);
		assert_int_equal(chown(p, 0, 0), 0);
	}
	assert_int_equal(unlink(ini), 0);
	assert_int_equal(symlink("/etc/hostname", ini), 0);
	check_refused(p, NULL, ERR_CONFIG);
	free(p);
	free(ini);
}

static void test_process_run(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(process_run((const char *const[]){ "sh", "-c", "exit 7", NULL }, &e), 7);
	assert_int_equal(process_run((const char *const[]){ "sh", "-c", "kill -9 $$", NULL }, &e), 137);
	assert_int_equal(process_run((const char *const[]){ "no-such-program-anywhere", NULL }, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_non_null(strstr(e.msg, "no-such-program-anywhere"));
}

static void test_process_capture(void **state)
{
	const char *const cat[] = { "cat", NULL };
	const char *const wordy[] = { "sh", "-c", "yes", NULL };
	const char *const fds[] = { "sh", "-c", "ls /proc/self/fd | wc -l; exit 3", NULL };
	struct buf out = BUF_INIT;
	struct err e = ERR_INIT;
	char *big = mem_array(1, 300001);

	(void)state;
	assert_int_equal(process_capture(cat, "hello", 100, &out, &e), 0);
	assert_string_equal(out.data, "hello");
	assert_int_equal(process_capture(cat, NULL, 100, &out, &e), 0);
	assert_string_equal(out.data, "hello");
	buf_clear(&out);
	memset(big, 'b', 300000); /* more than a pipe holds, both ways */
	assert_int_equal(process_capture(cat, big, 300000, &out, &e), 0);
	assert_string_equal(out.data, big);
	buf_clear(&out);
	assert_int_equal(process_capture(wordy, NULL, 1000, &out, &e), -1);
	assert_int_equal(e.code, ERR_FAILED);
	buf_clear(&out);
	sys_close_range(3, ~0U, 1U << 2); /* CLOSE_RANGE_CLOEXEC: what the test was started with is not our business */
	assert_int_equal(process_capture(fds, NULL, 1000, &out, &e), 3);
	assert_string_equal(out.data, "4\n"); /* 0, 1, 2 and the directory itself */
	buf_release(&out);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dirs),	   tempdir_test(test_dirs_private),
		tempdir_test(test_project),	   tempdir_test(test_project_distrust),
		cmocka_unit_test(test_process_run), cmocka_unit_test(test_process_capture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
