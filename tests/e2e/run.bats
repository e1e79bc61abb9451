#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run.bats - `devenv run`: exit codes, streams, environment, what a session may and may not do, images without a project.
load support

setup_file() {
	export P=$BATS_FILE_TMPDIR/project
	ready "$P" "image = $DJANGO"
	mkdir -p "$P/sub/deep er"
}

teardown() {
	rm -f "$P"/made-*
}

inside() {
	devenv -C "$P" run -- "$@"
}

@test "exit codes are the command's" {
	for code in 0 1 2 3 42 99 100 124 125 126 127 128 129 130 137 200 254 255; do
		run "-$code" inside sh -c "exit $code"
		[ -z "$output" ]
	done
}

@test "127 for a command that is not there, 126 for one that can't be executed" {
	run -127 --separate-stderr inside no-such-command
	complaint 127 'no-such-command'
	run -127 --separate-stderr inside /no/such/command
	complaint 127 'no/such/command'
	run --separate-stderr inside /etc/passwd
	complaint 126 '/etc/passwd'
	run --separate-stderr inside /etc
	complaint 126 '/etc'
}

@test "a script without an interpreter line runs as a shell would run it or is 126" {
	printf 'echo ran\n' >"$P/made-script"
	chmod 755 "$P/made-script"
	run inside ./made-script
	[ "$status" -eq 126 ] || [ "$output" = ran ]
}

@test "128+N when a signal ended the command" {
	for signal in 1 2 3 6 9 11 14 15 31; do
		run inside sh -c "ulimit -c 0; kill -$signal \$\$; sleep 5"
		[ "$status" -eq $((128 + signal)) ]
	done
}

@test "a signal sent to the launcher reaches the command" {
	printf '#!/bin/sh\ntrap "echo got term; exit 7" TERM\n: > made-ready\nwhile :; do sleep 0.05; done\n' >"$P/made-trap"
	chmod 755 "$P/made-trap"
	devenv -C "$P" run -- ./made-trap >"$BATS_TEST_TMPDIR/out" 3>&- 4>&- </dev/null &
	launcher=$!
	wait_for 10 test -e "$P/made-ready"
	kill -TERM "$launcher"
	code=0
	wait "$launcher" || code=$?
	[ "$code" -eq 7 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "got term" ]
}

@test "arguments arrive as they are" {
	run -0 inside printf '<%s>' 'two words' '' '$HOME' "quote'\"" $'new\nline' '*' '-x' --
	[ "$output" = "<two words><><\$HOME><quote'\"><new
line><*><-x><-->" ]
	run -0 devenv -C "$P" run printf '%s' --root
	[ "$output" = --root ]
}

@test "stdin, stdout and stderr are the caller's" {
	run -0 --separate-stderr bash -c "echo input | devenv -C '$P' run -- sh -c 'cat; echo error >&2'"
	[ "$output" = input ]
	[ "$stderr" = error ]
	run -0 bash -c "devenv -C '$P' run -- cat </dev/null"
	[ -z "$output" ]
}

@test "64 MiB of binary data pass through unchanged" {
	head -c 67108864 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	before=$(sha256sum <"$BATS_TEST_TMPDIR/data")
	after=$(inside cat <"$BATS_TEST_TMPDIR/data" | sha256sum)
	[ "$before" = "$after" ]
}

@test "a closed stdout ends the command as in a pipeline" {
	run -0 bash -c "set -o pipefail; devenv -C '$P' run -- yes | head -n 1; echo \${PIPESTATUS[0]}"
	[ "${lines[0]}" = y ]
	[ "${lines[1]}" -eq 141 ]
	run bash -c "devenv -C '$P' run -- sh -c 'echo hello; exit 3' >&-"
	[ "$status" -ne 0 ]
}

@test "-e sets a variable, and beats the config" {
	run -0 devenv -C "$P" run -e 'A=1' -e 'B=two words=x' -- sh -c 'echo "$A|$B"'
	[ "$output" = "1|two words=x" ]
	run --separate-stderr devenv -C "$P" run -e '=x' -- true
	complaint 125 "=x|variable|name"
}

@test "the session starts in the directory that matches" {
	cd "$P/sub/deep er"
	run -0 devenv run -- pwd
	[ "$output" = "$P/sub/deep er" ]
	run -0 devenv run -- sh -c 'ls ../../devenv.ini'
	run -0 devenv -C "$P/sub" run -- pwd
	[ "$output" = "$P/sub" ]
}

@test "/workspace leads to the project" {
	run -0 inside readlink /workspace
	[ "$output" = "$P" ]
	run -0 inside test -e /workspace/devenv.ini
}

@test "a fixed target" {
	ready "$BATS_TEST_TMPDIR/fixed" "image = $DJANGO" $'[workspace]\ntarget = /srv/app\n[sandbox]\nnetwork = none'
	mkdir "$BATS_TEST_TMPDIR/fixed/sub"
	cd "$BATS_TEST_TMPDIR/fixed/sub"
	run -0 devenv run -- sh -c 'pwd; touch made; ls /workspace/sub'
	[ "$output" = $'/srv/app/sub\nmade' ]
	[ -O "$BATS_TEST_TMPDIR/fixed/sub/made" ]
	run -1 devenv run -- test -e "$BATS_TEST_TMPDIR/fixed"
}

@test "without a project: one line, 125" {
	mkdir -p "$BATS_TEST_TMPDIR/empty"
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/empty" run -- true
	complaint 125 'devenv.ini'
	run --separate-stderr devenv -C "$BATS_TEST_TMPDIR/empty" enter
	complaint 125 'devenv.ini'
	[[ $stderr == *"devenv init"* ]]
}

@test "nothing of the caller's environment gets in but what the reference says" {
	run -0 env SECRET_OF_HOST=x LD_PRELOAD= AWS_PROFILE=x PYTHONPATH=/x TERM=xterm TZ=Europe/Berlin COLORTERM=truecolor \
		devenv -C "$P" run -- env
	for name in SECRET_OF_HOST AWS_PROFILE PYTHONPATH LD_PRELOAD XDG_RUNTIME_DIR E2E_REGISTRY; do
		! grep -q "^$name=" <<<"$output" || false
	done
	grep -qx 'TERM=xterm' <<<"$output"
	grep -qx 'TZ=Europe/Berlin' <<<"$output"
	grep -qx 'COLORTERM=truecolor' <<<"$output"
	grep -qx 'container=devenv' <<<"$output"
	grep -qx 'DEVENV=1' <<<"$output"
	grep -qx 'DEVENV_NAME=project' <<<"$output"
	grep -qx 'IMAGE_SAYS=django' <<<"$output"
	grep -qx "HOME=$HOME" <<<"$output"
	grep -qx "LANG=C.UTF-8" <<<"$output"
	grep -q '^PATH=.*/usr/bin' <<<"$output"
}

@test "a locale the image lacks becomes C.UTF-8" {
	run -0 env LANG=xx_YY.UTF-8 devenv -C "$P" run -- sh -c 'echo $LANG'
	[ "$output" = C.UTF-8 ]
}

@test "[env] and [env-file]" {
	ready "$BATS_TEST_TMPDIR/env" "image = $DJANGO" "[env]
GREETING = hello there
IMAGE_SAYS = something else
[env-file]
optional = .env absent.env
[sandbox]
network = none"
	printf '# comment\nFROM_FILE=a b\nexport OTHER=1\n' >"$BATS_TEST_TMPDIR/env/.env"
	run -0 devenv -C "$BATS_TEST_TMPDIR/env" run -- sh -c 'echo "$GREETING|$IMAGE_SAYS|$FROM_FILE|$OTHER"'
	[ "$output" = "hello there|something else|a b|1" ]
	echo FROM_FILE=changed >"$BATS_TEST_TMPDIR/env/.env"
	run -0 devenv -C "$BATS_TEST_TMPDIR/env" run -- sh -c 'echo $FROM_FILE'
	[ "$output" = changed ]
}

@test "a volume keeps its files" {
	ready "$BATS_TEST_TMPDIR/volume" "image = $DJANGO" "[volume.cache]
target = /var/cache/things
[sandbox]
network = none"
	run -0 devenv -C "$BATS_TEST_TMPDIR/volume" run -- sh -c 'echo kept > /var/cache/things/a'
	wait_for 10 nothing_inside
	run -0 devenv -C "$BATS_TEST_TMPDIR/volume" run -- cat /var/cache/things/a
	[ "$output" = kept ]
}

@test "the start hook runs inside, once per holder" {
	ready "$BATS_TEST_TMPDIR/hook" "image = $DJANGO" "[hooks]
start = echo started >> hook-log
[sandbox]
network = none"
	hold "$BATS_TEST_TMPDIR/hook"
	run -0 devenv -C "$BATS_TEST_TMPDIR/hook" run -- true
	release "$BATS_TEST_TMPDIR/hook"
	run -0 cat "$BATS_TEST_TMPDIR/hook/hook-log"
	[ "$output" = started ]
}

@test "no descriptor of the caller's is open inside" {
	run -0 bash -c "exec 5</etc/passwd 7>'$BATS_TEST_TMPDIR/x' 9</; devenv -C '$P' run -- sh -c 'ls /proc/self/fd' </dev/null"
	[ "$output" = $'0\n1\n2\n3' ] # 3 is ls's own
	hold "$P"
	run -0 bash -c "exec 5</etc/passwd 7>'$BATS_TEST_TMPDIR/x' 9</; devenv -C '$P' run -- sh -c 'ls /proc/self/fd' </dev/null"
	[ "$output" = $'0\n1\n2\n3' ]
	run -0 bash -c "exec 5</etc/passwd 7>'$BATS_TEST_TMPDIR/x' 9</; devenv -C '$P' run --root -- sh -c 'ls /proc/self/fd' </dev/null"
	[ "$output" = $'0\n1\n2\n3' ]
	release "$P"
}

@test "no new privileges, a filter, and no capabilities" {
	run -0 inside grep -E '^(NoNewPrivs|Seccomp|Cap[A-Z][a-z]+):' /proc/self/status
	grep -qx $'NoNewPrivs:\t1' <<<"$output"
	grep -qx $'Seccomp:\t2' <<<"$output"
	none=0000000000000000
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do # of real root too
		grep -qx "$set:"$'\t'"$none" <<<"$output"
	done
}

@test "--root has the eight capabilities of its promise" {
	run -0 devenv -C "$P" run --root -- grep -E '^(NoNewPrivs|Seccomp|Cap(Bnd|Eff)):' /proc/self/status
	# chown dac_override fowner fsetid kill setgid setuid net_bind_service
	grep -qx $'CapEff:\t00000000000004fb' <<<"$output"
	grep -qx $'CapBnd:\t00000000000004fb' <<<"$output"
	grep -qx $'NoNewPrivs:\t1' <<<"$output"
}

@test "its own user, pid, mount, ipc and uts namespaces" {
	for name in user pid mnt ipc uts; do
		run -0 inside readlink "/proc/self/ns/$name"
		[ "$output" != "$(readlink "/proc/self/ns/$name")" ]
	done
}

@test "network = none has only lo, host is the caller's" {
	run -0 inside sh -c "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"
	[ "$output" = lo ]
	ready "$BATS_TEST_TMPDIR/host" "image = $DJANGO" $'[sandbox]\nnetwork = host'
	run -0 devenv -C "$BATS_TEST_TMPDIR/host" run -- readlink /proc/self/ns/net
	[ "$output" = "$(readlink /proc/self/ns/net)" ]
}

@test "no further user namespaces, no mounts" {
	run inside unshare --user true
	[ "$status" -ne 0 ]
	run inside unshare --user --map-root-user --mount true
	[ "$status" -ne 0 ]
	run devenv -C "$P" run --root -- unshare --mount true
	[ "$status" -ne 0 ]
	run devenv -C "$P" run --root -- mount -t tmpfs none /mnt
	[ "$status" -ne 0 ]
}

@test "/dev has exactly what the promise lists" {
	run -0 inside sh -c 'ls -A /dev | LC_ALL=C sort | tr "\n" " "; stat -c %a /dev; echo x > /dev/null'
	[ "${lines[0]}" = "console fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero 755" ]
	run -0 inside sh -c 'head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; : > /dev/shm/x'
	[ "$output" = $'4\n4' ]
}

@test "/proc and /sys are masked" {
	run -0 inside sh -c 'cat /proc/kcore 2>/dev/null | head -c 1 | wc -c; ls /sys/firmware /sys/fs /sys/kernel 2>/dev/null; echo 1 > /proc/sysrq-trigger' || :
	[ "${lines[0]}" = 0 ]
	run inside sh -c 'echo x > /proc/sys/kernel/core_pattern'
	[ "$status" -ne 0 ]
	run devenv -C "$P" run --root -- sh -c 'echo x > /proc/sys/kernel/core_pattern'
	[ "$status" -ne 0 ]
	run inside sh -c 'touch /sys/x'
	[ "$status" -ne 0 ]
	run -0 inside ls /sys/devices/system/cpu
}

@test "pid 1 can't be read, traced or stopped from inside" {
	run inside sh -c 'cat /proc/1/environ'
	[ "$status" -ne 0 ]
	run devenv -C "$P" run --root -- sh -c 'ls -l /proc/1/fd/ /proc/1/exe 2>/dev/null'
	[ "$status" -ne 0 ]
	hold "$P"
	run devenv -C "$P" run --root -- sh -c 'kill -STOP 1; kill -9 1; :'
	run -0 devenv -C "$P" run -- echo alive
	[ "$output" = alive ]
	release "$P"
}

@test "the root is the environment's own: the caller's is not among its mounts" {
	run -0 inside cat /proc/self/mountinfo
	# the root itself is an overlay
	awk '$5 == "/" { print $0 }' <<<"$output" | grep -q ' - overlay '
	! grep -qE ' /(boot|root|etc) ' <<<"$(awk '{ print " " $5 " " }' <<<"$output")" || false
}

@test "identity inside: user name, hostname, containerenv" {
	run -0 inside sh -c 'id -un; hostname; cat /run/.containerenv; [ -w "$HOME" ] && echo writable'
	[ "${lines[0]}" = "$(id -un)" ]
	grep -q '^engine=.*devenv' <<<"$output"
	grep -q '^writable$' <<<"$output"
	run -0 devenv -C "$P" run --root -- sh -c 'id -un; id -gn'
	[ "$output" = $'root\nroot' ]
}

@test "output of devenv itself never mixes into stdout" {
	own_store
	project "$BATS_TEST_TMPDIR/quiet" "image = $SMALL"
	run -0 --separate-stderr devenv -C "$BATS_TEST_TMPDIR/quiet" run -y -- echo only this
	[ "$output" = "only this" ]
	[[ $stderr == *devenv.lock* ]]
}

@test "run --image: the hello-world of one static file" {
	run -0 --separate-stderr devenv run --image "$E2E_REGISTRY/hello"
	[ "$output" = $'hello from a root of one file\nshell absent' ]
	run -0 --separate-stderr devenv run --image "$E2E_REGISTRY/hello:latest" -- /hello 'two words'
	[ "$output" = $'hello from a root of one file\nargument two words\nshell absent' ]
	run -127 devenv run --image "$E2E_REGISTRY/hello" -- /bin/sh
}

@test "run --image: Entrypoint and Cmd as docker treats them" {
	run -0 --separate-stderr devenv run --image "$E2E_REGISTRY/small:entry"
	[ "$output" = "entry the default words" ]
	run -0 --separate-stderr devenv run --image "$E2E_REGISTRY/small:entry" -- other words
	[ "$output" = "entry other words" ]
	run -0 --separate-stderr devenv run --image "$SMALL"
	[ "$output" = small ]
}

@test "run --image: Env, WorkingDir and User" {
	run -0 --separate-stderr devenv run --image "$E2E_REGISTRY/small:config"
	[ "${lines[0]}" = "good morning" ]
	[ "${lines[1]}" = /srv/work ]
	[ "${lines[2]}" = 1 ]
	run -0 --separate-stderr devenv run --image "$E2E_REGISTRY/small:ids" -- sh -c 'id -u; id -g'
	[ "$output" = $'1234\n5678' ]
}

@test "run --image: odd Env entries and labels have no effect" {
	run -0 --separate-stderr devenv run --image "$E2E_REGISTRY/small:odd" -- env
	grep -qx GOOD=1 <<<"$output"
	! grep -qE 'NO_VALUE|nameless|1BAD|DA-SH' <<<"$output" || false
}

@test "run --image needs no project and leaves none" {
	cd "$(mktemp -d "$BATS_TEST_TMPDIR/x.XXXX")"
	run -0 --separate-stderr devenv run --image "$SMALL" -- echo works
	[ "$output" = works ]
	[ -z "$(ls -A)" ]
}

@test "a fresh plan is carried out without the core" {
	command -v strace >/dev/null || skip "strace is not installed"
	sleep 2.1 # until then the files of the project are too young to be believed
	inside true
	run -0 strace -f -qq -e trace=execve -o "$BATS_TEST_TMPDIR/trace" devenv -C "$P" run -- true
	! grep -q devenv-core "$BATS_TEST_TMPDIR/trace" || false
	[ "$(grep -c 'execve(.* = 0$' "$BATS_TEST_TMPDIR/trace")" -eq 2 ] # devenv and true
}

@test "a changed config makes a new plan" {
	ready "$BATS_TEST_TMPDIR/change" "image = $DJANGO" $'[env]\nWHICH = first\n[sandbox]\nnetwork = none'
	run -0 devenv -C "$BATS_TEST_TMPDIR/change" run -- sh -c 'echo $WHICH'
	[ "$output" = first ]
	sed -i 's/first/second/' "$BATS_TEST_TMPDIR/change/devenv.ini"
	run -0 devenv -C "$BATS_TEST_TMPDIR/change" run -- sh -c 'echo $WHICH'
	[ "$output" = second ]
}

@test "the launcher is static" {
	run -0 sh -c "readelf -lW '$E2E_BIN/devenv' 2>/dev/null | grep -c INTERP || :"
	command -v readelf >/dev/null || skip "readelf is not installed"
	[ "$output" = 0 ]
	run -0 readelf -hW "$E2E_BIN/devenv"
	[[ $output == *DYN* ]]
}
