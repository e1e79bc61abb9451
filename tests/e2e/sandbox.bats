#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# sandbox.bats - what the sandbox promises: hostile images and sessions, the holder and its end, counts of system calls.
# sandbox_probe.c is what tries things from inside, sandbox_images.py makes the images.
load support

setup_file() {
	export P=$BATS_FILE_TMPDIR/sandbox-$$ PROBE=$BATS_FILE_TMPDIR/probe
	ready "$P" "image = $SMALL"
	if command -v musl-gcc >/dev/null; then
		musl-gcc -static -O2 -o "$PROBE" "$E2E_SOURCE/sandbox_probe.c"
	else
		cc -static -O2 -o "$PROBE" "$E2E_SOURCE/sandbox_probe.c" 2>/dev/null || :
	fi
	[ ! -e "$PROBE" ] || cp "$PROBE" "$P/probe"
	# the plan's own files are two seconds old from here on, so that it counts as fresh
	devenv -C "$P" run -- true
	sleep 2.1
	devenv -C "$P" run -- true
}
setup() {
	cd "$P"
}
teardown() {
	terminal_stop
	[ ! -e "$P/.held" ] || touch "$P/.release" # of a test that failed
	wait_for 15 nothing_inside || { inside_processes; false; }
	rm -rf "$P"/.held "$P"/.release "$P"/made-*
}

need_probe() {
	[ -e "$P/probe" ] || skip "no compiler that links statically"
}
need_strace() {
	command -v strace >/dev/null || skip "strace is not installed"
}

# The pids of pid 1 of every environment of ours.
holders() {
	local pid rest
	inside_processes | while read -r pid rest; do
		! grep -qsx devenv-holder "/proc/$pid/comm" || echo "$pid"
	done
}

# ---- hostile images ----

# What lies in the canary directory and everything stat says of it but its access times.
canary() {
	find "$CANARY" -printf '%P %y %m %u %s %T@ %C@ %l\n' | LC_ALL=C sort
	cat "$CANARY/keep"
}

# planted TAG: one session in the image; a refusal in one line, or a sandbox that is sound: everything where it belongs.
planted() {
	local tag=$1 places
	printf '[base]\noci = images:%s\n[sandbox]\nnetwork = none\n' "$tag" >devenv.ini
	rm -f devenv.lock made-*
	run --separate-stderr devenv -q run -y -- sh -c 'cat /proc/self/mountinfo >made-mounts || exit 97
		pwd -P; cat /etc/hostname /run/.containerenv >/dev/null && echo hi >/dev/null && : >/tmp/x &&
		test -d /dev/pts && test -c /dev/null && test ! -L /dev/null && test ! -L /proc && echo sound; cat /canary/keep; ls -A /canary'
	[ "$(canary)" = "$BEFORE" ] || { echo "$tag: the host's canary changed"; return 1; }
	if [ "$status" -eq 125 ]; then
		complaint 125 'link|director|root' || { echo "$tag"; return 1; }
		return 0
	fi
	if [ "$status" -ne 0 ] || [ "${lines[1]}" != sound ] || [[ ${lines[0]} != /* ]]; then
		echo "$tag: $status: $output $stderr"
		return 1
	fi
	# every mount is where one belongs; home and project may be where the image's own links lead
	places='/|/tmp|/dev(/(null|zero|full|random|urandom|tty|console|pts|shm|mqueue))?|/proc(/[a-z_-]+)?|/sys(/devices/system/cpu)?'
	awk '{ print $5, $4 }' made-mounts | grep -Ev "^($places) |^($HOME|$PWD) | (/.*)?/(home|planted)\$" >made-odd || :
	[ ! -s made-odd ] || { echo "$tag: mounted elsewhere: $(cat made-odd)"; return 1; }
	awk '{ print $5, $4 }' made-mounts | grep -Ec " (/.*)?/(home|planted)\$" | grep -qx 2 || { cat made-mounts; return 1; }
}

@test "images that plant links, files and directories where devenv mounts and writes" {
	mkdir -p "$BATS_TEST_TMPDIR/planted" "$BATS_TEST_TMPDIR/canary"
	own_store
	cd "$BATS_TEST_TMPDIR/planted"
	export CANARY=$BATS_TEST_TMPDIR/canary HOME_RE=$HOME
	echo untouched >"$CANARY/keep"
	BEFORE=$(canary)
	tags=$(/usr/bin/python3 -B "$E2E_SOURCE/sandbox_images.py" plant "$E2E_IMAGES/layouts/small" 1 images "$CANARY")
	count=0
	for tag in $tags; do
		planted "$tag"
		[ "$status" -ne 0 ] || [ "${lines[*]:2}" = "untouched keep" ] || { echo "$tag: $output"; false; }
		count=$((count + 1))
		case $tag in
		proc.file | sys.file | dev.file | *.directory) expected=0 ;;
		# refused by name, and only these
		proc.* | sys.* | dev.*)
			expected=125
			[[ $stderr == *"/${tag%.*}"* ]]
			;;
		*) expected=0 ;;
		esac
		[ "$status" -eq "$expected" ] || { echo "$tag: $status: $stderr"; false; }
	done
	[ "$count" -ge 100 ]
}

@test "images that plant links at directories above the project and the home" {
	mkdir -p "$BATS_TEST_TMPDIR/planted" "$BATS_TEST_TMPDIR/canary"
	own_store
	cd "$BATS_TEST_TMPDIR/planted"
	export CANARY=$BATS_TEST_TMPDIR/canary HOME_RE=$HOME
	echo untouched >"$CANARY/keep"
	BEFORE=$(canary)
	tags=$(/usr/bin/python3 -B "$E2E_SOURCE/sandbox_images.py" plant "$E2E_IMAGES/layouts/small" 1 images "$CANARY" \
		"/$(cut -d/ -f2 <<<"$PWD")" "$(dirname "$HOME")" "$HOME" "$PWD" | grep ^above)
	for tag in $tags; do
		planted "$tag"
	done
}

@test "links in a persistent scratch layer, the home or the project where something is mounted: refused in one line" {
	d=$BATS_TEST_TMPDIR/kept-$$
	ready "$d" "image = $SMALL" $'[volume.a]\ntarget = ~/deep/volume\n[volume.b]\ntarget = below/volume\n[sandbox]\npersist = yes\nnetwork = none'
	CANARY=$BATS_TEST_TMPDIR/canary
	mkdir "$CANARY"
	echo untouched >"$CANARY/keep"
	BEFORE=$(canary)
	run -0 devenv -C "$d" run --root -- sh -c 'echo kept >/usr/kept; ls -d "$0/deep/volume" below/volume; mkdir -p /usr/decoy/volume' "$HOME"
	wait_for 15 nothing_inside
	state=$(echo ~/.local/state/devenv/checkouts/kept-$$-*)
	upper=$state/persist/upper
	[ "$(cat "$upper/usr/kept")" = kept ]
	# /usr/decoy has what the volumes' paths go on with, so following the link would mount there
	for target in / ../../../.. /usr/decoy "$CANARY" /proc/self/cwd; do
		for place in "$upper/dev" "$upper/proc" "$upper/sys" "$upper/tmp" "$upper/$(cut -d/ -f2 <<<"$HOME")" "$state/home/deep" "$d/below"; do
			[ ! -d "$place" ] || mv "$place" "$place.aside"
			ln -s "$target" "$place"
			run --separate-stderr devenv -C "$d" run -- sh -c 'ls /; cat /proc/self/mountinfo'
			rm "$place"
			[ ! -d "$place.aside" ] || mv "$place.aside" "$place"
			complaint 125 "can't mount|can't mkdir|director" || { echo "$place -> $target"; false; }
			[ "$(canary)" = "$BEFORE" ]
		done
	done
	run -0 devenv -C "$d" run -- cat /usr/kept
}

# ---- descriptors and directories ----

@test "sixty open descriptors of the caller: none is inside, and pid 1 keeps none" {
	need_probe
	many='for n in $(seq 3 62); do eval "exec $n</etc/passwd"; done; exec devenv "$@"'
	for words in "run" "run --root"; do
		# shellcheck disable=SC2086 # options
		run -0 bash -c "$many" many $words -- ./probe fds
		[ "$output" = $'0\n1\n2' ]
	done
	bash -c "$many" many run -- sh -c 'echo >.held; until [ -e .release ]; do sleep 0.05; done' </dev/null 3>&- 4>&- &
	HOLDER=$!
	wait_for 10 test -e .held
	run -0 bash -c "$many" many run -- ./probe fds
	[ "$output" = $'0\n1\n2' ]
	holder=$(holders)
	run -0 sh -c "ls -l /proc/$holder/fd | sed -n 's/.* -> //p'"
	[ "${#lines[@]}" -le 6 ]
	run -0 foreign_descriptors "$holder"
	[ -z "$output" ] || { echo "$output"; false; }
	release "$P"
	# a directory on one of the three would be a way out
	for redirection in '</' '3</ <&3' '2</' '0</proc/self/cwd'; do
		run bash -c "devenv run -- ls /proc/self/fd/0/ $redirection"
		[ "$status" -eq 125 ]
	done
	# a caller that closed its own gets null devices and not our files
	run -0 bash -c 'devenv run -- sh -c "./probe fds >made-fds" <&- >&- 2>&-; cat made-fds'
	[ "$output" = $'0\n1\n2' ]
}

@test "a working directory that a session made into a link to /proc: refused" {
	d=$BATS_TEST_TMPDIR/link
	ready "$d" "image = $SMALL" $'[volume.v]\ntarget = below\n[sandbox]\nnetwork = none'
	run -0 devenv -C "$d" run -- sh -c 'cd below && ln -s /proc/self/fd/7 fd && ln -s /proc/1/cwd cwd && ln -s /proc/1/root root &&
		ln -s ../../../../../../../../../etc up && ln -s loop loop'
	mkdir "$d/below/fd" "$d/below/cwd" "$d/below/root" "$d/below/up" "$d/below/loop"
	for word in fd cwd root loop; do
		run --separate-stderr bash -c "exec 7</; cd '$d/below/$word' && exec devenv run -- sh -c 'pwd -P; ls'"
		complaint 125 'working directory'
	done
	run -0 bash -c "cd '$d/below/up' && exec devenv run -- pwd -P"
	[ "$output" = /etc ]
}

@test "image configs that try to matter: working directories, users, variables, labels" {
	own_store
	cases=$(/usr/bin/python3 -B "$E2E_SOURCE/sandbox_images.py" push "$E2E_IMAGES/layouts/small" 1 "$E2E_REGISTRY" "hostile-$E2E_IDENTITY")
	where() {
		devenv -q image pull "$E2E_REGISTRY/hostile-$E2E_IDENTITY:$1" || :
		run --separate-stderr devenv run --image "$E2E_REGISTRY/hostile-$E2E_IDENTITY:$1" -- sh -c 'pwd -P; id -u; id -g; ls -A'
	}
	for case in $(grep -E '^(workdir|user)' <<<"$cases"); do
		where "$case"
		case $case in
		workdir8 | workdir9 | workdir10 | workdir11 | workdir18) # lead to /etc by honest resolution in the root
			[ "$status" -eq 0 ] && [ "${lines[0]}" = /etc ] || { echo "$case: $status $output $stderr"; false; } ;;
		workdir12 | workdir13) # not absolute: ignored, and that is said
			[ "$status" -eq 0 ] && [ "${lines[0]}" = / ] && [[ $stderr == *"working directory"* ]] || { echo "$case: $status $output $stderr"; false; } ;;
		workdir16) # odd but a name
			if [ "$status" -eq 0 ]; then [[ ${lines[0]} == "/new"* ]]; else complaint 125 'directory'; fi ;;
		*)
			[ "$case" != workdir15 ] || [ "$status" -ne 0 ] || continue # it replaces its own /etc/passwd
			complaint 125 'working directory|User|no (user|group)|user|group|link|name too long|directory' || { echo "$case: $stderr"; false; } ;;
		esac
		! grep -q $'\033' <<<"$stderr" || false
	done
	image=$E2E_REGISTRY/hostile-$E2E_IDENTITY:odd
	run -0 --separate-stderr devenv -q run --image "$image" -- sh -c 'cat /proc/self/environ | tr "\0" "\n"'
	grep -qx GOOD=1 <<<"$output"
	grep -qx container=devenv <<<"$output"
	grep -qx DEVENV=1 <<<"$output"
	! grep -qE 'NO_VALUE|nameless|1BAD|DA-SH|A B|^LINE' <<<"$output" || false
	run -0 devenv -q run --image "$image" -- sh -c 'hostname; cat /proc/self/status; ls -A /; ls -A /tmp; test ! -e /onbuild; readlink /proc/self/ns/net'
	[ "${lines[0]}" != evil ]
	grep -qx $'Seccomp:\t2' <<<"$output"
	grep -qx $'NoNewPrivs:\t1' <<<"$output"
	! grep -qx host <<<"$output" || false
	# the host's network is what --image says it has, not what a label adds
	[ "${lines[*]: -1}" = "$(readlink /proc/self/ns/net)" ]
}

# ---- what a hostile session can do ----

@test "no content and no metadata of the launcher can be changed from inside, nor the host's environment read" {
	need_probe
	own=$BATS_TEST_TMPDIR/own
	mkdir -p "$own/bin" "$own/libexec/devenv"
	# a copy that belongs to the caller, so that nothing but the sandbox protects it
	cp "$E2E_BIN/devenv" "$own/bin/"
	cp "$E2E_BIN/../libexec/devenv/devenv-core" "$own/libexec/devenv/"
	identity() {
		stat -c '%D:%i %a %u %s %y %z' "$own/bin/devenv"
		sha256sum <"$own/bin/devenv"
	}
	before=$(identity)
	inode=$(stat -c '%D:%i' "$own/bin/devenv")
	"$own/bin/devenv" run -- true
	for root in "" --root; do
		rm -f stop-attack
		# shellcheck disable=SC2086 # an option or none
		"$own/bin/devenv" run $root -- ./probe exe 20 >made-attack 2>&1 3>&- 4>&- </dev/null &
		attacker=$!
		sleep 0.2
		for n in $(seq 25); do
			HOST_SECRET=x "$own/bin/devenv" run -- sleep 0.02
			HOST_SECRET=x "$own/bin/devenv" run --root -- true
			HOST_SECRET=x "$own/bin/devenv" run -- /no/such/program 2>/dev/null || :
		done
		: >stop-attack
		wait "$attacker"
		rm -f stop-attack
		tail -n 1 made-attack | grep -qx 'done'
		# it did see something: sessions like it after their exec
		[ -n "$root" ] || grep -q '^saw' made-attack
		! grep -E "$inode|host's environment" made-attack || false
		[ "$(identity)" = "$before" ]
	done
}

@test "pid 1 can't be read, traced, stopped or signalled, by root inside neither" {
	need_probe
	hold "$P"
	holder=$(holders)
	for root in "" --root; do
		# shellcheck disable=SC2086
		run -0 devenv run $root -- ./probe pid1
		[ "$output" = 'done' ]
		grep -q '^State:.S' "/proc/$holder/status"
		grep -q $'^TracerPid:\t0' "/proc/$holder/status"
	done
	run -0 devenv run -- cat /proc/1/cmdline /proc/1/comm
	[ "$(tr -d '\0' <<<"$output")" = devenv-holder ]
	release "$P"
}

@test "system calls: everything tried has the expected answer" {
	need_probe
	[ "$(uname -m)" = x86_64 ] || skip "the table is for x86_64"
	cat >made-expected <<-'END'
		mount EPERM
		umount2 EPERM
		pivot_root EPERM
		open_tree EPERM
		move_mount EPERM
		fsopen EPERM
		fsconfig EPERM
		fsmount EPERM
		fspick EPERM
		mount_setattr EPERM
		open_tree_attr EPERM
		setns EPERM
		unshare-user EPERM
		unshare-user-high EPERM
		unshare-mount EPERM
		unshare-net EPERM
		unshare-pid EPERM
		unshare-uts EPERM
		unshare-ipc EPERM
		unshare-cgroup EPERM
		unshare-time EPERM
		unshare-files ok
		clone-user EPERM
		clone-user-high EPERM
		clone-user-and-fs EPERM
		clone-mount EPERM
		clone-net EPERM
		clone-pid EPERM
		clone3 ENOSYS
		bpf EPERM
		perf_event_open EPERM
		userfaultfd EPERM
		io_uring_setup EPERM
		io_uring_enter EPERM
		io_uring_register EPERM
		keyctl EPERM
		add_key EPERM
		request_key EPERM
		kexec_load EPERM
		init_module EPERM
		finit_module EPERM
		delete_module EPERM
		open_by_handle_at EPERM
		syslog EPERM
		reboot EPERM
		swapon EPERM
		swapoff EPERM
		acct EPERM
		sethostname EPERM
		setdomainname EPERM
		settimeofday EPERM
		clock_settime EPERM
		quotactl EPERM
		fanotify_init EPERM
		move_pages EPERM
		migrate_pages EPERM
		vhangup EPERM
		socket-unix ok
		socket-inet ok
		socket-netlink ok
		socket-vsock EAFNOSUPPORT
		socket-vsock-high EAFNOSUPPORT
		socket-alg EAFNOSUPPORT
		socket-alg-high EAFNOSUPPORT
		socket-packet EAFNOSUPPORT
		socket-bluetooth EAFNOSUPPORT
		socket-can EAFNOSUPPORT
		socket-xdp EAFNOSUPPORT
		socket-negative EAFNOSUPPORT
		socketpair-vsock EAFNOSUPPORT
		ioctl-tiocsti EPERM
		ioctl-tiocsti-high EPERM
		ioctl-tioclinux EPERM
		ioctl-other EBADF
		personality-ask ok
		personality-no-randomize ok
		personality-32-bit EPERM
		personality-read-implies-exec EPERM
		ptrace-traceme ok
		process_vm_readv ok
		chroot EPERM
		mknod-device EPERM
		setuid-unmapped EINVAL
		setgroups EPERM
		nobody's-number ENOSYS
		statmount ENOSYS
		listmount ENOSYS
		lsm_set_self_attr ENOSYS
		file_setattr ENOSYS
		last-number ENOSYS
		minus-one ENOSYS
		mount-number-high EPERM
		kexec_file_load EPERM
		fanotify_mark EPERM
		quotactl_fd EPERM
		iopl EPERM
		ioperm EPERM
		unshare-mount-high EPERM
		clone-uts EPERM
		clone-ipc EPERM
		clone-cgroup EPERM
		clone-all-high EPERM
		clone3-high ENOSYS
		socket-inet-high ok
		socket-packet-high EAFNOSUPPORT
		socketpair-alg-high EAFNOSUPPORT
		ioctl-tioclinux-high EPERM
		personality-32-bit-high EPERM
		prlimit-pid1 EPERM
		prlimit-pid1-high EPERM
		prlimit-self ok
		x32-getpid SIGNAL 31
		x32-ioctl SIGNAL 31
		x32-mount SIGNAL 31
		x32-execve SIGNAL 31
		x32-getpid-high SIGNAL 31
		x32-last SIGNAL 31
		int80-getpid SIGNAL 31
		int80-mount SIGNAL 31
		int80-socketcall SIGNAL 31
		int80-clone SIGNAL 31
	END
	for root in "" --root; do
		# shellcheck disable=SC2086
		devenv run $root -- ./probe calls >made-got
		# a kernel without 32-bit programs has no int 0x80 at all
		sed -i '/^int80/s/SIGNAL 11$/SIGNAL 31/' made-got
		diff made-expected made-got
	done
	[ "$(wc -l <made-expected)" -ge 60 ]
}

@test "capabilities, filter and no_new_privs, for every way to start a process" {
	d=$BATS_TEST_TMPDIR/hooks
	status='cat /proc/self/status'
	ready "$d" "image = $SMALL" "[hooks]
start = $status >made-start
enter = $status >made-enter
[sandbox]
network = none"
	cd "$d"
	echo "$status >made-shell" | devenv enter
	cp made-start made-start-first # the hooks run again, as root, for the next one
	cp made-enter made-enter-first
	echo "$status >made-root-shell" | devenv enter --root
	devenv run -- sh -c "$status >made-run"
	devenv run --root -- sh -c "$status >made-root"
	caps=0000000000000000 # for real root too: --root is what asks for them
	for name in start-first enter-first shell run; do
		grep -qx $'NoNewPrivs:\t1' "made-$name"
		grep -qx $'Seccomp:\t2' "made-$name"
		grep -qx $'Seccomp_filters:\t[1-9].*' "made-$name"
		grep -qx "CapEff:"$'\t'"$caps" "made-$name"
		grep -qx "CapPrm:"$'\t'"$caps" "made-$name"
		grep -qx "CapBnd:"$'\t'"$caps" "made-$name"
		grep -qx $'CapInh:\t0000000000000000' "made-$name"
		grep -qx $'CapAmb:\t0000000000000000' "made-$name"
	done
	for name in root root-shell; do
		grep -qx $'CapEff:\t00000000000004fb' "made-$name"
		grep -qx $'CapBnd:\t00000000000004fb' "made-$name"
		grep -qx $'NoNewPrivs:\t1' "made-$name"
		grep -qx $'Seccomp:\t2' "made-$name"
	done
}

@test "masks of /proc: files read empty, directories are empty, what changes the kernel is read-only" {
	cat >made-look <<-'END'
		for f in interrupts kcore keys latency_stats sched_debug timer_list timer_stats; do
			[ ! -e /proc/$f ] || [ "$(head -c 1 /proc/$f | wc -c)" = 0 ] || echo "shown: $f"
		done
		for d in acpi asound scsi; do
			[ ! -e /proc/$d ] || [ -z "$(ls -A /proc/$d)" ] || echo "shown: $d"
		done
		for f in /proc/sys/*/* /proc/sys/*/*/* /proc/irq/* /proc/irq/*/* /proc/bus/* /proc/fs/* /proc/sysrq-trigger; do
			[ ! -w "$f" ] || echo "writable: $f"
		done
		for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/vm/overcommit_memory /proc/sysrq-trigger; do
			(echo x >$f) 2>/dev/null && echo "written: $f"
		done
		chmod 600 /proc/keys 2>/dev/null && echo 'mode of a mask changed'
		echo looked
	END
	for root in "" --root; do
		# shellcheck disable=SC2086
		run -0 devenv run $root -- sh ./made-look
		[ "$output" = looked ]
	done
}

@test "/dev: exactly the promised nodes, and neither they nor the host's can be changed" {
	cat >made-look <<-'END'
		cd /dev
		stat -c '%n %F %t:%T' null zero full random urandom tty console pts shm mqueue
		for l in fd stdin stdout stderr ptmx; do echo "$l -> $(readlink $l)"; done
		ls -A | wc -l
		for f in null zero tty console; do
			chmod 666 $f && echo "mode of $f"
			touch -c $f && echo "times of $f"
			owner=$(stat -c %u:%g $f)
			chown 1:1 $f
			[ "$(stat -c %u:%g $f)" = "$owner" ] || echo "owner of $f"
			rm -f $f && echo "removed $f"
		done
		touch new && echo new
		mkdir new && echo new
		ln -s x new && echo new
		mv null old && echo moved
		echo written >null
		head -c 3 zero | wc -c
		ls -A pts mqueue
	END
	before=$(stat -c '%n %a %u %Y %Z' /dev/null /dev/zero /dev/tty)
	for root in "" --root; do
		# shellcheck disable=SC2086
		run -0 --separate-stderr devenv run $root -- sh ./made-look
		diff - <(printf '%s\n' "$output") <<-'END'
			null character special file 1:3
			zero character special file 1:5
			full character special file 1:7
			random character special file 1:8
			urandom character special file 1:9
			tty character special file 5:0
			console character special file 1:3
			pts directory 0:0
			shm directory 0:0
			mqueue directory 0:0
			fd -> /proc/self/fd
			stdin -> /proc/self/fd/0
			stdout -> /proc/self/fd/1
			stderr -> /proc/self/fd/2
			ptmx -> pts/ptmx
			15
			3
			mqueue:

			pts:
			ptmx
		END
	done
	[ "$before" = "$(stat -c '%n %a %u %Y %Z' /dev/null /dev/zero /dev/tty)" ]
}

@test "/sys: the processors and nothing else, read-only" {
	run -0 --separate-stderr devenv run --root -- sh -c 'cd /sys; ls -A . devices devices/system; stat -c %a .
		touch x; mkdir x; chmod 700 devices; mv devices d; echo 0 >devices/system/cpu/cpu1/online; ls devices/system/cpu | grep -c "^cpu[0-9]"'
	grep -qx 'devices' <<<"$output"
	[ "$(grep -v '^cpu\|^[0-9]' <<<"$output")" = $'.:\ndevices\n\ndevices:\nsystem\n\ndevices/system:' ]
	grep -qx cpu <<<"$output"
	[ "${lines[*]: -1}" = "$(ls /sys/devices/system/cpu | grep -c '^cpu[0-9]')" ]
	run -0 devenv run -- sh -c 'sed -n "s/^[^ ]* [^ ]* [^ ]* [^ ]* \(\/sys[^ ]*\) \(r[ow]\),.*/\1 \2/p" /proc/self/mountinfo'
	[ "$output" = $'/sys ro\n/sys/devices/system/cpu ro' ]
}

@test "umask: the caller's, but never one that lets everybody write or keeps the owner out" {
	while read -r outer inner; do
		run -0 bash -c "umask $outer; exec devenv run -- sh -c umask"
		[ "$output" = "$inner" ] || { echo "$outer: $output"; false; }
	done <<-'END'
		000 0022
		002 0002
		022 0022
		027 0027
		077 0077
		177 0077
		777 0077
		700 0022
	END
}

@test "the environment of every kind of session is built from nothing" {
	run -0 env HOST_SECRET=1 LD_PRELOAD=/x.so BASH_ENV=/x 'BASH_FUNC_x%%=() { :; }' devenv run -- sh -c 'tr "\0" "\n" </proc/self/environ'
	! grep -qE 'HOST_SECRET|LD_PRELOAD|BASH_' <<<"$output" || false
	run -0 env HOST_SECRET=1 devenv run --root -- sh -c 'tr "\0" "\n" </proc/self/environ'
	! grep -q HOST_SECRET <<<"$output" || false
	grep -qx HOME=/root <<<"$output"
	grep -qx USER=root <<<"$output"
	run -0 env FROM_CALLER='a b' devenv run -e FROM_CALLER -e NOT_SET -e 'X=1' -e 'X=2' -- sh -c 'echo "$FROM_CALLER|${NOT_SET-unset}|$X"'
	[ "$output" = 'a b|unset|2' ]
}

# ---- the holder ----

@test "a hundred simultaneous starts of a cold project: one holder, every exit code right" {
	mkfifo made-gate
	pids=()
	for n in $(seq 100); do
		devenv run -- sh -c "readlink /proc/self/ns/mnt >made-ns.$n; read -r line <made-gate; exit $n" 3>&- 4>&- </dev/null &
		pids+=($!)
	done
	wait_for 30 eval '[ "$(ls made-ns.* | wc -l)" = 100 ] && [ "$(cat made-ns.* | wc -l)" = 100 ]'
	[ "$(holders | wc -l)" -eq 1 ]
	yes go | head -n 100 >made-gate &
	n=0
	for pid in "${pids[@]}"; do
		n=$((n + 1)) code=0
		# who opened the gate too late for the first writer gets another
		while kill -0 "$pid" 2>/dev/null && ! wait_for 5 eval "! kill -0 $pid" >/dev/null; do echo go >made-gate; done
		wait "$pid" || code=$?
		[ "$code" -eq "$n" ]
	done
	[ "$(cat made-ns.* | sort -u | wc -l)" -eq 1 ]
}

@test "kill -9 of launchers at random times, again and again: the next run works and nothing is left" {
	# E2E_KILLS says how often; 300
	scratch=$(echo ~/.local/state/devenv/checkouts/"$(basename "$P")"-*/scratch)
	# those that a sandbox would make
	mounts() { grep -E " - overlay devenv |$HOME|$P" /proc/self/mountinfo || :; }
	before=$(mounts)
	cat >made-kills <<-'END'
		for n in $(seq "${E2E_KILLS:-300}"); do
			devenv run -- sleep 60 </dev/null &
			sleep "0.00$((RANDOM % 10))"
			# every third leaves one that others join
			[ $((n % 3)) -ne 0 ] || devenv run -- true || echo "code $?" >&3
			kill -9 $!
			wait $!
		done
		exit 0
	END
	bash ./made-kills 3>made-codes 2>/dev/null 4>&-
	[ ! -s made-codes ] || { sort made-codes | uniq -c; false; }
	run -0 devenv run -- echo works
	[ "$output" = works ]
	wait_for 15 nothing_inside || { inside_processes; false; }
	# slots stay, and with nothing in them
	[ -z "$(find "$scratch" -mindepth 3)" ] || { find "$scratch"; false; }
	[ "$(ls "$scratch" | wc -l)" -le 10 ]
	[ "$before" = "$(mounts)" ]
}

@test "kill -9 of pid 1 from outside: its sessions end with 137 and the next run works" {
	for n in 1 2 3; do
		hold "$P"
		devenv run -- sh -c 'sleep 100' 3>&- 4>&- </dev/null &
		second=$!
		wait_for 10 eval 'inside_processes | grep -q "sleep 100"'
		kill -9 "$(holders)"
		code=0
		wait "$HOLDER" || code=$?
		[ "$code" -eq 137 ]
		code=0
		wait "$second" || code=$?
		[ "$code" -eq 137 ]
		run -0 devenv run -- echo works
		[ "$output" = works ]
	done
	rm -f .held
}

@test "what a killed environment left in its scratch and /tmp is not there for the next one, and goes" {
	for kind in tmpfs disk; do
		d=$BATS_TEST_TMPDIR/left-$kind-$$
		ready "$d" "image = $SMALL" $'[sandbox]\nscratch = '"$kind"$'\nnetwork = none'
		hold "$d"
		run -0 devenv -C "$d" run --root -- sh -c 'mkdir -p /tmp/a/b; chmod 0 /tmp/a/b; : >/tmp/c; : >/usr/d; chmod 555 /tmp/a'
		kill -9 "$(holders)"
		wait "$HOLDER" || :
		wait_for 15 nothing_inside
		run -0 devenv -C "$d" run -- sh -c 'ls -A /tmp; ls /usr/d 2>/dev/null; echo end'
		[ "$output" = end ]
		wait_for 15 nothing_inside
		scratch=$(echo ~/.local/state/devenv/checkouts/left-"$kind"-$$-*/scratch)
		[ -z "$(find "$scratch" -mindepth 2 ! -name tmp)" ] || { find "$scratch"; false; }
	done
}

@test "kill -9 of a launcher ends its process while other sessions go on" {
	hold "$P"
	devenv run -- sleep 1002 3>&- 4>&- </dev/null &
	second=$!
	wait_for 10 eval 'inside_processes | grep -q "sleep 1002"'
	kill -9 "$second"
	wait "$second" || :
	wait_for 10 eval '! inside_processes | grep -q "sleep 1002"'
	[ "$(holders | wc -l)" -eq 1 ]
	release "$P"
}

@test "a session that kills everything it can, ends itself only" {
	hold "$P"
	run devenv run --root -- sh -c 'kill -9 -1; kill -9 1; kill -STOP 1'
	run -0 devenv run -- echo works
	wait "$HOLDER" || code=$?
	[ "$code" -eq 137 ]
	rm -f .held
}

@test "a changed plan gets a holder of its own, the old session keeps its" {
	d=$BATS_TEST_TMPDIR/changed
	ready "$d" "image = $SMALL" $'[env]\nWHICH = one\n[sandbox]\nnetwork = none'
	devenv -C "$d" run -- sh -c 'echo $WHICH >first; echo >.held; until [ -e .release ]; do sleep 0.05; done
		readlink /proc/self/ns/mnt >old; echo "$WHICH $(cat /usr/mark)" >>first' 3>&- 4>&- </dev/null &
	HOLDER=$!
	wait_for 10 test -e "$d/.held"
	run -0 devenv -C "$d" run --root -- sh -c 'echo of-old >/usr/mark; readlink /proc/self/ns/mnt'
	old=$output
	sed -i 's/WHICH = one/WHICH = two/' "$d/devenv.ini"
	run -0 --separate-stderr devenv -C "$d" run -- sh -c 'readlink /proc/self/ns/mnt; echo $WHICH; ls /usr/mark 2>/dev/null; ls /proc | grep -c "^[0-9]"'
	[ "${lines[0]}" != "$old" ]
	[ "${lines[1]}" = two ]
	[ "${#lines[@]}" -eq 3 ] # no /usr/mark
	[ "$(holders | wc -l)" -ge 1 ]
	release "$d"
	[ "$(cat "$d/old")" = "$old" ]
	[ "$(tail -n 1 "$d/first")" = "one of-old" ]
}

@test "persist = yes keeps files, and a second plan is refused while the first runs" {
	d=$BATS_TEST_TMPDIR/persist
	ready "$d" "image = $SMALL" $'[env]\nWHICH = one\n[sandbox]\npersist = yes\nnetwork = none'
	run -0 devenv -C "$d" run --root -- sh -c 'echo kept >/usr/kept; rm /etc/small; mkdir /usr/new; for i in $(seq 300); do echo >/usr/new/$i; done'
	wait_for 15 nothing_inside
	run -0 devenv -C "$d" run -- sh -c 'cat /usr/kept; ls /etc/small 2>/dev/null; ls /usr/new | wc -l'
	[ "$output" = $'kept\n300' ]
	hold "$d"
	sed -i 's/WHICH = one/WHICH = two/' "$d/devenv.ini"
	run --separate-stderr devenv -C "$d" run -- true
	complaint 125 'persist'
	# and nothing of it is left behind
	[ "$(holders | wc -l)" -eq 1 ]
	release "$d"
	run -0 devenv -C "$d" run -- sh -c 'echo $WHICH; cat /usr/kept'
	[ "$output" = $'two\nkept' ]
}

@test "persist = yes: the next start waits for the one that is ending" {
	d=$BATS_TEST_TMPDIR/again
	ready "$d" "image = $SMALL" $'[sandbox]\npersist = yes\nnetwork = none'
	sleep 2.1
	for n in $(seq 15); do
		# enough below /tmp that removing it takes a while
		devenv -C "$d" run -- sh -c 'i=0; while [ $i -lt 400 ]; do i=$((i + 1)); : >/tmp/$i; done; echo x >>made'
	done
	[ "$(wc -l <"$d/made")" -eq 15 ]
}

@test "network = none: only lo, which is up, and no route" {
	run -0 devenv run -- sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "; tail -n +2 /proc/net/route; cut -d" " -f10 /proc/net/ipv6_route 2>/dev/null | sort -u'
	[ "${lines[0]}" = lo ]
	for line in "${lines[@]:1}"; do [ "$line" = lo ]; done
	# a port nobody listens on: refused says that lo is up
	run devenv run -- bash -c 'exec 3<>/dev/tcp/127.0.0.1/9'
	[[ $output == *refused* ]]
	run devenv run -- bash -c 'exec 3<>/dev/tcp/192.0.2.1/9'
	[[ $output == *unreachable* ]]
}

@test "the start hook runs once for five parallel sessions, and before each of them" {
	d=$BATS_TEST_TMPDIR/start
	ready "$d" "image = $SMALL" $'[hooks]\nstart = sleep 0.4; echo started >>made; echo to-stdout\n[sandbox]\nnetwork = none'
	for n in 1 2 3 4 5; do
		devenv -C "$d" run -- sh -c "cat made >saw.$n; sleep 1" >"$d/out.$n" 2>/dev/null 3>&- 4>&- </dev/null &
	done
	wait
	run -0 cat "$d"/saw.[1-5]
	[ "$output" = $'started\nstarted\nstarted\nstarted\nstarted' ]
	[ "$(cat "$d/made")" = started ]
	# what it prints is not the command's output
	[ -z "$(cat "$d"/out.[1-5])" ]
}

@test "a start hook that fails: run says it, enter goes on; one whose launcher is killed runs again" {
	d=$BATS_TEST_TMPDIR/failing
	ready "$d" "image = $SMALL" $'[hooks]\nstart = exit 3\n[sandbox]\nnetwork = none'
	run --separate-stderr devenv -C "$d" run -- echo not-run
	complaint 125 'start hook.*3'
	run -0 --separate-stderr bash -c "echo 'echo entered' | devenv -C '$d' enter"
	[ "$output" = entered ]
	[[ $stderr == *"start hook"* ]]
	sed -i 's/^start = .*/start = echo begun >>made; sleep 1; echo ended >>made/' "$d/devenv.ini"
	devenv -C "$d" run -- true 3>&- 4>&- </dev/null &
	first=$!
	wait_for 10 test -e "$d/made"
	devenv -C "$d" run -- true 3>&- 4>&- </dev/null &
	second=$!
	kill -9 "$first"
	wait "$first" || :
	wait "$second"
	run -0 cat "$d/made"
	[ "$output" = $'begun\nbegun\nended' ]
}

@test "the enter hook runs in each interactive session and can't cost it" {
	d=$BATS_TEST_TMPDIR/enter
	ready "$d" "image = $SMALL" $'[hooks]\nenter = echo hooked; cd /; exit 4\n[sandbox]\nnetwork = none'
	run -7 --separate-stderr bash -c "echo 'echo in shell in \$PWD; exit 7' | devenv -C '$d' enter"
	[ "$output" = $'hooked\nin shell in '"$d" ]
	[[ $stderr == *"enter hook"*4* ]]
	run -0 devenv -C "$d" run -- true
	[ -z "$output" ]
}

@test "volumes: scope = checkout is the checkout's, scope = project is shared by worktrees" {
	command -v git >/dev/null || skip "git is not installed"
	d=$BATS_TEST_TMPDIR/clone
	project "$d" "image = $SMALL" $'[volume.own]\ntarget = /srv/own\n[volume.all]\ntarget = /srv/all\nscope = project\n[sandbox]\nnetwork = none'
	git -C "$d" init -q
	git -C "$d" -c user.name=x -c user.email=x@example.org commit -q --allow-empty -m first
	git -C "$d" worktree add -q "$BATS_TEST_TMPDIR/tree" 2>/dev/null
	cp "$d/devenv.ini" "$BATS_TEST_TMPDIR/tree/"
	run -0 devenv -q -C "$d" run -y -- sh -c 'echo 1 >/srv/own/f; echo 1 >/srv/all/f'
	run -0 devenv -q -C "$BATS_TEST_TMPDIR/tree" run -y -- sh -c 'cat /srv/all/f; ls -A /srv/own'
	[ "${lines[*]}" = 1 ]
	wait_for 15 nothing_inside
	run -0 devenv -C "$d" run -- cat /srv/own/f /srv/all/f
	[ "$output" = $'1\n1' ]
}

@test "user = root and target = /src" {
	d=$BATS_TEST_TMPDIR/src
	ready "$d" "image = $SMALL" $'[workspace]\nuser = root\ntarget = /src\n[sandbox]\nnetwork = none'
	mkdir "$d/sub"
	run -0 devenv -C "$d/sub" run -- sh -c 'pwd; id -u; echo $HOME; readlink /workspace; touch ../made; : >/root/x; : >/usr/x'
	[ "$output" = $'/src/sub\n0\n/root\n/src' ]
	[ -O "$d/made" ]
	grep -qx $'CapEff:\t00000000000004fb' <<<"$(devenv -C "$d" run -- cat /proc/self/status)"
	run devenv -C "$d" run -- sh -c 'echo x >/proc/sys/kernel/hostname'
	[ "$status" -ne 0 ]
}

@test "exit codes: every signal that ends a process is 128+N" {
	for signal in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 24 25 26 27 29 30 31; do
		run devenv run -- sh -c "ulimit -c 0; kill -$signal \$\$; sleep 5"
		[ "$status" -eq $((128 + signal)) ] || { echo "$signal: $status"; false; }
	done
	for signal in 17 18 23 28; do
		run -9 devenv run -- sh -c "kill -$signal \$\$; exit 9"
	done
}

@test "ten thousand orphans are reaped" {
	need_probe
	hold "$P"
	run -0 devenv run -- ./probe orphans 10000
	[ "$output" = "zombies 0" ]
	release "$P"
}

@test "what killed holders left in their scratch directories goes with the next session, whichever they were" {
	run -0 devenv run -- true
	wait_for 15 nothing_inside
	slots=$(echo ~/.local/state/devenv/checkouts/"$(basename "$P")"-*/scratch)
	mkdir -p "$slots/1/tmp/shut" "$slots/2/upper" "$slots/2/tmp"
	touch "$slots/1/tmp/shut/left" "$slots/2/upper/left" "$slots/2/tmp/left"
	chmod 0 "$slots/1/tmp/shut"
	run -0 devenv run -- true
	wait_for 15 nothing_inside
	wait_for 15 eval '[ -z "$(find "$slots" -name "left" -o -name shut)" ]'
}

@test "a process left behind by the last session ends with it" {
	run -0 devenv run -- sh -c '(trap "" HUP TERM INT; sleep 1000) >/dev/null 2>&1 </dev/null &'
	wait_for 15 nothing_inside
	hold "$P"
	run -0 devenv run -- sh -c '(trap "" HUP TERM INT; sleep 1001) >/dev/null 2>&1 </dev/null &'
	# another session keeps it
	inside_processes | grep -q 'sleep 1001'
	release "$P"
	wait_for 15 nothing_inside
}

# ---- counts ----

# trace ARG...: a traced run; sets calls, children, checks and names.
trace() {
	run -0 strace -f -o "$BATS_TEST_TMPDIR/trace" devenv "$@"
	run -0 /usr/bin/python3 -B "$E2E_SOURCE/sandbox_calls.py" "$BATS_TEST_TMPDIR/trace"
	calls=$(sed -n 's/^calls //p' <<<"$output") children=$(sed -n 's/^children //p' <<<"$output")
	checks=$(sed -n 's/^checks //p' <<<"$output") names=$(sed -n 's/^names //p' <<<"$output")
	echo "$calls calls, $children children, $checks checks"
	! grep -q "execve(.*devenv-core" "$BATS_TEST_TMPDIR/trace" || false
	! grep -qwE 'fsync|fdatasync|syncfs|sync' <<<"$names" || false
}
plan_counts() {
	run -0 devenv config --plan
	layers=$(sed -n '/^Layers/,/^$/p' <<<"$output" | grep -c '^  /')
	# beside /dev, /proc, /sys and /tmp: the home and the project at least
	mounts=$(sed -n '/^Mounts/,/^$/p' <<<"$output" | grep -c '^  /')
	watches=$(sed -n '/^Made from/,/^$/p' <<<"$output" | grep -c '^  /')
}

@test "a fresh start: few system calls, two children, no fsync, no core" {
	need_strace
	[ "$E2E_IDENTITY" != root ] || skip "real root has to become somebody else first"
	plan_counts
	trace run -- /usr/bin/true
	[ "$children" -eq 2 ]
	[ "$calls" -le $((200 + 4 * mounts + layers)) ]
}

@test "a join: few system calls and one child" {
	need_strace
	[ "$E2E_IDENTITY" != root ] || skip "real root has to become somebody else first"
	hold "$P"
	trace run -- /usr/bin/true
	release "$P"
	[ "$children" -eq 1 ]
	[ "$calls" -le 95 ]
}

@test "the plan check: at most two system calls for each watched file" {
	need_strace
	[ "$E2E_IDENTITY" != root ] || skip "real root has to become somebody else first"
	plan_counts
	trace run -- /usr/bin/true
	[ "$watches" -gt 5 ]
	[ "$checks" -le $((2 * watches)) ]
	[ "$checks" -ge "$watches" ]
}

@test "neither the launcher nor pid 1 maps a shared object" {
	need_strace
	hold "$P"
	run -0 sh -c "awk '\$6 ~ /^\// { print \$6 }' /proc/$(holders)/maps | sort -u"
	[ "$output" = "$(readlink -f "$(command -v devenv)")" ]
	release "$P"
	# the launcher can't be looked at any more when a session runs
	strace -o "$BATS_TEST_TMPDIR/trace" devenv run -- true
	! grep -E 'mmap\(.*PROT_EXEC|\.so' "$BATS_TEST_TMPDIR/trace" || false
}
