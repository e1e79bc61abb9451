#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# root.bats - `run --root` with the one id there is: package managers and what else gives files away.
load support

setup_file() {
	P=$BATS_FILE_TMPDIR/project
	export P
	ready "$P" "image = $DJANGO"
}

# debian SUITE: a project on an unchanged root file system of that release, whose sources.list names the mirror of this
# machine; the options that its apt needs for it come along.
debian() {
	local tar
	tar=$(tr ' ' '\n' <<<"$E2E_DEBIANS" | grep -- "/rootfs-$1-") || skip "mmdebstrap made no $1 root file system"
	D=$BATS_TEST_TMPDIR/$1
	ready "$D" "archive = $tar" $'[sandbox]\nnetwork = host\nscratch = disk'
	apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) "[^"]' >"$D/apt.conf" || :
}
as_root() { # SCRIPT
	devenv -C "$D" run --root -e APT_CONFIG="$D/apt.conf" -e DEBIAN_FRONTEND=noninteractive -- sh -euc "$1"
}
install_and_check() { # SUITE PACKAGES CHECK
	debian "$1"
	run as_root "{ apt-get -q update && apt-get -qy install --no-install-recommends $2; } >log 2>&1 || { cat log; exit 1; }
		test -z \"\$(dpkg --audit)\"
		$3"
	echo "$output"
	[ "$status" -eq 0 ]
	run grep -E '^(W|E):' "$D/log"
	echo "$output"
	[ "$status" -eq 1 ]
}

@test "apt-get install with accounts, setuid and setgid files in bookworm" {
	install_and_check bookworm "cron dbus man-db openssh-client postgresql-client rsync" '
		getent passwd messagebus
		getent group crontab _ssh
		test -g /usr/bin/crontab
		test -u /usr/lib/dbus-1.0/dbus-daemon-launch-helper
		ssh -V
		man --version
		mkdir /srv/from && useradd --create-home somebody && install -o somebody -g crontab -m 2750 /etc/hostname /srv/from/f
		rsync -a --chown=somebody:crontab /srv/from/ /srv/to && test -g /srv/to/f
		apt-get -qy purge cron >/dev/null 2>&1
		test ! -e /usr/bin/crontab'
}

@test "apt-get install in bullseye" {
	install_and_check bullseye "cron dbus openssh-client" 'getent passwd messagebus; test -g /usr/bin/crontab; ssh -V'
}

@test "apt-get install in trixie" {
	install_and_check trixie "cron dbus openssh-client" 'getent passwd messagebus; test -u /usr/lib/dbus-1.0/dbus-daemon-launch-helper; ssh -V'
}

@test "files are given away in name only" {
	run -0 devenv -C "$P" run --root -- sh -euc '
		cd /srv
		useradd --create-home somebody
		touch f && chown somebody:somebody f && chown 12345:12345 f && chown -h 1:1 f && stat -c %u:%g f
		install -d -o somebody -m 1777 dir && install -o somebody -g daemon -m 4755 /bin/true dir/true && stat -c "%u:%g %a" dir/true
		python3 -c "
import io, tarfile
t = tarfile.open(\"t.tar\", \"w\")
i = tarfile.TarInfo(\"of-others\"); i.uid, i.gid, i.mode = 4000, 4001, 0o6711
t.addfile(i)"
		tar -xpf t.tar && stat -c "%u:%g %a" of-others
		python3 -c "import os; os.fchown(os.open(\"f\", os.O_RDONLY), 77, 78)"'
	[ "$output" = $'0:0\n0:0 4755\n0:0 6711' ]
}

@test "nobody is made to believe that ids were changed" {
	run -0 devenv -C "$P" run --root -- python3 -c '
import errno, os
for call in (lambda: os.setuid(1000), lambda: os.setgid(1000), lambda: os.setresuid(33, 33, 33), lambda: os.setgroups([])):
    try:
        call()
        print("believed")
    except OSError as e:
        print(errno.errorcode[e.errno])
print(os.getresuid())'
	[ "$output" = $'EINVAL\nEINVAL\nEINVAL\nEPERM\n(0, 0, 0)' ]
	run devenv -C "$P" run --root -- su daemon -s /bin/sh -c 'echo stepped down'
	[ "$status" -ne 0 ]
	[[ $output != *"stepped down"* ]]
}

@test "an ordinary session can't give files away" {
	[ "$E2E_IDENTITY" != root ] || skip "root is root"
	run -1 devenv -C "$P" run -- sh -c 'touch /tmp/f && chown 12345 /tmp/f'
	[[ $output == *[Ii]"nvalid argument"* || $output == *"not permitted"* ]]
}

@test "user = root, and the user of an image that is root" {
	ready "$BATS_TEST_TMPDIR/root" "image = $DJANGO" $'[workspace]\nuser = root\n[sandbox]\nnetwork = none'
	run -0 devenv -C "$BATS_TEST_TMPDIR/root" run -- sh -c 'touch /srv/f && chown 12345:54321 /srv/f'
	run -0 devenv run --image "$DJANGO" -- sh -c 'touch /srv/f && chown 12345:54321 /srv/f'
}

@test "what apt is told stands only where there is an apt" {
	run -0 devenv -C "$P" run --root -- cat /etc/apt/apt.conf.d/99devenv
	[[ $output == *'APT::Sandbox::User "root";'* ]]
	run -0 devenv run --image "$SMALL" -- sh -c '[ ! -e /etc/apt ] && echo none'
	[ "${lines[-1]}" = none ]
}

@test "started as real root: no capability, nothing of the kernel can be written, and it is said" {
	[ "$E2E_IDENTITY" = root ] || skip "takes real root"
	run -0 devenv -C "$P" run -- sh -c '
		grep -E "^(Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs)" /proc/self/status | tr -d "\t0 "
		for file in sys/kernel/core_pattern sys/vm/drop_caches sys/kernel/hostname sysrq-trigger; do
			(echo 1 >/proc/$file) 2>/dev/null && echo "wrote $file"
		done
		chown 12345 /tmp 2>/dev/null && echo chowned; true'
	[ "$output" = $'CapPrm:\nCapEff:\nCapBnd:\nCapAmb:\nNoNewPrivs:1' ]
	run -0 devenv -C "$P" run --root -- sh -c '
		for file in sys/kernel/core_pattern sys/vm/drop_caches sys/kernel/hostname sysrq-trigger; do
			(echo 1 >/proc/$file) 2>/dev/null && echo "wrote $file"
		done; true'
	[ "$output" = "" ]
	run -0 devenv -C "$P" config --plan
	tr -s " \n" " " <<<"$output" | grep -q "uid 0 and gid 0 inside are uid $(outside_id uid) of this machine, who owns nothing;"
	run devenv doctor
	[[ $output == *"you are root; sessions have no capabilities, and uid 0 inside is uid $(outside_id uid) of this machine"* ]]
}

@test "config --plan says what owners are worth" {
	run -0 devenv -C "$P" config --plan
	[[ $output == *"whose chown succeeds in name only"* ]]
}
