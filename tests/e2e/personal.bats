#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# personal.bats - [packages] of devenv.local.ini: one person's packages, above what everybody shares.
#
# The real mirror of this machine's apt is used, so every test is skipped where there is none. One store for the file.

load support

setup_file() {
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	export XDG_STATE_HOME=$BATS_FILE_TMPDIR/state XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
	mkdir -p "$BATS_FILE_TMPDIR/probe"
	printf '[base]\ndebian = bookworm\n[packages]\napt = jq\n' >"$BATS_FILE_TMPDIR/probe/devenv.ini"
	devenv -q -C "$BATS_FILE_TMPDIR/probe" allow -y
	if ! devenv -q -C "$BATS_FILE_TMPDIR/probe" run -- true >"$BATS_FILE_TMPDIR/why" 2>&1; then
		touch "$BATS_FILE_TMPDIR/no-mirror"
	fi
}

setup() {
	[ ! -e "$BATS_FILE_TMPDIR/no-mirror" ] || skip "no Debian mirror here: $(head -n 1 "$BATS_FILE_TMPDIR/why")"
	dir=$BATS_TEST_TMPDIR/project
}

# shared DIR [TEXT]: a project on bookworm with jq, locked and made, and nothing of anybody's own.
shared() {
	mkdir -p "$1"
	printf '[base]\ndebian = bookworm\n[packages]\napt = jq\n%s\n' "${2:-}" >"$1/devenv.ini"
	cp "$BATS_FILE_TMPDIR/probe/devenv.lock" "$1/devenv.lock"
	devenv -q -C "$1" allow -y
	devenv -q -C "$1" run -- true
	cp "$1/devenv.lock" "$BATS_TEST_TMPDIR/shared.lock"
}
own() { # DIR WORDS
	printf '[packages]\napt = %s\n' "$2" >"$1/devenv.local.ini"
}
layers_of() { # but for what is generated
	devenv -C "$1" config --plan --json | python3 -c 'import json, sys
print("\n".join(l for l in json.load(sys.stdin)["layers"] if "/skeletons/" not in l))'
}

@test "one person's package is there, above what everybody has, and nothing that is shared knows of it" {
	shared "$dir"
	layers_of "$dir" >"$BATS_TEST_TMPDIR/before"
	own "$dir" "tree jq"
	run -1 --separate-stderr devenv -C "$dir" lock --check
	[ "$output" = "tree (personal): not locked" ]
	[[ $stderr = *"devenv.lock answers everything"*"devenv.local.lock has 1 gap"* ]]
	# for what everybody shares that is no gap
	CI=true run -0 devenv -C "$dir" lock --check
	run -0 devenv -C "$dir" status
	[[ $output = *"personal"*"tree"*"tree (personal): not locked"* ]]
	# no terminal, and it is filled in all the same; in CI and with --locked it is not
	CI=true run -125 devenv -C "$dir" run -- true
	[[ $output = *"devenv.local.lock does not cover devenv.local.ini: tree: not locked"*"devenv lock"* ]]
	run -125 devenv --locked -C "$dir" run -- true
	[ ! -e "$dir/devenv.local.lock" ]
	run -0 --separate-stderr devenv -C "$dir" run -- sh -c 'tree --version; jq --version; dpkg --audit'
	[[ ${lines[0]} = tree* ]]
	[ "${#lines[@]}" -eq 2 ]
	[[ $stderr = *"there was no devenv.local.lock: wrote $dir/devenv.local.lock"*"locked tree (personal) → "*"installing 1 package"* ]]
	cmp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/shared.lock"
	grep -qx '\[package\.[a-z0-9]*\.tree\]' "$dir/devenv.local.lock"
	grep -qx 'on\.linux/.* = sha256:.*' "$dir/devenv.local.lock"
	[ "$(grep -c '^\[package\.' "$dir/devenv.local.lock")" -eq 1 ]
	# one layer more, on the same ones
	layers_of "$dir" >"$BATS_TEST_TMPDIR/after"
	tail -n +2 "$BATS_TEST_TMPDIR/after" | diff "$BATS_TEST_TMPDIR/before" -
	# complete: nothing is asked of anybody any more
	run -0 --separate-stderr devenv --offline --locked -C "$dir" run -- tree --version
	[ -z "$stderr" ]
	devenv -C "$dir" lock --check
	hold "$dir"
	run -0 devenv -C "$dir" diff
	release "$dir"
	[[ $output != *tree* ]]
	# without it the environment is everybody's again, and nothing is left
	rm "$dir/devenv.local.ini"
	run -127 devenv --offline -C "$dir" run -- tree --version
	[ ! -e "$dir/devenv.local.lock" ]
	layers_of "$dir" | diff "$BATS_TEST_TMPDIR/before" -
}

@test "config says whose each package is, update moves by name, and what can't be had says where it is written" {
	shared "$dir"
	own "$dir" "tree"
	devenv -q -C "$dir" lock
	run -0 devenv -C "$dir" config
	[[ $output =~ jq\ +\;\ devenv.ini:4 ]]
	[[ $output =~ tree\ +\;\ devenv.local.ini:2 ]]
	# an older version in the lock moves when it is named, alone or with all of one's own
	local name
	for name in tree personal ""; do
		sed -i '/^\[package.*tree\]/,$ s/^version = .*/version = 1.0-1/' "$dir/devenv.local.lock"
		run -0 --separate-stderr devenv -C "$dir" update jq
		[ -z "$output" ]
		run -0 --separate-stderr devenv -C "$dir" update $name
		[[ $output = "tree (personal) 1.0-1 → "* ]]
	done
	run -0 devenv -C "$dir" complete locked
	[[ $output = *personal*tree* ]]
	cmp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/shared.lock"
	own "$dir" "tree treee"
	run -1 devenv -C "$dir" lock
	[[ $output = *"devenv.local.ini:2: [packages] apt: "*treee* ]]
	own "$dir" "tree !jq"
	run -1 devenv -C "$dir" lock
	[[ $output = *"devenv.local.ini:2: [packages] apt: '!jq' would take away what everybody shares"* ]]
	printf '[toolchain.node]\nversion = 20\n' >"$dir/devenv.local.ini"
	run -1 devenv -C "$dir" lock
	[[ $output = *"devenv.local.ini:2: "* ]]
	cmp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/shared.lock"
}

@test "what everybody gets is nobody's own any more; what lies below has moved, and that is said" {
	shared "$dir"
	own "$dir" "tree htop"
	devenv -q -C "$dir" lock
	sed -i 's/^apt = jq/apt = jq tree/' "$dir/devenv.ini"
	run -1 --separate-stderr devenv -C "$dir" lock --check
	[[ $output = *"tree: not locked"*"tree (personal): devenv.ini asks for tree too, now"* ]]
	cp "$dir/devenv.local.lock" "$BATS_TEST_TMPDIR/own.lock"
	rm "$dir/devenv.local.ini" # a colleague adds it
	devenv -q -C "$dir" lock
	own "$dir" "tree htop"
	cp "$BATS_TEST_TMPDIR/own.lock" "$dir/devenv.local.lock"
	run -1 --separate-stderr devenv -C "$dir" lock --check
	[[ $output = *"personal (personal): the base or the packages below them are others now"* ]]
	cp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/shared.lock"
	run -0 --separate-stderr devenv -C "$dir" run -- sh -c 'tree --version; htop --version; dpkg --audit'
	[ "${#lines[@]}" -eq 2 ]
	[[ $stderr = *"locked tree (personal): "*" → removed"* ]]
	[ "$(grep -c '\.tree\]' "$dir/devenv.local.lock")" -eq 0 ]
	[ "$(grep -c '\.htop\]' "$dir/devenv.local.lock")" -eq 1 ]
	cmp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/shared.lock"
	devenv -C "$dir" lock --check
}

@test "inputs of [build] change nothing that is locked; what the build installed itself counts" {
	mkdir -p "$dir/debs"
	echo one >"$dir/input"
	touch "$dir/debs/none"
	shared "$dir" '[build]
network = none
inputs = input debs
run = cp input /opt/input
  for deb in debs/*.deb; do [ ! -e "$deb" ] || dpkg -i "$deb"; done'
	own "$dir" "htop"
	run -0 devenv -q -C "$dir" run -- sh -c 'cat /opt/input; htop --version'
	[ "${lines[0]}" = one ]
	cp "$dir/devenv.local.lock" "$BATS_TEST_TMPDIR/own.lock"
	echo two >"$dir/input"
	run -0 devenv -q --offline --locked -C "$dir" run -- sh -c 'cat /opt/input; htop --version'
	[ "${lines[0]}" = two ]
	[[ ${lines[1]} = htop* ]]
	# one that it needs comes with the build
	local sha
	sha=$(awk '/\.libnl-3-200\]/ { on = 1 } on && /^sha256 = / { print $3; exit }' "$dir/devenv.local.lock")
	cp "$DEVENV_STORE/debs/$sha" "$dir/debs/lib.deb"
	run -0 --separate-stderr devenv --offline --locked -C "$dir" run -- sh -c 'htop --version; dpkg --audit'
	[ "${#lines[@]}" -eq 1 ]
	[[ $stderr = *"installing 3 packages"* ]]
	# one that it can't stand
	mkdir -p "$BATS_TEST_TMPDIR/hater/DEBIAN"
	printf 'Package: hater\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nConflicts: htop\nDescription: x\n' \
		>"$BATS_TEST_TMPDIR/hater/DEBIAN/control"
	dpkg-deb -b --root-owner-group "$BATS_TEST_TMPDIR/hater" "$dir/debs/hater.deb" >/dev/null
	run -125 devenv --offline --locked -C "$dir" run -- htop --version
	[[ $output = *"what [build] installed and the packages of devenv.local.ini don't go together"*hater*htop* ]]
	cmp "$dir/devenv.local.lock" "$BATS_TEST_TMPDIR/own.lock"
	# gc keeps the build that they stand on: without them it is not run again
	rm "$dir/debs/hater.deb"
	devenv -q --offline -C "$dir" run -- true
	devenv -q gc
	rm "$dir/devenv.local.ini"
	run -0 --separate-stderr devenv --offline -C "$dir" run -- cat /opt/input
	[ "$output" = two ]
	[[ $stderr != *"build: "* ]]
}

@test "on an image: by its own sources, asked for once, and untrusted sessions have them too" {
	bookworm_image "$dir"
	printf '[base]\narchive = root.tar\n' >"$dir/devenv.ini"
	devenv -q -C "$dir" allow -y
	devenv -q -C "$dir" lock
	cp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/shared.lock"
	own "$dir" "tree coreutils"
	run -125 devenv -C "$dir" run -- true
	[[ $output = *"packages: from where the image's own apt takes them"* ]]
	devenv -q -C "$dir" allow -y
	run -0 devenv -q -C "$dir" run -- sh -c 'tree --version; dpkg --audit'
	[ "${#lines[@]}" -eq 1 ]
	grep -q '^present\.linux/.* = coreutils$' "$dir/devenv.local.lock"
	# a package more below them, and they stand on that
	printf '[packages]\napt = jq\n' >>"$dir/devenv.ini"
	cp "$dir/devenv.local.lock" "$BATS_TEST_TMPDIR/own.lock"
	devenv -q -C "$dir" lock
	run -0 devenv -q -C "$dir" run -- sh -c 'tree --version; jq --version; dpkg --audit'
	[ "${#lines[@]}" -eq 2 ]
	run -0 diff "$BATS_TEST_TMPDIR/own.lock" "$dir/devenv.local.lock" || [ "$(grep -c '^[<>] on\.' <<<"$output")" -eq 2 ]
	[ "$(grep -c tree "$dir/devenv.lock")" -eq 0 ]
	terminal_start
	terminal_type "devenv -C '$dir' enter --untrusted"
	terminal_wait 'project\$ '
	terminal_type 'tree --version | cut -c 1-6'
	terminal_wait '^tree v'
	terminal_type exit
	terminal_stop
}

teardown() {
	terminal_stop
}

@test "a worktree has what it says itself; a moved checkout keeps its own; git is told" {
	shared "$dir"
	git -C "$dir" init -q
	git -C "$dir" -c user.name=x -c user.email=x@example.org add devenv.ini devenv.lock
	git -C "$dir" -c user.name=x -c user.email=x@example.org commit -qm x
	devenv -q -C "$dir" allow -y
	own "$dir" "tree"
	run -0 devenv -C "$dir" run -- true
	[[ $output = *"git would add devenv.local.lock"*".gitignore"* ]]
	git -C "$dir" worktree add -q "$BATS_TEST_TMPDIR/worktree"
	devenv -q -C "$BATS_TEST_TMPDIR/worktree" allow -y
	run -127 devenv -q -C "$BATS_TEST_TMPDIR/worktree" run -- tree --version
	[ ! -e "$BATS_TEST_TMPDIR/worktree/devenv.local.lock" ]
	mv "$dir" "$dir-moved"
	run -0 --separate-stderr devenv --offline --locked -C "$dir-moved" run -- tree --version
	[[ $output = tree* ]]
	# one that is tracked is an error
	git -C "$dir-moved" add devenv.local.lock
	run -1 devenv -C "$dir-moved" lock
	[[ $output = *"devenv.local.lock is tracked by git"*"git rm --cached devenv.local.lock"* ]]
	mv "$dir-moved/devenv.local.ini" "$BATS_TEST_TMPDIR"
	devenv -q -C "$dir-moved" lock
	[ -e "$dir-moved/devenv.local.lock" ] # what git has is not taken away
	mv "$BATS_TEST_TMPDIR/devenv.local.ini" "$dir-moved"
	git -C "$dir-moved" rm -q --cached devenv.local.lock
	# once it is ignored nothing is said
	rm "$dir-moved/devenv.local.lock"
	printf 'devenv.local.*\n' >"$dir-moved/.gitignore"
	run -0 devenv -C "$dir-moved" lock
	[[ $output != *"git would add"* ]]
}

@test "gc keeps what one's own lock names, and takes it when the checkout has gone" {
	export DEVENV_STORE=$BATS_TEST_TMPDIR/store XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	shared "$dir"
	own "$dir" "tree"
	devenv -q -C "$dir" run -- true
	devenv -q gc
	run -0 devenv -q --offline --locked -C "$dir" run -- tree --version
	local sha
	sha=$(awk '/^sha256 = / { print $3; exit }' "$dir/devenv.local.lock")
	[ -e "$DEVENV_STORE/debs/$sha" ]
	rm -r "$dir"
	devenv -q gc
	[ "$(ls "$DEVENV_STORE/images" | wc -l)" -eq 0 ]
	[ "$(ls "$DEVENV_STORE/debs" | wc -l)" -eq 0 ]
}
