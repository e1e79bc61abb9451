/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_complete.c - `devenv complete locked`: what completions offer for `devenv update`, a name to a line. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "env/packages.h"

int cmd_complete(struct cli *c, struct err *e)
{
	cleanup_strlist struct strlist packages = STRLIST_INIT;
	struct environment env;

	if (strcmp(c->operands[0], "locked") != 0)
		return err_set(e, ERR_USAGE, "'%s' is nothing that is completed", text_safe(c->operands[0]));
	if (cli_open(c, &env, e) < 0)
		return -1;
	/* A name that a shell would have to quote is left out: it could be a command. */
	for (size_t i = 0; i < env.lock.image_count; i++)
		printf("%s\n", text_safe(env.lock.images[i].name));
	for (size_t i = 0; i < env.lock.extends_count; i++)
		if (!strpbrk(env.lock.extends[i].name, " \t\\'\"`$();&|<>*?[]{}!"))
			printf("%s\n", text_safe(env.lock.extends[i].name));
	packages_names(&env, &packages); /* letters, digits and + - . alone */
	for (size_t i = 0; i < packages.count; i++)
		printf("%s\n", packages.items[i]);
	env_release(&env);
	return 0;
}
