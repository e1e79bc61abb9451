/* SPDX-License-Identifier: Apache-2.0 */
/* root.h - the root file system of the sandbox. Private to sandbox/. */
#ifndef DEVENV_SANDBOX_ROOT_H
#define DEVENV_SANDBOX_ROOT_H

#include "base/err.h"
#include "plan/plan.h"
#include "sandbox/scratch.h"

/* Build the root below the working directory that scratch_make chose and make it "/". */
int root_enter(const struct plan *p, struct scratch *s, struct err *e);

/*
 * Open a directory or file below the root for mounting on, or as a working directory: no link anywhere in `path` is
 * followed and it can't lead out. Returns an O_PATH fd, or -1 and errno.
 */
int root_open(int root_fd, const char *path);
/* Change into a directory of the root, mount a new file system on it and change into that. */
int root_mount_fs(int root_fd, const char *path, const char *type, unsigned long flags, const char *options,
		  struct err *e);

/*
 * Bind a directory of the plan's top layer, which the core generates and nothing inside can write, over that of the root;
 * read-only, with these flags too. Change into it.
 */
int root_bind_own(const struct plan *p, int root_fd, const char *path, uint64_t flags, struct err *e);

/* standard.c: what every environment has the same way. */
int standard_mount_dev(const struct plan *p, int root_fd, struct err *e);
int standard_mount_proc(const struct plan *p, int root_fd, struct err *e);
int standard_mount_sys(const struct plan *p, int root_fd, struct err *e);

#endif
