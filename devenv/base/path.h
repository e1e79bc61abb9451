/* SPDX-License-Identifier: Apache-2.0 */
/* path.h - paths as text; nothing here touches the file system. */
#ifndef DEVENV_BASE_PATH_H
#define DEVENV_BASE_PATH_H

#include <stdbool.h>

/* "a/b" from "a" and "b"; an absolute b wins. malloc'ed. */
char *path_join(const char *a, const char *b);
/* Lexically clean: no "//", ".", trailing slash; ".." folded where possible ("/.." is "/"). malloc'ed. */
char *path_clean(const char *path);
/* Is `path` equal to or below `dir`? Both absolute and clean. */
bool path_is_below(const char *path, const char *dir);
/* The part of `path` below `dir` without a leading slash ("" if equal); NULL if not below. Points into path. */
const char *path_below(const char *path, const char *dir);
/* The last component; points into path. "/" for "/". */
const char *path_base(const char *path);
/* Everything before the last component; malloc'ed; "/" or "." at the end of the road. */
char *path_parent(const char *path);

#endif
