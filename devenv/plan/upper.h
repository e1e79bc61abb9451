/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upper.h - what was written in an environment: the upper layer of its overlay, seen from beside it.
 *
 * The launcher says with it what goes with the last session, the core what there is to be seen meanwhile. Names in there
 * are whatever programs inside made of them: links are not followed, and who shows them escapes them.
 */
#ifndef DEVENV_PLAN_UPPER_H
#define DEVENV_PLAN_UPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * The scratch directory of the holder whose pid 1 has `pid` in the caller's /proc: it holds upper/, and project/upper/ where
 * the project is a view. pid 1 keeps it open, and nothing leads there by a path. Returns an O_PATH fd; -1 and errno.
 */
int upper_find(pid_t pid);

struct upper_walk {
	/* `path` is relative to the top. For a directory the answer says whether to go in. */
	bool (*visit)(struct upper_walk *w, int dirfd, const char *path, const struct stat *st);
	void *data;
	bool incomplete; /* something could not be looked at, or lies too deep */
};
/* Visit everything below the directory `name`, in no order. */
void upper_walk(struct upper_walk *w, int dirfd, const char *name);

/* Does it say that what the layers below have there is deleted? */
bool upper_is_whiteout(const struct stat *st);
/* What programs write in passing - caches, logs, package databases: nobody would miss it. `path` is relative. */
bool upper_is_passing(const char *path);
/* Is it the list that dpkg writes when it installs a package? Then *len receives the length of the name at the result. */
const char *upper_package(const char *path, const struct stat *st, size_t *len);

#endif
