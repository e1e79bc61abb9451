/* SPDX-License-Identifier: Apache-2.0 */
/* running.c - is anybody in an environment? Asks the lock that its pid 1 holds; see sandbox/holder.c. */
#include "cli/running.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "env/live.h"

pid_t running_pid(const struct dirs *d, const char *plan_id)
{
	cleanup_free char *path = mem_printf("%s/%s.lock", d->runtime, plan_id);
	cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };

	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid;
}

size_t running_earlier(const struct dirs *d, const char *state, const char *plan_id, pid_t *pid)
{
	cleanup_strlist struct strlist plans = STRLIST_INIT;
	size_t count = 0;

	live_running(d, state, &plans);
	for (size_t i = 0; i < plans.count; i++) {
		pid_t found = strcmp(plans.items[i], plan_id) == 0 ? 0 : running_pid(d, plans.items[i]);

		if (found > 0) {
			*pid = found;
			count++;
		}
	}
	return count;
}
