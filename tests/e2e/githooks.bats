#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# githooks.bats - `devenv git-hooks` with the real git: what the hooks run, what they say, and that nothing is lost.
load support

setup_file() {
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store XDG_STATE_HOME=$BATS_FILE_TMPDIR/state
	export XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
	export GIT_CONFIG_GLOBAL=$BATS_FILE_TMPDIR/gitconfig GIT_CONFIG_SYSTEM=/dev/null
	git config --global user.name Somebody
	git config --global user.email somebody@example.org
	git config --global init.defaultBranch main
	git config --global advice.detachedHead false
}

setup() {
	command -v git >/dev/null || skip "git is not installed"
	R=$BATS_TEST_TMPDIR/repository
	HOOKS=$R/.git/hooks
}

# repository [TEXT]: a clone-like R with a project at its top, locked, prepared and committed.
repository() {
	git init -q "$R"
	ready "$R" "image = $SMALL" "${1:-[sandbox]
network = none}"
	(cd "$R" && git add -A && git commit -q -m first)
	devenv -q -C "$R" run -- true
}

# Everything about a directory that uninstall promises to put back.
picture() {
	(cd "$R/.git" && find hooks config -printf '%p %y %m %l\n' | sort && find hooks config -type f -exec sha256sum {} + | sort)
}

hook() { # NAME TEXT [MODE]
	mkdir -p "$HOOKS"
	printf '%s\n' "$2" >"$HOOKS/$1"
	chmod "${3:-755}" "$HOOKS/$1"
}

GUARD='[git-hooks]
pre-commit =
    echo "in $DEVENV_NAME at $(pwd) with $#"
    test ! -e forbidden
commit-msg =
    grep -q ^ticket "$1"
    echo checked >>"$1"
pre-push =
    echo "push $1"
    cat >pushed
[sandbox]
network = none'

@test "pre-commit runs inside, and its exit status decides" {
	repository "$GUARD"
	devenv -q -C "$R" git-hooks install
	cd "$R"
	echo 1 >file
	git add file
	run -0 git commit -m "ticket 1"
	[[ $output == *"in repository at $R with 0"* ]]
	touch forbidden
	echo 2 >file
	run git commit -a -m "ticket 2"
	[ "$status" -ne 0 ]
	[ "$(git rev-list --count HEAD)" -eq 2 ]
	run -0 git commit -a --no-verify -m "ticket 2"
}

@test "commit-msg gets the message, may refuse it and change it" {
	repository "$GUARD"
	devenv -q -C "$R" git-hooks install
	cd "$R"
	run git commit --allow-empty -m "no number"
	[ "$status" -ne 0 ]
	git commit -q --allow-empty -m "ticket 3"
	[ "$(git log -1 --format=%B | sed '/^$/d')" = $'ticket 3\nchecked' ]
}

@test "pre-push gets arguments and input, before and after another hook" {
	repository "$GUARD"
	hook pre-push '#!/bin/sh
cat >"$(git rev-parse --show-toplevel)/first"'
	devenv -q -C "$R" git-hooks install
	git init -q --bare "$BATS_TEST_TMPDIR/bare"
	cd "$R"
	git remote add origin "$BATS_TEST_TMPDIR/bare"
	run -0 git push origin main
	[[ $output == *"push origin"* ]]
	grep -q '^refs/heads/main [0-9a-f]* refs/heads/main ' pushed
	cmp first pushed
	# nothing to push: nothing on the input
	run -0 git push origin main
	[ ! -s pushed ]
	hook devenv.d/pre-push '#!/bin/sh
exit 3'
	git commit -q --allow-empty -m "ticket 4"
	run git push origin main
	[ "$status" -ne 0 ]
	[[ $output != *"push origin"* ]]
}

@test "post-checkout and post-merge say in one line that the config changed, only then" {
	repository
	devenv -q -C "$R" git-hooks install
	cd "$R"
	git checkout -q -b other
	printf '[env]\nA = b\n' >>devenv.ini
	echo >>devenv.lock
	git commit -q -a -m config
	run -0 git checkout -q main
	[ -z "$output" ]
	run -0 git checkout -q other
	[ "$output" = 'devenv: devenv.ini and devenv.lock changed since the environment was prepared; `devenv enter` takes it in' ]
	# the file is written anew, but it is the prepared one
	run -0 git checkout -q main
	[ -z "$output" ]
	run -0 git merge -q other
	[ "$(grep -c '^devenv:' <<<"$output")" -eq 1 ]
	devenv -q -C "$R" run -- true
	run -0 git checkout -q -b third
	[ -z "$output" ]
	# a broken file is not this hook's to judge
	git checkout -q -b broken
	echo '[nonsense' >devenv.ini
	git commit -q -a -m broken --no-verify
	git checkout -q third
	run -0 git checkout -q broken
	[ "$(grep -c '^devenv:' <<<"$output")" -eq 1 ]
}

@test "rebase says it once" {
	repository
	devenv -q -C "$R" git-hooks install
	cd "$R"
	git checkout -q -b work
	git commit -q --allow-empty -m one
	echo x >x && git add x && git commit -q -m two
	git checkout -q main
	printf '[env]\nA = b\n' >>devenv.ini
	git commit -q -a -m config
	git checkout -q work
	devenv -q -C "$R" run -- true
	run -0 git rebase -q main
	[ "$(grep -c '^devenv:' <<<"$output")" -eq 1 ]
	# one that has nothing to rewrite
	devenv -q -C "$R" run -- true
	git checkout -q -b behind "$(git rev-list --max-parents=0 HEAD)"
	devenv -q -C "$R" run -- true
	run -0 git rebase -q main
	[ "$(grep -c '^devenv:' <<<"$output")" -eq 1 ]
}

@test "a checkout that was never prepared, or has no config, is left in peace" {
	repository
	devenv -q -C "$R" git-hooks install
	cd "$R"
	run -0 git worktree add -q "$BATS_TEST_TMPDIR/tree" -b tree
	[ -z "$output" ]
	git checkout -q --orphan empty
	git rm -q -f -r .
	run -0 git commit -q --allow-empty -m "nothing here"
	[ -z "$output" ]
}

@test "from a worktree: the same hooks, its own environment" {
	repository "$GUARD"
	devenv -q -C "$R" git-hooks install
	cd "$R"
	git worktree add -q "$BATS_TEST_TMPDIR/tree" -b tree
	cd "$BATS_TEST_TMPDIR/tree"
	run -0 git commit --allow-empty -m "ticket 5"
	[[ $output == *"at $BATS_TEST_TMPDIR/tree with 0"* ]]
	git log -1 --format=%B | grep -qx checked
	run git commit --allow-empty -m "no number"
	[ "$status" -ne 0 ]
	run -0 devenv git-hooks status
	[[ $output == *"$HOOKS"* ]]
	[[ $output != *next:* ]]
}

@test "a project below the top of the work tree" {
	git init -q "$R"
	ready "$R/sub dir" "image = $SMALL" "$GUARD"
	cd "$R" && git add -A && git commit -q -m first
	devenv -q -C "$R/sub dir" git-hooks install
	run -0 git commit --allow-empty -m "ticket 6"
	[[ $output == *"in sub dir at $R/sub dir with 0"* || $output == *"at $R/sub dir with 0"* ]]
	git log -1 --format=%B | grep -qx checked
	# a second one in the same repository
	ready "$R/b" "image = $SMALL" "$GUARD"
	devenv -q -C "$R/b" git-hooks install
	run -0 git commit --allow-empty -m "ticket 7"
	[[ $output == *"at $R/sub dir with"*"at $R/b with"* ]]
	before=$(git config core.hooksPath || :)
	devenv -q -C "$R/b" git-hooks uninstall
	run -0 git commit --allow-empty -m "ticket 8"
	[[ $output != *"at $R/b with"* ]]
	devenv -q -C "$R/sub dir" git-hooks uninstall
	[ ! -e "$HOOKS/pre-commit" ]
}

@test "hooks that were there run first, and come back as they were" {
	repository "$GUARD"
	hook pre-commit '#!/bin/sh
echo "before $(basename "$0") $(cat "$(dirname "$0")/neighbour")"' 750
	hook neighbour 'a neighbour' 640
	hook post-merge '#!/bin/sh
exit 7' 644
	ln -s ../../elsewhere "$HOOKS/pre-push"
	before=$(picture)
	devenv -q -C "$R" git-hooks install
	devenv -q -C "$R" git-hooks install
	cd "$R"
	run -0 git commit --allow-empty -m "ticket 9"
	[[ $output == *"before pre-commit a neighbour"*"in repository"* ]]
	printf '#!/bin/sh\nexit 1\n' >"$HOOKS/devenv.d/pre-commit"
	run git commit --allow-empty -m "ticket 10"
	[ "$status" -ne 0 ]
	[[ $output != *"in repository"* ]]
	git -C "$R" config --unset core.nothing || :
	hook devenv.d/pre-commit '#!/bin/sh
echo "before $(basename "$0") $(cat "$(dirname "$0")/neighbour")"' 750
	run -0 devenv git-hooks uninstall
	[ "$before" = "$(picture)" ]
	run -0 devenv git-hooks uninstall
	[[ $output == *"no hook of devenv"* ]]
	[ "$before" = "$(picture)" ]
}

@test "core.hooksPath is chained, hooks we do not have too, and comes back byte for byte" {
	repository "$GUARD"
	cd "$R"
	mkdir -p .githooks
	printf '#!/bin/sh\necho "team $0"\n' >.githooks/pre-commit
	printf '#!/bin/sh\necho "prepared" >>"$1"\n' >.githooks/prepare-commit-msg
	chmod 755 .githooks/*
	printf '[core]  ; a comment\n   hooksPath=.githooks   ; another\n' >>.git/config
	chmod 600 .git/config
	hook pre-commit '#!/bin/sh
echo inactive'
	before=$(picture)
	devenv -q git-hooks install
	[ "$(git config core.hooksPath)" = "$HOOKS" ]
	run -0 git commit --allow-empty -m "ticket 11"
	[[ $output == *"team .githooks/pre-commit"*"in repository"* ]]
	[[ $output != *inactive* ]]
	git log -1 --format=%B | grep -qx prepared
	run -0 devenv git-hooks status --json
	[[ $output == *'"installed":true'* ]]
	devenv -q git-hooks uninstall
	[ "$before" = "$(picture)" ]
	# with an edit in between only that value goes back
	devenv -q git-hooks install
	git config some.thing else
	devenv -q git-hooks uninstall
	[ "$(git config core.hooksPath)" = .githooks ]
	[ "$(git config some.thing)" = else ]
}

@test "a moved repository: install again mends it, uninstall still knows the way back" {
	repository "$GUARD"
	cd "$R"
	mkdir .githooks
	printf '#!/bin/sh\necho team\n' >.githooks/pre-commit
	chmod 755 .githooks/*
	git config core.hooksPath .githooks
	before=$(picture)
	devenv -q git-hooks install
	mv "$R" "$R.moved"
	R=$R.moved
	HOOKS=$R/.git/hooks
	cd "$R"
	devenv -q allow -y # another place is another project
	run -0 devenv git-hooks status
	[[ $output == *"git looks in"*next:* ]]
	devenv -q git-hooks install
	run -0 git commit --allow-empty -m "ticket 16"
	[[ $output == *team*"at $R with 0"* ]]
	devenv -q git-hooks uninstall
	[ "$before" = "$(picture)" ]
	# somebody removed the directory of what was there
	devenv -q git-hooks install
	rm -r "$HOOKS/devenv.d"
	git config --unset core.hooksPath
	run -0 git commit --allow-empty -m "no number"
	run -0 devenv git-hooks uninstall
	[ ! -e "$HOOKS/pre-commit" ]
}

@test "a global core.hooksPath whose hooks call the repository's" {
	repository "$GUARD"
	cd "$R"
	mkdir -p "$BATS_TEST_TMPDIR/global"
	printf '#!/bin/sh\necho global\nexec "$(git rev-parse --git-common-dir)/hooks/pre-commit"\n' \
		>"$BATS_TEST_TMPDIR/global/pre-commit"
	chmod 755 "$BATS_TEST_TMPDIR/global/pre-commit"
	hook pre-commit '#!/bin/sh
echo "the repository"'
	export GIT_CONFIG_GLOBAL=$BATS_TEST_TMPDIR/gitconfig
	cp "$BATS_FILE_TMPDIR/gitconfig" "$GIT_CONFIG_GLOBAL"
	git config --global core.hooksPath "$BATS_TEST_TMPDIR/global"
	before=$(picture)
	devenv -q git-hooks install
	run -0 git commit --allow-empty -m "ticket 12"
	[ "$(grep -c global <<<"$output")" -eq 1 ]
	[ "$(grep -c 'the repository' <<<"$output")" -eq 1 ]
	[ "$(grep -c 'in repository' <<<"$output")" -eq 1 ]
	devenv -q git-hooks uninstall
	[ "$before" = "$(picture)" ]
	[ "$(git config core.hooksPath)" = "$BATS_TEST_TMPDIR/global" ]
}

@test "a hook put over ours counts; nothing is lost" {
	repository
	hook pre-commit '#!/bin/sh
echo old'
	devenv -q -C "$R" git-hooks install
	hook pre-commit '#!/bin/sh
echo new'
	run -0 devenv -C "$R" git-hooks status
	[[ $output == *replaced*next:* ]]
	run -0 devenv -C "$R" git-hooks install
	[[ $output == *before-devenv* ]]
	cd "$R"
	run -0 git commit --allow-empty -m x
	[[ $output == *new* ]]
	[[ $output != *old* ]]
	devenv -q git-hooks uninstall
	grep -q new "$HOOKS/pre-commit"
	grep -q old "$HOOKS/pre-commit.before-devenv"
}

@test "without devenv on PATH: one line, and git goes on; chained hooks still run" {
	repository "$GUARD"
	hook pre-commit '#!/bin/sh
echo before'
	devenv -q -C "$R" git-hooks install
	cd "$R"
	run -0 env PATH=/usr/bin:/bin git commit --allow-empty -m "no number"
	[ "$(grep -c 'devenv: not on PATH, so the pre-commit hook is skipped' <<<"$output")" -eq 1 ]
	[[ $output == *before* ]]
	run -0 env PATH=/usr/bin:/bin git checkout -q -b other
	[ "$(grep -c '^devenv:' <<<"$output")" -eq 1 ]
}

@test "inside the environment hooks run directly" {
	repository "$GUARD"
	devenv -q -C "$R" git-hooks install
	cd "$R"
	run -0 devenv run -- .git/hooks/pre-commit
	[ "$output" = "in repository at $R with 0" ]
	echo "no number" >message
	run devenv run -- .git/hooks/commit-msg message
	[ "$status" -eq 1 ]
	run -0 devenv run -- sh -c 'echo line | .git/hooks/pre-push origin url'
	[ "$output" = "push origin" ]
	[ "$(cat pushed)" = line ]
	run -0 devenv run -- .git/hooks/post-checkout a b 1
	[ -z "$output" ]
}

@test "[workspace] target: paths are those of inside" {
	repository "[workspace]
target = /work
$GUARD"
	devenv -q -C "$R" git-hooks install
	cd "$R"
	run -0 git commit --allow-empty -m "ticket 13"
	[[ $output == *"at /work with 0"* ]]
	git log -1 --format=%B | grep -qx checked
}

@test "nothing of git runs before the project is allowed" {
	git init -q "$R"
	project "$R" "image = $SMALL" "$(printf '[sandbox]\nnetwork = host\n%s' "${GUARD%\[sandbox\]*}")"
	cd "$R"
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\ntouch "%s/ran"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/bin/git"
	chmod 755 "$BATS_TEST_TMPDIR/bin/git"
	for what in install uninstall status; do
		PATH=$BATS_TEST_TMPDIR/bin:$PATH run --separate-stderr devenv git-hooks $what
		complaint 1 'not allowed yet'
	done
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run -0 devenv status
	[[ $output == *"devenv git-hooks install"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "status says what is not installed; errors say what to do" {
	repository "$GUARD"
	run -0 devenv -C "$R" status
	[[ $output == *"[git-hooks] are not installed: devenv git-hooks install"* ]]
	run -0 devenv -C "$R" git-hooks status
	[ "${#lines[@]}" -le 24 ]
	[[ $output == *pre-commit*missing*next:* ]]
	devenv -q -C "$R" git-hooks install
	run -0 devenv -C "$R" status
	[[ $output != *git-hooks* ]]
	run -0 devenv -C "$R" git-hooks status --json
	/usr/bin/python3 -c 'import json, sys
d = json.load(sys.stdin)
assert d["schema"] == 1 and d["installed"] and len(d["hooks"]) == 6, d' <<<"$output"
	ready "$BATS_TEST_TMPDIR/alone" "image = $SMALL"
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/alone" git-hooks install
	complaint 1 'no git repository'
	mv "$HOOKS" "$R/.git/away"
	ln -s away "$HOOKS"
	run --separate-stderr devenv -C "$R" git-hooks install
	complaint 1 'is not a directory but a link'
}

@test "a config that can't be read stops the commit and names the way round" {
	repository "$GUARD"
	devenv -q -C "$R" git-hooks install
	cd "$R"
	echo '[git-hook]' >>devenv.ini
	run git commit --allow-empty -m "ticket 14"
	[ "$status" -ne 0 ]
	[[ $output == *"did you mean [git-hooks]"* ]]
	[[ $output == *--no-verify* ]]
	# devenv itself fails: the same
	git checkout -q devenv.ini
	sed -i 's/small:gzip/small:none/' devenv.ini
	run git commit --allow-empty -m "ticket 15"
	[ "$status" -ne 0 ]
	[[ $output == *"the pre-commit hook did not run; git's --no-verify"* ]]
}
