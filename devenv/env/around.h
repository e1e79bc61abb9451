/* SPDX-License-Identifier: Apache-2.0 */
/* around.h - the repository that a project is a subdirectory of. */
#ifndef DEVENV_ENV_AROUND_H
#define DEVENV_ENV_AROUND_H

/*
 * The nearest directory above `project` that has a .git, when the project has none of its own: the top of its work tree.
 * Both must be the caller's. NULL: there is none. By the path that was given, links and all. malloc'ed.
 */
char *around_find(const char *project);

#endif
