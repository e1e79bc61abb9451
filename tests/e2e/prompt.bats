#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# prompt.bats - what the question about powers looks like, compared with the screens in golden/. The image is never fetched:
# the answer is no. UPDATE_GOLDEN=DIR writes the screens there.
load support

setup() {
	own_store
	command -v tmux >/dev/null || skip "tmux is not installed"
	D=$(mktemp -d /tmp/devenv-golden.XXXXXX)
	P=$D/shop
	mkdir "$P" "$D/data"
	export LANG=C.UTF-8
}
teardown() {
	terminal_stop
	[ -z "${D:-}" ] || rm -rf "$D"
}

# asks TEXT: devenv.ini with it.
asks() {
	printf '[base]\nimage = docker.io/library/debian:12\n%s\n' "$1" >"$P/devenv.ini"
}

# screen NAME: the question as it is on an 80x24 terminal, against golden/NAME; then a no.
screen() {
	[ -n "$TERMINAL" ] || terminal_start
	terminal_type "cd '$P'; clear"
	terminal_wait '^host> *$'
	terminal_type 'clear; devenv run true'
	terminal_wait '\[y/N\]'
	tmux -S "$TERMINAL" capture-pane -p | sed "s,$D,/tmp/devenv-golden.XXXXXX,; s/ *$//" >"$BATS_TEST_TMPDIR/$1"
	terminal_key x Enter
	terminal_wait 'answer yes or no'
	# nothing has left the screen
	tmux -S "$TERMINAL" capture-pane -p | head -n 1 | grep -q 'asks for:'
	terminal_key n Enter
	terminal_wait 'nothing was started'
	! grep -q $'\033' "$BATS_TEST_TMPDIR/$1" || false
	[ -z "${UPDATE_GOLDEN:-}" ] || cp "$BATS_TEST_TMPDIR/$1" "$UPDATE_GOLDEN"
	diff -u "$E2E_SOURCE/golden/$1" "$BATS_TEST_TMPDIR/$1"
}

@test "first use: all powers, the widest first, hostile names escaped" {
	TERMINAL=
	evil=$D/$(printf 'evil\033[31m\u202egpj.exe')
	mkdir "$evil"
	ln -s "$evil" "$P/link"
	asks $'[mount.data]\nsource = ../data\ntarget = /data\nmode = ro\n[mount.evil]\nsource = link\ntarget = /evil\nmode = rw\n[pass-env]\nnames = AWS_PROFILE'
	screen prompt-first
}

@test "growth is shown as growth, and nothing else" {
	TERMINAL=
	asks $'[sandbox]\nnetwork = none'
	devenv -q -C "$P" allow -y
	asks $'[sandbox]\nnetwork = none\n[pass-env]\nnames = AWS_PROFILE'
	screen prompt-growth
}

@test "sixty powers fit on a screen, and so does one that is a screen long" {
	TERMINAL=
	long=$D/$(printf 'x%.0s' {1..200})/$(printf 'y%.0s' {1..200})/end
	mkdir -p "$long"
	{
		printf '[mount.long]\nsource = %s\ntarget = /long\nmode = rw\n[pass-env]\nnames =' "$long"
		printf ' NAME_%02d' {1..50}
		printf '\n'
		for i in {10..19}; do
			printf '[mount.m%s]\nsource = ../data%s\ntarget = /data%s\nmode = ro\n' $i $i $i
		done
	} >"$BATS_TEST_TMPDIR/text"
	asks "$(cat "$BATS_TEST_TMPDIR/text")"
	screen prompt-many
	run -0 devenv -C "$P" allow --show
	[ "$(grep -c 'not granted' <<<"$output")" -eq 64 ]
}
