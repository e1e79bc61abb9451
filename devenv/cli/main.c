/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - devenv-core: everything of devenv but the sandbox itself. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
