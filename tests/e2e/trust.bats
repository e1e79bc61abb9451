#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# trust.bats - powers: listed, asked once, again when they grow, and what no repository can have.
load support

setup() {
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	P=$BATS_TEST_TMPDIR/p
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = host'
}
teardown() {
	terminal_stop
}

@test "without a terminal: not-allowed, naming the powers and the command" {
	run --separate-stderr devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[ -z "$output" ]
	[[ $stderr == *network* ]]
	[[ $stderr == *"devenv allow"* ]]
	[ ! -e "$P/devenv.lock" ]
}

@test "nothing is fetched before it is allowed" {
	faulty none
	project "$P" "image = $FAULTY/small:1" $'[sandbox]\nnetwork = host'
	run devenv -C "$P" run -- true
	run devenv -C "$P" enter
	run devenv -C "$P" lock
	run devenv -C "$P" pull
	run devenv -C "$P" status
	[ ! -s "$FAULTY_LOG" ]
	faulty_stop
}

@test "-y on run grants, and is remembered" {
	run -0 --separate-stderr devenv -C "$P" run -y -- echo yes
	[ "$output" = yes ]
	run -0 --separate-stderr devenv -C "$P" run -- echo again
	[ "$output" = again ]
}

@test "allow --show lists without granting; allow -y grants; deny withdraws" {
	run -0 devenv -C "$P" allow --show
	[[ $output == *network* ]]
	run -125 devenv -C "$P" run -- true
	run -0 devenv -C "$P" allow -y
	run -0 devenv -C "$P" run -- true
	run -0 devenv -C "$P" allow --show --json
	/usr/bin/python3 -m json.tool <<<"$output" >/dev/null
	run -0 devenv -C "$P" deny
	run --separate-stderr devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *"devenv allow"* ]]
}

@test "growth is asked for, the rest is not asked again" {
	project "$P" "image = $SMALL"
	run -0 devenv -C "$P" run -y -- true
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = host'
	run --separate-stderr devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *network* ]]
	project "$P" "image = $SMALL"
	run -0 devenv -C "$P" run -- true
}

@test "another checkout of the same project is asked for itself" {
	run -0 devenv -C "$P" run -y -- true
	cp -r "$P" "$P-clone"
	run -125 devenv -C "$P-clone" run -- true
}

@test "on a terminal it asks once: no is no, yes is yes" {
	terminal_start
	terminal_type "cd '$P'"
	terminal_type 'devenv run -- echo ran"so"'
	terminal_wait 'network'
	terminal_wait '\[y/N\]'
	terminal_type n
	terminal_wait '^host> *$'
	terminal_type 'echo code $''?'
	terminal_wait '^code 125'
	terminal_type 'clear; devenv run -- echo ran so'
	terminal_wait '\[y/N\]'
	terminal_type y
	terminal_wait '^ran so'
	terminal_type 'clear; devenv run -- echo ran again'
	terminal_wait '^ran again'
	! terminal_shows 'y/N' || false
}

@test "a config found in a directory of somebody else's or a world-writable one is refused" {
	mkdir -m 777 "$BATS_TEST_TMPDIR/open"
	chmod 777 "$BATS_TEST_TMPDIR/open"
	cp "$P/devenv.ini" "$BATS_TEST_TMPDIR/open"
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/open" run -y -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *writ* ]]
}

@test "the home directory as a project is refused" {
	HOME=$BATS_TEST_TMPDIR/home
	mkdir -p "$HOME"
	cp "$P/devenv.ini" "$HOME"
	run --separate-stderr devenv -C "$HOME" run -y -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *home* ]]
}

@test "a devenv.ini that is a link is refused or read as what it says, never outside unasked" {
	mkdir -p "$BATS_TEST_TMPDIR/link"
	ln -s "$P/devenv.ini" "$BATS_TEST_TMPDIR/link/devenv.ini"
	run devenv -C "$BATS_TEST_TMPDIR/link" run -y -- true
	[ "$status" -eq 125 ]
}

@test "control characters of a repository never reach the terminal" {
	printf '[base]\nimage = %s\n[bo\033]0;x\007gus]\nx = 1\n' "$SMALL" >"$P/devenv.ini"
	run devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	! grep -q $'\033' <<<"$output" || false
	mkdir -p "$BATS_TEST_TMPDIR/evil"$'\033[31m'
	project "$BATS_TEST_TMPDIR/evil"$'\033[31m' "image = $SMALL" $'[sandbox]\nnetwork = host'
	run devenv -C "$BATS_TEST_TMPDIR/evil"$'\033[31m' run -- true
	! grep -q $'\033' <<<"$output" || false
}
