/* SPDX-License-Identifier: Apache-2.0 */
/* clone.h - which clone of a repository a project belongs to, so that its worktrees share one trust record. */
#ifndef DEVENV_ENV_CLONE_H
#define DEVENV_ENV_CLONE_H

/*
 * Text that is the same for the same project in every worktree of one clone and for nothing else: the common git
 * directory, a newline, and the project's path below its work tree. A project in no work tree, or in one whose link
 * to its clone is not answered from the other side, is its own path. `project` may be the /proc/self/fd/N of its descriptor. malloc'ed.
 */
char *clone_key(const char *project);
/* Hex sha256 of clone_key: a file name. malloc'ed. */
char *clone_name(const char *project);
/* The same of the project taken for its own path: what clone_name said before `git init`. malloc'ed. */
char *clone_path_name(const char *project);

/* The common git directory of a linked worktree, link-free, when the link is answered from there; NULL: it is none. */
char *clone_worktree_common(const char *work_tree);
/* The git directory of a submodule, link-free, when its core.worktree names this work tree; NULL: it is none. malloc'ed. */
char *clone_submodule_git(const char *work_tree);

#endif
