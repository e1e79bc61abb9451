/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of store/store.c and stage.c: what a store is made of, what is refused and how that is said, staging, sweeping. */
#include "store_fixture.h"

#include <sys/wait.h>

#include "namespaces.h"

static void refused(const char *path, enum err_code code, const char *message, const char *hint)
{
	struct store s;
	struct err e = ERR_INIT;

	if (store_open(&s, path, &e) == 0)
		fail_msg("opened, without '%s'", message);
	assert_int_equal(e.code, code);
	if (!strstr(e.msg, message) || !strstr(e.hint, hint))
		fail_msg("'%s' (%s) has no '%s' (%s)", e.msg, e.hint, message, hint);
	assert_int_equal(s.fd, -1);
	store_close(&s);
}

static void test_made(void **state)
{
	struct store again;
	struct stat st;
	struct err e = ERR_INIT;

	(void)state;
	open_store();
	assert_int_equal(fstat(store.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fcntl(store.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(store.lock_fd, F_GETFD), FD_CLOEXEC);
	assert_true(store_free_bytes(&store) > 0);
	assert_int_equal(store_open(&again, store_path, &e), 0); /* shared */
	store_close(&again);
	store_close(&again);
	close_store();
	open_store();
	close_store();
	store_path = mem_printf("%s/a/b/store", tempdir); /* with parents */
	assert_int_equal(store_open(&again, store_path, &e), 0);
	store_close(&again);
	free(store_path);
	assert_int_equal(fchdir(tempfd), 0);
	assert_int_equal(store_open(&again, "relative", &e), 0);
	assert_int_equal(again.path[0], '/');
	store_close(&again);
	assert_int_equal(chdir("/"), 0);
}

static void test_refused(void **state)
{
	char *path;

	(void)state;
	open_store();
	assert_int_equal(chmod(store_path, 0755), 0);
	refused(store_path, ERR_STORE, "mode 0755", "chmod 0700");
	assert_int_equal(chmod(store_path, 0500), 0);
	refused(store_path, ERR_STORE, "mode 0500", "chmod 0700");
	assert_int_equal(chmod(store_path, 0700), 0);
	tempdir_write("store/version", "2\n");
	refused(store_path, ERR_STORE, "newer devenv", "update devenv");
	tempdir_write("store/version", "one\n");
	refused(store_path, ERR_STORE, "unreadable file 'version'", "keep volumes/");
	tempdir_write("store/version", "");
	refused(store_path, ERR_STORE, "unreadable file 'version'", "/version' makes it good");
	tempdir_write("store/version", "1\n");
	close_store();
	path = mem_printf("%s/file", tempdir);
	tempdir_write("file", "");
	refused(path, ERR_STORE, "not a directory", "DEVENV_STORE");
	free(path);
	path = mem_printf("%s/photos", tempdir);
	assert_int_equal(mkdir(path, 0700), 0);
	tempdir_write("photos/beach.jpg", "");
	refused(path, ERR_STORE, "'beach.jpg'", "empty directory");
	assert_false(file_exists(tempfd, "photos/tmp")); /* nothing was written */
	free(path);
}

static void test_someone_elses(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* needs root to give it away */
	open_store();
	assert_int_equal(chown(store_path, 12345, 12345), 0);
	refused(store_path, ERR_STORE, "belongs to another user (uid 12345)", "DEVENV_STORE");
	close_store();
}

/* A first start that was killed anywhere leaves a store the next one opens. */
static void test_half_made(void **state)
{
	struct store s;
	struct err e = ERR_INIT;

	(void)state;
	store_path = mem_printf("%s/store", tempdir);
	assert_int_equal(mkdir(store_path, 0700), 0);
	assert_int_equal(mkdirat(tempfd, "store/tmp", 0700), 0);
	tempdir_write("store/tmp/0123456789abcdef", "1");
	assert_int_equal(store_open(&s, store_path, &e), 0);
	assert_int_equal(count_in("tmp"), 0);
	store_close(&s);
	free(store_path);
}

static int read_only(void)
{
	struct store s;
	struct err e = ERR_INIT;

	if (!enter_namespaces() || mount("tmpfs", tempdir, "tmpfs", MS_RDONLY, NULL) < 0)
		return NAMESPACES_MISSING;
	if (store_open(&s, store_path, &e) == 0 || e.code != ERR_STORE)
		return 1;
	if (!strstr(e.msg, "read-only") || !strstr(e.msg, store_path))
		return 2;
	return strstr(e.hint, "DEVENV_STORE") ? 0 : 3;
}

static void test_read_only(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	store_path = mem_printf("%s/store", tempdir);
	pid = fork();
	if (pid == 0)
		_exit(read_only());
	status = child_status(pid);
	free(store_path);
	if (status == NAMESPACES_MISSING)
		skip();
	assert_int_equal(status, 0);
}

static void test_staging(void **state)
{
	struct store_stage a, b, none = { .fd = -1 };
	struct store other;
	struct err e = ERR_INIT;
	char *path;

	(void)state;
	open_store();
	assert_int_equal(store_stage_new(&store, &a, &e), 0);
	assert_int_equal(store_stage_new(&store, &b, &e), 0);
	assert_string_not_equal(a.name, b.name);
	stage_write(&a, "file", "text");
	assert_int_equal(mkdirat(a.fd, "locked", 0), 0);
	/* Another start sweeps what is abandoned, and only that. */
	assert_int_equal(mkdirat(tempfd, "store/tmp/abandoned", 0700), 0);
	assert_int_equal(mkdirat(tempfd, "store/tmp/abandoned/deep", 0700), 0);
	assert_int_equal(mkdirat(tempfd, "store/tmp/abandoned/deep/er", 0), 0);
	assert_int_equal(fchmodat(tempfd, "store/tmp/abandoned/deep", 0500, 0), 0);
	assert_int_equal(store_open(&other, store_path, &e), 0);
	assert_int_equal(count_in("tmp"), 2);
	store_stage_drop(&store, &b);
	store_stage_drop(&store, &b);
	store_stage_drop(&store, &none);
	assert_int_equal(count_in("tmp"), 1);
	close(a.fd); /* its writer dies */
	path = mem_printf("store/tmp/%s", a.name);
	assert_true(file_exists(tempfd, path));
	store_close(&other);
	assert_int_equal(store_open(&other, store_path, &e), 0);
	assert_false(file_exists(tempfd, path));
	assert_int_equal(count_in("tmp"), 0);
	free(path);
	store_close(&other);
	close_store();
}

/* Writers that begin while others sweep: nobody loses a staging directory. */
static void test_sweeping_race(void **state)
{
	enum { PROCESSES = 6, ROUNDS = 60 };
	pid_t pids[PROCESSES];

	(void)state;
	open_store();
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			struct store s;
			struct store_stage st;
			struct err e = ERR_INIT;

			if (store_open(&s, store_path, &e) < 0)
				_exit(1);
			if (store_stage_new(&s, &st, &e) < 0)
				_exit(2);
			if (mkdirat(st.fd, "x", 0700) < 0 || !file_exists(st.fd, "x"))
				_exit(3);
			store_stage_drop(&s, &st);
			store_close(&s);
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(child_status(pids[i]), 0);
	assert_int_equal(count_in("tmp"), 0);
	close_store();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_made),          tempdir_test(test_refused),
		tempdir_test(test_someone_elses), tempdir_test(test_half_made),
		tempdir_test(test_read_only),     tempdir_test(test_staging),
		tempdir_test(test_sweeping_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
