#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# debian.bats - [base] debian and [packages]: made of the distribution's own packages, from this machine's mirror.
#
# The real mirror of this machine's apt is used, so every test is skipped where there is none. One store for the file: what
# one test has fetched the next one finds.

load support

setup_file() {
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	export XDG_STATE_HOME=$BATS_FILE_TMPDIR/state XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
	mirror_probe
}

setup() {
	mirror_or_skip
	dir=$BATS_TEST_TMPDIR/project
}

# debian DIR CODENAME [PACKAGES [TEXT]]: a project on that release, allowed and locked.
debian() {
	mkdir -p "$1"
	{
		printf '[base]\ndebian = %s\n' "$2"
		[ -z "${3:-}" ] || printf '[packages]\napt = %s\n' "$3"
		[ -z "${4:-}" ] || printf '%s\n' "$4"
	} >"$1/devenv.ini"
	devenv -q -C "$1" allow -y
}

# bats test_tags=identity
@test "a base of bookworm, with packages: entered, and what the lock says" {
	debian "$dir" bookworm "jq"
	run -0 devenv -q -C "$dir" run -- sh -c '. /etc/os-release; echo "$VERSION_CODENAME"; jq --version; dpkg --audit'
	[ "${lines[0]}" = bookworm ]
	[[ ${lines[1]} = jq-* ]]
	[ "${#lines[@]}" -eq 2 ]
	grep -qx 'request = debian:bookworm minimal main' "$dir/devenv.lock"
	grep -qx '\[package\.[a-z0-9]*\.jq\]' "$dir/devenv.lock"
	grep -qx 'request = jq' "$dir/devenv.lock"
	run -0 grep -cE '^(date|index|host)|https?:' "$dir/devenv.lock" || [ "$output" = 0 ]
	devenv -C "$dir" lock --check
	# the versions inside are those of the lock
	devenv -q -C "$dir" run -- dpkg-query -W -f '${Package} ${Version}\n' | LC_ALL=C sort >"$BATS_TEST_TMPDIR/inside"
	awk -F. '/^\[package/ { sub(/^\[package\.[^.]*\./, ""); sub(/\]$/, ""); name = $0 }
		/^version = / { sub(/^version = /, ""); print name " " $0 }' "$dir/devenv.lock" | LC_ALL=C sort |
		diff - "$BATS_TEST_TMPDIR/inside"
}

@test "a second project with the same lock finds everything made, and no network is needed" {
	debian "$dir" bookworm "jq"
	devenv -q -C "$dir" run -- true
	cp -r "$dir" "$BATS_TEST_TMPDIR/second"
	devenv -q -C "$BATS_TEST_TMPDIR/second" allow -y
	run -0 --separate-stderr devenv --offline -C "$BATS_TEST_TMPDIR/second" run -- jq --version
	[[ $output = jq-* ]]
	[ -z "$stderr" ]
	run -0 devenv -C "$BATS_TEST_TMPDIR/second" diff
	[[ $output != *jq* ]]
}

@test "sid, whose index is past its date on many mirrors: refused with the way out, and taken when told to" {
	debian "$dir" sid
	run devenv -C "$dir" lock
	if [ "$status" -ne 0 ]; then
		[[ $output == *"was valid until"*"ignore-expiry"* ]] || skip "the mirror has no sid: $output"
		export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
		mkdir -p "$XDG_CONFIG_HOME/devenv"
		printf '[debian]\nignore-expiry = yes\n' >"$XDG_CONFIG_HOME/devenv/config.ini"
		run -0 devenv -C "$dir" lock
		[[ $output == *warning*"was valid until"* ]]
	fi
	run -0 devenv -q -C "$dir" run -- sh -c '. /etc/os-release; echo "$NAME"; dpkg --audit'
	[ "${lines[-1]}" = "Debian GNU/Linux" ]
}

@test "each release that the mirror serves" {
	local release served=0
	for release in bullseye trixie; do
		debian "$dir-$release" "$release"
		devenv -q -C "$dir-$release" lock 2>"$BATS_TEST_TMPDIR/why" || {
			cat "$BATS_TEST_TMPDIR/why"
			continue
		}
		run -0 devenv -q -C "$dir-$release" run -- sh -c '. /etc/os-release; echo "$VERSION_CODENAME"; dpkg --audit'
		[ "$output" = "$release" ]
		served=$((served + 1))
	done
	[ "$served" -gt 0 ] || skip "the mirror serves neither bullseye nor trixie"
}

@test "what packages do before they are unpacked is done: diversions, and their own files are where those say" {
	debian "$dir" trixie "dash"
	devenv -q -C "$dir" lock || skip "the mirror has no trixie"
	# what base-files' preinst says
	run -0 devenv -q -C "$dir" run -- dpkg-divert --list '/lib32'
	[ "$output" = "diversion of /lib32 to /.lib32.usr-is-merged by base-files" ]
	# base-passwd's makes the accounts; nothing is half done, and all files are what the packages say
	run -0 devenv -q -C "$dir" run -- sh -c 'grep -c ^www-data: /etc/passwd; dpkg --audit; dpkg --verify'
	[ "$output" = 1 ]
}

@test "a package that diverts another's file before it is unpacked" {
	debian "$dir" bookworm "molly-guard systemd-sysv"
	run -0 devenv -q -C "$dir" run -- sh -c 'dpkg-divert --list "*/shutdown"; ls -l /lib/molly-guard/ | grep -c "shutdown\|halt"; dpkg --audit'
	[[ ${lines[0]} = "diversion of /sbin/shutdown to "*" by molly-guard" ]]
}

@test "whom the files belong to that dpkg unpacks and overrides is recorded beside the layer" {
	debian "$dir" bookworm "at dbus"
	run -0 devenv -q -C "$dir" run -- sh -c 'getent group messagebus | cut -d: -f3; dpkg-statoverride --list'
	[[ ${lines[1]} = "root messagebus 4754 "*/dbus-daemon-launch-helper ]]
	helper=${lines[1]##* /} group=${lines[0]}
	cat "$DEVENV_STORE"/layers/*/owners >"$BATS_TEST_TMPDIR/owners"
	grep -qx 'e 6755 1 1 usr/bin/at' "$BATS_TEST_TMPDIR/owners"
	grep -qx 'e 1770 1 1 var/spool/cron/atjobs' "$BATS_TEST_TMPDIR/owners"
	grep -qx "e 4754 0 $group $helper" "$BATS_TEST_TMPDIR/owners"
	# of the base, whose passwd is unpacked by dpkg
	grep -qx 'e 2755 0 42 usr/bin/chage' "$BATS_TEST_TMPDIR/owners"
}

@test "variant = standard: what a plain installation has, by the archive's priorities" {
	local release served=0
	for release in bookworm trixie; do
		printf '' >"$BATS_TEST_TMPDIR/why"
		debian "$dir-$release" "$release" "" "[devenv]
name = plain"
		sed -i "s/^debian = .*/&\nvariant = standard/" "$dir-$release/devenv.ini"
		devenv -q -C "$dir-$release" lock 2>"$BATS_TEST_TMPDIR/why" || {
			cat "$BATS_TEST_TMPDIR/why"
			continue
		}
		grep -qx "request = debian:$release standard main" "$dir-$release/devenv.lock"
		run -0 devenv -q -C "$dir-$release" run -- sh -c '. /etc/os-release; echo "$VERSION_CODENAME"; dpkg --audit
			less --version | head -n 1; python3 -c "print(6 * 7)"; man --version'
		[ "${lines[0]}" = "$release" ]
		[[ ${lines[1]} = less* ]]
		[ "${lines[2]}" = 42 ]
		# everything of these priorities, and nothing of a lower one that nothing needs
		devenv -q -C "$dir-$release" run -- dpkg-query -W -f '${Priority}\n' | sort | uniq -c >"$BATS_TEST_TMPDIR/priorities"
		[ "$(awk '$2 == "standard" { print $1 }' "$BATS_TEST_TMPDIR/priorities")" -gt 20 ]
		[ "$(awk '$2 == "important" { print $1 }' "$BATS_TEST_TMPDIR/priorities")" -gt 20 ]
		served=$((served + 1))
	done
	[ "$served" -gt 0 ] || skip "the mirror serves neither bookworm nor trixie"
}

@test "a clean merge that leaves out what a package needs: said before anything is unpacked, and lock mends it" {
	mkdir "$dir"
	cd "$dir"
	export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
	git init -q -b main .
	printf '[base]\ndebian = bookworm\n[packages]\napt =\n  tcpdump\n  tree\n  bc\n  jq\n' >devenv.ini
	devenv -q allow -y
	devenv -q lock
	git add .
	git commit -qm main
	git checkout -qb adds
	echo '  arping' >>devenv.ini
	devenv -q lock
	git commit -qam adds
	devenv -q pull
	git checkout -qb removes main
	sed -i /tcpdump/d devenv.ini
	devenv -q lock
	git commit -qam removes
	git merge -q -m merged adds
	! grep -q 'libpcap0.8\]' devenv.lock || false
	cp devenv.lock "$BATS_TEST_TMPDIR/merged"
	# offline, from what the store has
	run -1 --separate-stderr devenv --offline lock --check
	[[ $output = "arping: "*" needs libpcap0.8 (>= "*"), and no package that is it" ]]
	run -1 --separate-stderr devenv --json --offline lock --check
	[[ $output = *'"locked":false'*'"name":"arping"'* ]]
	# with an empty store: once the packages are there, and before anything is made of them
	DEVENV_STORE=$BATS_TEST_TMPDIR/empty XDG_STATE_HOME=$BATS_TEST_TMPDIR/state devenv -q allow -y
	DEVENV_STORE=$BATS_TEST_TMPDIR/empty XDG_STATE_HOME=$BATS_TEST_TMPDIR/state run -1 --separate-stderr devenv -q pull
	complaint_begins="devenv: devenv.lock has arping "
	[[ $stderr = "$complaint_begins"*", which needs libpcap0.8 (>= "*"), and no package that is it"*"run \`devenv lock\`" ]]
	[ -z "$(ls "$BATS_TEST_TMPDIR/empty/layers")" ]
	run -1 --separate-stderr devenv -q pull
	[[ $stderr = "$complaint_begins"* ]]
	# what is missing comes, and nothing moves
	run -0 --separate-stderr devenv lock
	[[ $output = *"libpcap0.8 new → "* ]]
	[ "$(diff "$BATS_TEST_TMPDIR/merged" devenv.lock | grep -c '^<')" -eq 0 ]
	devenv lock --check
	run -0 devenv -q run -- dpkg --audit
	[ -z "$output" ]
}

@test "status, history and inspect tell of the stages of an image; reset takes what a failed build left" {
	debian "$dir" bookworm "jq" "[build]
network = none
run =
  echo building
  touch /usr/local/made
  [ ! -e /workspace/wrong ]
inputs = wrong*"
	touch "$dir/wrong"
	devenv -q -C "$dir" lock
	run -1 devenv -q -C "$dir" pull
	run -0 devenv -C "$dir" status
	[[ $output = *"base: ready, "*" packages"* ]]
	[[ $output = *"packages: ready, 3 packages"* ]]
	[[ $output = *"build: to be built"* ]]
	[[ $output = *'the last build failed: `devenv build --shell`'* ]]
	run -0 devenv --json -C "$dir" status
	[ "$(jq -r '[.stages[] | "\(.name) \(.ready)"] | join(" ")' <<<"$output")" = "base true packages true build false" ]
	[ "$(jq .build_failed <<<"$output")" = true ]
	run -0 devenv -C "$dir" reset -n
	[[ $output = *"what a failed build left"* ]]
	run -0 devenv -C "$dir" reset
	run -1 devenv -C "$dir" build --shell
	[[ $output = *"no build of this checkout has stopped"* ]]
	run -0 devenv -C "$dir" status
	[[ $output != *"last build failed"* ]]

	rm "$dir/wrong"
	sed -i '/^inputs/d' "$dir/devenv.ini"
	devenv -q -C "$dir" pull
	run -0 devenv --json -C "$dir" status
	[ "$(jq '[.stages[].ready] | all' <<<"$output")" = true ]
	local digest
	digest=$(jq -r .digest <<<"$output")
	run -0 devenv image history "$digest"
	[ "${#lines[@]}" -eq 5 ]
	[[ ${lines[1]} = *"debian bookworm: "*" packages unpacked" ]]
	[[ ${lines[2]} = *"debian bookworm: "*" packages configured" ]]
	[[ ${lines[3]} = *"[packages] 3 packages: jq, libjq1, libonig5" ]]
	[[ ${lines[4]} = "${digest:7:12} "*"[build] echo building ..." ]]
	run -0 devenv --json image history "${digest:7:12}"
	[ "$(jq -r '[.history[].kind] | join(" ")' <<<"$output")" = "unpacked debian packages build" ]
	[ "$(jq -r '.history[2].packages' <<<"$output")" = 3 ]
	[[ $(jq -r '.history[3].created_by' <<<"$output") = "echo building"*"touch /usr/local/made"* ]]
	run -0 devenv image inspect "$digest"
	[[ $output = *"made of"*"[build] echo building"* ]]
	run -0 devenv --json image inspect "$digest"
	[ "$(jq -r '.stages[3].kind' <<<"$output")" = build ]
	run -0 devenv image ls
	[[ $output = *"<build of a project>"*"${digest:7:12}"* ]]
}

@test "a shell where a build stopped keeps others from taking it away" {
	command -v script >/dev/null || skip "no script(1)"
	debian "$dir" bookworm "" "[build]
network = none
run = false"
	devenv -q -C "$dir" lock
	run -1 devenv -q -C "$dir" pull
	mkfifo "$BATS_TEST_TMPDIR/typed"
	script -qfc "devenv -C '$dir' build --shell" "$BATS_TEST_TMPDIR/seen" <"$BATS_TEST_TMPDIR/typed" >/dev/null 2>&1 3>&- 4>&- &
	local shell=$!
	exec 9>"$BATS_TEST_TMPDIR/typed"
	echo 'echo in-$((1 + 1))' >&9
	wait_for 20 grep -q in-2 "$BATS_TEST_TMPDIR/seen"
	run -1 devenv -q -C "$dir" pull
	[[ $output = *"a shell is open where the last build stopped"*"leave it first"* ]]
	run -1 devenv -C "$dir" reset
	[[ $output = *"while it is in use"* ]]
	echo exit >&9
	exec 9>&-
	wait "$shell" || :
	run -0 devenv -C "$dir" reset
}

# Those packages make keys, caches, indexes, accounts and a database of their own; large.bats has sets that are larger.
# bats test_tags=identity
@test "the same lock in two empty stores gives the same bytes, whoever makes them and wherever" {
	local shared=$E2E_SHARED/same store=one
	[ ! -e "$shared.lock" ] || mkdir -p "$dir"
	[ ! -e "$shared.lock" ] || cp "$shared.lock" "$dir/devenv.lock"
	debian "$dir" bookworm "jq openssh-server ssl-cert postfix man-db python3-minimal vim-tiny fontconfig-config dbus"
	devenv -q -C "$dir" lock
	make_it() { # PROJECT
		export DEVENV_STORE=$BATS_TEST_TMPDIR/$store XDG_STATE_HOME=$BATS_TEST_TMPDIR/state-$store
		devenv -q -C "$1" allow -y
		devenv -q -C "$1" run -- true
		python3 -B "$E2E_SOURCE/layer_list.py" "$DEVENV_STORE" >"$BATS_TEST_TMPDIR/$store.list"
	}
	make_it "$dir"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/one.list")" -gt 5000 ]
	if [ -e "$shared.list" ]; then # another identity was here first
		diff "$shared.list" "$BATS_TEST_TMPDIR/one.list"
		return
	fi
	store=two
	mkdir -p "$BATS_TEST_TMPDIR/else/where"
	cp -r "$dir" "$BATS_TEST_TMPDIR/else/where"
	(
		umask 077
		export TZ=Asia/Tokyo LANG=de_DE.UTF-8 LC_ALL=C HOSTNAME=elsewhere
		make_it "$BATS_TEST_TMPDIR/else/where/project"
	)
	diff "$BATS_TEST_TMPDIR/one.list" "$BATS_TEST_TMPDIR/two.list"
	cp "$dir/devenv.lock" "$shared.lock"
	cp "$BATS_TEST_TMPDIR/one.list" "$shared.list"
}

@test "packages on a pulled image: by its own sources, as a layer, and diff shows nothing of it" {
	bookworm_image "$dir"
	printf '[base]\narchive = root.tar\n[packages]\napt = jq coreutils\n' >"$dir/devenv.ini"
	devenv -q -C "$dir" allow -y
	run -0 devenv -C "$dir" lock
	grep -q '^on\.linux/' "$dir/devenv.lock"
	run -0 devenv -q -C "$dir" run -- sh -c 'jq --version; dpkg -l jq | tail -n 1'
	[[ ${lines[0]} = jq-* ]]
	[[ ${lines[1]} = ii* ]]
	hold "$dir"
	run devenv -C "$dir" diff
	release "$dir"
	[[ $output != *jq* ]]
	devenv -C "$dir" lock --check
}

@test "an image of another family is told by its name" {
	mkdir -p "$dir/root/etc/apk" "$dir/root/lib/apk/db"
	touch "$dir/root/lib/apk/db/installed" "$dir/root/etc/apk/repositories"
	printf 'ID=alpine\nNAME="Alpine Linux"\n' >"$dir/root/etc/os-release"
	tar -C "$dir/root" -cf "$dir/root.tar" .
	rm -r "$dir/root"
	printf '[base]\narchive = root.tar\n[packages]\napt = jq\n' >"$dir/devenv.ini"
	devenv -q -C "$dir" allow -y
	run -1 devenv -C "$dir" lock
	[[ $output = *"not supported yet"* ]]
	[[ $output = *[Aa]lpine* || $output = *apk* ]]
}

@test "only what is asked for moves: a package more, a package less" {
	debian "$dir" bookworm "jq"
	devenv -q -C "$dir" lock
	cp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/before"
	sed -i 's/^apt = jq/apt = jq tree/' "$dir/devenv.ini"
	run -1 devenv -C "$dir" lock --check
	[[ $output = *"tree: not locked"* ]]
	run -0 --separate-stderr devenv -C "$dir" lock
	[[ $output = "tree new → "* ]]
	[ "${#lines[@]}" -eq 1 ]
	# nothing was taken from the lock, and nothing but tree was added
	[ "$(diff "$BATS_TEST_TMPDIR/before" "$dir/devenv.lock" | grep -c '^<')" -eq 0 ]
	[ "$(diff "$BATS_TEST_TMPDIR/before" "$dir/devenv.lock" | grep -c '^> \[')" -eq 1 ]
	sed -i 's/^apt = jq tree/apt = tree/' "$dir/devenv.ini"
	run -1 devenv -C "$dir" lock --check
	[[ $output = *"no longer asks for jq"* ]]
	run -0 --separate-stderr devenv -C "$dir" lock
	[[ $output = *"jq "*" → removed"* ]]
	! grep -q 'amd64\.jq\]' "$dir/devenv.lock" || false
	! grep -q 'libonig' "$dir/devenv.lock" || false
	run -0 --separate-stderr devenv -C "$dir" update tree
	[ -z "$output" ]
	run -2 devenv -C "$dir" update treee
	[[ $output = *"did you mean 'tree'?"* ]]
}

@test "what can't be resolved says why, with the nearest name" {
	debian "$dir" bookworm "libpq-dve"
	run -1 devenv -C "$dir" lock
	[[ $output = *"devenv.ini:4: [packages] apt"*libpq-dve* ]]
	[[ $output = *libpq-dev* ]]
	[ ! -e "$dir/devenv.lock" ]
}

@test "both architectures in one lock" {
	debian "$dir" bookworm "jq" "[devenv]
platforms = linux/amd64 linux/arm64"
	devenv -q -C "$dir" lock
	grep -qx '\[package\.amd64\.jq\]' "$dir/devenv.lock"
	grep -qx '\[package\.arm64\.jq\]' "$dir/devenv.lock"
	[ "$(grep -c '^\[package\.arm64' "$dir/devenv.lock")" -gt 50 ]
	devenv -C "$dir" lock --check
}

@test "bullseye with python2.7 beside trixie with Django, both serving at once" {
	debian "$dir-old" bullseye "python2.7"
	debian "$dir-new" trixie "python3-django"
	devenv -q -C "$dir-old" lock || skip "the mirror has no bullseye"
	devenv -q -C "$dir-new" lock || skip "the mirror has no trixie"
	devenv -q -C "$dir-new" run -- django-admin startproject shop .
	local old=$((20000 + RANDOM % 10000)) new=$((30000 + RANDOM % 10000))
	devenv -q -C "$dir-old" run -- python2.7 -m SimpleHTTPServer "$old" >/dev/null 2>&1 3>&- 4>&- </dev/null &
	local first=$!
	devenv -q -C "$dir-new" run -- python3 manage.py runserver --noreload "127.0.0.1:$new" >/dev/null 2>&1 3>&- 4>&- </dev/null &
	local second=$!
	wait_for 60 curl -fsS --noproxy '*' "http://127.0.0.1:$old/devenv.ini"
	wait_for 60 curl -fsS --noproxy '*' "http://127.0.0.1:$new/"
	run -0 curl -fsS --noproxy '*' "http://127.0.0.1:$old/devenv.ini"
	[[ $output = *bullseye* ]]
	run -0 curl -fsS --noproxy '*' "http://127.0.0.1:$new/"
	[[ $output = *"install worked successfully"* ]]
	run -0 devenv -q -C "$dir-new" run -- python3 -c 'import django; print(django.VERSION[:2])'
	[ "$output" = "(4, 2)" ]
	kill "$first" "$second"
	wait "$first" "$second" || :
}

@test "PostgreSQL and Redis from packages start and answer" {
	debian "$dir" bookworm "postgresql redis-server"
	run -0 devenv -q -C "$dir" run -- sh -c '
		PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
		initdb -D /tmp/db -A trust >/dev/null
		pg_ctl -D /tmp/db -o "-k /tmp -c listen_addresses=" -l /tmp/log -w start >/dev/null
		psql -h /tmp -d postgres -Atc "select 6 * 7"
		pg_ctl -D /tmp/db -m fast stop >/dev/null
		redis-server --port 0 --unixsocket /tmp/redis --daemonize yes --dir /tmp >/dev/null
		for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S /tmp/redis ] && break; sleep 0.2; done
		redis-cli -s /tmp/redis set a 42 >/dev/null
		redis-cli -s /tmp/redis get a
		redis-cli -s /tmp/redis shutdown nosave'
	[ "$output" = "42
42" ]
}

@test "build-essential compiles and runs a program with a library that the host lacks" {
	debian "$dir" bookworm "build-essential libonig-dev"
	printf '#include <oniguruma.h>\n#include <stdio.h>\nint main(void) { puts(onig_version()); }\n' >"$dir/a.c"
	run -0 devenv -q -C "$dir" run -- sh -c 'gcc a.c -lonig -o a && ./a'
	[[ $output = 6.* ]]
}

# bats test_tags=identity
@test "apt-get install by hand works in a root session, and goes with it" {
	debian "$dir" bookworm
	run -0 devenv -q -C "$dir" run --root -- sh -c 'apt-get -qq update && apt-get -qq -y install --no-install-recommends tree >/dev/null 2>&1 && tree --version'
	[[ ${lines[-1]} = tree* ]]
	run -127 devenv -q -C "$dir" run -- tree --version
}

@test "two at once make it once" {
	debian "$dir" bookworm "jq"
	devenv -q -C "$dir" lock
	cp -r "$dir" "$dir-2"
	export DEVENV_STORE=$BATS_TEST_TMPDIR/store XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	devenv -q -C "$dir" allow -y
	devenv -q -C "$dir-2" allow -y
	devenv -C "$dir" run -- true >"$BATS_TEST_TMPDIR/out1" 2>&1 3>&- 4>&- &
	devenv -C "$dir-2" run -- true >"$BATS_TEST_TMPDIR/out2" 2>&1 3>&- 4>&-
	wait $!
	cat "$BATS_TEST_TMPDIR/out1" "$BATS_TEST_TMPDIR/out2"
	[ "$(cat "$BATS_TEST_TMPDIR/out1" "$BATS_TEST_TMPDIR/out2" | grep -c 'configuring')" -eq 1 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out1" "$BATS_TEST_TMPDIR/out2" | grep -c 'installing')" -eq 1 ]
}

test_nobody_is_inside() {
	[ -z "$(inside_processes)" ] && [ -z "$(ls "$DEVENV_STORE/tmp")" ]
}

@test "^C half way leaves nothing under a final name, and the next time goes on" {
	debian "$dir" bookworm "jq"
	devenv -q -C "$dir" lock
	export DEVENV_STORE=$BATS_TEST_TMPDIR/store XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	devenv -q -C "$dir" allow -y
	setsid env --default-signal=INT devenv -C "$dir" run -- true >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	local pid=$!
	wait_for 120 grep -q configuring "$BATS_TEST_TMPDIR/out"
	kill -INT -- "-$pid" # as a terminal does: the whole group
	wait "$pid" || :
	test_nobody_is_inside
	[ "$(ls "$DEVENV_STORE/images" 2>/dev/null | wc -l)" -le 1 ]
	run -0 devenv -q -C "$dir" run -- jq --version
	[[ $output = jq-* ]]
}

@test "nothing is fetched before it is allowed" {
	mkdir -p "$dir"
	printf '[base]\ndebian = bookworm\n[packages]\napt = jq\n' >"$dir/devenv.ini"
	run -1 devenv -C "$dir" lock
	[[ $output = *"packages: Debian's, from "* ]]
	[ ! -e "$dir/devenv.lock" ]
}

@test "gc keeps what a lock names, and takes it when the project has gone" {
	debian "$dir" bookworm "jq"
	export DEVENV_STORE=$BATS_TEST_TMPDIR/store XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	devenv -q -C "$dir" allow -y
	devenv -q -C "$dir" run -- true
	local unpacked
	unpacked=$(ls -d "$DEVENV_STORE"/layers/*/info | wc -l)
	[ "$unpacked" -gt 50 ]
	devenv -q gc
	[ "$(ls -d "$DEVENV_STORE"/layers/*/info | wc -l)" -eq "$unpacked" ] # each is unpacked once
	run -0 devenv -q --offline -C "$dir" run -- jq --version
	rm -r "$dir"
	devenv -q gc
	[ "$(ls "$DEVENV_STORE/images" | wc -l)" -eq 0 ]
	[ "$(ls "$DEVENV_STORE/layers" | wc -l)" -eq 0 ]
	[ "$(ls "$DEVENV_STORE/debs" | wc -l)" -eq 0 ]
}

@test "a package has to be what the lock calls it, whatever its hash" {
	debian "$dir" bookworm "jq"
	devenv -q -C "$dir" lock
	sed -i '/\.jq\]$/,/^$/s/^version = .*/version = 9.9-9/' "$dir/devenv.lock"
	run -125 --separate-stderr devenv -q -C "$dir" run -- true
	[[ $stderr == *"the lock's package jq 9.9-9 for "*' is another one in its .deb file: jq '* ]]
	[[ $stderr == *'devenv update jq'* ]]
}

@test "a lock of half a year ago, from an empty store: what the mirror has lost comes from the snapshot service" {
	debian "$dir" bookworm "jq"
	devenv -q -C "$dir" lock
	devenv -q -C "$dir" run -- true
	# The mirror has lost one package since, and the lock is older than its index: another version, which only we still have.
	local sha name path
	name=$(awk '/^\[package.*\.jq\]/ { on = 1 } on && /^version = / { print $3; exit }' "$dir/devenv.lock")
	sha=$(awk '/^\[package.*\.jq\]/ { on = 1 } on && /^sha256 = / { print $3; exit }' "$dir/devenv.lock")
	path=$(awk '/^\[package.*\.jq\]/ { on = 1 } on && /^path = / { print $3; exit }' "$dir/devenv.lock")
	mkdir -p "$BATS_TEST_TMPDIR/old" "$BATS_TEST_TMPDIR/snapshot/$(dirname "$path")"
	dpkg-deb -R "$DEVENV_STORE/debs/$sha" "$BATS_TEST_TMPDIR/old/root"
	sed -i "s/^Version: .*/Version: 1.5-1/" "$BATS_TEST_TMPDIR/old/root/DEBIAN/control"
	local lost=${path/_*_/_1.5-1_}
	dpkg-deb -b --root-owner-group "$BATS_TEST_TMPDIR/old/root" "$BATS_TEST_TMPDIR/snapshot/$lost" >/dev/null
	local new_sha new_size
	new_sha=$(sha256sum <"$BATS_TEST_TMPDIR/snapshot/$lost" | cut -d ' ' -f 1)
	new_size=$(stat -c %s "$BATS_TEST_TMPDIR/snapshot/$lost")
	awk -v path="$lost" -v sha="$new_sha" -v size="$new_size" '
		/^\[/ { on = /\.jq\]$/ }
		on && /^path = / { $0 = "path = " path }
		on && /^sha256 = / { $0 = "sha256 = " sha }
		on && /^size = / { $0 = "size = " size }
		on && /^version = / { $0 = "version = 1.5-1" }
		{ print }' "$dir/devenv.lock" >"$BATS_TEST_TMPDIR/lock"
	cp "$BATS_TEST_TMPDIR/lock" "$dir/devenv.lock"
	devenv -C "$dir" lock --check
	export DEVENV_STORE=$BATS_TEST_TMPDIR/store XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	devenv -q -C "$dir" allow -y
	# without the service: the package, the places, and the way out
	run ! devenv -C "$dir" run -- true
	[[ $output = *jq*1.5-1* ]]
	[[ $output = *"devenv update jq"* ]]
	local port=$((40000 + RANDOM % 9000))
	python3 -m http.server --bind 127.0.0.1 -d "$BATS_TEST_TMPDIR/snapshot" "$port" >/dev/null 2>&1 3>&- 4>&- &
	local server=$!
	export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
	mkdir -p "$XDG_CONFIG_HOME/devenv"
	printf '[debian]\nsnapshot = http://127.0.0.1:%s\n' "$port" >"$XDG_CONFIG_HOME/devenv/config.ini"
	wait_for 20 curl -fsS --noproxy '*' "http://127.0.0.1:$port/"
	run devenv -q -C "$dir" run -- dpkg-query -W -f '${Version}' jq
	kill "$server"
	[ "$status" -eq 0 ]
	[ "$output" = 1.5-1 ]
	# and what is added later moves nothing of it
	sed -i 's/^apt = jq/apt = jq tree/' "$dir/devenv.ini"
	run -0 --separate-stderr devenv -C "$dir" lock
	[ "${#lines[@]}" -eq 1 ]
	[[ $output = "tree new"* ]]
}
