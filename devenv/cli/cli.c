/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.c - one invocation from argv to exit status: global flags, the subcommand, its options, its main, its error.
 *
 * SIGINT, SIGTERM and SIGHUP do not end the program: the handler remembers the signal and tells the transfers to stop;
 * the command then returns with an error through all its clean-up, and cli_main dies of the same signal at the end, so
 * that a shell sees what it expects. The handlers are one-shot: a second Ctrl-C ends the program on the spot.
 */
#include "cli/cli.h"

#include <locale.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "base/project.h"
#include "base/text.h"
#include "cli/option_ids.h"
#include "fetch/http.h"

static volatile sig_atomic_t signal_received;

static void on_signal(int number)
{
	signal_received = number;
	http_interrupt();
}

int cli_signal(void)
{
	return signal_received;
}

/* A handler, not SIG_IGN: that would be inherited by the programs we start. */
static void on_pipe(int number)
{
	(void)number;
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	struct sigaction pipe_action = { .sa_handler = on_pipe, .sa_flags = SA_RESTART };
	struct sigaction before;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		/* nohup and shells without job control start us with some of them ignored: they stay so */
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN)
			continue;
		sigaction(numbers[i], &action, NULL);
	}
	sigemptyset(&pipe_action.sa_mask);
	sigaction(SIGPIPE, &pipe_action, NULL);
}

/* Die of the signal that interrupted us; 128+N where that is blocked. */
static int die_of(int number)
{
	signal(number, SIG_DFL);
	raise(number);
	return 128 + number;
}

bool cli_has(const struct cli *c, int id)
{
	for (size_t i = 0; i < c->given_count; i++)
		if (c->given[i].id == id)
			return true;
	return false;
}

const char *cli_value(const struct cli *c, int id)
{
	for (size_t i = c->given_count; i > 0; i--)
		if (c->given[i - 1].id == id)
			return c->given[i - 1].value;
	return NULL;
}

int cli_open(struct cli *c, struct environment *env, struct err *e)
{
	if (c->directory && project_change_to(c->directory, e) < 0)
		return -1;
	c->directory = NULL; /* we are there */
	return env_open(env, NULL, e);
}

int cli_open_user(struct cli *c, struct environment *env, struct err *e)
{
	(void)c;
	return env_open_user(env, e);
}

static int parse_color(struct cli *c, const char *when, struct err *e)
{
	if (strcmp(when, "auto") == 0)
		c->color = COLOR_AUTO;
	else if (strcmp(when, "always") == 0)
		c->color = COLOR_ALWAYS;
	else if (strcmp(when, "never") == 0)
		c->color = COLOR_NEVER;
	else
		return err_set(e, ERR_USAGE, "--color takes auto, always or never, not '%s'",
		               text_safe(when));
	return 0;
}

static int take_option(struct cli *c, int id, const char *value, struct err *e)
{
	switch (id) {
	case OPTION_DIRECTORY:
		c->directory = value;
		return 0;
	case OPTION_LOCKED:
		c->locked = true;
		return 0;
	case OPTION_OFFLINE:
		c->offline = true;
		return 0;
	case OPTION_JSON:
		c->json = true;
		return 0;
	case OPTION_QUIET:
		c->quiet = true;
		return 0;
	case OPTION_VERBOSE:
		c->verbose = true;
		return 0;
	case OPTION_YES:
		c->yes = true;
		return 0;
	case OPTION_DRY_RUN:
		c->dry_run = true;
		return 0;
	case OPTION_HELP:
		c->help = true;
		return 0;
	case OPTION_COLOR:
		return parse_color(c, value, e);
	case OPTION_VERSION:
		if (c->command)
			return err_set(e, ERR_USAGE, "--version comes before the command");
		c->command = commands_find(commands_table, "version");
		return 0;
	default:
		if (c->given_count == CLI_OPTIONS_MAX)
			return err_set(e, ERR_USAGE, "more than %d options", CLI_OPTIONS_MAX);
		c->given[c->given_count++] = (struct cli_option){ .id = id, .value = value };
		return 0;
	}
}

/* Options from argv[*index] on, up to the first operand. *ended: a "--" was there. */
static int parse_options(struct cli *c, int argc, char **argv, int *index, const struct option_spec *table,
                         bool *ended, struct err *e)
{
	struct options o;
	const char *value;
	int id;

	options_begin(&o, argc, argv, *index, table, options_global);
	while ((id = options_next(&o, &value, e)) > 0)
		if (take_option(c, id, value, e) < 0)
			return -1;
	if (id < 0)
		return -1;
	*ended = o.index > *index && strcmp(argv[o.index - 1], "--") == 0;
	*index = o.index;
	return 0;
}

static int needs_subcommand(const struct command *group, struct err *e)
{
	cleanup_buf struct buf names = BUF_INIT;

	for (const struct command *k = group->subcommands; k->name; k++)
		if (!(k->flags & (COMMAND_HIDDEN | COMMAND_PLANNED)))
			buf_addf(&names, "%s%s", names.len ? ", " : "", k->name);
	err_set_(e, ERR_USAGE, "devenv %s needs a subcommand", group->name);
	return err_hint(e, "one of: %s", names.data);
}

static int unknown_command(const struct command *parent, const struct command *table, const char *word,
                           struct err *e)
{
	const char *nearest = parent ? NULL : commands_alias(word);

	if (!nearest)
		nearest = commands_nearest(table, word);

	err_set_(e, ERR_USAGE, "unknown command '%s%s%s'", parent ? parent->name : "", parent ? " " : "",
	         text_safe(word));
	if (nearest)
		return err_hint(e, "did you mean 'devenv %s%s%s'?", parent ? parent->name : "",
		                parent ? " " : "", nearest);
	return err_hint(e, "run `devenv help%s%s` for the list", parent ? " " : "",
	                parent ? parent->name : "");
}

/* `prepare` runs on behalf of a command that somebody typed: that one is talked about. */
static const struct command *typed_command(const struct cli *c)
{
	const char *purpose = c->command && (c->command->flags & COMMAND_HIDDEN) ? cli_value(c, OPTION_FOR) : NULL;
	const struct command *typed = purpose ? commands_find(commands_table, purpose) : NULL;

	return typed ? typed : c->command;
}

static int check_operands(const struct cli *c, bool ended, struct err *e)
{
	const struct command *k = c->command;
	const char *before = c->parent ? c->parent->name : "", *space = c->parent ? " " : "";

	/* What looks like an option behind an operand would be taken for a name: nobody means that. */
	for (int i = 0; !ended && !(k->flags & COMMAND_LAUNCHER) && i < c->operand_count; i++)
		if (c->operands[i][0] == '-' && c->operands[i][1] != '\0') {
			err_set_(e, ERR_USAGE, "options come before operands: '%s' follows '%s'",
			         text_safe(c->operands[i]), text_safe(i > 0 ? c->operands[i - 1] : k->name));
			return err_hint(e, "write -- before operands that begin with a dash");
		}
	if (c->operand_count < k->operands_min)
		return err_set(e, ERR_USAGE, "devenv %s%s%s needs %s", before, space, k->name, k->operands);
	if (k->operands_max >= 0 && c->operand_count > k->operands_max)
		return err_set(e, ERR_USAGE, "devenv %s%s%s does not take '%s'", before, space, k->name,
		               text_safe(c->operands[k->operands_max]));
	return 0;
}

/* A command that isn't built has no option table: all that can be honoured is the wish for help or for JSON. */
static void parse_planned(struct cli *c, int argc, char **argv, int index)
{
	for (int i = index; i < argc && strcmp(argv[i], "--") != 0; i++) {
		c->help = c->help || strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0;
		c->json = c->json || strcmp(argv[i], "--json") == 0;
	}
}

static int parse_subcommand(struct cli *c, int argc, char **argv, int *index, bool *ended, struct err *e)
{
	if (*index >= argc || *ended)
		return 0;
	c->parent = c->command;
	c->command = commands_find(c->parent->subcommands, argv[*index]);
	if (!c->command) {
		c->command = c->parent;
		c->parent = NULL;
		return unknown_command(c->command, c->command->subcommands, argv[*index], e);
	}
	(*index)++;
	return parse_options(c, argc, argv, index, c->command->options, ended, e);
}

static int parse(struct cli *c, int argc, char **argv, struct err *e)
{
	int index = 1;
	bool ended = false;

	if (parse_options(c, argc, argv, &index, NULL, &ended, e) < 0)
		return -1;
	if (c->command) /* --version */
		return 0;
	if (index >= argc) {
		c->command = commands_find(commands_table, "help");
		c->help = false; /* `devenv -h` is the overview, not the help of help */
		return 0;
	}
	c->command = commands_find(commands_table, argv[index]);
	if (!c->command)
		return unknown_command(NULL, commands_table, argv[index], e);
	index++;
	if (c->command->flags & COMMAND_PLANNED) {
		parse_planned(c, argc, argv, index);
		return 0;
	}
	if (parse_options(c, argc, argv, &index, c->command->options, &ended, e) < 0)
		return -1;
	if (c->command->subcommands && parse_subcommand(c, argc, argv, &index, &ended, e) < 0)
		return -1;
	c->operands = argv + index;
	c->operand_count = argc - index;
	return c->help || (c->command->flags & COMMAND_GROUP) ? 0 : check_operands(c, ended, e);
}

static int run_command(struct cli *c, struct err *e)
{
	const struct command *k = c->command;
	const char *before = c->parent ? c->parent->name : "", *space = c->parent ? " " : "";

	if (c->help) {
		usage_command(c, stdout, c->parent, k);
		return 0;
	}
	if (k->flags & COMMAND_PLANNED)
		return err_set(e, ERR_UNSUPPORTED, "devenv %s%s%s is not supported yet", before, space,
		               k->name);
	if (k->flags & COMMAND_GROUP)
		return needs_subcommand(k, e);
	if (c->dry_run && !(k->flags & (COMMAND_DRY_RUN | COMMAND_LAUNCHER)))
		return err_set(e, ERR_UNSUPPORTED, "devenv %s%s%s --dry-run is not supported yet", before,
		               space, typed_command(c)->name);
	if (c->json && (k->flags & COMMAND_NO_JSON))
		return err_set(e, ERR_UNSUPPORTED, "devenv %s%s%s has no JSON output", before, space,
		               k->name);
	return k->main(c, e);
}

/* A full disk or a closed pipe behind stdout must not look like success. */
static int close_stdout(struct cli *c, int status)
{
	struct err e = ERR_INIT;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno == EPIPE)
		return die_of(SIGPIPE);
	err_sys_(&e, errno, "can't write to standard output");
	c->json = false;
	output_error(c, &e);
	return status ? status : 1;
}

static int report(struct cli *c, struct err *e)
{
	bool status_125 = c->command && (c->command->flags & COMMAND_STATUS_125);

	if (e->sys == ENOSYS && !e->hint[0])
		err_hint_(e, "`devenv doctor` says what this machine lacks, and how to mend it");
	output_error(c, e);
	if (e->code == ERR_USAGE && !c->json) {
		fputs("usage: ", stderr);
		usage_line(stderr, c->parent, typed_command(c));
		fputs("\n", stderr);
	}
	if (status_125)
		return 125;
	return e->code == ERR_USAGE ? 2 : 1;
}

static void notice(void *data, const char *line)
{
	output_notice(data, "%s", line);
}

static void warning(void *data, const char *line)
{
	output_warning(data, "%s", line);
}

/* Under the notices, and for -q not at all: the last lines are in the error then. */
static void build_line(void *data, const char *line)
{
	struct cli *c = data;

	progress_clear(c->progress);
	fprintf(stderr, "%s  | %s%s\n", output_begin(c, stderr, STYLE_DIM), line, output_end(c, stderr));
}

static void build_done(void *data, const char *name, double seconds)
{
	output_notice(data, "%s: %.1f s", name, seconds);
}

static void step_elapsed(void *data, const char *name, double seconds)
{
	const struct cli *c = data;

	progress_elapsed(c->progress, name, seconds);
}

static void waiting(void *data, const char *what)
{
	output_notice(data, "waiting for %s", what);
}

static void detail(void *data, const char *line)
{
	const struct cli *c = data;

	if (c->verbose)
		output_notice(data, "%s", line);
}

static bool in_ci(void)
{
	const char *ci = getenv("CI");

	return ci && (strcmp(ci, "true") == 0 || strcmp(ci, "1") == 0);
}

static void setup(struct cli *c)
{
	output_setup(c);
	c->progress = progress_new(c);
	c->ui = (struct env_ui){
		.data = c,
		.interactive = isatty(STDIN_FILENO) && isatty(STDERR_FILENO),
		.notice = notice,
		.warning = c->quiet ? NULL : warning,
		.detail = detail,
		.ask_powers = ask_powers,
		.progress = progress_callbacks(c->progress),
		.git_progress = progress_git,
		.packages = progress_packages,
		.color = c->color_stderr,
		.step_elapsed = c->stderr_tty && !c->quiet ? step_elapsed : NULL,
		.build_line = c->quiet ? NULL : build_line,
		.build_done = build_done,
		.package_line = c->verbose && !c->quiet ? build_line : NULL,
	};
	store_tell_waits(waiting, c);
	c->options = (struct env_options){
		.locked = c->locked || in_ci(),
		.offline = c->offline,
		.yes = c->yes,
		.ui = &c->ui,
	};
}

int cli_main(int argc, char **argv)
{
	struct cli c = { .argv = argv };
	struct err e = ERR_INIT;
	int status;

	setlocale(LC_CTYPE, "");
	status = parse(&c, argc, argv, &e);
	setup(&c);
	if (status == 0) {
		/* `enter` and `run` are executed in our place and must find the signals as they were */
		if (!(c.command->flags & COMMAND_LAUNCHER))
			catch_signals();
		status = run_command(&c, &e);
	}
	progress_end(c.progress, status == 0);
	if (status < 0) {
		if (signal_received && e.code != ERR_USAGE) {
			err_set_(&e, ERR_INTERRUPTED, "interrupted");
			if (c.stderr_tty)
				fputc('\r', stderr); /* over the ^C that the terminal shows */
		}
		status = report(&c, &e);
	}
	status = close_stdout(&c, status);
	progress_free(c.progress);
	if (e.code == ERR_INTERRUPTED && signal_received)
		return die_of(signal_received);
	return status;
}
