#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# untrusted.bats - enter --untrusted: nothing is granted and nothing stays.
load support

setup() {
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	P=$BATS_TEST_TMPDIR/p
	mkdir "$BATS_TEST_TMPDIR/data"
	project "$P" "image = $DJANGO" $'[sandbox]\nnetwork = host\n[mount.data]\nsource = ../data\ntarget = /data\n[pass-env]\nnames = SECRET
[setup]\nrun = touch setup-ran\n[hooks]\nstart = touch start-ran\nenter = touch enter-ran\n[volume.v]\ntarget = /vol'
	echo one >"$P/one"
	echo two >"$P/two"
	mkdir "$P/dir" && echo three >"$P/dir/three"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	devenv -q -C "$P" pull
	devenv -q -C "$P" deny
}

untrusted() { # SCRIPT [OPTION...]
	local script=$1
	shift
	run --separate-stderr bash -c 'SECRET=x devenv -C "$0" enter --untrusted "$@" <<<"$SCRIPT"' "$P" "$@"
}

@test "no network, no powers, no hooks, no setup, and no question" {
	export SCRIPT='ls -A; ls /sys/class/net /data /vol 2>/dev/null; tail -n +3 /proc/net/dev | cut -d: -f1; echo "${SECRET-unset}"'
	untrusted "$SCRIPT"
	[ "$status" -eq 0 ]
	[ "$output" = $'devenv.ini\ndevenv.lock\ndir\none\ntwo\n    lo\nunset' ]
	[ "$stderr" = "devenv: this session changed nothing in the project" ]
	# nothing was granted by that
	run -125 devenv -C "$P" run -- true
}

@test "the project is a view: what was tried is listed, and nothing stays" {
	before=$(cd "$P" && find . -printf '%p %m %s %T@ %C@\n' | sort)
	export SCRIPT='echo changed >one; rm two; echo new >dir/$(printf "a\033[31m"); rm -r dir/three; cat one; echo x >$HOME/.bashrc; ls -A $HOME'
	for root in '' --root; do
		untrusted "$SCRIPT" $root
		[ "$status" -eq 0 ]
		[ "${lines[0]}" = changed ]
		[ "$stderr" = 'devenv: what this session did to its view of the project, now discarded:
  A dir/a\x1b[31m
  D dir/three
  M one
  D two' ]
		[ "$before" = "$(cd "$P" && find . -printf '%p %m %s %T@ %C@\n' | sort)" ]
	done
	export SCRIPT='cat $HOME/.bashrc'
	untrusted "$SCRIPT"
	[ "$status" -eq 1 ]
}

@test "a git repository is a part of the view" {
	command -v git >/dev/null || skip "git is not installed"
	git -C "$P" init -q
	export SCRIPT='echo evil >.git/hooks/pre-commit; echo "[core]" >>.git/config; rm .git/HEAD; ls -d .git/HEAD'
	untrusted "$SCRIPT"
	[[ $stderr == *"A .git/hooks/pre-commit"*"M .git/config"* || $stderr == *"D .git/HEAD"* ]]
	[ -e "$P/.git/HEAD" ]
	[ ! -e "$P/.git/hooks/pre-commit" ]
	git -C "$P" status >/dev/null
}

@test "a base outside the project is asked for all the same" {
	cp -r "$E2E_IMAGES/layouts/small" "$BATS_TEST_TMPDIR/layout"
	project "$P" "oci = ../layout:1"
	export SCRIPT=true
	untrusted "$SCRIPT"
	[ "$status" -eq 125 ]
	[[ $stderr == *"../layout"* || $stderr == *"$BATS_TEST_TMPDIR/layout"* ]]
}
