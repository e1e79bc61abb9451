# SPDX-License-Identifier: Apache-2.0
# bootstrap.bash - Debian root file systems by mmdebstrap, from the mirror this machine's apt uses.

# Options of the host's apt that decide whether its mirror can be reached and believed.
apt_options() {
	apt-config dump 2>/dev/null |
		grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date) "[^"]' || :
}

# How to become root in a root file system without being root: subordinate ids when there are some, else sudo, else
# fakechroot.
bootstrap_mode() {
	if [ "$(id -u)" = 0 ]; then
		echo root
	elif command -v newuidmap >/dev/null && grep -q "^$(id -un):" /etc/subuid 2>/dev/null && unshare -U true 2>/dev/null; then
		echo unshare
	elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 2 ] && sudo -v; }; }; then
		echo sudo
	elif command -v fakechroot >/dev/null && command -v fakeroot >/dev/null; then
		echo fakechroot
	else
		echo none
	fi
}

# bootstrap SUITE PACKAGES OUT.tar: `here` is this directory.
bootstrap() {
	local suite=$1 include=$2 out=$3 sources mode prefix=() options=() line
	sources=$(/usr/bin/python3 "$here/apt_sources.py" "$suite")
	mode=$(bootstrap_mode)
	if [ "$mode" = sudo ]; then
		prefix=(sudo)
		mode=root
	fi
	while IFS= read -r line; do
		[ -n "$line" ] && options+=("--aptopt=${line%;}")
	done < <(apt_options)
	${prefix[@]+"${prefix[@]}"} mmdebstrap --quiet --mode="$mode" --variant=minbase --include="$include" \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		--customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap' \
		${options[@]+"${options[@]}"} "$suite" - ${sources:+"$sources"} </dev/null >"$out"
}
