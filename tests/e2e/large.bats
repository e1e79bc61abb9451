#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# large.bats - large sets of real packages (make test-bases): each gives the same layers wherever, whenever and by whomever they are
# made, and what needs many of them works.
#
# The lock and the layers of the first identity that runs a set are left in $E2E_SHARED, and those of the others have to be the same:
# so the accounts that are compared differ in their ids and their maps.

load support

setup() {
	own_store
	dir=$BATS_TEST_TMPDIR/project
}
teardown() {
	chmod -R u+rwX "$BATS_TEST_TMPDIR" 2>/dev/null || :
	rm -rf "$BATS_TEST_TMPDIR/store" "$BATS_TEST_TMPDIR/again"
}

# debian DIR CODENAME PACKAGES: a project with them, allowed.
debian() {
	mkdir -p "$1"
	printf '[base]\ndebian = %s\n[packages]\napt = %s\n[sandbox]\nnetwork = none\n' "$2" "$3" >"$1/devenv.ini"
	devenv -q -C "$1" allow -y
}

# the_same NAME CODENAME PACKAGES
the_same() {
	local shared=$E2E_SHARED/$1 other=$BATS_TEST_TMPDIR/else/where
	debian "$dir" "$2" "$3"
	[ ! -e "$shared.lock" ] || cp "$shared.lock" "$dir/devenv.lock"
	devenv -q -C "$dir" lock || skip "the mirror has no $2, or not all of these packages"
	devenv -q -C "$dir" pull
	python3 -B "$E2E_SOURCE/layer_list.py" "$DEVENV_STORE" >"$BATS_TEST_TMPDIR/one"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/one")" -gt 5000 ]
	if [ -e "$shared.list" ]; then
		diff "$shared.list" "$BATS_TEST_TMPDIR/one"
		return
	fi
	# again: in another place, with other habits, on one processor, a while later, from the same files
	mkdir -p "$(dirname "$other")"
	cp -r "$dir" "$other"
	mkdir -p "$BATS_TEST_TMPDIR/again"
	chmod 700 "$BATS_TEST_TMPDIR/again"
	cp -r "$DEVENV_STORE/debs" "$BATS_TEST_TMPDIR/again"
	export DEVENV_STORE=$BATS_TEST_TMPDIR/again XDG_STATE_HOME=$BATS_TEST_TMPDIR/state-again
	(
		umask 077
		export TZ=Asia/Tokyo LANG=de_DE.UTF-8 LC_ALL=C HOSTNAME=elsewhere PYTHONDONTWRITEBYTECODE=1
		devenv -q -C "$other" allow -y
		taskset 1 devenv -q -C "$other" pull
	)
	python3 -B "$E2E_SOURCE/layer_list.py" "$DEVENV_STORE" >"$BATS_TEST_TMPDIR/two"
	diff "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/two"
	cp "$dir/devenv.lock" "$shared.lock"
	cp "$BATS_TEST_TMPDIR/one" "$shared.list"
}

@test "bookworm: compilers, interpreters, databases, servers, and what makes caches" {
	the_same languages bookworm "build-essential python3-dev default-jdk-headless postgresql redis-server golang-go php-cli ruby emacs-nox systemd
 openssh-server ca-certificates-java mariadb-server nodejs gdb fontconfig fonts-dejavu vim locales tzdata python3-django libwww-perl
 texlive-base texlive-latex-base man-db info udev dbus ssl-cert apache2 nginx postfix cron rsyslog"
}

@test "bookworm: what makes keys, registers, dictionaries and indexes" {
	the_same registers bookworm "slapd bind9 dovecot-core tor open-iscsi chrony sysstat prosody mosquitto rabbitmq-server aspell-en wamerican
 hunspell-en-us xfonts-utils xfonts-base desktop-file-utils shared-mime-info libgtk-3-bin libglib2.0-bin librsvg2-common docbook-xml
 docbook-xsl python3-numpy python3-pip python3-venv ghostscript guile-3.0 ocaml-nox sbcl maven mercurial samba-common strongswan
 cups-daemon avahi-daemon snmpd fail2ban sudo uuid-runtime"
}

@test "bookworm: more that make keys and passwords" {
	the_same secrets bookworm "dropbear munge xrdp unbound nsd freeradius corosync openvswitch-switch stunnel4 proftpd-core znc knot pdns-server
 opendkim opendmarc dovecot-imapd uwsgi-core"
}

@test "bullseye: the old ones" {
	the_same old bullseye "python2.7 python3-django openjdk-11-jre-headless postgresql openssh-server emacs-nox mariadb-server
 texlive-base fontconfig fonts-dejavu postfix ssl-cert man-db"
}

@test "trixie: the new ones" {
	the_same new trixie "build-essential python3-django default-jre-headless postgresql redis-server openssh-server vim emacs-nox mariadb-server
 texlive-latex-base fontconfig fonts-dejavu postfix ssl-cert man-db systemd udev nodejs golang-go php-cli ruby"
}

@test "the Java that comes with default-jdk-headless compiles a class and runs it" {
	debian "$dir" bookworm default-jdk-headless
	printf 'public class A { public static void main(String[] a) { System.out.println(String.join("-", a)); } }\n' >"$dir/A.java"
	run -0 devenv -q -C "$dir" run -- sh -c 'javac A.java && java A one two'
	[ "$output" = one-two ]
}

@test "Go from packages builds a program, which runs" {
	debian "$dir" bookworm golang-go
	printf 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println(6 * 7) }\n' >"$dir/a.go"
	run -0 devenv -q -C "$dir" run -- sh -c 'GOFLAGS=-mod=mod go build -o a a.go && ./a'
	[ "$output" = 42 ]
}

@test "TeX from packages: formats that come with the layer, and one that is made when it is first used" {
	debian "$dir" bookworm "texlive-latex-base texlive-luatex"
	printf '\\documentclass{article}\\begin{document}Some words\\end{document}\n' >"$dir/a.tex"
	run -0 devenv -q -C "$dir" run -- sh -c 'pdflatex -interaction=batchmode a.tex >/dev/null && head -c 5 a.pdf'
	[[ $output == *%PDF-* ]]
	run -0 devenv -q -C "$dir" run -- sh -c 'rm a.pdf; lualatex -interaction=batchmode a.tex >/dev/null 2>&1 && head -c 5 a.pdf'
	[[ $output == *%PDF-* ]]
}

@test "MariaDB from packages answers, on data of one's own" {
	debian "$dir" bookworm mariadb-server
	run -0 devenv -q -C "$dir" run -- sh -c '
		mkdir -p /tmp/m && mariadb-install-db --no-defaults --datadir=/tmp/m/data --auth-root-authentication-method=normal >/dev/null 2>&1
		mariadbd --no-defaults --datadir=/tmp/m/data --skip-networking --socket=/tmp/m/socket >/tmp/m/log 2>&1 &
		for _ in $(seq 100); do mariadb-admin --no-defaults -S /tmp/m/socket -u root ping >/dev/null 2>&1 && break; sleep 0.2; done
		mariadb --no-defaults -S /tmp/m/socket -u root -BNe "select 6 * 7"
		mariadb-admin --no-defaults -S /tmp/m/socket -u root shutdown'
	[ "$output" = 42 ]
}
