#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# hostile.bats - more of what a hostile caller, image, repository or session must not get; sandbox.bats has the rest.
# E2E_RACE is how many environments start in the race (60); `make test-faults` runs 2,000.
load support

setup_file() {
	export PROBE=$BATS_FILE_TMPDIR/probe
	if command -v musl-gcc >/dev/null; then
		musl-gcc -static -O2 -o "$PROBE" "$E2E_SOURCE/hostile_probe.c"
	else
		cc -static -O2 -o "$PROBE" "$E2E_SOURCE/hostile_probe.c" 2>/dev/null || :
	fi
}
setup() {
	P=$BATS_TEST_TMPDIR/shop
	export HOSTILE_FDS="/usr/bin/python3 -B $E2E_SOURCE/hostile_descriptors.py"
}
teardown() {
	terminal_stop
	[ -z "${LISTENER:-}" ] || kill "$LISTENER" 2>/dev/null || :
	[ ! -e "$P/.held" ] || touch "$P/.release"
	wait_for 15 nothing_ours || { our_holders; false; }
}
# The pids of pid 1 of every environment of ours. Root sees those of others too: ours has a lock in our runtime directory.
our_holders() {
	local dir
	for dir in /proc/[0-9]*; do
		! grep -qsx devenv-holder "$dir/comm" || ! ls -l "$dir/fd" 2>/dev/null | grep -q "$XDG_RUNTIME_DIR/devenv/" || echo "${dir#/proc/}"
	done
}
nothing_ours() {
	[ -z "$(our_holders)" ]
}
need_probe() {
	[ -e "$PROBE" ] || skip "no compiler that links statically"
}

# ---- what is given out for something else ----

@test "a file in the place of a device of this machine does not get inside" {
	project "$P" "image = $SMALL"
	cd "$P"
	devenv run -y -- true
	echo precious >"$BATS_TEST_TMPDIR/precious"
	how=(unshare --mount)
	[ "$(id -u)" = 0 ] || how=(unshare --user --map-root-user --mount)
	"${how[@]}" true 2>/dev/null || skip "no user namespaces here"
	for device in null urandom; do
		run --separate-stderr "${how[@]}" sh -c 'mount --bind "$1" "/dev/$2" && exec devenv run -- sh -c "echo gone >/dev/$2"' - "$BATS_TEST_TMPDIR/precious" "$device"
		[ "$status" -eq 125 ]
		[[ $stderr == *"/dev/$device of this machine is not the device of that name"* ]]
	done
	[ "$(<"$BATS_TEST_TMPDIR/precious")" = precious ]
}

# ---- paths that change while they are used ----

@test "a racer flips shared directories into links while environments start" {
	need_probe
	work=$BATS_TEST_TMPDIR/work canary=$BATS_TEST_TMPDIR/canary
	mkdir -p "$work"/{victim,racer,shared/deep,shared/decoy/{volume,inner},decoy} "$canary/volume" "$canary/inner"
	echo untouched >"$canary/keep"
	cd "$work/victim"
	! command -v git >/dev/null || git init -q .
	mkdir -p .git/hooks below/volume beside sub subsub
	# where they lead to has what the path goes on with, so that following one would mount there
	ln -s /srv/shared/decoy below.other
	ln -s ../../../../../../../../../srv/shared/decoy beside.other
	ln -s "$canary" sub.other
	ln -s / subsub.other
	ln -s "$canary" ../shared/deep.other
	ln -s "$canary" .git.other
	cp "$PROBE" "$work/shared/probe"
	cp "$PROBE" "$work/racer/probe"
	# what the victim was granted is its path's, so a project of no further power may run in its place, and this one not
	project "$work/decoy" "image = $SMALL" "[hooks]
start = echo decoy
[mount.data]
source = $canary
target = /data
[sandbox]
network = none"
	: >"$work/decoy/is-other"
	cp -r .git "$work/decoy/"
	mv "$work/decoy" "$work/victim.other"
	ready "$work/victim" "image = $SMALL" "[volume.a]
target = below/volume
[volume.b]
target = beside/volume
[volume.c]
target = /srv/shared/deep/inner
[mount.shared]
source = $work/shared
target = /srv/shared
mode = rw
[sandbox]
network = none"
	ready "$work/racer" "image = $SMALL" "[mount.work]
source = $work
target = /srv/place
mode = rw
[mount.shared]
source = $work/shared
target = /srv/shared
mode = rw
[sandbox]
network = none"
	sleep 2.1
	devenv -q -C "$work/victim" run -- true
	devenv -q -C "$work/racer" run -- true
	run /usr/bin/python3 -B "$E2E_SOURCE/hostile_race.py" "$(command -v devenv)" "$work" "$canary" "${E2E_RACE:-60}"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "${E2E_RACE:-}" ] || sed -n "s|^|# |p" <<<"$output" >&3
	[ "$(cat "$canary/keep")" = untouched ]
}

@test "what is exchanged between the check of the plan and the mount is not mounted" {
	command -v strace >/dev/null || skip "strace is not installed"
	d=$BATS_TEST_TMPDIR
	mkdir -p "$d"/{data,other,elsewhere}
	ready "$P" "image = $SMALL" "[mount.data]
source = $d/data
target = /data
[sandbox]
network = none"
	echo secret | tee "$d/other/secret" >"$d/elsewhere/secret"
	project "$d/elsewhere" "image = $SMALL"
	ln -s "$d/other" "$d/link"
	sleep 2.1
	devenv -q -C "$P" run -- true
	wait_for 15 nothing_ours
	for pair in "$d/data $d/other" "$d/data $d/link" "$P $d/elsewhere"; do
		read -r place instead <<<"$pair"
		# the plan was found fresh when the lock is held; pid 1 is made a while after that
		strace -f -qq -o "$d/trace" -e trace=clone -e inject=clone:delay_enter=3000000 \
			devenv -q -C "$P" run -- sh -c 'cat /data/secret secret' >"$d/out" 2>"$d/err" 3>&- 4>&- </dev/null &
		traced=$!
		wait_for 20 eval "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q '$XDG_RUNTIME_DIR/.*\.lock\$'"
		mv "$place" "$place.aside"
		mv "$instead" "$place"
		code=0
		wait "$traced" || code=$?
		mv "$place" "$instead"
		mv "$place.aside" "$place"
		[ "$code" -eq 125 ] || { echo "$pair: $code $(cat "$d/out" "$d/err")"; false; }
		grep -q 'was exchanged for something else' "$d/err"
		[ ! -s "$d/out" ]
	done
}

# ---- what a caller leaves open, and where it stands ----

@test "sixty descriptors: files, directories, namespaces, memory, sockets, pipes, terminals; none is inside" {
	ready "$P" "image = $SMALL" $'[hooks]\nstart = ls /proc/self/fd >start\nenter = ls /proc/self/fd >entered\n[setup]\nrun = ls /proc/self/fd >set-up\n[sandbox]\nnetwork = none'
	# ls itself has one open: the directory
	list='for f in /proc/self/fd/*; do [ ! -e "$f" ] || echo "${f##*/}"; done'
	for words in "run" "run --root" "enter" "enter --root"; do
		# shellcheck disable=SC2086 # options
		case $words in
		run*) run -0 --separate-stderr $HOSTILE_FDS devenv -q -C "$P" $words -- sh -c "$list" ;;
		*) run -0 --separate-stderr bash -c "echo '$list' | $HOSTILE_FDS devenv -q -C '$P' $words" ;;
		esac
		[ "$output" = $'0\n1\n2' ] || { echo "$words: $output $stderr"; false; }
		wait_for 15 nothing_ours
	done
	for file in start entered set-up; do
		[ "$(cat "$P/$file")" = $'0\n1\n2\n3' ] || { echo "$file: $(cat "$P/$file")"; false; }
	done
	# pid 1 has none of them either
	rm -f "$P/.held"
	$HOSTILE_FDS devenv -q -C "$P" run -- sh -c 'echo >.held; until [ -e .release ]; do sleep 0.05; done' </dev/null 3>&- 4>&- &
	HOLDER=$!
	wait_for 20 test -e "$P/.held"
	holder=$(our_holders)
	run -0 foreign_descriptors "$holder"
	[ -z "$output" ] || { echo "$output"; false; }
	release "$P"
}

@test "a directory as standard input, however it was opened: refused" {
	ready "$P" "image = $SMALL"
	for how in 'os.open("/", os.O_PATH)' 'os.open("/", os.O_RDONLY)' 'os.open("/proc/self/fd", os.O_RDONLY)' 'os.open("/proc/self/cwd", os.O_PATH)'; do
		for n in 0 1 2; do
			run /usr/bin/python3 -c "import os; os.dup2($how, $n); os.execvp('devenv', ['devenv', '-C', '$P', 'run', '--', 'ls', '/proc/self/fd/$n/'])"
			[ "$status" -eq 125 ] || { echo "$how as $n: $status $output"; false; }
		done
	done
}

@test "working directories: deleted, of a descriptor, of another process, above, outside, closed, with a newline, too long" {
	ready "$P" "image = $SMALL" $'[hooks]\nenter = true\n[sandbox]\nnetwork = none'
	in_directory() { # COMMAND: change to it in a shell, then look
		run --separate-stderr bash -c "$1 || exit 99; exec devenv -q run -- sh -c 'pwd -P; ls -A /proc/self/cwd >/dev/null && echo listed'"
		[ "$status" -ne 99 ] || { echo "$1: $stderr"; false; }
	}
	mkdir -p "$P/a/b" "$P/closed" "$P"/$'two\nlines' "$P/gone"
	# a directory that is gone belongs to no project
	in_directory "cd '$P/gone' && rmdir '$P/gone'"
	complaint 125 'current directory|no devenv.ini'
	# the same name in a new directory is not the old one
	in_directory "mkdir '$P/gone' && cd '$P/gone' && mv '$P/gone' '$BATS_TEST_TMPDIR/elsewhere' && mkdir '$P/gone'"
	complaint 125 'no devenv.ini'
	# a magic link is where it leads, and that is decided outside
	in_directory "exec 7<'$P/a' && cd /proc/self/fd/7/b"
	[ "$output" = "$P/a/b"$'\nlisted' ]
	in_directory "cd '$P/a' && cd /proc/\$\$/cwd/b"
	[ "$output" = "$P/a/b"$'\nlisted' ]
	in_directory "cd '$P/a/b' && cd ../../../shop/a/../a/b/../.."
	[ "$output" = "$P"$'\nlisted' ]
	in_directory "cd '$P'/\$'two\nlines'"
	[ "$output" = "$P"$'/two\nlines\nlisted' ]
	# what the caller says in PWD does not count
	in_directory "cd '$P/a' && export PWD=/etc"
	[ "$output" = "$P/a"$'\nlisted' ]
	# outside of a project there is none
	in_directory "cd '$BATS_TEST_TMPDIR'"
	complaint 125 'no devenv.ini'
	# neither reading nor searching is allowed: nobody is put there
	in_directory "cd '$P/closed' && chmod 000 '$P/closed'"
	[ "$(id -u)" -eq 0 ] || complaint 125 'directory|devenv.ini'
	chmod 755 "$P/closed"
	in_directory "cd '$P/closed' && chmod 111 '$P/closed'"
	[ "${lines[0]}" = "$P/closed" ]
	chmod 755 "$P/closed"
	# longer than a path may be: entered step by step
	in_directory "cd '$P' && for i in \$(seq 20); do mkdir -p $(printf 'x%.0s' $(seq 250)) && cd x*; done"
	[ "$status" -eq 125 ] || [[ $output == "$P"* ]] || { echo "$status $output $stderr"; false; }
	for way in /proc/1/cwd /proc/1/root "/proc/self/fd/9" "$P/a/b/c" "$P/devenv.ini"; do
		run --separate-stderr devenv -C "$way" run -- pwd
		complaint 125 'director|devenv.ini'
	done
}

# ---- terminals ----

@test "TIOCSTI and TIOCLINUX on a terminal, whatever their high bits, under run and under enter" {
	need_probe
	ready "$P" "image = $SMALL"
	cp "$PROBE" "$P/probe"
	terminal_start
	terminal_type "cd '$P'; clear"
	for words in "run -- ./probe inject" "run --root -- ./probe inject" "enter"; do
		rm -f "$P/made"
		if [ "$words" = enter ]; then
			terminal_type "devenv enter"
			terminal_type "./probe inject >made 2>&1; echo end >>made; exit"
		else
			terminal_type "devenv $words >made 2>&1; echo end >>made"
		fi
		wait_for 20 grep -qx end "$P/made"
		# not EIO or ENOTTY, which is what a kernel may say by itself
		[ "$(grep -c ' EPERM$' "$P/made")" -eq 24 ] || { cat "$P/made"; false; }
		! grep -q 'DONE\|lived' "$P/made" || false
		[ "$(uname -m)" != x86_64 ] || grep -qx 'x32 KILLED' "$P/made"
		terminal_type 'clear'
	done
	terminal_type 'echo the''-end'
	terminal_wait '^the-end'
	! terminal_shows 'Q' || false
}

# ---- what debuggers need ----

@test "a debugger works: ptrace, process_vm_readv and writev, no address randomisation" {
	need_probe
	ready "$P" "image = $SMALL"
	cp "$PROBE" "$P/probe"
	for root in "" --root; do
		# shellcheck disable=SC2086 # an option or none
		run -0 devenv -C "$P" run $root -- ./probe debug
		[ "$(grep -c ' DONE$' <<<"$output")" -eq 8 ] || { echo "$output"; false; }
		[ "${#lines[@]}" -eq 8 ]
	done
}

# ---- images ----

@test "an image's setuid files, file capabilities, devices, FIFOs, annotations and odd settings change nothing" {
	need_probe
	own_store
	/usr/bin/python3 -B "$E2E_SOURCE/sandbox_images.py" trees "$E2E_IMAGES/layouts/small" 1 "$BATS_TEST_TMPDIR/images" "$PROBE" >"$BATS_TEST_TMPDIR/tags"
	grep -qx privileged "$BATS_TEST_TMPDIR/tags"
	project "$P" "oci = images:privileged" $'[sandbox]\nnetwork = none'
	mv "$BATS_TEST_TMPDIR/images" "$P/images"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	run -0 --separate-stderr devenv -C "$P" run -- sh -c 'for f in /suid /sgid /both /capable; do $f privileges; done; id -u; id -g'
	# real, effective, saved and file system id: all the caller's
	[ "$(grep -c "^Uid:"$'\t'"$(id -u)"$'\t'"$(id -u)"$'\t'"$(id -u)"$'\t'"$(id -u)\$" <<<"$output")" -eq 4 ] || { echo "$output"; false; }
	[ "$(grep -c "^Gid:"$'\t'"$(id -g)"$'\t'"$(id -g)"$'\t'"$(id -g)"$'\t'"$(id -g)\$" <<<"$output")" -eq 4 ] || { echo "$output"; false; }
	[ "$(grep -c $'^Cap...:\t0000000000000000$' <<<"$output")" -eq 20 ] || { echo "$output"; false; }
	run -0 devenv -C "$P" run --root -- sh -c 'for f in /suid /capable; do $f privileges; done'
	[ "$(grep -cE $'^Cap(Prm|Eff|Bnd):\t00000000000004fb$' <<<"$output")" -eq 6 ] || { echo "$output"; false; }
	run -0 devenv -C "$P" run -- sh -c 'for f in /char /block /fifo /dev/sda /etc/char /odd/char; do [ ! -e $f ] && [ ! -L $f ] || echo "is there: $f"; done
		cat /char /block 2>/dev/null; id -u; cat /proc/self/ns/net 2>/dev/null; hostname 2>/dev/null || cat /etc/hostname'
	[ "$output" = "$(id -u)"$'\nshop' ] || { echo "$output"; false; }
}

# ---- the network ----

@test "abstract sockets: out of reach without a network, a power with the host's" {
	need_probe
	name=devenv-test-$$-$RANDOM
	/usr/bin/python3 -c "
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind('\0$name'); s.listen(8); open('$BATS_TEST_TMPDIR/listens', 'w').close(); time.sleep(300)" 3>&- 4>&- &
	LISTENER=$!
	wait_for 20 test -e "$BATS_TEST_TMPDIR/listens"
	ready "$P" "image = $SMALL"
	cp "$PROBE" "$P/probe"
	run -0 devenv -C "$P" run -- ./probe abstract "$name"
	[ "$output" = "connect Connection refused" ]
	run -0 devenv -C "$P" allow --show
	[[ $output != *abstract* ]]
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = host'
	run -0 devenv -C "$P" allow --show
	[[ $output == *"abstract sockets"* ]]
	devenv -q -C "$P" allow -y
	run -0 devenv -C "$P" run -- ./probe abstract "$name"
	[ "$output" = "connect DONE" ]
}

# ---- what is shown ----

@test "control and bidi characters of a repository are shown escaped, whatever command shows them" {
	evil=$'\033]0;x\a\u202e\u2066\u200b'
	mkdir -p "$P"
	printf '[devenv]\nname = a%sb\n[base]\nimage = %s\n[env]\nA = %s\n[hooks]\nenter = echo %s\n[setup]\ninputs = x%s\nrun = true %s\n[volume.v]\ntarget = /srv/v%s\n[sandbox]\nnetwork = none\n' \
		"$evil" "$SMALL" "$evil" "$evil" "$evil" "$evil" "$evil" >"$P/devenv.ini"
	clean() {
		"$@" >"$BATS_TEST_TMPDIR/said" 2>&1 </dev/null || :
		[ -s "$BATS_TEST_TMPDIR/said" ]
		! LC_ALL=C grep -nP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]' "$BATS_TEST_TMPDIR/said" || { echo "$*"; false; }
	}
	for name in "a${evil}b" plain; do
		sed -i "2s/.*/name = $name/" "$P/devenv.ini"
		for words in "config" "config --json" "status" "status --json" "allow --show" "allow --show --json" "run -- true" "allow -y" \
			"lock" "pull" "config --plan" "config --plan --json" "status" "ls" "ls --json" "info" "gc -n" "deny"; do
			# shellcheck disable=SC2086 # words
			clean devenv -C "$P" $words
		done
	done
}

# ---- what is installed ----

@test "nothing that is installed has a setuid or setgid bit or capabilities" {
	run -0 find "$E2E_BIN/.." -type f \( -perm -4000 -o -perm -2000 \)
	[ -z "$output" ]
	! command -v getcap >/dev/null || [ -z "$(getcap -r "$E2E_BIN/.." 2>/dev/null)" ]
}

@test "the home of the host is out of sight, and so are its processes" {
	ready "$P" "image = $SMALL"
	echo secret >"$HOME/diary"
	mkdir -p "$BATS_TEST_TMPDIR/beside"
	run -0 devenv -C "$P" run --root -- sh -c 'ls -A "$0"; ls -A "$1/.." ; ls -d /proc/[0-9]* | wc -l; ls /proc/*/root/etc/shadow 2>/dev/null | wc -l' "$HOME" "$P"
	[[ $output != *diary* && $output != *beside* ]] || { echo "$output"; false; }
	rm "$HOME/diary"
}
