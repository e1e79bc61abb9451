/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debian_tree.h - the files of many packages become one tree, as dpkg would have laid them over each other.
 *
 * It is worked out in memory first, package by package, then made: directories, then hard links into the packages' layers
 * by several threads, and directories' modes and times at the very end.
 */
#ifndef DEVENV_SOURCE_DEBIAN_TREE_H
#define DEVENV_SOURCE_DEBIAN_TREE_H

#include <time.h>

#include "base/err.h"
#include "source/debian_unpacked.h"

struct debian_tree;

struct debian_tree *debian_tree_new(void);
void debian_tree_free(struct debian_tree *t);

/* A link in the root that has to be there before all packages, and the directory it leads to: "lib64", "usr/lib64". */
void debian_tree_add_link(struct debian_tree *t, const char *name, const char *target);
/*
 * Lay a package over those before. Where two have a file of one name, the one that Replaces the other has it, whatever the
 * order, and the other's u->lost is told; a package of files_only gives way to others. ERR_CONFIG: neither does. `u` is kept in use until the tree is freed.
 */
int debian_tree_add(struct debian_tree *t, struct unpacked *u, struct err *e);

/* Make directories and links below fs_fd, an empty directory; all directories are mode 0700 until debian_tree_finish. */
int debian_tree_make(const struct debian_tree *t, int fs_fd, struct err *e);
/* Modes and times of the directories; of those that no package has, 0755 and `time`. */
int debian_tree_finish(const struct debian_tree *t, int fs_fd, int64_t time, struct err *e);
/* The owners record of the tree. */
int debian_tree_owners(const struct debian_tree *t, int owners_fd, struct err *e);

#endif
