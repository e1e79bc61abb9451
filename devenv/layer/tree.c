/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - the nodes of the tree and the descriptors of its directories. See tree.h; paths are in tree_path.c. */
#include "layer/tree.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"

enum { SLOTS = 64, CHUNK = 64 << 10, DEEPEST = PATH_MAX / 2 };
#define NODES_MAX (128u << 20) /* bytes of nodes: a million directories fit */

struct chunk {
	struct chunk *next;
	char data[];
};

struct tree_private {
	struct chunk *chunks;
	size_t chunk_used, total;
	struct node **buckets;
	size_t bucket_count, node_count;
	uint64_t seed; /* an archive shall not be able to choose colliding names */
	struct {
		int fd;
		struct node *owner; /* NULL: free */
		uint64_t used;
	} slots[SLOTS];
	uint64_t clock;
	char path[PATH_MAX];
};

/* ---- nodes ---- */

static void *node_space(struct tree_private *p, size_t size)
{
	void *space;

	size = (size + 7) & ~(size_t)7;
	if (!p->chunks || p->chunk_used + size > CHUNK) {
		struct chunk *c;

		if (p->total + CHUNK > NODES_MAX)
			return NULL;
		c = mem_alloc(sizeof(*c) + CHUNK);
		c->next = p->chunks;
		p->chunks = c;
		p->chunk_used = 0;
		p->total += CHUNK;
	}
	space = p->chunks->data + p->chunk_used;
	p->chunk_used += size;
	return space;
}

static size_t bucket_of(const struct tree_private *p, const struct node *dir, const char *name, size_t len)
{
	uint64_t hash = text_hash_add(p->seed ^ (uint64_t)(uintptr_t)dir, name, len);

	hash ^= hash >> 29;
	return (size_t)hash & (p->bucket_count - 1);
}

static void grow(struct tree_private *p)
{
	struct node **old = p->buckets;
	size_t count = p->bucket_count;

	p->bucket_count *= 2;
	p->buckets = mem_array(p->bucket_count, sizeof(*p->buckets));
	for (size_t i = 0; i < count; i++) {
		for (struct node *n = old[i], *next; n; n = next) {
			size_t b = bucket_of(p, n->parent, n->name, n->len);

			next = n->chain;
			n->chain = p->buckets[b];
			p->buckets[b] = n;
		}
	}
	free(old);
}

struct node *tree_find(const struct tree *t, const struct node *dir, const char *name)
{
	const struct tree_private *p = t->private;
	size_t len = strlen(name);

	for (struct node *n = p->buckets[bucket_of(p, dir, name, len)]; n; n = n->chain)
		if (n->parent == dir && n->len == len && memcmp(n->name, name, len) == 0)
			return n;
	return NULL;
}

struct node *tree_mark(struct tree *t, struct node *dir, const char *name, struct err *e)
{
	struct tree_private *p = t->private;
	struct node *n = tree_find(t, dir, name);
	size_t len = strlen(name), b;

	if (n)
		return n;
	n = dir->depth < DEEPEST ? node_space(p, sizeof(*n) + len + 1) : NULL;
	if (!n) {
		err_set(e, ERR_INTEGRITY, "the layer's directories are too %s",
		        dir->depth < DEEPEST ? "many" : "deep");
		return NULL;
	}
	if (p->node_count++ >= p->bucket_count)
		grow(p);
	*n = (struct node){
		.parent = dir, .depth = (uint16_t)(dir->depth + 1), .slot = -1, .len = (uint8_t)len
	};
	memcpy(n->name, name, len + 1);
	n->next = dir->child;
	dir->child = n;
	b = bucket_of(p, dir, name, len);
	n->chain = p->buckets[b];
	p->buckets[b] = n;
	return n;
}

/* ---- descriptors ---- */

static int failure(const char *what, const struct node *dir, const char *name, struct err *e)
{
	cleanup_buf struct buf path = BUF_INIT;
	int saved = errno;

	tree_path_of(dir, name, &path);
	errno = saved;
	return err_sys(e, "can't %s %s", what, text_safe(path.data));
}

static int slot_for(struct tree_private *p, struct node *dir, int fd)
{
	int oldest = 1; /* slot 0 is the root's for ever */

	for (int i = 1; i < SLOTS; i++) {
		if (!p->slots[i].owner) {
			oldest = i;
			break;
		}
		if (p->slots[i].used < p->slots[oldest].used)
			oldest = i;
	}
	if (p->slots[oldest].owner) {
		p->slots[oldest].owner->slot = -1;
		close(p->slots[oldest].fd);
	}
	p->slots[oldest].owner = dir;
	p->slots[oldest].fd = fd;
	return oldest;
}

static void slot_close(struct tree_private *p, struct node *dir)
{
	if (dir->slot <= 0)
		return;
	close(p->slots[dir->slot].fd);
	p->slots[dir->slot].owner = NULL;
	dir->slot = -1;
}

/* Write the path of `dir` as seen from its nearest ancestor that has a descriptor into p->path. Returns that ancestor,
 * or NULL when the path is too long. */
static struct node *path_from_open(struct tree_private *p, struct node *dir)
{
	size_t at = sizeof(p->path) - 1;
	struct node *n;

	p->path[at] = '\0';
	for (n = dir; n->slot < 0; n = n->parent) {
		if (at < (size_t)n->len + 1)
			return NULL;
		at -= n->len;
		memcpy(p->path + at, n->name, n->len);
		p->path[--at] = '/';
	}
	memmove(p->path, p->path + at + 1, sizeof(p->path) - at - 1);
	return n;
}

int tree_fd(struct tree *t, struct node *dir, struct err *e)
{
	struct tree_private *p = t->private;
	struct node *from;
	int fd;

	if (dir->slot < 0) {
		from = path_from_open(p, dir);
		if (!from) {
			if (tree_fd(t, dir->parent, e) < 0)
				return -1;
			from = path_from_open(p, dir);
		}
		fd = sys_openat2(p->slots[from->slot].fd, p->path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0,
		                 SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
		if (fd < 0)
			return failure("open the directory", dir->parent, dir->name, e);
		dir->slot = (int16_t)slot_for(p, dir, fd);
	}
	p->slots[dir->slot].used = ++p->clock;
	return p->slots[dir->slot].fd;
}

/* ---- changes ---- */

struct node *tree_mkdir(struct tree *t, struct node *dir, const char *name, mode_t mode, struct err *e)
{
	mode_t now = (mode & 0777) | 0700;
	int fd = tree_fd(t, dir, e);
	struct node *n;

	if (fd < 0)
		return NULL;
	if (mkdirat(fd, name, now) < 0 || ((t->umask & 0700) && fchmodat(fd, name, now, 0) < 0)) {
		failure("make the directory", dir, name, e);
		return NULL;
	}
	n = tree_mark(t, dir, name, e);
	if (!n)
		return NULL;
	n->flags = (uint8_t)((n->flags & NODE_WHITEOUT) | NODE_DIR |
	                     (mode != (now & ~t->umask) ? NODE_CHMOD : 0));
	n->mode = (uint16_t)mode;
	return n;
}

/* Forget everything below a directory that was removed, and that it is one; its own whiteout mark stays. */
static void forget(struct tree *t, struct node *dir)
{
	struct tree_private *p = t->private;

	for (struct node *n = dir->child, *up; n; n = up) {
		struct node **link;

		while (n->child)
			n = n->child;
		up = n->next ? n->next : n->parent == dir ? NULL : n->parent;
		if (!n->next)
			n->parent->child = NULL; /* all of them are gone: the parent is a leaf now */
		slot_close(p, n);
		for (link = &p->buckets[bucket_of(p, n->parent, n->name, n->len)]; *link != n;
		     link = &(*link)->chain)
			;
		*link = n->chain;
		p->node_count--;
	}
	dir->child = NULL;
	slot_close(p, dir);
	dir->flags &= NODE_WHITEOUT;
}

int tree_clear(struct tree *t, struct node *dir, const char *name, struct err *e)
{
	struct node *n = tree_find(t, dir, name);
	int fd = tree_fd(t, dir, e), had = n && (n->flags & NODE_SKIPPED);

	if (fd < 0)
		return -1;
	if (n)
		n->flags &= (uint8_t)~NODE_SKIPPED;
	if (n && (n->flags & NODE_DIR)) {
		if (file_remove_tree(fd, name, e) < 0)
			return -1;
		forget(t, n);
		return 1;
	}
	if (unlinkat(fd, name, 0) == 0)
		return 1;
	return errno == ENOENT ? had : failure("replace", dir, name, e);
}

bool tree_hides_below(const struct node *dir)
{
	for (; dir; dir = dir->parent)
		if (dir->flags & (NODE_OPAQUE | NODE_WHITEOUT))
			return true;
	return false;
}

void tree_path(const struct node *dir, struct buf *out)
{
	if (!dir->parent)
		return;
	tree_path(dir->parent, out);
	if (dir->parent->parent)
		buf_addch(out, '/');
	buf_add(out, dir->name, dir->len);
}

void tree_path_of(const struct node *dir, const char *name, struct buf *out)
{
	tree_path(dir, out);
	if (dir->parent)
		buf_addch(out, '/');
	buf_adds(out, name);
}

/* ---- life ---- */

/* The umask can't be read without setting it, which other threads would notice; /proc tells. */
static mode_t read_umask(void)
{
	cleanup_buf struct buf status = BUF_INIT;
	struct err ignored;
	const char *line;

	if (file_read(AT_FDCWD, "/proc/self/status", 64 << 10, 0, &status, NULL, &ignored) < 0)
		return 0777; /* believe the worst: every mode is set explicitly */
	line = strstr(status.data, "\nUmask:");
	return line ? (mode_t)strtoul(line + strlen("\nUmask:"), NULL, 8) & 0777 : 0777;
}

int tree_init(struct tree *t, int tree_fd_, const struct below *below, struct err *e)
{
	struct tree_private *p = mem_alloc(sizeof(*p));
	int fd = openat(tree_fd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*t = (struct tree){ .below = *below, .private = p, .umask = read_umask() };
	for (int i = 0; i < SLOTS; i++)
		p->slots[i].fd = -1;
	p->bucket_count = 1024;
	p->buckets = mem_array(p->bucket_count, sizeof(*p->buckets));
	if (getrandom(&p->seed, sizeof(p->seed), GRND_NONBLOCK) < 0)
		p->seed = (uint64_t)(uintptr_t)p;
	t->root = node_space(p, sizeof(*t->root) + 1);
	*t->root = (struct node){ .flags = NODE_DIR | NODE_CHMOD, .mode = 0755, .slot = -1 };
	if (fd < 0)
		return err_sys(e, "can't open the layer's tree");
	/* A setgid bit or a default ACL would be inherited by all we make. */
	fremovexattr(fd, "system.posix_acl_default");
	if (fchmod(fd, 0700) < 0) {
		close(fd);
		return err_sys(e, "can't change the mode of the layer's tree");
	}
	p->slots[0].fd = fd;
	p->slots[0].owner = t->root;
	t->root->slot = 0;
	return 0;
}

void tree_release(struct tree *t)
{
	struct tree_private *p = t->private;

	if (!p)
		return;
	for (int i = 0; i < SLOTS; i++)
		if (p->slots[i].owner)
			close(p->slots[i].fd);
	for (struct chunk *c = p->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(p->buckets);
	free(p);
	t->private = NULL;
}
