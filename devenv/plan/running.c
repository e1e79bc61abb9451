/* SPDX-License-Identifier: Apache-2.0 */
/* running.c - is anybody in an environment? Asks the locks that its pid 1 and its sessions hold; see sandbox/holder.c. */
#include "plan/running.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"

char *running_path(const struct dirs *d, const char *plan_id)
{
	return mem_printf("%s/%s" RUNNING_SUFFIX, d->runtime, plan_id);
}

static int open_existing(const struct dirs *d, const char *plan_id)
{
	cleanup_free char *path = running_path(d, plan_id);

	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW); /* not for writing: sandbox/linger.c takes that for a session */
}

pid_t running_pid(const struct dirs *d, const char *plan_id)
{
	cleanup_close int fd = open_existing(d, plan_id);

	return fd < 0 ? 0 : running_pid1(fd);
}

bool running_in_use(const struct dirs *d, const char *plan_id)
{
	cleanup_close int fd = open_existing(d, plan_id);

	return fd >= 0 && (running_is_locked(fd, RUNNING_SESSIONS) || running_pid1(fd) != 0);
}

/* They have read locks; a pid 1 that is leaving has a write lock. */
bool running_has_sessions(const struct dirs *d, const char *plan_id)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = RUNNING_SESSIONS, .l_len = 1 };
	cleanup_close int fd = open_existing(d, plan_id);

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type == F_RDLCK;
}

bool running_lingers(const struct dirs *d, const char *plan_id)
{
	cleanup_close int fd = open_existing(d, plan_id);

	return fd >= 0 && running_pid1(fd) != 0 && !running_is_locked(fd, RUNNING_SESSIONS);
}

/* Whoever arrives from now on waits for our lock, and finds no pid 1 then. */
static int end(int fd, struct err *e)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = RUNNING_SESSIONS, .l_len = 1 };
	struct pollfd ended = { .events = POLLIN };
	cleanup_close int pidfd = -1;
	pid_t pid;

	if (fcntl(fd, F_OFD_SETLK, &l) < 0)
		return err_set(e, ERR_BUSY, "the environment has sessions");
	pid = running_pid1(fd);
	pidfd = pid ? sys_pidfd_open(pid) : -1;
	if (pidfd < 0 || running_pid1(fd) != pid)
		return 0; /* gone by itself */
	ended.fd = pidfd;
	if (sys_pidfd_send_signal(pidfd, SIGKILL) < 0 && errno != ESRCH)
		return err_sys(e, "can't end process %d", (int)pid);
	while (poll(&ended, 1, -1) < 0 && errno == EINTR)
		;
	return 0;
}

int running_end(const struct dirs *d, const char *plan_id, struct err *e)
{
	cleanup_free char *path = running_path(d, plan_id);
	cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "can't open the lock file %s", path);
	return end(fd, e);
}

pid_t running_pid1(int fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = RUNNING_PID1, .l_len = 1 };

	return fcntl(fd, F_GETLK, &l) < 0 || l.l_type == F_UNLCK ? 0 : l.l_pid;
}

/* When the kernel can't say, somebody is there: nothing is taken away from anybody for that. */
bool running_is_locked(int fd, enum running_byte byte)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_GETLK, &l) < 0 || l.l_type != F_UNLCK;
}
