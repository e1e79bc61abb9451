#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A git hook installed by devenv; `devenv git-hooks uninstall` puts back what was there. Edits here are lost.
#
# First runs the hook that was there before: devenv.d/NAME beside this file or, where core.hooksPath was set, NAME in that
# directory. Then, by name: pre-commit, commit-msg and pre-push run what [git-hooks] says, inside the environment, and
# their exit status decides; post-checkout, post-merge and post-rewrite say in one line when what git brought differs
# from what is prepared. devenv.d/projects lists where in the work tree devenv.ini files are.
name=${0##*/}
own=${0%/*}/devenv.d
inside=/run/devenv/git-hooks

before=$own/$name
# The hook that was there may itself run the one of the repository, which is this one: then that one alone is meant.
if [ "${DEVENV_GIT_HOOK-}" = "$name $PWD" ]; then
	[ -x "$before" ] || exit 0
	exec "$before" "$@"
fi
export DEVENV_GIT_HOOK="$name $PWD"
if [ -f "$own/hooks-path" ]; then
	IFS= read -r before <"$own/hooks-path"
	before=$before/$name
fi

case $name in
pre-commit | commit-msg | pre-push) ;;
*)
	status=0
	if [ -f "$before" ] && [ -x "$before" ]; then
		"$before" "$@"
		status=$?
	fi
	case $name in post-checkout | post-merge | post-rewrite) ;; *) exit $status ;; esac
	{ [ "${DEVENV-}" != 1 ] || [ ! -e /run/.containerenv ]; } && [ -r "$own/projects" ] || exit $status
	if ! command -v devenv >/dev/null 2>&1; then
		echo "devenv: not on PATH, so the $name hook is skipped" >&2
		exit $status
	fi
	while IFS= read -r project; do
		[ ! -f "$project/devenv.ini" ] || devenv -C "$project" hook-check </dev/null
	done <"$own/projects"
	exit $status
	;;
esac

# Only pre-push is given something on its input; both hooks want it.
input=
[ "$name" != pre-push ] || input=$(cat && echo .)
input=${input%.}
feed() {
	if [ "$name" = pre-push ]; then
		printf %s "$input" 2>/dev/null | "$@"
	else
		"$@"
	fi
}

if [ -f "$before" ] && [ -x "$before" ]; then
	feed "$before" "$@" || exit
fi
if [ "${DEVENV-}" = 1 ] && [ -e /run/.containerenv ]; then
	[ -f "$inside/$name" ] || exit 0
	feed /bin/sh -e "$inside/$name" "$@"
	exit
fi
[ -r "$own/projects" ] || exit 0
if ! command -v devenv >/dev/null 2>&1; then
	echo "devenv: not on PATH, so the $name hook is skipped" >&2
	exit 0
fi
while IFS= read -r project <&3; do
	[ -f "$project/devenv.ini" ] || continue
	feed devenv -C "$project" git-hooks run -- "$name" "$@" 3<&- || exit
done 3<"$own/projects"
exit 0
