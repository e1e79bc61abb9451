/* SPDX-License-Identifier: Apache-2.0 */
/* below.h - looking things up in the merged view of the layers below, as overlayfs would show them. */
#ifndef DEVENV_LAYER_BELOW_H
#define DEVENV_LAYER_BELOW_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

struct below {
	const int *fds; /* trees, topmost first */
	size_t count;
};

enum below_kind { BELOW_NONE, BELOW_DIR, BELOW_LINK, BELOW_FILE, BELOW_OTHER };
struct below_hit {
	enum below_kind kind;
	struct stat st;        /* unless NONE */
	char target[PATH_MAX]; /* of a LINK */
	size_t layer;          /* index of the tree it is in */
};

/* One directory of the merged view: its parts in the layers that have it, topmost first, down to an opaque one. */
struct below_dir {
	int *fds; /* O_PATH */
	size_t *layers;
	size_t count;
};
/* `dir` is relative and clean, "" is the root. No part at all: the directory isn't there. */
int below_dir_open(const struct below *b, const char *dir, struct below_dir *out, struct err *e);
int below_dir_find(const struct below_dir *d, const char *name, struct below_hit *hit, struct err *e);
void below_dir_close(struct below_dir *d);

/* What `dir`/`name` is. `dir` is relative and clean ("" is the root); no link is followed. */
int below_find(const struct below *b, const char *dir, const char *name, struct below_hit *hit,
               struct err *e);
/* The file that below_find found, for reading. */
int below_open(const struct below *b, const char *dir, const char *name, const struct below_hit *hit,
               struct err *e);
/* Names in the root directories of all of them, each perhaps more than once; whiteouts left out. */
int below_list_root(const struct below *b, struct strlist *names, struct err *e);

#endif
