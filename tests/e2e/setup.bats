#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# setup.bats - [setup], [mount.*] and [pass-env].
load support

OFF=$'[sandbox]\nnetwork = none'

setup() {
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	P=$BATS_TEST_TMPDIR/p
}
teardown() {
	terminal_stop
}

@test "setup runs once, again when an input changes, and says what it does on stderr" {
	project "$P" "image = $SMALL" "$OFF"$'\n[setup]\ninputs = a.lock\nrun =\n  echo out; echo err >&2\n  pwd >>ran'
	run -0 --separate-stderr devenv -q -C "$P" run -y -- echo hello
	[ "$output" = hello ]
	[[ $stderr == *out*err* ]]
	[ "$(cat "$P/ran")" = "$P" ]
	run -0 --separate-stderr devenv -C "$P" run -- echo hello
	[ "$stderr" = "" ]
	[ "$(wc -l <"$P/ran")" -eq 1 ]
	echo 1 >"$P/a.lock"
	run -0 --separate-stderr devenv -C "$P" run -- echo hello
	[[ $stderr == *"devenv: setting this checkout up"* ]]
	[ "$(wc -l <"$P/ran")" -eq 2 ]
	run -0 devenv -C "$P" run -- true
	[ "$(wc -l <"$P/ran")" -eq 2 ]
	run -0 devenv -C "$P" reset
	run -0 devenv -C "$P" run --root -- true
	[ "$(wc -l <"$P/ran")" -eq 3 ]
	[ -O "$P/ran" ]
}

@test "a second session sees a changed input too, and a session that runs already is not disturbed" {
	project "$P" "image = $SMALL" "$OFF"$'\n[setup]\ninputs = a.lock\nrun = echo x >>ran'
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	devenv -q -C "$P" pull
	hold "$P"
	echo 1 >"$P/a.lock"
	run -0 devenv -q -C "$P" run -- sh -c 'cat ran; ls /proc | grep -c "^[0-9]"'
	[ "${lines[1]}" = x ]
	[ "${lines[2]}" -gt 3 ]
	release "$P"
}

@test "a failing setup: run ends with 125 and names the step; the next session tries again" {
	project "$P" "image = $SMALL" "$OFF"$'\n[setup]\nrun =\n  echo trying\n  false\n  echo not reached'
	devenv -q -C "$P" allow -y
	run --separate-stderr devenv -C "$P" run -- echo hello
	[ "$status" -eq 125 ]
	[ -z "$output" ]
	[[ $stderr == *trying* ]]
	[[ $stderr == *"[setup] run, ended with status 1"* ]]
	[[ $stderr != *"not reached"* ]]
	run --separate-stderr devenv -C "$P" run -- echo hello
	[ "$status" -eq 125 ]
	project "$P" "image = $SMALL" "$OFF"$'\n[setup]\nrun = true'
	run -0 devenv -C "$P" run -- echo hello
}

@test "a failing setup leaves enter with a shell and a red line" {
	project "$P" "image = $SMALL" "$OFF"$'\n[setup]\nrun = exit 7'
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	devenv -q -C "$P" pull
	terminal_start
	terminal_type "cd $P; XDG_STATE_HOME=$XDG_STATE_HOME DEVENV_STORE=$DEVENV_STORE devenv enter"
	terminal_wait 'ended with status 7'
	tmux -S "$TERMINAL" capture-pane -p -e -J | grep -q $'\033\\[31mdevenv: the setup'
	terminal_type 'echo still $((40 + 2))'
	terminal_wait 'still 42'
	terminal_type 'exit'
}

@test "sessions that start together wait for one setup" {
	project "$P" "image = $SMALL" "$OFF"$'\n[setup]\nrun =\n  echo begin >>ran\n  sleep 0.5\n  echo end >>ran'
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	devenv -q -C "$P" pull
	for i in 1 2 3 4 5 6; do
		devenv -q -C "$P" run -- sh -c 'wc -l <ran' >"$BATS_TEST_TMPDIR/got.$i" 3>&- 4>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	[ "$(cat "$P/ran")" = $'begin\nend' ]
	[ "$(cat "$BATS_TEST_TMPDIR"/got.* | sort -u)" = 2 ]
}

@test "a setup that is killed has not run" {
	project "$P" "image = $SMALL" "$OFF"$'\n[setup]\nrun =\n  echo begin >>ran\n  until [ -e go ]; do sleep 0.05; done'
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	devenv -q -C "$P" pull
	devenv -q -C "$P" run -- true 3>&- 4>&- &
	wait_for 10 test -e "$P/ran"
	kill -9 $!
	touch "$P/go"
	run -0 devenv -q -C "$P" run -- cat ran
	[ "$(grep -c begin <<<"$output")" -eq 2 ]
}

@test "a mount is asked for, is read-only unless it says rw, and can't be swapped" {
	mkdir "$BATS_TEST_TMPDIR/data"
	echo content >"$BATS_TEST_TMPDIR/data/file"
	project "$P" "image = $SMALL" "$OFF"$'\n[mount.data]\nsource = ../data\ntarget = /data'
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "mount: $BATS_TEST_TMPDIR/data of this machine, read-only, at /data"
	run -0 devenv -q -C "$P" run -y -- cat /data/file
	[ "$output" = content ]
	run ! devenv -q -C "$P" run -- sh -c 'echo x >/data/file'
	run ! devenv -q -C "$P" run --root -- sh -c 'echo x >/data/file'
	# another directory of that name is another plan, not the old mount
	mv "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/old"
	mkdir "$BATS_TEST_TMPDIR/data"
	echo other >"$BATS_TEST_TMPDIR/data/file"
	run -0 devenv -q -C "$P" run -- cat /data/file
	[ "$output" = other ]
	# a link to somewhere else is somewhere else
	mkdir "$BATS_TEST_TMPDIR/secret"
	rm -r "$BATS_TEST_TMPDIR/data"
	ln -s secret "$BATS_TEST_TMPDIR/data"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "mount: $BATS_TEST_TMPDIR/secret"
	rm -r "$BATS_TEST_TMPDIR/data"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 'devenv.ini:6: \[mount.data\] source: there is no'
	mkdir "$BATS_TEST_TMPDIR/data"
	project "$P" "image = $SMALL" "$OFF"$'\n[mount.data]\nsource = ../data\ntarget = sub/dir\nmode = rw'
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "to be read and written"
	run -0 devenv -q -C "$P" run -y -- sh -c 'echo x >sub/dir/new'
	[ "$(cat "$BATS_TEST_TMPDIR/data/new")" = x ]
}

@test "a single file can be mounted, below the home too" {
	echo one >"$BATS_TEST_TMPDIR/one"
	project "$P" "image = $SMALL" "$OFF"$'\n[mount.a]\nsource = ../one\ntarget = /opt/a\n[mount.b]\nsource = ../one\ntarget = ~/.b/c'
	run -0 devenv -q -C "$P" run -y -- sh -c 'cat /opt/a ~/.b/c'
	[ "$output" = $'one\none' ]
	run -0 devenv -q -C "$P" run -- cat "$HOME/.b/c"
	[ "$output" = one ]
}

@test "what no project can mount" {
	for source in / '~' "$HOME" /run /run/docker.sock /proc "$DEVENV_STORE" "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR"; do
		project "$P" "image = $SMALL" "$OFF"$'\n[mount.x]\nsource = '"$source"$'\ntarget = /x'
		run --separate-stderr devenv -C "$P" run -y -- true
		complaint 125 'devenv.ini:6: .*no project can ask for that'
	done
}

@test "a variable is passed when it was asked for and allowed" {
	project "$P" "image = $SMALL" "$OFF"$'\n[pass-env]\nnames = AWS_PROFILE MISSING'
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 'your value of AWS_PROFILE'
	AWS_PROFILE='a b' OTHER=x run -0 devenv -q -C "$P" run -y -- sh -c 'echo "$AWS_PROFILE|${OTHER-unset}|${MISSING-unset}"'
	[ "$output" = 'a b|unset|unset' ]
}

@test "a mount that is swapped while sessions start never shows anything else" {
	mkdir "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/secret"
	echo content >"$BATS_TEST_TMPDIR/data/file"
	echo secret >"$BATS_TEST_TMPDIR/secret/file"
	project "$P" "image = $SMALL" "$OFF"$'\n[mount.data]\nsource = ../data\ntarget = /data'
	devenv -q -C "$P" run -y -- true
	(
		cd "$BATS_TEST_TMPDIR"
		until [ -e stop ]; do
			mv data aside && ln -s secret data
			rm -f data && mv aside data
		done
	) 3>&- 4>&- &
	for i in $(seq 60); do
		devenv -q -C "$P" run -- cat /data/file >>"$BATS_TEST_TMPDIR/seen" 2>>"$BATS_TEST_TMPDIR/errors" || :
	done
	touch "$BATS_TEST_TMPDIR/stop"
	wait
	! grep -q secret "$BATS_TEST_TMPDIR/seen" || false
	run -0 devenv -q -C "$P" run -- cat /data/file
	[ "$output" = content ]
}
