/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.h - the templates of `devenv init TEMPLATE`: files NAME.ini in a directory beside the program.
 *
 * A template begins with comment lines "; summary: ..." (one line for the list) and "; smoke: ..." (a command that
 * works in it, for the tests), up to the first blank line. What follows is the devenv.ini it stands for.
 */
#ifndef DEVENV_CLI_TEMPLATE_H
#define DEVENV_CLI_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"

struct template_file {
	char *name, *summary, *smoke;
	char *text; /* what init writes: without the header, only supported sections */
};

/* The directory of the templates, found from where the running program is; malloc'ed. NULL with ERR_NOT_FOUND. */
char *template_directory(struct err *e);
/* Their names, sorted. */
int template_names(struct strlist *names, struct err *e);
/* Read one. ERR_NOT_FOUND with the nearest name; ERR_CONFIG when its header is incomplete. */
int template_load(const char *name, struct template_file *out, struct err *e);
void template_release(struct template_file *t);

#endif
