/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch.c - where a running environment writes.
 *
 *   <state>/scratch/<name>/tmp    becomes /tmp: on disk, because builds fill it
 *   <state>/scratch/<name>/       [scratch = disk] also upper, work and root; otherwise a tmpfs with these three is
 *                                 mounted over the directory, visible only in the sandbox's mount namespace
 *   <state>/persist/              [persist = yes] upper, work and root; flocked while in use, because an upper layer
 *                                 mounted twice loses files
 *
 * The holder removes its directory when it ends. One that was killed leaves it behind, without the flock; the next
 * holder of the same checkout removes that too, on its way out, so that no start pays for it.
 */
#include "sandbox/scratch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"

#define TRIES 10

static int open_parent(const struct plan *p, struct err *e)
{
	cleanup_free char *path = mem_printf("%s/scratch", p->state);
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		if (file_mkdirs(AT_FDCWD, path, 0700, e) < 0)
			return -1;
		fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? err_sys(e, "can't open %s", path) : fd;
}

/* Make, lock, fill. 1: a sweep took the directory for abandoned before it was locked. */
static int try_directory(struct scratch *s, struct err *e)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(s->name, sizeof(s->name), "%llx", (unsigned long long)now.tv_sec * 1000000000ULL + (unsigned long long)now.tv_nsec);
	if (mkdirat(s->parent_fd, s->name, 0700) < 0)
		return errno == EEXIST ? 1 : err_sys(e, "can't make a scratch directory");
	s->lock_fd = openat(s->parent_fd, s->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->lock_fd >= 0 && flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0 && mkdirat(s->lock_fd, "tmp", 01777) == 0)
		return 0;
	if (errno == ENOENT || errno == EWOULDBLOCK)
		return 1;
	return err_sys(e, "can't make the scratch directory %s", s->name);
}

static int make_directory(struct scratch *s, const struct plan *p, struct err *e)
{
	int tries, made;

	s->parent_fd = open_parent(p, e);
	if (s->parent_fd < 0)
		return -1;
	for (made = 1, tries = 0; made == 1 && tries < TRIES; tries++) {
		if (s->lock_fd >= 0)
			close(s->lock_fd);
		s->lock_fd = -1;
		made = try_directory(s, e);
	}
	if (made < 0)
		return err_wrap(e, "%s/scratch", p->state);
	if (made > 0)
		return err_set(e, ERR_FAILED, "%s/scratch: directories vanish as soon as they are made", p->state);
	s->tmp_fd = sys_open_tree(s->lock_fd, "tmp", SYS_OPEN_TREE_CLONE);
	return s->tmp_fd < 0 ? err_sys(e, "can't prepare /tmp") : 0;
}

static int make_mount_points(struct err *e)
{
	static const struct {
		const char *name;
		mode_t mode;
	} dirs[] = { { "upper", 0755 }, { "work", 0700 }, { "root", 0755 } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdir(dirs[i].name, dirs[i].mode) < 0 && errno != EEXIST)
			return err_sys(e, "can't make the scratch directory '%s'", dirs[i].name);
	return 0;
}

static int enter_tmpfs(struct scratch *s, struct err *e)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", s->parent_fd, s->name);
	if (mount("devenv", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0)
		return err_sys(e, "can't mount a tmpfs for the scratch layer");
	s->dir_fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->dir_fd < 0 || fchdir(s->dir_fd) < 0 ? err_sys(e, "can't enter the scratch layer") : 0;
}

static int enter_persistent(struct scratch *s, const struct plan *p, struct err *e)
{
	cleanup_free char *path = mem_printf("%s/persist", p->state);

	if (file_mkdirs(AT_FDCWD, path, 0700, e) < 0)
		return -1;
	s->persist_fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->persist_fd < 0 || fchdir(s->persist_fd) < 0)
		return err_sys(e, "can't enter %s", path);
	if (flock(s->persist_fd, LOCK_EX | LOCK_NB) < 0) {
		err_set(e, ERR_BUSY, "sessions of this environment as it was configured before still run, and "
				     "`persist = yes` keeps one scratch layer");
		return err_hint(e, "leave those sessions first");
	}
	return 0;
}

int scratch_make(struct scratch *s, const struct plan *p, struct err *e)
{
	int entered;

	if (make_directory(s, p, e) < 0)
		return -1;
	switch (p->scratch) {
	case PLAN_SCRATCH_PERSIST:
		entered = enter_persistent(s, p, e);
		break;
	case PLAN_SCRATCH_DISK:
		entered = fchdir(s->lock_fd) < 0 ? err_sys(e, "can't enter the scratch directory") : 0;
		break;
	default:
		entered = enter_tmpfs(s, e);
	}
	return entered < 0 ? -1 : make_mount_points(e);
}

void scratch_unmount(struct scratch *s)
{
	if (s->parent_fd >= 0 && fchdir(s->parent_fd) == 0)
		umount2(s->name, MNT_DETACH);
}

void scratch_let_go(struct scratch *s)
{
	if (s->persist_fd >= 0)
		close(s->persist_fd);
	s->persist_fd = -1;
}

void scratch_drop(struct scratch *s)
{
	struct err ignored = ERR_INIT;

	if (s->parent_fd < 0)
		return;
	file_remove_tree(s->parent_fd, s->name, &ignored);
	file_sweep(s->parent_fd, false, NULL, NULL);
}
