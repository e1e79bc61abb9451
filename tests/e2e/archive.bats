#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# archive.bats - an archive of Debian packages that moves on, loses them, misbehaves: loopback mirrors, signed with a key that is
# thrown away.
#
# What they serve are the packages of a small base, fetched once from this machine's mirror: A has them as they are, with the date of
# half a year ago; B, of today, has each in a newer version, and none of the old ones; C is A, past its date, with packages whose
# scripts fail. DEBS is a directory with A's files.

load support

setup_file() {
	export XDG_CONFIG_HOME=$BATS_FILE_TMPDIR/config DEVENV_STORE=$BATS_FILE_TMPDIR/store
	export XDG_STATE_HOME=$BATS_FILE_TMPDIR/state XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache
	local first=$BATS_FILE_TMPDIR/first program
	for program in gpg gpgv dpkg-deb; do
		command -v "$program" >/dev/null || {
			echo "$program is not installed" >"$BATS_FILE_TMPDIR/why-not"
			return 0
		}
	done
	mkdir -p "$first"
	printf '[base]\ndebian = bookworm\n[packages]\napt = jq\n[devenv]\nplatforms = linux/amd64\n' >"$first/devenv.ini"
	devenv -q -C "$first" allow -y
	devenv -q -C "$first" lock >"$BATS_FILE_TMPDIR/why-not" 2>&1 || return 0
	devenv -q -C "$first" pull
	rm "$BATS_FILE_TMPDIR/why-not"
	make_archives "$first/devenv.lock"
}

make_archives() { # LOCK
	local tool="/usr/bin/python3 -B $E2E_SOURCE/debian_archive.py" gpg="gpg --homedir $BATS_RUN_TMPDIR/g --batch --yes" suite
	cd "$BATS_FILE_TMPDIR"
	mkdir -m 700 "$BATS_RUN_TMPDIR/g"
	$gpg --passphrase '' --quick-gen-key t@example.org ed25519 sign never 2>&1
	$gpg --export >keys.gpg
	$tool make "$1" "$DEVENV_STORE" A
	$tool supersede A B
	$tool index A 182
	$tool index B 0
	cp -al A C
	rm -r C/dists
	add_broken
	$tool index C 40 "Valid-Until: $(LC_ALL=C date -u -d yesterday '+%a, %d %b %Y %H:%M:%S UTC')"
	for suite in A/dists/* B/dists/* C/dists/*; do
		$gpg --clearsign -o "$suite/InRelease" "$suite/Release"
	done
	gpgconf --homedir "$BATS_RUN_TMPDIR/g" --kill gpg-agent
	mkdir DEBS
	find A/pool -name '*.deb' -exec ln -t DEBS {} +
}

# broken, whose script fails after it said why, and late, which needs it.
add_broken() {
	local name needs=
	for name in broken late; do
		mkdir -p "packages/$name/DEBIAN"
		printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: t\nDescription: t\n%s' "$name" "$needs" \
			>"packages/$name/DEBIAN/control"
		needs=$'Depends: broken\n'
	done
	printf '#!/bin/sh\necho "no such device: /dev/none"\nexit 3\n' >packages/broken/DEBIAN/postinst
	chmod 755 packages/broken/DEBIAN/postinst
	for name in broken late; do
		dpkg-deb -b --root-owner-group "packages/$name" "C/pool/main/${name}_1_all.deb" >/dev/null
	done
}

setup() {
	[ ! -e "$BATS_FILE_TMPDIR/why-not" ] || skip "no Debian mirror here: $(head -n 1 "$BATS_FILE_TMPDIR/why-not")"
	F=$BATS_FILE_TMPDIR
	dir=$BATS_TEST_TMPDIR/project
	SERVERS=()
	own_store
	export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
	mkdir -p "$XDG_CONFIG_HOME/devenv"
	serve "$F/A"
	A=$SERVED
	serve "$F/B"
	B=$SERVED
}

teardown() {
	[ -z "${SERVERS:-}" ] || kill "${SERVERS[@]}"
}

# serve DIRECTORY: a mirror. SERVED is its host:port, and SERVED.log and SERVED.rules of the test's directory its log and its rules.
serve() {
	local file=$BATS_TEST_TMPDIR/port.${#SERVERS[@]}
	/usr/bin/python3 -B "$E2E_SOURCE/archive_server.py" "$1" "$file" "$file.log" "$file.rules" 3>&- 4>&- </dev/null >"$file.err" 2>&1 &
	SERVERS+=($!)
	wait_for 20 test -e "$file"
	SERVED=127.0.0.1:$(cat "$file")
	ln -s "$file.log" "$BATS_TEST_TMPDIR/$SERVED.log"
	ln -s "$file.rules" "$BATS_TEST_TMPDIR/$SERVED.rules"
}
rules() { # MIRROR RULE...
	local mirror=$1
	shift
	printf '%s\n' "$@" | sed '/^$/d' >"$BATS_TEST_TMPDIR/$mirror.rules"
}

forget() { # MIRROR...: what was asked of them
	local mirror
	for mirror; do : >"$BATS_TEST_TMPDIR/$mirror.log"; done
}

# from MIRROR [LINE...]: the user's configuration
from() {
	local mirror=$1
	shift
	printf '%s\n' '[debian]' "mirror = http://$mirror" "security = http://$mirror" "keyring = $F/keys.gpg" "$@" \
		>"$XDG_CONFIG_HOME/devenv/config.ini"
}

# own_apt LINE...: a configuration of apt that has these and nothing of this machine's
own_apt() {
	mkdir -p "$BATS_TEST_TMPDIR/apt/conf" "$BATS_TEST_TMPDIR/apt/auth"
	export APT_CONFIG=$BATS_TEST_TMPDIR/apt.conf
	printf '%s\n' "Dir::Etc::parts \"$BATS_TEST_TMPDIR/apt/conf\";" "Dir::Etc::netrcparts \"$BATS_TEST_TMPDIR/apt/auth\";" "$@" >"$APT_CONFIG"
}

# made: the project, allowed. locked: and locked from A, of which nothing is in the store.
made() {
	mkdir -p "$dir"
	printf '[base]\ndebian = bookworm\n[packages]\napt = jq\n' >"$dir/devenv.ini"
	devenv -q -C "$dir" allow -y
}
locked() {
	made
	from "$A"
	devenv -q -C "$dir" lock
	forget "$A"
}
packages() { # how many the lock has
	grep -c '^\[package' "$dir/devenv.lock"
}
# Whatever has a name in the store is whole.
whole() {
	local file
	store_is_clean
	for file in "$DEVENV_STORE"/debs/*; do
		[ ! -e "$file" ] || [ "$(sha256sum <"$file")" = "${file##*/}  -" ]
	done
}
version_of() { # PACKAGE, in the lock
	awk -v name=".$1]" '/^\[/ { on = substr($0, length($0) - length(name) + 1) == name } on && /^version = / { print $3 }' "$dir/devenv.lock"
}

@test "a lock of half a year ago, every package superseded: an empty store is filled by the snapshot service" {
	local jq
	locked
	jq=$(version_of jq)
	cp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/old.lock"
	[ "$(grep -c '^\[package' "$dir/devenv.lock")" -gt 50 ]
	# The mirror has moved on, and its index too: another project finds only newer ones.
	from "$B"
	rm -r "$XDG_CACHE_HOME"
	run -125 devenv -C "$dir" run -- true
	[[ $output == *"packages can't be had; the first: "*" is nowhere to be had: "*"$B: not there"* ]]
	[[ $output == *"the store"* && $output == *"vendor"* && $output == *"snapshot"* ]]
	[[ $output == *"\`devenv update\`"* ]]
	# The service has A's day.
	forget "$A" "$B"
	from "$B" "snapshot = http://$A"
	run -0 devenv -q -C "$dir" run -- dpkg-query -W -f '${Version}' jq
	[ "$output" = "$jq" ]
	cmp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/old.lock"
	# Only the lock was believed: no index was asked for.
	! grep -q /dists/ "$BATS_TEST_TMPDIR/$A.log" "$BATS_TEST_TMPDIR/$B.log" || false
	[ "$(grep -c '^200 .*\.deb' "$BATS_TEST_TMPDIR/$A.log")" -eq "$(grep -c '^\[package' "$dir/devenv.lock")" ]
	# And the remedy that was named moves all of them.
	run -0 devenv -C "$dir" update
	[[ $output == *"jq $jq → $jq+b9"* ]]
	run -0 devenv -q -C "$dir" run -- sh -c 'dpkg-query -W -f "\${Version}" jq; dpkg --audit'
	[ "$output" = "$jq+b9" ]
}

@test "a snapshot service that has other bytes under the name is not believed, and the rest is kept" {
	local file
	locked
	cp -al "$F/A" "$BATS_TEST_TMPDIR/C"
	file=$(find "$BATS_TEST_TMPDIR/C/pool" -name 'jq_*')
	head -c "$(stat -c %s "$file")" /dev/zero >"$BATS_TEST_TMPDIR/other"
	mv "$BATS_TEST_TMPDIR/other" "$file"
	serve "$BATS_TEST_TMPDIR/C"
	from "$B" "snapshot = http://$SERVED"
	run --separate-stderr devenv -q -C "$dir" run -- true
	complaint 125 "jq [^ ]* is nowhere to be had: not in the store; mirror $B: not there; snapshot service $SERVED: its sha256 is"
	[[ $stderr == *"devenv update jq"* ]]
	whole
	[ "$(ls "$DEVENV_STORE/debs" | wc -l)" -eq $(($(packages) - 1)) ]
	# The right one comes, alone.
	forget "$A"
	from "$B" "snapshot = http://$A"
	devenv -q -C "$dir" pull
	[ "$(grep -c '\.deb' "$BATS_TEST_TMPDIR/$A.log")" -eq 1 ]
}

@test "a directory of packages is looked at before any server, and needs none" {
	locked
	from "$B" "vendor = $BATS_TEST_TMPDIR/nothing $F/DEBS"
	devenv -q --offline -C "$dir" pull
	run -0 devenv -q -C "$dir" run -- dpkg-query -W -f '${Version}' jq
	[ "$output" = "$(version_of jq)" ]
	[ ! -s "$BATS_TEST_TMPDIR/$B.log" ]
	# What is damaged there is fetched.
	rm -r "$DEVENV_STORE"
	cp -r "$F/DEBS" "$BATS_TEST_TMPDIR/damaged"
	echo more >>"$(ls "$BATS_TEST_TMPDIR"/damaged/jq_*)"
	from "$A" "vendor = $BATS_TEST_TMPDIR/damaged"
	devenv -q -C "$dir" pull
	run -0 grep -c '^200 .*\.deb' "$BATS_TEST_TMPDIR/$A.log"
	[ "$output" -eq 1 ]
	whole
}

@test "packages come over eight connections at once" {
	local most
	locked
	rules "$A" 'slow \.deb$ 0.5'
	devenv -q -C "$dir" pull
	most=$(awk '$2 ~ /\.deb$/ { if ($3 > most) most = $3 } END { print most }' "$BATS_TEST_TMPDIR/$A.log")
	echo "at once: $most"
	[ "$most" -eq 8 ]
}

@test "a mirror that refuses, hurries and breaks off: tried again, resumed, and everything is there" {
	locked
	rules "$A" '503 /libc 2' '429 /jq_ 1' 'cut perl-base 2' 'cut tzdata 1'
	devenv -q -C "$dir" pull
	run -0 devenv -q --offline -C "$dir" run -- jq --version
	[ "$(grep -c '^429 ' "$BATS_TEST_TMPDIR/$A.log")" -eq 1 ]
	[ "$(grep -c '^503 .*/libc6_' "$BATS_TEST_TMPDIR/$A.log")" -eq 2 ]
	# the second time it went on where it was
	[ "$(grep -c '^206 .*/perl-base_.* bytes=' "$BATS_TEST_TMPDIR/$A.log")" -eq 2 ]
	whole
}

@test "^C half way keeps whole packages, and the next time only the others are fetched" {
	local kept pid
	locked
	rules "$A" 'drip /(perl|libc6|bash|coreutils|dpkg|util-linux|gpgv|tar) 0.3'
	setsid env --default-signal=INT devenv -C "$dir" pull >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
	pid=$!
	wait_for 60 grep -q /perl-base_ "$BATS_TEST_TMPDIR/$A.log"
	kill -INT -- "-$pid"
	! wait "$pid" || false # not by run, whose shell has no such child
	cat "$BATS_TEST_TMPDIR/out"
	whole
	kept=$(ls "$DEVENV_STORE/debs" | wc -l)
	echo "kept: $kept"
	[ "$kept" -gt 0 ]
	[ "$kept" -lt "$(packages)" ]
	forget "$A"
	rules "$A"
	devenv -q -C "$dir" pull
	[ "$(grep -c '\.deb' "$BATS_TEST_TMPDIR/$A.log")" -eq $(($(packages) - kept)) ]
}

# on_small SIZE SCRIPT: with a store of that size, a tmpfs in a mount namespace of its own, which ends with the script
on_small() {
	local how=(unshare --mount)
	[ "$(id -u)" = 0 ] || how=(unshare --user --map-root-user --mount)
	"${how[@]}" true 2>/dev/null || skip "no private mount namespace to be had"
	mkdir -p "$BATS_TEST_TMPDIR/small"
	DEVENV_STORE=$BATS_TEST_TMPDIR/small/store DIR=$dir LOG=$BATS_TEST_TMPDIR/$A.log "${how[@]}" bash -c '
		mount -t tmpfs -o "size=$1,mode=755" none "${DEVENV_STORE%/*}" || exit 99
		eval "$2"' sh "$1" "$2"
}

@test "a full disk: how much is missing, nothing half made, and the next time goes on" {
	locked
	from "$A"
	# before anything is fetched
	run --separate-stderr on_small 30m 'devenv -q -C "$DIR" pull'
	[ "$status" -ne 99 ] || skip "no tmpfs to be had"
	complaint 1 'packages take [0-9.]+MB, and the store .* has [0-9.]+MB left: [0-9.]+MB more are needed'
	[[ $stderr == *"devenv gc"* ]]
	# in the middle of the downloads, because somebody else fills it
	rules "$A" 'drip /(perl|libc6|bash|coreutils|dpkg|util-linux|gpgv|tar) 0.2'
	run --separate-stderr on_small 80m '
		devenv -q -C "$DIR" pull & pid=$!
		until grep -q /perl-base_ "$LOG"; do sleep 0.05; done
		cat /dev/zero >"$DEVENV_STORE/../filler" 2>/dev/null
		wait $pid; code=$?
		[ -z "$(ls -A "$DEVENV_STORE/tmp")" ] || echo left
		for file in "$DEVENV_STORE"/debs/*; do
			[ "$(sha256sum <"$file")" = "${file##*/}  -" ] || echo "broken: $file"
		done
		exit $code'
	complaint 1 'the store .* ran full while [0-9]+ packages were fetched: [0-9.]+MB more are needed'
	[[ $stderr == *"devenv gc"* ]]
	# in the middle of unpacking; with more room what was fetched is there
	rules "$A"
	run --separate-stderr on_small 330m '
		head -c 240M /dev/zero >"$DEVENV_STORE.filler"
		devenv -q -C "$DIR" pull; code=$?
		[ -z "$(ls -A "$DEVENV_STORE/tmp")" ] || echo left
		[ -z "$(ls -A "$DEVENV_STORE/images")" ] || echo published
		rm "$DEVENV_STORE.filler"
		: >"$LOG"
		devenv -q -C "$DIR" pull || echo "the next time failed"
		! grep "\.deb" "$LOG" | grep -vE "/(lib)?(jq|onig)" || echo "fetched again"
		exit $code'
	complaint 1 'the store .* ran full while [0-9]+ packages were unpacked: about [0-9.]+MB more are needed'
}

@test "apt's configuration of this machine: a mirror that wants a login, and a proxy on the way to it" {
	local login
	command -v apt-config || skip "there is no apt"
	own_apt "Acquire::http::Proxy \"http://$B/\";"
	made
	login=$(printf 'me:open sesame' | base64)
	rules "$A" "login . $login"
	from "$A"
	run --separate-stderr devenv -q -C "$dir" lock
	complaint 1 "can't read the index of bookworm: $A answers with HTTP status 401"
	[[ $stderr == *"machine http://$A login NAME password PASSWORD"* ]]
	# the login is for that server alone, and in no message
	printf 'machine http://%s login me password secret-word\n' "$A" >"$BATS_TEST_TMPDIR/apt/auth/a.conf"
	run --separate-stderr devenv -v -C "$dir" lock
	[ "$status" -eq 1 ]
	[[ $output$stderr != *secret-word* ]]
	rules "$A" "login . $(printf 'me:secret-word' | base64)"
	devenv -q -C "$dir" lock
	! grep -rF secret-word "$dir" "$XDG_CACHE_HOME" "$XDG_STATE_HOME" "$DEVENV_STORE" || false
	# who is redirected to does not get it
	serve "$F/A"
	rules "$A" "to \\.deb http://$SERVED"
	devenv -q -C "$dir" pull
	grep -q '^302 .*:' "$BATS_TEST_TMPDIR/$A.log"
	! grep -v ' -$' "$BATS_TEST_TMPDIR/$SERVED.log" || false
	# a host elsewhere is asked for by way of the proxy
	from mirror.example.org
	run --separate-stderr devenv -q -C "$dir" update debian
	[ "$status" -eq 0 ]
	grep -q '^200 http://mirror.example.org/dists/bookworm/InRelease ' "$BATS_TEST_TMPDIR/$B.log"
	sed -i 's|^Acquire::http::Proxy .*|Acquire::http::Proxy "http://me:secret-word@127.0.0.1:1/";|' "$APT_CONFIG"
	rm -r "$XDG_CACHE_HOME"
	run --separate-stderr devenv -q -C "$dir" update debian
	complaint 1 "can't read the index of bookworm: can't reach the mirror mirror.example.org: connection refused"
	[[ $stderr == *"the proxy 127.0.0.1:1 "* && $stderr != *secret-word* ]]
}

@test "what is wrong with a mirror is said with what to do about it" {
	made
	from 127.0.0.1:1
	run --separate-stderr devenv -q -C "$dir" lock
	complaint 1 "can't read the index of bookworm: can't reach the mirror 127.0.0.1:1: connection refused"
	from nowhere.invalid
	own_apt 'Acquire::http::Proxy-Auto-Detect "/usr/bin/find-proxy";'
	run --separate-stderr env -u http_proxy -u all_proxy devenv -q -C "$dir" lock
	complaint 1 "can't read the index of bookworm: can't reach the mirror nowhere.invalid: its name has no address"
	! command -v apt-config || [[ $stderr == *"by running /usr/bin/find-proxy, which devenv does not"* ]]
	# a name that is none
	from "$A"
	sed -i 's/bookworm/bookwrom/' "$dir/devenv.ini"
	run --separate-stderr devenv -q -C "$dir" lock
	complaint 1 "devenv.ini:2: .*'bookwrom'; did you mean 'bookworm'"
	sed -i 's/bookwrom/trixie/' "$dir/devenv.ini"
	run --separate-stderr devenv -q -C "$dir" lock
	complaint 1 "the mirror $A has no suite trixie"
	printf '[base]\ndebian = bookworm\ncomponents = contrib\n' >"$dir/devenv.ini"
	run --separate-stderr devenv -q -C "$dir" lock
	complaint 1 "bookworm has no component 'contrib'"
	[[ $stderr == *"it has: main"* ]]
	[ ! -e "$dir/devenv.lock" ]
}

@test "a script of a package that fails: whose, with what, and what it said; -v shows all of it" {
	serve "$F/C"
	from "$SERVED" "ignore-expiry = yes"
	made
	sed -i 's/^apt = .*/apt = late/' "$dir/devenv.ini"
	devenv -q -C "$dir" lock
	# on a terminal, which also shows how far it is
	command -v script >/dev/null || skip "script is not installed"
	run script -qec "devenv -C '$dir' pull; echo status \$?" /dev/null
	[[ $output == *"configuring: "*" of 9"*"unpacking: "*" of 2"* ]]
	[[ $output == *"[packages] apt: the post-installation script of broken failed with status 3"*"no such device: /dev/none"* ]]
	[[ $output != *"dependency problems"* && $output == *'`devenv -v pull`'*"status 1"* ]]
	run -1 --separate-stderr devenv -v -C "$dir" pull
	[[ $stderr == *"  | no such device: /dev/none"*"  | "*"dependency problems"*"the post-installation script of broken failed"* ]]
	store_is_clean
}

@test "ignore-expiry holds inside too: apt takes an index that is past its date" {
	serve "$F/C"
	from "$SERVED"
	made
	run -1 devenv -C "$dir" lock
	[[ $output == *"was valid until"*"[debian] mirror in $XDG_CONFIG_HOME/devenv/config.ini"* ]]
	from "$SERVED" "ignore-expiry = yes"
	run -0 --separate-stderr devenv -q -C "$dir" lock
	[ -z "$stderr" ]
	run -0 devenv -q -C "$dir" run --root -- apt-get update
	[[ $output != *[Ee]xpired* ]]
	# and only then: without it apt says what the lock would say
	from "$SERVED"
	run -0 devenv -q -C "$dir" run -- cat /etc/apt/sources.list.d/devenv.sources
	[[ $output == *"Suites: bookworm"* && $output != *Check-Valid-Until* ]]
}

@test "a login goes nowhere: no address can have one, and apt's stays outside" {
	local key
	made
	from "$A"
	devenv -q -C "$dir" lock
	for key in mirror security snapshot; do
		printf '[debian]\n%s = http://ann:s3cr3t-w0rd@%s/debian\n' "$key" "$A" >"$XDG_CONFIG_HOME/devenv/config.ini"
		run devenv -v -C "$dir" update
		[ "$status" -ne 0 ]
		[[ $output == *"can't have a name and password"*auth.conf* && $output != *s3cr3t-w0rd* ]]
	done
	own_apt
	printf 'machine http://%s login ann password s3cr3t-w0rd\n' "$A" >"$BATS_TEST_TMPDIR/apt/auth/a.conf"
	rules "$A" "login . $(printf ann:s3cr3t-w0rd | base64)"
	from "$A"
	run -0 devenv -v -C "$dir" run --root -- sh -c 'cat /etc/apt/sources.list.d/*; grep -rs s3cr3t-w0rd /etc /run /root; env'
	[[ $output == *"URIs: http://$A"* && $output != *s3cr3t-w0rd* ]]
	! grep -rq s3cr3t-w0rd "$DEVENV_STORE" "$XDG_CACHE_HOME" "$XDG_STATE_HOME" "$dir" || false
}
