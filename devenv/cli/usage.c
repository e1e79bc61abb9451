/* SPDX-License-Identifier: Apache-2.0 */
/* usage.c - help texts, made from the tables of commands and options so that they can't disagree with the parser. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define HELP_COLUMN 24 /* where the explanation of an option or command begins */

static const char *parent_name(const struct command *parent)
{
	return parent ? parent->name : "";
}

static void print_option_usage(FILE *to, const struct option_spec *o)
{
	fprintf(to, " [%s%s", o->letter ? "-" : "--", o->letter ? (char[]){ o->letter, '\0' } : o->name);
	if (o->argument)
		fprintf(to, " %s", o->argument);
	fputc(']', to);
}

void usage_line(FILE *to, const struct command *parent, const struct command *command)
{
	fputs("devenv", to);
	if (!command) {
		fputs(" [FLAG…] COMMAND [ARG…]", to);
		return;
	}
	fprintf(to, "%s%s %s", parent ? " " : "", parent_name(parent), command->name);
	for (const struct option_spec *o = command->options; o && o->name; o++)
		print_option_usage(to, o);
	if (command->operands[0])
		fprintf(to, " %s", command->operands);
	if (command->subcommands)
		fputs(" …", to);
}

/* Columns, not bytes: the tables are our own text, UTF-8. */
static int columns(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_entry(const struct cli *c, FILE *to, const char *left, const char *right)
{
	int pad = HELP_COLUMN - 2 - columns(left);

	fprintf(to, "  %s%s%s", output_begin(c, to, STYLE_CYAN), left, output_end(c, to));
	if (pad < 2)
		fprintf(to, "\n%*s%s\n", HELP_COLUMN, "", right);
	else
		fprintf(to, "%*s%s\n", pad, "", right);
}

static void print_heading(const struct cli *c, FILE *to, const char *text)
{
	fprintf(to, "\n%s%s%s\n", output_begin(c, to, STYLE_BOLD), text, output_end(c, to));
}

static void print_options(const struct cli *c, FILE *to, const struct option_spec *o)
{
	for (; o->name; o++) {
		cleanup_free char *left = mem_printf("%s%s--%s%s%s",
		                                     o->letter ? (char[]){ '-', o->letter, '\0' } : "  ",
		                                     o->letter ? ", " : "  ", o->name, o->argument ? " " : "",
		                                     o->argument ? o->argument : "");

		print_entry(c, to, left, o->help);
	}
}

static void print_commands(const struct cli *c, FILE *to, const struct command *table)
{
	for (const struct command *k = table; k->name; k++)
		if (!(k->flags & (COMMAND_HIDDEN | COMMAND_PLANNED)))
			print_entry(c, to, k->name, k->summary);
}

static void print_planned(const struct cli *c, FILE *to, const struct command *table)
{
	int column = 0;

	for (const struct command *k = table; k->name; k++) {
		if (!(k->flags & COMMAND_PLANNED))
			continue;
		if (column == 0)
			print_heading(c, to, "Not supported yet:");
		else if (column + columns(k->name) > 74)
			column = 0, fputc('\n', to);
		column += fprintf(to, "%s%s", column == 0 ? "  " : " ", k->name);
	}
	if (column)
		fputc('\n', to);
}

void usage_overview(struct cli *c, FILE *to)
{
	fputs("A Linux userland for every project, from a devenv.ini in its repository.\n", to);
	print_heading(c, to, "Usage:");
	fputs("  ", to);
	usage_line(to, NULL, NULL);
	fputs("\n", to);
	print_heading(c, to, "Commands:");
	print_commands(c, to, commands_table);
	print_heading(c, to, "Flags, before or after the command:");
	print_options(c, to, options_global);
	print_planned(c, to, commands_table);
	fputs("\nStart with `devenv init`, then `devenv enter`. More: `devenv help COMMAND`, man devenv.\n",
	      to);
}

static bool takes(const struct command *command, int flag)
{
	if (flag == OPTION_DRY_RUN)
		return command->flags & COMMAND_DRY_RUN;
	if (flag == OPTION_JSON)
		return !(command->flags & COMMAND_NO_JSON);
	return flag != OPTION_VERSION;
}

/* The global flags that the command takes, in one line rather than a dozen. */
static void print_global_line(FILE *to, const struct command *command)
{
	int column = 2;

	fputs("\nGlobal flags (see `devenv help`):\n ", to);
	for (const struct option_spec *o = options_global; o->name; o++) {
		char letter[3] = { '-', o->letter, '\0' };
		int width = o->letter ? 3 : 3 + columns(o->name);

		if (!takes(command, o->id))
			continue;
		if (column + width > 78) {
			fputs("\n ", to);
			column = 2;
		}
		fprintf(to, o->letter ? " %s" : " --%s", o->letter ? letter : o->name);
		column += width;
	}
	fputc('\n', to);
}

void usage_command(struct cli *c, FILE *to, const struct command *parent, const struct command *command)
{
	cleanup_free char *summary = mem_strdup(command->summary);

	if (summary[0] >= 'a' && summary[0] <= 'z')
		summary[0] = (char)(summary[0] - 'a' + 'A');
	fprintf(to, "%s.%s\n", summary, command->flags & COMMAND_PLANNED ? " Not supported yet." : "");
	print_heading(c, to, "Usage:");
	fputs("  ", to);
	usage_line(to, parent, command);
	fputc('\n', to);
	if (command->subcommands) {
		print_heading(c, to, "Commands:");
		print_commands(c, to, command->subcommands);
		print_planned(c, to, command->subcommands);
	}
	if (command->options && command->options[0].name) {
		print_heading(c, to, "Options:");
		print_options(c, to, command->options);
	}
	if (command->help)
		fprintf(to, "\n%s\n", command->help);
	print_global_line(to, command);
}
