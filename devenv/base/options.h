/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - command-line options as tables: one parser, and the same tables feed -h, completions and the manual test.
 *
 * GNU conventions: "--name value", "--name=value", "-x value", "-xvalue", clustered flags "-qv"; unambiguous prefixes
 * are not accepted. Options stop at the first operand or at "--".
 */
#ifndef DEVENV_BASE_OPTIONS_H
#define DEVENV_BASE_OPTIONS_H

#include "base/err.h"

struct option_spec {
	const char *name;     /* without dashes; never NULL */
	char letter;	      /* 0: no short form */
	const char *argument; /* what the manual calls its value ("DIR"); NULL: a flag */
	const char *help;     /* one line, lower case, no full stop */
	int id;		      /* unique in the tables used together; > 0. Negative values are reserved */
};
/* A table ends in an entry whose name is NULL. */

enum global_option { /* ids of the flags every command takes, before or after the subcommand */
	OPTION_DIRECTORY = 1000, /* -C DIR */
	OPTION_LOCKED,
	OPTION_OFFLINE,
	OPTION_JSON,
	OPTION_QUIET,	/* -q */
	OPTION_VERBOSE, /* -v */
	OPTION_YES,	/* -y */
	OPTION_DRY_RUN, /* -n */
	OPTION_COLOR,	/* WHEN */
	OPTION_HELP,	/* -h */
	OPTION_VERSION, /* --version: before the subcommand only */
};
extern const struct option_spec options_global[];

enum { OPTION_ROOT = 1, OPTION_ENV, OPTION_IMAGE, OPTION_UNTRUSTED, OPTION_NO_SERVICES };
extern const struct option_spec options_enter[]; /* of `devenv enter`: read by the launcher, documented by the core */
extern const struct option_spec options_run[];

struct options {
	char **argv;
	int argc, index; /* argv[index] is looked at next; after the end: the first operand */
	const char *cluster; /* the rest of "-abc", NULL outside one */
	const struct option_spec *tables[2]; /* searched in order; either may be NULL */
};

void options_begin(struct options *o, int argc, char **argv, int first, const struct option_spec *table,
		   const struct option_spec *more);
/* The id of the next option (and *value, which points into argv), 0 at the end. -1: ERR_USAGE "unknown option
 * '--imgae'; did you mean '--image'?", "option '-C' needs a value: DIR", "option '--json' takes no value". */
int options_next(struct options *o, const char **value, struct err *e);

#endif
