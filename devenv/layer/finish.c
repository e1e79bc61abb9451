/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finish.c - what must wait until the last entry: hiding what is below, and the modes and times of directories.
 *
 * One walk over the nodes, children before parents: a parent's mode may forbid what its children need, and making a
 * whiteout changes its time.
 *
 * Hiding: a whiteout is made where lower layers have something under the name and this layer put nothing; where it made a
 * directory of the name, that directory is opaque instead. Neither is needed inside an opaque directory. overlayfs doesn't look
 * at the opaque mark of a layer's root, so there every name of the lower roots is whited out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "layer/unpack.h"

struct finish {
	struct unpack *u;
	const struct node *looked_up; /* whose directory in lower layers is in `lower` */
	struct below_dir lower;
	struct below_hit hit;
};

static bool is_opaque(const struct node *n)
{
	return (n->flags & NODE_DIR) && (n->flags & (NODE_OPAQUE | NODE_WHITEOUT));
}

/* Is there nothing that could show through in the directory `n` is in? */
static bool is_moot(const struct unpack *u, const struct node *n)
{
	if (u->tree.below.count == 0)
		return true;
	for (const struct node *up = n->parent; up; up = up->parent)
		if (is_opaque(up))
			return true;
	return false;
}

static int failure(const char *what, const struct node *n, struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT;
	int saved = errno;

	tree_path(n, &path);
	errno = saved;
	return err_sys(e, "can't %s %s", what, path.len ? text_safe(path.data) : "the layer's root");
}

/* Set an attribute of `name` in dirfd, or of the directory itself ("."); about which node it is, for messages. */
static int set_overlay_xattr(int dirfd, const char *name, const char *attribute, const char *value,
                             const struct node *n, struct err *e)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && fsetxattr(fd, attribute, value, strlen(value), 0) == 0)
		return 0;
	if (fd >= 0 && errno == EOPNOTSUPP) {
		failure("hide what lower layers have in", n, e);
		e->code = ERR_STORE;
		return err_hint(
			e,
			"the store's file system needs user extended attributes: keep it on ext4, xfs or btrfs "
			"(tmpfs from Linux 6.6) by DEVENV_STORE");
	}
	return failure("hide what lower layers have in", n, e);
}

static bool kernel_has_xattr_whiteouts(void)
{
	struct utsname name;
	unsigned int major = 0, minor = 0;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 7));
}

/* Where device 0:0 is denied (old kernels, some sandboxes): the other form. */
static int white_out_by_xattr(int fd, const struct node *n, struct err *e)
{
	int file;

	if (!kernel_has_xattr_whiteouts()) {
		err_set(e, ERR_SANDBOX, "can't make the whiteout of %s: device 0:0 is denied here",
		        text_safe(n->name));
		return err_hint(e,
		                "Linux 5.8 or newer lets every user make it; some container sandboxes don't");
	}
	file = openat(fd, n->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return errno == EEXIST ? 0 : failure("make the whiteout of", n, e);
	close(file);
	if (set_overlay_xattr(fd, n->name, "user.overlay.whiteout", "y", n, e) < 0)
		return -1;
	return set_overlay_xattr(fd, ".", "user.overlay.opaque", "x", n->parent, e);
}

/* In a directory that only this layer has, overlayfs would list a whiteout. Siblings come one after the other, so the
 * look-up of their directory is kept. */
static int is_below(struct finish *f, const struct node *n, bool *there, struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT;

	if (f->looked_up != n->parent) {
		below_dir_close(&f->lower);
		f->looked_up = NULL;
		tree_path(n->parent, &path);
		if (below_dir_open(&f->u->tree.below, path.data, &f->lower, e) < 0)
			return -1;
		f->looked_up = n->parent;
	}
	if (below_dir_find(&f->lower, n->name, &f->hit, e) < 0)
		return -1;
	*there = f->hit.kind != BELOW_NONE;
	return 0;
}

static int white_out(struct finish *f, const struct node *n, struct err *e)
{
	int fd = tree_fd(&f->u->tree, n->parent, e);
	bool there;

	if (fd < 0 || is_below(f, n, &there, e) < 0)
		return -1;
	if (!there || mknodat(fd, n->name, S_IFCHR, 0) == 0 ||
	    errno == EEXIST) /* what this layer added stays */
		return 0;
	if (errno == EPERM || errno == EACCES || errno == ENOSYS)
		return white_out_by_xattr(fd, n, e);
	return failure("make the whiteout of", n, e);
}

/* Does this layer hide the lower layers' directory of that name? */
static bool is_gone_below(const struct unpack *u, const struct node *n)
{
	return n->parent && u->tree.below.count > 0 && ((n->flags & NODE_WHITEOUT) || is_moot(u, n));
}

/* A parent was made like the one below before the archive said that that one is gone. */
static void forget_below(struct unpack *u, struct node *n)
{
	cleanup_buf struct buf path = BUF_INIT;
	struct owners_record r = { .kind = 'e', .mode = 0755 };

	if ((n->flags & NODE_LISTED) || !is_gone_below(u, n))
		return;
	n->mode = 0755;
	n->flags = (uint8_t)((n->flags & ~NODE_TIMED) | NODE_CHMOD);
	tree_path(n, &path);
	r.path = path.data;
	owners_write(&u->owners, &r);
}

static int finish_directory(struct unpack *u, struct node *n, struct err *e)
{
	const struct timespec times[2] = {
		{ .tv_nsec = UTIME_OMIT },
		{ .tv_sec = n->mtime, .tv_nsec = n->flags & NODE_TIMED ? (long)n->nsec : UTIME_OMIT },
	};
	const char *name = n->parent ? n->name : ".";
	int fd = tree_fd(&u->tree, n->parent ? n->parent : n, e);

	if (fd < 0)
		return -1;
	if (is_opaque(n) && !is_moot(u, n) &&
	    set_overlay_xattr(fd, name, "user.overlay.opaque", "y", n, e) < 0)
		return -1;
	if ((n->flags & NODE_TIMED) && utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return failure("set the time of", n, e);
	if ((n->flags & NODE_CHMOD) && fchmodat(fd, name, n->mode, 0) < 0)
		return failure("set the mode of", n, e);
	return 0;
}

/* A layer that says "gone" of a directory and of things in it adds no directory. */
static int remove_hollow(struct finish *f, struct node *n, struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT;
	int fd = tree_fd(&f->u->tree, n->parent, e);

	if (fd < 0 || file_remove_tree(fd, n->name, e) < 0)
		return -1;
	tree_path(n, &path);
	owners_write_forget(&f->u->owners, path.data);
	n->flags &= (uint8_t)~NODE_DIR;
	return 0;
}

static int finish_node(struct finish *f, struct node *n, struct err *e)
{
	if ((n->flags & NODE_HOLLOW) && is_gone_below(f->u, n) && remove_hollow(f, n, e) < 0)
		return -1;
	if (n->flags & NODE_DIR) {
		forget_below(f->u, n);
		return finish_directory(f->u, n, e);
	}
	if ((n->flags & NODE_WHITEOUT) && !is_moot(f->u, n))
		return white_out(f, n, e);
	return 0;
}

/* An opaque root becomes whiteouts of all there is; a root the archive says nothing about looks like the one below. */
static int prepare_root(struct unpack *u, struct err *e)
{
	cleanup_strlist struct strlist names = STRLIST_INIT;
	struct node *root = u->tree.root, *n;
	struct stat st;

	if (!(root->flags & NODE_LISTED) && u->tree.below.count > 0) {
		if (fstatat(u->tree.below.fds[0], ".", &st, 0) < 0)
			return err_sys(e, "can't look at the layer below");
		root->mode = st.st_mode & 07777;
		root->mtime = st.st_mtim.tv_sec;
		root->nsec = (uint32_t)st.st_mtim.tv_nsec;
		root->flags |= NODE_TIMED;
		if (u->tree.implied)
			u->tree.implied(u->tree.data, root);
	}
	if (!(root->flags & NODE_OPAQUE))
		return 0;
	root->flags &= (uint8_t)~NODE_OPAQUE;
	if (below_list_root(&u->tree.below, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		n = tree_mark(&u->tree, root, names.items[i], e);
		if (!n)
			return -1;
		n->flags |= NODE_WHITEOUT;
	}
	return 0;
}

/* Children before parents. */
static int walk(struct finish *f, struct err *e)
{
	struct node *n = f->u->tree.root;

	while (n->child)
		n = n->child;
	for (;;) {
		if (finish_node(f, n, e) < 0)
			return -1;
		if (!n->parent)
			return 0;
		if (!n->next) {
			n = n->parent;
			continue;
		}
		n = n->next;
		while (n->child)
			n = n->child;
	}
}

int finish_tree(struct unpack *u, struct err *e)
{
	struct finish *f = mem_alloc(sizeof(*f));
	int result;

	f->u = u;
	result = prepare_root(u, e) < 0 ? -1 : walk(f, e);
	below_dir_close(&f->lower);
	free(f);
	return result;
}
