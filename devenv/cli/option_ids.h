/* SPDX-License-Identifier: Apache-2.0 */
/* option_ids.h - ids of the options that single subcommands take: made in commands.c, asked for in cmd_*.c. */
#ifndef DEVENV_CLI_OPTION_IDS_H
#define DEVENV_CLI_OPTION_IDS_H

enum cli_option_id { /* the low numbers are those of `enter` and `run` in base/options.h */
	             OPTION_FOR = 100,
	             OPTION_PREPARE_IMAGE,
	             OPTION_PREPARE_UNTRUSTED,
	             OPTION_CHECK,
	             OPTION_SHOW,
	             OPTION_FROM,
	             OPTION_PLAN,
	             OPTION_MAX_AGE,
	             OPTION_HOME,
	             OPTION_VOLUMES,
	             OPTION_FIX,
	             OPTION_DIFF_UNTRUSTED,
};

#endif
