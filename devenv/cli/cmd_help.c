/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_help.c - `devenv help [COMMAND [SUBCOMMAND]]`, and `devenv` alone. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"

/* `devenv help devenv.ini`: every key, from the table that the parser checks against. */
static void print_keys(struct cli *c)
{
	const char *section = "";

	fputs("Sections and keys of devenv.ini; * stands for a name of your choice. See man devenv.ini.\n",
	      stdout);
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];

		if (strcmp(k->section, section) != 0) {
			section = k->section;
			printf("\n%s[%s]%s\n", output_begin(c, stdout, STYLE_BOLD), section,
			       output_end(c, stdout));
		}
		printf("  %s%-20s%s %s%s\n", output_begin(c, stdout, STYLE_CYAN), k->key,
		       output_end(c, stdout), k->summary, k->supported ? "" : " (not supported yet)");
	}
}

static int unknown_topic(const char *topic, const char *nearest, struct err *e)
{
	err_set_(e, ERR_USAGE, "no help about '%s'", text_safe(topic));
	return nearest ? err_hint(e, "did you mean 'devenv help %s'?", nearest)
	               : err_hint(e, "topics are the commands and devenv.ini");
}

int cmd_help(struct cli *c, struct err *e)
{
	const struct command *k, *sub;

	if (c->operand_count == 0) {
		usage_overview(c, stdout);
		return 0;
	}
	if (strcmp(c->operands[0], "devenv.ini") == 0 && c->operand_count == 1) {
		print_keys(c);
		return 0;
	}
	k = commands_find(commands_table, c->operands[0]);
	if (!k)
		return unknown_topic(c->operands[0], commands_nearest(commands_table, c->operands[0]), e);
	if (c->operand_count == 1) {
		usage_command(c, stdout, NULL, k);
		return 0;
	}
	sub = k->subcommands ? commands_find(k->subcommands, c->operands[1]) : NULL;
	if (!sub) {
		cleanup_free char *topic = mem_printf("%s %s", c->operands[0], c->operands[1]);

		return unknown_topic(topic, NULL, e);
	}
	usage_command(c, stdout, k, sub);
	return 0;
}
