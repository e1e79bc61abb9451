/* SPDX-License-Identifier: Apache-2.0 */
/* running.c - is anybody in an environment? Asks the lock that its pid 1 holds; see sandbox/holder.c. */
#include "cli/running.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/mem.h"

pid_t running_pid(const struct dirs *d, const char *plan_id)
{
	cleanup_free char *path = mem_printf("%s/%s.lock", d->runtime, plan_id);
	cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}
