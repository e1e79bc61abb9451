/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_version.c - `devenv version` and `devenv --version`. */
#include <jansson.h>

#include "cli/cli.h"

#include <stdio.h>

int cmd_version(struct cli *c, struct err *e)
{
	if (c->json)
		return output_json(c, json_pack("{s:s}", "version", DEVENV_VERSION), e);
	printf("devenv %s\n", DEVENV_VERSION);
	return 0;
}
