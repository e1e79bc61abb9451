#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh - what `make demo` shows: `devenv init && devenv enter` in an example project.
#
# The project is a small Django site. Its environment is made of Debian's own packages, from the mirror that this machine's
# apt uses. On a terminal you get its shell; otherwise it prints what is true inside. The project and the store stay in a
# directory of the demo's own; `demo.sh clean` removes it.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
devenv=$(cd "$here/.." && pwd)/build/devenv
demo=${XDG_CACHE_HOME:-${HOME:?}/.cache}/devenv-demo
export PATH=$PATH:/usr/sbin:/sbin
unset CI
exec 2>&1

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
[ -t 1 ] || say() { printf '==> %s\n' "$*"; }

if [ "${1:-}" = clean ]; then
	chmod -R u+rwX "$demo" 2>/dev/null || :
	rm -rf "$demo"
	exit 0
fi
[ -x "$devenv" ] || {
	echo "demo: build/devenv is missing: run \`make\` first"
	exit 1
}
command -v curl >/dev/null || "$here/deps" need curl

work=$(mktemp -d)
cleanup() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || :
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# The demo's own store and state, so that it shows a first time and leaves yours alone.
export DEVENV_STORE=$demo/store XDG_STATE_HOME=$demo/state
mkdir -p "$demo/shop"
cd "$demo/shop"
rm -f devenv.ini devenv.lock
cp -r "$here/example/." .

say "a Django project, $PWD:"
find . -type f | sed 's/^/    /'
say "devenv init"
"$devenv" init
grep -v '^;' devenv.ini | cat -s | sed 's/^/    /'

if [ -t 0 ] && [ -t 1 ] && [ "${DEVENV_DEMO:-}" != print ]; then
	say "devenv enter: try \`python3 manage.py runserver\`, leave with \`exit\`"
	"$devenv" enter || :
else
	port=$((20000 + RANDOM % 20000))
	say "devenv run: what is true inside"
	"$devenv" run -- sh -c '. /etc/os-release
		echo "    $PRETTY_NAME, $(getconf GNU_LIBC_VERSION), $(python3 --version), Django $(django-admin --version)"
		echo "    user $(id -un) ($(id -u)), directory $(pwd), $(dpkg -l | grep -c ^ii) packages"'
	say "and on this host"
	echo "    $(. /etc/os-release && echo "$PRETTY_NAME"), devenv.lock belongs to $(stat -c %U devenv.lock)"
	say "python3 manage.py runserver $port, asked from the host"
	"$devenv" run -- python3 manage.py runserver --noreload "127.0.0.1:$port" >"$work/server.log" 2>&1 </dev/null &
	server=$!
	for _ in $(seq 100); do
		curl -fsS --noproxy '*' "http://127.0.0.1:$port/" >"$work/page" 2>/dev/null && break
		sleep 0.1
	done
	grep -q "install worked successfully" "$work/page" || {
		cat "$work/server.log"
		exit 1
	}
	echo "    $(grep -o '<title>.*</title>' "$work/page")"
	say "a second command joins the running environment"
	TIMEFORMAT='    `devenv run -- true` took %R seconds'
	time "$devenv" run -- true
	say "a second checkout with the same lock finds everything made"
	cp -r . "$work/copy"
	"$devenv" -q -C "$work/copy" allow -y
	TIMEFORMAT='    its first `devenv run -- true` took %R seconds'
	time "$devenv" -C "$work/copy" run -- true
fi
say "the project is kept: cd $PWD && DEVENV_STORE=$DEVENV_STORE XDG_STATE_HOME=$XDG_STATE_HOME $devenv enter"
say "tests/demo.sh clean removes it"
