/* SPDX-License-Identifier: Apache-2.0 */
/* project.h - finding the project a command is about. */
#ifndef DEVENV_BASE_PROJECT_H
#define DEVENV_BASE_PROJECT_H

#include "base/err.h"

#define PROJECT_CONFIG "devenv.ini"
#define PROJECT_LOCK "devenv.lock"
/* What one person has differently, never committed. */
#define PROJECT_LOCAL "devenv.local.ini"
#define PROJECT_LOCAL_LOCK "devenv.local.lock"

/*
 * Walk up from `start` (absolute; NULL: the current directory, as getcwd gives it) to the nearest directory that holds
 * a regular devenv.ini. *root receives its path, malloc'ed.
 * ERR_NO_PROJECT: none. ERR_CONFIG: it belongs to another user, lies in a world-writable directory (sticky or not),
 * or the project would be / or `home` (security rule 20).
 */
int project_find(const char *start, const char *home, char **root, struct err *e);

/* Make the directory that -C names the current one. */
int project_change_to(const char *directory, struct err *e);

#endif
