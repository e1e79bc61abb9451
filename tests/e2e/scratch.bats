#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scratch.bats - what an environment writes and how long it stays: linger, persist, scratch, diff, reset.
load support

setup() {
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	P=$BATS_TEST_TMPDIR/p
}
teardown() {
	local pid
	for pid in $(holders); do kill -9 "$pid" 2>/dev/null || :; done
}

holders() {
	inside_processes | sed -n 's/ *$//; s/^\([0-9]*\)$/\1/p'
}
sandbox() { # LINE...: a project whose [sandbox] has these
	ready "$P" "image = $SMALL" "$(printf '[sandbox]\nnetwork = none\n'; printf '%s\n' "$@")"
	cd "$P"
}

@test "linger: the environment stays, with its processes and files, and whoever comes joins" {
	sandbox 'linger = 600'
	run -0 devenv run --root -- sh -c 'echo kept >/usr/x; sleep 1234 >/dev/null 2>&1 & readlink /proc/self/ns/mnt'
	first=$output
	[ "$(holders | wc -l)" -eq 1 ]
	wait_for 10 eval 'devenv status | grep -q "lingering after its last session"'
	run -0 devenv ls
	[[ ${lines[1]} == *" lingering "* ]]
	run -0 devenv status --json
	[[ $output == *'"lingering":true'* ]]
	run -0 devenv run -- sh -c 'readlink /proc/self/ns/mnt; cat /usr/x'
	[ "$output" = "$first"$'\nkept' ]
	inside_processes | grep -q 'sleep 1234'
	hold "$P"
	[[ $(devenv status) == *"yes, its pid 1"* ]]
	release "$P"
	# nothing that it stands on is taken away
	devenv -q gc
	run -0 devenv run -- cat /usr/x
	[ "$output" = kept ]
	kill -9 "$(holders)"
	wait_for 10 nothing_inside
	run -0 devenv run -- sh -c 'ls /usr/x 2>/dev/null; echo new'
	[ "$output" = new ]
}

@test "linger: afterwards everything goes, and each session begins the time again" {
	sandbox 'linger = 3'
	run -0 devenv run -- sh -c 'sleep 1234 >/dev/null 2>&1 & echo >/tmp/x; readlink /proc/self/ns/mnt'
	first=$output
	for n in 1 2 3; do
		before=$SECONDS
		sleep 1.2
		run -0 devenv run -- readlink /proc/self/ns/mnt
		[ "$output" = "$first" ] || [ $((SECONDS - before)) -le 2 ] || skip "this machine is too slow to come back within three seconds"
		[ "$output" = "$first" ]
	done
	# asking how it is does not prolong it
	wait_for 15 eval 'devenv status >/dev/null; devenv ls >/dev/null; nothing_inside'
	scratch=$(echo "$XDG_STATE_HOME"/devenv/checkouts/p-*/scratch)
	wait_for 10 eval '[ -z "$(find "$scratch" -mindepth 3)" ]'
	[[ $(devenv status) == *"running  "*" no"* ]]
}

@test "linger: sessions that arrive just as it ends work, 150 times" {
	sandbox 'linger = 1'
	cat >"$BATS_TEST_TMPDIR/rounds" <<-'END'
		for n in $(seq 30); do
			devenv run -- sh -c 'echo "$1" >>made' sh "$n" || echo "code $?" >&2
			sleep 0.9$((RANDOM % 10))$((RANDOM % 10))
		done
	END
	pids=
	for n in 1 2 3 4 5; do
		mkdir -p "$BATS_TEST_TMPDIR/q$n"
		cp devenv.ini devenv.lock "$BATS_TEST_TMPDIR/q$n"
		devenv -q -C "$BATS_TEST_TMPDIR/q$n" allow -y
		(cd "$BATS_TEST_TMPDIR/q$n" && bash "$BATS_TEST_TMPDIR/rounds" >codes 2>&1 3>&- 4>&-) &
		pids="$pids $!"
	done
	wait $pids
	for n in 1 2 3 4 5; do
		[ ! -s "$BATS_TEST_TMPDIR/q$n/codes" ] || { cat "$BATS_TEST_TMPDIR/q$n/codes"; false; }
		[ "$(sort -nu "$BATS_TEST_TMPDIR/q$n/made" | wc -l)" -eq 30 ]
	done
	wait_for 15 nothing_inside
}

@test "linger: an environment whose launcher was killed while it started does not stay" {
	ready "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\nlinger = 600\n[hooks]\nstart = echo >.started; sleep 100'
	cd "$P"
	devenv run -- true 3>&- 4>&- </dev/null &
	wait_for 10 test -e .started
	kill -9 $!
	wait_for 15 nothing_inside
}

@test "linger: a changed plan has a holder of its own, the old one lingers out; one of persist makes room" {
	ready "$P" "image = $SMALL" $'[env]\nWHICH = one\n[sandbox]\nnetwork = none\nlinger = 600'
	cd "$P"
	run -0 devenv run -- readlink /proc/self/ns/mnt
	first=$output
	sed -i 's/WHICH = one/WHICH = two/' devenv.ini
	run -0 devenv run -- sh -c 'readlink /proc/self/ns/mnt; echo $WHICH'
	[ "${lines[0]}" != "$first" ]
	[ "${lines[1]}" = two ]
	[ "$(holders | wc -l)" -eq 2 ]
	sed -i 's/WHICH = two/WHICH = one/' devenv.ini
	run -0 devenv run -- readlink /proc/self/ns/mnt
	[ "$output" = "$first" ]
	for pid in $(holders); do kill -9 "$pid"; done
	wait_for 10 nothing_inside
	sed -i '$apersist = yes' devenv.ini
	run -0 devenv run --root -- sh -c 'echo kept >/usr/x'
	sed -i 's/WHICH = one/WHICH = two/' devenv.ini
	run -0 devenv run -- sh -c 'echo $WHICH; cat /usr/x'
	[ "$output" = $'two\nkept' ]
	[ "$(holders | wc -l)" -eq 1 ]
}

@test "linger: what is no number of seconds, or too many, is said" {
	project "$P" "image = $SMALL" $'[sandbox]\nlinger = 10m'
	run -1 --separate-stderr devenv -C "$P" status
	complaint 1 "devenv.ini:4: \[sandbox\] linger: '10m' is not a number of seconds"
	for much in 604801 99999999999999999999; do
		project "$P" "image = $SMALL" $'[sandbox]\nlinger = '"$much"
		run -1 --separate-stderr devenv -C "$P" status
		complaint 1 "linger: $much seconds are too long"
	done
	sandbox 'linger = 604800'
	run -0 devenv config
	grep -Eq '^linger = 604800 +; devenv.ini:5$' <<<"$output"
	run -0 devenv config --plan
	[[ $output == *"604800 seconds after the last session"* ]]
}

# what a session changes in the tests of diff
CHANGES='mkdir -p /usr/new/deep; echo x >/usr/new/deep/file; ln -s nowhere "/usr/new/$(printf "l\033[31mink")"
	echo more >>/etc/small; chmod 700 /usr/share; touch /etc/profile.mine; rm /etc/passwd.image; rm -r /usr/tree
	rm -r /usr/again; mkdir /usr/again; echo new >/usr/again/one; echo x >/usr/again/added
	rm /usr/link; mkdir /usr/link; echo x >/usr/link/below; rm -r /usr/dir; echo file >/usr/dir
	chmod 600 /usr/mode; touch /usr/touched; mkdir -m 0 /usr/closed; echo >/var/log/x; echo >/usr/gone; rm /usr/gone'
# an image with something to change
changing() { # [SANDBOX-LINE...]
	local root=$BATS_TEST_TMPDIR/root
	mkdir -p "$root"
	tar -C "$root" -xf "$E2E_IMAGES/rootfs.tar" --exclude='./dev/*'
	mkdir -p "$root"/usr/tree/a "$root"/usr/again/sub "$root"/usr/dir "$root"/usr/share "$root"/var/log
	touch "$root"/usr/tree/f "$root"/usr/again/one "$root"/usr/again/two "$root"/usr/dir/f "$root"/usr/mode "$root"/usr/touched \
		"$root"/etc/passwd.image
	ln -s tree "$root/usr/link"
	chmod 755 "$root/usr/share"
	mkdir -p "$P"
	tar -C "$root" -cf "$P/root.tar" .
	ready "$P" 'archive = root.tar' "$(printf '[sandbox]\nnetwork = none\n'; printf '%s\n' "$@")"
	cd "$P"
}
EXPECTED='D /etc/passwd.image
A /etc/profile.mine
M /etc/small
A /usr/again/added
M /usr/again/one
D /usr/again/sub/
D /usr/again/two
A /usr/closed/
M /usr/dir
M /usr/link/
A /usr/link/below
M /usr/mode
A /usr/new/
A /usr/new/deep/
A /usr/new/deep/file
A /usr/new/l\x1b[31mink
M /usr/share/
M /usr/touched
D /usr/tree/'

@test "diff: what changed against the image, wherever the scratch is" {
	# mode 0 is nothing to root
	local closed=$'\ndevenv: warning: some directories could not be looked into'
	[ "$E2E_IDENTITY" != root ] || closed=
	for kind in 'scratch = tmpfs' 'scratch = disk' 'persist = yes'; do
		changing "$kind"
		run -0 --separate-stderr devenv diff
		[ -z "$output" ]
		[ "$stderr" = "devenv: nothing runs and nothing is kept, so there is nothing to compare" ]
		hold "$P"
		run -0 --separate-stderr devenv diff
		[ -z "$output" ]
		[ "$stderr" = "devenv: nothing differs" ]
		run -0 devenv run --root -- sh -c "$CHANGES"
		run -0 --separate-stderr devenv diff
		diff -u <(echo "$EXPECTED") <(echo "$output")
		[ "$stderr" = 'devenv: and 1 change to caches, logs and package databases: `devenv diff -v` lists all'"$closed" ]
		run -0 --separate-stderr devenv -v diff
		[[ $output == *$'\nA /var/log/x'* ]]
		run -0 --separate-stderr devenv -q diff
		[ "$output" = "$EXPECTED" ]
		[[ $stderr != *log* ]]
		run -0 --separate-stderr devenv diff --json
		python3 - "$output" "$closed" <<-'END'
			import json, sys
			d = json.loads(sys.argv[1])
			assert d["schema"] == 1 and d["running"] and not d["earlier"] and not d["untrusted"], d
			assert d["incomplete"] == bool(sys.argv[2]), d
			changes = {c["path"]: (c["change"], c["directory"], c["passing"]) for c in d["changes"]}
			assert changes["/usr/tree"] == ("deleted", True, False), changes
			assert changes["/usr/dir"] == ("modified", False, False), changes
			assert changes["/var/log/x"] == ("added", False, True), changes
			assert len(changes) == 20, len(changes)
		END
		release "$P"
		wait_for 15 nothing_inside
		run -0 --separate-stderr devenv -q diff
		if [ "$kind" = 'persist = yes' ]; then
			[ "$output" = "$EXPECTED" ]
			run -0 devenv reset
			run -0 devenv diff
		fi
		[[ $output != *usr* ]]
		rm -rf "$P" "$BATS_TEST_TMPDIR/root"
	done
}

@test "diff: sessions of an earlier configuration are compared with what they stand on, and it is said" {
	sandbox
	hold "$P"
	run -0 devenv run --root -- sh -c 'echo x >/usr/old'
	sed -i "s#^image = .*#image = $DJANGO#" devenv.ini
	run -0 devenv -q update
	run -0 devenv -y run -- true
	run -0 --separate-stderr devenv diff
	[ "$output" = 'A /usr/old' ]
	[[ $stderr == *"this is of sessions of an earlier configuration (pid 1 is $(holders | head -n 1))"* ]]
	release "$P"
}

@test "diff: what an untrusted session tries" {
	sandbox
	echo one >one
	echo two >two
	mkdir dir && echo x >dir/x
	mkfifo "$BATS_TEST_TMPDIR/in"
	devenv -C "$P" enter --untrusted <"$BATS_TEST_TMPDIR/in" >/dev/null 2>&1 3>&- 4>&- &
	pid=$!
	exec 9>"$BATS_TEST_TMPDIR/in"
	echo 'echo changed >one; rm two; rm -r dir; mkdir new; echo >new/x; echo done >marker' >&9
	wait_for 15 eval 'devenv -q diff | grep -q marker'
	run -0 --separate-stderr devenv diff
	[ "$output" = "D $P/dir/
A $P/marker
A $P/new/
A $P/new/x
M $P/one
D $P/two" ]
	[ "$stderr" = "devenv: this is what an untrusted session tried; it goes with it" ]
	hold "$P"
	run -0 devenv run --root -- sh -c 'echo x >/usr/mine'
	run -0 --separate-stderr devenv diff
	[ "$output" = "A /usr/mine" ]
	[[ $stderr == *'devenv diff --untrusted'* ]]
	run -0 --separate-stderr devenv diff --untrusted
	[ "${lines[4]}" = "M $P/one" ]
	release "$P"
	exec 9>&-
	wait "$pid" || :
	[ "$(cat one two)" = $'one\ntwo' ]
	run -0 --separate-stderr devenv diff --untrusted
	[ -z "$output" ]
}

@test "diff: packages are summed up" {
	ready "$P" "image = $DJANGO"
	cd "$P"
	hold "$P"
	run -0 devenv run --root -- sh -c 'cd /var/lib/dpkg
		printf "\nPackage: hello\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.10-3\n" >>status
		printf "/.\n/usr\n/bin\n/bin/hello\n/usr/share/doc/hello\n" >info/hello.list
		echo x >/usr/bin/hello; mkdir -p /usr/share/doc/hello; echo x >/usr/mine
		name=$(sed -n "s/^Package: //p" status | head -n 1)
		sed -i "0,/^Version: /s/^Version: .*/Version: 99:9/" status'
	run -0 --separate-stderr devenv diff
	[ "${#lines[@]}" -eq 3 ]
	grep -Eq '^M package [a-z0-9+.-]+ [^ ]+ → 99:9 \(1 change\)$' <<<"$output"
	grep -q '^A package hello 2.10-3 (2 changes)$' <<<"$output"
	[ "${lines[2]}" = 'A /usr/mine' ]
	run -0 devenv -v -q diff
	[[ $output == *$'\nA /usr/bin/hello\n'* ]]
	run -0 devenv diff --json
	[[ $output == *'"package":"hello"'* ]]
	release "$P"
}

@test "persist: what is kept over one image is told when it comes to lie over another" {
	sandbox 'persist = yes'
	run -0 --separate-stderr devenv run -- true
	sed -i "s|^image = .*|image = $PYTHON2|" devenv.ini
	devenv -q lock
	run -0 --separate-stderr devenv -y run -- touch /opt/kept
	[[ $stderr == *'changed since the last session here: image'* ]]
	[[ $stderr != *'persist keeps'* ]]
	sed -i "s|^image = .*|image = $SMALL|" devenv.ini
	devenv -q lock
	run -0 --separate-stderr devenv -y run -- test -e /opt/kept
	[[ $stderr == *'what persist keeps was written over the image before'*'devenv reset'* ]]
	run -0 --separate-stderr devenv run -- true
	[ -z "$stderr" ]
}

@test "reset: ends what lingers, keeps the home, and sweeps what killed sessions left" {
	sandbox 'linger = 600' 'scratch = disk'
	run -0 devenv run --root -- sh -c 'echo x >/usr/x'
	run -0 devenv run -- sh -c 'echo x >"$HOME/x"'
	run -0 --separate-stderr devenv reset -n
	[[ $stderr == *"would end the environment that lingered"* ]]
	[ "$(holders | wc -l)" -eq 1 ]
	run -0 --separate-stderr devenv reset
	[[ $stderr == *"ended the environment that lingered"* ]]
	nothing_inside
	[ -z "$(find "$XDG_STATE_HOME"/devenv/checkouts/p-*/scratch -mindepth 2)" ]
	run -0 devenv run -- sh -c 'ls /usr/x 2>/dev/null; cat "$HOME/x"'
	hold "$P"
	run --separate-stderr devenv reset
	complaint 1 'p is running: its pid 1 is'
	kill -9 "$(holders)"
	wait "$HOLDER" || :
	wait_for 10 nothing_inside
	touch "$(echo "$XDG_STATE_HOME"/devenv/checkouts/p-*/scratch/0)"/tmp/left
	run -0 devenv reset -n
	[[ $output == *"left-over scratch"* ]]
	run -0 devenv reset
	[ -z "$(find "$XDG_STATE_HOME"/devenv/checkouts/p-*/scratch -mindepth 1)" ]
	run -0 --separate-stderr devenv reset
	[[ $stderr == "devenv: there is nothing to throw away" ]]
}

@test "reset NAME or PATH: also when the checkout is gone; its home only when named" {
	sandbox 'persist = yes'
	run -0 devenv run --root -- sh -c 'echo x >/usr/x'
	run -0 devenv run -- sh -c 'echo x >"$HOME/x"'
	wait_for 10 nothing_inside
	state=$(echo "$XDG_STATE_HOME"/devenv/checkouts/p-*)
	cd "$BATS_TEST_TMPDIR"
	rm -rf "$P"
	run -0 --separate-stderr devenv ls
	[[ ${lines[1]} == *" gone "*"$P" ]]
	[[ $stderr == *"devenv reset --home --volumes '$P'"* ]]
	run --separate-stderr devenv reset q
	complaint 1 "no environment is called 'q'"
	run -0 --separate-stderr devenv reset "$P"
	[[ $stderr == *"its home or its volumes are kept"* ]]
	[ ! -e "$state/persist" ]
	[ -e "$state/home/x" ]
	run --separate-stderr devenv reset --home p
	[ "$status" -eq 1 ]
	[[ $stderr == *"add --yes"* ]]
	[ -e "$state/home/x" ]
	run -0 devenv reset --home --volumes -y "./p"
	[ ! -e "$state" ]
	run -0 --separate-stderr devenv ls
	[ -z "$output" ]
	# two of one name
	mkdir a b
	for d in a/p b/p; do
		ready "$d" "image = $SMALL"
		run -0 devenv -C "$d" run -- true
	done
	rm -rf a
	run --separate-stderr devenv reset --home -y p
	complaint 1 "several environments called 'p'"
	run -0 devenv reset --home -y "$BATS_TEST_TMPDIR/a/p"
	run -0 devenv ls
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} == *"$BATS_TEST_TMPDIR/b/p" ]]
}

@test "ls: the last use of an environment is the end of its last session" {
	sandbox
	touch -d '3 days ago' "$XDG_STATE_HOME"/devenv/checkouts/p-*/plan
	run -0 devenv ls
	[[ ${lines[1]} == *"3 days ago"* ]]
	plan=$(sha256sum "$XDG_STATE_HOME"/devenv/checkouts/p-*/plan)
	run -0 devenv run -- true
	wait_for 10 nothing_inside
	touch -d '3 days ago' "$XDG_STATE_HOME"/devenv/checkouts/p-*/plan "$XDG_STATE_HOME"/devenv/checkouts/p-*/home
	run -0 devenv ls
	[[ ${lines[1]} != *"3 days ago"* ]]
	touch -d '2 days ago' "$XDG_STATE_HOME"/devenv/checkouts/p-*/scratch/0/tmp
	run -0 devenv ls
	[[ ${lines[1]} == *"2 days ago"* ]]
	hold "$P"
	touch -d '2 days ago' "$XDG_STATE_HOME"/devenv/checkouts/p-*/scratch/0/tmp
	run -0 devenv ls
	[[ ${lines[1]} == *" running "* && ${lines[1]} != *"days ago"* ]]
	release "$P"
}

@test "a changed configuration: the new session is told of the others, and they are told at their end" {
	ready "$P" "image = $SMALL" $'[env]\nWHICH = one\n[sandbox]\nnetwork = none'
	cd "$P"
	mkfifo "$BATS_TEST_TMPDIR/in"
	devenv enter <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/old" 2>&1 3>&- 4>&- &
	pid=$!
	exec 9>"$BATS_TEST_TMPDIR/in"
	echo 'echo $WHICH >said' >&9
	wait_for 15 test -s said
	sed -i 's/WHICH = one/WHICH = two/' devenv.ini
	run -0 --separate-stderr devenv run -- sh -c 'echo $WHICH'
	[ "$output" = two ]
	[ "$stderr" = "devenv: the configuration has changed: a new environment starts, and sessions of the earlier one go on in theirs (pid 1 is $(holders | head -n 1))" ]
	# once
	run -0 --separate-stderr devenv run -- true
	[ -z "$stderr" ]
	echo 'echo still $WHICH >said' >&9
	exec 9>&-
	wait "$pid"
	[ "$(cat said)" = 'still one' ]
	[ "$(cat "$BATS_TEST_TMPDIR/old")" = 'devenv: devenv.ini changed while this session ran, which kept its environment; the next one takes it in' ]
	# nobody left, or only what lingers: nothing to tell
	wait_for 10 nothing_inside
	sed -i 's/WHICH = two/WHICH = three/' devenv.ini
	run -0 --separate-stderr devenv run -- true
	[ -z "$stderr" ]
	run -0 --separate-stderr devenv enter <<<'echo entered'
	[ "$output" = entered ]
	[ -z "$stderr" ]
}
