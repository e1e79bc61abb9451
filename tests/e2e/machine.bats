#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# machine.bats - kernels that lack something: doctor names it with its remedy, and environments work in the lesser way or
# say in one line what is missing. absent.c is what takes it away.
load support

setup_file() {
	export ABSENT=$BATS_FILE_TMPDIR/absent
	cc -O2 -o "$ABSENT" "$E2E_SOURCE/absent.c"
}

setup() {
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	P=$BATS_TEST_TMPDIR/p
	RECORD=$XDG_STATE_HOME/devenv/machine
	ready "$P" "image = $SMALL"
}

without() { # FEATURE COMMAND...
	local feature=$1
	shift
	"$ABSENT" "$feature" -- "$@"
}

# diagnosed FEATURE CHECK REMEDY: doctor fails for that check alone (and those that build on it) and says what to do.
diagnosed() {
	run without "$1" devenv doctor --json
	[ "$status" -eq 1 ]
	[ "$(jq -r --arg id "$2" '.checks[] | select(.id == $id) | .level' <<<"$output")" = fail ]
	jq -r --arg id "$2" '.checks[] | select(.id == $id) | .remedy' <<<"$output" | grep -Eq -- "$3"
}
# refused FEATURE REGEX: `devenv run` says it in one line, with a way to go on, and leaves nothing behind.
refused() {
	run --separate-stderr without "$1" devenv -C "$P" run -- true
	complaint 125 "$2"
	grep -q '^  hint: ' <<<"$stderr"
	wait_for 10 nothing_inside
}
# and_again: what was lacking is there again, and nothing has to be done for it.
and_again() {
	run -0 --separate-stderr devenv -C "$P" run -- cat /etc/small
	[ "$output" = small ]
}

@test "what was tried is recorded once, and what worked is not tried again" {
	rm -rf "$XDG_STATE_HOME/devenv/checkouts" "$RECORD"
	run -0 devenv -C "$P" run -- true
	grep -qx "tmpfs_xattr = yes" "$RECORD" || grep -q '^tmpfs_xattr = no' "$RECORD"
	grep -qx "kernel = $(uname -s) $(uname -r) $(uname -v) $(uname -m)" "$RECORD"
	[ "$(stat -c %a "$RECORD")" = 600 ]
	stamp=$(stat -c %i.%y "$RECORD")
	printf '; more\n' >>"$P/devenv.ini"
	run -0 devenv -C "$P" run -- true
	run -0 devenv doctor
	[ "$(stat -c %i.%y "$RECORD")" = "$stamp" ]
	# of another kernel: everything is tried anew
	sed -i 's/^kernel = .*/kernel = Linux 5.12.0/' "$RECORD"
	printf '; more\n' >>"$P/devenv.ini"
	run -0 devenv -C "$P" run -- true
	grep -q "^kernel = Linux $(uname -r)" "$RECORD"
	# anything may be in it
	printf 'kernel' >"$RECORD"
	run -0 devenv doctor
	grep -q "^kernel = Linux $(uname -r)" "$RECORD"
	run -0 devenv doctor -v
	grep -q "what was tried is kept in $RECORD" <<<"$output"
}

@test "without user attributes on tmpfs: the scratch is on disk, and works" {
	run without tmpfs-xattr devenv doctor --json
	[ "$(jq -r '.checks[] | select(.id == "tmpfs-xattr") | .level' <<<"$output")" = warn ]
	grep -q '^tmpfs_xattr = no: set a user attribute on tmpfs' "$RECORD"
	printf '; more\n' >>"$P/devenv.ini"
	run -0 --separate-stderr without tmpfs-xattr devenv -C "$P" run -- sh -c 'rm /etc/small && mkdir /etc/small && ls -d /etc/small'
	[ "$output" = /etc/small ]
	run -0 without tmpfs-xattr devenv -C "$P" config --plan
	grep -q 'on disk, gone with the last session' <<<"$output"
	# with a newer kernel the next plan has it in memory
	printf '; more\n' >>"$P/devenv.ini"
	run -0 devenv -C "$P" run -- true
	run -0 devenv -C "$P" config --plan
	grep -q 'tmpfs, gone with the last session' <<<"$output"
}

@test "what is not needed may be absent: clone3, statx, landlock, message queues" {
	for feature in clone3 statx landlock mqueue; do
		run -0 --separate-stderr without "$feature" devenv -C "$P" run -- cat /etc/small
		[ "$output" = small ]
	done
}

@test "without user namespaces" {
	diagnosed user-namespaces user-namespace 'namespace checks above'
	diagnosed user-namespaces overlay 'mend the user namespace first'
	diagnosed user-namespaces proc 'mend the user namespace first'
	refused user-namespaces "can't make a user namespace: Operation not permitted"
	and_again
}

@test "without overlay" {
	diagnosed overlay overlay '^sudo modprobe overlay$'
	refused overlay "can't mount the overlay of the layers: No such device"
	and_again
}

@test "where /proc is masked" {
	diagnosed proc proc 'systempaths=unconfined'
	refused proc "can't mount /proc: Operation not permitted"
	grep -q systempaths=unconfined <<<"$stderr"
	and_again
}

@test "without tmpfs" {
	run without tmpfs devenv doctor
	[ "$status" -eq 1 ]
	refused tmpfs "can't mount a tmpfs for the scratch layer: Operation not permitted"
	and_again
}

@test "without pseudo terminals" {
	diagnosed devpts devpts CONFIG_UNIX98_PTYS
	refused devpts "can't set up /dev/pts: No such device"
	and_again
}

@test "without seccomp" {
	diagnosed seccomp seccomp CONFIG_SECCOMP_FILTER
	refused seccomp "can't load the system call filter: Function not implemented"
	and_again
}

@test "without one of the newer system calls" {
	local call message
	while read -r call message; do
		diagnosed "$call" system-calls 'Linux 5.12 or newer.*seccomp=unconfined'
		grep -q "$call" <<<"$(jq -r '.checks[] | select(.id == "system-calls") | .text' <<<"$output")"
		refused "$call" "$message"
	done <<-'END'
		openat2 Function not implemented
		open_tree can't prepare /tmp: Function not implemented
		move_mount can't mount /tmp: Function not implemented
		mount_setattr can't set the mount flags of .*: Function not implemented
		close_range can't close inherited descriptors: Function not implemented
		pidfd_open can't open a descriptor of this process: Function not implemented
		setns can't join the environment: Invalid argument
	END
	diagnosed ofd-locks system-calls 'Linux 5.12 or newer'
	refused ofd-locks "can't lock the environment: Invalid argument"
	and_again
}
