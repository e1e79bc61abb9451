#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# containers.bats - devenv inside a podman container: the flags that the manual names are enough, and what is said without.
load support

setup_file() {
	[ "$(id -u)" = 0 ] || skip "these containers are started as root"
	local tar runtime
	command -v podman >/dev/null || skip "podman is not installed"
	runtime=$(command -v crun || command -v runc) || skip "neither crun nor runc is installed"
	tar=$(tr ' ' '\n' <<<"$E2E_DEBIANS" | grep -- /rootfs-bookworm-) || skip "mmdebstrap made no bookworm root file system"
	make -s -C "$E2E_TOP" tarball
	mkdir "$BATS_FILE_TMPDIR/devenv"
	tar -xzf "$E2E_TOP/build/devenv-"*"-$(uname -m).tar.gz" -C "$BATS_FILE_TMPDIR/devenv" --strip-components=1
	cat >"$BATS_FILE_TMPDIR/try" <<-'TEXT'
		#!/bin/sh
		set -eu
		export HOME=/tmp/home PATH=/opt/devenv/bin:$PATH
		mkdir -p "$HOME/p" && cd "$HOME/p"
		printf '[base]\narchive = /images/small.oci.tar\n[sandbox]\nnetwork = none\n' >devenv.ini
		devenv -q allow -y && devenv -q lock && devenv -q pull
		devenv run -- bash -c 'echo "as $UID"; echo > made'
		devenv run --root -- bash -c 'echo "as $UID"; chown 12345 made'
		stat -c 'made by %u:%g' made
	TEXT
	printf '#!/bin/sh\nexec /opt/devenv/bin/devenv doctor\n' >"$BATS_FILE_TMPDIR/devenv/bin/devenv-doctor"
	chmod 755 "$BATS_FILE_TMPDIR" "$BATS_FILE_TMPDIR/try" "$BATS_FILE_TMPDIR/devenv/bin/devenv-doctor"
	POD=$(mktemp -d /var/tmp/pod.XXXXXX) # podman takes no longer ones
	export POD PODMAN="podman --root $POD/storage --runroot $POD/run --cgroup-manager cgroupfs --runtime $runtime"
	$PODMAN import -q "$tar" devenv-test:1 || skip "podman can't store an image here"
	inside /bin/true || skip "podman can't start a container here"
}
teardown_file() {
	[ -n "${POD:-}" ] || return 0
	$PODMAN rmi -af >/dev/null 2>&1 || :
	! mountpoint -q "$POD/storage/overlay" || umount "$POD/storage/overlay"
	rm -rf "$POD"
}

inside() { # [FLAG...] COMMAND
	$PODMAN run --rm --pull never --network none --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 \
		-v "$BATS_FILE_TMPDIR/devenv:/opt/devenv:ro" -v "$BATS_FILE_TMPDIR/try:/try:ro" -v "$E2E_IMAGES:/images:ro" \
		"${@:1:$#-1}" devenv-test:1 "${@: -1}"
}

@test "as root, with the flags of the manual" {
	run -0 inside --security-opt seccomp=unconfined --security-opt unmask=ALL /try
	[ "$output" = $'as 0\nas 0\nmade by 0:0' ]
}

@test "as an ordinary user, with the flags of the manual" {
	run -0 inside --security-opt seccomp=unconfined --security-opt unmask=ALL --user 1234:1235 /try
	[ "$output" = $'as 1234\nas 0\nmade by 1234:1235' ]
}

@test "with a masked /proc the flag is named" {
	run -125 --separate-stderr inside --security-opt seccomp=unconfined /try
	complaint 125 "can't mount /proc"
	[[ $stderr == *"unmask=ALL"* ]]
}

@test "with podman's own filter the flag is named" {
	run -125 --separate-stderr inside --security-opt unmask=ALL /try
	complaint 125 "host name|user namespace"
	[[ $stderr == *"seccomp=unconfined"* ]]
}

@test "doctor names podman's flags" {
	run inside /opt/devenv/bin/devenv-doctor
	[ "$status" -ne 0 ]
	[[ $output == *"podman run --init --security-opt seccomp=unconfined --security-opt unmask=ALL"* ]]
}
