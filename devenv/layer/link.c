/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c - hard links of the archive. The target is a path in the merged view: usually an earlier entry of this layer;
 * otherwise a file of a lower layer, which is copied (a link would make one inode belong to two layers).
 */
#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "layer/unpack.h"

enum { COPY_SIZE = 128 << 10 };

struct link {
	struct node *dir; /* where it goes */
	const char *name;
	struct place at;    /* where its target is */
	const char *target; /* the last component */
	const char *shown;  /* the target as the archive says it */
};

static int missing(const struct unpack *u, const struct link *l, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, "the layer's hard link %s points to '%s', which does not exist",
	               text_safe(u->shown), text_safe(l->shown));
}

/* ---- to a file of a lower layer ---- */

static int copy_content(int from, int to, const char *shown, struct err *e)
{
	cleanup_free char *buffer = NULL;
	ssize_t n;

	do
		n = copy_file_range(from, NULL, to, NULL, 1 << 30, 0);
	while (n > 0);
	if (n == 0)
		return 0;
	buffer = mem_resize(NULL, COPY_SIZE,
	                    1); /* another file system, or one that can't: by hand from where we are */
	for (;;) {
		n = read(from, buffer, COPY_SIZE);
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "can't read %s of a lower layer", text_safe(shown));
		if (file_write_all(to, buffer, (size_t)n, e) < 0)
			return err_wrap(e, "copy of %s of a lower layer", text_safe(shown));
	}
}

static int copy_file(struct unpack *u, const struct link *l, const char *dir, const struct below_hit *hit,
                     struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, hit->st.st_mtim };
	cleanup_close int from = below_open(&u->tree.below, dir, l->target, hit, e);
	cleanup_close int to = -1;
	int parent;

	if (from < 0 || entry_count_bytes(u, (uint64_t)hit->st.st_size, e) < 0 ||
	    entry_make_room(u, l->dir, l->name, e) < 0)
		return -1;
	parent = tree_fd(&u->tree, l->dir, e);
	if (parent < 0)
		return -1;
	to = openat(parent, l->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return err_sys(e, "can't make the file %s", text_safe(u->shown));
	if (copy_content(from, to, l->shown, e) < 0)
		return -1;
	if (fchmod(to, hit->st.st_mode & 07777) < 0 || futimens(to, times) < 0)
		return err_sys(e, "can't copy %s from a lower layer", text_safe(l->shown));
	return 0;
}

static int copy_symlink(struct unpack *u, const struct link *l, const struct below_hit *hit, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, hit->st.st_mtim };
	int parent;

	if (entry_make_room(u, l->dir, l->name, e) < 0)
		return -1;
	parent = tree_fd(&u->tree, l->dir, e);
	if (parent < 0)
		return -1;
	if (symlinkat(hit->target, parent, l->name) < 0 ||
	    utimensat(parent, l->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "can't copy %s from a lower layer", text_safe(l->shown));
	return 0;
}

static int copy_from_below(struct unpack *u, const struct link *l, struct err *e)
{
	cleanup_free struct below_hit *hit = mem_alloc(sizeof(*hit));
	cleanup_buf struct buf dir = BUF_INIT;

	tree_path(l->at.dir, &dir);
	if (l->at.rest.len > 0 && dir.len > 0)
		buf_addch(&dir, '/');
	buf_add(&dir, l->at.rest.data, l->at.rest.len);
	if (below_find(&u->tree.below, dir.data, l->target, hit, e) < 0)
		return -1;
	switch (hit->kind) {
	case BELOW_FILE:
		return copy_file(u, l, dir.data, hit, e);
	case BELOW_LINK:
		return copy_symlink(u, l, hit, e);
	case BELOW_NONE:
		return missing(u, l, e);
	default:
		return err_set(e, ERR_INTEGRITY,
		               "the layer's hard link %s points to '%s', which is not a file",
		               text_safe(u->shown), text_safe(l->shown));
	}
}

/* ---- to something of this layer ---- */

/* 1: done, 0: there is no such target in this tree, -1. */
static int link_here(struct unpack *u, const struct link *l, struct err *e)
{
	for (int tries = 0;; tries++) {
		int from = tree_fd(&u->tree, l->at.dir, e), to = from < 0 ? -1 : tree_fd(&u->tree, l->dir, e);

		if (to < 0)
			return -1;
		if (linkat(from, l->target, to, l->name, 0) == 0)
			return 1;
		if (errno == ENOENT)
			return 0;
		if (errno != EEXIST || tries)
			return err_sys(e, "can't make the hard link %s to %s", text_safe(u->shown),
			               text_safe(l->shown));
		if (l->dir == l->at.dir && strcmp(l->name, l->target) == 0)
			return 1; /* to itself */
		if (entry_make_room(u, l->dir, l->name, e) < 0)
			return -1;
	}
}

/* A link to something left out is left out. */
static int skip_link(struct unpack *u, const struct link *l, const struct node *target, struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT, to = BUF_INIT;
	struct owners_record r = { .kind = 'h' };
	struct node *n;

	if (l->dir == l->at.dir && strcmp(l->name, l->target) == 0)
		return 0;
	tree_path_of(target->parent, target->name, &to);
	if (entry_make_room(u, l->dir, l->name, e) < 0)
		return -1;
	n = tree_mark(&u->tree, l->dir, l->name, e);
	if (!n)
		return -1;
	n->flags |= NODE_SKIPPED;
	tree_path_of(l->dir, l->name, &path);
	r.path = path.data;
	r.target = to.data;
	owners_write(&u->owners, &r);
	u->out->skipped++;
	return 0;
}

static int link_to(struct unpack *u, const struct link *l, struct archive_entry *entry, struct err *e)
{
	const struct node *n, *own;
	int done = 0;

	if (l->at.rest.len == 0) {
		n = tree_find(&u->tree, l->at.dir, l->target);
		if (n && (n->flags & NODE_SKIPPED))
			return skip_link(u, l, n, e);
		if (n && (n->flags & NODE_DIR))
			return err_set(e, ERR_INTEGRITY,
			               "the layer's hard link %s points to the directory '%s'",
			               text_safe(u->shown), text_safe(l->shown));
		own = tree_find(&u->tree, l->dir, l->name);
		if (own && (own->flags & NODE_SKIPPED) && entry_make_room(u, l->dir, l->name, e) < 0)
			return -1;
		done = link_here(u, l, e);
		if (done == 0 && ((n && (n->flags & NODE_WHITEOUT)) || tree_hides_below(l->at.dir)))
			return missing(u, l, e);
	}
	if (done < 0 || (done == 0 && copy_from_below(u, l, e) < 0))
		return -1;
	if (archive_entry_uid(entry) || archive_entry_gid(entry))
		entry_record(u, l->dir, l->name, entry, 'e');
	return 0;
}

int link_apply(struct unpack *u, struct node *dir, const char *name, const char *target,
               struct archive_entry *entry, struct err *e)
{
	struct link l = { .dir = dir, .name = name, .shown = target };
	int result;

	if (name_parse_target(&u->target, target, e) < 0)
		return -1;
	if (u->target.kind == NAME_ROOT)
		return err_set(e, ERR_INTEGRITY, "the layer's hard link %s points to /", text_safe(u->shown));
	l.target = u->target.base;
	if (tree_locate(&u->tree, u->target.dir, &l.at, e) < 0)
		return err_wrap(e, "hard link %s to '%s'", text_safe(u->shown), text_safe(target));
	result = link_to(u, &l, entry, e);
	buf_release(&l.at.rest);
	return result;
}
