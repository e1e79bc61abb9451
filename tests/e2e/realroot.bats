#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# realroot.bats - started as real root: who it becomes, what it can't reach any more, that everything works as before, and
# what happens where it has to stay root.
load support

setup() {
	[ "$E2E_IDENTITY" = root ] || skip "takes real root"
	[ "$(awk '{ print $3 }' /proc/self/uid_map)" = 4294967295 ] || skip "this is root of a user namespace"
	OUTSIDE=$(outside_id uid)
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	P=$BATS_TEST_TMPDIR/p
	MOUNTED=
}
teardown() {
	[ ! -e "$P/.held" ] || touch "$P/.release" # of a test that failed
	terminal_stop
	[ -z "${MOUNTED:-}" ] || umount -l "$MOUNTED" || :
	[ -z "${OWN:-}" ] || rm -rf "$OWN"
	wait_for 15 nothing_inside || { inside_processes; false; }
}

# sandbox LINE...: a project whose [sandbox] has these.
sandbox() {
	ready "$P" "image = $SMALL" "$(printf '[sandbox]\nnetwork = none\n'; printf '%s\n' "$@")"
	cd "$P"
}
sandbox_pid() { # of pid 1
	devenv status | sed -n 's/.*its pid 1 is \([0-9]*\).*/\1/p; s/.*pid 1: \([0-9]*\).*/\1/p'
}
map_is() { # OUTER
	[ "$(devenv run -- sh -c 'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map')" = " 0 $1 1"$'\n'" 0 ${2:-$1} 1" ]
}
# plan_says TEXT: config --plan, whose lines are wrapped.
plan_says() {
	devenv config --plan | tr -s ' \n' ' ' | grep -Fq -- "$1" || { devenv config --plan; return 1; }
}

@test "root inside is somebody outside who owns nothing, and what it makes is root's" {
	mkdir "$BATS_TEST_TMPDIR/data"
	ready "$P" "image = $SMALL" "[sandbox]
network = none
[volume.all]
target = /srv/all
[mount.data]
source = $BATS_TEST_TMPDIR/data
target = /data
mode = rw"
	cd "$P"
	touch of-somebody && chown 1234:4321 of-somebody
	map_is "$OUTSIDE" "$(outside_id gid)"
	for words in '' --root; do
		run -0 devenv run $words -- sh -euc 'id -u; stat -c %u:%g . devenv.ini of-somebody ~ /srv/all /data /usr/bin/env
			mkdir -p d; echo >d/made; echo >>devenv.ini; ln -sf x d/link; chmod 4755 d/made
			echo >~/made; echo >/srv/all/made; echo >/data/made'
		[ "${lines[*]}" = "0 0:0 0:0 65534:65534 0:0 0:0 0:0 0:0" ] || { echo "$output"; false; }
	done
	run -0 stat -c '%u:%g %a' d d/made d/link "$XDG_STATE_HOME"/devenv/checkouts/p-*/home/made "$BATS_TEST_TMPDIR/data/made"
	[ "${lines[*]}" = "0:0 755 0:0 4755 0:0 777 0:0 644 0:0 644" ] || { echo "$output"; false; }
	[ "$(stat -c %u:%g of-somebody)" = 1234:4321 ]
	[ -z "$(find "$P" "$XDG_STATE_HOME" "$DEVENV_STORE" -uid "$OUTSIDE")" ]
}

@test "what is root's alone can't be read even by who gets out" {
	sandbox
	mkdir -m 700 "$BATS_TEST_TMPDIR/closed"
	echo secret >"$BATS_TEST_TMPDIR/closed/file"
	hold "$P"
	# a process of the session, as the host sees it
	session=$(inside_processes | awk '/until/ { print $1; exit }')
	[ "$(awk '/^Uid/ { print $2, $3, $4, $5 }' "/proc/$session/status")" = "$OUTSIDE $OUTSIDE $OUTSIDE $OUTSIDE" ]
	[ "$(awk '/^Groups/ { $1 = ""; print }' "/proc/$session/status" | tr -d ' ')" = "" ]
	[ "$(awk '/^Uid/ { print $2 }' "/proc/$HOLDER/status")" = "$OUTSIDE" ]
	# as if it had found a way: this directory of the host's, as it is, in the environment's own mount namespace
	cat >"$BATS_TEST_TMPDIR/escape" <<-'PYTHON'
		import ctypes, os, sys
		libc = ctypes.CDLL(None, use_errno=True)
		what, pid, where = sys.argv[1:]
		tree = libc.syscall(428, -100, what.encode(), 0x80001 | 0x8000)
		os.setns(os.pidfd_open(int(pid)), os.CLONE_NEWNS) if hasattr(os, "setns") else libc.setns(os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY), 0)
		assert tree >= 0 and libc.syscall(429, tree, b"", -100, where.encode(), 4) == 0, ctypes.get_errno()
	PYTHON
	run -0 devenv run -- mkdir -p /tmp/host
	/usr/bin/python3 -B "$BATS_TEST_TMPDIR/escape" "$BATS_TEST_TMPDIR" "$session" /tmp/host
	run -0 devenv run -- ls /tmp/host # it is there
	[[ $output == *closed* ]]
	for words in '' --root; do
		run devenv run $words -- cat /tmp/host/closed/file
		[ "$status" -ne 0 ]
		[[ $output != *secret* ]]
		run devenv run $words -- sh -c 'echo x >/tmp/host/escape'
		[ "$status" -ne 0 ]
	done
	release "$P"
}

@test "a project below a closed directory of root's, on another file system, and below a mount" {
	OWN=$(mktemp -d /root/devenv-e2e.XXXXXX)
	P=$OWN/p
	sandbox
	map_is "$OUTSIDE" "$(outside_id gid)"
	run -0 devenv run -- sh -c 'echo >made; stat -c %u made'
	[ "$(stat -c %u:%g "$P/made") $output" = "0:0 0" ]
	MOUNTED=$BATS_TEST_TMPDIR/mounted
	mkdir "$MOUNTED"
	mount -t tmpfs -o mode=700 none "$MOUNTED"
	P=$MOUNTED/a/p
	sandbox
	mkdir below
	mount -t tmpfs -o mode=755 none below
	map_is "$OUTSIDE" "$(outside_id gid)"
	run -0 devenv run -- sh -c 'echo >made; echo >below/made'
	umount below
	[ "$(stat -c %u:%g made)" = 0:0 ]
	cd /
}

@test "on a file system without such mounts it stays root, and that is said" {
	MOUNTED=$BATS_TEST_TMPDIR/mounted
	mkdir "$MOUNTED" "$BATS_TEST_TMPDIR/upper" "$BATS_TEST_TMPDIR/work" "$BATS_TEST_TMPDIR/lower"
	mount -t overlay -o "lowerdir=$BATS_TEST_TMPDIR/lower,upperdir=$BATS_TEST_TMPDIR/upper,workdir=$BATS_TEST_TMPDIR/work" none "$MOUNTED"
	P=$MOUNTED/p
	sandbox
	before=$(wc -l </proc/self/mountinfo)
	map_is 0
	run -0 devenv run -- sh -c 'echo >made; for set in Prm Eff Bnd Amb; do grep "^Cap$set:.0*[1-9a-f]" /proc/self/status; done; cat /proc/self/mountinfo'
	[[ $output != *Cap* && $output != *idmapped* ]]
	[ "$(stat -c %u:%g made)" = 0:0 ]
	plan_says "uid 0 and gid 0 inside are root of this machine: can't map the ids of $P: Invalid argument;"
	devenv config --plan --json | grep -q '"outside":0'
	[ "$(wc -l </proc/self/mountinfo)" = "$before" ]
	cd /
}

@test "only the runtime directory lies on such a file system: the lock is opened before" {
	MOUNTED=$BATS_TEST_TMPDIR/mounted
	mkdir "$MOUNTED" "$BATS_TEST_TMPDIR/upper" "$BATS_TEST_TMPDIR/work" "$BATS_TEST_TMPDIR/lower"
	mount -t overlay -o "lowerdir=$BATS_TEST_TMPDIR/lower,upperdir=$BATS_TEST_TMPDIR/upper,workdir=$BATS_TEST_TMPDIR/work" none "$MOUNTED"
	mkdir -m 700 "$MOUNTED/runtime"
	export XDG_RUNTIME_DIR=$MOUNTED/runtime
	sandbox 'linger = 600'
	map_is "$OUTSIDE" "$(outside_id gid)"
	wait_for 10 eval 'devenv status | grep -q "lingering after its last session"'
	first=$(devenv run -- readlink /proc/self/ns/mnt)
	hold "$P"
	[ "$(devenv run --root -- readlink /proc/self/ns/mnt)" = "$first" ]
	release "$P"
	devenv -q reset -y
	wait_for 10 nothing_inside
	sandbox
	hold "$P"
	kill -9 "$HOLDER"
	wait "$HOLDER" || :
	wait_for 10 nothing_inside
	map_is "$OUTSIDE" "$(outside_id gid)"
	[ "$(stat -c %a "$XDG_RUNTIME_DIR/devenv")" = 700 ]
	cd /
}

@test "without the capability for mounts it stays root" {
	command -v setpriv >/dev/null || skip "setpriv is not installed"
	sandbox
	less() { setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$@"; }
	run less devenv run -- sh -c 'tr -s " " </proc/self/uid_map'
	[ "$status" -eq 0 ] || skip "here root can make no user namespace without it: $output"
	[ "$output" = " 0 0 1" ]
	run -0 less devenv config --plan
	tr -s ' \n' ' ' <<<"$output" | grep -q "root of this machine: it has no capability for mounts (CAP_SYS_ADMIN);"
	# sessions of one environment are one and the same
	hold "$P"
	run --separate-stderr less devenv run -- true
	complaint 125 "runs as uid $OUTSIDE, and can't be joined as root: it has no capability for mounts"
	release "$P"
	wait_for 10 nothing_inside
	rm -f .held .release
	less devenv run -- sh -c 'echo >.held; until [ -e .release ]; do sleep 0.05; done' 3>&- 4>&- &
	wait_for 20 test -e .held
	map_is 0
	touch .release
	wait $!
	wait_for 10 nothing_inside
	map_is "$OUTSIDE" "$(outside_id gid)"
}

@test "the id is the last of root's own range, where it has one" {
	cat >"$BATS_TEST_TMPDIR/in-range" <<-'SH'
		mount --bind "$1/subuid" /etc/subuid && mount --bind "$1/subgid" /etc/subgid || exit 77
		devenv -q pull && devenv run -- sh -c 'tr -s " " </proc/self/uid_map; tr -s " " </proc/self/gid_map; echo >made'
	SH
	touch /etc/subuid /etc/subgid
	printf 'daemon:100000:65536\nroot:3000000:1000\n' >"$BATS_TEST_TMPDIR/subuid"
	printf 'root:4000000:1000\n' >"$BATS_TEST_TMPDIR/subgid"
	project "$P" "image = $SMALL"
	cd "$P"
	devenv -q allow -y
	devenv -q lock
	run -0 unshare -m sh "$BATS_TEST_TMPDIR/in-range" "$BATS_TEST_TMPDIR"
	[ "${lines[*]}" = " 0 3000999 1  0 4000999 1" ] || { echo "$output"; false; }
	[ "$(stat -c %u:%g made)" = 0:0 ]
}

@test "what only root may use is a reason to stay, and it is said" {
	command -v ssh-agent >/dev/null || skip "ssh-agent is not installed"
	sandbox 'ssh-agent = yes'
	plan_says "root of this machine: the ssh agent, which is granted, answers nobody else"
	eval "$(ssh-agent -a "$BATS_TEST_TMPDIR/agent")"
	map_is 0
	kill "$SSH_AGENT_PID"
}

@test "pipes can be opened again by name" {
	sandbox
	run -0 sh -c 'devenv run -- sh -c "echo one >/dev/stdout; echo two >/dev/stderr" 2>&1 | cat'
	[ "$output" = $'one\ntwo' ]
	run -0 sh -c 'echo three | devenv run -- sh -c "cat /dev/stdin" | cat'
	[ "$output" = three ]
}

@test "sessions join, kills leave nothing, and the environment works on" {
	sandbox
	hold "$P"
	first=$(devenv run -- readlink /proc/self/ns/mnt)
	[ "$(devenv run --root -- sh -c 'readlink /proc/self/ns/mnt; id -u')" = "$first"$'\n0' ]
	kill -9 "$HOLDER"
	wait "$HOLDER" || :
	wait_for 15 nothing_inside
	rm -f .held
	before=$(wc -l </proc/self/mountinfo)
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		devenv run -- sleep 100 3>&- 4>&- &
		sleep 0.0$((RANDOM % 10))
		kill -9 $!
		wait $! || :
	done
	wait_for 15 nothing_inside
	[ "$(wc -l </proc/self/mountinfo)" = "$before" ]
	run -0 devenv run -- echo works
}

@test "persist, diff, reset, linger and gc" {
	sandbox 'persist = yes'
	run -0 devenv run --root -- sh -c 'echo kept >/usr/x; rm /usr/bin/env; mkdir -m 700 /usr/closed; echo >/usr/closed/y'
	run -0 devenv run -- sh -c 'cat /usr/x; [ ! -e /usr/bin/env ] && echo removed'
	[ "$output" = $'kept\nremoved' ]
	run -0 devenv diff
	[[ $output == *usr/x* && $output == *usr/bin/env* && $output == *usr/closed* ]]
	hold "$P"
	run -0 devenv diff
	[[ $output == *usr/x* ]]
	release "$P"
	wait_for 10 nothing_inside
	[ -z "$(find "$XDG_STATE_HOME" -uid "$OUTSIDE")" ]
	run -0 devenv reset -y
	run -0 devenv run -- sh -c '[ ! -e /usr/x ] && echo gone'
	[ "$output" = gone ]
	P=$BATS_TEST_TMPDIR/q
	sandbox 'linger = 600' 'scratch = disk'
	run -0 devenv run --root -- sh -c 'echo >/usr/x'
	devenv -q gc
	run -0 devenv run -- ls /usr/x
	run -0 devenv diff
	[[ $output == *usr/x* ]]
	devenv -q reset -y
	wait_for 10 nothing_inside
}

@test "an untrusted session, setup and hooks" {
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\n[setup]\nrun = echo set >>up\n[hooks]\nstart = echo started >>up'
	cd "$P"
	devenv -q allow -y
	devenv -q lock
	devenv -q pull
	run -0 devenv run -- true
	run -0 devenv run -- cat up
	[ "${lines[*]}" = "set started started" ]
	[ "$(stat -c %u:%g up)" = 0:0 ]
	run -0 devenv -q enter --untrusted <<<'tr -s " " </proc/self/uid_map; echo changed >up; echo >new; cat up'
	[[ $output == *" 0 $OUTSIDE 1"$'\nchanged'* ]] || { echo "$output"; false; }
	[ ! -e new ]
}

@test "cgroups of limits are removed" {
	sandbox 'memory = 200M' 'pids = 100'
	devenv config --plan | grep -Eq "^ +memory .*: enforced, by cgroup" || skip "no cgroup is to be had here"
	hold "$P"
	name=$(sed -n 's/.*\(devenv-[0-9a-f]*\).*/\1/p' "/proc/$HOLDER/cgroup" | head -n 1)
	[ -n "$(find /sys/fs/cgroup -type d -name "$name" 2>/dev/null)" ]
	devenv run -- true
	[ -n "$(find /sys/fs/cgroup -type d -name "$name" 2>/dev/null)" ]
	release "$P"
	[ -z "$(find /sys/fs/cgroup -type d -name "$name" 2>/dev/null)" ]
}

@test "^C ends the script around run too, and ^Z stops it" {
	sandbox
	cat >script <<-'SH'
		for n in 1 2 3; do
			devenv run -- sh -c 'echo "run $1 is up"; sleep 100' sh $n
		done
		echo script went on
	SH
	terminal_start
	terminal_type "cd $P; bash script"
	terminal_wait '^run 1 is up'
	terminal_key C-z
	terminal_wait 'Stopped'
	terminal_type 'echo at the "prompt"; fg'
	terminal_wait '^at the prompt'
	sleep 0.5
	terminal_key C-c
	wait_for 15 nothing_inside
	terminal_type 'echo "code $?"'
	terminal_wait '^code 130'
	! terminal_shows 'run 2 is up|script went on' || false
}

@test "enter" {
	sandbox
	terminal_start
	terminal_type "cd $P; devenv enter"
	terminal_wait '\$ $|# $'
	terminal_type 'echo "map:"$(cat /proc/self/uid_map); echo made >made; exit'
	terminal_wait "^map: 0 $OUTSIDE 1"
	terminal_wait '^host> $'
	[ "$(stat -c %u:%g made)" = 0:0 ]
}
