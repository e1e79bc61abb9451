/* SPDX-License-Identifier: Apache-2.0 */
/* arguments.h - the command line of `enter` and `run`, of `hook-check` for git hooks and of `step` for the core. Private to launcher/. */
#ifndef DEVENV_LAUNCHER_ARGUMENTS_H
#define DEVENV_LAUNCHER_ARGUMENTS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

enum arguments_command { COMMAND_OTHER, COMMAND_ENTER, COMMAND_RUN, COMMAND_HOOK_CHECK, COMMAND_STEP };

struct arguments {
	enum arguments_command command;
	bool help;	     /* -h somewhere: the core answers */
	bool root, untrusted, no_services, json, quiet, dry_run;
	const char *directory; /* -C; NULL */
	const char *image;   /* --image; NULL */
	char **words;	     /* the command to run, NULL-terminated; of `step` the plan; points into argv */
	struct strlist env;  /* from -e, complete "NAME=value" */
	struct strlist pass_on; /* flags the core wants to know when it prepares */
};

/* Errors are ERR_USAGE. For COMMAND_OTHER nothing but `command` is filled. */
int arguments_parse(int argc, char **argv, struct arguments *a, struct err *e);
void arguments_release(struct arguments *a);

#endif
