#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# enter.bats - the interactive shell on a real terminal (tmux), and `run` on one.
load support

setup_file() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	export P=$BATS_FILE_TMPDIR/project
	ready "$P" "image = $DJANGO"
	cat >"$P/raw.sh" <<-'END'
		stty raw -echo
		echo is-raw
		sleep 100
	END
}

setup() {
	cd "$P"
	terminal_start
}
teardown() {
	terminal_stop
	wait_for 10 nothing_inside
}

enter() {
	terminal_type "devenv enter $*"
	terminal_wait '(\$|#|>) *$'
	terminal_type 'echo rea''"dy"'
	terminal_wait '^ready'
}

@test "a shell with a prompt, a terminal of its own and the exit code of the shell" {
	enter
	terminal_type 'tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo on a term"inal"'
	terminal_wait '^/dev/pts/[0-9]+'
	terminal_wait '^on a terminal'
	terminal_type 'exit 42'
	terminal_wait '^host> '
	terminal_type 'echo code $''?'
	terminal_wait '^code 42'
}

@test "^C ends the command and not the shell" {
	enter
	terminal_type 'echo be''gun; sleep 100'
	terminal_wait '^begun'
	terminal_key C-c
	terminal_type 'echo code $''?'
	terminal_wait '^code 130'
	terminal_type 'exit'
	terminal_wait '^host> *$'
}

@test "^Z, jobs, bg and fg" {
	enter
	terminal_type 'echo be''gun; sleep 100'
	terminal_wait '^begun'
	terminal_key C-z
	terminal_wait 'Stopped'
	terminal_type 'bg'
	terminal_wait 'sleep 100 &'
	terminal_type 'fg'
	terminal_wait '^sleep 100$'
	terminal_key C-c
	terminal_type 'echo code $''?'
	terminal_wait '^code 130'
	terminal_type 'exit'
}

@test "a changed window size arrives" {
	enter
	terminal_type 'echo "size:" $(stty size)'
	terminal_wait '^size: 24 80'
	tmux -S "$TERMINAL" resize-window -x 100 -y 30
	sleep 0.3
	terminal_type 'echo "size:" $(stty size)'
	terminal_wait '^size: 30 100'
	terminal_type 'exit'
}

@test "the host's terminal works after a child left raw mode behind" {
	enter
	terminal_type 'sh ./raw.sh'
	terminal_wait 'is-raw'
	inside_processes | grep -E 'sleep 100|raw\.sh' | while read -r pid _; do kill -9 "$pid"; done
	sleep 0.3
	terminal_type 'exit'
	terminal_wait '^host> *$'
	terminal_type 'echo st''ill; stty -a | tr " ;" "\n\n" | grep -cx -- -icanon'
	terminal_wait '^still'
	terminal_wait '^0$'
}

@test "the host's terminal works after kill -9 of the shell" {
	enter
	inside_processes | grep bash | while read -r pid _; do kill -9 "$pid" 2>/dev/null || :; done
	terminal_wait 'host> *$'
	terminal_type 'echo code $''?; stty -a | tr " ;" "\n\n" | grep -cx -- -echo'
	terminal_wait 'code 137'
	terminal_wait '^0$'
}

@test "two terminals: the second joins, and each has a tty of its own" {
	enter
	terminal_type 'echo first > /tmp/mark; tty > first-tty'
	terminal_type 'echo wri"tten"'
	terminal_wait '^written'
	run -0 devenv -C "$P" run -- cat /tmp/mark
	[ "$output" = first ]
	first=$TERMINAL
	terminal_start
	enter
	terminal_type 'cat /tmp/mark; tty > second-tty; echo wri"tten"'
	terminal_wait '^first'
	terminal_wait '^written'
	! cmp -s first-tty second-tty || false
	terminal_type 'exit'
	terminal_stop
	TERMINAL=$first
	terminal_type 'echo sti"ll"'
	terminal_wait '^still'
	terminal_type 'exit'
}

@test "closing the terminal ends the session" {
	enter
	terminal_type 'sleep 1000'
	wait_for 10 eval 'inside_processes | grep -q "sleep 1000"'
	terminal_stop
	wait_for 15 nothing_inside || { inside_processes; false; }
}

@test "enter --root is root inside" {
	enter --root
	terminal_type 'echo "id:" $(id -u)'
	terminal_wait '^id: 0'
	terminal_type 'touch by-root; exit'
	terminal_wait '^host> *$'
	[ -O "$P/by-root" ]
}

@test "enter without a terminal takes its input as a script" {
	terminal_stop
	run bash -c "echo 'echo from stdin; exit 5' | devenv -C '$P' enter 2>/dev/null"
	[ "$status" -eq 5 ] || [ "$status" -eq 125 ]
	[ "$status" -eq 125 ] || [[ $output == *"from stdin"* ]]
}

@test "run on a terminal: ^C reaches the command, its code comes back" {
	terminal_type 'devenv run -- sh -c "trap \"echo cau\"\"ght; exit 9\" INT; echo be\"\"gun; while :; do sleep 0.05; done"'
	terminal_wait '^begun'
	terminal_key C-c
	terminal_wait 'caught'
	terminal_wait '^host> *$'
	terminal_type 'echo code $''?'
	terminal_wait '^code 9'
}

@test "run: ^Z stops it and fg goes on" {
	terminal_type 'devenv run -- sh -c "echo be\"\"gun; read line; echo got \$line"'
	terminal_wait '^begun'
	terminal_key C-z
	terminal_wait 'Stopped'
	terminal_type 'fg'
	terminal_wait 'devenv run'
	terminal_type 'words'
	terminal_wait '^got words'
}

@test "run: nothing inside keeps the caller's terminal afterwards" {
	hold "$P"
	terminal_type 'devenv run -- sh -c "setsid sh -c \"sleep 0.4; echo le\"\"aked > /dev/tty; cat\" & sleep 0.1"'
	terminal_wait '^host> *$'
	sleep 1
	! terminal_shows 'leaked' || false
	terminal_type 'echo typ''ed'
	terminal_wait '^typed'
	release "$P"
}

@test "terminal injection is denied" {
	cat >"$P/inject.py" <<-'END'
		import fcntl, termios, sys
		for request in (0x5412, 0x541c):
		    try:
		        fcntl.ioctl(0, request, b"x")
		        print("injected")
		    except OSError as e:
		        print("denied", e.errno)
	END
	terminal_type 'devenv run -- python3 inject.py'
	terminal_wait '^denied'
	terminal_wait '^host> *$'
	! terminal_shows 'injected' || false
}
