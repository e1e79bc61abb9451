/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the lock file of an environment: pid 1 by its POSIX lock, sessions by theirs, from another process. */
#include "unit/tempdir.h"

#include <signal.h>
#include <sys/wait.h>

#include "plan/running.h"

static void lock_byte(int fd, int command, short type, enum running_byte byte)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	if (fcntl(fd, command, &l) < 0)
		_exit(1);
}

/* A process that has pid 1's byte or a session's until it is ended. */
static pid_t start(const char *path, bool pid1)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int fd = open(path, O_RDWR | O_CLOEXEC);

		if (pid1)
			lock_byte(fd, F_SETLK, F_WRLCK, RUNNING_PID1);
		else
			lock_byte(fd, F_OFD_SETLK, F_RDLCK, RUNNING_SESSIONS);
		if (write(ready[1], "r", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_running(void **state)
{
	struct dirs d = { .runtime = tempdir };
	char *path = running_path(&d, "abc");
	struct err e = ERR_INIT;
	pid_t pid1, session;
	int fd, status;

	(void)state;
	assert_int_equal(running_pid(&d, "abc"), 0);
	assert_false(running_in_use(&d, "abc"));
	assert_false(file_exists(AT_FDCWD, path)); /* asking makes nothing */
	tempdir_write("abc.lock", "");
	assert_int_equal(running_pid(&d, "abc"), 0);
	assert_false(running_in_use(&d, "abc"));

	session = start(path, false);
	assert_true(running_in_use(&d, "abc"));
	assert_int_equal(running_pid(&d, "abc"), 0);
	pid1 = start(path, true);
	assert_int_equal(running_pid(&d, "abc"), pid1);
	assert_false(running_lingers(&d, "abc"));
	assert_true(running_has_sessions(&d, "abc"));
	assert_int_equal(running_end(&d, "abc", &e), -1);
	assert_int_equal(e.code, ERR_BUSY);
	end(session);
	/* without a session it lingers, and whatever it stands on is in use */
	assert_true(running_in_use(&d, "abc"));
	assert_true(running_lingers(&d, "abc"));
	assert_false(running_has_sessions(&d, "abc"));
	assert_int_equal(running_pid(&d, "abc"), pid1);
	assert_int_equal(running_end(&d, "abc", &e), 0);
	assert_int_equal(waitpid(pid1, &status, 0), pid1);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_false(running_in_use(&d, "abc"));
	assert_false(running_lingers(&d, "abc"));
	assert_int_equal(running_end(&d, "abc", &e), 0);
	assert_int_equal(running_end(&d, "none", &e), 0);
	assert_int_equal(running_pid(&d, "abc"), 0);

	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	lock_byte(fd, F_OFD_SETLK, F_WRLCK, RUNNING_DOOR);
	assert_false(running_is_locked(fd, RUNNING_DOOR)); /* one's own */
	close(fd);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = { tempdir_test(test_running) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
