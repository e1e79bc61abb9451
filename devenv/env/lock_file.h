/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock_file.h - the files of a project that are locks, as they are read and written.
 *
 * devenv.lock is everybody's. devenv.local.lock has the packages that devenv.local.ini asks for, of one person and by the same
 * rules, and nothing else; it is read, watched and written only while that file asks for some. Neither ever has what belongs
 * into the other.
 */
#ifndef DEVENV_ENV_LOCK_FILE_H
#define DEVENV_ENV_LOCK_FILE_H

#include "env/env.h"

struct lock_file { /* points into an environment */
	const char *name; /* in the project's directory */
	bool own;	  /* devenv.local.lock */
	struct lock *lock;
	bool *there;	  /* the file is there and parsed */
	struct err *error;
	struct buf *text;
};
struct lock_file lock_file_shared(struct environment *env);
struct lock_file lock_file_own(struct environment *env);

/* Read it and remember it for the plan. What is wrong with it is in *f->error. */
void lock_file_read(struct environment *env, const struct lock_file *f);
/* Write it when its bytes change, and remember the new file for the plan. One that has and had nothing is not written. */
int lock_file_save(struct environment *env, const struct lock_file *f, const struct env_options *o, struct err *e);
/* Remove devenv.local.lock, which nothing asks for any more. One that can't be read as a lock, or that git tracks, stays. */
int lock_file_drop_own(const struct environment *env, const struct env_options *o, struct err *e);

#endif
