#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# messages.bats - what a newcomer is told: one line that says what is wrong and what to do, and simulations that are true.
load support

setup() {
	own_store
	P=$BATS_TEST_TMPDIR/p
	project "$P" "image = $SMALL"
}
teardown() {
	terminal_stop
}

# rows FILE: what gc lists, without the columns that may differ and without its last line.
rows() {
	grep -E '^(name|image|layer|staging|plan|generated|scratch) ' "$1" | tr -s ' ' | sort
}

@test "gc -n lists what gc then deletes: old names, images, layers, plans, generated layers" {
	devenv -q image pull "$SMALL"
	devenv -q run --image "$SMALL" -- true
	ready "$P" "image = $E2E_REGISTRY/hello"
	cp -a "$P" "$P-gone"
	devenv -q -C "$P-gone" run -y --image "$E2E_REGISTRY/hello" -- /hello >/dev/null || :
	devenv -q -C "$P-gone" allow -y
	devenv -q -C "$P-gone" pull
	rm -r "$P-gone"
	sleep 1.1
	devenv gc -n --max-age 0s >"$BATS_TEST_TMPDIR/said"
	devenv gc -v --max-age 0s >"$BATS_TEST_TMPDIR/done"
	rows "$BATS_TEST_TMPDIR/said" >"$BATS_TEST_TMPDIR/a"
	rows "$BATS_TEST_TMPDIR/done" >"$BATS_TEST_TMPDIR/b"
	diff "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	grep -q '^name' "$BATS_TEST_TMPDIR/a"
	grep -q '^image' "$BATS_TEST_TMPDIR/a"
	grep -q '^layer' "$BATS_TEST_TMPDIR/a"
	grep -q '^plan' "$BATS_TEST_TMPDIR/a"
	grep -q '^generated' "$BATS_TEST_TMPDIR/a"
	[ "$(sed -n 's/^would free//p' "$BATS_TEST_TMPDIR/said")" = "$(sed -n 's/^freed//p' "$BATS_TEST_TMPDIR/done")" ]
	run -0 devenv gc -n --max-age 0s
	[[ $output == *"nothing to delete"* ]]
	run -0 devenv -C "$P" --offline pull
}

@test "gc keeps the home of a project that is gone, and ls says where it is" {
	ready "$P" "image = $SMALL"
	devenv -q -C "$P" run -- sh -c 'echo precious >~/file'
	rm -r "$P"
	devenv -q gc
	run -0 devenv ls
	[[ $output == *gone* ]]
	[[ $output == *"devenv reset --home --volumes '"* ]]
	run -0 devenv ls -v
	dir=$(sed -n 's/^.* gone .* \(\/.*\)$/\1/p' <<<"$output")
	[ "$(cat "$dir/home/file")" = precious ]
}

@test "status and ls say so when sessions of an earlier configuration run" {
	ready "$P" "image = $SMALL"
	hold "$P"
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\n[env]\nA = 1'
	run -0 devenv -C "$P" run -- true
	run -0 devenv -C "$P" status
	[[ $output == *"yes, 1 of an earlier configuration"* ]]
	run -0 devenv ls
	[[ $output == *running* ]]
	run --separate-stderr devenv -C "$P" reset
	complaint 1 'is running'
	release "$P"
	run -0 devenv -C "$P" status
	[[ $output != *"earlier configuration"* ]]
}

@test "git init after allow keeps what was granted" {
	command -v git >/dev/null || skip "git is not installed"
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = host'
	devenv -q -C "$P" run -y -- true
	git init -q "$P"
	echo >>"$P/devenv.ini"
	run -0 devenv -C "$P" run -- true
	run -0 devenv -C "$P" deny
	run -125 devenv -C "$P" run -- true
}

@test "Ctrl-C while waiting for a layer that another fetches; the wait is announced once" {
	command -v flock >/dev/null || skip "flock is not installed"
	devenv -q image pull "$SMALL"
	chain=$(ls "$DEVENV_STORE/layers" | head -n 1)
	rm -rf "${DEVENV_STORE:?}/layers" "${DEVENV_STORE:?}/images" "${DEVENV_STORE:?}/names"
	for layer in $(ls "$DEVENV_STORE/locks") "$chain"; do
		flock "$DEVENV_STORE/locks/$layer" sleep 30 3>&- 4>&- </dev/null &
	done
	sleep 0.3
	set -m
	devenv image pull "$SMALL" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
	pull=$!
	set +m
	wait_for 15 grep -q 'waiting for another devenv that fetches this layer' "$BATS_TEST_TMPDIR/err"
	kill -INT "$pull"
	status=0
	wait "$pull" || status=$?
	[ "$status" -eq 130 ]
	grep -qx 'devenv: interrupted' "$BATS_TEST_TMPDIR/err"
	[ "$(grep -c 'waiting for' "$BATS_TEST_TMPDIR/err")" -eq 1 ]
	kill $(jobs -p) 2>/dev/null || :
}

@test "what devenv promises inside can't be set" {
	ready "$P" "image = $SMALL"
	for name in HOME USER LOGNAME DEVENV DEVENV_NAME container; do
		run --separate-stderr devenv -C "$P" run -e "$name=x" -- true
		complaint 125 "$name is set by devenv"
		project "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\n[env]\n'"$name = x"
		run --separate-stderr devenv -C "$P" run -- true
		complaint 125 "devenv.ini:6: .*$name is set by devenv"
	done
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\n[env-file]\nrequired = .env'
	printf 'A=1\nHOME=/x\n' >"$P/.env"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 '\.env:2: HOME is set by devenv'
	rm "$P/.env"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 'devenv.ini:6: \[env-file\] required: there is no .env'
	run --separate-stderr devenv run -e 'A-B=1' --image "$SMALL" -- true
	complaint 125 "'A-B' can't be the name of a variable"
}

@test "another DEVENV_STORE makes the plan stale; a relative one is refused by both programs" {
	ready "$P" "image = $SMALL"
	devenv -q -C "$P" run -- true
	DEVENV_STORE=$BATS_TEST_TMPDIR/other run -0 devenv -C "$P" run -- true
	[ -d "$BATS_TEST_TMPDIR/other/layers" ]
	run -0 devenv -C "$P" run -- true
	DEVENV_STORE=here run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "DEVENV_STORE='here' is not an absolute path"
	DEVENV_STORE=here run --separate-stderr devenv ls
	complaint 1 "DEVENV_STORE='here' is not an absolute path"
}

@test "nobody is told of the command behind run" {
	for words in "--image= true" "--color bad --image $E2E_REGISTRY/none true" "-n true"; do
		run --separate-stderr devenv -C "$P" run $words
		[ "$status" -eq 125 ]
		[[ $stderr != *prepare* ]]
	done
	run --separate-stderr devenv run --image '' true
	[[ $stderr == *"--image ''"* ]]
	[[ $stderr == *"usage: devenv run"* ]]
}

@test "offline: the hint names the pull" {
	run --separate-stderr devenv run --offline --image "$E2E_REGISTRY/hello" -- true
	complaint 125 'devenv'
	[[ $stderr == *"devenv image pull $E2E_REGISTRY/hello"* ]]
}

@test "the question: maybe asks again once, no is one line" {
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = host'
	terminal_start
	terminal_type "cd '$P'; clear"
	terminal_type 'devenv run -- true; echo code $?'
	terminal_wait '\[y/N\]'
	terminal_type maybe
	terminal_wait 'Please answer yes or no'
	terminal_type n
	terminal_wait '^code 125'
	terminal_shows '^devenv: not allowed; nothing was started$'
	! terminal_shows 'hint:' || false
	! terminal_shows 'started: ' || false
	terminal_type 'clear; devenv run -- true; echo code $?'
	terminal_wait '\[y/N\]'
	terminal_key C-d
	terminal_wait '^code 125'
	terminal_shows '^devenv: not allowed; nothing was started$'
}

@test "reset --home without a terminal: exit 1 and no usage; Ctrl-C at its question: interrupted" {
	ready "$P" "image = $SMALL"
	devenv -q -C "$P" run -- true
	run --separate-stderr devenv -C "$P" reset --home
	[ "$status" -eq 1 ]
	[[ $stderr == *"no terminal to ask on"* ]]
	[[ $stderr != *usage:* ]]
	terminal_start
	terminal_type "cd '$P'; clear"
	terminal_type 'devenv reset --home; echo code $?'
	terminal_wait '\[y/N\]'
	terminal_key C-c
	terminal_wait '^devenv: interrupted'
}

@test "links, directories and FIFOs in the place of devenv.ini are called what they are" {
	mkdir -p "$BATS_TEST_TMPDIR"/{link,directory,fifo}
	ln -s "$P/devenv.ini" "$BATS_TEST_TMPDIR/link/devenv.ini"
	mkdir "$BATS_TEST_TMPDIR/directory/devenv.ini"
	mkfifo "$BATS_TEST_TMPDIR/fifo/devenv.ini"
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/link" status
	complaint 1 'devenv.ini is a symbolic link'
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/directory" run true
	complaint 125 'devenv.ini is a directory'
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/fifo" status
	complaint 1 'devenv.ini is a FIFO'
	run --separate-stderr devenv -C "$P/devenv.ini" status
	complaint 1 "devenv.ini' is not a directory"
	run --separate-stderr devenv -C "$P/devenv.ini" run true
	complaint 125 "devenv.ini' is not a directory"
}

@test "a runtime directory that can't be used: the variable is named" {
	ready "$P" "image = $SMALL"
	XDG_RUNTIME_DIR=/proc/none run --separate-stderr devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *"XDG_RUNTIME_DIR is"* ]]
}

@test "a lock that can't be written: one reason, once, and what to do" {
	[ "$(id -u)" -ne 0 ] || skip "root may write anywhere"
	chmod a-w "$P"
	run --separate-stderr devenv -C "$P" lock -y
	chmod u+w "$P"
	complaint 1 "^devenv: can't write [^:]*/devenv.lock: Permission denied$"
	[[ $stderr == *hint:* ]]
}

@test "devenv.lock has the mode that the umask says, and keeps it" {
	(umask 027 && devenv -q -C "$P" lock -y)
	[ "$(stat -c %a "$P/devenv.lock")" = 640 ]
	chmod 604 "$P/devenv.lock"
	project "$P" "image = $E2E_REGISTRY/hello"
	devenv -q -C "$P" lock -y
	[ "$(stat -c %a "$P/devenv.lock")" = 604 ]
}

@test "-v says why a plan is made and what is fetched" {
	ready "$P" "image = $SMALL"
	devenv -q -C "$P" run -- true
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\n[env]\nA = 1'
	run -0 --separate-stderr devenv -C "$P" run -v -- true
	[[ $stderr == *"has changed: $P/devenv.ini"* ]]
	run -0 --separate-stderr devenv image pull -v "$SMALL"
	[[ $stderr == *"its manifest for linux/"* ]]
}

@test "image ls names the project's request; four digits of a digest are enough" {
	ready "$P" "image = $SMALL"
	run -0 devenv image ls
	[[ $output == *"$SMALL"* ]]
	digits=$(devenv image ls --json | sed 's/.*"digest":"sha256:\(....\).*/\1/')
	run -0 devenv image inspect "$digits"
	[[ $output == *"sha256:$digits"* ]]
}
