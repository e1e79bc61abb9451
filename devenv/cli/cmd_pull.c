/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pull.c - `devenv pull`: everything the lock names comes into the store, so that enter needs no network. */
#include <jansson.h>

#include "cli/cli.h"

#include "base/text.h"

/* The lock as it is decides; a gap is filled by the rules of `run`: never when locked, only with a terminal else. */
static int pull(struct cli *c, struct environment *env, struct err *e)
{
	if (env->config.base_value)
		progress_title(c->progress, env->config.base_value);
	return env_prepare(env, ENV_FOR_ENTER, &c->options, e);
}

int cmd_pull(struct cli *c, struct err *e)
{
	struct environment env;
	int result;

	if (cli_open(c, &env, e) < 0)
		return -1;
	result = pull(c, &env, e);
	progress_end(c->progress, result == 0);
	if (result == 0 && c->json)
		result = output_json(c,
		                     json_pack("{s:o,s:o,s:b}", "name", output_json_text(env.name), "project",
		                               output_json_text(env.project), "fetched", 1),
		                     e);
	else if (result == 0)
		output_notice(c, "%s is ready: the next enter needs no network", text_safe(env.name));
	env_release(&env);
	return result < 0 ? -1 : 0;
}
