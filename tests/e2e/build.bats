#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# build.bats - [build]: layers that a script makes.
load support

setup() {
	own_store
	P=$BATS_TEST_TMPDIR/p
}
teardown() {
	terminal_stop
	[ -z "${BUILDER:-}" ] || kill "$BUILDER" 2>/dev/null || :
}

layers() {
	find "$DEVENV_STORE/layers" -mindepth 1 -maxdepth 1 | wc -l
}
# Nothing of a build runs any more, and no stage is left.
build_is_gone() {
	nothing_inside && store_is_clean
}

# bats test_tags=identity
@test "a build sees its inputs and nothing else, and what it writes is there in every session" {
	mkdir -p "$P/src/.git"
	echo one >"$P/src/a"
	echo secret >"$P/other"
	echo git >"$P/src/.git/HEAD"
	build_project "$P" $'  id -u; pwd; ls -RA /workspace; ls "$HOME"\n  mkdir -p /opt/made; cp src/a /opt/made/; chown 33 /opt/made/a; echo $V >/opt/made/v\n  echo scribble >src/a' \
		$'inputs = src\nenv.V = value'
	run -0 devenv -C "$P" run -- sh -c 'cat /opt/made/a /opt/made/v'
	[[ $output == *$'| 0\n'*'| /workspace'$'\n'*'| a'* ]]
	[[ $output != *other* && $output != *HEAD* ]]
	[[ $output == *'build: '*' s'* ]]
	[[ $output == *$'one\nvalue' ]]
	[ "$(cat "$P/src/a")" = one ]
	run -0 --separate-stderr devenv -C "$P" run -- cat /opt/made/a
	[ "$output" = one ]
	[ -z "$stderr" ]
	run -0 devenv -C "$P" run -- sh -c 'ls /.devenv-step /etc/.pwd.lock 2>/dev/null || echo none'
	[ "$output" = none ]
	store_is_clean
}

# bats test_tags=identity
@test "an undeclared file that changed rebuilds nothing, a declared one does, and back again nothing" {
	mkdir -p "$P/src"
	echo one >"$P/src/a"
	build_project "$P" '  cat src/a >/opt-a' 'inputs = src'
	devenv -q -C "$P" pull
	before=$(layers)
	echo x >"$P/README"
	run -0 devenv -C "$P" run -- cat /opt-a
	[ "$output" = one ]
	[ "$(layers)" -eq "$before" ]
	echo two >"$P/src/a"
	run -0 devenv -C "$P" run -- cat /opt-a
	[[ $output == *$'\ntwo' ]]
	[[ $output == *'changed since the last session here: build'* ]]
	[ "$(layers)" -eq $((before + 1)) ]
	echo new >"$P/src/b"
	run -0 devenv -C "$P" run -- cat /opt-a
	[ "$(layers)" -eq $((before + 2)) ]
	rm "$P/src/b"
	echo one >"$P/src/a"
	run -0 devenv -q -C "$P" --offline run -- cat /opt-a
	[ "$output" = one ]
}

@test "the same inputs elsewhere share the layer: another checkout, a worktree, a second build of the same bytes" {
	mkdir -p "$P"
	echo one >"$P/a"
	build_project "$P" '  date >/made; mkdir -p /d/e; echo >/d/e/f' 'inputs = a'
	git -C "$P" init -q
	git -C "$P" add .
	git -C "$P" -c user.name=n -c user.email=e@example.org commit -qm one
	run -0 devenv -C "$P" run -- cat /made
	made=${lines[-1]}
	before=$(layers)
	git -C "$P" worktree add -q "$BATS_TEST_TMPDIR/w"
	run -0 devenv -q -C "$BATS_TEST_TMPDIR/w" run -y -- cat /made
	[ "$output" = "$made" ]
	mkdir "$BATS_TEST_TMPDIR/elsewhere"
	cp "$P/devenv.ini" "$P/devenv.lock" "$P/a" "$BATS_TEST_TMPDIR/elsewhere"
	run -0 devenv -C "$BATS_TEST_TMPDIR/elsewhere" run -y -- cat /made
	[ "${lines[-1]}" = "$made" ]
	[ "$(layers)" -eq "$before" ]
}

# bats test_tags=identity
@test "a build that fails shows what it said, leaves nothing but what --shell shows, and is tried again" {
	build_project "$P" $'  echo halfway >/made\n  echo the reason >&2\n  exit 7'
	run devenv -C "$P" build
	[ "$status" -eq 1 ]
	[[ $output == *'| the reason'* ]]
	[[ $output == *'the build step failed with status 7'* ]]
	[[ $output == *'hint: `devenv build --shell` opens a shell where it stopped'* ]]
	store_is_clean
	run devenv -q -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $output == *$'failed with status 7\n  the reason'* ]]
	terminal_start
	terminal_type "devenv -C $P build --shell"
	terminal_wait '# $'
	terminal_type 'cat /made; pwd; exit 5'
	terminal_wait '^halfway'
	terminal_wait '^/workspace'
	terminal_type 'echo "=$?="'
	terminal_wait '^=5='
	sed -i 's/exit 7/true/' "$P/devenv.ini"
	run -0 devenv -C "$P" build
	run devenv -C "$P" build --shell
	[ "$status" -eq 1 ]
	[[ $output == *'no build of this checkout has stopped'* ]]
	run -0 devenv -C "$P" run -- cat /made
	[ "$output" = halfway ]
}

@test "gc keeps what the lock names of a project that never got as far as a session, until it is gone" {
	build_project "$P" '  false'
	run -125 devenv -C "$P" run -- true
	made=$(layers)
	[ "$made" -ge 1 ]
	devenv gc
	[ "$(layers)" -eq "$made" ]
	rm -r "$P"
	run -0 devenv gc
	[ "$(layers)" -eq 0 ]
	[ -z "$(ls "$XDG_STATE_HOME/devenv/checkouts")" ]
}

@test "gc keeps the layer of a living checkout and takes what a failed build left" {
	build_project "$P" '  echo kept >/made'
	devenv -q -C "$P" pull
	build_project "$BATS_TEST_TMPDIR/q" '  exit 1'
	run ! devenv -q -C "$BATS_TEST_TMPDIR/q" build
	run -0 devenv gc
	[[ $output == *'1 build that failed'* ]]
	run -0 --separate-stderr devenv -C "$P" --offline run -- cat /made
	[ "$output" = kept ]
	[ -z "$stderr" ]
}

@test "what is wrong with the inputs is said with its line" {
	build_project "$P" '  true' 'inputs = none.txt'
	run devenv -C "$P" build
	[ "$status" -eq 1 ]
	[[ $output == *'devenv.ini:7: [build] inputs: there is no none.txt'* ]]
	project "$P" "image = $SMALL"
	run devenv -C "$P" build
	[ "$status" -eq 1 ]
	[[ $output == *'devenv.ini has no [build]'* ]]
	run devenv -C "$P" build -t name .
	[ "$status" -eq 1 ]
	[[ $output == *'Dockerfile is not supported yet'* ]]
}

@test "network = none has no network, and the default one has to be allowed" {
	build_project "$P" '  if ls /sys/class/net | grep -v "^lo$"; then exit 1; fi; grep -c . /proc/net/dev >/made'
	run -0 devenv -C "$P" build
	project "$P" "image = $SMALL" $'[sandbox]\nnetwork = none\n[build]\nrun = true'
	run devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $output == *'network: every server'* ]]
	devenv -q -C "$P" allow -y
	run devenv -C "$P" --offline build
	[ "$status" -eq 1 ]
	[[ $output == *'has the network, and this is offline'* ]]
	run -0 devenv -C "$P" build
	run -0 devenv -C "$P" --offline build
}

@test "what a build says is shown line by line, harmless, and of a progress bar the end" {
	build_project "$P" '  printf "10%%\r20%%\r30%%\n"; printf "\033[2Jred\n"; printf "no end"'
	run -0 devenv -C "$P" build
	[[ $output == *'| 30%'* && $output != *'20%'* ]]
	[[ $output == *'| \x1b[2Jred'* ]]
	[[ $output == *'| no end'* ]]
}

# bats test_tags=identity
@test "a cache is kept between builds and is no part of the layer" {
	build_project "$P" $'  ls /var/cache/mine ~/c\n  echo >/var/cache/mine/$(ls /var/cache/mine | wc -l)\n  echo 1 >/made' \
		'cache = /var/cache/mine ~/c'
	run -0 devenv -C "$P" build
	sed -i 's/echo 1/echo 2/' "$P/devenv.ini"
	run -0 devenv -C "$P" build
	[[ $output == *'| 0'* ]]
	run -0 --separate-stderr devenv -C "$P" run -- sh -c 'cat /made; ls /var/cache/mine 2>/dev/null; true'
	[ "$output" = 2 ]
	[ -e "$XDG_CACHE_HOME"/devenv/build/*/*/data/1 ]
}

@test "two builds at once make it once" {
	mkdir -p "$P"
	echo a >"$P/a"
	build_project "$P" '  sleep 1; date +%N >/made' 'inputs = a'
	cp -r "$P" "$BATS_TEST_TMPDIR/q"
	devenv -q -C "$BATS_TEST_TMPDIR/q" allow -y
	devenv -C "$P" build >"$BATS_TEST_TMPDIR/first" 2>&1 3>&- 4>&- &
	first=$!
	devenv -C "$BATS_TEST_TMPDIR/q" build >"$BATS_TEST_TMPDIR/second" 2>&1 3>&- 4>&- &
	second=$!
	wait "$first"
	wait "$second"
	[ "$(cat "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second" | grep -c 'build: ')" -eq 1 ]
	store_is_clean
}

# bats test_tags=identity
@test "SIGINT, SIGTERM and ^C end a build at once, with all it started, and leave nothing" {
	build_project "$P" $'  sleep 1000 &\n  (trap "" INT TERM; sleep 1000) &\n  echo started\n  wait; sleep 1000'
	for signal in INT TERM; do
		# a background job of a script has SIGINT ignored
		env --default-signal=INT devenv -C "$P" build >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
		BUILDER=$!
		wait_for 20 grep -q started "$BATS_TEST_TMPDIR/out"
		kill -"$signal" "$BUILDER"
		status=0
		wait "$BUILDER" || status=$?
		[ "$status" -gt 128 ]
		BUILDER=
		build_is_gone
		grep -q interrupted "$BATS_TEST_TMPDIR/out"
	done
	terminal_start
	terminal_type "devenv -C $P build; echo ended"
	terminal_wait 'started'
	terminal_key C-c
	terminal_wait 'interrupted'
	wait_for 10 build_is_gone
}

@test "a session that has to build first takes its build along when it is told to end, and ends last" {
	build_project "$P" $'  (trap "" INT TERM; sleep 1000) &\n  echo started\n  wait; sleep 1000'
	for signal in INT TERM HUP; do
		env --default-signal devenv -C "$P" run -- true >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
		BUILDER=$!
		wait_for 20 grep -q started "$BATS_TEST_TMPDIR/out"
		kill -"$signal" "$BUILDER"
		status=0
		wait "$BUILDER" || status=$?
		[ "$status" -eq $((128 + $(kill -l "$signal"))) ]
		BUILDER=
		build_is_gone
	done
	terminal_start
	terminal_type "devenv -C $P run -- true; echo ended"
	terminal_wait 'started'
	terminal_key C-c
	terminal_wait 'interrupted'
	wait_for 10 build_is_gone
}

# bats test_tags=identity
@test "kill -9 of the builder: nothing goes on inside, and the next build begins anew" {
	mkdir -p "$P/in"
	build_project "$P" $'  sleep 1000 &\n  echo started\n  [ -e /workspace/go ] || sleep 1000\n  echo done >/made' 'inputs = in'
	devenv -C "$P" build >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	BUILDER=$!
	wait_for 20 grep -q started "$BATS_TEST_TMPDIR/out"
	kill -9 "$BUILDER"
	wait "$BUILDER" || :
	BUILDER=
	wait_for 10 nothing_inside
	echo >"$P/in/go"
	sed -i 's,/workspace/go,/workspace/in/go,' "$P/devenv.ini"
	run -0 devenv -C "$P" run -- cat /made
	[ "${lines[-1]}" = done ]
	store_is_clean
}

# bats test_tags=identity
@test "the layer is the same, byte for byte, when it is built again" {
	build_project "$P" $'  mkdir -p /opt/x/y; echo a >/opt/x/y/z; ln -s z /opt/x/y/l; rm /etc/shells /etc/debian_version 2>/dev/null || true\n  chmod 0 /opt/x/y'
	tree() {
		local fs
		fs=$(find "$DEVENV_STORE/layers" -newer "$1" -mindepth 2 -maxdepth 2 -name meta)
		fs=${fs%/meta}/fs
		chmod 755 "$fs/opt/x/y" || return
		(cd "$fs" && find . -printf '%p %y %m %s %T@ %l\n' | sort && getfattr -Rd -m - . 2>/dev/null) | sha256sum
	}
	sed -i 's/^run =/env.N = 1\nrun =/' "$P/devenv.ini"
	devenv -q -C "$P" run --image "$SMALL" -- true # the base is there
	touch "$BATS_TEST_TMPDIR/one"
	sleep 0.1
	devenv -q -C "$P" build
	a=$(tree "$BATS_TEST_TMPDIR/one")
	sed -i 's/^env.N = 1/env.N = 2/' "$P/devenv.ini"
	touch "$BATS_TEST_TMPDIR/two"
	sleep 1.1
	(umask 077 && devenv -q -C "$P" build)
	[ "$(tree "$BATS_TEST_TMPDIR/two")" = "$a" ]
}

@test "pip installs a local wheel and a source tree, with no network" {
	languages
	mkdir -p "$P/app" "$P/wheels"
	cat >"$P/app/setup.py" <<-EOF
		from setuptools import setup
		setup(name='app', version='1.0', py_modules=['app'], install_requires=['dep'])
	EOF
	echo 'import dep; print("app with", dep.name)' >"$P/app/app.py"
	/usr/bin/python3 - "$P/wheels/dep-2.0-py3-none-any.whl" <<-EOF
		import sys, zipfile
		with zipfile.ZipFile(sys.argv[1], 'w') as z:
		    z.writestr('dep.py', 'name = "dep 2.0"\n')
		    z.writestr('dep-2.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: dep\nVersion: 2.0\n')
		    z.writestr('dep-2.0.dist-info/WHEEL', 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
		    z.writestr('dep-2.0.dist-info/RECORD', 'dep.py,,\ndep-2.0.dist-info/METADATA,,\ndep-2.0.dist-info/WHEEL,,\ndep-2.0.dist-info/RECORD,,\n')
	EOF
	project "$P" "archive = $E2E_LANGUAGES" "$OFF"$'\ninputs = app wheels/*.whl\ncache = ~/.cache/pip\nrun =
  python3 -m venv /opt/venv
  /opt/venv/bin/pip install --no-index wheels/dep-2.0-py3-none-any.whl
  /opt/venv/bin/pip install --no-index --no-build-isolation ./app'
	devenv -q -C "$P" allow -y
	run -0 --separate-stderr devenv -C "$P" run -- /opt/venv/bin/python3 -c 'import app'
	[ "$output" = 'app with dep 2.0' ]
	[ "$(ls "$P/app")" = $'app.py\nsetup.py' ]
	run -0 --separate-stderr devenv -C "$P" --offline run -- /opt/venv/bin/python3 -c 'import app'
	[ -z "$stderr" ]
}

@test "apt-get install in a build: accounts, files of others, setuid, and no service starts" {
	tar=$(tr ' ' '\n' <<<"$E2E_DEBIANS" | grep -- "/rootfs-bookworm-") || skip "mmdebstrap made no bookworm root file system"
	mkdir -p "$P"
	apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) "[^"]' >"$P/apt.conf" || :
	project "$P" "archive = $tar" '[sandbox]
network = none
[build]
inputs = apt.conf
env.APT_CONFIG = /workspace/apt.conf
cache = /var/cache/apt/archives
run =
  apt-get -q update
  apt-get -qy install --no-install-recommends cron dbus
  rm -rf /var/lib/apt/lists/*'
	run -0 devenv -C "$P" run -y -- sh -c 'getent passwd messagebus; test -g /usr/bin/crontab; dpkg --audit; ls /usr/sbin/policy-rc.d 2>&1 || true'
	[[ $output == *'Setting up cron'* ]]
	[[ $output == *messagebus* ]]
	[[ ${lines[-1]} == *'No such file'* ]]
	ls "$XDG_CACHE_HOME"/devenv/build/*/*/data/*.deb
}

@test "npm ci from the npm registry" {
	languages
	command -v npm >/dev/null || skip "npm is not installed"
	registry=$(npm config get registry) || skip "npm names no registry"
	authorities=$(npm config get cafile)
	mkdir -p "$P"
	[ -r "$authorities" ] || authorities=/dev/null
	cat "$authorities" >"$P/authorities"
	(cd "$P" && npm pack --silent npm@10 >/dev/null 2>&1) || skip "the npm registry can't be reached"
	printf '{"name":"app","version":"1.0.0","dependencies":{"isarray":"2.0.5"}}' >"$P/package.json"
	(cd "$P" && npm install --package-lock-only --silent >/dev/null 2>&1) || skip "the npm registry can't be reached"
	project "$P" "archive = $E2E_LANGUAGES" "[sandbox]
network = none
[build]
inputs = package.json package-lock.json npm-*.tgz authorities
env.NODE_EXTRA_CA_CERTS = /workspace/authorities
env.npm_config_registry = $registry
cache = ~/.npm
run =
  mkdir /opt/npm /opt/app
  tar -xzf npm-*.tgz -C /opt/npm
  cp package.json package-lock.json /opt/app
  cd /opt/app
  node /opt/npm/package/bin/npm-cli.js ci"
	run -0 devenv -C "$P" run -y -- node -e 'console.log(require("/opt/app/node_modules/isarray")([]))'
	[ "${lines[-1]}" = true ]
	[ ! -e "$P/node_modules" ]
	run -0 --separate-stderr devenv -C "$P" --offline run -- node -e 'console.log(require("/opt/app/node_modules/isarray")([]))'
	[ "$output" = true ]
	[ -z "$stderr" ]
}
