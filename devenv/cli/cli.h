/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h - the command line: what a subcommand is, what it is given, and how it speaks.
 *
 * A subcommand is one file cmd_NAME.c and one entry in the const table of commands.c. Its main function returns the
 * exit status (0: done; 1: failed or a difference was found), or -1 with an error that cli_main prints once and maps to
 * an exit status: 2 for ERR_USAGE, 1 for the rest, 125 in commands marked COMMAND_STATUS_125.
 *
 * Results go to stdout, everything else to stderr. Whatever a repository, an archive or the network controls is escaped
 * (text_safe, text_escape) before it is printed; messages of `struct err` are escaped already by whoever made them.
 */
#ifndef DEVENV_CLI_CLI_H
#define DEVENV_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/options.h"
#include "base/version.h"
#include "env/env.h"

struct cli;

enum command_flags {
	COMMAND_HIDDEN = 1,     /* not in the help, completions or the manual */
	COMMAND_PLANNED = 2,    /* of the reference, not built yet: answers "not supported yet" */
	COMMAND_STATUS_125 = 4, /* failures of devenv itself are 125, as `enter` and `run` promise */
	COMMAND_GROUP = 8,      /* does nothing by itself: a subcommand must follow */
	COMMAND_DRY_RUN = 16,   /* honours -n, or changes nothing; the others refuse it */
	COMMAND_NO_JSON = 32,   /* has no JSON output: refuses --json */
	COMMAND_LAUNCHER = 64,  /* the launcher's: options are parsed there, only -h is answered here */
};

struct command {
	const char *name;
	const char *operands;              /* as the usage line shows them, "" for none */
	const char *summary;               /* one line, lower case, no full stop */
	const char *help;                  /* paragraphs for -h, lines up to 78 columns; may be NULL */
	const struct option_spec *options; /* NULL: only the global ones */
	const struct command
		*subcommands; /* ends in a NULL name; NULL: none. main is then called for a bare command */
	int (*main)(struct cli *c, struct err *e);
	unsigned int flags;
	int operands_min, operands_max; /* max -1: any number */
};

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

#define CLI_OPTIONS_MAX 64

/* One invocation. cli_main fills it; commands read it. */
struct cli {
	char **argv; /* all of it, NULL-terminated */

	/* global flags */
	const char *directory; /* -C, NULL: here */
	bool locked, offline, json, quiet, verbose, yes, dry_run, help;
	enum color_when color;

	/* the subcommand, its own options in the order given, and its operands (NULL-terminated, in argv) */
	const struct command *parent, *command;
	struct cli_option {
		int id;
		const char *value;
	} given[CLI_OPTIONS_MAX];
	size_t given_count;
	char **operands;
	int operand_count;

	/* what the terminal is like */
	bool stdout_tty, stderr_tty; /* a terminal that understands cursor movement */
	bool color_stdout, color_stderr;
	bool utf8;

	struct progress *progress;
	struct env_ui ui;           /* talks through output.c, ask.c and progress.c */
	struct env_options options; /* made from the flags; `ui` above */
};

/* ---- cli.c ---- */
/* The whole program but for main(): returns the exit status. */
int cli_main(int argc, char **argv);
bool cli_has(const struct cli *c, int id);
/* The last value given for a command's own option, or NULL. */
const char *cli_value(const struct cli *c, int id);
/* The project's files, with -C; or, for commands that need no project, only the user's configuration. */
int cli_open(struct cli *c, struct environment *env, struct err *e);
int cli_open_user(struct cli *c, struct environment *env, struct err *e);
/* Was SIGINT, SIGTERM or SIGHUP received? The signal's number, or 0. */
int cli_signal(void);

/* ---- commands.c ---- */
extern const struct command commands_table[];
/* NULL: no such command. */
const struct command *commands_find(const struct command *table, const char *name);
/* What other tools call a command of ours: "shell" is enter, "exec" is run. NULL: no such habit is known. */
const char *commands_alias(const char *name);
/* The nearest name that is not hidden, or NULL. */
const char *commands_nearest(const struct command *table, const char *name);

/* ---- usage.c: help texts made from the tables ---- */
void usage_overview(struct cli *c, FILE *to);
void usage_command(struct cli *c, FILE *to, const struct command *parent, const struct command *command);
/* "devenv image rm [--force] REF…" without a newline. */
void usage_line(FILE *to, const struct command *parent, const struct command *command);

/* ---- output.c ---- */
enum style { STYLE_NONE, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW, STYLE_CYAN };
/* Decide about colours and terminals from the flags and the environment. */
void output_setup(struct cli *c);
/* The escape sequences around a word, "" where colours are off. */
const char *output_begin(const struct cli *c, const FILE *to, enum style style);
const char *output_end(const struct cli *c, const FILE *to);
/* "devenv: message" and "  hint: ..." on stderr; with --json the error object on stdout instead. */
void output_error(struct cli *c, const struct err *e);
/* Lines on stderr. Notices are silent with -q; warnings are not. No newline in the text. */
void output_notice(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void output_warning(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One "label      value" line of a screen on stdout; the label is padded to `width`. The value is escaped. */
void output_field(struct cli *c, int width, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same with a value that goes on, indented, over as many lines as it needs. */
void output_paragraph(struct cli *c, int width, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* "3 layers", "1 layer" in one of 4 rotating buffers. */
const char *output_count(uint64_t n, const char *one, const char *many);
/* "2 days ago" for a time in seconds since the epoch; "never" for 0. Rotating buffers. */
const char *output_age(int64_t then, int64_t now);
/* The short form of a digest: 12 hex digits after the algorithm. Rotating buffers. "" for "". */
const char *output_short_digest(const char *digest);
/* The result as one JSON object on stdout, with "schema": 1 added. Takes `root`. */
typedef struct json_t json_t;
int output_json(struct cli *c, json_t *root /* takes */, struct err *e);
/* A string, or null for NULL; text that is not UTF-8 is escaped first. */
json_t *output_json_text(const char *s);
json_t *output_json_gaps(const struct env_gaps *gaps);
void output_json_error(struct cli *c, const struct err *e);
/* How many columns a text takes on a terminal. */
int output_columns(const char *text);
/* Width of the terminal behind stderr in columns; 80 when unknown. */
int output_width(void);

/* ---- ask.c ---- */
/* env_ui.ask_powers: shows the list, asks once, default No. */
bool ask_powers(void *cli, const char *project, const struct strlist *texts, bool growth);
/* A yes/no question for commands that destroy something. -y answers yes; without a terminal it is ERR_FAILED naming -y.
 * 1: yes, 0: no, -1: error. */
int ask_confirm(struct cli *c, const char *question, struct err *e);

/* ---- progress.c ---- */
struct progress *progress_new(struct cli *c);
void progress_free(struct progress *p);
/* What is being fetched, for the line before the first byte. Copied. */
void progress_title(struct progress *p, const char *title);
/* The callbacks to hand to whoever fetches. */
struct oci_progress progress_callbacks(struct progress *p);
/* env_ui.git_progress, for `data` as the others have it: a line that counts objects, on a terminal. */
void progress_git(void *progress, unsigned int objects, unsigned int total, size_t bytes);
/* env_ui.packages, for the same: a line that counts bytes, or packages that are unpacked. */
void progress_packages(void *progress, const char *what, uint64_t done, uint64_t total);
/* The same for a step that only takes time. */
void progress_elapsed(struct progress *p, const char *what, double seconds);
/* Take the live lines off the terminal, so that something else can be printed. */
void progress_clear(struct progress *p);
/* The fetch is over: a last line that says how much came and how long it took, when something came. */
void progress_end(struct progress *p, bool ok);

/* ---- the commands ---- */
int cmd_allow(struct cli *c, struct err *e);
int cmd_build(struct cli *c, struct err *e);
int cmd_clone(struct cli *c, struct err *e);
int cmd_complete(struct cli *c, struct err *e);
int cmd_completion(struct cli *c, struct err *e);
int cmd_config(struct cli *c, struct err *e);
int cmd_deny(struct cli *c, struct err *e);
int cmd_diff(struct cli *c, struct err *e);
int cmd_doctor(struct cli *c, struct err *e);
int cmd_enter(struct cli *c, struct err *e); /* and `run`: they belong to the launcher */
int cmd_gc(struct cli *c, struct err *e);
int cmd_git_hooks_install(struct cli *c, struct err *e);
int cmd_git_hooks_run(struct cli *c, struct err *e);
int cmd_git_hooks_status(struct cli *c, struct err *e);
int cmd_git_hooks_uninstall(struct cli *c, struct err *e);
int cmd_help(struct cli *c, struct err *e);
int cmd_hook(struct cli *c, struct err *e);
int cmd_hook_check(struct cli *c, struct err *e);
int cmd_image_history(struct cli *c, struct err *e);
int cmd_image_inspect(struct cli *c, struct err *e);
int cmd_image_ls(struct cli *c, struct err *e);
int cmd_image_pull(struct cli *c, struct err *e);
int cmd_image_rm(struct cli *c, struct err *e);
int cmd_info(struct cli *c, struct err *e);
int cmd_init(struct cli *c, struct err *e);
int cmd_limit(struct cli *c, struct err *e);
int cmd_lock(struct cli *c, struct err *e);
int cmd_ls(struct cli *c, struct err *e);
int cmd_prepare(struct cli *c, struct err *e);
int cmd_pull(struct cli *c, struct err *e);
int cmd_reset(struct cli *c, struct err *e);
int cmd_status(struct cli *c, struct err *e);
int cmd_template_ls(struct cli *c, struct err *e);
int cmd_update(struct cli *c, struct err *e);
int cmd_version(struct cli *c, struct err *e);

#endif
