/* SPDX-License-Identifier: Apache-2.0 */
/* options_tables.c - the options both programs know: the global ones, and those of `enter` and `run`. */
#include "base/options.h"

#include <stddef.h>

const struct option_spec options_global[] = {
	{ "directory", 'C', "DIR", "act as if started in DIR", OPTION_DIRECTORY },
	{ "locked", 0, NULL, "fail where devenv.lock has a gap (CI=true implies it)", OPTION_LOCKED },
	{ "offline", 0, NULL, "never use the network", OPTION_OFFLINE },
	{ "json", 0, NULL, "print one JSON object on standard output", OPTION_JSON },
	{ "quiet", 'q', NULL, "print errors only", OPTION_QUIET },
	{ "verbose", 'v', NULL, "say more of what is done", OPTION_VERBOSE },
	{ "yes", 'y', NULL, "answer yes; on enter and run: grant the powers listed", OPTION_YES },
	{ "dry-run", 'n', NULL, "only say what would be done", OPTION_DRY_RUN },
	{ "color", 0, "WHEN", "colour the output: auto, always or never", OPTION_COLOR },
	{ "help", 'h', NULL, "show help", OPTION_HELP },
	{ "version", 0, NULL, "show the version (before the subcommand only)", OPTION_VERSION },
	{ NULL, 0, NULL, NULL, 0 },
};

const struct option_spec options_enter[] = {
	{ "root", 0, NULL, "be root inside (mapped to you outside)", OPTION_ROOT },
	{ "untrusted", 0, NULL, "no network, powers or hooks; the project copy-on-write", OPTION_UNTRUSTED },
	{ "no-services", 0, NULL, "do not start the services (not supported yet)", OPTION_NO_SERVICES },
	{ NULL, 0, NULL, NULL, 0 },
};

const struct option_spec options_run[] = {
	{ "root", 0, NULL, "be root inside (mapped to you outside)", OPTION_ROOT },
	{ "env", 'e', "K=V", "set a variable inside; repeatable", OPTION_ENV },
	{ "image", 0, "REF", "run in this image, with no project", OPTION_IMAGE },
	{ NULL, 0, NULL, NULL, 0 },
};
