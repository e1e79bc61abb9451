#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# package.bats - make install, the Debian package, the relocatable tree: in root trees of other releases.
load support

setup_file() {
	[ "$(id -u)" = 0 ] || skip "installing packages takes root"
	command -v bwrap >/dev/null || skip "bubblewrap is not installed"
	DEBFULLNAME="devenv maintainers" DEBEMAIL=devenv@users.noreply.github.com make -s -C "$E2E_TOP" deb tarball
	DEB=$(ls "$E2E_TOP"/build/devenv_*_"$(dpkg --print-architecture)".deb)
	TARBALL=$(ls "$E2E_TOP"/build/devenv-*-"$(uname -m)".tar.gz)
	export DEB TARBALL
}

# prepare TREE: a root tree with the relocatable tree in /opt/devenv and a project in /srv/p.
prepare() {
	mkdir -p "$1"/{proc,dev,sys,tmp,root,etc,opt/devenv,srv/p,var/tmp}
	tar -xzf "$TARBALL" -C "$1/opt/devenv" --strip-components=1
	[ -e "$1/etc/passwd" ] || echo 'root:x:0:0:root:/root:/bin/sh' >"$1/etc/passwd"
	cp /etc/resolv.conf "$1/etc/resolv.conf"
	cat >"$1/srv/p/devenv.ini" <<-TEXT
		[base]
		image = $SMALL
		[sandbox]
		network = none
	TEXT
}
unpack() { # SUITE DIRECTORY
	local tar
	tar=$(TMPDIR=/var/tmp "$E2E_TOP/tests/images/rootfs" "$1") || skip "mmdebstrap made no $1 root file system"
	mkdir -p "$2"
	tar -xf "$tar" -C "$2" --exclude='./dev/*'
}
# within TREE COMMAND...: with it as the root directory, by pivoting: who was chrooted may not
# make namespaces. /proc is the host's: one with covered parts could not be mounted again inside.
within() {
	local tree=$1
	shift
	env -i HOME=/root PATH=/opt/devenv/bin:/usr/bin:/bin:/usr/sbin:/sbin TERM=dumb \
		bwrap --bind "$tree" / --dev-bind /proc /proc --dev-bind /dev /dev --perms 1777 --tmpfs /tmp --die-with-parent --chdir / -- "$@"
}
# everything a newcomer does, by the programs of the relocatable tree
first_light() {
	prepare "$1"
	run -0 within "$1" devenv version
	run -0 within "$1" devenv template ls
	[ "${#lines[@]}" -eq 6 ]
	run within "$1" devenv -C /srv/p lock
	[ "$status" -ne 0 ]
	[[ $output == *"devenv allow"* ]]
	run -0 within "$1" devenv -C /srv/p allow -y
	run -0 within "$1" devenv -C /srv/p lock
	run within "$1" devenv -C /srv/p run -- cat /etc/small
	echo "$output"
	[ "$status" -eq 0 ]
	grep -qx small <<<"$output"
	run -0 within "$1" devenv -C /srv/p status
	[[ $output == *small:gzip* ]]
}

@test "make install puts files in place, uninstall leaves none and touches no other" {
	run -0 make -s -C "$E2E_TOP" install DESTDIR="$BATS_TEST_TMPDIR/d" PREFIX=/opt/x
	for file in bin/devenv libexec/devenv/devenv-core share/man/man1/devenv.1 share/man/man5/devenv.ini.5 \
		share/bash-completion/completions/devenv share/zsh/site-functions/_devenv \
		share/fish/vendor_completions.d/devenv.fish libexec/devenv/templates/python.ini; do
		[ -s "$BATS_TEST_TMPDIR/d/opt/x/$file" ]
	done
	run -0 "$BATS_TEST_TMPDIR/d/opt/x/bin/devenv" template ls
	touch "$BATS_TEST_TMPDIR/d/opt/x/bin/other" "$BATS_TEST_TMPDIR/d/opt/x/libexec/devenv/mine"
	run -0 make -s -C "$E2E_TOP" uninstall DESTDIR="$BATS_TEST_TMPDIR/d" PREFIX=/opt/x
	run -0 find "$BATS_TEST_TMPDIR/d" -type f -printf '%P\n'
	[ "$(sort <<<"$output")" = "opt/x/bin/other
opt/x/libexec/devenv/mine" ]
	[ ! -d "$BATS_TEST_TMPDIR/d/opt/x/libexec/devenv/templates" ]
}

@test "with PREFIX=~/.local the store is as private as anywhere" {
	run -0 make -s -C "$E2E_TOP" install DESTDIR= PREFIX="$BATS_TEST_TMPDIR/home/.local"
	run -0 env -u DEVENV_STORE -u XDG_DATA_HOME HOME="$BATS_TEST_TMPDIR/home" "$BATS_TEST_TMPDIR/home/.local/bin/devenv" info
	[[ $output != *"others could read"* ]]
}

@test "lintian accepts the package" {
	command -v lintian >/dev/null || skip "lintian is not installed"
	run lintian --allow-root --fail-on error,warning "$DEB"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "apt install ./devenv.deb sets it up, purge leaves nothing" {
	tree=$BATS_TEST_TMPDIR/tree
	unpack bookworm "$tree"
	prepare "$tree"
	rm -r "$tree/opt/devenv"
	cp "$DEB" "$tree/devenv.deb"
	(cd "$tree" && find etc usr -type f) | sort >"$BATS_TEST_TMPDIR/before"
	within "$tree" apt-get update >&2
	within "$tree" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ./devenv.deb >&2
	run -0 within "$tree" sh -c "command -v devenv"
	echo "$output"
	[ "$output" = /usr/bin/devenv ]
	run within "$tree" devenv -y -C /srv/p run -- cat /etc/small
	echo "$output"
	[ "$status" -eq 0 ]
	run -0 within "$tree" devenv template ls
	within "$tree" env DEBIAN_FRONTEND=noninteractive apt-get purge -y devenv >&2
	[ -z "$(cd "$tree" && find etc usr | grep -i devenv)" ]
}

@test "the relocatable tree runs in Debian 11" {
	unpack bullseye "$BATS_TEST_TMPDIR/tree"
	first_light "$BATS_TEST_TMPDIR/tree"
}

@test "the relocatable tree runs in Debian 13" {
	unpack trixie "$BATS_TEST_TMPDIR/tree"
	first_light "$BATS_TEST_TMPDIR/tree"
}

@test "the relocatable tree runs in a root tree without any library" {
	first_light "$BATS_TEST_TMPDIR/tree"
	[ ! -e "$BATS_TEST_TMPDIR/tree/lib" ]
	[ ! -e "$BATS_TEST_TMPDIR/tree/usr/lib" ]
}

@test "the relocatable tree runs after it was moved, and by a link" {
	tree=$BATS_TEST_TMPDIR/tree
	prepare "$tree"
	mv "$tree/opt/devenv" "$tree/opt/elsewhere"
	mkdir "$tree/bin"
	ln -s /opt/elsewhere/bin/devenv "$tree/bin/devenv"
	run -0 within "$tree" /opt/elsewhere/bin/devenv template ls
	run -0 within "$tree" devenv version
}
