/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_path.c - finding a directory by the path an archive gives.
 *
 * The answer must be what opening the path in the merged view would give, confined to the root: `..` stops there,
 * absolute links begin there. So a path is walked component by component from a place that is real: either a node of
 * this tree, or (only while nothing may be made) a directory that only lower layers have, `rest` below a node. A link
 * puts its target in front of what remains to be walked.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "layer/tree.h"

enum { LINKS_MAX = 40, PENDING_MAX = 64 << 10 };

struct walk {
	struct tree *tree;
	const char *path; /* what was asked for, for messages */
	bool make, hollow;
	struct place at;
	struct buf pending; /* components still to go */
	int links;
};

static int refuse(const struct walk *w, const char *why, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, "the layer has something in '%s', but %s", text_safe(w->path), why);
}

static int follow(struct walk *w, const char *target, struct err *e)
{
	cleanup_buf struct buf next = BUF_INIT;

	if (++w->links > LINKS_MAX || strlen(target) + w->pending.len > PENDING_MAX)
		return refuse(w, "there are too many levels of symbolic links", e);
	if (target[0] == '/') {
		w->at.dir = w->tree->root;
		buf_clear(&w->at.rest);
	}
	buf_adds(&next, target);
	buf_addch(&next, '/');
	buf_add(&next, w->pending.data, w->pending.len);
	buf_clear(&w->pending);
	buf_add(&w->pending, next.data, next.len);
	return 0;
}

static void go_up(struct walk *w)
{
	char *slash;

	if (w->at.rest.len == 0) {
		if (w->at.dir->parent)
			w->at.dir = w->at.dir->parent;
		return;
	}
	slash = strrchr(w->at.rest.data, '/');
	w->at.rest.len = slash ? (size_t)(slash - w->at.rest.data) : 0;
	w->at.rest.data[w->at.rest.len] = '\0';
}

/* Make the directory that lower layers have (`hit`), or that nobody has (NULL). */
static int make_implied(struct walk *w, const char *name, const struct below_hit *hit, struct err *e)
{
	struct node *n = tree_mkdir(w->tree, w->at.dir, name, hit ? hit->st.st_mode & 07777 : 0755, e);

	if (!n)
		return -1;
	if (hit) {
		n->mtime = hit->st.st_mtim.tv_sec;
		n->nsec = (uint32_t)hit->st.st_mtim.tv_nsec;
		n->flags |= NODE_TIMED;
	}
	if (w->hollow) {
		n->flags |= NODE_HOLLOW;
		w->tree->any_hollow = true;
	}
	if (w->tree->implied)
		w->tree->implied(w->tree->data, n);
	w->at.dir = n;
	return 0;
}

static void enter_below(struct walk *w, const char *name)
{
	if (w->at.rest.len > 0)
		buf_addch(&w->at.rest, '/');
	buf_adds(&w->at.rest, name);
}

/* The name isn't in this tree: what do lower layers say? */
static int step_below(struct walk *w, const char *name, bool hidden, struct err *e)
{
	cleanup_buf struct buf dir = BUF_INIT;
	cleanup_free struct below_hit *hit = mem_alloc(sizeof(*hit));

	if (!hidden) {
		tree_path(w->at.dir, &dir);
		if (w->at.rest.len > 0) {
			if (dir.len > 0)
				buf_addch(&dir, '/');
			buf_add(&dir, w->at.rest.data, w->at.rest.len);
		}
		if (below_find(&w->tree->below, dir.data, name, hit, e) < 0)
			return -1;
	}
	if (hit->kind == BELOW_LINK)
		return follow(w, hit->target, e);
	if (w->make)
		return make_implied(w, name, hit->kind == BELOW_DIR ? hit : NULL, e);
	if (hit->kind != BELOW_DIR)
		return refuse(w, "there is no such directory", e);
	enter_below(w, name);
	return 0;
}

static int step(struct walk *w, const char *name, struct err *e)
{
	cleanup_free char *target = NULL;
	const struct node *n;
	ssize_t len;
	int fd;

	if (w->at.rest.len > 0)
		return step_below(w, name, false, e);
	n = tree_find(w->tree, w->at.dir, name);
	if (n && (n->flags & NODE_DIR)) {
		w->at.dir = (struct node *)n;
		return 0;
	}
	fd = tree_fd(w->tree, w->at.dir, e);
	if (fd < 0)
		return -1;
	target = mem_alloc(PATH_MAX);
	len = readlinkat(fd, name, target, PATH_MAX - 1);
	if (len >= 0)
		return follow(w, target, e);
	if (errno == EINVAL && w->hollow)
		return err_set(e, ERR_NOT_FOUND, "a file is in the way");
	if (errno == EINVAL)
		return refuse(w, "a file is in the way", e);
	if (errno != ENOENT)
		return err_sys(e, "can't look up %s for %s", text_safe(name), text_safe(w->path));
	return step_below(w, name,
	                  (n && (n->flags & (NODE_WHITEOUT | NODE_SKIPPED))) || tree_hides_below(w->at.dir),
	                  e);
}

static int walk_path(struct walk *w, struct err *e)
{
	char name[NAME_MAX + 1];

	while (w->pending.len > 0) {
		size_t len = strcspn(w->pending.data, "/"), skip = len + strspn(w->pending.data + len, "/");

		if (len > NAME_MAX)
			return refuse(w, "a name in it is too long", e);
		memcpy(name, w->pending.data, len);
		name[len] = '\0';
		memmove(w->pending.data, w->pending.data + skip, w->pending.len - skip + 1);
		w->pending.len -= skip;
		if (!*name || strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0)
			go_up(w);
		else if (step(w, name, e) < 0)
			return -1;
	}
	return 0;
}

/* Almost every path is one of directories we have made already. */
static struct node *known(const struct tree *t, const char *path)
{
	struct node *at = t->root;
	char name[NAME_MAX + 1];

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len > NAME_MAX)
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		at = tree_find(t, at, name);
		if (!at || !(at->flags & NODE_DIR))
			return NULL;
		path += len + (path[len] == '/');
	}
	return at;
}

struct node *tree_parent(struct tree *t, const char *path, bool hollow, struct err *e)
{
	struct walk w = { .tree = t,
		          .path = path,
		          .make = true,
		          .hollow = hollow,
		          .at = { t->root, BUF_INIT },
		          .pending = BUF_INIT };
	struct node *n = known(t, path);
	int result;

	if (!n) {
		buf_adds(&w.pending, path);
		result = walk_path(&w, e);
		buf_release(&w.pending);
		buf_release(&w.at.rest);
		if (result < 0)
			return NULL;
		n = w.at.dir;
	}
	if (!hollow && t->any_hollow)
		for (struct node *up = n; up; up = up->parent)
			up->flags &= (uint8_t)~NODE_HOLLOW;
	return n;
}

int tree_locate(struct tree *t, const char *path, struct place *out, struct err *e)
{
	struct walk w = {
		.tree = t, .path = path, .make = false, .at = { t->root, BUF_INIT }, .pending = BUF_INIT
	};
	int result;

	buf_adds(&w.pending, path);
	result = walk_path(&w, e);
	buf_release(&w.pending);
	if (result < 0)
		buf_release(&w.at.rest);
	else
		*out = w.at;
	return result;
}
