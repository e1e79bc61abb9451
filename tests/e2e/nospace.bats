#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# nospace.bats - a full disk: small file systems in a private mount namespace.
load support

setup() {
	P=$BATS_TEST_TMPDIR/p
	project "$P" "image = $SMALL"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
}

# on_small_store SIZE COMMAND...: with DEVENV_STORE on a tmpfs of that size, in a mount namespace of its own
on_small_store() {
	local size=$1 how=(unshare --mount)
	shift
	[ "$(id -u)" = 0 ] || how=(unshare --user --map-root-user --mount)
	"${how[@]}" true 2>/dev/null || skip "no private mount namespace to be had"
	mkdir -p "$BATS_TEST_TMPDIR/mnt"
	DEVENV_STORE=$BATS_TEST_TMPDIR/mnt/store "${how[@]}" sh -c '
		mount -t tmpfs -o "size=$1,mode=755" none "$2" || exit 99
		shift 2
		"$@"
		code=$?
		[ ! -d "$DEVENV_STORE/tmp" ] || [ -z "$(ls -A "$DEVENV_STORE/tmp")" ] || echo "left: $(ls -A "$DEVENV_STORE/tmp")"
		[ ! -d "$DEVENV_STORE/images" ] || [ -z "$(ls -A "$DEVENV_STORE/images")" ] || echo "published"
		exit $code' sh "$size" "$BATS_TEST_TMPDIR/mnt" "$@"
}

@test "too little space is seen before the download" {
	run --separate-stderr on_small_store 4m devenv -q -C "$P" pull
	[ "$status" -ne 99 ] || skip "no tmpfs to be had"
	complaint 1 'space'
	[[ $stderr == *"$BATS_TEST_TMPDIR/mnt"* ]]
}

@test "space that runs out in the middle: an error, nothing published, nothing left" {
	# enough for twice the compressed size, not for the unpacked tree
	for size in 15m 16m 18m; do
		run --separate-stderr on_small_store "$size" devenv -q -C "$P" pull
		[ "$status" -ne 99 ] || skip "no tmpfs to be had"
		[[ $output != *left* ]]
		[[ $output != *published* ]] || [ "$status" -eq 0 ]
		[ "$status" -eq 0 ] || complaint 1 'space'
	done
}

@test "run says it too, with 125" {
	run --separate-stderr on_small_store 4m devenv -q -C "$P" run -- true
	[ "$status" -ne 99 ] || skip "no tmpfs to be had"
	complaint 125 'space'
}

@test "a build that fills the disk: it is said so, and what it had made does not stay" {
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\n[build]\nnetwork = none\nrun = head -c 300m /dev/zero >/fill'
	devenv -q -C "$P" allow -y
	run --separate-stderr on_small_store 100m sh -c 'devenv -C "$1" pull; code=$?; ls -A "$DEVENV_STORE/failed" 2>/dev/null; exit "$code"' sh "$P"
	[ "$status" -ne 99 ] || skip "no tmpfs to be had"
	[ "$status" -eq 1 ]
	[[ $stderr != *"can't make"* ]] || skip "no environment on a tmpfs here"
	[[ $stderr == *"the build step failed with status "*": no space is left on the file system of the store $BATS_TEST_TMPDIR/mnt/store"* ]]
	[[ $stderr == *'`devenv gc`; what the step had made is deleted'* ]]
	[[ $stderr != *--shell* ]]
	[ -z "$(grep -v published <<<"$output")" ]
}
