#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build_told.bats - [build]: what is said and asked, of what ran and what failed; what is kept beside the layers, and until when.
load support

setup() {
	own_store
	P=$BATS_TEST_TMPDIR/p
}
teardown() {
	terminal_stop
	[ -z "${BUILDER:-}" ] || kill "$BUILDER" 2>/dev/null || :
}

# ---- devenv build --shell ----

@test "build --shell asks as the build does: not after deny, and not before more powers are granted" {
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\n[build]\nrun = exit 1'
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	run ! devenv -q -C "$P" build
	run -0 devenv -C "$P" build --shell </dev/null
	devenv -q -C "$P" deny
	run devenv -C "$P" build --shell </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *'network: every server'* ]]
	run -0 devenv -C "$P" build --shell -y <<<'ls /sys/class/net; exit 0'
	mkdir "$BATS_TEST_TMPDIR/data"
	printf '[mount.data]\nsource = %s\ntarget = /data\n' "$BATS_TEST_TMPDIR/data" >>"$P/devenv.ini"
	run devenv -C "$P" build --shell </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *"$BATS_TEST_TMPDIR/data"* ]]
}

@test "build --shell has no more network than devenv.ini asks for now, and says that it is of an older one" {
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\n[build]\ninputs = a\nrun = exit 1'
	echo one >"$P/a"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	run ! devenv -q -C "$P" build
	terminal_start
	terminal_type "devenv -C $P build --shell"
	terminal_wait '# $'
	terminal_type 'readlink /proc/self/ns/net; exit'
	terminal_wait "^net:.$(readlink /proc/self/ns/net | tr -dc 0-9)"
	[[ $(terminal_screen) != *'older devenv.ini'* ]]
	terminal_type clear
	echo two >"$P/a"
	terminal_type "devenv -C $P build --shell"
	terminal_wait 'the inputs have changed since'
	terminal_wait '# $'
	terminal_type 'cat a; exit'
	terminal_wait '^one'
	sed -i 's/^inputs/network = none\ninputs/' "$P/devenv.ini"
	devenv -q -C "$P" deny
	devenv -q -C "$P" allow -y
	terminal_type "clear; devenv -C $P build --shell"
	terminal_wait 'of an older devenv.ini'
	terminal_wait '# $'
	terminal_type 'tail -n +3 /proc/net/dev | grep -vc lo: ; exit'
	terminal_wait '^0'
}

# ---- what changes it ----

@test "that an input may be executed now, and nothing else, builds again; and sets up again" {
	mkdir -p "$P/src"
	printf '#!/bin/sh\necho ran\n' >"$P/src/script"
	build_project "$P" '  src/script >/made 2>&1 || echo refused >/made' 'inputs = src'
	printf '[setup]\ninputs = src/script\nrun = echo x >>ran\n' >>"$P/devenv.ini"
	run -0 devenv -q -C "$P" run -- cat /made
	[[ $output == *refused ]]
	sleep 2.1 # stamps that are not young
	run -0 devenv -q -C "$P" run -- true
	chmod +x "$P/src/script"
	run -0 devenv -q -C "$P" run -- cat /made
	[[ $output == *ran ]]
	[ "$(wc -l <"$P/ran")" -eq 2 ]
	chmod go-r "$P/src/script"
	run -0 devenv -C "$P" run -- cat /made
	[[ $output == ran ]]
	[ "$(wc -l <"$P/ran")" -eq 2 ]
}

@test "a directory of the image that a step closes, and what it writes to the files that are devenv's own" {
	build_project "$P" $'  chmod 0 /var/lib\n  for i in hosts hostname resolv.conf; do echo mine >/etc/$i || :; done\n  echo >/tmp/x; echo >/var/tmp/x; echo >x'
	run -0 devenv -C "$P" run -- sh -c 'stat -c %a /var/lib; grep mine /etc/hosts /etc/hostname /etc/resolv.conf; ls /tmp /var/tmp'
	[[ $output == *$'\n0\n'* ]]
	[[ $output != *mine* && $output != *$'\nx'* ]]
}

# ---- what is said ----

@test "tabs, backslashes and colours are what they are; colours only where they are wanted" {
	build_project "$P" '  printf "a\tb\\\\c \033[31mred\033[m \033[2J\342\200\256\n"; exit 1'
	run devenv -C "$P" build
	[[ $output == *$'| a\tb\\c red \\x1b[2J\\u{202e}'* ]]
	run devenv --color always -C "$P" build
	[[ $output == *$'a\tb\\c \033[31mred\033[m \\x1b[2J\\u{202e}\033[0m'* ]]
	run devenv -q -C "$P" build
	[[ $output == *$'status 1\n  a\tb\\c red \\x1b[2J\\u{202e}'* ]]
}

@test "what the shell complains about has its line in devenv.ini, or in the file that it extends" {
	build_project "$P" $'  true\n\n; a comment\n  nosuchcommand || true\n  cd /nosuch'
	line=$(grep -n nosuchcommand "$P/devenv.ini" | cut -d: -f1)
	run devenv -C "$P" build
	[ "$status" -eq 1 ]
	[[ $output == *"| devenv.ini:$line: nosuchcommand: not found"* ]]
	[[ $output == *"| devenv.ini:$((line + 1)): cd: "* ]]
	[[ $output != *devenv-step* ]]
	sed -i 's/^run =/shell = bash\nrun =/' "$P/devenv.ini"
	run devenv -q -C "$P" build
	[[ $output == *$'\n'"  devenv.ini:$((line + 1)): nosuchcommand: command not found"* ]]
	mkdir "$P/envs"
	mv "$P/devenv.ini" "$P/envs/base.ini"
	printf '[devenv]\nextends = envs/base.ini\n' >"$P/devenv.ini"
	run devenv -q -C "$P" build
	[[ $output == *$'\n'"  envs/base.ini:$((line + 1)): nosuchcommand: command not found"* ]]
}

@test "a step that leaves nothing is told, one that leaves something is not" {
	build_project "$P" '  mkdir node_modules; echo >node_modules/x; mkdir -p ~/.npm/_logs; echo >~/.npm/_logs/x; echo >/tmp/x'
	run -0 devenv -C "$P" build
	[[ $output == *'the build step left nothing: what it writes to /workspace is dropped'* ]]
	build_project "$P" '  echo >/root/x'
	run -0 devenv -C "$P" build
	[[ $output != *'left nothing'* ]]
}

@test "an interpreter that the image lacks, and inputs and caches that can't be" {
	build_project "$P" '  true' 'shell = fish'
	run devenv -C "$P" build
	[[ $output == *'the image has no fish, which the build step needs'* ]]
	project "$P" "image = $SMALL" "$OFF"$'\ncache = /usr\nrun = true'
	run devenv -C "$P" build
	[[ $output == *"devenv.ini:7: [build] cache: '/usr' can't be a cache"* ]]
}

@test "a program that found no space where there is some now: it is said, and what was made stays for a shell" {
	build_project "$P" '  head -c 1 /dev/zero >/dev/full'
	run devenv -C "$P" build
	[ "$status" -eq 1 ]
	[[ $output == *"failed with status 1: it found no space left; now the file system of the store $DEVENV_STORE has "* ]]
	[[ $output == *'`devenv build --shell`'* ]]
}

@test "on a terminal a silent step shows how long it has been running, on a pipe and with -q it does not" {
	build_project "$P" $'  touch begun\n  sleep 3\n  echo said\n  sleep 2'
	terminal_start
	terminal_type "devenv -C $P build"
	terminal_wait '^  build: [1-9] s$'
	terminal_wait 'said'
	terminal_wait 'is built'
	[ -z "$(terminal_screen | grep -E '^  build: [0-9]+ s$')" ]
	sed -i 's/echo said/echo again/' "$P/devenv.ini"
	run -0 devenv -C "$P" build
	[[ $output != *'  build: '* ]]
	sed -i 's/echo again/echo third/' "$P/devenv.ini"
	terminal_type "clear; devenv -q -C $P build; echo ended"
	terminal_wait '^ended'
	[[ $(terminal_screen) != *'build: '[0-9]* ]]
}

@test "who waits is told for what, and the time is that of the build" {
	command -v git >/dev/null || skip "git is not installed"
	build_project "$P" $'  [ ! -e wait ] || { echo begun; sleep 4; }\n  echo >/made' $'inputs = wait\ncache = /c'
	touch "$P/wait"
	git -C "$P" init -q
	git -C "$P" add .
	git -C "$P" -c user.name=n -c user.email=e@example.org commit -qm one
	git -C "$P" worktree add -q "$BATS_TEST_TMPDIR/w"
	sed -i 's/^inputs = .*//' "$BATS_TEST_TMPDIR/w/devenv.ini"
	devenv -C "$P" build >"$BATS_TEST_TMPDIR/first" 2>&1 3>&- 4>&- &
	first=$!
	wait_for 20 grep -q begun "$BATS_TEST_TMPDIR/first"
	devenv -C "$P" build >"$BATS_TEST_TMPDIR/same" 2>&1 3>&- 4>&- &
	same=$!
	run -0 devenv -C "$BATS_TEST_TMPDIR/w" build -y
	[[ $output == *'waiting for another build that uses the cache /c'* ]]
	seconds=$(sed -n 's/.*build: \([0-9]*\)\.[0-9] s.*/\1/p' <<<"$output")
	wait "$first"
	wait "$same"
	first_seconds=$(sed -n 's/.*build: \([0-9]*\)\.[0-9] s.*/\1/p' "$BATS_TEST_TMPDIR/first")
	[ "$seconds" -lt "$first_seconds" ]
	grep -q 'waiting for another devenv that builds the same' "$BATS_TEST_TMPDIR/same"
}

# ---- caches ----

@test "gc takes the build caches of clones whose last checkout is gone, and says so before" {
	build_project "$P" '  echo x >/c/kept; echo >/made' 'cache = /c'
	git -C "$P" init -q
	git -C "$P" add .
	git -C "$P" -c user.name=n -c user.email=e@example.org commit -qm one
	devenv -q -C "$P" build
	git -C "$P" worktree add -q "$BATS_TEST_TMPDIR/w"
	sed -i 's/echo >.made/true/' "$BATS_TEST_TMPDIR/w/devenv.ini"
	devenv -q -C "$BATS_TEST_TMPDIR/w" build -y
	[ -e "$XDG_CACHE_HOME"/devenv/build/*/*/data/kept ]
	run -0 devenv gc
	[ -e "$XDG_CACHE_HOME"/devenv/build/*/*/data/kept ]
	rm -rf "$BATS_TEST_TMPDIR/w"
	run -0 devenv gc
	[ -e "$XDG_CACHE_HOME"/devenv/build/*/*/data/kept ]
	mv "$P/devenv.ini" "$P/away"
	run -0 devenv gc -n
	[[ $output == *'build cache '* && $output == *'1 build cache of what is gone'* ]]
	[ -e "$XDG_CACHE_HOME"/devenv/build/*/*/data/kept ]
	run -0 devenv gc
	[ -z "$(ls -A "$XDG_CACHE_HOME/devenv/build")" ]
}

@test "gc says of which project a build failed" {
	build_project "$P" '  exit 1'
	run ! devenv -q -C "$P" build
	run -0 devenv gc -n
	[[ $output == *'failed build'*" $P"$'\n'* ]]
}

# ---- the manual's examples ----

# The lines of the [build] examples of devenv.ini(5), each with its base put in place of the manual's.
manual_example() { # NUMBER
	awk -v n="$1" '/^\.Ss \[build\]/ { on = 1 } /^\.Ss \[setup\]/ { on = 0 }
		on && /^\.Ed/ { inside = 0 } inside == n && on { print } on && /^\.Bd/ { inside = ++count }' \
		"$E2E_BIN/../share/man/man5/devenv.ini.5" |
		sed "s,^debian = .*,archive = $E2E_LANGUAGES,; /^\[packages\]/d; /^apt = /d"
}

@test "the manual's Python example works, and pip without it ends as the manual says" {
	languages
	mkdir -p "$P"
	/usr/bin/python3 - "$P/dep-2.0-py3-none-any.whl" <<-EOF
		import sys, zipfile
		with zipfile.ZipFile(sys.argv[1], 'w') as z:
		    z.writestr('dep.py', 'name = "dep 2.0"\n')
		    z.writestr('dep-2.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: dep\nVersion: 2.0\n')
		    z.writestr('dep-2.0.dist-info/WHEEL', 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
		    z.writestr('dep-2.0.dist-info/RECORD', 'dep.py,,\ndep-2.0.dist-info/METADATA,,\ndep-2.0.dist-info/WHEEL,,\ndep-2.0.dist-info/RECORD,,\n')
	EOF
	echo 'dep == 2.0' >"$P/requirements.txt"
	{
		manual_example 1
		printf '[sandbox]\nnetwork = none\n'
	} | sed 's,^inputs = .*,& *.whl\nnetwork = none\nenv.PIP_NO_INDEX = 1\nenv.PIP_FIND_LINKS = /workspace,' >"$P/devenv.ini"
	grep -q '^inputs = requirements.txt' "$P/devenv.ini"
	devenv -q -C "$P" allow -y
	run -0 --separate-stderr devenv -C "$P" run -- python3 -c 'import dep; print(dep.name)'
	[ "$output" = 'dep 2.0' ]
	[[ $stderr != *'left nothing'* ]]
	# the image of the tests has no python3-pip, but the same pip for its environments
	sed -i '/-m venv/d; s,/opt/venv/bin/pip,python3 "$(echo /usr/share/python-wheels/pip-*.whl)/pip",' "$P/devenv.ini"
	run devenv -C "$P" build
	[ "$status" -eq 1 ]
	[[ $output == *externally-managed-environment* ]]
	sed -i 's,/pip" install,& --break-system-packages,' "$P/devenv.ini"
	run -0 devenv -C "$P" run -- /usr/bin/python3 -c 'import dep'
}

@test "the manual's Node.js example works" {
	languages
	command -v npm >/dev/null || skip "npm is not installed"
	mkdir -p "$P"
	manual_example 2 >"$P/devenv.ini"
	grep -q '^  npm ci' "$P/devenv.ini"
	registry=$(npm config get registry) || skip "npm names no registry"
	authorities=$(npm config get cafile)
	[ -r "$authorities" ] || authorities=/dev/null
	cat "$authorities" >"$P/authorities"
	(cd "$P" && npm pack --silent npm@10 >/dev/null 2>&1) || skip "the npm registry can't be reached"
	printf '{"name":"app","version":"1.0.0","dependencies":{"isarray":"2.0.5"}}' >"$P/package.json"
	(cd "$P" && npm install --package-lock-only --silent >/dev/null 2>&1) || skip "the npm registry can't be reached"
	# the image of the tests has node and no npm
	sed -i "s,^inputs = .*,& npm-*.tgz authorities\nenv.NODE_EXTRA_CA_CERTS = /workspace/authorities\nenv.npm_config_registry = $registry,
		s,^run =,&\n  mkdir /opt/npm; tar -xzf npm-*.tgz -C /opt/npm\n  npm() { node /opt/npm/package/bin/npm-cli.js \"\$@\"; }," "$P/devenv.ini"
	run -0 devenv -C "$P" run -y -- node -e 'console.log(require("/opt/app/node_modules/isarray")([]))'
	[ "${lines[-1]}" = true ]
	[ ! -e "$P/node_modules" ]
}
