# SPDX-License-Identifier: Apache-2.0
# support.bash - what the suites share. The runner (tests/e2e/run) sets:
#   E2E_REGISTRY  host:port of the registry that holds the test images    E2E_IMAGES    their directory (tests/images/build)
#   E2E_LANGUAGES archive of a root file system with python, node, go, cargo and gcc; "" where it could not be made
#   E2E_PROGRAMS  the same with vim, less, tmux, gdb and an ssh client
#   E2E_DEBIANS   archives of bullseye, bookworm and trixie root file systems, as far as they could be made
#   E2E_TOP       the checkout; only root can count on being able to read it
#   E2E_BIN       directory of the installed devenv                       E2E_SOURCE    tests/e2e
#   E2E_SHARED    a directory that every identity may write to, empty at first
#   E2E_IDENTITY  user (no subordinate ids), range (with some) or root

bats_require_minimum_version 1.5.0

PYTHON2=$E2E_REGISTRY/python2:2.7
DJANGO=$E2E_REGISTRY/django:3.2
SMALL=$E2E_REGISTRY/small:gzip

# project DIR BASE [TEXT]: a directory with a devenv.ini of its own; no network unless TEXT says otherwise.
project() {
	mkdir -p "$1"
	{
		printf '[base]\n%s\n' "$2"
		if [ $# -gt 2 ]; then
			printf '%s\n' "$3"
		else
			printf '[sandbox]\nnetwork = none\n'
		fi
	} >"$1/devenv.ini"
}

# ready DIR BASE [TEXT]: the same, allowed, locked and fetched.
ready() {
	project "$@"
	devenv -q -C "$1" allow -y
	devenv -q -C "$1" lock
	devenv -q -C "$1" pull
}

# ---- [build] ----
OFF=$'[sandbox]\nnetwork = none\n[build]\nnetwork = none'
# build_project DIR SCRIPT-LINES [KEYS]
build_project() {
	project "$1" "image = $SMALL" "$OFF"$'\n'"${3:-}"$'\nrun =\n'"$2"
	devenv -q -C "$1" allow -y
	devenv -q -C "$1" lock
}
# What only a root file system with python, node, go, cargo and gcc can show.
languages() {
	[ -n "$E2E_LANGUAGES" ] || skip "mmdebstrap could not make a root file system with the languages"
}

# bookworm_image DIR: root.tar in it, an image of Debian's.
bookworm_image() {
	local archive
	archive=$(printf '%s\n' $E2E_DEBIANS | grep -m 1 bookworm) || skip "no image of bookworm could be made"
	mkdir -p "$1"
	cp "$archive" "$1/root.tar"
}

# A store, state and cache that only this test uses.
own_store() {
	export DEVENV_STORE=$BATS_TEST_TMPDIR/store
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}

# hold DIR [ARG...]: a session in the background that lasts until `release DIR`. HOLDER is its launcher's pid.
hold() {
	local dir=$1
	shift
	rm -f "$dir/.held" "$dir/.release"
	devenv -C "$dir" run "$@" -- sh -c 'echo > .held; until [ -e .release ]; do sleep 0.05; done' 3>&- 4>&- </dev/null &
	HOLDER=$!
	wait_for 20 test -e "$dir/.held"
}
release() {
	touch "$1/.release"
	wait "$HOLDER"
}

# Who the caller is outside while in an environment. Real root becomes somebody: of its own range, or of nobody's.
outside_id() { # uid|gid
	if [ "$(id -u)" != 0 ] || [ "$(awk '{ print $3 }' /proc/self/uid_map)" != 4294967295 ]; then
		id "-${1:0:1}"
	else
		awk -F: '$1 == "root" || $1 == 0 { n = $2 + $3 - 1 } END { print n ? n : 2147000000 }' "/etc/sub$1" 2>/dev/null
	fi
}

# Processes of mine that live in another pid namespace: sessions and holders. Root's and who it becomes: of this run alone, whose
# home they have.
inside_processes() {
	local here there dir me
	me=$(outside_id uid)
	here=$(readlink /proc/self/ns/pid)
	for dir in /proc/[0-9]*; do
		[ -O "$dir" ] || [ "$(stat -c %u "$dir" 2>/dev/null)" = "$me" ] || continue
		there=$(readlink "$dir/ns/pid" 2>/dev/null) || continue
		[ -n "$there" ] && [ "$there" != "$here" ] || continue
		# a machine whose init reaps nobody keeps what has ended
		! grep -q '^State:.*zombie' "$dir/status" 2>/dev/null || continue
		[ "$E2E_IDENTITY" != root ] || grep -qF " ${HOME%/*}/" "$dir/mountinfo" 2>/dev/null || continue
		echo "${dir#/proc/} $(tr '\0' ' ' <"$dir/cmdline")"
	done
	return 0
}
# Descriptors of pid 1 (its pid) but for those of its own: its lock, the report's pipe, its scratch slot and scratch layer.
foreign_descriptors() {
	local fd to
	for fd in "/proc/$1/fd"/*; do
		to=$(readlink "$fd") || continue
		case $to in
		*.lock | pipe:* | */scratch/[0-9]* | */persist) ;;
		# the layer's file system has no other name from here; the host's root is no tmpfs of our own
		/) [ "$(stat -Lc %d "$fd")" != "$(stat -c %d /)" ] && [ "$(stat -Lf -c %T "$fd")" = tmpfs ] || echo "$fd $to" ;;
		*) echo "$fd $to" ;;
		esac
	done
}
nothing_inside() {
	[ -z "$(inside_processes)" ]
}

# complaint STATUS REGEX: what `run --separate-stderr` got is this exit code, nothing on stdout, and one line on stderr
# that matches (a hint of its own may follow).
complaint() {
	local lines
	if [ "$status" -ne "$1" ]; then
		echo "exit status $status instead of $1; stdout: $output; stderr: $stderr"
		return 1
	fi
	if [ -n "$output" ]; then
		echo "stdout is not empty: $output"
		return 1
	fi
	if ! grep -Eqi -- "$2" <<<"$stderr"; then
		echo "stderr does not match /$2/: $stderr"
		return 1
	fi
	lines=$(grep -c '^devenv: ' <<<"$stderr")
	if [ "$lines" -ne 1 ] || grep -Eqv '^(devenv: |  hint: )' <<<"$stderr"; then
		echo "not one line: $stderr"
		return 1
	fi
}

# No staging is left in a store, and nothing that is not complete has a name.
store_is_clean() {
	local store=${1:-$DEVENV_STORE}
	[ ! -d "$store/tmp" ] || [ -z "$(ls -A "$store/tmp")" ] || {
		echo "left in $store/tmp: $(ls -A "$store/tmp")"
		return 1
	}
}

# faulty FAULT [ARGUMENT...]: a misbehaving registry in front of the real one. FAULTY is its host:port, FAULTY_LOG its log.
faulty() {
	local file=$BATS_TEST_TMPDIR/port.$RANDOM
	FAULTY_LOG=$file.log
	/usr/bin/python3 -B "$E2E_SOURCE/faulty_registry.py" "$E2E_REGISTRY" "$file" "$FAULTY_LOG" "$@" \
		3>&- 4>&- </dev/null >"$file.err" 2>&1 &
	FAULTY_PID=$!
	wait_for 20 test -e "$file"
	FAULTY=127.0.0.1:$(cat "$file")
}
faulty_stop() {
	[ -z "${FAULTY_PID:-}" ] || kill "$FAULTY_PID" 2>/dev/null || :
	[ -z "${FAULTY_PID:-}" ] || wait "$FAULTY_PID" 2>/dev/null || :
	FAULTY_PID=
}

# ---- this machine's Debian mirror ----
mirror_probe() { # in setup_file, with the store that the file's tests use
	mkdir -p "$BATS_FILE_TMPDIR/probe"
	printf '[base]\ndebian = bookworm\n' >"$BATS_FILE_TMPDIR/probe/devenv.ini"
	devenv -q -C "$BATS_FILE_TMPDIR/probe" allow -y
	devenv -q -C "$BATS_FILE_TMPDIR/probe" lock >"$BATS_FILE_TMPDIR/why" 2>&1 || touch "$BATS_FILE_TMPDIR/no-mirror"
}
mirror_or_skip() {
	[ ! -e "$BATS_FILE_TMPDIR/no-mirror" ] || skip "no Debian mirror here: $(head -n 1 "$BATS_FILE_TMPDIR/why")"
}

# ---- a terminal: tmux in the background, a plain shell of the host in it ----
terminal_start() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	TERMINAL=$BATS_RUN_TMPDIR/t$RANDOM
	tmux -S "$TERMINAL" -f /dev/null new-session -d -x 80 -y 24 \
		"env PS1='host> ' bash --norc --noprofile -i" 3>&- 4>&-
	tmux -S "$TERMINAL" set-option -g history-limit 5000
	terminal_wait '^host> '
}
terminal_stop() {
	[ -z "${TERMINAL:-}" ] || tmux -S "$TERMINAL" kill-server 2>/dev/null || :
	TERMINAL=
}
terminal_type() { # a line
	tmux -S "$TERMINAL" send-keys -l -- "$1"
	tmux -S "$TERMINAL" send-keys Enter
}
terminal_key() {
	tmux -S "$TERMINAL" send-keys -- "$@"
}
terminal_screen() {
	tmux -S "$TERMINAL" capture-pane -p -J -S -200
}
terminal_shows() {
	terminal_screen | grep -Eq -- "$1"
}
terminal_wait() { # a regex, within 15 seconds or $2
	wait_for "${2:-15}" terminal_shows "$1" || {
		terminal_screen
		return 1
	}
}
