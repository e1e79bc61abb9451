/* SPDX-License-Identifier: Apache-2.0 */
/* name.h - what the name of an archive's entry means: a path below the root, or one of OCI's whiteouts. */
#ifndef DEVENV_LAYER_NAME_H
#define DEVENV_LAYER_NAME_H

#include <limits.h>

#include "base/err.h"

enum name_kind {
	NAME_ENTRY,    /* an ordinary entry */
	NAME_ROOT,     /* the root directory itself: "./" */
	NAME_WHITEOUT, /* .wh.NAME: `base` is NAME */
	NAME_OPAQUE,   /* .wh..wh..opq: `dir` hides all that is below it in lower layers; `base` is "" */
	NAME_IGNORED,  /* other .wh..wh.*: book-keeping of aufs */
};

struct name {
	enum name_kind kind;
	char dir[PATH_MAX]; /* clean, relative: no leading or trailing slash, no "." or ".."; "" is the root */
	const char *base;   /* the last component; points into `storage` */
	char storage[PATH_MAX];
};

/*
 * Parse an entry's name as it stands in the archive. Leading slashes mean the root; "." is dropped and ".." folded
 * lexically, as docker and containerd do. ERR_INTEGRITY: empty, leads out of the root, too long, or a whiteout of "",
 * "." or ".." or one used as a directory.
 */
int name_parse(struct name *n, const char *raw, struct err *e);
/* The same for the target of a hard link, where whiteouts mean nothing. */
int name_parse_target(struct name *n, const char *raw, struct err *e);

#endif
