#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# accounts.bats - the same works for an account without subordinate ids, with some, and for real root.
load support

setup_file() {
	export P=$BATS_FILE_TMPDIR/project
	ready "$P" "image = $DJANGO"
}

@test "the account is what the runner says" {
	case $E2E_IDENTITY in
	root) [ "$(id -u)" -eq 0 ] ;;
	range) grep -q "^$(id -un):" /etc/subuid ;;
	user)
		[ "$(id -u)" -ne 0 ]
		# the account of whoever started the runner is as it is
		[[ $(id -un) != de-e2e-* ]] || ! grep -q "^$(id -un):" /etc/subuid
		;;
	esac
}

@test "a session as me and as root, files owned by the caller" {
	run -0 devenv -C "$P" run -- sh -c 'id -u; id -g; touch a'
	[ "$output" = "$(id -u)"$'\n'"$(id -g)" ]
	run -0 devenv -C "$P" run --root -- sh -c 'id -u; id -g; touch b; mkdir c'
	[ "$output" = $'0\n0' ]
	for name in a b c; do
		[ "$(stat -c %u:%g "$P/$name")" = "$(id -u):$(id -g)" ]
	done
}

@test "the root file system can be written in a session, as me only what is mine to write" {
	run -0 devenv -C "$P" run --root -- sh -c 'echo x > /usr/bin/new-tool && rm /usr/bin/perl* && mkdir /srv/x'
	run -0 devenv -C "$P" run -- sh -c 'ls /usr/bin/perl >/dev/null && ls /usr/bin/new-tool 2>/dev/null || echo back'
	[ "$output" = back ]
}

@test "chown to the ids that are there works in root mode" {
	run -0 devenv -C "$P" run --root -- sh -c 'touch /srv/f && chown root:root /srv/f && chown -R 0:0 /srv && chmod 4755 /srv/f && echo fine'
	[ "$output" = fine ]
}

@test "dpkg works in root mode" {
	run -0 devenv -C "$P" run --root -- sh -c '
		set -e
		mkdir -p /tmp/d/DEBIAN /tmp/d/usr/share/thing
		printf "Package: thing\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n" > /tmp/d/DEBIAN/control
		echo content > /tmp/d/usr/share/thing/file
		dpkg-deb -b --root-owner-group /tmp/d /tmp/thing.deb >/dev/null
		dpkg -i /tmp/thing.deb >/dev/null 2>&1
		cat /usr/share/thing/file
		dpkg -r thing >/dev/null 2>&1
		ls /usr/share/thing 2>/dev/null || echo removed'
	[ "$output" = $'content\nremoved' ]
}

@test "root's power is inside only" {
	run devenv -C "$P" run --root -- sh -c 'mknod /tmp/n b 8 0'
	[ "$status" -ne 0 ]
	run devenv -C "$P" run --root -- sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
	[ "$status" -ne 0 ]
	run devenv -C "$P" run --root -- sh -c 'mount --bind / /mnt'
	[ "$status" -ne 0 ]
}

@test "workspace user = root" {
	ready "$BATS_TEST_TMPDIR/root" "image = $DJANGO" $'[workspace]\nuser = root\n[sandbox]\nnetwork = none'
	run -0 devenv -C "$BATS_TEST_TMPDIR/root" run -- sh -c 'id -u; echo $HOME; touch made'
	[ "${lines[0]}" = 0 ]
	[ -O "$BATS_TEST_TMPDIR/root/made" ]
}
