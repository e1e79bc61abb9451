#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# promise.bats - `devenv config --plan` tells what a session is given, and a session finds exactly that: for an ordinary
# session and one of --root, started by a user and by root. promise_look.sh looks, promise.py has the tables.
load support

setup() {
	P=$BATS_TEST_TMPDIR/shop
}

# kept DIR: look from inside in both kinds of session and compare.
kept() {
	local words namespaces=() name
	for name in user mnt pid ipc uts net cgroup time; do
		namespaces+=("$name=$(readlink "/proc/self/ns/$name")")
	done
	devenv -C "$1" config --plan --json >"$BATS_TEST_TMPDIR/plan"
	for words in session root; do
		HOST_SECRET=1 BASH_ENV=/x devenv -C "$1" run $([ $words = session ] || echo --root) -- sh <"$E2E_SOURCE/promise_look.sh" >"$BATS_TEST_TMPDIR/look"
		run /usr/bin/python3 -B "$E2E_SOURCE/promise.py" "$BATS_TEST_TMPDIR/look" "$BATS_TEST_TMPDIR/plan" $words "$(outside_id uid)" "$(outside_id gid)" "${namespaces[@]}"
		[ "$status" -eq 0 ] || { echo "$words: $output"; return 1; }
	done
}

@test "a session finds what config --plan tells: without a network" {
	ready "$P" "image = $SMALL"
	kept "$P"
}

@test "a session finds what config --plan tells: with the host's network, volumes, mounts and git" {
	mkdir -p "$BATS_TEST_TMPDIR/data"
	mkdir -p "$P"
	! command -v git >/dev/null || git -C "$P" init -q
	ready "$P" "image = $SMALL" "[sandbox]
network = host
[volume.cache]
target = ~/.cache
[volume.all]
target = /srv/all
[mount.data]
source = $BATS_TEST_TMPDIR/data
target = /data
mode = ro
[env]
OWN = 1"
	kept "$P"
}

@test "a session finds what config --plan tells: user = root, scratch on disk" {
	ready "$P" "image = $SMALL" $'[workspace]\nuser = root\ntarget = /src\n[sandbox]\nscratch = disk\nnetwork = none'
	kept "$P"
}

@test "config --plan: the promise in words on a page" {
	ready "$P" "image = $SMALL"
	run -0 devenv -C "$P" config --plan
	printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/page"
	for words in 'What a session is given' 'user, mount, pid, ipc, uts, network of its own' 'no capability, and nothing gives one' \
		'chown dac_override fowner' 'ENOSYS' 'TIOCSTI' 'unix inet inet6 netlink' 'io_uring_setup' 'no_new_privs' 'uid 0 in a user namespace' \
		'/proc .*interrupts kcore keys' '/sys .*devices/system/cpu' '/dev .*console fd full' 'a loopback interface and nothing else' \
		'limits' 'the home directory, of this environment' ': the project'; do
		tr '\n' ' ' <"$BATS_TEST_TMPDIR/page" | tr -s ' ' | grep -Eq -- "$words" || { echo "not there: $words"; cat "$BATS_TEST_TMPDIR/page"; false; }
	done
	# wrapped, so that no line of it needs a wide terminal
	run -0 sh -c "sed -n '/^What a session/,/^\$/p' '$BATS_TEST_TMPDIR/page' | awk 'length > 100'"
	[ -z "$output" ]
	devenv -C "$P" config --plan | sed -n '/^What a session/,/^$/p' | wc -l | xargs test 45 -ge
}
