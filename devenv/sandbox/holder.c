/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holder.c - who keeps an environment alive.
 *
 * Theory of operation
 *
 * The namespaces of an environment belong to its holder: pid 1 inside, made by the first session and gone after the
 * last. Every session - the first one too - joins it with one setns on its pidfd (join.c), so there is one way in. All
 * book-keeping is one empty lock file per plan, <runtime>/<plan id>.lock, and so can't be stale:
 *
 *   byte 0  POSIX write lock held by pid 1. F_GETLK answers with its pid: that is the look-up.
 *   byte 1  open-file-description read lock held by every launcher while its session lasts. pid 1 sleeps in F_OFD_SETLKW
 *           for a write lock: when it gets that, it was the last one, and nobody new can come in (linger.c: it may stay).
 *   byte 2  the door: an open-file-description write lock held by whoever is looking up, creating or starting up.
 *
 * A launcher takes the door, then its share of byte 1 (waiting while a leaving pid 1 has the write lock), then asks
 * byte 0. Nobody there: it clones pid 1 and keeps the door closed until pid 1 has reported over a pipe. Somebody there:
 * opens a pidfd and asks again, so that a reused pid can't be taken for the holder.
 *
 * Most look-ups need no door: whoever has a share of byte 1 and sees pid 1 and an open door may join, for pid 1 was ready
 * before the door was opened, and can't leave any more. Otherwise the door is taken; the share is kept only when it can be
 * had at once: who waits for the door with a share would keep an orphaned pid 1 from leaving, which keeps the door.
 *
 * The door has a descriptor of its own, which pid 1 inherits and keeps. So when a launcher is killed while its pid 1
 * sets up, the door stays closed: pid 1 gets ready, finds no session, leaves, and only then does the next one come in.
 * Nobody ever joins a sandbox that is half made. In the ordinary course the launcher opens the door by unlocking it.
 * pid 1 takes its own two locks on that descriptor too: a POSIX lock belongs to the process, and the share of byte 1 that it
 * waits for is on another open file.
 *
 * Trap: a process loses its POSIX locks on a file when it closes any descriptor of that file. pid 1 closes the inherited
 * descriptor of byte 1 before it takes byte 0, and the other one when it leaves.
 */
#include "sandbox/holder.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "base/self.h"
#include "base/sys.h"
#include "plan/running.h"
#include "sandbox/idmap.h"
#include "sandbox/init.h"

static int lock_byte(int fd, int command, short type, enum running_byte byte)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
	int r;

	do
		r = fcntl(fd, command, &l);
	while (r < 0 && errno == EINTR);
	return r;
}

/* EINVAL: a kernel (or what poses as one) without locks of open file descriptions. */
static int lock_error(struct err *e)
{
	int sys = errno;

	err_sys(e, "can't lock the environment");
	e->code = sys == EINVAL ? ERR_SANDBOX : e->code;
	return -1;
}

int holder_lock_pid1(int fd)
{
	return lock_byte(fd, F_SETLK, F_WRLCK, RUNNING_PID1);
}

int holder_lock_sessions(int fd, int command, short type)
{
	return lock_byte(fd, command, type, RUNNING_SESSIONS);
}

void holder_open_door(const struct holder *h)
{
	lock_byte(h->door_fd, F_OFD_SETLK, F_UNLCK, RUNNING_DOOR);
}

static int open_lock_file(const char *path, const struct holder_request *q, struct err *e)
{
	char opened[40];
	int fd;

	if (q->lock_fd >= 0) {
		snprintf(opened, sizeof(opened), "/proc/self/fd/%d", q->lock_fd);
		fd = openat(AT_FDCWD, opened, O_RDWR | O_CLOEXEC);
		return fd < 0 ? err_sys(e, "can't open the lock file %s again", path) : fd;
	}
	fd = openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && errno == ENOENT) {
		if (dirs_private(q->dirs->runtime, e) < 0)
			return -1;
		fd = openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	}
	return fd < 0 ? err_sys(e, "can't open the lock file %s", path) : fd;
}

static int clone_error(struct err *e)
{
	int sys = errno;

	err_set(e, ERR_SANDBOX, "can't make a user namespace: %s",
		sys == ENOSPC ? "the limit user.max_user_namespaces is reached" : strerror(sys));
	e->sys = sys;
	return err_hint(e, "`devenv doctor` says what forbids it and how to allow it");
}

/* Wait for pid 1's report: one byte when it is ready, a struct err when it failed. */
static int read_report(int fd, struct err *e)
{
	char report[sizeof(struct err)];
	ssize_t n;

	do
		n = read(fd, report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	if (n == (ssize_t)sizeof(report)) {
		memcpy(e, report, sizeof(*e));
		return -1;
	}
	return err_set(e, ERR_SANDBOX, "the first process of the sandbox ended before it was ready");
}

static int map_ranges(const struct init_request *r, pid_t pid, struct err *e)
{
	if (idmap_write_ranges(pid, r->plan, r->outer_uid, r->outer_gid, e) < 0)
		return -1;
	return write(r->gate[1], "", 1) == 1 ? 0 : err_sys(e, "can't let the first process of the sandbox go on");
}

static int create(const struct holder_request *q, struct holder *h, struct err *e)
{
	unsigned long flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD |
			      SIGCHLD | (q->plan->network == PLAN_NETWORK_NONE ? CLONE_NEWNET : 0);
	struct init_request request = { .plan = q->plan, .process_argv = q->process_argv,
					.session_fd = h->session_fd, .lock_fd = h->door_fd,
					.outer_uid = self_uid(), .outer_gid = self_gid() };
	int report[2], result;
	pid_t pid;

	if (q->lock_fd >= 0)
		close(q->lock_fd); /* in pid 1 it would be one descriptor too many, see above */
	if (pipe2(report, O_CLOEXEC) < 0 || (q->plan->uid_range_count && pipe2(request.gate, O_CLOEXEC) < 0))
		return err_sys(e, "can't make a pipe");
	/* clone, not clone3: container engines answer ENOSYS to the latter, and nothing here needs it. */
	pid = (pid_t)syscall(SYS_clone, flags, NULL, &h->pidfd, NULL, 0UL);
	if (pid == 0) {
		request.report_fd = report[1];
		init_main(&request);
	}
	close(report[1]);
	if (pid < 0) {
		close(report[0]);
		return clone_error(e);
	}
	result = q->plan->uid_range_count ? map_ranges(&request, pid, e) : 0;
	if (result == 0)
		result = read_report(report[0], e); /* left open: one system call less on the way in */
	if (result < 0) {
		/* It may be ready without our knowing, and would wait for our share of byte 1 to go as we for its end. */
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return result;
}

/* With our share of byte 1: a pidfd of pid 1, which find_pid1 has just named. 1: there is none any more. */
static int open_pid1(struct holder *h, pid_t pid, struct err *e)
{
	for (; pid != 0; pid = running_pid1(h->session_fd)) {
		h->pidfd = sys_pidfd_open(pid);
		if (h->pidfd < 0) {
			if (errno == ESRCH)
				continue; /* just gone: its lock is too, in a moment */
			return err_sys(e, "can't reach the running environment (process %d)", (int)pid);
		}
		if (running_pid1(h->session_fd) == pid)
			return 0;
		close(h->pidfd);
		h->pidfd = -1;
	}
	return 1;
}

/* The short way. 1: take the long one, with our share of byte 1. */
static int join_running(struct holder *h, struct err *e)
{
	pid_t pid;

	if (lock_byte(h->session_fd, F_OFD_SETLKW, F_RDLCK, RUNNING_SESSIONS) < 0)
		return lock_error(e);
	pid = running_pid1(h->session_fd);
	return pid && !running_is_locked(h->session_fd, RUNNING_DOOR) ? open_pid1(h, pid, e) : 1;
}

/* Whoever waits for the door must not hold a share meanwhile: an orphaned pid 1 waits for that, and has the door. */
static int take_door(struct holder *h)
{
	if (lock_byte(h->door_fd, F_OFD_SETLK, F_WRLCK, RUNNING_DOOR) == 0)
		return 0;
	if (lock_byte(h->session_fd, F_OFD_SETLK, F_UNLCK, RUNNING_SESSIONS) < 0 ||
	    lock_byte(h->door_fd, F_OFD_SETLKW, F_WRLCK, RUNNING_DOOR) < 0)
		return -1;
	return lock_byte(h->session_fd, F_OFD_SETLKW, F_RDLCK, RUNNING_SESSIONS);
}

static int find_or_create(const struct holder_request *q, const char *lock_path, struct holder *h, struct err *e)
{
	int found;

	h->door_fd = open_lock_file(lock_path, q, e);
	if (h->door_fd < 0)
		return -1;
	if (take_door(h) < 0)
		return lock_error(e);
	found = open_pid1(h, running_pid1(h->session_fd), e);
	if (found == 0)
		holder_open_door(h);
	h->created = found > 0;
	return found > 0 ? create(q, h, e) : found;
}

static int acquire(const struct holder_request *q, const char *path, struct holder *h, struct err *e)
{
	int found;

	h->session_fd = open_lock_file(path, q, e);
	if (h->session_fd < 0)
		return -1;
	found = join_running(h, e);
	return found > 0 ? find_or_create(q, path, h, e) : found;
}

int holder_acquire(const struct holder_request *q, struct holder *h, struct err *e)
{
	cleanup_free char *path = running_path(q->dirs, q->plan->id);

	*h = (struct holder){ .session_fd = -1, .door_fd = -1, .pidfd = -1 };
	if (acquire(q, path, h, e) < 0) {
		holder_release(h);
		return -1;
	}
	return 0;
}

/* Asking for the write lock that pid 1 waits for: our own share is on the same open file and does not count. */
bool holder_is_last(const struct holder *h)
{
	return !running_is_locked(h->session_fd, RUNNING_SESSIONS);
}

void holder_release(struct holder *h)
{
	int *fds[] = { &h->pidfd, &h->door_fd, &h->session_fd };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}
