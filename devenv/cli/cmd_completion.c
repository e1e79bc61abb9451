/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_completion.c - `devenv completion bash|zsh|fish`: completions made from the tables, so that none can be missing.
 *
 * Each generator prints the same three things: the commands, the options of each, and what its operands may be.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool is_shown(const struct command *k)
{
	return !(k->flags & (COMMAND_HIDDEN | COMMAND_PLANNED));
}

static void command_names(const struct command *table)
{
	const char *space = "";

	for (const struct command *k = table; k && k->name; k++)
		if (is_shown(k)) {
			printf("%s%s", space, k->name);
			space = " ";
		}
}

static void option_words(const struct option_spec *o, bool with_values_only)
{
	for (; o && o->name; o++) {
		if (with_values_only && !o->argument)
			continue;
		printf(with_values_only ? "|--%s" : " --%s", o->name);
		if (o->letter)
			printf(with_values_only ? "|-%c" : " -%c", o->letter);
	}
}

/* Operands that are a fixed choice, "bash|zsh|fish", or the names of commands. */
static bool is_choice(const struct command *k)
{
	return strchr(k->operands, '|') && !strpbrk(k->operands, " []");
}

/* Operands that are names of things which are there: what lists them. No single quotes, no dollar. */
static const char *list_command(const struct command *k)
{
	static const struct {
		const char *operands, *command;
	} lists[] = {
		{ "[TEMPLATE]", "devenv template ls 2>/dev/null | cut -d\" \" -f1" },
		{ "[NAME…]", "devenv complete locked 2>/dev/null" },
		{ "REF", "devenv image ls 2>/dev/null | sed \"1d;/^</d;s/ .*//\"" },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (text_starts(k->operands, lists[i].operands))
			return lists[i].command;
	return NULL;
}

static const char *list_images(void)
{
	return list_command(&(struct command){ .operands = "REF" });
}

/* ---- bash ---- */

static void bash_case(const char *pattern, const struct command *k)
{
	printf("\t%s)\n\t\toptions=\"", pattern);
	option_words(k->options, false);
	printf("\"\n");
	if (k->subcommands) {
		printf("\t\toperands=\"");
		command_names(k->subcommands);
		printf("\"\n");
	} else if (is_choice(k)) {
		printf("\t\toperands=\"");
		for (const char *p = k->operands; *p; p++)
			putchar(*p == '|' ? ' ' : *p);
		printf("\"\n");
	} else if (strcmp(k->name, "help") == 0) {
		printf("\t\toperands=\"");
		command_names(commands_table);
		printf(" devenv.ini\"\n");
	} else if (k->operands_max < 0 && (k->flags & COMMAND_LAUNCHER)) {
		printf("\t\toperands=\"$(compgen -c -- \"$cur\" 2>/dev/null)\"\n");
	} else if (list_command(k)) {
		printf("\t\toperands=\"$(%s)\"\n", list_command(k));
	}
	printf("\t\t;;\n");
}

static void bash_options_with_values(void)
{
	printf("\t\t--color");
	option_words(options_global, true);
	for (const struct command *k = commands_table; k->name; k++) {
		if (!is_shown(k))
			continue;
		option_words(k->options, true);
		for (const struct command *s = k->subcommands; s && s->name; s++)
			option_words(s->options, true);
	}
	printf(") ((i++)) ;;\n");
}

static void print_bash(void)
{
	printf("# bash completion for devenv, made by `devenv completion bash`\n"
	       "_devenv() {\n"
	       "\tlocal cur= prev command= options= operands= i first=$COMP_CWORD stem\n"
	       "\t# bash takes the pieces around : and @ for words; they are one name\n"
	       "\twhile ((first > 1)) && [[ ${COMP_WORDS[first]} == [:@]* || ${COMP_WORDS[first-1]} == *[:@] ]]; do\n"
	       "\t\t((first--))\n"
	       "\tdone\n"
	       "\tfor ((i = first; i < COMP_CWORD; i++)); do cur+=${COMP_WORDS[i]}; done\n"
	       "\tstem=$cur cur+=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[first-1]}\n"
	       "\t[[ ${COMP_WORDS[COMP_CWORD]} != : ]] || stem=$cur\n"
	       "\tfor ((i = 1; i < first; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t--) break ;;\n");
	bash_options_with_values();
	printf("\t\t-*) ;;\n"
	       "\t\t*) command+=${command:+ }${COMP_WORDS[i]} ;;\n"
	       "\t\tesac\n"
	       "\tdone\n"
	       "\tcase $prev in\n"
	       "\t-C|--directory) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n"
	       "\t--color) COMPREPLY=($(compgen -W 'auto always never' -- \"$cur\")); return ;;\n"
	       "\t--image) COMPREPLY=($(compgen -W \"$(%s)\" -- \"$cur\")); COMPREPLY=(\"${COMPREPLY[@]#\"$stem\"}\"); return ;;\n"
	       "\tesac\n"
	       "\tcase $command in\n"
	       "\t'')\n\t\toperands=\"",
	       list_images());
	command_names(commands_table);
	printf("\"\n\t\t;;\n");
	for (const struct command *k = commands_table; k->name; k++) {
		char pattern[64];

		if (!is_shown(k))
			continue;
		for (const struct command *s = k->subcommands; s && s->name; s++) {
			if (!is_shown(s))
				continue;
			snprintf(pattern, sizeof(pattern), "'%s %s'*", k->name, s->name);
			bash_case(pattern, s);
		}
		snprintf(pattern, sizeof(pattern), "%s|%s\\ *", k->name, k->name);
		bash_case(k->subcommands ? k->name : pattern, k);
	}
	printf("\tesac\n"
	       "\tif [[ $cur == -* ]]; then\n"
	       "\t\toptions+=\"");
	option_words(options_global, false);
	printf("\"\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	       "\telse\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$operands\" -- \"$cur\"))\n"
	       "\t\tCOMPREPLY=(\"${COMPREPLY[@]#\"$stem\"}\")\n"
	       "\tfi\n"
	       "}\n"
	       "complete -o default -F _devenv devenv\n");
}

/* ---- zsh ---- */

/* For use between single quotes, where zsh's own separators are escaped. */
static void zsh_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			printf("'\\''");
		else if (*text == '[' || *text == ']' || *text == ':')
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void zsh_options(const struct option_spec *o, const char *indent)
{
	for (; o && o->name; o++) {
		if (o->letter)
			printf("%s'(-%c --%s)'{-%c,--%s}'[", indent, o->letter, o->name, o->letter, o->name);
		else
			printf("%s'--%s[", indent, o->name);
		zsh_text(o->help);
		putchar(']');
		if (o->argument) {
			putchar(':');
			zsh_text(o->argument);
			if (strcmp(o->argument, "REF") == 0)
				printf(":{compadd -- ${(f)\"$(%s)\"}}", list_images());
			else
				printf("%s", strcmp(o->argument, "DIR") == 0    ? ":_files -/"
				             : strcmp(o->argument, "WHEN") == 0 ? ":(auto always never)"
				                                                : ":");
		}
		printf("' \\\n");
	}
}

/* "git-hooks" is no name of a variable. */
static void zsh_group_name(const struct command *k, char *out, size_t size)
{
	snprintf(out, size, "%s_commands", k->name);
	for (; *out; out++)
		if (*out == '-')
			*out = '_';
}

static void zsh_commands(const char *name, const struct command *table)
{
	printf("\tlocal -a %s=(\n", name);
	for (const struct command *k = table; k->name; k++) {
		if (!is_shown(k))
			continue;
		printf("\t\t'%s:", k->name);
		zsh_text(k->summary);
		printf("'\n");
	}
	printf("\t)\n");
}

static void zsh_case(const char *name, const struct command *k)
{
	printf("\t\t%s)\n\t\t\t_arguments $globals \\\n", name);
	zsh_options(k->options, "\t\t\t\t");
	if (is_choice(k)) {
		printf("\t\t\t\t'1:shell:(");
		for (const char *p = k->operands; *p; p++)
			putchar(*p == '|' ? ' ' : *p);
		printf(")'\n");
	} else if (strcmp(k->name, "help") == 0) {
		printf("\t\t\t\t'1::command:{_describe command commands}'\n");
	} else if (k->flags & COMMAND_LAUNCHER && k->operands_max < 0) {
		printf("\t\t\t\t'*:: :_normal'\n");
	} else if (list_command(k)) {
		printf("\t\t\t\t'*:name:{compadd -- ${(f)\"$(%s)\"}}'\n", list_command(k));
	} else {
		printf("\t\t\t\t%s\n", k->operands_max ? "'*: :_default'" : "'*: :'");
	}
	printf("\t\t\t;;\n");
}

/* "image rm": the subcommand is the first word, its operands follow. */
static void zsh_group(const struct command *k)
{
	char name[64];

	zsh_group_name(k, name, sizeof(name));
	printf("\t\t%s)\n\t\t\tif ((CURRENT == 2)); then\n\t\t\t\t_describe command %s\n"
	       "\t\t\telse\n\t\t\t\tcase $words[2] in\n",
	       k->name, name);
	for (const struct command *s = k->subcommands; s->name; s++)
		if (is_shown(s) && list_command(s))
			printf("\t\t\t\t%s) compadd -- ${(f)\"$(%s)\"} ;;\n", s->name, list_command(s));
	printf("\t\t\t\t*) _default ;;\n\t\t\t\tesac\n\t\t\tfi\n\t\t\t;;\n");
}

static void print_zsh(void)
{
	printf("#compdef devenv\n"
	       "# zsh completion for devenv, made by `devenv completion zsh`\n"
	       "_devenv() {\n"
	       "\tlocal curcontext=$curcontext state line\n");
	zsh_commands("commands", commands_table);
	for (const struct command *k = commands_table; k->name; k++)
		if (is_shown(k) && k->subcommands) {
			char name[64];

			zsh_group_name(k, name, sizeof(name));
			zsh_commands(name, k->subcommands);
		}
	printf("\tlocal -a globals=(\n");
	for (const struct option_spec *o = options_global; o->name; o++) {
		struct option_spec one[2] = { *o, { 0 } };

		zsh_options(one, "\t\t");
	}
	printf("\t)\n"
	       "\t_arguments -C $globals '1:command:->command' '*:: :->rest'\n"
	       "\tcase $state in\n"
	       "\tcommand) _describe command commands ;;\n"
	       "\trest)\n"
	       "\t\tcase $words[1] in\n");
	for (const struct command *k = commands_table; k->name; k++) {
		if (!is_shown(k))
			continue;
		if (k->subcommands)
			zsh_group(k);
		else
			zsh_case(k->name, k);
	}
	printf("\t\tesac\n\t\t;;\n\tesac\n}\n_devenv \"$@\"\n");
}

/* ---- fish ---- */

static void fish_text(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('\'');
}

static void fish_value(const char *argument)
{
	if (strcmp(argument, "REF") == 0)
		printf(" -x -a '(%s)'", list_images());
	else
		printf(" %s", strcmp(argument, "WHEN") == 0  ? "-x -a 'auto always never'"
		              : strcmp(argument, "DIR") == 0 ? "-x -a '(__fish_complete_directories)'"
		                                             : "-x");
}

static void fish_options(const struct option_spec *o, const char *condition)
{
	for (; o && o->name; o++) {
		printf("complete -c devenv%s -l %s", condition, o->name);
		if (o->letter)
			printf(" -s %c", o->letter);
		if (o->argument)
			fish_value(o->argument);
		printf(" -d ");
		fish_text(o->help);
		putchar('\n');
	}
}

static void fish_choices(const struct command *k)
{
	if (is_choice(k)) {
		printf("complete -c devenv -n '__fish_seen_subcommand_from %s' -a '", k->name);
		for (const char *p = k->operands; *p; p++)
			putchar(*p == '|' ? ' ' : *p);
		printf("'\n");
	} else if (strcmp(k->name, "help") == 0) {
		printf("complete -c devenv -n '__fish_seen_subcommand_from help' -a '");
		command_names(commands_table);
		printf(" devenv.ini'\n");
	} else if (k->flags & COMMAND_LAUNCHER && k->operands_max < 0) {
		printf("complete -c devenv -n '__fish_seen_subcommand_from %s' -a '(__fish_complete_command)'\n",
		       k->name);
	}
	if (list_command(k))
		printf("complete -c devenv -n '__fish_seen_subcommand_from %s' -a '(%s)'\n", k->name,
		       list_command(k));
	for (const struct command *s = k->subcommands; s && s->name; s++) {
		if (!is_shown(s))
			continue;
		printf("complete -c devenv -n '__fish_seen_subcommand_from %s' -a %s -d ", k->name, s->name);
		fish_text(s->summary);
		putchar('\n');
		if (list_command(s))
			printf("complete -c devenv -n '__fish_seen_subcommand_from %s; and "
			       "__fish_seen_subcommand_from %s' -a '(%s)'\n",
			       k->name, s->name, list_command(s));
	}
}

static void print_fish(void)
{
	printf("# fish completion for devenv, made by `devenv completion fish`\n"
	       "complete -c devenv -f\n");
	fish_options(options_global, "");
	for (const struct command *k = commands_table; k->name; k++) {
		char condition[96];

		if (!is_shown(k))
			continue;
		printf("complete -c devenv -n __fish_use_subcommand -a %s -d ", k->name);
		fish_text(k->summary);
		putchar('\n');
		snprintf(condition, sizeof(condition), " -n '__fish_seen_subcommand_from %s'", k->name);
		fish_options(k->options, condition);
		fish_choices(k);
	}
}

int cmd_completion(struct cli *c, struct err *e)
{
	static const struct {
		const char *shell;
		void (*print)(void);
	} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (strcmp(c->operands[0], shells[i].shell) == 0) {
			shells[i].print();
			return 0;
		}
	return err_set(e, ERR_USAGE, "completions are made for bash, zsh and fish, not for '%s'",
	               text_safe(c->operands[0]));
}
