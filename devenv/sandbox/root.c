/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root.c - the root file system: an overlay of the layers, what the plan binds into it, and the standard mounts.
 *
 * Images are hostile. No path string is resolved inside the new root by anything but root_open(), which follows no link,
 * so that an image (or a persistent scratch layer) that has a link where we mount makes a clear error and not a mount
 * somewhere else. The topmost layer, which the core generates, holds every mount target as a real directory or file, so
 * that this is never an honest image's problem. Below file systems that we just mounted, plain names are safe.
 */
#include "sandbox/root.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/sys.h"
#include "base/text.h"

#define OVERLAY_OPTIONS "userxattr,upperdir=upper,workdir=work,lowerdir="
#define OPTIONS_MAX	4096

int root_open(int root_fd, const char *path)
{
	while (*path == '/')
		path++;
	return sys_openat2(root_fd, *path ? path : ".", O_PATH | O_NOFOLLOW, 0,
			   SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
}

static int sandbox_error(struct err *e, const char *what, const char *on)
{
	err_sys(e, "can't %s %s", what, text_safe(on));
	if (e->code == ERR_FAILED)
		e->code = ERR_SANDBOX;
	return -1;
}

int root_mount_fs(int root_fd, const char *path, const char *type, unsigned long flags, const char *options,
		  struct err *e)
{
	int fd = root_open(root_fd, path);
	char below[40];

	/* The host's /proc: this is before pivot_root. */
	snprintf(below, sizeof(below), "/proc/self/fd/%d", fd);
	if (fd < 0 || mount(type, below, type, flags, options) < 0)
		return sandbox_error(e, "mount", path);
	/* That descriptor still is what the mount covers. */
	fd = root_open(root_fd, path);
	if (fd < 0 || fchdir(fd) < 0)
		return sandbox_error(e, "enter", path);
	return fd;
}

/* Does the kernel take these layers by their names? mount(2) takes one page of options, and cuts at these characters. */
static bool can_be_named(const struct plan *p)
{
	size_t i, len = sizeof(OVERLAY_OPTIONS);

	for (i = 0; i < p->layer_count && len < OPTIONS_MAX; i++)
		len += strcspn(p->layers[i], ":,\\\"") == strlen(p->layers[i]) ? strlen(p->layers[i]) + 1 : OPTIONS_MAX;
	return len < OPTIONS_MAX;
}

static int open_layer(const char *path, struct err *e)
{
	int fd = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0)
		return fd;
	err_sys(e, "can't open the layer %s", path);
	return err_hint(e, "`devenv pull` fetches what is missing from the store");
}

/* Which layer it was the kernel does not say. */
static int overlay_failed(const struct plan *p, struct err *e)
{
	int sys = errno, fd;
	size_t i;

	for (i = 0; i < p->layer_count; i++) {
		fd = open_layer(p->layers[i], e);
		if (fd < 0)
			return -1;
		close(fd);
	}
	errno = sys;
	sandbox_error(e, "mount", "the overlay of the layers");
	return err_hint(e, "`devenv doctor` says what this kernel lacks");
}

/*
 * Working directory: the scratch. Layers go by name where names will do; 127 store paths would not fit and are named by
 * descriptor, which costs two system calls and a look into /proc for each.
 */
static int mount_overlay(const struct plan *p, struct err *e)
{
	cleanup_buf struct buf options = BUF_INIT;
	bool named = can_be_named(p);
	size_t i;

	buf_adds(&options, OVERLAY_OPTIONS);
	for (i = 0; i < p->layer_count; i++) {
		int fd = named ? -1 : open_layer(p->layers[i], e);

		if (!named && fd < 0)
			return -1;
		if (named)
			buf_addf(&options, "%s%s", i ? ":" : "", p->layers[i]);
		else
			buf_addf(&options, "%s/proc/self/fd/%d", i ? ":" : "", fd);
	}
	return mount("devenv", "root", "overlay", MS_NOSUID | MS_NODEV, options.data) < 0 ? overlay_failed(p, e) : 0;
}

static int open_source(const struct plan_mount *m, struct err *e)
{
	struct stat st;
	int fd = sys_open_tree(AT_FDCWD, m->host, SYS_OPEN_TREE_CLONE | SYS_AT_RECURSIVE);

	if (fd < 0 && errno == ENOENT && (m->flags & PLAN_MOUNT_MAKE_HOST)) {
		if (file_mkdirs(AT_FDCWD, m->host, 0700, e) < 0)
			return -1;
		fd = sys_open_tree(AT_FDCWD, m->host, SYS_OPEN_TREE_CLONE | SYS_AT_RECURSIVE);
	}
	if (fd < 0)
		return sandbox_error(e, "mount", m->host);
	if (m->ino && (fstat(fd, &st) < 0 || st.st_dev != m->dev || st.st_ino != m->ino)) {
		close(fd);
		return err_set(e, ERR_SANDBOX, "%s was exchanged for something else while the sandbox was made",
			       text_safe(m->host));
	}
	return fd;
}

/* An empty file to mount a file on. */
static int make_file(int root_fd, const struct plan_mount *m, struct err *e)
{
	cleanup_free char *parent = path_parent(m->target + 1);
	cleanup_close int dir = file_open_dirs_beneath(root_fd, parent, 0755, e), made = -1;
	int fd;

	if (dir < 0)
		return -1;
	made = openat(dir, path_base(m->target), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	fd = made < 0 ? -1 : root_open(root_fd, m->target);
	return fd < 0 ? sandbox_error(e, "make a place to mount", m->target) : fd;
}

static int open_target(int root_fd, const struct plan_mount *m, struct err *e)
{
	int fd = root_open(root_fd, m->target);

	if (fd < 0 && errno == ENOENT && (m->flags & PLAN_MOUNT_CREATE) && (m->flags & PLAN_MOUNT_FILE))
		return make_file(root_fd, m, e);
	if (fd < 0 && errno == ENOENT && (m->flags & PLAN_MOUNT_CREATE))
		return file_open_dirs_beneath(root_fd, m->target + 1, 0755, e);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		err_set(e, ERR_SANDBOX, "can't mount %s: a part of that path is a symbolic link or not a directory",
			text_safe(m->target));
		return err_hint(e, "give the mount another target");
	}
	return fd < 0 ? sandbox_error(e, "mount", m->target) : fd;
}

/* Private: nothing that is mounted outside from now on shows inside. (A new user namespace sees to the other direction.) */
static int set_flags(int fd, uint64_t flags, const char *what, struct err *e)
{
	struct sys_mount_attr attr = { .set = flags, .propagation = MS_PRIVATE };

	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &attr) < 0)
		return sandbox_error(e, "set the mount flags of", what);
	return 0;
}

static int attach(int source, int target, const struct plan_mount *m, struct err *e)
{
	if ((m->flags & PLAN_MOUNT_READ_ONLY) && set_flags(source, SYS_MOUNT_ATTR_RDONLY, m->target, e) < 0)
		return -1;
	if (sys_move_mount(source, "", target, "", SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return sandbox_error(e, "mount", m->target);
	return 0;
}

int root_bind_own(const struct plan *p, int root_fd, const char *path, uint64_t flags, struct err *e)
{
	cleanup_free char *host = mem_printf("%s%s", p->layers[0], path);
	int source = sys_open_tree(AT_FDCWD, host, SYS_OPEN_TREE_CLONE | AT_SYMLINK_NOFOLLOW), target;

	if (source < 0)
		return sandbox_error(e, "mount", host);
	/* Read-only before it is in place: what is mounted there must not be made there, in the store. */
	target = root_open(root_fd, path);
	if (target < 0 || set_flags(source, SYS_MOUNT_ATTR_RDONLY | flags, path, e) < 0 ||
	    sys_move_mount(source, "", target, "", SYS_MOVE_MOUNT_F_EMPTY_PATH | SYS_MOVE_MOUNT_T_EMPTY_PATH) < 0 ||
	    fchdir(source) < 0)
		return sandbox_error(e, "mount", path);
	return source;
}

static int make_view_directories(struct err *e)
{
	if (mkdir("project", 0700) < 0 || mkdir("project/upper", 0755) < 0 || mkdir("project/work", 0700) < 0)
		return err_sys(e, "can't make the scratch directories of the project's view");
	return 0;
}

/* The project as a lower layer: what is written goes to the scratch (discard.h looks there), nothing to the project. */
static int mount_view(int root_fd, int scratch_fd, const struct plan_mount *m, struct err *e)
{
	int lower = openat(AT_FDCWD, m->host, O_PATH | O_DIRECTORY | O_CLOEXEC), target;
	cleanup_buf struct buf options = BUF_INIT;
	struct stat st;
	char path[40];

	if (lower < 0 || fstat(lower, &st) < 0)
		return sandbox_error(e, "open", m->host);
	if (st.st_dev != m->dev || st.st_ino != m->ino)
		return err_set(e, ERR_SANDBOX, "%s was exchanged for something else while the sandbox was made", m->host);
	target = open_target(root_fd, m, e);
	if (target < 0)
		return -1;
	buf_addf(&options, "userxattr,lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d/project/upper,"
		 "workdir=/proc/self/fd/%d/project/work", lower, scratch_fd, scratch_fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", target);
	if (mount("devenv", path, "overlay", MS_NOSUID | MS_NODEV, options.data) < 0)
		return sandbox_error(e, "mount a copy-on-write view of", m->host);
	return 0;
}

/* Descriptors are left to the close_range at the end: each close here would be a system call on the way in. */
static int mount_planned(int root_fd, int scratch_fd, const struct plan_mount *m, struct err *e)
{
	int source, target;

	if (m->flags & (PLAN_MOUNT_DEVICE | PLAN_MOUNT_AGENT))
		return 0; /* devices.c */
	if (m->kind == PLAN_TMPFS) {
		target = root_open(root_fd, m->target);
		if (target < 0 || fchdir(target) < 0 ||
		    mount("devenv", ".", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
			return sandbox_error(e, "mount", m->target);
		return 0;
	}
	if (m->kind == PLAN_VIEW)
		return mount_view(root_fd, scratch_fd, m, e);
	source = open_source(m, e);
	if (source < 0)
		return e->sys == ENOENT && (m->flags & PLAN_MOUNT_OPTIONAL) ? 0 : -1;
	target = open_target(root_fd, m, e);
	return target < 0 ? -1 : attach(source, target, m, e);
}

static int mount_tmp(int root_fd, const struct scratch *s, struct err *e)
{
	static const struct plan_mount tmp = { .host = "the scratch directory's tmp", .target = "/tmp" };
	int target = open_target(root_fd, &tmp, e);

	return target < 0 ? -1 : attach(s->tmp_fd, target, &tmp, e);
}

/* pivot_root(".", "."): the old root ends up mounted over the new one and is let go (pivot_root(2), NOTES). */
static int pivot(int root_fd, struct err *e)
{
	if (fchdir(root_fd) < 0 || sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		return sandbox_error(e, "change to", "the new root");
	return 0;
}

static bool has_view(const struct plan *p)
{
	size_t i;

	for (i = 0; i < p->mount_count; i++)
		if (p->mounts[i].kind == PLAN_VIEW)
			return true;
	return false;
}

int root_enter(const struct plan *p, struct scratch *s, struct err *e)
{
	int root_fd, scratch_fd = -1;
	size_t i;

	if (has_view(p)) {
		scratch_fd = openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (make_view_directories(e) < 0)
			return -1;
	}
	if (mount_overlay(p, e) < 0)
		return -1;
	root_fd = openat(AT_FDCWD, "root", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (root_fd < 0)
		return sandbox_error(e, "open", "the new root");
	if (mount_tmp(root_fd, s, e) < 0)
		return -1;
	for (i = 0; i < p->mount_count; i++)
		if (mount_planned(root_fd, scratch_fd, &p->mounts[i], e) < 0)
			return -1;
	/* All that is bound so far in one go; /dev, which has device nodes, comes after it. */
	if (set_flags(root_fd, SYS_MOUNT_ATTR_NOSUID | SYS_MOUNT_ATTR_NODEV, "the root", e) < 0)
		return -1;
	if (standard_mount_dev(p, root_fd, e) < 0 || standard_mount_proc(p, root_fd, e) < 0 ||
	    standard_mount_sys(p, root_fd, e) < 0)
		return -1;
	return pivot(root_fd, e);
}
