/* SPDX-License-Identifier: Apache-2.0 */
/* stdio.c - the descriptors the caller gave us: one fstat for each of three questions. */
#include "launcher/stdio.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MEMORY_DEVICES 1 /* the major number of /dev/null and its like: no need to ask whether they are terminals */

int stdio_prepare(unsigned int *terminals, struct err *e)
{
	struct stat st;
	int fd;

	*terminals = 0;
	for (fd = 0; fd < 3; fd++) {
		if (fstat(fd, &st) < 0) {
			/* The lowest free number is this one. It is there to be inherited. */
			if (errno == EBADF && (openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC) != fd || fcntl(fd, F_SETFD, 0) < 0))
				return err_sys(e, "can't open /dev/null in place of descriptor %d", fd);
			continue;
		}
		/* Inside, /proc/self/fd/0/.. would lead all over this machine. */
		if (S_ISDIR(st.st_mode)) {
			err_set(e, ERR_USAGE, "descriptor %d is a directory of this machine, which would be reachable inside", fd);
			return err_hint(e, "use a file, a pipe or /dev/null");
		}
		if (S_ISCHR(st.st_mode) && major(st.st_rdev) != MEMORY_DEVICES && isatty(fd))
			*terminals |= 1u << fd;
	}
	return 0;
}
