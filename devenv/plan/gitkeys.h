/* SPDX-License-Identifier: Apache-2.0 */
/* gitkeys.h - settings of a repository with which git runs a program of this machine, or talks to another server. */
#ifndef DEVENV_PLAN_GITKEYS_H
#define DEVENV_PLAN_GITKEYS_H

#include <stddef.h>

/*
 * Read the text of a git configuration file and call `take` for each such setting, in the order of the file: its name as
 * git writes it ("filter.x.clean": section and key in lower case) and its value. Follows git-config(1), "Syntax", but where
 * git would refuse a file it goes on with the next line: the answer errs towards saying too much. Includes are not followed,
 * but are settings that are told.
 */
void gitkeys_scan(const char *text, size_t len, void (*take)(void *data, const char *name, const char *value), void *data);

#endif
