/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h - devenv.ini as structs. Pure: text in, structs out; no file, no network, no environment.
 *
 * config/keys.c holds one const table of every section and key of the file format, built or not: it drives checking,
 * "not supported yet", nearest names, the manual's key list and its test.
 */
#ifndef DEVENV_CONFIG_CONFIG_H
#define DEVENV_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum config_base { CONFIG_BASE_NONE, CONFIG_BASE_IMAGE, CONFIG_BASE_OCI, CONFIG_BASE_ARCHIVE };
enum config_network { CONFIG_NETWORK_AUTO, CONFIG_NETWORK_HOST, CONFIG_NETWORK_NONE };
enum config_scratch { CONFIG_SCRATCH_TMPFS, CONFIG_SCRATCH_DISK };

struct config_pair {
	char *name, *value;
	unsigned int line;
};

struct config_volume {
	char *name;   /* from [volume.NAME] */
	char *target; /* as written: absolute, "~/..." or relative to the project; never with ".." */
	bool project_scope; /* scope = project: shared by worktrees */
	unsigned int line;
};

struct config {
	char *file; /* how messages name it: "devenv.ini" */

	char *name;	/* [devenv] name; NULL: the directory's name */
	char *requires; /* [devenv] requires: least version; NULL. Checked by the caller with config_version_at_least */
	unsigned int requires_line;

	enum config_base base; /* of a parsed file never CONFIG_BASE_NONE */
	char *base_value;      /* as written: the reference (a valid one), PATH[:TAG] or path */
	unsigned int base_line;

	char *workspace_target; /* NULL ("same"): host path; else an absolute, clean path */
	bool user_root;		/* [workspace] user = root */
	char *shell;		/* NULL: choose */
	struct strlist path;	/* [workspace] path: put first on PATH, in order; absolute, ~/... or below the project */

	struct config_pair *env; /* [env] in file order */
	size_t env_count, env_cap;
	struct strlist env_files;	   /* [env-file] required */
	struct strlist env_files_optional; /* [env-file] optional */
	unsigned int env_files_line, env_files_optional_line; /* of those keys */

	struct config_volume *volumes;
	size_t volume_count, volume_cap;

	enum config_network network;
	unsigned int network_line;
	bool persist;
	enum config_scratch scratch;

	char *hook_start, *hook_enter; /* script text or NULL; never empty */

	struct config_pair *git_hooks; /* [git-hooks] in file order: script text, never empty */
	size_t git_hook_count, git_hook_cap;
};

/*
 * Parse and check the text of a config file. `name` is what messages call it. *out is untouched on failure.
 * ERR_CONFIG: unknown section or key ("...; did you mean 'image'?"), bad value, two bases. ERR_UNSUPPORTED: a key of
 * the format that is not built yet: "devenv.ini:7: [packages] apt is not supported yet".
 */
int config_parse(const char *name, const char *text, size_t len, struct config *out, struct err *e);
void config_release(struct config *c);

/* An env file (the dotenv subset docker accepts: NAME=value lines, '#' comments, no quotes processing, no expansion;
 * "export " prefix accepted). Appends to pairs, nothing on failure. A name may come twice: the later one counts. */
int config_parse_env_file(const char *name, const char *text, size_t len, struct config_pair **pairs, size_t *count,
			  size_t *cap, struct err *e);
void config_pairs_release(struct config_pair *pairs, size_t count);

/* Is a NAME fit to be an environment variable: [A-Za-z_][A-Za-z0-9_]* ? */
bool config_env_name_is_valid(const char *name);

/* "1.2" <= "1.10.0"? -1 when either is not a dotted number. */
int config_version_at_least(const char *have, const char *want);

/* The key table, for documentation and completion. */
struct config_key {
	const char *section; /* "base", "volume.*" */
	const char *key;     /* "image"; "*" any name ([env]); "env.*" a family */
	bool supported;
	const char *summary; /* one line for the manual and `help` */
};
extern const struct config_key config_keys[];
extern const size_t config_key_count;

#endif
