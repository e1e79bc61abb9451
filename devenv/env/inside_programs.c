/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside_programs.c - `devenv` and `sudo` inside: shell scripts of the generated layer.
 *
 * Scripts, because then nothing of the host's is bound in that somebody inside could try to change, and nothing is
 * mounted at start. Exit statuses are those of the real ones: 125 is devenv's, 2 a wrong command line.
 */
#include "env/inside.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"

static const char devenv_script[] =
	"#!/bin/sh\n"
	"# devenv inside an environment: `run` runs, `status` answers, the rest is for outside.\n"
	"fail() { code=$1; shift; printf 'devenv: %s\\n' \"$@\" >&2; exit \"$code\"; }\n"
	"name=${DEVENV_NAME:-this environment}\n"
	"json=\n"
	"field() { sed -n \"s/^$1=\\\"\\(.*\\)\\\"\\$/\\1/p\" /run/.containerenv 2>/dev/null; }\n"
	"go() { cd -- \"$1\" || exit 125; }\n"
	"while [ $# -gt 0 ]; do\n"
	"\tcase $1 in\n"
	"\t-C | --directory) go \"${2:?}\"; shift 2 ;;\n"
	"\t-C*) go \"${1#-C}\"; shift ;;\n"
	"\t--directory=*) go \"${1#*=}\"; shift ;;\n"
	"\t--json) json=1; shift ;;\n"
	"\t-q | -v | -y | --quiet | --verbose | --yes | --locked | --offline | --color=*) shift ;;\n"
	"\t-h | --help) set -- help ;;\n"
	"\t--version) set -- version ;;\n"
	"\t-*) fail 2 \"unknown option '$1' inside $name\" ;;\n"
	"\t*) break ;;\n"
	"\tesac\n"
	"done\n"
	"command=${1:-help}\n"
	"[ $# -eq 0 ] || shift\n"
	"case $command in\n"
	"run)\n"
	"\twhile [ $# -gt 0 ]; do\n"
	"\t\tcase $1 in\n"
	"\t\t--) shift; break ;;\n"
	"\t\t-h | --help) echo 'usage: devenv run [-e K=V] [--] CMD [ARG...]   (inside: it just runs)'; exit 0 ;;\n"
	"\t\t-e | --env) case ${2-} in *=*) export \"$2\" ;; esac; [ $# -lt 2 ] || shift; shift ;;\n"
	"\t\t--env=*=*) export \"${1#--env=}\"; shift ;;\n"
	"\t\t-C) go \"${2:?}\"; shift 2 ;;\n"
	"\t\t-q | -v | -y | --quiet | --verbose | --yes | --locked | --offline) shift ;;\n"
	"\t\t--root) [ \"$(id -u)\" = 0 ] || fail 125 \"type \\`devenv run --root\\` outside: nobody becomes root from inside $name\"; shift ;;\n"
	"\t\t--image | --image=*) fail 125 \"type \\`devenv run --image\\` outside: no environment starts inside $name\" ;;\n"
	"\t\t-*) fail 125 \"unknown option '$1'\" ;;\n"
	"\t\t*) break ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t[ $# -gt 0 ] || fail 125 '`devenv run` needs a command'\n"
	"\texec \"$@\" ;;\n"
	"status)\n"
	"\tif [ -n \"$json\" ] || [ \"${1-}\" = --json ]; then\n"
	"\t\tprintf '{\"schema\":1,\"inside\":true,\"name\":\"%s\",\"image\":\"%s\"}\\n' \"$(field name)\" \"$(field image)\"\n"
	"\telse\n"
	"\t\tprintf 'inside %s, made from %s\\n' \"$(field name)\" \"$(field image)\"\n"
	"\tfi ;;\n"
	"version) printf 'devenv %s (inside %s)\\n' \"$(field engine | sed 's/^devenv-//')\" \"$name\" ;;\n"
	"help) printf '%s\\n' \"This is inside $name. Here \\`devenv run CMD\\` just runs CMD, and \\`devenv status\\` says where you are;\" \\\n"
	"\t'everything else is typed outside. `exit` leaves.' ;;\n"
	"enter) fail 125 \"you are inside $name already; \\`exit\\` leaves it\" ;;\n"
	"*) fail 1 \"type \\`devenv $command\\` outside: this is inside $name\" ;;\n"
	"esac\n";

/* What is said to who installs a package by hand; a word of the shell. */
#define APT_KEEP "\"to keep a package: [packages] apt, in devenv.ini for everybody, in devenv.local.ini for you\""

/* As root it is what Dockerfiles and install scripts expect: the command, run. */
static const char sudo_script[] =
	"#!/bin/sh\n"
	"# No process inside gains rights, so there is no sudo; this says what to type instead.\n"
	"quote() { # a word as a shell reads it\n"
	"\tcase $1 in\n"
	"\t'' | *[!A-Za-z0-9_./=:,@%+-]*) ;;\n"
	"\t*) printf '%s' \"$1\"; return ;;\n"
	"\tesac\n"
	"\trest=$1 done=\n"
	"\twhile :; do\n"
	"\t\tcase $rest in\n"
	"\t\t*\\'*) done=$done${rest%%\\'*}\"'\\\\''\"; rest=${rest#*\\'} ;;\n"
	"\t\t*) break ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tprintf \"'%s'\" \"$done$rest\"\n"
	"}\n"
	"variables= who=root\n"
	"while [ $# -gt 0 ]; do\n"
	"\tcase $1 in\n"
	"\t--) shift; break ;;\n"
	"\t-u | --user) who=${2:-root}; [ $# -lt 2 ] || shift; shift ;;\n"
	"\t-u?* | --user=*) who=${1#-u}; who=${who#--user=}; shift ;;\n"
	"\t-g | -h | -p | -U | -C) [ $# -lt 2 ] || shift; shift ;;\n"
	"\t-*) shift ;;\n"
	"\t*=*) export \"$1\"; variables=\"$variables -e $(quote \"$1\")\"; shift ;;\n"
	"\t*) break ;;\n"
	"\tesac\n"
	"done\n"
	"case $who in\n"
	"root | 0 | '#0') ;;\n"
	"*) echo \"sudo: nobody becomes somebody else inside ${DEVENV_NAME:-an environment}, as $who here: there is one user\" >&2; exit 1 ;;\n"
	"esac\n"
	"if [ \"$(id -u)\" = 0 ] && [ $# -gt 0 ]; then exec \"$@\"; fi\n"
	"if [ \"$(id -u)\" = 0 ]; then exit 0; fi\n"
	"echo \"sudo: nobody becomes root from inside ${DEVENV_NAME:-an environment}; type this outside:\" >&2\n"
	"if [ $# -eq 0 ]; then echo '  devenv enter --root' >&2; exit 1; fi\n"
	"command=\n"
	"for word; do command=\"$command $(quote \"$word\")\"; done\n"
	"case \"$1 $*\" in\n"
	"apt\\ *\\ install\\ * | apt-get\\ *\\ install\\ *) command=\" sh -c $(quote \"apt-get update &&$command\")\" keep=" APT_KEEP ";;\n"
	"esac\n"
	"printf '  devenv run --root%s --%s\\n' \"$variables\" \"$command\" >&2\n"
	"[ -z \"${keep:-}\" ] || echo \"$keep\" >&2\n"
	"exit 1\n";

/*
 * apt asks this before it downloads anything (AptCli::Hooks, since 1.6), and gives up when it fails; otherwise dpkg would say
 * so after the download. It is asked again when it gave up, which is no news then. What changes nothing is let through.
 */
#define APT_HOOK "/etc/apt/devenv-not-root"

/* A shell runs it, in whose place it has to be for apt to be its parent. */
static const char apt_options[] = "AptCli::Hooks::Install:: \"exec " APT_HOOK "\";\n"
				  "AptCli::Hooks::Upgrade:: \"exec " APT_HOOK "\";\n";

static const char apt_hook[] =
	"#!/bin/sh\n"
	"[ \"$(id -u)\" != 0 ] || exit 0\n"
	"command=$(tr '\\0' ' ' <\"/proc/$PPID/cmdline\") || exit 0\n"
	"for word in $command; do\n"
	"\tcase $word in\n"
	"\t-s | -d | --simulate | --just-print | --dry-run | --recon | --no-act | --download-only | --print-uris) exit 0 ;;\n"
	"\tesac\n"
	"done\n"
	"said=/tmp/.devenv-apt-$PPID\n"
	"if rmdir \"$said\" 2>/dev/null; then exit 1; fi\n"
	"mkdir \"$said\"\n"
	"echo \"devenv: only root changes packages, and only for as long as the environment runs; type this outside:\" >&2\n"
	"echo \"  devenv run --root -- sh -c 'apt-get update && ${command% }'\" >&2\n"
	"echo " APT_KEEP " >&2\n"
	"exit 1\n";

/* The first of these that is on PATH. */
static const char *directory(const struct draft *d)
{
	static const char *const choices[] = { "/usr/local/bin", "/usr/bin", "/bin" };
	const char *path = variables_get(&d->variables, "PATH");
	cleanup_strlist struct strlist dirs = STRLIST_INIT;

	strlist_split(&dirs, path ? path : DRAFT_DEFAULT_PATH, ":");
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		if (strlist_has(&dirs, choices[i]))
			return choices[i];
	return choices[0];
}

static int put(struct draft *d, const char *name, const char *script, struct err *e)
{
	cleanup_free char *path = path_join(directory(d), name);

	if (draft_find_program(d, name, e))
		return 0;
	if (e->code)
		return -1;
	return draft_put_file(d, path, script, strlen(script), 0755, e);
}

static int put_apt_hook(struct draft *d, struct err *e)
{
	int has = draft_has(d, "/etc/apt/apt.conf.d", e);

	if (has <= 0)
		return has;
	if (draft_put_file(d, APT_HOOK, apt_hook, sizeof(apt_hook) - 1, 0755, e) < 0)
		return -1;
	return draft_put_file(d, "/etc/apt/apt.conf.d/99devenv-root", apt_options, sizeof(apt_options) - 1, 0644, e);
}

int inside_put_programs(struct draft *d, struct err *e)
{
	if (put(d, "devenv", devenv_script, e) < 0 || put(d, "sudo", sudo_script, e) < 0)
		return -1;
	return put_apt_hook(d, e);
}
