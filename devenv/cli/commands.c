/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands.c - the one table of subcommands. Help, completions, nearest names and the manual's test come from it.
 *
 * Every command of the reference is here from the start; those that are not built yet are COMMAND_PLANNED and answer
 * so. The order is the order of `devenv help`: what a newcomer types first comes first.
 */
#include "cli/cli.h"

#include <string.h>

#include "base/text.h"
#include "cli/option_ids.h"

static const struct option_spec options_prepare[] = {
	{ "for", 0, "PURPOSE", "enter or run: who may write the lock depends on it", OPTION_FOR },
	{ "image", 0, "REF", "prepare this image, without a project", OPTION_PREPARE_IMAGE },
	{ "untrusted", 0, NULL, "the plan of enter --untrusted", OPTION_PREPARE_UNTRUSTED },
	{ 0 },
};
static const struct option_spec options_lock[] = {
	{ "check", 0, NULL, "change nothing; exit 1 and list what the lock lacks, offline", OPTION_CHECK },
	{ 0 },
};
static const struct option_spec options_allow[] = {
	{ "show", 0, NULL, "only show what is asked for and what was granted", OPTION_SHOW },
	{ 0 },
};
static const struct option_spec options_init[] = {
	{ "from", 0, "URL#REF:PATH", "copy a devenv.ini: a path, or git+URL#REF:PATH",
	  OPTION_FROM },
	{ 0 },
};
static const struct option_spec options_config[] = {
	{ "plan", 0, NULL, "print the prepared plan in words: what the next session will be", OPTION_PLAN },
	{ 0 },
};
static const struct option_spec options_gc[] = {
	{ "max-age", 0, "AGE", "also drop what was pulled longer ago, like 30d, 12h or 2w",
	  OPTION_MAX_AGE },
	{ 0 },
};
static const struct option_spec options_diff[] = {
	{ "untrusted", 0, NULL, "what the session of enter --untrusted tried, its project included",
	  OPTION_DIFF_UNTRUSTED },
	{ 0 },
};
static const struct option_spec options_reset[] = {
	{ "home", 0, NULL, "also delete the environment's home directory", OPTION_HOME },
	{ "volumes", 0, NULL, "also delete the data of its volumes", OPTION_VOLUMES },
	{ 0 },
};
static const struct option_spec options_build[] = {
	{ "shell", 0, NULL, "open a shell where the last build of this checkout stopped", OPTION_BUILD_SHELL },
	{ "file", 'f', "FILE", "a Dockerfile (not supported yet)", OPTION_BUILD_FILE },
	{ "tag", 't', "REF", "the name of the image (not supported yet)", OPTION_BUILD_TAG },
	{ 0 },
};
static const struct option_spec options_doctor[] = {
	{ "fix", 0, NULL, "after asking, mend what needs no root and loses nothing", OPTION_FIX },
	{ 0 },
};

static const struct command image_commands[] = {
	{ "ls", "", "list the images of the store", NULL, NULL, NULL, cmd_image_ls, COMMAND_DRY_RUN, 0, 0 },
	{ "pull", "REF…", "fetch images into the store",
	  "REF is a reference as docker takes it: python:3.13, ghcr.io/owner/name:tag,\n"
	  "or name@sha256:…. Layers that are there already are not fetched again.",
	  NULL, NULL, cmd_image_pull, 0, 1, -1 },
	{ "inspect", "REF", "show one image: digests, environment, command, layers",
	  "REF is a name from `devenv image ls` or the beginning of a digest.", NULL, NULL, cmd_image_inspect,
	  COMMAND_DRY_RUN, 1, 1 },
	{ "history", "REF", "show the steps an image was built by", NULL, NULL, NULL, cmd_image_history,
	  COMMAND_DRY_RUN, 1, 1 },
	{ "rm", "REF…", "forget image names; `devenv gc` frees the space", NULL, NULL, NULL, cmd_image_rm,
	  COMMAND_DRY_RUN, 1, -1 },
	{ "import", "PATH", "read an image archive or layout into the store", NULL, NULL, NULL, NULL,
	  COMMAND_PLANNED, 0, -1 },
	{ "tag", "REF NAME", "give an image another name", NULL, NULL, NULL, NULL, COMMAND_PLANNED, 0, -1 },
	{ 0 },
};

static const struct command git_hooks_commands[] = {
	{ "install", "", "put devenv's hooks into this repository",
	  "For all worktrees of the clone. Hooks that are there and core.hooksPath are\n"
	  "kept and run first. May be repeated.",
	  NULL, NULL, cmd_git_hooks_install, 0, 0, 0 },
	{ "uninstall", "", "put back what was there", NULL, NULL, NULL, cmd_git_hooks_uninstall, 0, 0, 0 },
	{ "status", "", "which hooks are installed and what they run", NULL, NULL, NULL, cmd_git_hooks_status,
	  COMMAND_DRY_RUN, 0, 0 },
	/* what the hooks call */
	{ "run", "[--] NAME [ARG…]", "run one of [git-hooks] in the environment", NULL, NULL, NULL,
	  cmd_git_hooks_run, COMMAND_HIDDEN | COMMAND_STATUS_125 | COMMAND_NO_JSON, 1, -1 },
	{ 0 },
};

static const struct command template_commands[] = {
	{ "ls", "", "list the templates", NULL, NULL, NULL, cmd_template_ls, COMMAND_DRY_RUN, 0, 0 },
	{ 0 },
};

const struct command commands_table[] = {
	{ "init", "[TEMPLATE]", "write a commented devenv.ini for this directory",
	  "Looks at the files that are there: requirements.txt, pyproject.toml, uv.lock,\n"
	  "package.json, go.mod, Cargo.toml, CMakeLists.txt and so on say what it is;\n"
	  ".python-version, .nvmrc, .tool-versions and their like say which version.\n"
	  "Never overwrites. What you make yourself counts as allowed.\n"
	  "`devenv template ls` lists the templates; -n prints the file instead.",
	  options_init, NULL, cmd_init, COMMAND_DRY_RUN, 0, 1 },
	{ "clone", "URL [DIR]", "git clone, show what it asks for, allow, enter",
	  "URL is https://…, ssh://…, user@host:path, file:///… or a directory, with\n"
	  "#BRANCH or #TAG behind it if another one than the default is wanted.\n"
	  "On a terminal it asks for the powers the project wants and enters; otherwise\n"
	  "it says what would be asked. Nothing of the repository is run before that.",
	  NULL, NULL, cmd_clone, 0, 1, 2 },
	{ "template", "COMMAND", "what `devenv init TEMPLATE` can start from", NULL, NULL, template_commands, NULL,
	  COMMAND_GROUP, 0, 0 },
	{ "enter", "", "a shell in this project's environment",
	  "Works from any subdirectory. Whatever is missing is prepared first: on a\n"
	  "terminal you are asked once for the powers the project wants, missing lock\n"
	  "entries are filled in, missing layers are fetched.\n"
	  "The exit status is the shell's; 125 when devenv itself failed.",
	  options_enter, NULL, cmd_enter, COMMAND_LAUNCHER | COMMAND_STATUS_125 | COMMAND_NO_JSON, 0, 0 },
	{ "run", "[--] [CMD [ARG…]]", "run one command in the environment",
	  "Works in pipelines and scripts; for what of it is a terminal, the command gets\n"
	  "one of its own, relayed. With --image it needs no project, and CMD may be left\n"
	  "out: the image's own is run then.\n"
	  "The exit status is the command's; 125 when devenv itself failed, 126 when\n"
	  "the command can't be executed, 127 when it is not found, 128+N when it was\n"
	  "ended by signal N.",
	  options_run, NULL, cmd_enter, COMMAND_LAUNCHER | COMMAND_STATUS_125 | COMMAND_NO_JSON, 0, -1 },
	{ "status", "", "this project: allowed, locked, fetched, prepared, running", NULL, NULL, NULL,
	  cmd_status, COMMAND_DRY_RUN, 0, 0 },
	{ "lock", "", "fill in what devenv.lock lacks",
	  "Resolves names to digests and writes devenv.lock. Entries that answer their\n"
	  "request are not touched; `devenv update` moves them. Packages that\n"
	  "devenv.local.ini adds for you alone are in devenv.local.lock.",
	  options_lock, NULL, cmd_lock, COMMAND_DRY_RUN, 0, 0 },
	{ "update", "[NAME…]", "resolve again, all entries of devenv.lock or those named",
	  "Prints one line per entry that moved: name, old, new. NAME is an entry of the\n"
	  "lock, or base, debian, packages, or personal: all that devenv.local.ini adds.", NULL, NULL, cmd_update,
	  COMMAND_DRY_RUN, 0, -1 },
	{ "pull", "", "fetch everything the lock names, so that enter needs no network", NULL, NULL, NULL,
	  cmd_pull, 0, 0, 0 },
	{ "allow", "", "grant the powers this project asks for",
	  "A project is confined to its sandbox; what reaches beyond it is a power, and\n"
	  "asked for once: the network, host directories, host variables.\n"
	  "It is asked again only when the list grows.",
	  options_allow, NULL, cmd_allow, COMMAND_DRY_RUN, 0, 0 },
	{ "deny", "", "withdraw what was granted", NULL, NULL, NULL, cmd_deny, 0, 0, 0 },
	{ "diff", "", "what the environment wrote outside project, home and volumes",
	  "Against the layers of its image: A added, M modified, D deleted. What\n"
	  "belongs to an installed package is summed up, changes to caches, logs and\n"
	  "package databases are only counted; -v lists everything. Of what runs, and\n"
	  "otherwise of what `[sandbox] persist = yes` keeps. A listing: the exit status\n"
	  "is 0 whether something differs or not.",
	  options_diff, NULL, cmd_diff, COMMAND_DRY_RUN, 0, 0 },
	{ "build", "[CONTEXT]", "run [build] of devenv.ini, unless its result is there",
	  "The result is a layer that every checkout with the same base, script and inputs\n"
	  "shares; enter and run build too what is missing. After a failure --shell\n"
	  "opens a shell in what the script had made of the environment.",
	  options_build, NULL, cmd_build, 0, 0, -1 },
	{ "reset", "[NAME|PATH]", "throw away what the environment wrote outside project, home and volumes",
	  "The scratch layer of `[sandbox] persist = yes`, what killed sessions left, and\n"
	  "what lingers. Home and volumes only when named, and after asking.\n"
	  "Of this project, or of the one that `devenv ls` calls so: when its directory\n"
	  "is gone, its records go too once nothing of value is left.",
	  options_reset, NULL, cmd_reset, COMMAND_DRY_RUN, 0, 1 },
	{ "config", "", "the configuration in force, and where each line of it is from",
	  "The files that devenv.ini extends, devenv.ini and devenv.local.ini put\n"
	  "together, with the file and line of every value; defaults are filled in.",
	  options_config, NULL, cmd_config, COMMAND_DRY_RUN, 0, 0 },
	{ "image", "COMMAND", "images of the store", NULL, NULL, image_commands, NULL, COMMAND_GROUP, 0, 0 },
	{ "git-hooks", "COMMAND", "git hooks that run in the environment",
	  "They run [git-hooks] of devenv.ini inside, and say when what git brought\n"
	  "differs from what is prepared. Hooks that are there stay and run first.",
	  NULL, git_hooks_commands, NULL, COMMAND_GROUP, 0, 0 },
	{ "ls", "", "every environment on this machine", NULL, NULL, NULL, cmd_ls, COMMAND_DRY_RUN, 0, 0 },
	{ "gc", "", "delete what no checkout, lock or image name refers to",
	  "Never deletes volumes or homes. With -n it says what would go and how many\n"
	  "bytes that is.",
	  options_gc, NULL, cmd_gc, COMMAND_DRY_RUN, 0, 0 },
	{ "info", "", "versions, features of this kernel, what the store holds", NULL, NULL, NULL, cmd_info,
	  COMMAND_DRY_RUN, 0, 0 },
	{ "doctor", "", "check this machine and say how to mend what it lacks",
	  "Tries what a sandbox needs and names the exact command for each failure.\n"
	  "Exit status 1 when something must be mended.",
	  options_doctor, NULL, cmd_doctor, COMMAND_DRY_RUN, 0, 0 },
	{ "completion", "bash|zsh|fish", "print completions for a shell",
	  "  bash: devenv completion bash > ~/.local/share/bash-completion/completions/devenv\n"
	  "  zsh:  devenv completion zsh > ~/.zfunc/_devenv\n"
	  "  fish: devenv completion fish > ~/.config/fish/completions/devenv.fish",
	  NULL, NULL, cmd_completion, COMMAND_DRY_RUN | COMMAND_NO_JSON, 1, 1 },
	{ "hook", "bash|zsh|fish", "code for the shell's rc file: says on cd that there is an environment",
	  "  bash: eval \"$(devenv hook bash)\"       in ~/.bashrc\n"
	  "  zsh:  eval \"$(devenv hook zsh)\"        in ~/.zshrc\n"
	  "  fish: devenv hook fish | source         in ~/.config/fish/config.fish\n"
	  "A line appears when the shell comes into a project; nothing is started, and\n"
	  "the prompt stays as it is. bash and fish get the completions too.",
	  NULL, NULL, cmd_hook, COMMAND_DRY_RUN | COMMAND_NO_JSON, 1, 1 },
	{ "help", "[COMMAND [SUBCOMMAND]]", "what devenv can do, or what one command does", NULL, NULL, NULL,
	  cmd_help, COMMAND_DRY_RUN | COMMAND_NO_JSON, 0, 2 },
	{ "version", "", "print the version", NULL, NULL, NULL, cmd_version, COMMAND_DRY_RUN, 0, 0 },

	/* the launcher's way in when a plan is stale */
	{ "prepare", "", "make a plan fresh, for the launcher", NULL, options_prepare, NULL, cmd_prepare,
	  COMMAND_HIDDEN | COMMAND_STATUS_125, 0, 0 },
	/* the launcher's way to limits: puts process PID under those of the environment ID */
	{ "limit", "ID MEMORY CPUS PIDS PID", "put a process under limits, for the launcher", NULL, NULL, NULL, cmd_limit,
	  COMMAND_HIDDEN | COMMAND_STATUS_125 | COMMAND_NO_JSON, 5, 5 },
	/* for completions */
	{ "complete", "locked", "names for completions", NULL, NULL, NULL, cmd_complete,
	  COMMAND_HIDDEN | COMMAND_DRY_RUN | COMMAND_NO_JSON, 1, 1 },
	/* for git hooks, where the launcher found that files were touched */
	{ "hook-check", "", "say when the project differs from what is prepared", NULL, NULL, NULL, cmd_hook_check,
	  COMMAND_HIDDEN | COMMAND_DRY_RUN | COMMAND_NO_JSON, 0, 0 },

	{ "up", "[SERVICE…]", "start services", NULL, NULL, NULL, NULL, COMMAND_PLANNED, 0, -1 },
	{ "down", "[SERVICE…]", "stop services", NULL, NULL, NULL, NULL, COMMAND_PLANNED, 0, -1 },
	{ "ps", "", "services and their state", NULL, NULL, NULL, NULL, COMMAND_PLANNED, 0, -1 },
	{ "logs", "[SERVICE]", "what services wrote", NULL, NULL, NULL, NULL, COMMAND_PLANNED, 0, -1 },
	{ "snapshot", "save|restore|ls|rm [NAME]", "data volumes of services", NULL, NULL, NULL, NULL,
	  COMMAND_PLANNED, 0, -1 },
	{ "push", "REF", "the locked environment as an image to a registry", NULL, NULL, NULL, NULL,
	  COMMAND_PLANNED, 0, -1 },
	{ "export", "FORMAT [PATH]", "the locked environment in another form", NULL, NULL, NULL, NULL,
	  COMMAND_PLANNED, 0, -1 },
	{ "import", "PATH", "a devenv.ini from another tool's file", NULL, NULL, NULL, NULL, COMMAND_PLANNED,
	  0, -1 },
	{ "task", "NAME", "run a task of devenv.ini", NULL, NULL, NULL, NULL,
	  COMMAND_PLANNED | COMMAND_STATUS_125, 0, -1 },
	{ "shim", "install CMD…", "host commands that run inside", NULL, NULL, NULL, NULL, COMMAND_PLANNED, 0,
	  -1 },
	{ "ssh-config", "", "for editors that attach over ssh", NULL, NULL, NULL, NULL, COMMAND_PLANNED, 0,
	  -1 },
	{ "ssh", "--stdio", "for editors that attach over ssh", NULL, NULL, NULL, NULL, COMMAND_PLANNED, 0,
	  -1 },
	{ "toolchain", "ls|versions NAME", "toolchains and their versions", NULL, NULL, NULL, NULL,
	  COMMAND_PLANNED, 0, -1 },
	{ 0 },
};

const struct command *commands_find(const struct command *table, const char *name)
{
	for (const struct command *k = table; k->name; k++)
		if (strcmp(k->name, name) == 0)
			return k;
	return NULL;
}

const char *commands_alias(const char *name)
{
	static const char *const aliases[][2] = {
		{ "shell", "enter" },   { "attach", "enter" },   { "activate", "enter" }, { "start", "enter" },
		{ "develop", "enter" }, { "exec", "run" },       { "x", "run" },          { "list", "ls" },
		{ "fetch", "pull" },    { "install", "pull" },   { "images", "image ls" }, { "inspect", "image inspect" },
		{ "rmi", "image rm" },  { "prune", "gc" },       { "clean", "gc" },       { "upgrade", "update" },
		{ "new", "init" },      { "create", "init" },    { "trust", "allow" },    { "untrust", "deny" },
		{ "check", "doctor" },  { "show", "status" },    { "remove", "reset" },   { "rm", "reset" },
		{ "stop", "down" },
	};

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcmp(aliases[i][0], name) == 0)
			return aliases[i][1];
	return NULL;
}

const char *commands_nearest(const struct command *table, const char *name)
{
	const char *names[64];
	size_t n = 0;

	for (const struct command *k = table; k->name && n < 63; k++)
		if (!(k->flags & COMMAND_HIDDEN))
			names[n++] = k->name;
	names[n] = NULL;
	return text_nearest(name, names);
}
