/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_hook.c - `devenv hook bash|zsh|fish`: code for the user's rc file.
 *
 * When the shell comes into a directory of a project, one line says so, once, until it leaves the project. The check is
 * the shell's own walk up to the nearest devenv.ini: nothing is started and nothing of the project is read, so that a
 * cd costs microseconds and a repository can't do anything by being looked at. The prompt is left alone. Completions
 * come along.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char bash_hook[] =
	"# devenv hook for bash; in ~/.bashrc: eval \"$(devenv hook bash)\"\n"
	"_devenv_hook() {\n"
	"\tlocal status=$? dir=$PWD\n"
	"\t[[ $dir == \"$_devenv_pwd\" ]] && return $status\n"
	"\t_devenv_pwd=$dir\n"
	"\twhile [[ -n $dir && ! -f $dir/devenv.ini ]]; do dir=${dir%/*}; done\n"
	"\tif [[ $dir != \"$_devenv_root\" ]]; then\n"
	"\t\t_devenv_root=$dir\n"
	"\t\t[[ -z $dir || -n $DEVENV ]] || printf 'devenv: %q has an environment; `devenv enter` opens it\\n' \"${dir##*/}\" >&2\n"
	"\tfi\n"
	"\treturn $status\n"
	"}\n"
	"[[ ${PROMPT_COMMAND[*]} == *_devenv_hook* ]] || PROMPT_COMMAND=\"_devenv_hook${PROMPT_COMMAND:+; $PROMPT_COMMAND}\"\n";

static const char zsh_hook[] =
	"# devenv hook for zsh; in ~/.zshrc: eval \"$(devenv hook zsh)\"\n"
	"_devenv_hook() {\n"
	"\tlocal dir=$PWD\n"
	"\twhile [[ -n $dir && ! -f $dir/devenv.ini ]]; do dir=${dir%/*}; done\n"
	"\t[[ $dir == \"$_devenv_root\" ]] && return\n"
	"\t_devenv_root=$dir\n"
	"\t[[ -z $dir || -n $DEVENV ]] || print -ru2 -- \"devenv: ${(V)dir:t} has an environment; \\`devenv enter\\` opens it\"\n"
	"}\n"
	"autoload -Uz add-zsh-hook && add-zsh-hook chpwd _devenv_hook && _devenv_hook\n";

static const char fish_hook[] =
	"# devenv hook for fish; in config.fish: devenv hook fish | source\n"
	"function _devenv_hook --on-variable PWD\n"
	"\tset -l dir $PWD\n"
	"\twhile test -n \"$dir\" -a ! -f \"$dir/devenv.ini\"\n"
	"\t\tset dir (string replace -r '/[^/]*$' '' -- $dir)\n"
	"\tend\n"
	"\tif test \"$dir\" != \"$_devenv_root\"\n"
	"\t\tset -g _devenv_root $dir\n"
	"\t\tif test -n \"$dir\" -a -z \"$DEVENV\"\n"
	"\t\t\techo \"devenv: \"(string escape -- (string replace -r '.*/' '' -- $dir))\" has an environment; `devenv enter` opens it\" >&2\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"_devenv_hook\n";

int cmd_hook(struct cli *c, struct err *e)
{
	const char *shell = c->operands[0];

	if (strcmp(shell, "bash") == 0)
		fputs(bash_hook, stdout);
	else if (strcmp(shell, "fish") == 0)
		fputs(fish_hook, stdout);
	else if (strcmp(shell, "zsh") == 0)
		fputs(zsh_hook, stdout);
	else
		return err_set(e, ERR_USAGE, "hooks are made for bash, zsh and fish, not for '%s'", text_safe(shell));
	/* zsh's completion is a file of a directory in fpath and of no use evaluated before compinit */
	return strcmp(shell, "zsh") == 0 ? 0 : cmd_completion(c, e);
}
