#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# commands.bats - every other command: help, usage errors, the screens and their JSON.
load support

setup_file() {
	export P=$BATS_FILE_TMPDIR/project DEVENV_STORE=$BATS_FILE_TMPDIR/store
	export XDG_STATE_HOME=$BATS_FILE_TMPDIR/state XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
	ready "$P" "image = $SMALL"
	devenv -q -C "$P" run -- true
}

json() {
	/usr/bin/python3 -c 'import json, sys
d = json.load(sys.stdin)
assert d["schema"] == 1, d
for name in sys.argv[1:]:
    assert name in d, (name, d)' "$@" <<<"$output"
}

COMMANDS="allow completion config deny doctor enter gc git-hooks help hook image info init lock ls pull reset run status template update version"
PLANNED="build down export import logs ps push shim snapshot ssh-config task toolchain up"

@test "every command answers -h and --help on stdout with exit 0" {
	for command in $COMMANDS "image ls" "image pull" "image inspect" "image history" "image rm" "template ls" "git-hooks install" "git-hooks uninstall" "git-hooks status"; do
		for flag in -h --help; do
			run -0 --separate-stderr devenv $command $flag
			[[ $output == *"devenv $command"* ]]
			[ -z "$stderr" ]
		done
	done
	run -0 devenv
	[[ $output == *enter* ]]
	run -0 devenv help
	[[ $output == *enter* ]]
	run -0 devenv help run
	[[ $output == *--image* ]]
}

@test "no line of help is wider than 100 columns" {
	for command in $COMMANDS; do
		run -0 devenv "$command" -h
		[ "$(wc -L <<<"$output")" -le 100 ]
	done
}

@test "commands that are not built yet say so" {
	for command in $PLANNED; do
		run --separate-stderr devenv "$command" x
		[[ $stderr == *"not supported yet"* ]]
		[ "$status" -ne 0 ]
		[ -z "$output" ]
	done
}

@test "an unknown command or option: exit 2 and the nearest name" {
	run --separate-stderr devenv entre
	[ "$status" -eq 2 ]
	[[ $stderr == *enter* ]]
	[ -z "$output" ]
	run --separate-stderr devenv status --jsno
	[ "$status" -eq 2 ]
	[[ $stderr == *--json* ]]
	run --separate-stderr devenv image lss
	[ "$status" -eq 2 ]
	run --separate-stderr devenv lock operand
	[ "$status" -eq 2 ]
	# run and enter keep the command's exit codes apart from their own, which is always 125
	run --separate-stderr devenv run --imgae x -- true
	complaint 125 "did you mean '--image'"
	run --separate-stderr devenv run
	complaint 125 "needs a command"
}

@test "version" {
	run -0 devenv version
	[[ $output =~ [0-9]+\.[0-9]+ ]]
	first=$output
	run -0 devenv --version
	[ "$output" = "$first" ]
}

@test "status: one screen and JSON" {
	run -0 devenv -C "$P" status
	[[ $output == *small:gzip* ]]
	[ "${#lines[@]}" -le 24 ]
	run -0 devenv -C "$P" status --json
	json
	cd "$P"
	mkdir -p below
	cd below
	run -0 devenv status --json
	json
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR" status --json
	[ "$status" -eq 1 ]
	/usr/bin/python3 -c 'import json, sys; assert json.load(sys.stdin)["error"]["code"] == "no-project"' <<<"$output"
}

@test "info and its JSON" {
	run -0 devenv info
	[[ $output == *"$DEVENV_STORE"* ]]
	[[ $output == *"$(uname -r)"* ]]
	run -0 devenv info --json
	json
}

@test "doctor passes where the tests run" {
	run devenv doctor
	[ "$status" -eq 0 ]
	run -0 devenv doctor --json
	json
}

@test "ls lists this environment" {
	run -0 devenv ls
	[[ $output == *project* ]]
	run -0 devenv ls --json
	json
}

@test "config shows defaults filled in, config --plan the promise" {
	run -0 devenv -C "$P" config
	[[ $output == *small:gzip* ]]
	run -0 devenv -C "$P" config --plan
	[[ $output == *none* ]]
	[[ $output == *seccomp* || $output == *filter* ]]
}

@test "image pull, ls, inspect, history, rm" {
	run -0 devenv image pull "$E2E_REGISTRY/hello"
	run -0 devenv image ls
	[[ $output == *hello* ]]
	run -0 devenv image ls --json
	json
	run -0 devenv image inspect "$E2E_REGISTRY/hello"
	[[ $output == *sha256:* ]]
	[[ $output == */hello* ]]
	run -0 devenv image inspect --json "$E2E_REGISTRY/hello"
	json
	run -0 devenv image history "$E2E_REGISTRY/hello"
	[[ $output == *"layer 0"* ]]
	run -0 devenv image rm "$E2E_REGISTRY/hello"
	run --separate-stderr devenv image inspect "$E2E_REGISTRY/hello"
	complaint 1 'hello'
}

@test "gc -n says what and how much, and changes nothing" {
	devenv -q image pull "$E2E_REGISTRY/hello"
	devenv -q image rm "$E2E_REGISTRY/hello"
	before=$(find "$DEVENV_STORE" | wc -l)
	run -0 devenv gc -n
	[[ $output =~ [0-9.]+\ ?(B|kB|MB) ]]
	[ "$(find "$DEVENV_STORE" | wc -l)" -eq "$before" ]
	run -0 devenv gc
	[ "$(find "$DEVENV_STORE" | wc -l)" -lt "$before" ]
	run -0 devenv gc --json
	json
}

@test "init writes a file that is accepted, once" {
	mkdir -p "$BATS_TEST_TMPDIR/new"
	echo django >"$BATS_TEST_TMPDIR/new/requirements.txt"
	run -0 devenv -C "$BATS_TEST_TMPDIR/new" init
	grep -q '^image = .*python' "$BATS_TEST_TMPDIR/new/devenv.ini"
	grep -q '^;' "$BATS_TEST_TMPDIR/new/devenv.ini"
	run -0 devenv -C "$BATS_TEST_TMPDIR/new" config
	before=$(sha256sum "$BATS_TEST_TMPDIR/new/devenv.ini")
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/new" init
	[ "$status" -eq 1 ]
	[[ $stderr == *devenv.ini* ]]
	[ "$before" = "$(sha256sum "$BATS_TEST_TMPDIR/new/devenv.ini")" ]
	# what was made here counts as allowed
	run -0 devenv -C "$BATS_TEST_TMPDIR/new" allow --show
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/new" --offline run -- true
	[[ $stderr != *"devenv allow"* ]]
}

@test "completions for three shells" {
	for shell in bash zsh fish; do
		run -0 devenv completion "$shell"
		[[ $output == *enter* ]]
	done
	run -0 bash -n <(devenv completion bash)
	run --separate-stderr devenv completion tcsh
	[ "$status" -ne 0 ]
}

@test "errors as JSON" {
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR" lock --json
	[ "$status" -eq 1 ]
	/usr/bin/python3 -c 'import json, sys
e = json.load(sys.stdin)["error"]
assert e["code"] == "no-project" and e["message"]' <<<"$output"
}

@test "colour only when asked for or on a terminal" {
	run -0 devenv -C "$P" --color always status
	grep -q $'\033' <<<"$output"
	run -0 devenv -C "$P" status
	! grep -q $'\033' <<<"$output" || false
	run -0 env NO_COLOR=1 CLICOLOR_FORCE=1 devenv -C "$P" status
	! grep -q $'\033' <<<"$output" || false
}

@test "global flags before and after the command" {
	run -0 devenv --json -C "$P" status
	json
	run -0 devenv status --json -C "$P"
	json
}
