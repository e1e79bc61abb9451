/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root.h - looking into a stack of layers as overlayfs would show it, without mounting it.
 *
 * Paths are inside paths. Links are resolved in the root, one component at a time; nothing of an image ever leads out
 * of its layers. Whiteouts and opaque directories count as layer/layer.h writes them.
 */
#ifndef DEVENV_ENV_ROOT_H
#define DEVENV_ENV_ROOT_H

#include <stddef.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

struct root {
	int *fds; /* O_PATH descriptors of the layers' trees, topmost first; owned */
	size_t count;
};

enum root_kind { ROOT_MISSING, ROOT_DIRECTORY, ROOT_FILE, ROOT_LINK, ROOT_OTHER };
enum root_follow { ROOT_FOLLOW, ROOT_NOFOLLOW }; /* of the last component */

struct root_entry {
	enum root_kind kind;
	char *path;	/* absolute; no component of it is a link. Missing parts are kept as asked for. Owned */
	struct stat st; /* of the topmost; not for ROOT_MISSING */
	size_t layer;	/* index of the topmost layer that has it */
};

void root_add_layer(struct root *r, int fd /* takes */); /* below those already there */
void root_release(struct root *r);

/* Resolve `path` (absolute). ERR_INTEGRITY: too many links. A file in the middle of the path is ROOT_MISSING. */
int root_resolve(const struct root *r, const char *path, enum root_follow follow, struct root_entry *out, struct err *e);
void root_entry_release(struct root_entry *entry);

/* Append a regular file, following links. 1: read; 0: there is none; -1: too large or unreadable. */
int root_read(const struct root *r, const char *path, size_t max, struct buf *out, struct err *e);
/* Open a regular file for reading, following links. -1 with ERR_NOT_FOUND when there is none. */
int root_open(const struct root *r, const char *path, struct err *e);
/* Append the sorted names in a directory, following links; nothing when it is none. */
int root_list(const struct root *r, const char *path, struct strlist *names, struct err *e);

#endif
