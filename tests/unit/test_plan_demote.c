/* SPDX-License-Identifier: Apache-2.0 */
/* Who becomes somebody else, who stays, and what that somebody may do. */
#include "unit/tempdir.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/self.h"
#include "plan/demote.h"

#define SOMEBODY 2147000001u

static struct dirs dirs;
static struct plan plan;
static char closed[] = "/var/tmp/unit.XXXXXX"; /* TMPDIR may lie in what must be mapped to be passed */

static char *make(const char *name)
{
	char *path = mem_printf("%s/%s", tempdir, name);
	struct err e = ERR_INIT;

	assert_int_equal(file_mkdirs(AT_FDCWD, path, 0700, &e), 0);
	return path;
}

static int setup(void **state)
{
	tempdir_setup(state);
	dirs = (struct dirs){ .home = make("home"), .state = make("state"), .runtime = make("runtime"), .store = make("store") };
	plan_init(&plan);
	plan.id = "00ff";
	plan.state = dirs.state;
	plan.store = dirs.store;
	plan.project = dirs.home;
	plan.become_uid = plan.become_gid = SOMEBODY;
	return 0;
}

static int teardown(void **state)
{
	plan_release(&plan);
	free(dirs.home);
	free(dirs.state);
	free(dirs.runtime);
	free(dirs.store);
	return tempdir_teardown(state);
}

static void test_stays(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (geteuid() != 0) {
		assert_int_equal(demote_probe(&plan, &dirs, &e), DEMOTE_STAYS);
		assert_int_equal(e.code, ERR_NONE);
		return;
	}
	plan.become_uid = plan.become_gid = 0; /* the plan says so */
	assert_int_equal(demote_probe(&plan, &dirs, &e), DEMOTE_STAYS);
	assert_int_equal(e.code, ERR_NONE);
	plan.become_uid = plan.become_gid = SOMEBODY;
	plan_add_uid_range(&plan, (struct plan_range){ 1, 300000, 10 });
	assert_int_equal(demote_probe(&plan, &dirs, &e), DEMOTE_STAYS);
	assert_int_equal(e.code, ERR_NONE);
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) < 0 || data[0].permitted || data[1].permitted || data[0].effective ||
	       data[0].inheritable;
}

/* In a child, as somebody else. 0, or the line of what was not so. */
static int look(void)
{
	char *made = mem_printf("%s/made", dirs.home), *file = mem_printf("%s/file", closed);
	struct stat st;
	gid_t group;
	int fd;

	if (geteuid() != SOMEBODY || getuid() != SOMEBODY || getegid() != SOMEBODY || self_uid() != SOMEBODY ||
	    self_gid() != SOMEBODY || getgroups(1, &group) != 0)
		return __LINE__;
	if (has_capabilities() || setresuid(0, 0, 0) == 0 || prctl(PR_GET_DUMPABLE) != 1)
		return __LINE__;
	if (stat(dirs.home, &st) < 0 || st.st_uid != SOMEBODY || st.st_gid != SOMEBODY)
		return __LINE__;
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != SOMEBODY)
		return __LINE__;
	if (open(file, O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return __LINE__;
	return 0;
}

static void test_becomes(void **state)
{
	char *made = mem_printf("%s/made", dirs.home), *others = mem_printf("%s/others", dirs.home);
	struct err e = ERR_INIT;
	struct stat st;
	int status;
	pid_t pid;

	(void)state;
	tempdir_write("home/others", "x");
	if (geteuid() != 0 || demote_probe(&plan, &dirs, &e) != DEMOTE_DONE) {
		print_message("%s\n", e.code ? e.msg : "not real root");
		free(made);
		free(others);
		skip();
	}
	assert_int_equal(chown(others, 1234, 4321), 0);
	assert_non_null(mkdtemp(closed)); /* 0700 */
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int lock_fd, death_signal = 0;

		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (demote(&plan, &dirs, &lock_fd, &e) != DEMOTE_DONE || lock_fd >= 0)
			_exit(1);
		if (stat(others, &st) < 0 || st.st_uid != 1234 || st.st_gid != 4321)
			_exit(2);
		if (prctl(PR_GET_PDEATHSIG, &death_signal) < 0 || death_signal != SIGTERM)
			_exit(3);
		_exit(look() % 255);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rmdir(closed);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(lstat(made, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, 0);
	assert_int_equal(geteuid(), 0); /* the probe and the child were others */
	free(made);
	free(others);
}

/* What is in the way is said, and nothing has happened. */
static void test_in_the_way(void **state)
{
	char *theirs = make("theirs"), *below;
	struct err e = ERR_INIT;

	(void)state;
	if (geteuid() != 0 || demote_probe(&plan, &dirs, &e) != DEMOTE_DONE) {
		free(theirs);
		skip();
	}
	below = make("theirs/p");
	assert_int_equal(chown(theirs, 1234, 1234), 0);
	plan.project = below;
	assert_int_equal(demote_probe(&plan, &dirs, &e), DEMOTE_STAYS);
	assert_non_null(strstr(e.msg, "closed to all but uid 1234"));
	assert_int_equal(chmod(theirs, 0711), 0);
	assert_int_equal(demote_probe(&plan, &dirs, &e), DEMOTE_DONE);
	plan.project = dirs.home;
	free(theirs);
	free(below);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_becomes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_the_way, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
