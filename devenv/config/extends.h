/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extends.h - what [devenv] extends may name: a path relative to the file that says it, or a file of a git repository:
 *
 *   git+https://HOST/REPOSITORY[#[REF][:PATH]]     git+ssh://[USER@]HOST/REPOSITORY...     git+file:///REPOSITORY...
 *
 * REF is a branch, a tag or a whole commit id; without it the repository's HEAD counts. PATH is devenv.ini by default.
 * git+http is for servers of this machine itself only. Pure.
 */
#ifndef DEVENV_CONFIG_EXTENDS_H
#define DEVENV_CONFIG_EXTENDS_H

#include <stdbool.h>

#include "base/err.h"

struct extends_git {
	char *url;  /* as git takes it: "https://HOST/REPOSITORY" */
	char *ref;  /* NULL: HEAD */
	char *path; /* in the repository, clean, never leading out */
};

bool extends_is_git(const char *text);
/* ERR_CONFIG: what is wrong with it. Relative paths: not empty, not absolute, not from home. */
int extends_check(const char *text, struct err *e);
/* *out untouched on failure. */
int extends_parse_git(const char *text, struct extends_git *out, struct err *e);
void extends_git_release(struct extends_git *g);
/* "git+https://HOST/REPOSITORY#REF:PATH", the same for whatever means the same. malloc'ed. */
char *extends_format_git(const struct extends_git *g);
/* Is REF a whole commit id, which nothing can move? */
bool extends_is_pinned(const struct extends_git *g);

/* The section of the lock for a canonical request: "extends.HOST/REPOSITORY:PATH@REF". malloc'ed. */
char *extends_lock_name(const struct extends_git *g);

/* Where `item` leads from the file `from`, both below the same root; NULL: out of it. malloc'ed. */
char *extends_join(const char *from, const char *item);

#endif
