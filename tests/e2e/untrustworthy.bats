#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# untrustworthy.bats - rules 18 to 20: files exchanged between check and use, grants that a config can't give itself, and
# what is never executed in a repository that nobody allowed.
load support

setup() {
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	P=$BATS_TEST_TMPDIR/p
	mkdir "$BATS_TEST_TMPDIR/secret" "$BATS_TEST_TMPDIR/data"
	echo 'top secret' >"$BATS_TEST_TMPDIR/secret/diary"
	echo 'no secret' >"$BATS_TEST_TMPDIR/data/diary"
	SWAPPER=
}
teardown() {
	terminal_stop
	[ -z "$SWAPPER" ] || kill "$SWAPPER" 2>/dev/null || :
}

# swap NAME ONE OTHER...: for as long as the test runs, NAME is in turn a copy of each of these (links stay links).
swap() {
	/usr/bin/python3 - "$@" 3>&- 4>&- <<-'END' &
		import itertools, os, shutil, sys, time
		name, parent = sys.argv[1], os.getppid()
		for n, source in enumerate(itertools.cycle(sys.argv[2:])):
		    if os.getppid() != parent:
		        break
		    new = "%s.new%d" % (name, n % 2)
		    if os.path.islink(source):
		        os.symlink(os.readlink(source), new)
		    elif os.path.isdir(source):
		        shutil.copytree(source, new)
		    else:
		        shutil.copyfile(source, new)
		    if os.path.isdir(name) and not os.path.islink(name):
		        os.rename(name, name + ".old")
		        os.rename(new, name)
		        shutil.rmtree(name + ".old")
		    elif os.path.isdir(new) and not os.path.islink(new):
		        os.unlink(name)
		        os.rename(new, name)
		    else:
		        os.rename(new, name)
		    time.sleep(0.0007 * (n % 5))
	END
	SWAPPER=$!
}

# swap_away NAME TARGET: NAME is itself, or for a moment a link to TARGET.
swap_away() {
	/usr/bin/python3 - "$@" 3>&- 4>&- <<-'END' &
		import os, sys, time
		name, target, parent, n = sys.argv[1], sys.argv[2], os.getppid(), 0
		while os.getppid() == parent:
		    os.rename(name, name + ".kept")
		    os.symlink(target, name)
		    time.sleep(0.001 * (n % 4))
		    os.unlink(name)
		    os.rename(name + ".kept", name)
		    time.sleep(0.002 * (n % 7))
		    n += 1
	END
	SWAPPER=$!
}

# tries N SCRIPT: so many sessions; `seen` is all they said, `good` how many there were.
tries() {
	seen= good=0
	for ((i = 0; i < $1; i++)); do
		run devenv -q -C "$P" run -- sh -c "$2"
		seen+=$output$'\n'
		[ "$status" -ne 0 ] || good=$((good + 1))
		[ "$status" -eq 0 ] || [ "$status" -eq 125 ]
	done
	echo "$good of $1 started: $seen"
	[ "$good" -ge 1 ]
}

@test "18: a swapped devenv.ini never runs with powers that were not granted" {
	ready "$P" "image = $DJANGO" $'[env]\nWHO = good\n[sandbox]\nnetwork = none'
	cp "$P/devenv.ini" "$BATS_TEST_TMPDIR/good"
	sed 's/good/evil/' "$P/devenv.ini" >"$BATS_TEST_TMPDIR/evil"
	printf '[mount.s]\nsource = ../secret\ntarget = /secret\n' >>"$BATS_TEST_TMPDIR/evil"
	ln -s "$BATS_TEST_TMPDIR/evil" "$BATS_TEST_TMPDIR/link"
	swap "$P/devenv.ini" "$BATS_TEST_TMPDIR/good" "$BATS_TEST_TMPDIR/evil" "$BATS_TEST_TMPDIR/link"
	tries 25 'echo $WHO; cat /secret/diary 2>/dev/null; true'
	! grep -q -e evil$ -e 'top secret' <<<"$seen" || false
}

@test "18: a mount source, an env file and a setup input that become links out of what was granted" {
	echo 'V=good' >"$P.env"
	echo 'V=top secret' >"$BATS_TEST_TMPDIR/secret/env"
	ready "$P" "image = $DJANGO" $'[mount.d]\nsource = ../data\ntarget = /data\n[env-file]\noptional = .env\n[setup]\ninputs = input\nrun = true\n[sandbox]\nnetwork = none'
	echo 'V=good' >"$P/.env"
	swap_away "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/secret"
	tries 30 'cat /data/diary 2>/dev/null; true'
	! grep -q 'top secret' <<<"$seen" || false
	kill "$SWAPPER"
	wait "$SWAPPER" || :
	[ ! -L "$BATS_TEST_TMPDIR/data" ] || rm "$BATS_TEST_TMPDIR/data"
	[ ! -e "$BATS_TEST_TMPDIR/data.kept" ] || mv -T "$BATS_TEST_TMPDIR/data.kept" "$BATS_TEST_TMPDIR/data"
	ln -s ../secret/env "$BATS_TEST_TMPDIR/env-link"
	swap "$P/.env" "$BATS_TEST_TMPDIR/env-link" "$P.env"
	tries 20 'echo "$V"'
	! grep -q 'top secret' <<<"$seen" || false
}

@test "18: what is allowed is what was read when the question was asked" {
	project "$P" "image = $DJANGO" $'[env]\nWHO = good\n[sandbox]\nnetwork = none'
	devenv -q image pull "$DJANGO"
	terminal_start
	terminal_type "cd '$P'; clear"
	terminal_type 'devenv run -- sh -c '\''echo "it is $WHO"; cat /secret/diary'\'
	terminal_wait '\[y/N\]'
	project "$P" "image = $DJANGO" $'[env]\nWHO = evil\n[mount.s]\nsource = ../secret\ntarget = /secret\n[sandbox]\nnetwork = none'
	terminal_type y
	terminal_wait '^it is good'
	terminal_wait '^host> *$'
	! terminal_shows 'top secret' || false
	# and the other file is another question
	terminal_type 'clear; devenv run -- true'
	terminal_wait 'now also asks for:'
	terminal_type n
}

@test "19: no config grants itself what no repository can ask for, -y or not" {
	local text
	mkdir -p "$P"
	for text in $'[mount.x]\nsource = /run/docker.sock\ntarget = /x' $'[mount.x]\nsource = ~\ntarget = /x' \
		$'[mount.x]\nsource = /\ntarget = /x' $'[mount.x]\nsource = ~/..\ntarget = /x' \
		$'[mount.x]\nsource = '"$DEVENV_STORE"$'\ntarget = /x' $'[mount.x]\nsource = '"$XDG_STATE_HOME"$'/devenv/trust\ntarget = /x' \
		$'[mount.x]\nsource = ~/.config/devenv\ntarget = /x' $'[env-file]\noptional = /proc/self/environ' \
		$'[registry.example.org]\ninsecure = yes' $'[trust]\nall = yes' $'[sandbox]\nseccomp = off' $'[store]\npath = /x'; do
		printf '[base]\nimage = %s\n%s\n' "$SMALL" "$text" >"$P/devenv.ini"
		mkdir -p "$DEVENV_STORE" "$XDG_STATE_HOME/devenv/trust" "$HOME/.config/devenv"
		run --separate-stderr devenv -C "$P" run -y -- true
		echo "$text"
		complaint 125 '^devenv: devenv.ini:[0-9]+: '
	done
}

@test "20: git is never run in a repository that is not allowed, nor what its files name" {
	local command
	command -v git >/dev/null || skip "git is not installed"
	project "$P" "image = $SMALL" $'[git-hooks]\npre-commit = true\n[hooks]\nstart = touch ran\n[setup]\nrun = touch ran'
	git -C "$P" init -q
	printf '[core]\n\tfsmonitor = "touch %s/ran; false"\n\tpager = touch %s/ran\n[include]\n\tpath = %s/secret/diary\n' "$P" "$P" "$BATS_TEST_TMPDIR" >>"$P/.git/config"
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "$@" >>%s/git-ran\nexit 1\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/bin/git"
	chmod +x "$BATS_TEST_TMPDIR/bin/git"
	export PATH=$BATS_TEST_TMPDIR/bin:$PATH
	git --version || :
	[ -e "$BATS_TEST_TMPDIR/git-ran" ]
	rm "$BATS_TEST_TMPDIR/git-ran"
	for command in status ls "allow --show" lock update pull "run -- true" enter config doctor info diff hook-check \
		"git-hooks status" "git-hooks install" "git-hooks run pre-commit" gc; do
		run devenv -C "$P" $command </dev/null
	done
	if [ -e "$BATS_TEST_TMPDIR/git-ran" ]; then
		cat "$BATS_TEST_TMPDIR/git-ran"
		return 1
	fi
	[ ! -e "$P/ran" ]
}

@test "20: one line says that image, hooks or setup are others than last time, and nothing is asked" {
	ready "$P" "image = $DJANGO" $'[hooks]\nstart = true\n[setup]\nrun = true\n[sandbox]\nnetwork = none'
	run -0 --separate-stderr devenv -C "$P" run -- true
	[[ $stderr != *"changed since"* ]]
	sed -i 's/^start = true/start = true again/; s/^run = true/run = true 1/' "$P/devenv.ini"
	run -0 --separate-stderr devenv -C "$P" run -- true
	[[ $stderr == *"devenv: changed since the last session here: hooks, setup"* ]]
	[ "$(grep -c 'changed since' <<<"$stderr")" -eq 1 ]
	run -0 --separate-stderr devenv -C "$P" run -- true
	[ -z "$stderr" ]
	printf '[env]\nA = 1\n' >>"$P/devenv.ini"
	run -0 --separate-stderr devenv -C "$P" run -- true
	[[ $stderr != *"changed since"* ]]
	sed -i "s,^image = .*,image = $PYTHON2," "$P/devenv.ini"
	devenv -q -C "$P" lock
	run -0 --separate-stderr devenv -C "$P" run -- true
	[[ $stderr == *"changed since the last session here: image"* ]]
	run -0 --separate-stderr devenv -C "$P" -q run -- true
	[ -z "$stderr" ]
}

@test "18: a mount source that is exchanged after the plan was found fresh" {
	command -v strace >/dev/null || skip "strace is not installed"
	ready "$P" "image = $DJANGO" $'[mount.d]\nsource = ../data\ntarget = /data\n[sandbox]\nnetwork = none'
	run -0 devenv -C "$P" run -- cat /data/diary
	sleep 2.1 # files of the plan are no longer young, and when that is written down the core is not asked again
	devenv -q -C "$P" run -- true
	for exchange in link directory; do
		# the launcher waits for its first pidfd_open, which comes after its look at what the plan mounts
		rm -f "$BATS_TEST_TMPDIR/trace"
		strace -o "$BATS_TEST_TMPDIR/trace" -e trace=pidfd_open,/stat -e inject=pidfd_open:delay_enter=2000000:when=1 \
			devenv -C "$P" run -- cat /data/diary >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
		wait_for 20 grep -q 'stat.*/data"' "$BATS_TEST_TMPDIR/trace"
		mv "$BATS_TEST_TMPDIR/data" "$BATS_TEST_TMPDIR/kept"
		if [ $exchange = link ]; then
			ln -s secret "$BATS_TEST_TMPDIR/data"
		else
			cp -r "$BATS_TEST_TMPDIR/secret" "$BATS_TEST_TMPDIR/data"
		fi
		wait $! && return 1
		rm -r "$BATS_TEST_TMPDIR/data"
		mv "$BATS_TEST_TMPDIR/kept" "$BATS_TEST_TMPDIR/data"
		cat "$BATS_TEST_TMPDIR/out"
		grep -q 'was exchanged for something else' "$BATS_TEST_TMPDIR/out"
	done
	run -0 devenv -C "$P" run -- cat /data/diary
	[ "$output" = 'no secret' ]
}
