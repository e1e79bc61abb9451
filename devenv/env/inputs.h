/* SPDX-License-Identifier: Apache-2.0 */
/* inputs.h - files that a plan is made from: each opened once, its stamps taken before it is read, and remembered. */
#ifndef DEVENV_ENV_INPUTS_H
#define DEVENV_ENV_INPUTS_H

#include <sys/stat.h>

#include "env/env.h"

#define INPUTS_MAX (4u << 20) /* bytes of an input file that is kept in memory: a lock has 300 for each package */
#define INPUTS_HASHED_MAX (1u << 30) /* bytes of one that is only hashed */

struct input {
	const char *path; /* absolute: how the freshness list names it */
	int dirfd;	  /* where `name` is looked up */
	const char *name;
	uint64_t resolve; /* RESOLVE_ flags of openat2: how links on the way are treated */
	bool ours;	  /* it must belong to the caller */
};

/*
 * Append the file to `out` (may be NULL: only hash and remember it). Returns 1 when it was read, 0 when it does not exist, and
 * remembers either in env->files. Not a regular file, or too large: an error of `code`.
 */
int inputs_read(struct environment *env, const struct input *in, enum err_code code, struct buf *out, struct err *e);

/* Tells the content of a file that was read, its digest and whether it may be executed; "" when it was absent. NULL: it was
 * never asked for. */
const char *inputs_content(const struct environment *env, const char *path);

/* Forget everything: for env_release. */
void inputs_release(struct environment *env);

/* Turn the remembered stamps back into a struct stat (the fields a watch is made of). */
void inputs_stat(const struct env_file *f, struct stat *st);
/* Look at one file again, for re-stamping: 1, its stamps and what tells its content; 0: absent; -1: not readable. */
int inputs_look(const char *path, struct stat *st, char content[136]);

/* Remember something that was read elsewhere (`content`: its digest, "" of a directory), and forget all of those again. */
void inputs_add(struct environment *env, const char *path, const struct stat *st, const char *content);
void inputs_forget_added(struct environment *env);

#endif
