#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tools.bats - programs that want a real terminal, inside and on one: vim, less, tmux, gdb, an ssh client.
load support

setup_file() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	[ -n "$E2E_PROGRAMS" ] || skip "mmdebstrap could not make a root file system with vim, less, tmux, gdb and ssh"
	export P=$BATS_FILE_TMPDIR/project
	ready "$P" "archive = $E2E_PROGRAMS" '[sandbox]
network = host'
}
setup() {
	cd "$P"
	MARK=0
	terminal_start
}
teardown() {
	[ -z "${SSHD:-}" ] || kill "$SSHD" 2>/dev/null || :
	terminal_stop
	wait_for 15 nothing_inside || { inside_processes; false; }
	rm -rf "$P"/made-*
}

# host COMMAND: typed at the prompt, of the host or inside, with a mark behind it that `ended CODE` waits for.
host() {
	MARK=$((MARK + 1))
	terminal_type "$1; echo \"mark$MARK\" \$?"
}
ended() {
	terminal_wait "^mark$MARK $1\$"
}
modes() {
	host "stty -a > made-modes-$1" # without a path: inside there is another /var/tmp
	ended 0
}
modes_are_same() {
	sed -i '1s/rows.*columns[^;]*;//' "made-modes-$1" "made-modes-$2"
	cmp "made-modes-$1" "made-modes-$2" || {
		diff "made-modes-$1" "made-modes-$2"
		return 1
	}
}
enter() {
	terminal_type "devenv enter"
	terminal_type 'PS1="ins""ide> "'
	terminal_wait '^inside> *$'
}
leave() {
	terminal_type exit
	terminal_wait '^host> *$'
}
screen_is_back() { # what vim or less covered is there again, and nothing of theirs
	terminal_shows '^before$'
	! tmux -S "$TERMINAL" capture-pane -p | grep -q '^~' || false
}
alternate() {
	[ "$(tmux -S "$TERMINAL" display-message -p '#{alternate_on}')" = 1 ]
}

# edits PREFIX: vim opens, stops, comes back, and writes
edits() {
	host 'echo before'
	ended 0
	modes before
	printf 'one\ntwo\n' >made-text
	host "$1 vim -u NONE -N made-text"
	wait_for 15 alternate
	terminal_wait '^two'
	terminal_key O first Escape
	terminal_wait '^first'
	terminal_key C-z
	ended 148
	screen_is_back
	modes stopped
	modes_are_same before stopped
	host fg
	wait_for 15 alternate
	terminal_wait '^first'
	tmux -S "$TERMINAL" resize-window -x 90 -y 20
	sleep 0.3
	terminal_key G o last Escape
	terminal_type ':wq'
	ended 0
	screen_is_back
	tmux -S "$TERMINAL" resize-window -x 80 -y 24
	[ "$(cat made-text)" = $'first\none\ntwo\nlast' ]
	modes after
	modes_are_same before after
}

@test "vim edits, stops with ^Z, comes back and writes: run" {
	edits 'devenv run --'
}

@test "vim edits, stops with ^Z, comes back and writes: enter" {
	enter
	edits
	leave
}

@test "vim stopped by ^Z stops the script that called run too" {
	host "sh -c 'devenv run -- vim -u NONE -N made-text; echo went on'"
	wait_for 15 alternate
	terminal_key C-z
	ended 148
	! terminal_shows '^went on' || false
	host fg
	wait_for 15 alternate
	terminal_type ':q!'
	terminal_wait '^went on'
	ended 0
}

# pages PREFIX
pages() {
	host 'echo before'
	ended 0
	modes before
	seq 1000 2000 >made-numbers
	host "$1 less made-numbers"
	terminal_wait '^1000'
	terminal_key G
	terminal_wait '^2000'
	terminal_key C-z
	ended 148
	screen_is_back
	host fg
	terminal_wait '^2000'
	terminal_key g
	terminal_wait '^1000'
	terminal_type '/1500'
	terminal_wait '^1500'
	terminal_key q
	ended 0
	screen_is_back
	modes after
	modes_are_same before after
}

@test "less pages, searches, stops and quits with the screen restored: run" {
	pages 'devenv run --'
}

@test "less pages, searches, stops and quits with the screen restored: enter" {
	enter
	pages
	leave
}

@test "tmux inside: two panes, each with a shell, and its end" {
	modes before
	host 'devenv run -- env TMUX= tmux -L inner -f /dev/null new-session "exec bash --norc"'
	wait_for 15 alternate
	terminal_type 'echo le"ft" pane'
	terminal_wait 'left pane'
	terminal_key C-b %
	terminal_type 'exec bash --norc'
	terminal_type 'echo ri"ght" $(stty size)'
	terminal_wait 'right 23 (39|40)'
	terminal_shows 'left pane' # beside it
	tmux -S "$TERMINAL" resize-window -x 100 -y 30
	# it tells its panes a moment later
	wait_for 15 eval "terminal_type 'echo wi\"der\" \$(stty size)'; sleep 0.3; terminal_shows 'wider 29 (49|50)'"
	terminal_type 'tmux -L inner kill-server'
	ended '[01]'
	tmux -S "$TERMINAL" resize-window -x 80 -y 24
	modes after
	modes_are_same before after
}

@test "gdb: a breakpoint, a backtrace, ^C of what runs, and the caller's terminal afterwards" {
	command -v cc >/dev/null || skip "no compiler"
	cat >made-code.c <<-'END'
		#include <unistd.h>
		int depth;
		int deeper(int n) { return n ? deeper(n - 1) + 1 : depth; }
		int main(void) { depth = deeper(3); for (;;) usleep(1000); }
	END
	cc -static -g -O0 -o made-code made-code.c
	modes before
	host 'devenv run -- gdb -q -nx ./made-code'
	terminal_wait '\(gdb\) *$'
	terminal_type 'set pagination off'
	terminal_type 'break deeper if n == 0'
	terminal_wait '^Breakpoint 1 at'
	terminal_type 'run'
	terminal_wait '^Breakpoint 1, deeper'
	terminal_type 'backtrace'
	terminal_wait '^#4 .*main'
	terminal_type 'print depth + 41'
	terminal_wait '= 41$'
	terminal_type 'continue'
	terminal_wait '^Continuing'
	sleep 0.5
	terminal_key C-c
	terminal_wait 'received signal SIGINT'
	terminal_type 'kill'
	terminal_type 'y'
	terminal_type 'quit'
	ended 0
	modes after
	modes_are_same before after
}

@test "ssh: a session on a pty of its own, its signals and its exit code; a key with a passphrase is asked for unseen" {
	command -v /usr/sbin/sshd >/dev/null && command -v cc >/dev/null || skip "sshd or a compiler is not installed"
	here=$BATS_TEST_TMPDIR
	ssh-keygen -q -t ed25519 -N '' -f "$here/host"
	ssh-keygen -q -t ed25519 -N 'open sesame' -f "$P/made-key"
	cp "$P/made-key.pub" "$here/authorized"
	port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >"$here/config" <<-END
		Port $port
		ListenAddress 127.0.0.1
		HostKey $here/host
		PidFile none
		AuthorizedKeysFile $here/authorized
		StrictModes no
		UsePAM no
	END
	# no terminal can be given to the group tty by an ordinary user, and sshd insists
	echo 'int chown(const char *path, unsigned int uid, unsigned int gid) { return 0; }' |
		cc -shared -fPIC -w -x c -o "$here/chown.so" -
	LD_PRELOAD=$here/chown.so /usr/sbin/sshd -D -e -f "$here/config" </dev/null >"$here/log" 2>&1 3>&- 4>&- &
	SSHD=$!
	wait_for 15 grep -q 'Server listening' "$here/log"
	echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$here/host.pub")" >made-known
	modes before
	host "devenv run -- ssh -i made-key -p $port -o UserKnownHostsFile=made-known -o IdentitiesOnly=yes $(id -un)@127.0.0.1"
	terminal_wait 'passphrase for key'
	sleep 0.3
	terminal_type 'open sesame'
	terminal_type 'PS1="far""away> "'
	terminal_wait '^faraway> *$' || { cat "$here/log"; false; }
	! terminal_shows 'open sesame' || false
	terminal_type 'tty; stty size; sleep 100'
	terminal_wait '^/dev/pts/'
	terminal_wait '^24 80'
	terminal_key C-c
	terminal_type 'echo code $''?'
	terminal_wait '^code 130'
	terminal_key C-l
	terminal_type 'exit 6'
	ended 6
	modes after
	modes_are_same before after
}
