/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linger.c - staying a while after the last session: [sandbox] linger.
 *
 * pid 1 that gets the write lock of byte 1 (holder.c) knows that nobody is there and nobody can come in. To linger it gives
 * the lock back and waits. Every session has the lock file open for writing and closes it in the end, however it ends: so
 * an inotify watch tells of sessions that came and went meanwhile, and the time begins again. The kernel tells before
 * it releases the locks of the file that is closed; so whoever has the write lock and an empty queue missed nobody.
 * When the time is up, the lock is asked for again: not to be had, somebody is in; otherwise whoever arrives now waits for
 * it and starts an environment of their own.
 *
 * The door still closed by our own descriptor says that the launcher that made us was killed, or its start hook failed:
 * nobody may join such an environment, so it does not stay.
 */
#include "sandbox/linger.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/sys.h"
#include "plan/running.h"
#include "sandbox/init.h"

/* -1: there is none to be had; then a session that comes and goes meanwhile does not prolong the stay. */
static int watch(int lock_fd)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", lock_fd);
	if (fd < 0 || inotify_add_watch(fd, path, IN_CLOSE_WRITE) >= 0)
		return fd;
	close(fd);
	return -1;
}

/* Forget what the watch has to tell. Was there something? */
static bool drain(int watch_fd)
{
	_Alignas(struct inotify_event) char events[4096];
	bool some = false;

	while (watch_fd >= 0 && read(watch_fd, events, sizeof(events)) > 0)
		some = true;
	return some;
}

/* A lock on our own open file shows to POSIX locks only, and one of somebody else's to both kinds. */
static bool is_orphan(int lock_fd)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = RUNNING_DOOR, .l_len = 1 };

	return !running_is_locked(lock_fd, RUNNING_DOOR) && fcntl(lock_fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/* With the write lock; gives it up and waits. Was it quiet all the time? Then we have the lock again. */
static bool is_quiet_for(int lock_fd, int watch_fd, unsigned int seconds)
{
	struct pollfd p = { .fd = watch_fd, .events = POLLIN };

	drain(watch_fd);
	if (holder_lock_sessions(lock_fd, F_OFD_SETLK, F_UNLCK) < 0)
		return true;
	if (poll(&p, 1, (int)seconds * 1000) != 0)
		return false;
	return holder_lock_sessions(lock_fd, F_OFD_SETLK, F_WRLCK) == 0 && !drain(watch_fd);
}

void linger_until_last(int lock_fd, unsigned int seconds)
{
	int watch_fd = seconds ? watch(lock_fd) : -1;

	do
		holder_lock_sessions(lock_fd, F_OFD_SETLKW, F_WRLCK);
	while (seconds && !is_orphan(lock_fd) && !is_quiet_for(lock_fd, watch_fd, seconds));
}
