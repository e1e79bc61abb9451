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
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum config_base { CONFIG_BASE_NONE, CONFIG_BASE_IMAGE, CONFIG_BASE_OCI, CONFIG_BASE_ARCHIVE, CONFIG_BASE_DEBIAN };
enum config_variant { CONFIG_VARIANT_MINIMAL, CONFIG_VARIANT_STANDARD };
enum config_network { CONFIG_NETWORK_AUTO, CONFIG_NETWORK_HOST, CONFIG_NETWORK_NONE };
enum config_protect { CONFIG_PROTECT_HOOKS, CONFIG_PROTECT_GIT, CONFIG_PROTECT_OFF };
enum config_scratch { CONFIG_SCRATCH_TMPFS, CONFIG_SCRATCH_DISK };
enum config_device { CONFIG_DEVICE_KVM, CONFIG_DEVICE_GPU, CONFIG_DEVICE_FUSE, CONFIG_DEVICES };

/* [sandbox] repository: all of the work tree that the project is a subdirectory of. */
enum config_repository { CONFIG_REPOSITORY_UNSET, CONFIG_REPOSITORY_NO, CONFIG_REPOSITORY_YES };

struct config_pair {
	char *name, *value;
	unsigned int line;
	const char *file; /* with `line`, where it was written; NULL for env files */
};

struct config_volume {
	char *name;   /* from [volume.NAME] */
	char *target; /* as written: absolute, "~/..." or relative to the project; never with ".." */
	bool project_scope; /* scope = project: shared by worktrees */
	unsigned int line;
	const char *file;
};

struct config_line { /* one line of the configuration in force, and where it was written */
	char *section, *key;
	char *value; /* the value, or one item of a list */
	bool item;
	const char *file;  /* points into config.files */
	unsigned int line; /* of the key */
};

struct config_mount {
	char *name;   /* from [mount.NAME] */
	char *source; /* as written: absolute, "~/..." or relative to the project */
	char *target; /* as in config_volume */
	bool read_only;
	unsigned int line, source_line, target_line;
};

struct config {
	char *file; /* how messages name it: "devenv.ini". What comes from a file it extends has that file's name beside it */
	struct strlist files; /* all of them, base first */
	const char *local;    /* that of them which is one person's own; NULL: there is none */
	struct config_line *lines; /* what they say together, in the order of sections */
	size_t line_count;

	struct strlist extends; /* [devenv] extends of the last file that has it, as written */

	char *name;	/* [devenv] name; NULL: the directory's name */
	char *requires; /* [devenv] requires: least version; NULL. Checked by the caller with config_version_at_least */
	unsigned int requires_line;
	const char *requires_file;

	struct strlist platforms; /* [devenv] platforms, sorted; empty: this machine's */

	enum config_base base; /* of a complete configuration never CONFIG_BASE_NONE */
	char *base_value;      /* as written: the reference (a valid one), PATH[:TAG] or path */
	unsigned int base_line;
	const char *base_file;

	enum config_variant variant;   /* with a Debian base, whose base_value is the codename */
	struct strlist components;     /* the same: archive components, sorted; never empty then */
	unsigned int variant_line;     /* of either of the two; 0: neither is written */
	const char *variant_file;

	struct strlist packages_apt;   /* [packages] apt: "name" or "name=version", sorted, each name once */
	unsigned int packages_line;
	const char *packages_file;
	struct strlist packages_own;   /* the same of devenv.local.ini alone: what everybody's list does not answer */
	unsigned int packages_own_line;

	char *build;		       /* [build] run: script text or NULL */
	struct strlist build_inputs;   /* paths, globs and directories below the project */
	struct config_pair *build_env; /* [build] env.NAME */
	size_t build_env_count, build_env_cap;
	struct strlist build_cache;    /* directories inside that are kept between builds and are no part of the layer */
	enum config_network build_network;
	char *build_shell;	       /* NULL: sh */
	unsigned int build_line;
	const char *build_file;

	char *workspace_target; /* NULL ("same"): host path; else an absolute, clean path */
	bool user_root;		/* [workspace] user = root */
	char *shell;		/* NULL: choose */
	struct strlist path;	/* [workspace] path: put first on PATH, in order; absolute, ~/... or below the project */

	struct config_pair *env; /* [env] in file order */
	size_t env_count, env_cap;
	struct strlist env_files;	   /* [env-file] required */
	struct strlist env_files_optional; /* [env-file] optional */

	struct config_volume *volumes;
	size_t volume_count, volume_cap;

	struct config_mount *mounts;
	size_t mount_count, mount_cap;
	struct strlist pass_env; /* [pass-env] names */

	char *setup; /* [setup] run: script text or NULL */
	struct strlist setup_inputs;
	unsigned int setup_inputs_line;

	enum config_protect protect;
	enum config_repository repository;
	enum config_network network;
	unsigned int network_line;
	bool persist;
	enum config_scratch scratch;
	bool nested, perf, ssh_agent, devices[CONFIG_DEVICES];
	uint64_t memory; /* bytes; as the next two: 0 is no limit */
	uint32_t cpus;	 /* thousandths of a processor */
	uint32_t pids;
	unsigned int linger; /* seconds */

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

struct config_text { /* one of several files that make a configuration (config/layers.c, config/merge.h) */
	const char *name; /* how messages call it */
	const char *text;
	size_t len;
	bool local; /* devenv.local.ini: may set only what is its owner's own */
};
/*
 * The same of several files, the base first and the project's last, devenv.local.ini after it. `whole`: nothing is
 * missing; otherwise a base of the environment may be, and "!name" may remove nothing. out->file is the name of the last file
 * that is not local.
 */
int config_parse_texts(const struct config_text *texts, size_t count, bool whole, struct config *out, struct err *e);
/* Only [devenv] extends of one file: the items, and the line they are on. Nothing else of it is checked. */
int config_parse_extends(const char *name, const char *text, size_t len, struct strlist *items, unsigned int *line,
			 struct err *e);
/* Where a key of the configuration in force, or an item of it when that is not NULL, was written: "FILE:LINE" or "default". */
void config_origin(const struct config *c, const char *section, const char *key, const char *item, struct buf *out);

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
