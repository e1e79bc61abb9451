/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_build.c - `devenv build`: what is missing of the environment, [build] included, is made now; `--shell`: where the
 * last build stopped.
 */
#include "cli/cli.h"

#include <jansson.h>

#include "base/text.h"
#include "cli/option_ids.h"
#include "env/building_failed.h"

static int check(const struct cli *c, struct err *e)
{
	if (!c->operand_count && !cli_has(c, OPTION_BUILD_FILE) && !cli_has(c, OPTION_BUILD_TAG))
		return 0;
	err_set(e, ERR_UNSUPPORTED, "to build from a Dockerfile is not supported yet");
	return err_hint(e, "without operands and options, `devenv build` runs [build] of devenv.ini");
}

static int open_shell(const struct cli *c, struct environment *env, int *status, struct err *e)
{
	struct store s;
	int r;

	if (env_store(env, &s, e) < 0)
		return -1;
	r = building_failed_shell(env, &s, &c->options, status, e);
	store_close(&s);
	return r;
}

static int build(struct cli *c, struct environment *env, struct err *e)
{
	if (!env->config.build && !env->incomplete) {
		err_set(e, ERR_CONFIG, "%s has no [build]", env->config.file);
		return err_hint(e, "`devenv pull` makes everything else ready");
	}
	if (env->config.base_value)
		progress_title(c->progress, env->config.base_value);
	return env_prepare(env, ENV_FOR_ENTER, &c->options, e);
}

int cmd_build(struct cli *c, struct err *e)
{
	struct environment env;
	int result, status = 0;

	if (check(c, e) < 0 || cli_open(c, &env, e) < 0)
		return -1;
	if (cli_has(c, OPTION_BUILD_SHELL)) {
		result = open_shell(c, &env, &status, e);
		env_release(&env);
		return result < 0 ? -1 : status;
	}
	result = build(c, &env, e);
	progress_end(c->progress, result == 0);
	if (result == 0 && c->json)
		result = output_json(c,
		                     json_pack("{s:o,s:o}", "name", output_json_text(env.name), "project",
		                               output_json_text(env.project)),
		                     e);
	else if (result == 0)
		output_notice(c, "%s is built", text_safe(env.name));
	env_release(&env);
	return result < 0 ? -1 : 0;
}
