#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# comfort.bats - completions as the shells use them, the hook for their rc files, what survives a move, gc and reset.
load support

setup_file() {
	export P="$BATS_FILE_TMPDIR/a project" DEVENV_STORE=$BATS_FILE_TMPDIR/store
	export XDG_STATE_HOME=$BATS_FILE_TMPDIR/state XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
	project "$P" "image = $SMALL"
	mkdir -p "$P/below/it"
	devenv -q image pull "$E2E_REGISTRY/hello"
}

teardown() {
	terminal_stop
}

# complete_bash WORD...: what bash offers for the last word.
complete_bash() {
	bash --norc -c '
		. "$E2E_BIN/../share/bash-completion/completions/devenv"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
		_devenv
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
@test "bash completes commands, options, templates and images" {
	run -0 complete_bash devenv en
	[ "$output" = enter ]
	run -0 complete_bash devenv init ""
	[ "$output" = "$(printf 'c\ndjango\ngo\nnode\npython\nrust')" ]
	run -0 complete_bash devenv init p
	[ "$output" = python ]
	run -0 complete_bash devenv image rm ""
	[ "$output" = "$E2E_REGISTRY/hello:latest" ]
	run -0 complete_bash devenv run --image ""
	[ "$output" = "$E2E_REGISTRY/hello:latest" ]
	run -0 complete_bash devenv -C "$P" image l
	[ "$output" = ls ]
	run -0 complete_bash devenv lock --ch
	[ "$output" = --check ]
	run -0 complete_bash devenv hook ""
	[ "$output" = "$(printf 'bash\nzsh\nfish')" ]
}

# A project whose lock has an entry that was extended.
extending() {
	command -v git >/dev/null || skip "git is not installed"
	git init -q -b main "$BATS_FILE_TMPDIR/repo"
	printf '[env]\nA = b\n' >"$BATS_FILE_TMPDIR/repo/base.ini"
	git -C "$BATS_FILE_TMPDIR/repo" add .
	git -C "$BATS_FILE_TMPDIR/repo" -c user.name=n -c user.email=e@example.org commit -q -m first
	project "$BATS_FILE_TMPDIR/extending" "image = $SMALL" "[devenv]
extends = git+file://$BATS_FILE_TMPDIR/repo#main:base.ini"
	devenv -q -C "$BATS_FILE_TMPDIR/extending" lock -y
	EXTENDS=$(sed -n 's/^\[\(extends\..*\)\]$/\1/p' "$BATS_FILE_TMPDIR/extending/devenv.lock")
	cd "$BATS_FILE_TMPDIR/extending"
}

@test "update completes the names of the lock, in three shells" {
	extending
	run -0 complete_bash devenv update ""
	[ "$output" = "$(printf 'base\n%s' "$EXTENDS")" ]
	# bash gives it in pieces, and takes the last one
	run -0 complete_bash devenv update "${EXTENDS%%:*}" : "//"
	[ "$output" = "${EXTENDS#*:}" ]
	run -0 fish --no-config -c 'source $argv[1]; complete -C$argv[2]' \
		"$E2E_BIN/../share/fish/vendor_completions.d/devenv.fish" "devenv update e"
	[ "$output" = "$EXTENDS" ]
	terminal_start
	terminal_type "cd '$PWD'; PS1='ready> ' bash --norc"
	terminal_wait '^ready> '
	terminal_type ". '$E2E_BIN/../share/bash-completion/completions/devenv'; echo loaded"
	terminal_wait '^loaded'
	terminal_type_keys "devenv update ext"
	terminal_key Tab
	terminal_wait "devenv update extends.*base.ini@main"
	terminal_key C-u
	terminal_type_keys "devenv update ${EXTENDS%se.ini@main}"
	terminal_key Tab
	terminal_key Enter
	terminal_wait "up to date"
	terminal_type_keys "devenv image inspect $(cut -c1-13 <<<"$E2E_REGISTRY")"
	terminal_key Tab
	terminal_wait "devenv image inspect $E2E_REGISTRY/hello:latest"
	terminal_key C-u
	terminal_type_keys "devenv run --image $E2E_REGISTRY/he"
	terminal_key Tab
	terminal_wait "devenv run --image $E2E_REGISTRY/hello:latest"
	terminal_stop
	command -v zsh >/dev/null || skip "zsh is not installed"
	terminal_start
	terminal_type "cd '$PWD'; PS1='ready> ' zsh -f"
	terminal_wait '^ready> '
	terminal_type "fpath=($E2E_BIN/../share/zsh/site-functions \$fpath); autoload -U compinit; compinit -u -D; echo loaded"
	terminal_wait '^loaded'
	terminal_type_keys "devenv update ext"
	terminal_key Tab
	terminal_wait "devenv update extends.*base.ini@main"
	terminal_stop
}

@test "fish completes commands, templates and images" {
	command -v fish >/dev/null || skip "fish is not installed"
	offered() {
		fish --no-config -c 'source $argv[1]; complete -C$argv[2]' \
			"$E2E_BIN/../share/fish/vendor_completions.d/devenv.fish" "$1"
	}
	run -0 offered "devenv en"
	[[ $output == enter* ]]
	run -0 offered "devenv init p"
	[[ $output == python* ]]
	run -0 offered "devenv image rm "
	[[ $output == *"$E2E_REGISTRY/hello:latest"* ]]
	run -0 offered "devenv run --image "
	[[ $output == *"$E2E_REGISTRY/hello:latest"* ]]
}

@test "zsh completes commands, templates and images" {
	command -v zsh >/dev/null || skip "zsh is not installed"
	terminal_start
	terminal_type "PS1='ready> ' zsh -f"
	terminal_wait '^ready> '
	terminal_type "fpath=($E2E_BIN/../share/zsh/site-functions \$fpath); autoload -U compinit; compinit -u -D; echo loaded"
	terminal_wait '^loaded'
	terminal_type_keys "devenv init pyt"
	terminal_key Tab
	terminal_wait 'devenv init python'
	terminal_key C-u
	terminal_type_keys "devenv image rm $(cut -c1-6 <<<"$E2E_REGISTRY")"
	terminal_key Tab
	terminal_wait 'devenv image rm .*hello'
	terminal_stop
}
terminal_type_keys() {
	tmux -S "$TERMINAL" send-keys -l -- "$1"
}

@test "the hook announces an environment once, in three shells" {
	for shell in bash zsh fish; do
		command -v "$shell" >/dev/null || continue
		run -0 --separate-stderr announce_"$shell"
		[ "$output" = "" ]
		[ "$(grep -c 'has an environment; `devenv enter` opens it$' <<<"$stderr")" -eq 2 ]
		grep -Eq '^devenv: .?a.*project.* has an environment' <<<"$stderr"
	done
}
# into the project, below it, out, and in again
announce_bash() {
	cd / && bash --norc -c 'eval "$(devenv hook bash)"
		for dir in "$P" "$P/below/it" "$P/below" / "$P"; do cd "$dir"; eval "$PROMPT_COMMAND"; done'
}
announce_zsh() {
	cd / && zsh -f -c 'eval "$(devenv hook zsh)"
		for dir in "$P" "$P/below/it" "$P/below" / "$P"; do cd "$dir"; done'
}
announce_fish() {
	cd / && fish --no-config -c 'devenv hook fish | source
		for dir in "$P" "$P/below/it" "$P/below" / "$P"; cd "$dir"; end'
}

@test "the hook keeps the exit status and the commands of the prompt" {
	run -0 bash --norc -c 'PROMPT_COMMAND="echo mine"; eval "$(devenv hook bash)"; eval "$(devenv hook bash)"
		cd "$P"; false; _devenv_hook; echo "status $?"; eval "$PROMPT_COMMAND"'
	[ "$(grep -c '^mine$' <<<"$output")" -eq 1 ]
	[[ $output == *"status 1"* ]]
	[ "$(grep -c 'has an environment' <<<"$output")" -eq 1 ]
	run --separate-stderr devenv hook tcsh
	[ "$status" -eq 2 ]
}

@test "the hook is silent inside an environment, and shows control characters harmlessly" {
	run -0 --separate-stderr env DEVENV=1 bash --norc -c 'eval "$(devenv hook bash)"; cd "$P"; _devenv_hook'
	[ -z "$stderr" ]
	odd=$BATS_TEST_TMPDIR/$'a\033[31mred'
	project "$odd" "image = $SMALL"
	for shell in bash zsh fish; do
		command -v "$shell" >/dev/null || continue
		run -0 --separate-stderr env ODD="$odd" "$shell" -c 'devenv hook '"$shell"' >"$TMPDIR/hook"
			source "$TMPDIR/hook"; cd "$ODD"; _devenv_hook'
		! grep -q $'\033' <<<"$stderr" || false
		grep -q 'has an environment' <<<"$stderr"
	done
}

# kept: what of a home and two volumes is there, seen from inside
kept() {
	devenv -C "$1" run -- sh -c 'cat ~/mark ~/mine/mark ~/ours/mark 2>/dev/null | tr "\n" " "'
}
keeps_things() { # DIRECTORY: an environment with something in its home and its volumes
	ready "$1" "image = $SMALL" "[volume.mine]
target = ~/mine
[volume.ours]
target = ~/ours
scope = project
[sandbox]
network = none"
	devenv -C "$1" run -- sh -c 'echo home >~/mark; echo mine >~/mine/mark; echo ours >~/ours/mark'
	[ "$(kept "$1")" = "home mine ours " ]
}

@test "a moved checkout keeps home and volumes, and says so once" {
	own_store
	keeps_things "$BATS_TEST_TMPDIR/shop"
	mv "$BATS_TEST_TMPDIR/shop" "$BATS_TEST_TMPDIR/market"
	run -0 --separate-stderr kept "$BATS_TEST_TMPDIR/market"
	[ "$output" = "home mine ours " ]
	[ "$(grep -c 'this checkout was at .*/shop: its home, volumes and grants are kept' <<<"$stderr")" -eq 1 ]
	run -0 --separate-stderr kept "$BATS_TEST_TMPDIR/market"
	[ -z "$stderr" ]
	# what takes the old place is another project
	keeps_things "$BATS_TEST_TMPDIR/shop"
	run -0 devenv ls
	[[ $output == *market* ]]
}

@test "a clone with a git directory that was moved keeps its grants" {
	command -v git >/dev/null || skip "git is not installed"
	own_store
	git init -q "$BATS_TEST_TMPDIR/shop"
	ready "$BATS_TEST_TMPDIR/shop" "image = $SMALL" "[sandbox]
network = host"
	devenv -q -C "$BATS_TEST_TMPDIR/shop" run -- true
	mv "$BATS_TEST_TMPDIR/shop" "$BATS_TEST_TMPDIR/market"
	run -0 devenv -C "$BATS_TEST_TMPDIR/market" run -- true
	# a copy is asked
	cp -a "$BATS_TEST_TMPDIR/market" "$BATS_TEST_TMPDIR/copy"
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/copy" run -- true
	complaint 125 'allow'
}

@test "gc and reset never lose homes and volumes" {
	own_store
	keeps_things "$BATS_TEST_TMPDIR/shop"
	devenv -q gc --max-age 0s
	devenv -q -C "$BATS_TEST_TMPDIR/shop" reset
	[ "$(kept "$BATS_TEST_TMPDIR/shop")" = "home mine ours " ]
	# not even of a project that is not there at the moment
	mv "$BATS_TEST_TMPDIR/shop" "$BATS_TEST_TMPDIR/away"
	devenv -q gc --max-age 0s
	devenv -q gc
	mv "$BATS_TEST_TMPDIR/away" "$BATS_TEST_TMPDIR/shop"
	devenv -q -C "$BATS_TEST_TMPDIR/shop" pull
	[ "$(kept "$BATS_TEST_TMPDIR/shop")" = "home mine ours " ]
	# named, and after asking: without a terminal the question is an error
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/shop" reset --home --volumes
	[ "$status" -ne 0 ]
	[ "$(kept "$BATS_TEST_TMPDIR/shop")" = "home mine ours " ]
	devenv -q -C "$BATS_TEST_TMPDIR/shop" reset --home -y
	[ "$(kept "$BATS_TEST_TMPDIR/shop")" = "mine ours " ]
	devenv -q -C "$BATS_TEST_TMPDIR/shop" reset --volumes -y
	[ "$(kept "$BATS_TEST_TMPDIR/shop")" = "" ]
}
