#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# security.bats - what somebody who can write to a checkout, or only wrote its files, must not get.
load support

setup() {
	own_store
	export HOME=$BATS_TEST_TMPDIR/home
	P=$HOME/mono/sub
	mkdir -p "$P"
}
teardown() {
	terminal_stop
	[ ! -e "$P/.held" ] || touch "$P/.release"
}

@test "a project exchanged while the question is shown is not mounted, read or written" {
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = host'
	mkdir "$HOME/secret"
	echo "top secret" >"$HOME/secret/diary"
	terminal_start
	terminal_type "cd '$P'; clear"
	terminal_type 'devenv run -- cat diary; echo code $''?'
	terminal_wait '\[y/N\]'
	mv "$P" "$HOME/mono/moved"
	ln -s "$HOME/secret" "$P"
	terminal_type y
	terminal_wait '^code 125'
	terminal_shows 'not the directory any more'
	! terminal_shows 'top secret' || false
	[ "$(ls -A "$HOME/secret")" = diary ]
}

@test "before allow a project without any power runs nothing and fetches nothing" {
	project "$P" "oci = layout" $'[hooks]\nenter = touch ran\nstart = touch ran\n[sandbox]\nnetwork = none'
	run --separate-stderr devenv -C "$P" run -- touch ran
	complaint 125 'not allowed yet; it asks for nothing outside its sandbox'
	[[ $stderr == *"devenv allow"* ]]
	run --separate-stderr devenv -C "$P" lock
	complaint 1 'not allowed yet'
	[ ! -e "$P/devenv.lock" ] && [ ! -e "$P/ran" ] && [ ! -e "$DEVENV_STORE/images" ]
	run -0 devenv -C "$P" allow --show --json
	[[ $output == *'"allowed": false'* || $output == *'"allowed":false'* ]]
	run -0 devenv -C "$P" status --json
	[[ $output == *'"allowed": false'* || $output == *'"allowed":false'* ]]
	run -0 devenv -C "$P" allow -y
	run -0 devenv -C "$P" status --json
	[[ $output == *'"allowed": true'* || $output == *'"allowed":true'* ]]
}

@test "the registry of the image is shown, and another one is asked for again" {
	project "$P" "image = $SMALL"
	run -0 devenv -C "$P" allow --show
	[[ $output == *"image: $SMALL from $E2E_REGISTRY"* ]]
	run -0 devenv -C "$P" run -y -- true
	project "$P" "image = $E2E_REGISTRY/small:1"
	rm "$P/devenv.lock"
	run -0 devenv -C "$P" run -- true
	project "$P" "image = registry.example.org/small:1"
	rm "$P/devenv.lock"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 'from registry.example.org'
}

@test "a layout behind a link out of the project is a power by its real path" {
	mkdir -p "$HOME/private"
	ln -s "$HOME/private" "$P/layout"
	project "$P" "oci = layout"
	run --separate-stderr devenv -C "$P" lock
	complaint 1 "$HOME/private"
}

@test "the home directory is no project, however it is spelled" {
	ln -s home "$BATS_TEST_TMPDIR/link"
	project "$HOME" "image = $SMALL"
	HOME=$BATS_TEST_TMPDIR/link run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/home" run -y -- true
	complaint 125 "home directory can't be a project"
	HOME=$BATS_TEST_TMPDIR/link run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/home" status
	complaint 1 "home directory can't be a project"
}

@test "what holds the home directory, the store or the records is no project" {
	project "$BATS_TEST_TMPDIR" "image = $SMALL"
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR" run -y -- true
	complaint 125 "home directory would be in it"
	rm "$BATS_TEST_TMPDIR/devenv.ini"
	project "$P" "image = $SMALL"
	ln -s "$P" "$BATS_TEST_TMPDIR/behind"
	DEVENV_STORE=$BATS_TEST_TMPDIR/behind/store run --separate-stderr devenv -C "$P" run -y -- true
	complaint 125 "the store would be in it"
	XDG_STATE_HOME=$P run --separate-stderr devenv -C "$P" status
	complaint 1 "records would be in it"
	[ "$(ls -A "$P")" = devenv.ini ]
}

@test "gc keeps what a session uses that began while gc waited" {
	command -v flock >/dev/null || skip "flock is not installed"
	ready "$P-other" "image = $SMALL"
	exec 8<"$DEVENV_STORE/lock"
	flock -s 8
	devenv gc 8<&- 3>&- 4>&- >"$BATS_TEST_TMPDIR/gc" 2>&1 &
	gc=$!
	# it says so; /proc/locks would hide it in a container, with the one who made the lock gone
	wait_for 20 grep -q 'waiting for' "$BATS_TEST_TMPDIR/gc"
	ready "$P" "image = $E2E_REGISTRY/small:2"
	hold "$P"
	digest=$(sed -n 's/^manifest.* = sha256://p' "$P/devenv.lock" | head -n 1)
	[ -d "$DEVENV_STORE/images/$digest" ]
	rm "$P/devenv.ini" "$P/devenv.lock"
	flock -u 8
	exec 8<&-
	wait "$gc"
	[ -d "$DEVENV_STORE/images/$digest" ]
	release "$P"
	run -0 devenv gc
	[ ! -d "$DEVENV_STORE/images/$digest" ]
}

@test "a project whose path has a newline keeps its image" {
	odd=$HOME/$'two\nlines'
	ready "$odd" "image = $SMALL"
	run -0 devenv -C "$odd" run -- true
	run -0 devenv gc
	run -0 devenv -C "$odd" --offline run -- true
}
