#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# policy.bats - which versions are locked, as apt would choose them for an image, and what `devenv update` makes of an archive that has
# gone on, or back. The archive is a few lines of text, signed with a key that is thrown away; nothing of it is ever installed.

load support

setup() {
	local program
	for program in gpg gpgv; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
	dir=$BATS_TEST_TMPDIR/project
	W=$BATS_TEST_TMPDIR/www
	own_store
	export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config GNUPGHOME=$BATS_RUN_TMPDIR/k XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
	mkdir -p "$W" "$dir" "$XDG_CONFIG_HOME"
	if [ ! -e "$GNUPGHOME" ]; then
		mkdir -m 700 "$GNUPGHOME"
		gpg --batch --passphrase '' --quick-gen-key t@example.org ed25519 sign never 2>&1
	fi
	/usr/bin/python3 -B "$E2E_SOURCE/archive_server.py" "$W" "$BATS_TEST_TMPDIR/port" "$BATS_TEST_TMPDIR/log" "$BATS_TEST_TMPDIR/rules" \
		3>&- 4>&- </dev/null >"$BATS_TEST_TMPDIR/err" 2>&1 &
	SERVER=$!
	wait_for 20 test -e "$BATS_TEST_TMPDIR/port"
	MIRROR=http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")
}

teardown() {
	[ -z "${SERVER:-}" ] || kill "$SERVER"
	gpgconf --kill gpg-agent 2>/dev/null || :
}

hash_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# offer SUITE "FIELDS" COMPONENT:NAME=VERSION[:DEPENDS]...: a suite with these packages and no others. Component "here": main, and not
# for arm64.
offer() {
	local suite=$W/dists/$1 fields=$2 name component rest version depends file
	CLOCK=$((${CLOCK:-0} + 1))
	rm -rf "$suite"
	mkdir -p "$suite"/{main,contrib}/binary-{amd64,arm64}
	for file in "$suite"/*/*; do
		: >"$file/Packages"
	done
	shift 2
	for rest; do
		component=${rest%%:*} rest=${rest#*:}
		name=${rest%%=*} rest=${rest#*=}
		version=${rest%%:*} depends=
		[[ $rest != *:* ]] || depends=${rest#*:}
		printf 'Package: %s\nVersion: %s\nArchitecture: all\n%sFilename: pool/%s_%s.deb\nSize: 9\nSHA256: %s\n\n' "$name" "$version" \
			"${depends:+Depends: $depends$'\n'}" "$name" "$version" "$(echo "$name $version ${BUILD:-1}" | sha256sum | cut -d ' ' -f 1)" \
			>"$suite/stanza"
		cat "$suite/stanza" >>"$suite/${component/here/main}/binary-amd64/Packages"
		[ "$component" = here ] || cat "$suite/stanza" >>"$suite/$component/binary-arm64/Packages"
	done
	{
		printf 'Origin: Debian\nSuite: %s\nCodename: %s\nArchitectures: amd64 arm64\nComponents: main contrib\n' "${suite##*/}" "${suite##*/}"
		printf 'Date: %s\n%sSHA256:\n' "$(LC_ALL=C date -u -d "@$(($(date +%s) - 1000 + CLOCK))" '+%a, %d %b %Y %H:%M:%S UTC')" "$fields"
		for file in {main,contrib}/binary-{amd64,arm64}; do
			file=$file/Packages
			printf ' %s %s %s\n' "$(hash_of "$suite/$file")" "$(stat -c %s "$suite/$file")" "$file"
		done
	} >"$suite/Release"
	gpg --batch --yes --clearsign -o "$suite/InRelease" "$suite/Release"
}

# image "STATUS" ["PREFERENCES"]: the project stands on an image whose dpkg and apt say this
image() {
	local root=$BATS_TEST_TMPDIR/root
	rm -rf "$root" "$dir/devenv.lock"
	mkdir -p "$root"/{etc/apt/preferences.d,etc/apt/trusted.gpg.d,var/lib/dpkg}
	printf 'deb %s %s main\n' "$MIRROR" bookworm "$MIRROR" bookworm-backports "$MIRROR" experimental >"$root/etc/apt/sources.list"
	gpg --export >"$root/etc/apt/trusted.gpg.d/t.gpg"
	printf '%b' "$1" >"$root/var/lib/dpkg/status"
	[ -z "${2:-}" ] || printf '%b' "$2" >"$root/etc/apt/preferences.d/own.pref"
	tar -C "$root" -cf "$dir/root.tar" .
}

wants() { # PACKAGES [LINE...]
	printf '%s\n' '[base]' 'archive = root.tar' '[packages]' "apt = $1" "${@:2}" >"$dir/devenv.ini"
	devenv -q -C "$dir" allow -y
}

version_of() { sed -n "/^\[package\.amd64\.$1\]/,/^\$/s/^version = //p" "$dir/devenv.lock"; }

installed() { printf 'Package: %s\\nVersion: %s\\nStatus: %s ok installed\\nArchitecture: all\\n\\n' "$1" "$2" "${3:-install}"; }

only_amd64() { [ "$(uname -m)" = x86_64 ] || skip "the archive of this test is for amd64"; }

three_suites() {
	offer bookworm "" main:app=1:lib main:lib=1 "main:new=1:lib (>= 1)"
	offer bookworm-backports $'NotAutomatic: yes\nButAutomaticUpgrades: yes\n' main:app=2 main:lib=2 main:only-back=1
	offer experimental $'NotAutomatic: yes\n' main:app=3 main:lib=3
}

@test "an image's apt decides: backports and experimental only when asked for, its preferences, what it holds" {
	only_amd64
	three_suites
	image ""
	wants "app only-back"
	devenv -q -C "$dir" lock
	[ "$(version_of app) $(version_of lib) $(version_of only-back)" = "1 1 1" ]
	wants "app=2 lib=3"
	devenv -q -C "$dir" lock
	[ "$(version_of app) $(version_of lib)" = "2 3" ]

	# what isn't understood is said by file and line; the rest holds
	image "" 'Package: app\nPin: release n=bookworm-backports\nPin-Priority: 900\n\nPackage: /^l/\nPin: version 3\nPin-Priority: 900\n'
	wants "app lib"
	run -0 devenv -C "$dir" lock
	[[ $output = *"/etc/apt/preferences.d/own.pref:5 of the image: this preference is left out"*"/^l/"* ]]
	[ "$(version_of app) $(version_of lib)" = "2 1" ]

	image "$(installed lib 0.5 hold)"
	wants "app"
	devenv -q -C "$dir" lock
	[ "$(version_of app)$(version_of lib)" = 1 ]
	wants "new"
	run -1 devenv -C "$dir" lock
	[[ $output = *"new can't be installed: new 1 needs lib (>= 1), and lib is held at 0.5 by the image (apt-mark hold)"* ]]
}

@test "update: withdrawn, rebuilt or damaged: what the archive has now counts, and it is told" {
	only_amd64
	three_suites
	offer bookworm "" main:app=1.5:lib main:lib=1
	image ""
	wants "app"
	devenv -q -C "$dir" lock
	cp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/first"
	offer bookworm "" main:app=1.4:lib main:lib=1
	devenv -q -C "$dir" lock # nothing is asked, nothing moves
	cmp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/first"
	run -0 devenv -C "$dir" update app
	[[ $output = *"app 1.5 "*" 1.4"* ]]
	[ "$(version_of app) $(version_of lib)" = "1.4 1" ]
	BUILD=2 offer bookworm "" main:app=1.4:lib main:lib=1
	run -0 devenv -C "$dir" update app
	[[ $output = *"app 1.4 sha256:"*" 1.4 sha256:"* ]]
	[[ $output != *lib* ]]
	devenv -q -C "$dir" update lib
	sed -i '/^\[package\.amd64\.lib\]/,/^$/s/^size = .*/size = 7/' "$dir/devenv.lock"
	run -0 devenv -C "$dir" update lib
	[[ $output = *"lib 1 of 7 bytes "*" 1 of 9 bytes"* ]]
	run -0 devenv -C "$dir" update
	[[ $output = *"up to date"* ]]
	cp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/first"
	# nobody can be asked
	run -1 devenv --offline -C "$dir" update
	[[ $output = *"nobody was asked what there is now"* ]]
	cmp "$dir/devenv.lock" "$BATS_TEST_TMPDIR/first"
	# what isn't named stays, though the archive has forgotten it
	offer bookworm "" "main:app=1.6:lib (>= 2)" main:lib=3
	run -0 devenv -C "$dir" update lib
	[ "$(version_of app) $(version_of lib)" = "1.4 3" ]
}

@test "a name that is unknown is asked for before that is said; what another component or architecture has is told" {
	only_amd64
	three_suites
	image ""
	wants "app"
	devenv -q -C "$dir" lock
	offer bookworm "" main:app=1:lib main:lib=1 main:fresh=1 contrib:beside=1
	wants "app fresh"
	devenv -q -C "$dir" lock
	[ "$(version_of fresh)" = 1 ]
	wants "app beside nothing-like-it frehs"
	run -1 devenv -C "$dir" lock
	[[ $output = *"devenv.ini:4: [packages] apt: beside is in the component contrib"*"there are no packages 'frehs', 'nothing-like-it'"* ]]
	[[ $output = *"did you mean 'fresh' for 'frehs'?"* ]]
}

@test "a package of one architecture only is told with what to do; a platform that is named no more leaves the lock" {
	only_amd64
	offer bookworm "" main:apt=1 main:tool=1 here:gcc-multilib=1
	offer bookworm-updates ""
	offer bookworm-security ""
	mkdir -p "$XDG_CONFIG_HOME/devenv"
	gpg --export >"$BATS_TEST_TMPDIR/keys.gpg"
	printf '%s\n' '[debian]' "mirror = $MIRROR" "security = $MIRROR" "keyring = $BATS_TEST_TMPDIR/keys.gpg" >"$XDG_CONFIG_HOME/devenv/config.ini"
	both() {
		printf '%s\n' '[base]' 'debian = bookworm' '[packages]' "apt = $1" '[devenv]' "platforms = $2" >"$dir/devenv.ini"
		devenv -q -C "$dir" allow -y
	}
	both "tool gcc-multilib" "linux/amd64 linux/arm64"
	run -1 devenv -C "$dir" lock
	[[ $output = *"devenv.ini:4: [packages] apt: bookworm has no gcc-multilib for arm64: it is there for amd64"* ]]
	[[ $output = *"take linux/arm64 out of platforms in [devenv]"* ]]
	both "tool" "linux/amd64 linux/arm64"
	devenv -q -C "$dir" lock
	[ "$(grep -c '^\[package\.arm64\.' "$dir/devenv.lock")" -eq 2 ]
	both "tool" "linux/amd64"
	run -0 devenv -C "$dir" lock
	[[ $output = *"base (linux/arm64) 1 package "*" removed"* ]]
	[[ $output = *"tool (linux/arm64) 1 "*" removed"* ]]
	[ "$(grep -c '^\[package\.arm64\.' "$dir/devenv.lock")" -eq 0 ]
	[ "$(grep -c '^\[package\.amd64\.' "$dir/devenv.lock")" -eq 2 ]
	# a package of the base in another version: the base moves
	offer bookworm "" main:apt=1 main:apt=2 main:tool=1
	both "tool apt=2" "linux/amd64"
	run -0 devenv -C "$dir" lock
	[[ $output = *"apt 1 "*" 2"* ]]
	both "tool apt=3" "linux/amd64"
	run -1 devenv -C "$dir" lock
	[[ $output = *"there is no version 3 of apt; there are 2, 1"* ]]
}
