#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# first_light.bats - the main job on real input: two Debian releases used from two projects at once.
load support

setup_file() {
	export OLD=$BATS_FILE_TMPDIR/old NEW=$BATS_FILE_TMPDIR/new
	ready "$OLD" "image = $PYTHON2" $'[sandbox]\nnetwork = host'
	ready "$NEW" "image = $DJANGO" $'[sandbox]\nnetwork = host'
}

@test "python 2.7 runs in the project on bullseye" {
	run -0 devenv -C "$OLD" run -- python2.7 -c 'import ssl, sys; print "%d.%d" % sys.version_info[:2]'
	[ "$output" = 2.7 ]
}

@test "Django imports in the project on bookworm" {
	run -0 devenv -C "$NEW" run -- python3 -c 'import django; print(django.VERSION[0])'
	[ "$output" = 3 ]
}

@test "the two have different releases and C libraries, at the same time" {
	hold "$OLD"
	run -0 devenv -C "$NEW" run -- sh -c '. /etc/os-release; echo $VERSION_CODENAME; getconf GNU_LIBC_VERSION'
	[ "$output" = $'bookworm\nglibc 2.36' ]
	run -0 devenv -C "$OLD" run -- sh -c '. /etc/os-release; echo $VERSION_CODENAME; getconf GNU_LIBC_VERSION'
	[ "$output" = $'bullseye\nglibc 2.31' ]
	release "$OLD"
}

@test "neither sees the other's or the host's interpreter" {
	run -127 devenv -C "$OLD" run -- python3.11 --version
	run -127 devenv -C "$NEW" run -- python2.7 --version
	run -0 devenv -C "$OLD" run -- sh -c 'ls /usr/bin/python3* /usr/local/bin/py* /usr/lib/python3.11 2>/dev/null; echo end'
	[ "$output" = end ]
}

@test "the host's home and files are not visible" {
	echo secret >"$HOME/host-secret"
	run -0 devenv -C "$OLD" run -- sh -c 'ls -A "$HOME"; cat '"$HOME/host-secret"' 2>/dev/null; ls '"$E2E_BIN"' 2>/dev/null; echo end'
	[[ $output != *secret* ]]
	[[ $output != *devenv-core* ]]
	rm "$HOME/host-secret"
}

@test "layers apply exactly: removed, replaced, restored" {
	run -0 devenv -C "$OLD" run -- sh -c 'cd /opt/layers && ls removed-dir replaced was-file was-link && cat was-dir kept hard-b café'
	[ "$output" = "$(printf '%s\n' removed-dir: again '' replaced: new '' was-file: inside '' was-link: inside 'a file now' kept hard utf-8)" ]
	run -0 devenv -C "$OLD" run -- sh -c 'ls -A /usr/share/man; ls -d /usr/share/doc /opt/layers/removed-file /opt/layers/.wh* 2>/dev/null; head -n 1 /var/lib/dpkg/status; ls /opt/layers | wc -L'
	[ "$output" = $'README\nPackage: adduser\n250' ]
	run -0 devenv -C "$OLD" run -- sh -c 'cd /opt/layers && stat -c "%n %a" sticky setuid; stat -c %h hard-a; [ hard-a -ef hard-b ]'
	[ "$output" = $'sticky 1777\nsetuid 4755\n2' ]
}

@test "a whole tree equals what another tool unpacks" {
	command -v umoci >/dev/null || skip "umoci is not installed"
	[ "$E2E_IDENTITY" != range ] || skip "once is enough"
	umoci unpack --rootless --image "$E2E_IMAGES/layouts/python2:2.7" "$BATS_TEST_TMPDIR/bundle" >/dev/null
	list='cd "$0" && find bin/ etc/ opt usr var/lib -xdev \( -name __pycache__ -o -path usr/local/share/ca-certificates \) -prune -o \( -type f -printf "%P %m %s\n" -o -type l -printf "%P -> %l\n" -o -type d -printf "%P %m/\n" \) | LC_ALL=C sort'
	sh -c "$list" "$BATS_TEST_TMPDIR/bundle/rootfs" >"$BATS_TEST_TMPDIR/theirs"
	devenv -C "$OLD" run -- sh -c "$list" / >"$BATS_TEST_TMPDIR/ours"
	rm -rf "$BATS_TEST_TMPDIR/bundle"
	# what devenv itself puts there: names and addresses of the session, terminfo, certificates, two scripts, a word to apt
	sed -i -E '/^(passwd|group|hosts|hostname|resolv.conf|localtime|timezone|mtab|nsswitch.conf|terminfo.*|ssl.*|gitconfig|profile.d.*|devenv.*|local.bin.(devenv|sudo)|apt.apt.conf.d.99devenv(-root)?|apt.devenv-not-root) /d' \
		"$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
	diff "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours" >"$BATS_TEST_TMPDIR/diff" || :
	head -n 20 "$BATS_TEST_TMPDIR/diff"
	[ ! -s "$BATS_TEST_TMPDIR/diff" ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/ours")" -gt 1000 ]
}

@test "a Django project made inside answers on a port" {
	run -0 devenv -C "$NEW" run -- django-admin startproject site1
	port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	(cd "$NEW/site1" && exec devenv run -- python3 manage.py runserver --noreload "127.0.0.1:$port") \
		>"$BATS_TEST_TMPDIR/log" 2>&1 </dev/null 3>&- 4>&- &
	server=$!
	wait_for 30 curl -fsS --noproxy '*' "http://127.0.0.1:$port/" || { cat "$BATS_TEST_TMPDIR/log"; false; }
	run -0 curl -fsS --noproxy '*' "http://127.0.0.1:$port/"
	[[ $output == *"The install worked successfully"* ]]
	kill "$server"
	wait "$server" || :
	! curl -fsS --noproxy '*' "http://127.0.0.1:$port/" 2>/dev/null || false
}

@test "files made inside belong to the caller on the host, by default and with --root" {
	run -0 devenv -C "$NEW" run -- sh -c 'id -u; touch made-as-me; mkdir -p dir-as-me'
	[ "$output" = "$(id -u)" ]
	run -0 devenv -C "$NEW" run --root -- sh -c 'id -u; touch made-as-root; touch made-chowned; chown 0:0 made-chowned'
	[ "$output" = 0 ]
	for name in made-as-me dir-as-me made-as-root made-chowned site1/manage.py; do
		[ "$(stat -c %u:%g "$NEW/$name")" = "$(id -u):$(id -g)" ]
	done
}

@test "a second session joins the first" {
	hold "$NEW"
	echo 'for n in mnt pid ipc uts user; do readlink /proc/self/ns/$n; done; ls -d /proc/[0-9]* | wc -l' >"$NEW/who.sh"
	run -0 devenv -C "$NEW" run -- sh ./who.sh
	first=$(head -n 5 <<<"$output")
	run -0 devenv -C "$NEW" run -- sh ./who.sh
	[ "$first" = "$(head -n 5 <<<"$output")" ]
	# the held session's shell is visible
	[ "$(tail -n 1 <<<"$output")" -ge 3 ]
	run -0 devenv -C "$NEW" run -- sh -c 'echo shared > /tmp/between-sessions'
	run -0 devenv -C "$NEW" run -- cat /tmp/between-sessions
	[ "$output" = shared ]
	release "$NEW"
	wait_for 10 nothing_inside
	run -0 devenv -C "$NEW" run -- sh -c 'cat /usr/gone 2>/dev/null; echo end'
}

@test "what was written outside the project is gone after the last session" {
	run -0 devenv -C "$NEW" run --root -- sh -c 'echo x > /usr/scratch; cat /usr/scratch'
	[ "$output" = x ]
	wait_for 10 nothing_inside
	run -1 devenv -C "$NEW" run -- test -e /usr/scratch
}

@test "home is kept per checkout" {
	run -0 devenv -C "$NEW" run -- sh -c 'echo kept > ~/note'
	wait_for 10 nothing_inside
	run -0 devenv -C "$NEW" run -- sh -c 'cat ~/note'
	[ "$output" = kept ]
	run -1 devenv -C "$OLD" run -- sh -c 'test -e ~/note'
	[ ! -e "$HOME/note" ]
}

@test "kill -9 of the launcher, then enter again" {
	for round in 1 2 3; do
		hold "$NEW"
		kill -9 "$HOLDER"
		wait "$HOLDER" || :
		run -0 devenv -C "$NEW" run -- echo back
		[[ $output == *back* ]]
	done
	wait_for 15 nothing_inside || { inside_processes; false; }
}

@test "kill -9 of everything inside and of pid 1, then enter again" {
	hold "$NEW"
	inside_processes | while read -r pid _; do kill -9 "$pid" 2>/dev/null || :; done
	wait "$HOLDER" || :
	run -0 devenv -C "$NEW" run -- echo back
	[[ $output == *back* ]]
	wait_for 15 nothing_inside
}

@test "nothing is left: no process, no mount, and the mount table is as it was" {
	wait_for 15 nothing_inside || { inside_processes; false; }
	before=$(cat /proc/self/mountinfo)
	for round in $(seq 20); do
		devenv -C "$NEW" run -- true
		devenv -C "$OLD" run --root -- true
	done
	hold "$NEW"
	kill -9 "$HOLDER"
	wait "$HOLDER" || :
	wait_for 15 nothing_inside || { inside_processes; false; }
	[ "$before" = "$(cat /proc/self/mountinfo)" ]
}

@test "forty simultaneous starts: every exit code right" {
	wait_for 15 nothing_inside
	pids=()
	for n in $(seq 40); do
		devenv -C "$NEW" run -- sh -c "exit $n" 3>&- 4>&- &
		pids+=($!)
	done
	n=0
	for pid in "${pids[@]}"; do
		n=$((n + 1)) code=0
		wait "$pid" || code=$?
		[ "$code" -eq "$n" ]
	done
	wait_for 15 nothing_inside || { inside_processes; false; }
}

@test "the project directory holds nothing that devenv put there but the two files" {
	project "$BATS_TEST_TMPDIR/clean" "image = $DJANGO"
	devenv -q -C "$BATS_TEST_TMPDIR/clean" run -y -- true
	run -0 ls -A "$BATS_TEST_TMPDIR/clean"
	[ "$output" = $'devenv.ini\ndevenv.lock' ]
}
