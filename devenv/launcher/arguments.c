/* SPDX-License-Identifier: Apache-2.0 */
/* arguments.c - the command line of `enter` and `run`; every other command is only recognised as another one. */
#include "launcher/arguments.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/options.h"
#include "base/text.h"
#include "base/variable.h"

/* `-e NAME` alone takes the caller's value, as docker does; a variable that isn't set there is left out. */
static int add_env(struct arguments *a, const char *value, struct err *e)
{
	cleanup_free char *name = mem_strndup(value, strcspn(value, "="));

	if (!*name)
		return err_set(e, ERR_USAGE, "option '-e' needs NAME=VALUE or NAME");
	if (variable_check(name, e) < 0) {
		err_wrap(e, "option '-e'");
		e->code = ERR_USAGE;
		return -1;
	}
	if (strchr(value, '='))
		strlist_add(&a->env, value);
	else if (getenv(value))
		strlist_addf(&a->env, "%s=%s", value, getenv(value));
	return 0;
}

static void pass_on(struct arguments *a, const char *flag, const char *value)
{
	strlist_add(&a->pass_on, flag);
	if (value)
		strlist_add(&a->pass_on, value);
}

static int take_option(struct arguments *a, int id, const char *value, struct err *e)
{
	switch (id) {
	case OPTION_HELP:
	case OPTION_VERSION:
		a->help = true;
		return 0;
	case OPTION_DIRECTORY:
		a->directory = value;
		return 0;
	case OPTION_ROOT:
		a->root = true;
		return 0;
	case OPTION_UNTRUSTED:
		a->untrusted = true;
		return 0;
	case OPTION_NO_SERVICES:
		a->no_services = true;
		return 0;
	case OPTION_IMAGE:
		a->image = value;
		return 0;
	case OPTION_ENV:
		return add_env(a, value, e);
	case OPTION_DRY_RUN:
		a->dry_run = true;
		break;
	case OPTION_JSON:
		a->json = true;
		break;
	case OPTION_QUIET:
		a->quiet = true;
		break;
	}
	for (const struct option_spec *o = options_global; o->name; o++)
		if (o->id == id) {
			cleanup_free char *flag = mem_printf("--%s", o->name);

			pass_on(a, flag, value);
		}
	return 0;
}

static int take_options(struct arguments *a, struct options *o, struct err *e)
{
	const char *value;
	int id;

	while ((id = options_next(o, &value, e)) > 0)
		if (take_option(a, id, value, e) < 0)
			return -1;
	return id;
}

static enum arguments_command find_command(const char *word)
{
	if (!strcmp(word, "enter"))
		return COMMAND_ENTER;
	if (!strcmp(word, "hook-check"))
		return COMMAND_HOOK_CHECK;
	if (!strcmp(word, "step"))
		return COMMAND_STEP;
	return !strcmp(word, "run") ? COMMAND_RUN : COMMAND_OTHER;
}

/* enter takes no operand; run needs a command unless the image has one. */
static int check(const struct arguments *a, int operands, struct err *e)
{
	if (a->command == COMMAND_ENTER && operands > 0) {
		err_set(e, ERR_USAGE, "`devenv enter` takes no operand, but got '%s'", text_safe(a->words[0]));
		return err_hint(e, "`devenv run -- %s` runs one command", text_safe(a->words[0]));
	}
	if (a->command == COMMAND_RUN && operands == 0 && !a->image) {
		err_set(e, ERR_USAGE, "`devenv run` needs a command");
		return err_hint(e, "`devenv enter` opens a shell");
	}
	if (a->dry_run)
		return err_set(e, ERR_UNSUPPORTED, "`devenv %s --dry-run` is not supported yet",
			       a->command == COMMAND_ENTER ? "enter" : "run");
	if (a->no_services)
		return err_set(e, ERR_UNSUPPORTED, "`devenv enter --no-services` is not supported yet");
	return 0;
}

int arguments_parse(int argc, char **argv, struct arguments *a, struct err *e)
{
	struct options o;

	memset(a, 0, sizeof(*a));
	options_begin(&o, argc, argv, 1, options_global, NULL);
	/* A mistake before the subcommand is the core's to explain: it knows what the words mean. */
	if (take_options(a, &o, e) < 0 || o.index >= argc)
		return 0;
	a->command = find_command(argv[o.index]);
	if (a->command == COMMAND_OTHER || a->command == COMMAND_HOOK_CHECK)
		return 0;
	if (a->command == COMMAND_STEP) {
		a->words = argv + o.index + 1;
		return argc - o.index == 2 ? 0 : err_set(e, ERR_USAGE, "`devenv step` is for devenv-core: it takes a plan");
	}
	options_begin(&o, argc, argv, o.index + 1, a->command == COMMAND_ENTER ? options_enter : options_run, options_global);
	if (take_options(a, &o, e) < 0)
		return -1;
	a->words = argv + o.index;
	return a->help ? 0 : check(a, argc - o.index, e);
}

void arguments_release(struct arguments *a)
{
	strlist_release(&a->env);
	strlist_release(&a->pass_on);
}
