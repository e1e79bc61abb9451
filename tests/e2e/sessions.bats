#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# sessions.bats - many sessions at once, all of them killed in every order, and what passes through one: exit codes,
# signals, window sizes, bytes. The long forms are in tests/faults/sessions.py and soak.py.
load support

setup_file() {
	command -v tmux >/dev/null || skip "tmux is not installed"
	export P=$BATS_FILE_TMPDIR/sessions
	ready "$P" "image = $DJANGO"
	devenv -C "$P" run -- true
	sleep 2.1 # from here on the plan counts as fresh
	devenv -C "$P" run -- true
}
setup() {
	cd "$P"
	TERMINAL=
}
teardown() {
	terminal_stop
	wait_for 15 nobody_is_left || { inside_processes; false; }
	rm -rf "$P"/made-*
}
scratch_slots() {
	find ~/.local/state/devenv/checkouts/"$(basename "$P")"-*/scratch -mindepth 2 ! -name tmp 2>/dev/null
}
runtime_files() {
	find "$XDG_RUNTIME_DIR" | LC_ALL=C sort
}
# Pids of processes of mine by the name of the program, also of those whose directory in /proc is root's.
mine_named() {
	pgrep -U "$(id -u),$(outside_id uid)" -x "$1" || :
}
nobody_is_left() {
	nothing_inside && [ -z "$(mine_named devenv-leader)" ] && [ -z "$(mine_named devenv-restorer)" ]
}
# The pids of what is inside, by the name of the program.
inside_named() {
	local pid rest
	inside_processes | while read -r pid rest; do
		! grep -qsx "$1" "/proc/$pid/comm" || echo "$pid"
	done
}

# The launcher of the one session on a terminal.
launcher() {
	ps -o ppid= -p "$(mine_named devenv-leader)" | tr -d ' '
}

# ---- kills ----

# permutations PREFIX REST...: a line for each order of the words
permutations() {
	local prefix=$1 i word rest
	shift
	[ $# -gt 0 ] || echo "$prefix"
	for ((i = 1; i <= $#; i++)); do
		word=${!i}
		rest=("${@:1:i-1}" "${@:i+1}")
		permutations "$prefix $word" ${rest[@]+"${rest[@]}"}
	done
}

# kill_all_orders COMMAND: with COMMAND running on a terminal, kill -9 its launcher, the leader of its session, its program
# (bash), pid 1, and the terminal (its shell outside), in every order.
kill_all_orders() {
	local order target pids launcher leader program holder before
	before=$(runtime_files)
	while read -r order; do
		terminal_start
		terminal_type "$1"
		wait_for 15 eval '[ -n "$(inside_named bash)" ]'
		pids=$(tmux -S "$TERMINAL" display-message -p '#{pane_pid}')
		launcher=$(ps -o pid=,comm= --ppid "$pids" | awk '$2 == "devenv" { print $1 }')
		leader=$(mine_named devenv-leader) program=$(inside_named bash) holder=$(inside_named devenv-holder)
		[ "$(wc -w <<<"$launcher $leader $program $holder")" -eq 4 ] || { echo "$launcher, $leader, $program, $holder"; false; }
		for target in $order; do
			case $target in
			terminal) terminal_stop ;;
			*) kill -9 "${!target}" 2>/dev/null || : ;;
			esac
		done
		terminal_stop
		wait_for 15 nobody_is_left || { echo "after $order: $(inside_processes)"; false; }
		run -0 devenv run -- sh -c 'ls /tmp; exit 0'
		[ -z "$output" ] || { echo "after $order: $output"; false; }
	done < <(permutations '' launcher leader program holder terminal | awk -v step="${E2E_LONG:-23}" 'NR % step == 0')
	wait_for 15 nothing_inside
	wait_for 15 eval '[ -z "$(scratch_slots)" ]' || { scratch_slots; false; }
	[ "$(runtime_files)" = "$before" ]
}

@test "killing launcher, leader, shell, pid 1 and terminal in every order: enter" {
	kill_all_orders 'devenv enter'
}

@test "killing launcher, leader, command, pid 1 and terminal in every order: run" {
	kill_all_orders 'devenv run -- bash --norc -c "echo > /tmp/left; sleep 1000; :"' 
}

@test "killing launcher, command and pid 1 of a run without a terminal in every order" {
	while read -r order; do
		devenv run -- bash --norc -c 'echo > /tmp/left; sleep 1000; :' </dev/null 3>&- 4>&- &
		launcher=$!
		wait_for 15 eval '[ -n "$(inside_named bash)" ]'
		program=$(inside_named bash) holder=$(inside_named devenv-holder)
		for target in $order; do
			kill -9 "${!target}" 2>/dev/null || :
		done
		code=0
		wait "$launcher" || code=$?
		[ "$code" -eq 137 ]
		wait_for 15 nothing_inside
		run -0 devenv run -- ls /tmp
		[ -z "$output" ]
	done < <(permutations '' launcher program holder)
}

@test "kill -9 of the launcher leaves the terminal as it was, for a script and a shell that don't mend it" {
	terminal_start
	terminal_type "stty -a >made-before; sh -c 'devenv run -- sh -c \"stty raw -echo; echo be\\\"\\\"gun; sleep 1000\"; stty -a >made-after'; echo done"
	terminal_wait '^begun'
	kill -9 "$(launcher)"
	terminal_wait 'done$'
	diff made-before made-after
	# while a password is typed: only the echo is off
	wait_for 15 nothing_inside
	terminal_type "rm made-after; sh -c 'devenv run -- sh -c \"stty -echo; echo be\\\"\\\"gun2 >&2; sleep 1000\" | cat; stty -a >made-after'; echo do\"\"ne2"
	terminal_wait '^begun2'
	wait_for 15 eval 'stty -a -F "$(tmux -S "$TERMINAL" display-message -p "#{pane_tty}")" | grep -qE "(^| )-echo( |;|$)"'
	kill -9 "$(launcher)"
	terminal_wait '^done2'
	diff made-before made-after
	# a kill of the whole job as well
	wait_for 15 nothing_inside
	terminal_type "devenv run -- sh -c 'stty raw -echo; echo be\"\"gun3; sleep 1000'"
	terminal_wait '^begun3'
	kill -9 -- "-$(ps -o pgid= -p "$(launcher)" | tr -d ' ')"
	terminal_type 'stty -a >made-after; echo do""ne3'
	terminal_wait '^done3'
	diff made-before made-after
	[ -z "$(mine_named devenv-restorer)" ]
}

@test "nothing inside can look at or trace the leader of a session, or see its arguments" {
	cat >made-look.py <<-'END'
		import ctypes, os
		libc = ctypes.CDLL(None, use_errno=True)
		leader = os.getppid()
		print(open(f"/proc/{leader}/comm").read().strip())
		print(repr(open(f"/proc/{leader}/cmdline").read().strip("\0")))
		for name in ("exe", "root", "cwd", "fd/0", "environ", "mem", "maps", "fdinfo/0"):
		    for how in (os.O_RDONLY, os.O_RDWR):
		        try:
		            os.open(f"/proc/{leader}/{name}", how)
		            print("opened", name)
		        except OSError:
		            pass
		    try:
		        os.chmod(f"/proc/{leader}/{name}", 0o777)
		        print("changed", name)
		    except OSError:
		        pass
		for request in (16, 0x4206):
		    if libc.ptrace(request, leader, 0, 0) == 0:
		        print("traced")
		for line in open(f"/proc/{leader}/status"):
		    if line.startswith(("CapEff", "CapPrm")):
		        print(line.split()[1].strip("0") or "none")
		print("looked")
	END
	terminal_start
	for root in '' --root; do
		terminal_type "clear; devenv run $root -e SECRET=hidden -- python3 made-look.py"
		terminal_wait '^looked'
		terminal_shows '^devenv-leader$'
		terminal_shows "^''$"
		! terminal_shows 'opened|changed|traced' || false
		[ -n "$root" ] || [ "$(terminal_screen | grep -c '^none$')" -eq 2 ]
	done
}

@test "what the launcher was started with can't be read inside, from the first moment on" {
	terminal_start
	terminal_type 'for i in $(seq 150); do devenv run -e SECRET=hidden -- sh -c '"'"'tr "\0" " " </proc/$PPID/cmdline'"'"'; done; echo se""en'
	terminal_wait '(^| )seen$' 120
	[ "$(terminal_screen | grep -c 'SECRET=hidden -- sh' || :)" -eq 1 ] # as it was typed
}

# ---- many at once ----

@test "a hundred simultaneous sessions of a cold project, on terminals and not: one holder, every exit code right" {
	cat >made-many.py <<-'END'
		import os, pty, subprocess, sys
		# every second one on a terminal of its own, every fourth an `enter`
		script = "readlink /proc/self/ns/mnt >made-ns.%d; until [ -e made-go ]; do sleep 0.2; done; exit %d"
		children, readers = {}, []
		for n in range(100):
		    command = ["devenv", "-q", "run", "--", "sh", "-c", script % (n, n)]
		    if n % 2 == 0:
		        child = subprocess.Popen(command, stdin=subprocess.DEVNULL).pid
		    else:
		        child, terminal = pty.fork()
		        if child == 0:
		            if n % 4 == 1:
		                os.execvp("devenv", ["devenv", "-q", "enter"])
		            os.execvp("devenv", command)
		        if n % 4 == 1:
		            os.write(terminal, b"exec sh -c '" + (script % (n, n)).encode() + b"'\n")
		        readers.append(terminal)
		    children[child] = n
		print("started", flush=True)
		os.wait if sys.stdin.readline() else None
		wrong = 0
		for child, n in children.items():
		    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
		    wrong += code != n
		    if code != n:
		        print(n, code)
		print("wrong", wrong)
	END
	mkfifo made-in
	/usr/bin/python3 -B made-many.py <made-in >made-out 2>&1 3>&- 4>&- &
	pid=$!
	exec 7>made-in
	wait_for 60 eval '[ "$(cat made-ns.* 2>/dev/null | wc -l)" = 100 ]'
	[ "$(inside_named devenv-holder | wc -l)" -eq 1 ]
	[ "$(cat made-ns.* | sort -u | wc -l)" -eq 1 ]
	touch made-go
	echo >&7
	exec 7>&-
	wait "$pid"
	grep -qx 'wrong 0' made-out || { cat made-out; false; }
}

@test "64 pulls of one image at once: one download, all of them right" {
	own_store
	faulty none
	other=$BATS_TEST_TMPDIR/other
	project "$other" "image = $FAULTY/django:3.2"
	devenv -q -C "$other" allow -y
	devenv -q -C "$other" lock
	: >"$FAULTY_LOG"
	pids=()
	for n in $(seq 64); do
		devenv -q -C "$other" pull 3>&- 4>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	faulty_stop
	# each layer once; the config, some kilobytes that say which layers they are, may be read by everybody
	grep '^GET .*/blobs/' "$FAULTY_LOG" | sort | uniq -c | awk '{ print $1 }' | sort -n >"$BATS_TEST_TMPDIR/counts"
	[ "$(sed '$d' "$BATS_TEST_TMPDIR/counts" | sort -u)" = 1 ] || { sort "$FAULTY_LOG" | uniq -c; false; }
	[ "$(wc -l <"$BATS_TEST_TMPDIR/counts")" -ge 3 ]
	store_is_clean
	run -0 devenv -C "$other" --offline run -- true
}

@test "pull, run and gc at the same time: nothing live is removed" {
	own_store
	rounds=$((1000 / ${E2E_LONG:-100}))
	one=$BATS_TEST_TMPDIR/one two=$BATS_TEST_TMPDIR/two
	ready "$one" "image = $SMALL"
	ready "$two" "image = $E2E_REGISTRY/small:2"
	cp "$one/devenv.lock" "$one.lock"
	cp "$two/devenv.lock" "$two.lock"
	(
		until [ -e "$BATS_TEST_TMPDIR/stop" ]; do
			devenv gc >"$BATS_TEST_TMPDIR/gc.log" 2>&1 || { cp "$BATS_TEST_TMPDIR/gc.log" "$BATS_TEST_TMPDIR/gc.failed"; }
			echo >>"$BATS_TEST_TMPDIR/collected"
		done
	) 3>&- 4>&- &
	collector=$!
	status=0
	for ((n = 0; n < rounds && status == 0; n++)); do
		# what the last round used is garbage now
		rm -rf "$one" "$two"
		for dir in "$one" "$two"; do
			project "$dir" "image = $([ "$dir" = "$one" ] && echo "$SMALL" || echo "$E2E_REGISTRY/small:2")"
			cp "$dir.lock" "$dir/devenv.lock"
			devenv -q -C "$dir" allow -y || status=1
		done
		devenv -q -C "$one" pull 3>&- 4>&- &
		pid=$!
		devenv -q -C "$two" run -- sh -c 'cat /etc/debian_version >/dev/null && sleep 0.1 && cat /etc/passwd >/dev/null' || status=2
		wait "$pid" || status=3
		devenv -q -C "$one" --offline run -- cat /etc/debian_version >/dev/null || status=4
		devenv -q -C "$two" --offline run -- cat /etc/debian_version >/dev/null || status=5
	done
	touch "$BATS_TEST_TMPDIR/stop"
	wait "$collector"
	[ "$status" -eq 0 ] || { echo "round $n: $status"; false; }
	[ ! -e "$BATS_TEST_TMPDIR/gc.failed" ] || { cat "$BATS_TEST_TMPDIR/gc.failed"; false; }
	[ "$(wc -l <"$BATS_TEST_TMPDIR/collected")" -gt 2 ]
}

# ---- exit codes and signals ----

@test "exit codes: 256 of 256 and every signal that ends a process, on a terminal and not, enter and run" {
	cat >made-codes.py <<-'END'
		import os, pty, signal, subprocess, sys
		signal.signal(signal.SIGPIPE, signal.SIG_DFL) # which Python ignores, and what it starts would too
		signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

		def plain(*words):
		    return subprocess.run(["devenv", "-q", *words], stdin=subprocess.DEVNULL).returncode

		def terminal(*words, typed=b""):
		    child, fd = pty.fork()
		    if child == 0:
		        os.execvp("devenv", ["devenv", "-q", *words])
		    os.write(fd, typed)
		    try:
		        while os.read(fd, 65536):
		            pass
		    except OSError:
		        pass
		    os.close(fd)
		    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

		def enter(line):
		    return terminal("enter", typed=line.encode() + b"\n")

		wrong = 0
		def expect(wanted, got, what):
		    global wrong
		    if got != wanted:
		        wrong += 1
		        print(what, "gave", got, "instead of", wanted)

		for n in range(256):
		    expect(n, plain("run", "--", "sh", "-c", f"exit {n}"), f"run: exit {n}")
		    expect(n, terminal("run", "--", "sh", "-c", f"exit {n}"), f"run on a terminal: exit {n}")
		    if n % 8 in (1, 7):
		        expect(n, enter(f"exit {n}"), f"enter: exit {n}")
		ending = [n for n in range(1, 32) if n not in (17, 18, 19, 20, 21, 22, 23, 28)] + [34, 50, 64]
		for n in ending:
		    line = f"ulimit -c 0; kill -{n} $$; sleep 5"
		    expect(128 + n, plain("run", "--", "sh", "-c", line), f"run: signal {n}")
		    expect(128 + n, terminal("run", "--", "sh", "-c", line), f"run on a terminal: signal {n}")
		    expect(128 + n, enter(f"exec sh -c '{line}'"), f"enter: signal {n}")
		for n in (17, 18, 23, 28):
		    line = f"kill -{n} $$; exit 9"
		    expect(9, plain("run", "--", "sh", "-c", line), f"run: signal {n}")
		    expect(9, terminal("run", "--", "sh", "-c", line), f"run on a terminal: signal {n}")
		print("wrong", wrong)
	END
	run -0 /usr/bin/python3 -B made-codes.py
	[ "${lines[-1]}" = 'wrong 0' ] || { echo "$output"; false; }
}

@test "every signal that can be sent to the launcher reaches the command, on a terminal and not" {
	cat >made-take.py <<-'END'
		import os, signal, time
		got = []
		taken = [n for n in range(1, 65) if n not in (9, 13, 17, 19, 21, 22, 32, 33)] # 32 and 33 are the libc's
		if not os.isatty(0):
		    taken.remove(20) # there it stops the command, whatever that thinks of it
		for n in taken:
		    signal.signal(n, lambda n, frame: got.append(n))
		open("made-up", "w").close()
		while not os.path.exists("made-sent"):
		    time.sleep(0.02)
		for i in range(200):
		    if set(got) == set(taken):
		        break
		    time.sleep(0.02)
		print("missing", sorted(set(taken) - set(got)))
	END
	send_all() {
		local n
		for n in $(seq 64); do
			case $n in 9 | 13 | 17 | 19 | 21 | 22 | 32 | 33 | $2) continue ;; esac
			[ "$n" != 20 ] || sleep 0.5 # the kernel drops a SIGCONT that waits when a stop signal comes
			kill "-$n" "$1"
		done
		touch made-sent
	}
	devenv run -- python3 made-take.py </dev/null >made-out 2>&1 3>&- 4>&- &
	pid=$!
	wait_for 15 test -e made-up
	send_all "$pid" 20
	wait "$pid"
	grep -qx 'missing \[\]' made-out || { cat made-out; false; }
	rm made-up made-sent
	terminal_start
	terminal_type 'devenv run -- python3 made-take.py'
	wait_for 15 test -e made-up
	send_all "$(launcher)" none
	# the last but one, SIGHUP, is of somebody and not of the terminal
	terminal_wait '^missing \[\]'
}

@test "a thousand changes of the window's size: the last one arrives, and SIGWINCH with them" {
	cat >made-size.py <<-'END'
		import fcntl, os, pty, signal, struct, subprocess, sys, termios, time
		inside = '''import os, signal, time
		seen = 0
		def changed(*_):
		    global seen
		    seen += 1
		signal.signal(signal.SIGWINCH, changed)
		print("ready", flush=True)
		while tuple(os.get_terminal_size()) != (131, 41):
		    time.sleep(0.02)
		print("seen", seen > 0, *os.get_terminal_size(), flush=True)
		'''.replace("\n\t\t", "\n")
		with open("made-inside.py", "w") as file:
		    file.write(inside)
		for command in (["run", "--", "python3", "made-inside.py"], ["enter"]):
		    child, fd = pty.fork()
		    if child == 0:
		        os.execvp("devenv", ["devenv", "-q", *command])
		    if command[0] == "enter":
		        os.write(fd, b"exec python3 made-inside.py\n")
		    got = b""
		    while b"ready" not in got:
		        got += os.read(fd, 65536)
		    for n in range(999):
		        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20 + n % 30, 60 + n % 50, 0, 0))
		    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 41, 131, 0, 0))
		    try:
		        while chunk := os.read(fd, 65536):
		            got += chunk
		    except OSError:
		        pass
		    os.close(fd)
		    os.waitpid(child, 0)
		    print("right" if b"seen True 131 41" in got else got)
	END
	run -0 /usr/bin/python3 -B made-size.py
	[ "$output" = $'right\nright' ]
}

# ---- bytes ----

@test "no terminal at all, stdin at its end" {
	run -0 setsid -w devenv run -- sh -c 'cat; echo "end $?"; (: </dev/tty) 2>/dev/null || echo no terminal' </dev/null
	[ "$output" = $'end 0\nno terminal' ]
	run -3 bash -c "printf 'echo in\nexit 3\n' | setsid -w devenv enter"
	[ "$output" = in ]
	run -0 setsid -w devenv enter </dev/null
	[ "$output" = '' ]
}

@test "a terminal whose input is at its end: the command reads the end, the shell leaves" {
	terminal_start
	terminal_type 'devenv run -- cat; echo code $''?'
	wait_for 15 eval '[ -n "$(inside_named cat)" ]'
	terminal_key C-d
	terminal_wait '^code 0'
	terminal_type 'devenv enter; echo left $''?'
	wait_for 15 eval '[ -n "$(inside_named bash)" ]'
	sleep 0.5
	terminal_key C-d
	terminal_wait '^left 0'
}

@test "a slow reader gets all of it, a closed stdout is EPIPE" {
	[ "$(devenv run -- seq 1 200000 | { sleep 1; sha256sum; })" = "$(seq 1 200000 | sha256sum)" ]
	cat >made-pipe.py <<-'END'
		import os, signal
		signal.signal(signal.SIGPIPE, signal.SIG_IGN)
		try:
		    while True:
		        os.write(1, b"x" * 4096)
		except OSError as e:
		    os.write(2, b"errno %d\n" % e.errno)
	END
	devenv run -- python3 made-pipe.py 2>made-err | head -c 1 >/dev/null
	grep -qx 'errno 32' made-err
	run bash -c 'devenv run -- yes | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}'
	[ "$status" -eq 141 ]
}

@test "much through pipes and through a terminal, both ways: nothing is lost or changed" {
	cat >made-much.py <<-'END'
		import hashlib, os, pty, subprocess, sys, threading
		size = int(sys.argv[1])
		block = bytes(i * i * 7 % 251 for i in range(1 << 16))

		def send(fd, sent):
		    for i in range(0, size, len(block)):
		        data = memoryview(block[i >> 16 & 1023:] + block[:i >> 16 & 1023])
		        sent.update(data)
		        while data:
		            data = data[os.write(fd, data):]

		def receive(fd, got, left):
		    while left > 0:
		        data = os.read(fd, min(left, 1 << 16))
		        if not data:
		            return
		        got.update(data)
		        left -= len(data)

		def compare(name, source, drain):
		    sent, got = hashlib.sha256(), hashlib.sha256()
		    writer = threading.Thread(target=send, args=(source, sent))
		    writer.start()
		    receive(drain, got, size)
		    writer.join()
		    print(name, "equal" if sent.digest() == got.digest() else "different")

		cat = subprocess.Popen(["devenv", "-q", "run", "--", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		compare("pipes", cat.stdin.fileno(), cat.stdout.fileno())
		cat.stdin.close()
		cat.wait()
		child, fd = pty.fork()
		if child == 0:
		    os.execvp("devenv", ["devenv", "-q", "run", "--", "sh", "-c", f"stty raw -echo; echo ready; exec head -c {size}"])
		said = b""
		while not said.endswith(b"ready\n"):
		    said += os.read(fd, 1)
		compare("terminal", fd, fd)
		os.waitpid(child, 0)
	END
	# a GiB in the long form
	size=$((${E2E_LONG:+16} + 0 > 0 ? 1073741824 : 67108864))
	run -0 /usr/bin/python3 -B made-much.py "$size"
	[ "$output" = $'pipes equal\nterminal equal' ]
}
