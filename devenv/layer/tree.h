/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h - the directory tree a layer is unpacked into, as the unpacker knows it.
 *
 * Only this process writes below the tree, and it was empty: so a directory we made is a directory, and the tree of
 * `struct node` says where without asking the kernel. Anything else on a path (a link, a file, nothing) is asked for.
 * Directory descriptors are kept in a small cache; every write goes through one of them with a single-component name.
 */
#ifndef DEVENV_LAYER_TREE_H
#define DEVENV_LAYER_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "layer/below.h"

/* A name in a directory that something is known about: a directory of this layer, or a mark. */
struct node {
	struct node *parent, *child, *next; /* next: sibling */
	struct node *chain;                 /* of the hash table */
	int64_t mtime;
	uint32_t nsec;
	uint16_t mode;  /* full mode of a directory */
	uint16_t depth; /* 0: the root */
	int16_t slot;   /* of the descriptor cache, -1 */
	uint8_t flags;
	uint8_t len;
	char name[];
};
enum {
	NODE_DIR = 1,      /* it is a directory in this tree */
	NODE_WHITEOUT = 2, /* this layer hides what lower layers have under that name */
	NODE_OPAQUE = 4,   /* a directory whose content in lower layers is hidden */
	NODE_TIMED = 8,    /* mtime is known: set it at the end */
	NODE_CHMOD = 16,   /* mode differs from what it was made with: set it at the end */
	NODE_SKIPPED = 32, /* a device node, fifo or socket that was left out */
	NODE_LISTED = 64,  /* a directory the archive has an entry for */
	NODE_HOLLOW = 128, /* a directory made only to hold whiteouts: nothing the archive adds is below it */
};

struct tree {
	struct below below;
	struct node *root;
	mode_t umask;
	bool any_hollow;
	/* Called for a parent directory that the archive doesn't name. */
	void (*implied)(void *data, const struct node *n);
	void *data;
	struct tree_private *private;
};

int tree_init(struct tree *t, int tree_fd, const struct below *below, struct err *e);
void tree_release(struct tree *t);

/* A descriptor (O_PATH) of a directory; stays open for at least the next 30 calls. */
int tree_fd(struct tree *t, struct node *dir, struct err *e);
/* The node for `name` in `dir`; NULL: nothing is known. */
struct node *tree_find(const struct tree *t, const struct node *dir, const char *name);
/* The same, made when missing. NULL: the archive has more directories than fit (ERR_INTEGRITY). */
struct node *tree_mark(struct tree *t, struct node *dir, const char *name, struct err *e);
/* Make the directory, which must not exist (-1 with errno EEXIST in e->sys otherwise), writable for us until the end. */
struct node *tree_mkdir(struct tree *t, struct node *dir, const char *name, mode_t mode, struct err *e);
/* Remove whatever this layer put there earlier, with all that is below. Returns whether there was something, or -1. */
int tree_clear(struct tree *t, struct node *dir, const char *name, struct err *e);
/* Does this layer hide what lower layers have in this directory? */
bool tree_hides_below(const struct node *dir);
/* Append "a/b/c" of a directory ("" for the root), then of a name in it. */
void tree_path(const struct node *dir, struct buf *out);
void tree_path_of(const struct node *dir, const char *name, struct buf *out);

/*
 * A directory by its path in the merged view of this layer over those below, with links resolved inside the root.
 * Missing directories are made, as they are below, else 0755; `hollow` when it is for a whiteout, otherwise the directory
 * and those above it hold something from now on. ERR_INTEGRITY: a file or a loop of links is in the way.
 */
struct node *tree_parent(struct tree *t, const char *path, bool hollow, struct err *e);

/* The same without making anything: a directory may exist in lower layers only. */
struct place {
	struct node *dir; /* the nearest directory that is in this tree */
	struct buf rest;  /* "" or the path from there, in lower layers */
};
int tree_locate(struct tree *t, const char *path, struct place *out, struct err *e);

#endif
