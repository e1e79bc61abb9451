#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# limits.bats - [sandbox] memory, cpus and pids; devices, nested, perf and ssh-agent. limits_probe.c is what tries things inside.
load support

setup_file() {
	export P=$BATS_FILE_TMPDIR/limits-$$
	mkdir -p "$P"
	cc -static -O2 -o "$P/probe" "$E2E_SOURCE/limits_probe.c" || musl-gcc -static -O2 -o "$P/probe" "$E2E_SOURCE/limits_probe.c" || :
}
setup() {
	cd "$P"
	unset SSH_AUTH_SOCK
}
teardown() {
	[ -z "${AGENT:-}" ] || kill "$AGENT" 2>/dev/null || :
	[ ! -e "$P/.held" ] || touch "$P/.release" # of a test that failed
	wait_for 15 nothing_inside || { inside_processes; false; }
	rm -f "$P/.held" "$P/.release"
}

# sandbox LINE...: the environment with these lines in [sandbox], ready to run.
sandbox() {
	{
		printf '[base]\nimage = %s\n[sandbox]\nnetwork = none\n' "$SMALL"
		printf '%s\n' "$@"
	} >devenv.ini
	devenv -q allow -y
	[ -e devenv.lock ] || devenv -q lock
	devenv pull 2>pull-said || { cat pull-said; return 1; }
	grep "^devenv: warning: " pull-said >pull-stderr || :
}
need_probe() {
	[ -e "$P/probe" ] || skip "no compiler that links statically"
}
# Cgroups whose name begins with devenv-, of all hierarchies.
cgroups() {
	find /sys/fs/cgroup -type d -name 'devenv-*' 2>/dev/null
}
# enforced LIMIT: does the plan say that cgroups see to it here?
enforced() {
	devenv config --plan | grep -Eq "^ +$1 .*: enforced, by cgroup"
}

# ---- limits, whatever this account may do ----

@test "what is not enforced is said by the first session, and by no later one" {
	sandbox 'memory = 1G'
	! enforced memory || skip "a cgroup is to be had here"
	run --separate-stderr devenv run -- true
	[ "$status" -eq 0 ]
	[ "$(grep -c 'memory 1G: not enforced, no cgroup' <<<"$stderr")" -eq 1 ]
	run --separate-stderr devenv run -- true
	[ "$status" -eq 0 ]
	[ -z "$stderr" ] || { echo "$stderr"; false; }
	run devenv status
	[[ $output == *"memory 1G: not enforced"* ]]
}

@test "pids: a fork bomb ends at the limit, in every kind of session, and the next one works" {
	need_probe
	sandbox 'pids = 40'
	for root in '' --root; do
		run devenv run $root -- ./probe fork 200
		[ "$status" -eq 0 ]
		[[ $output == *"made "*"Resource temporarily unavailable"* ]] || { echo "$root: $output"; false; }
		made=$(sed -n 's/.*made \([0-9]*\) .*/\1/p' <<<"$output")
		[ "$made" -ge 25 ] && [ "$made" -le 40 ] || { echo "$root: $made"; false; }
	done
	# of all sessions together
	devenv run -- ./probe fork 20 >/dev/null
	hold "$P"
	run devenv run -- sh -c './probe fork 200'
	release "$P"
	made=$(sed -n 's/.*made \([0-9]*\) .*/\1/p' <<<"$output")
	[ "$made" -ge 15 ] && [ "$made" -le 37 ] || { echo "$output"; false; }
	run devenv run -- echo fine
	[ "$output" = fine ]
}

@test "cpus: by cgroup, or by affinity to as many processors for every session" {
	[ "$(nproc)" -ge 2 ] || skip "this machine has one processor"
	sandbox 'cpus = 0.75'
	! enforced cpus || skip "a cgroup is to be had here"
	run --separate-stderr devenv run -- sh -c 'grep Cpus_allowed_list /proc/self/status'
	[ "$status" -eq 0 ]
	[[ $stderr == *"cpus 0.75: by affinity to 1 of the processors"* ]]
	first=$output
	[[ ${first##*[[:space:]]} =~ ^[0-9]+$ ]]
	hold "$P"
	run --separate-stderr devenv run -- sh -c 'grep Cpus_allowed_list /proc/self/status'
	release "$P"
	[ "$output" = "$first" ]
}

@test "an environment without limits is asked nothing: no core, no cgroup" {
	sandbox
	before=$(ls "$XDG_RUNTIME_DIR/devenv")
	run --separate-stderr devenv run -- sh -c 'cat /proc/self/cgroup'
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ $output != *devenv-* ]]
	[ "$(comm -13 <(sort <<<"$before") <(ls "$XDG_RUNTIME_DIR/devenv") | grep -c 'cgroup$')" -eq 0 ]
}

@test "limits in devenv.local.ini win; a wrong value names its file and line" {
	sandbox 'pids = 500'
	printf '[sandbox]\npids = 40\n' >devenv.local.ini
	run devenv config
	[[ $output == *"pids = 40"*"devenv.local.ini:2"* ]]
	devenv config --json | grep -Eq '"pids": *"40"'
	for bad in 'memory = lots' 'memory = 4' 'cpus = 0' 'cpus = 1.2345' 'pids = 3' 'pids = many' 'devices = gqu' 'nested = maybe'; do
		printf '[sandbox]\n%s\n' "$bad" >devenv.local.ini
		run --separate-stderr devenv run -- true
		complaint 125 "devenv.local.ini:2: \[sandbox\] ${bad%% *}"
	done
	rm devenv.local.ini
}

# ---- limits, where cgroups are to be had ----

@test "memory: what takes more is killed, and the message says why" {
	sandbox 'memory = 64M'
	enforced memory || skip "no cgroup is to be had here"
	run --separate-stderr devenv run -- sh -c 'exec tail /dev/zero'
	[ "$status" -eq 137 ]
	[[ $stderr == *"reached its memory limit of 64 MiB"* ]]
	# not the command itself, but what it started
	run --separate-stderr devenv run -- sh -c 'tail /dev/zero; echo after'
	[ "$status" -eq 0 ]
	[ "$output" = after ]
	[[ $stderr == *"reached its memory limit of 64 MiB"* ]]
	run --separate-stderr devenv run -- true
	[ -z "$stderr" ]
	[ -z "$(cgroups)" ]
}

@test "limits by cgroup: every process of every session is there, and nothing is left" {
	sandbox 'memory = 200M' 'cpus = 1.5' 'pids = 100'
	enforced memory && enforced cpus && enforced pids || skip "no cgroups are to be had here"
	hold "$P"
	devenv status | grep -q 'memory 200M: enforced, by cgroup'
	devenv run -- sh -c 'echo >.second; while [ ! -e .release ]; do sleep 0.05; done' &
	second=$!
	wait_for 20 test -e .second
	rm .second
	inside_processes >made-inside
	[ "$(wc -l <made-inside)" -ge 3 ] # pid 1, two sessions
	while read -r pid rest; do
		grep -q /devenv- "/proc/$pid/cgroup" || { echo "$pid $rest"; cat "/proc/$pid/cgroup"; false; }
	done <made-inside
	release "$P"
	wait "$second"
	wait_for 10 nothing_inside
	[ -z "$(cgroups)" ] || { cgroups; false; }
}

@test "limits by cgroup: what a killed launcher leaves is swept by the next start and by gc" {
	sandbox 'memory = 200M' 'pids = 100'
	enforced memory || skip "no cgroup is to be had here"
	for sweep in 'run -- true' gc; do
		hold "$P"
		kill -9 "$HOLDER"
		wait "$HOLDER" || :
		wait_for 15 nothing_inside
		[ -n "$(cgroups)" ]
		devenv -q $sweep
		[ -z "$(cgroups)" ] || { echo "$sweep"; cgroups; false; }
	done
}

@test "a service manager of the user: the session is in a scope of its own, which goes with it" {
	[ "$(id -u)" = 0 ] || skip "only root can set one up"
	command -v /lib/systemd/systemd setpriv unshare systemctl >/dev/null || skip "systemd is not installed"
	devenv-manager() { unshare -m bash "$E2E_SOURCE/limits_manager.sh" "$P" "$E2E_BIN" "$SMALL"; }
	run devenv-manager
	[ "$status" -ne 77 ] || skip "$output"
	echo "$output"
	[ "$status" -eq 0 ]
}

# ---- powers ----

@test "nested, perf, devices and ssh-agent are powers, asked for one by one" {
	printf '[base]\nimage = %s\n[sandbox]\nnetwork = none\nnested = yes\nperf = yes\nssh-agent = yes\ndevices = kvm fuse gpu\n' "$SMALL" >devenv.ini
	run devenv allow --show
	for power in nested: perf: ssh-agent: 'device: /dev/kvm' 'device: /dev/fuse' 'device: the graphics'; do
		[[ $output == *"$power"* ]] || { echo "$power: $output"; false; }
	done
	devenv -q deny || :
	run --separate-stderr devenv run -- true </dev/null
	complaint 125 'not (yet )?(been )?(allowed|granted)|asks for'
}

@test "nested = yes: namespaces can be made, and nothing that is hidden or read-only comes undone in them" {
	need_probe
	mkdir -p .git/hooks
	git init -q . 2>/dev/null || :
	sandbox
	run devenv run -- ./probe nested
	[[ $output == *"Operation not permitted"* ]]
	sandbox 'nested = yes'
	# root inside has no capability to give its uid on, so its namespaces are good for nothing
	[ "$E2E_IDENTITY" != root ] || skip "root can't map itself further"
	run devenv run -- ./probe nested /proc/kcore /proc/keys /proc/sys /proc/sysrq-trigger /proc/irq /dev/null /sys "$P/.git/hooks" /tmp
	echo "$output"
	[ "$status" -eq 0 ]
	! grep -E 'undone|tmpfs:|bind:' <<<"$output" || false
	[ "$(sed -n 's/^tried //p' <<<"$output")" -ge 40 ]
	run devenv run --root -- ./probe nested /proc/kcore /proc/sys
	[ "$status" -eq 0 ]
	! grep undone <<<"$output" || false
	rm -rf .git
}

@test "perf = yes: the filter lets perf_event_open through" {
	need_probe
	sandbox
	run devenv run -- ./probe perf
	[ "$output" = "perf: Operation not permitted" ]
	sandbox 'perf = yes'
	run devenv run -- ./probe perf
	if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -gt 2 ]; then
		grep -q perf_event_paranoid pull-stderr
	else
		[ "$output" = ok ] || { echo "$output"; false; }
	fi
}

@test "devices: the node is there and nothing else, or one line says what is missing" {
	need_probe
	sandbox 'devices = kvm'
	if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
		[ ! -s pull-stderr ]
		run devenv run -- ./probe kvm
		[ "$output" = "kvm 12" ]
	elif [ -e /dev/kvm ]; then
		remedy='`sudo usermod -aG '
		[ $(($(stat -c 0%a /dev/kvm) & 060)) -eq 48 ] && [ "$(stat -c %g /dev/kvm)" -ne 0 ] || remedy='no group may either: `sudo chmod'
		[ "$(grep -c "you may not open /dev/kvm; $remedy" pull-stderr)" -eq 1 ]
	else
		[ "$(grep -c 'this machine has no /dev/kvm; `sudo modprobe' pull-stderr)" -eq 1 ]
	fi
	[ ! -e /dev/kvm ] || devenv run -- sh -c 'test -c /dev/kvm && test ! -e /dev/fuse'
	run devenv config --plan
	[ ! -e /dev/kvm ] || [[ $output == *"/dev/kvm"*"device"* ]]
	sandbox 'devices = gpu'
	[ -e /dev/dri ] || [ -e /dev/nvidia0 ] || grep -q 'no graphics processor' pull-stderr
	devenv run -- test ! -e /dev/kvm
}

@test "devices = gpu: nodes, files and variables that a CDI file names" {
	[ "$(id -u)" = 0 ] || skip "only root can put one in its place"
	sandbox 'devices = gpu'
	echo content >library
	cat >spec.json <<-E
		{"cdiVersion": "0.6.0", "kind": "example.com/gpu",
		 "devices": [{"name": "all", "containerEdits": {"deviceNodes": [
			{"path": "/dev/dri/card77", "hostPath": "/dev/zero"}, {"path": "/dev/example0", "hostPath": "/dev/zero"},
			{"path": "/dev/file", "hostPath": "$PWD/library"}]}}],
		 "containerEdits": {"env": ["EXAMPLE_VISIBLE=all"], "mounts": [
			{"hostPath": "$PWD/library", "containerPath": "/opt/example/lib.so.1", "options": ["ro"]}]}}
	E
	cat >inside.sh <<-'E'
		head -c 3 /dev/dri/card77 | wc -c
		head -c 3 /dev/example0 | wc -c
		ls /dev/file 2>&1 | grep -c 'No such'
		cat /opt/example/lib.so.1
		echo "$EXAMPLE_VISIBLE"
		(echo x >/opt/example/lib.so.1) 2>&1 | grep -c 'Read-only'
	E
	run --separate-stderr unshare -m sh -c 'mount --make-rprivate / && mount -t tmpfs run /run && mkdir /run/cdi &&
		cp spec.json /run/cdi && echo "kind: a/gpu" >/run/cdi/other.yaml && exec devenv run -- sh inside.sh'
	[ "$output" = $'3\n3\n1\ncontent\nall\n1' ] || { echo "$output $stderr"; false; }
	[[ $stderr == *"other.yaml is YAML"*"format=json"* ]]
	[[ $stderr == *"library is no device"* ]]
	# gone again: the plan is made anew without it
	run devenv run -- test ! -e /dev/example0
	[ "$status" -eq 0 ]
}

@test "ssh-agent = yes: the agent of each session, whichever login that is of" {
	need_probe
	command -v ssh-agent ssh-add ssh-keygen >/dev/null || skip "ssh-agent is not installed"
	sandbox 'ssh-agent = yes'
	run --separate-stderr devenv run -- ./probe agent
	[ "$output" = "no SSH_AUTH_SOCK" ]
	[[ $stderr == *"no ssh agent: SSH_AUTH_SOCK is not set"* ]]
	[ -e key1 ] || { ssh-keygen -q -t ed25519 -N '' -f key1; ssh-keygen -q -t ed25519 -N '' -f key2; }
	d=$(mktemp -d)
	AGENT=$(SHELL=/bin/sh ssh-agent -a "$d/one" 3>&- 4>&- | sed -n 's/.*Agent pid \([0-9]*\).*/\1/p')
	SSH_AUTH_SOCK=$d/one ssh-add -q key1
	export SSH_AUTH_SOCK=$d/one
	run --separate-stderr devenv run -- ./probe agent
	[ "$output" = "keys 1" ] || { echo "$output $stderr"; false; }
	[ -z "$stderr" ]
	run devenv run --root -- ./probe agent
	[ "$output" = "keys 1" ]
	# another login while the environment runs
	hold "$P"
	second=$(SHELL=/bin/sh ssh-agent -a "$d/two" 3>&- 4>&- | sed -n 's/.*Agent pid \([0-9]*\).*/\1/p')
	SSH_AUTH_SOCK=$d/two ssh-add -q key1 key2
	for i in 1 2 3; do
		run env SSH_AUTH_SOCK="$d/two" devenv run -- ./probe agent
		[ "$output" = "keys 2" ] || { echo "$output"; false; }
		run devenv run -- ./probe agent
		[ "$output" = "keys 1" ] || { echo "$output"; false; }
	done
	[ "$(devenv run -- sh -c 'grep -c devenv-ssh-agent /proc/self/mountinfo')" = 1 ]
	# the socket is still there, nobody listens
	kill -9 "$second"
	wait_for 5 test ! -d "/proc/$second" || :
	run --separate-stderr env SSH_AUTH_SOCK="$d/two" devenv run -- true
	[ "$status" -eq 0 ]
	[[ $stderr == *"no ssh agent: nobody answers at $d/two"* ]]
	release "$P"
	kill "$AGENT"
	rm -rf "$d"
}

@test "an untrusted session gets none of it" {
	need_probe
	sandbox 'nested = yes' 'perf = yes' 'ssh-agent = yes' 'devices = kvm'
	run devenv enter --untrusted <<<'./probe nested; ./probe perf; ./probe agent; ls /dev'
	[[ $output == *"unshare: Operation not permitted"*"perf: Operation not permitted"*"no SSH_AUTH_SOCK"* ]]
	! grep -qx kvm <<<"$output" || false
}
