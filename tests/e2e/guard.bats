#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# guard.bats - what sessions leave in a project that programs of this machine act on is told, once.
load support

setup() {
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	P=$BATS_TEST_TMPDIR/p
	command -v git >/dev/null || skip "git is not installed"
	ready "$P" "image = $DJANGO"
	git -C "$P" init -q -b main
	devenv -q -C "$P" run -- true
	KEYS='devenv: settings that make git of this machine run programs, or use other servers, appeared:'
	FILES='devenv: files that programs of this machine act on were changed:'
}
teardown() {
	terminal_stop
	[ ! -e "$P/.held" ] || touch "$P/.release"
}

# said SCRIPT [OPTION...]: what a session that runs it makes devenv say.
said() {
	local script=$1
	shift
	run --separate-stderr devenv -C "$P" "$@" run -- sh -c "$script"
}

@test "a setting of git that runs a program is told, once, and left alone" {
	said 'printf "[core]\n\tfsmonitor = evil\n[filter \"x\"]\n\tclean = evil\n" >>.git/config'
	[ "$status" -eq 0 ] && [ -z "$output" ]
	[ "$stderr" = "$KEYS core.fsmonitor (in .git/config), filter.x.clean" ]
	[ "$(git config -f "$P/.git/config" core.fsmonitor)" = evil ]
	said true
	[ -z "$stderr" ]
	# another value is news, and so is another way to write it
	said 'sed -i "s/fsmonitor = evil/fsmonitor = worse/" .git/config'
	[ "$stderr" = "$KEYS core.fsmonitor (in .git/config)" ]
	said 'printf "[CORE] SSHCommand = \"a b\" ; c\n[alias]\nst = status\nx = \"!sh\"\n" >>.git/config'
	[ "$stderr" = "$KEYS core.sshcommand (in .git/config), alias.x" ]
}

@test "what git does on an ordinary day is no news" {
	said 'printf "[remote \"origin\"]\n\turl = https://git.example.org/a.git\n[branch \"main\"]\n\tremote = origin\n" >>.git/config
		touch .git/config; mkdir -p sub/.vscode; echo x >sub/.vscode/x; echo x >file'
	[ -z "$stderr" ]
}

@test "every session tells: the exit status stays, --root, enter, -q" {
	said 'echo x >.envrc; exit 3'
	[ "$status" -eq 3 ]
	[ "$stderr" = "$FILES .envrc" ]
	run -0 --separate-stderr devenv -C "$P" run --root -- sh -c 'mkdir .vscode; echo x >.vscode/tasks.json; mkdir -p .idea/a; echo x >.idea/a/b.xml'
	[ "$stderr" = "$FILES .vscode/tasks.json, .idea/a/b.xml" ]
	run -0 --separate-stderr bash -c 'devenv -C "$0" enter <<<"echo y >.envrc"' "$P"
	[ "$stderr" = "$FILES .envrc" ]
	said 'echo z >.envrc' -q
	[ -z "$stderr" ]
	said true
	[ -z "$stderr" ]
}

@test "names are shown escaped, and a long list is cut" {
	said 'mkdir .vscode; echo x >".vscode/$(printf "a\033[31m\nb")"; git=.git/config
		printf "[filter \"\033]0;x\007\"]\n\tsmudge = y\n" >>.git/config'
	[ "${stderr_lines[0]}" = "$KEYS filter.\\x1b]0;x\\x07.smudge (in .git/config)" ]
	[ "${stderr_lines[1]}" = "$FILES .vscode/a\\x1b[31m\\x0ab" ]
	said 'for i in 1 2 3 4 5 6 7 8 9 10; do echo x >.vscode/$i; done'
	[[ $stderr == *" and 2 more" ]]
}

@test "your own changes between sessions are no news" {
	printf '[core]\n\tsshCommand = ssh -v\n' >>"$P/.git/config"
	echo mine >"$P/.envrc"
	sleep 0.1
	said true
	[ -z "$stderr" ]
	# and are known from then on
	said 'touch .git/config; git=1; echo "[alias]" >>.git/config'
	[ -z "$stderr" ]
}

@test "what is moved into place is as new as the move" {
	mkdir "$P/prepared"
	echo x >"$P/prepared/tasks.json"
	printf '[core]\n\tpager = evil\n' | cat "$P/.git/config" - >"$P/prepared.config"
	sleep 0.1
	said 'mv prepared .vscode; mv prepared.config .git/config'
	[ "${stderr_lines[0]}" = "$KEYS core.pager (in .git/config)" ]
	[ "${stderr_lines[1]}" = "$FILES .vscode/tasks.json" ]
}

@test "ways round .git/config: includes, worktrees, submodules, another common directory" {
	mkdir -p "$P/.git/modules/a/b" "$P/.git/worktrees/w"
	echo 'ref: refs/heads/main' | tee "$P/.git/modules/a/b/HEAD" >"$P/.git/worktrees/w/HEAD"
	said 'printf "[include]\n\tpath = ../evil\n" >>.git/config'
	[ "$stderr" = "$KEYS include.path (in .git/config)" ]
	said 'printf "[core]\n\teditor = evil\n" >.git/modules/a/b/config; cp .git/modules/a/b/config .git/worktrees/w/config.worktree
		cp .git/modules/a/b/config .git/config.worktree'
	[ "$stderr" = "$KEYS core.editor (in .git/config.worktree), core.editor (in .git/modules/a/b/config), core.editor (in .git/worktrees/w/config.worktree)" ]
	said 'echo ../evil >.git/commondir'
	[ "$stderr" = "$FILES .git/commondir" ]
	rm "$P/.git/commondir"
	said 'mv .git/config .git/c; ln -s c .git/config'
	[ "$stderr" = "$FILES .git/config" ]
}

@test "a repository made inside: its hooks too" {
	rm -r "$P/.git"
	devenv -q -C "$P" run -- true
	said 'mkdir -p .git/hooks .git/objects .git/refs; echo "ref: refs/heads/main" >.git/HEAD; echo evil >.git/hooks/pre-commit
		printf "[core]\n\thookspath = x\n" >.git/config'
	[ "${stderr_lines[0]}" = "$KEYS core.hookspath (in .git/config)" ]
	[ "${stderr_lines[1]}" = "$FILES .git/hooks/pre-commit" ]
}

@test "two sessions: whoever ends first tells, the other does not" {
	hold "$P"
	said 'echo x >.envrc'
	[ "$stderr" = "$FILES .envrc" ]
	release "$P"
	said true
	[ -z "$stderr" ]
}

@test "a launcher that was killed: the next session tells" {
	devenv -C "$P" run -- sh -c 'echo x >.envrc; echo >.held; sleep 100' 3>&- 4>&- </dev/null &
	wait_for 20 test -e "$P/.held"
	kill -9 $!
	wait $! || :
	wait_for 20 nothing_inside
	said true
	[ "$stderr" = "$FILES .envrc" ]
	said true
	[ -z "$stderr" ]
}

@test "a session that moves the project's parents inside hides nothing" {
	mkdir -p "$HOME/deep/er"
	Q=$HOME/deep/er/p
	ready "$Q" "image = $DJANGO"
	run -0 --separate-stderr devenv -C "$Q" run -- sh -c 'echo x >.envrc; cd /; mv "$HOME/deep" "$HOME/gone"; mkdir -p "$HOME/deep/er/p"'
	[ "$stderr" = "$FILES .envrc" ]
	rm -rf "$HOME/deep"
}

@test "protect = off, --untrusted and --image look at nothing" {
	sed -i 's/network = none/&\nprotect = off/' "$P/devenv.ini"
	said 'echo x >.envrc; printf "[core]\n\tpager = x\n" >>.git/config'
	[ -z "$stderr" ]
	run -0 --separate-stderr bash -c 'devenv -C "$0" enter --untrusted <<<"echo y >.envrc"' "$P"
	[[ $stderr != *"act on"* ]]
	run -0 --separate-stderr devenv -q run --image "$SMALL" -- true
	[ -z "$stderr" ]
}
