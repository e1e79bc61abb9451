/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_prepare.c - `devenv-core prepare`, which only the launcher calls: the plan is stale, make it fresh.
 *
 * stdout belongs to the command that will run; nothing is printed there but an error that --json asks for.
 */
#include "cli/cli.h"

#include <string.h>

#include "base/mem.h"
#include "cli/option_ids.h"

int cmd_prepare(struct cli *c, struct err *e)
{
	const char *purpose = cli_value(c, OPTION_FOR), *image = cli_value(c, OPTION_PREPARE_IMAGE);
	struct environment env;
	enum env_purpose what;
	int result;

	if (!purpose || (strcmp(purpose, "enter") != 0 && strcmp(purpose, "run") != 0))
		return err_set(e, ERR_USAGE, "devenv prepare needs --for enter or --for run");
	what = strcmp(purpose, "enter") == 0 ? ENV_FOR_ENTER : ENV_FOR_RUN;
	if (image) {
		if (cli_open_user(c, &env, e) < 0)
			return -1;
		progress_title(c->progress, image);
		result = env_prepare_image(&env, image, &c->options, e);
	} else {
		if (cli_open(c, &env, e) < 0)
			return -1;
		if (cli_has(c, OPTION_PREPARE_UNTRUSTED))
			env_distrust(&env);
		if (env.config.base_value)
			progress_title(c->progress, env.config.base_value);
		result = env_prepare(&env, what, &c->options, e);
	}
	env_release(&env);
	return result < 0 ? -1 : 0;
}
