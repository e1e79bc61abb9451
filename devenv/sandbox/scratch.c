/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch.c - where a running environment writes.
 *
 *   <state>/scratch/<N>/tmp    becomes /tmp: on disk, because builds fill it
 *   <state>/scratch/<N>/       [scratch = disk] also upper, work and root; otherwise a tmpfs with these three is
 *                              mounted over the directory, visible only in the sandbox's mount namespace
 *   <state>/persist/           [persist = yes] upper, work and root; flocked while in use, because an upper layer
 *                              mounted twice loses files
 *
 * The numbered directories are slots: a holder takes the first that nobody has locked, empties it when its last holder was
 * killed, and leaves it empty, and those beside it that nobody holds. Keeping it saves two mkdir on a disk, a tenth of a
 * start. gc removes slots nobody holds; a holder that finds its slot gone under its lock makes another.
 */
#include "sandbox/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"

#define SLOTS 10000

/* Remove what is in a directory. Returns 0 when it is empty now. */
static int clear(int dir_fd)
{
	struct err ignored = ERR_INIT;
	const struct dirent *entry;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    file_remove_tree(fd, entry->d_name, &ignored) < 0)
			result = -1;
	closedir(dir);
	return result;
}

/* One system call, because this is on the way in: the first entries tell. */
static bool is_empty(int dir_fd)
{
	_Alignas(8) char entries[256];
	long n = syscall(SYS_getdents64, dir_fd, entries, sizeof(entries)), at = 0;

	while (at < n) {
		const char *name = entries + at + offsetof(struct dirent, d_name);
		unsigned short length;

		if (strcmp(name, ".") && strcmp(name, ".."))
			return false;
		memcpy(&length, entries + at + offsetof(struct dirent, d_reclen), sizeof(length));
		at += length;
	}
	return n >= 0;
}

/* In a slot that is locked: an empty tmp/. 1: the slot was removed before we had the lock, or can't be emptied. */
static int take_tmp(struct scratch *s, struct err *e)
{
	s->dir_fd = openat(s->lock_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->dir_fd < 0 && errno == ENOENT) {
		if (mkdirat(s->lock_fd, "tmp", 01777) < 0)
			return errno == ENOENT ? 1 : err_sys(e, "can't make tmp");
		s->dir_fd = openat(s->lock_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (s->dir_fd < 0)
		return err_sys(e, "can't open tmp");
	/* Files of ids that are not mapped now, from a plan that had them: gc knows how. */
	return !is_empty(s->dir_fd) && clear(s->dir_fd) < 0 ? 1 : 0;
}

static int make_slot(const struct scratch *s, struct err *e)
{
	cleanup_free char *parent = path_parent(s->path);

	if (mkdir(s->path, 0700) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return err_sys(e, "can't make a scratch directory");
	if (file_mkdirs(AT_FDCWD, parent, 0700, e) < 0)
		return -1;
	return mkdir(s->path, 0700) < 0 && errno != EEXIST ? err_sys(e, "can't make a scratch directory") : 0;
}

/* 1: somebody has this slot, or it vanished. */
static int try_slot(struct scratch *s, struct err *e)
{
	s->lock_fd = openat(AT_FDCWD, s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->lock_fd < 0 && errno == ENOENT) {
		if (make_slot(s, e) < 0)
			return -1;
		s->lock_fd = openat(AT_FDCWD, s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (s->lock_fd < 0)
		return errno == ENOENT ? 1 : err_sys(e, "can't open a scratch directory");
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return 1;
	return take_tmp(s, e);
}

static int make_directory(struct scratch *s, const struct plan *p, struct err *e)
{
	unsigned int n;
	int taken;

	for (taken = 1, n = 0; taken == 1 && n < SLOTS; n++) {
		if (s->lock_fd >= 0)
			close(s->lock_fd);
		s->lock_fd = -1;
		free(s->path);
		s->path = mem_printf("%s/scratch/%u", p->state, n);
		taken = try_slot(s, e);
	}
	if (taken < 0)
		return err_wrap(e, "%s", text_safe(s->path));
	if (taken > 0)
		return err_set(e, ERR_FAILED, "%s/scratch: no slot can be had", text_safe(p->state));
	return 0;
}

/* Back to what take_tmp left. */
static void empty_slot(struct scratch *s)
{
	static const char *const disk[] = { "upper", "work", "root" };
	struct err ignored = ERR_INIT;
	size_t i;

	if (s->dir_fd >= 0)
		clear(s->dir_fd);
	for (i = 0; s->on_disk && i < ARRAY_SIZE(disk); i++)
		file_remove_tree(s->lock_fd, disk[i], &ignored);
}

static int enter_disk(struct scratch *s, struct err *e)
{
	s->on_disk = true;
	empty_slot(s); /* a killed holder's */
	return fchdir(s->lock_fd) < 0 ? err_sys(e, "can't enter the scratch directory") : 0;
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
	if (mount("devenv", s->path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") < 0) {
		err_sys(e, "can't mount a tmpfs for the scratch layer");
		e->code = errno == EPERM || errno == ENODEV ? ERR_SANDBOX : e->code;
		return -1;
	}
	s->layer_fd = openat(AT_FDCWD, s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->layer_fd < 0 || fchdir(s->layer_fd) < 0 ? err_sys(e, "can't enter the scratch layer") : 0;
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
		entered = enter_disk(s, e);
		break;
	default:
		entered = enter_tmpfs(s, e);
	}
	if (entered < 0 || make_mount_points(e) < 0)
		return -1;
	/* After those that pid 1 keeps: they are neighbours, and letting go of all others takes fewer calls. */
	s->tmp_fd = sys_open_tree(s->lock_fd, "tmp", SYS_OPEN_TREE_CLONE);
	return s->tmp_fd < 0 ? err_sys(e, "can't prepare /tmp") : 0;
}

void scratch_unmount(struct scratch *s)
{
	if (s->path)
		umount2(s->path, MNT_DETACH);
}

void scratch_let_go(struct scratch *s)
{
	if (s->persist_fd >= 0)
		close(s->persist_fd);
	s->persist_fd = -1;
}

/* What killed holders left in the slots beside ours: here nobody waits for it. Those in use are locked, and so is ours. */
static void empty_abandoned(const struct scratch *s)
{
	unsigned int n;
	char name[16];

	for (n = 0; n < SLOTS; n++) {
		struct scratch other = { .on_disk = true };

		snprintf(name, sizeof(name), "../%u", n);
		other.lock_fd = openat(s->lock_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (other.lock_fd < 0)
			return;
		if (flock(other.lock_fd, LOCK_EX | LOCK_NB) == 0) {
			other.dir_fd = openat(other.lock_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
			empty_slot(&other);
			if (other.dir_fd >= 0)
				close(other.dir_fd);
		}
		close(other.lock_fd);
	}
}

void scratch_drop(struct scratch *s)
{
	if (s->lock_fd < 0)
		return;
	empty_slot(s);
	empty_abandoned(s);
}
