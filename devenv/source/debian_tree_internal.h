/* SPDX-License-Identifier: Apache-2.0 */
/* debian_tree_internal.h - what debian_tree.c (which file is whose) and debian_link.c (making it) share. */
#ifndef DEVENV_SOURCE_DEBIAN_TREE_INTERNAL_H
#define DEVENV_SOURCE_DEBIAN_TREE_INTERNAL_H

#include "source/debian_tree.h"

struct debian_node {
	struct debian_node *parent, *chain; /* chain: of the hash table */
	char *name;
	char *link;  /* target of a symbolic link, else NULL */
	mode_t mode; /* with the type */
	struct timespec mtime;
	struct unpacked *owner; /* whose it is; NULL: made by us */
	size_t entry;		/* of the owner; UNPACKED_ROOT for the root */
	const struct owners_record *record; /* of its owner's record, or NULL */
};

struct debian_tree {
	struct debian_node **nodes; /* a directory before what is in it; [0] is the root */
	size_t count, cap;
	struct debian_node **buckets;
	size_t bucket_count; /* a power of two */
};

/* Append "a/b/c", "." of the root. */
void debian_node_path(const struct debian_node *n, struct buf *out);

#endif
