#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# terminal.bats - `run` and the caller's terminal: nothing inside keeps it, nothing inside reaches the caller's processes,
# and job control, pagers, passwords and pipes are what they are without devenv. terminal_probe.c is what runs inside.
load support

setup_file() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	export P=$BATS_FILE_TMPDIR/project PROBE=$BATS_FILE_TMPDIR/probe
	ready "$P" "image = $DJANGO"
	if command -v musl-gcc >/dev/null; then
		musl-gcc -static -O2 -o "$PROBE" "$E2E_SOURCE/terminal_probe.c"
	else
		cc -static -pthread -O2 -o "$PROBE" "$E2E_SOURCE/terminal_probe.c" || :
	fi
	[ -e "$PROBE" ] || skip "no compiler that links statically"
	cp "$PROBE" "$P/probe"
	# what the typed lines are too short for
	cat >"$P/trap.sh" <<-'END'
		for s in HUP INT QUIT TERM USR1 USR2 ALRM; do trap "echo got $s; exit 7" $s; done
		echo trap is set
		while :; do sleep 0.05; done
	END
	cat >"$P/password.sh" <<-'END'
		stty -echo; echo secret please >&2; read -r secret; stty echo
		echo again please >&2; read -r open; echo "length ${#secret} ${#open}"
	END
	cat >"$P/lines.sh" <<-'END'
		echo begun; read -r a; echo "first $a"; cat | sed -u 's/^/then /'; echo at the end
	END
	cat >"$P/show.sh" <<-'END'
		cat; for fd in 0 1 2; do [ -t $fd ] && echo "tty $fd"; done
		echo size $(stty size <&2); ls --color=auto -d /; echo end of show
	END
}
setup() {
	cd "$P"
	MARK=0 OTHER=
	terminal_start
}
teardown() {
	[ -d "$P" ] && touch "$P/made-leave" "$P/made-stop" "$P/made-returned"
	[ ! -e "$P/.held" ] || touch "$P/.release" # of a test that failed
	terminal_stop
	[ -z "$OTHER" ] || tmux -S "$OTHER" kill-server 2>/dev/null || :
	wait_for 15 nothing_inside || { inside_processes; false; }
	rm -rf "$P"/made-* "$P"/.held "$P"/.release
}

# host COMMAND: typed at the host's prompt, with a mark behind it that `ended CODE` waits for.
host() {
	MARK=$((MARK + 1))
	terminal_type "$1; echo \"mark$MARK\" \$?"
}
ended() {
	terminal_wait "^(\^[CZ\\])?mark$MARK $1\$"
}
# What died of the ^C: the shell forgets what was behind it on the line, as with any program.
interrupted() {
	terminal_wait '^\^C$'
	terminal_wait '^host> ?$'
	terminal_type 'echo interrupted $''?'
	terminal_wait '^interrupted 130'
	wipe
}
# The launcher that runs in the terminal's shell.
launcher() {
	ps -o pid=,comm= --ppid "$(tmux -S "$TERMINAL" display-message -p '#{pane_pid}')" | awk '$2 == "devenv" { print $1 }'
}
# `fg` names the job, then gives it the terminal and continues it: a key typed between is the shell's, as with any program.
has_terminal() { # pid: it runs in the foreground of its terminal
	ps -o stat= -p "$1" | grep '+' | grep -qv T
}
# A session that keeps the environment alive, on another terminal.
other_session() {
	local mine=$TERMINAL
	terminal_start
	OTHER=$TERMINAL
	terminal_type 'devenv run -- sh -c "echo other is up; sleep 60" &'
	terminal_wait '^(host> )?other is up'
	TERMINAL=$mine
}
other_ends() {
	tmux -S "$OTHER" kill-server
	OTHER=
}
inside_runs() {
	inside_processes | grep -q -- "$1"
}
wipe() {
	host clear
	ended 0
}
modes() {
	host "stty -a > $BATS_TEST_TMPDIR/$1"
	ended 0
}
modes_are_same() {
	cmp "$BATS_TEST_TMPDIR/$1" "$BATS_TEST_TMPDIR/$2" || {
		diff "$BATS_TEST_TMPDIR/$1" "$BATS_TEST_TMPDIR/$2"
		return 1
	}
}
# Types at the host's prompt what nobody inside may read.
type_secrets() {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		host ": secret words $i"
		ended 0
	done
	if grep -as secret "$P/made-stolen"; then
		return 1
	fi
}

# ---- theft ----

# theft VARIANT CODE: the thief gets what is typed while its `run` lasts, which shows that it is one, and nothing after.
theft() {
	other_session
	host "devenv run -- ./probe steal $1"
	if [ "$1" = flight ]; then
		wait_for 15 test -e made-flight
	else
		wait_for 15 test -e made-thief
		terminal_type 'typed while it runs'
		wait_for 15 grep -q 'typed while it runs' made-stolen
	fi
	touch made-leave
	ended "$2"
	touch made-returned
	wait_for 15 test -e made-thief
	inside_runs "probe steal $1"
	type_secrets
	inside_runs "probe steal $1"
	touch made-stop
	other_ends
}

@test "theft: a descriptor kept in a session of its own" {
	theft dup 0
}

@test "theft: /dev/tty opened before that" {
	theft tty 0
}

@test "theft: everything that can be opened by name" {
	theft search 0
}

@test "theft: a thread with descriptors of its own" {
	theft thread 0
}

@test "theft: a descriptor in flight in a socket" {
	theft flight 0
}

@test "theft: after kill(0, SIGKILL)" {
	theft killpg 137
}

@test "theft: by the start hook, under enter and afterwards" {
	project "$BATS_TEST_TMPDIR/hook" "image = $DJANGO" "[hooks]
start = ./probe steal search & until [ -e made-thief ]; do sleep 0.02; done
[sandbox]
network = none"
	cp "$PROBE" "$BATS_TEST_TMPDIR/hook/probe"
	cd "$BATS_TEST_TMPDIR/hook"
	devenv -q allow -y
	devenv -q lock
	P=$BATS_TEST_TMPDIR/hook
	host "cd '$P'"
	ended 0
	terminal_type 'devenv enter'
	wait_for 15 test -e made-thief
	terminal_type 'echo in"side"'
	terminal_wait '^inside'
	terminal_type 'echo secret" words"'
	terminal_wait '^secret words'
	! grep -as secret made-stolen || false
	hold "$P"
	terminal_type 'exit'
	terminal_wait 'exit$'
	type_secrets
	inside_runs "probe steal"
	touch made-stop made-leave
	release "$P"
}

# ---- the caller's processes ----

@test "kill(0, SIGKILL) inside ends nothing of the caller's on a terminal" {
	host 'sh -c "devenv run -- ./probe killpg; echo alive \$?"'
	terminal_wait '^alive 137'
	ended 0
	host 'devenv run -- ./probe killpg 2>&1 | { cat; echo "cat goes on"; }; echo ${PIPESTATUS[*]}'
	terminal_wait '^cat goes on'
	terminal_wait '^137 0$'
	host '{ echo x; sleep 0.3; echo "echo goes on" >&2; } | devenv run -- ./probe killpg; echo ${PIPESTATUS[*]}'
	terminal_wait '^echo goes on'
	terminal_wait '^0 137$'
	terminal_type 'sleep 50 & devenv run -- ./probe killpg; jobs'
	terminal_wait 'Running +sleep 50'
	host '(devenv run -- ./probe killpg); kill %1'
	ended 0
	ended 0
}

@test "kill(0, SIGKILL) inside ends nothing of the caller's without a terminal" {
	run -0 bash -c 'devenv run -- ./probe killpg; echo alive $?' </dev/null
	[ "$output" = 'alive 137' ]
	run -0 bash -c 'sleep 50 & devenv run -- ./probe killpg | cat; echo "${PIPESTATUS[*]}"; kill -0 $! && kill $!' </dev/null
	[ "$output" = '137 0' ]
}

@test "two runs in one pipeline on a terminal" {
	host 'devenv run -- echo hi | devenv run -- sh -c "sleep 0.5; cat; echo do\"\"ne"; echo ${PIPESTATUS[*]}'
	terminal_wait '^0 0$'
	terminal_screen | grep -A 1 -x hi | grep -x done
	host 'devenv run -- seq 3 | devenv run -- cat | devenv run -- tail -n 1; echo ${PIPESTATUS[*]}'
	terminal_wait '^3$'
	terminal_wait '^0 0 0$'
}

@test "a run in the background does not mind one in the foreground" {
	terminal_type 'devenv run -- sh -c "echo server up; until [ -e made-leave ]; do sleep 0.05; done; exit 5" &'
	terminal_wait '^(host> )?server up'
	for i in 1 2 3; do
		host 'devenv run -- true'
		ended 0
	done
	host 'jobs'
	terminal_wait 'Running +devenv run'
	touch made-leave
	host 'wait %1'
	ended 5
	modes after
	grep -qE '(^| )icanon' "$BATS_TEST_TMPDIR/after"
	grep -qE '(^| )echo' "$BATS_TEST_TMPDIR/after"
}

# ---- job control ----

# stops_and_goes COMMAND: ^Z, jobs, bg and fg
stops_and_goes() {
	terminal_key C-z
	ended 148
	host 'jobs'
	terminal_wait "^\[1\]\+ +Stopped +$1"
	host 'bg'
	terminal_wait "^\[1\]\+ $1.* &"
	ended 0
	host 'jobs'
	terminal_wait "^\[1\]\+ +Running +$1"
	host 'fg'
	terminal_wait "^$1"
	wait_for 10 has_terminal "$(launcher)"
}

@test "a plain command: ^C is 130, ^\\ is 131, ^Z stops it, bg, fg" {
	modes before
	host 'devenv run -- sh -c "echo be\"\"gun; exec sleep 100"'
	terminal_wait '^begun'
	terminal_key C-c
	interrupted
	host 'devenv run -- sh -c "ulimit -c 0; echo be\"\"gun; exec sleep 100"'
	terminal_wait '^begun'
	terminal_key 'C-\'
	ended 131
	wipe
	host 'devenv run -- sh -c "echo be\"\"gun; exec sleep 100"'
	terminal_wait '^begun'
	stops_and_goes 'devenv run -- sh'
	terminal_key C-c
	interrupted
	modes after
	modes_are_same before after
}

@test "^C ends the loop or script around run too" {
	host 'while :; do devenv run -- sh -c "echo be\"\"gun; exec sleep 100"; done'
	terminal_wait '^begun'
	terminal_key C-c
	interrupted
	host 'sh -c "devenv run -- sh -c \"echo be\"\"gun; exec sleep 100\"; echo went on"'
	terminal_wait '^begun'
	terminal_key C-c
	interrupted
	! terminal_shows '^went on' || false
}

@test "^Z stops a script that called run, and fg continues both" {
	host 'sh -c "devenv run -- cat; echo code \$?"'
	wait_for 15 inside_runs cat
	terminal_type 'one'
	terminal_wait '^one'
	sleep 0.2
	terminal_key C-z
	ended 148
	modes stopped
	grep -qE '(^| )icanon' "$BATS_TEST_TMPDIR/stopped"
	host 'fg'
	terminal_wait '^sh -c'
	terminal_type 'two'
	terminal_wait '^two$'
	terminal_key C-d
	terminal_wait '^code 0'
	ended 0
}

@test "a stopped command does not run, and goes on where it was" {
	host 'devenv run -- sh -c "i=0; while :; do i=\$((i+1)); echo \$i > made-count; sleep 0.02; done"'
	wait_for 15 test -s made-count
	terminal_key C-z
	ended 148
	before=$(cat made-count)
	sleep 0.3
	[ "$(cat made-count)" = "$before" ]
	host 'bg'
	ended 0
	wait_for 15 eval '[ "$(cat made-count)" != "$before" ]'
	host 'kill %1; wait %1'
	ended 143
}

@test "a shell inside has jobs of its own" {
	host 'devenv run -- bash --norc -i'
	terminal_wait '(\$|#) *$'
	terminal_type 'sleep 100'
	wait_for 15 inside_runs 'sleep 100'
	terminal_key C-z
	terminal_wait '^\[1\]\+ +Stopped +sleep 100'
	terminal_type 'jobs; echo in"side"'
	terminal_wait '^inside'
	terminal_type 'fg'
	terminal_wait '^sleep 100$'
	wait_for 10 has_terminal "$(inside_processes | awk '/sleep 100/ { print $1 }')"
	terminal_key C-c
	terminal_type 'echo code $''?'
	terminal_wait '^code 130'
	terminal_type 'exit 4'
	ended 4
}

@test "a command that takes SIGTSTP over is asked, one that ignores it goes on" {
	host 'devenv run -- ./probe tstp'
	terminal_wait '^begun'
	terminal_key C-z
	terminal_wait 'took it over'
	ended 148
	host 'fg'
	terminal_wait '^and back'
	terminal_type ''
	terminal_wait '^read'
	ended 0
	wipe
	host 'devenv run -- ./probe leave'
	terminal_wait '^begun'
	terminal_key C-z
	sleep 0.3
	! terminal_shows Stopped || false
	touch made-leave
	ended 0
}

@test "job control of run | cat" {
	modes before
	host 'devenv run -- sh -c "echo be\"\"gun; exec sleep 100" | cat'
	terminal_wait '^begun'
	stops_and_goes 'devenv run -- sh'
	terminal_key C-c
	interrupted
	host 'devenv run -- sh -c "sleep 100" | { trap "" INT; cat; }'
	wait_for 15 inside_runs 'sleep 100'
	terminal_key C-c
	interrupted
	modes after
	modes_are_same before after
}

@test "job control of cat | run" {
	modes before
	host 'cat | devenv run -- sh -c "echo be\"\"gun; sed -u s/^/in:/"'
	terminal_wait '^begun'
	terminal_type 'one'
	terminal_wait '^in:one'
	terminal_key C-z
	ended 148
	host 'fg'
	terminal_wait '^cat \| devenv run'
	terminal_type 'two'
	terminal_key C-d
	ended 0
	terminal_shows '^in:two'
	wipe
	host 'cat | devenv run -- sh -c "echo be\"\"gun; exec sleep 100"'
	terminal_wait '^begun'
	terminal_key C-c
	interrupted
	modes after
	modes_are_same before after
}

@test "started in the background, then brought to the front" {
	# by then the shell's line editor has the terminal in a mode of its own
	terminal_type '(sleep 0.3; exec devenv run -- sh -c "echo be\"\"gun; read -r x; echo got \$x") &'
	terminal_wait '^(host> )?begun'
	host 'jobs'
	terminal_wait 'Running +\( sleep'
	host 'fg'
	terminal_wait '^\( sleep'
	terminal_type 'words'
	terminal_wait '^got words'
	ended 0
	modes after
	grep -qE '(^| )icanon' "$BATS_TEST_TMPDIR/after"
}

@test "a terminal that is not the session's own" {
	modes before
	host 'setsid -w devenv run -- sh -c "echo be\"\"gun; read -r x; echo got \$x"'
	terminal_wait '^begun'
	terminal_type 'words'
	terminal_wait '^got words'
	ended 0
	modes after
	modes_are_same before after
}

@test "no terminal among the descriptors: the keys of the one behind them still count" {
	host 'devenv run -- sh -c "echo > made-up; exec sleep 100" </dev/null >made-out 2>&1'
	wait_for 15 test -e made-up
	terminal_key C-z
	ended 148
	host 'fg'
	terminal_wait '^devenv run'
	wait_for 10 has_terminal "$(launcher)"
	terminal_key C-c
	interrupted
	host 'while :; do devenv run -- sh -c "echo > made-loop; exec sleep 100" </dev/null >made-out 2>&1; done'
	wait_for 15 test -e made-loop
	terminal_key C-c
	interrupted
	host 'devenv run -- sh -c "exec 3<>/dev/tty" </dev/null >made-out 2>&1'
	ended '[1-9][0-9]*'
	grep -q 'No such device' made-out
}

# ---- beside a pager; passwords; files ----

@test "beside a pager every key is the pager's" {
	modes before
	host 'devenv run -- sh -c "seq 100; until [ -e made-leave ]; do sleep 0.05; done" | ./probe pager'
	terminal_wait '^first page'
	sleep 0.3
	for key in a b c d e f g h i j k l m n; do
		terminal_key "$key"
	done
	terminal_wait '^key n'
	[ "$(terminal_screen | grep -c '^key [a-n]$')" -eq 14 ]
	terminal_key q
	touch made-leave
	ended 0
	modes after
	modes_are_same before after
}

@test "less" {
	command -v less >/dev/null || skip "less is not installed"
	modes before
	host 'devenv run -- seq 1000 2000 | less'
	terminal_wait '^1000'
	terminal_key G
	terminal_wait '^2000'
	terminal_key g
	terminal_wait '^1000'
	terminal_key q
	ended 0
	host 'devenv run -- yes | less'
	terminal_wait '^y'
	terminal_key q
	ended 0
	modes after
	modes_are_same before after
}

@test "lines typed beside a pipe, and the end of them" {
	modes before
	host 'devenv run -- sh lines.sh | cat'
	terminal_wait '^begun'
	terminal_type 'one'
	terminal_wait '^first one'
	[ "$(terminal_screen | grep -c 'one$')" -eq 2 ]
	terminal_type 'twp'
	terminal_wait '^then twp'
	terminal_key C-d
	terminal_wait '^at the end'
	ended 0
	modes after
	modes_are_same before after
}

@test "lines and their end typed before they are read" {
	host 'devenv run -- sh -c "echo be\"\"gun; until [ -e made-leave ]; do sleep 0.05; done; od -c" | cat'
	terminal_wait '^begun'
	terminal_type 'one'
	terminal_type 'two'
	terminal_key C-d
	sleep 0.5
	touch made-leave
	ended 0
	terminal_shows '^0000000 +o +n +e +\\n +t +w +o +\\n$'
	terminal_shows '^0000010$'
}

@test "run > file and run < terminal" {
	host 'devenv run -- sh lines.sh > made-out'
	wait_for 15 grep -q begun made-out
	terminal_type 'one'
	terminal_type 'two'
	wait_for 15 grep -q 'two' made-out
	terminal_key C-d
	ended 0
	[ "$(cat made-out)" = $'begun\nfirst one\nthen two\nat the end' ]
}

@test "a password is not shown" {
	for pipe in '' '| cat'; do
		wipe
		host "devenv run -- sh password.sh $pipe"
		terminal_wait '^secret please'
		sleep 0.3
		terminal_type 'swordfish'
		terminal_wait '^again please'
		sleep 0.3
		terminal_type 'open'
		terminal_wait '^length 9 4'
		ended 0
		! terminal_shows swordfish || false
		[ "$(terminal_screen | grep -cx open)" -eq 1 ]
		modes after
		grep -qE '(^| )echo( |;|$)' "$BATS_TEST_TMPDIR/after"
	done
}

@test "output to a terminal: is one, has its size, colours, and one carriage return" {
	for before in '' 'echo x | '; do
		for after in '' '>/dev/null' '2>/dev/null' '| cat'; do
			: >"$BATS_TEST_TMPDIR/raw"
			wipe
			tmux -S "$TERMINAL" pipe-pane "cat > $BATS_TEST_TMPDIR/raw"
			input=
			[ -n "$before" ] || input='</dev/null'
			host "${before}devenv run -- sh show.sh $input $after"
			ended 0
			tmux -S "$TERMINAL" pipe-pane
			sleep 0.1
			! grep -aq $'\r\r' "$BATS_TEST_TMPDIR/raw" || false
			! sed '$d' "$BATS_TEST_TMPDIR/raw" | grep -av $'\r$' || false
			case $after in
			'')
				terminal_shows '^tty 1'
				terminal_shows '^tty 2'
				grep -aq $'\e\[01;34m/' "$BATS_TEST_TMPDIR/raw"
				terminal_shows '^size 24 80'
				;;
			2*) terminal_shows '^tty 1' && ! terminal_shows '^tty 2' && terminal_shows '^end of show' ;;
			'| cat')
				! terminal_shows '^tty 1' && terminal_shows '^tty 2' || false
				! grep -aq $'\e\[01;34m/' "$BATS_TEST_TMPDIR/raw" || false
				terminal_shows '^size 24 80'
				;;
			esac
			! terminal_shows '^tty 0' || false
		done
	done
}

# ---- ends ----

@test "kill -9 of the launcher ends the command; the terminal is sane" {
	modes before
	host 'devenv run -- sh -c "echo be\"\"gun; exec sleep 100"'
	terminal_wait '^begun'
	kill -9 "$(launcher)"
	ended 137
	wait_for 10 nothing_inside
	modes after
	modes_are_same before after
	host 'devenv run -- sh -c "echo be\"\"gun2; exec sleep 100" | cat; echo "all ${PIPESTATUS[*]}"'
	terminal_wait '^begun2'
	kill -9 "$(launcher)"
	terminal_wait '^all 137 0'
	wait_for 10 nothing_inside
	modes after
	modes_are_same before after
}

@test "signals sent to the launcher reach the command" {
	for pipe in '' '| cat'; do
		for signal in HUP INT QUIT TERM USR1 USR2 ALRM; do
			wipe
			host "devenv run -- sh trap.sh $pipe; test \${PIPESTATUS[0]} = 7"
			terminal_wait '^trap is set'
			kill "-$signal" "$(launcher)"
			terminal_wait "^got $signal"
			ended 0
		done
	done
}

@test "signals without a handler: the exit code is 128+N" {
	modes before
	for signal in HUP INT TERM; do
		host 'devenv run -- sh -c "echo > made-up; exec sleep 100"'
		wait_for 15 test -e made-up
		kill "-$signal" "$(launcher)"
		ended $((128 + $(kill -l "$signal")))
		rm made-up
	done
	modes after
	modes_are_same before after
}

@test "stopped and continued by signal" {
	host 'devenv run -- sh trap.sh'
	terminal_wait '^trap is set'
	pid=$(launcher)
	kill -TSTP "$pid"
	ended 148
	host 'fg'
	terminal_wait '^devenv run'
	kill -TERM "$pid"
	terminal_wait '^got TERM'
	ended 7
}

@test "closing the terminal ends the session and what it left behind" {
	host 'devenv run -- sh -c "nohup sleep 1001 >/dev/null 2>&1 & setsid sleep 1002 & sleep 1003"'
	for n in 1 2 3; do
		wait_for 10 inside_runs "sleep 100$n"
	done
	terminal_stop
	wait_for 15 nothing_inside || { inside_processes; false; }
}

@test "closing the terminal while others hold the environment" {
	hold "$P"
	host 'devenv run -- sh -c "echo be\"\"gun; exec sleep 1003" | cat'
	wait_for 10 inside_runs "sleep 1003"
	terminal_stop
	wait_for 15 eval '! inside_runs "sleep 1003"' || { inside_processes; false; }
	release "$P"
}

@test "what keeps writing when the command has ended can't keep run" {
	other_session
	host 'devenv run -- ./probe flood; code=$?; echo; (exit $code)'
	ended 3
	wait_for 15 test -e made-dry
	host ': typed'
	ended 0
	wipe
	host 'echo x | devenv run -- ./probe flood; code=$?; echo; (exit $code)'
	ended 3
	other_ends
}

# ---- descriptors ----

@test "a directory among the descriptors is refused" {
	run --separate-stderr bash -c 'devenv run -- true </'
	complaint 125 'descriptor 0 is a directory'
	run --separate-stderr bash -c 'devenv run -- true 1</ '
	complaint 125 'descriptor 1 is a directory'
	host 'devenv run -- true </'
	terminal_wait '^devenv: .*directory'
	ended 125
	host 'devenv enter < .'
	ended 125
}

@test "closed descriptors, with a terminal and without" {
	for closed in '' '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
		code=0
		bash -c "devenv run -- sh -c 'ls -l /proc/self/fd > made-fds; exit 5' $closed" </dev/null || code=$?
		[ "$code" -eq 5 ] || { echo "$closed: $code"; false; }
		! grep -E -- '-> (.*(/bin/devenv|/devenv-core|\.lock|/scratch/[0-9]+|/fs)|/)$' made-fds || false
		host "devenv run -- sh -c 'ls -l /proc/self/fd > made-fds; exit 6' $closed"
		ended 6
		! grep -E -- '-> (.*(/bin/devenv|/devenv-core|\.lock|/scratch/[0-9]+|/fs)|/)$' made-fds || false
	done
	modes after
	grep -qE '(^| )icanon' "$BATS_TEST_TMPDIR/after"
}

@test "64 MiB through pipes beside a terminal, and to a slow reader" {
	head -c 67108864 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	sum=$(sha256sum <"$BATS_TEST_TMPDIR/data")
	host "cat $BATS_TEST_TMPDIR/data | devenv run -- cat | sha256sum; echo \${PIPESTATUS[*]}"
	terminal_wait "^${sum% *}"
	terminal_wait '^0 0 0$'
	wipe
	host "cat $BATS_TEST_TMPDIR/data | devenv run -- sh -c 'sha256sum >&2; echo out'"
	terminal_wait "^${sum% *}"
	ended 0
	sum=$(seq 1 300000 | sha256sum)
	wipe
	host 'devenv run -- seq 1 300000 | { sleep 0.5; sha256sum; }'
	terminal_wait "^${sum% *}"
	ended 0
}

@test "a closed pipe is SIGPIPE, beside a terminal too" {
	host 'devenv run -- yes | head -n 1; echo ${PIPESTATUS[*]}'
	terminal_wait '^141 0$'
	wipe
	host 'echo | devenv run -- yes | head -n 1; echo ${PIPESTATUS[*]}'
	terminal_wait '^0 141 0$'
}

@test "nothing is lost on the way through a terminal" {
	cat >made-terminal.py <<-'END'
		import os, pty, sys
		last = int(sys.argv[1])
		child, terminal = pty.fork()
		if child == 0:
		    os.execvp("devenv", ["devenv", "run", "--", "seq", "1", str(last)])
		got = []
		try:
		    while got[-1:] != [b""]:
		        got.append(os.read(terminal, 65536))
		except OSError: # EIO: the end
		    pass
		os.waitpid(child, 0)
		got = b"".join(got)
		wanted = b"".join(b"%d\r\n" % n for n in range(1, last + 1))
		if got != wanted:
		    sys.exit("%d bytes of %d; the end: %r" % (len(got), len(wanted), got[-20:]))
	END
	run -0 /usr/bin/python3 -B made-terminal.py 400000
	# the last output, which is on its way when the command has ended
	for i in 1 2 3 4 5 6 7 8 9 10; do
		run -0 /usr/bin/python3 -B made-terminal.py 2000
	done
}

@test "much input for a program that first has much to say" {
	base64 -w 0 /dev/urandom 2>/dev/null | head -c 100000 >"$BATS_TEST_TMPDIR/text" || :
	sum=$(/usr/bin/python3 -c 'import functools, sys
print(functools.reduce(lambda s, b: (s * 31 + b) & (1 << 64) - 1, open(sys.argv[1], "rb").read(), 0))' "$BATS_TEST_TMPDIR/text")
	modes before
	host 'devenv run -- ./probe keys 100000'
	wait_for 15 test -e made-raw
	tmux -S "$TERMINAL" load-buffer "$BATS_TEST_TMPDIR/text"
	tmux -S "$TERMINAL" paste-buffer -r
	terminal_wait "^sum $sum"
	ended 0
	modes after
	modes_are_same before after
}

@test "the window's size changes for run as well" {
	for mode in '' '| cat' ; do
		rm -f made-*
		host "devenv run -- sh -c 'trap \"stty size <&2 > made-size\" WINCH; : > made-up; until [ -e made-leave ]; do sleep 0.05; done' $mode"
		wait_for 15 test -e made-up
		tmux -S "$TERMINAL" resize-window -x 101 -y 31
		wait_for 15 grep -qx '31 101' made-size
		touch made-leave
		ended 0
		tmux -S "$TERMINAL" resize-window -x 80 -y 24
	done
}
