#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ids.bats - plans with ranges of ids from /etc/subuid and /etc/subgid.
load support

setup() {
	P=$BATS_TEST_TMPDIR/project
	mkdir "$P"
}
teardown() {
	[ ! -d "$P" ] || touch "$P/.release"
}

# first FILE: where this account's range begins.
first() {
	sed -n "s/^$(id -un):\([0-9]*\):65536$/\1/p" "$1"
}
# wide [FIRST_UID FIRST_GID]: the project's plan, where root inside is the caller, gets 65535 further ids.
wide() {
	ready "$P" "image = $DJANGO" $'[workspace]\nuser = root\n[sandbox]\nnetwork = none'
	devenv -C "$P" run -- true
	STATE=$(dirname "$(grep -lr --include=project -- "$P" "$HOME/.local/state/devenv/checkouts")")
	"$E2E_TOOLS/plan_ranges" "$STATE/plan" "u:1:${1:-$(first /etc/subuid)}:65535" "g:1:${2:-$(first /etc/subgid)}:65535"
}
ranges_only() {
	[ "$E2E_IDENTITY" = range ] || skip "takes an account with ranges"
	command -v newuidmap >/dev/null || skip "newuidmap is not installed"
}
scratch_files() {
	find "$STATE/scratch" -mindepth 3 2>/dev/null
}
scratch_is_empty() {
	[ -z "$(scratch_files)" ]
}

@test "other ids are really there: owners change, root steps down, the project stays the caller's" {
	ranges_only
	wide
	run -0 devenv -C "$P" run -- sh -euc '
		wc -l </proc/self/uid_map
		touch /srv/f /tmp/f made && chown 33:34 /srv/f && stat -c %u:%g /srv/f
		chmod 1777 /tmp
		setpriv --reuid 33 --regid 34 --clear-groups sh -c "id -u; id -g; mkdir -p /tmp/d && echo x >/tmp/d/f && stat -c %u:%g /tmp/d/f"
		stat -c %u:%g made'
	[ "$output" = $'2\n33:34\n33\n34\n33:34\n0:0' ]
	[ "$(stat -c %u:%g "$P/made")" = "$(id -u):$(id -g)" ]
	wait_for 20 scratch_is_empty
}

@test "sessions join, and see the same ids" {
	ranges_only
	wide
	hold "$P"
	run -0 devenv -C "$P" run -- sh -euc 'touch /tmp/g && chown 99:98 /tmp/g'
	run -0 devenv -C "$P" run -- stat -c %u:%g /tmp/g
	[ "$output" = 99:98 ]
	[ "$(stat -c %u "$STATE"/scratch/0/tmp/g)" = "$(($(first /etc/subuid) + 98))" ]
	release "$P"
	wait_for 20 scratch_is_empty
}

@test "what a killed holder leaves of other ids goes with the next one, or with gc" {
	ranges_only
	wide
	litter() {
		hold "$P"
		devenv -C "$P" run -- sh -euc 'mkdir -p /tmp/d/e && touch /tmp/d/e/f && chown -R 7:7 /tmp/d && chmod 700 /tmp/d'
		kill -9 $(inside_processes | awk '/^[0-9]+ *$/ { print $1 }')
		wait "$HOLDER" || :
		wait_for 20 nothing_inside
		run ! scratch_is_empty
	}
	litter
	run -0 devenv -C "$P" run -- true
	wait_for 20 scratch_is_empty
	litter
	# without the ranges it can't be removed, and does not stand in the way
	echo '# new' >>"$P/devenv.ini"
	run -0 devenv -C "$P" run -- sh -c 'ls /tmp'
	[ "$output" = "" ]
	run ! scratch_is_empty
	run -0 devenv gc
	scratch_is_empty
}

@test "ranges of somebody else are refused in one line" {
	[ "$E2E_IDENTITY" != root ] || skip "root may map anything"
	command -v newuidmap >/dev/null || skip "newuidmap is not installed"
	wide 4000000 4000000
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "newuidmap refuses what the plan took from /etc/subuid"
	wait_for 20 nothing_inside
}

@test "a missing newuidmap is named" {
	[ "$E2E_IDENTITY" = root ] || skip "takes root to hide a program"
	[ -e /usr/bin/newuidmap ] || skip "newuidmap is not installed"
	wide 4000000 4000000
	run --separate-stderr unshare -m sh -c 'mount --bind /dev/null /usr/bin/newuidmap && exec "$@"' - devenv -C "$P" run -- true
	complaint 125 "there is no newuidmap"
	[[ $stderr == *"apt install uidmap"* ]]
}
