/* SPDX-License-Identifier: Apache-2.0 */
/* running.c - is anybody in an environment? Asks the locks that its pid 1 and its sessions hold; see sandbox/holder.c. */
#include "plan/running.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/mem.h"

char *running_path(const struct dirs *d, const char *plan_id)
{
	return mem_printf("%s/%s" RUNNING_SUFFIX, d->runtime, plan_id);
}

static int open_existing(const struct dirs *d, const char *plan_id)
{
	cleanup_free char *path = running_path(d, plan_id);

	return open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

pid_t running_pid(const struct dirs *d, const char *plan_id)
{
	cleanup_close int fd = open_existing(d, plan_id);

	return fd < 0 ? 0 : running_pid1(fd);
}

bool running_in_use(const struct dirs *d, const char *plan_id)
{
	cleanup_close int fd = open_existing(d, plan_id);

	return fd >= 0 && running_is_locked(fd, RUNNING_SESSIONS);
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
