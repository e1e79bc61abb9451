#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh - what `make demo` shows: a Django project on a real image, entered.
#
# Makes the test images (Debian by mmdebstrap from the mirror this machine's apt uses), starts a registry on loopback,
# writes an example project and enters it. On a terminal you get its shell; otherwise it prints what is true inside.
# The project and the store stay in a directory of the demo's own; `demo.sh clean` removes it.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
devenv=$(cd "$here/.." && pwd)/build/devenv
. "$here/images/registry.bash"
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

missing=()
for program in mmdebstrap skopeo docker-registry curl zstd; do # the packages are called like the programs
	command -v "$program" >/dev/null || missing+=("$program")
done
"$here/deps" need ${missing[@]+"${missing[@]}"}
images=$("$here/images/build")
mkdir -p "$demo/shop"
work=$(mktemp -d)
cleanup() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || :
	registry_stop
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
registry_start "$images/registry" "$work"

# The demo's own store and state, so that it shows a first time and leaves yours alone.
export DEVENV_STORE=$demo/store XDG_STATE_HOME=$demo/state
cd "$demo/shop"
rm -f devenv.ini devenv.lock
cat >devenv.ini <<-END
	[base]
	image = $REGISTRY/django:3.2

	[sandbox]
	network = host
END
say "a project, $PWD, with this devenv.ini:"
sed 's/^/    /' devenv.ini

say "devenv allow, lock, pull"
"$devenv" allow -y
"$devenv" lock
"$devenv" pull
[ -e manage.py ] || "$devenv" run -- django-admin startproject shop .

if [ -t 0 ] && [ -t 1 ] && [ "${DEVENV_DEMO:-}" != print ]; then
	say "devenv enter: try \`python3 manage.py runserver\`, leave with \`exit\`"
	"$devenv" enter || :
else
	port=$(free_port)
	say "what is true inside"
	"$devenv" run -- sh -c '. /etc/os-release
		echo "    $PRETTY_NAME, $(getconf GNU_LIBC_VERSION), $(python3 --version), Django $(django-admin --version)"
		echo "    user $(id -un) ($(id -u)), directory $(pwd)"'
	say "and on this host"
	echo "    $(. /etc/os-release && echo "$PRETTY_NAME"), manage.py belongs to $(stat -c %U manage.py)"
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
	say "and any other image, without a project: devenv run --image $REGISTRY/python2:2.7"
	"$devenv" run --image "$REGISTRY/python2:2.7" -- sh -c '. /etc/os-release
		echo "    $PRETTY_NAME, $(getconf GNU_LIBC_VERSION), $(python2.7 --version 2>&1)"'
fi
say "the project is kept: cd $PWD && DEVENV_STORE=$DEVENV_STORE XDG_STATE_HOME=$XDG_STATE_HOME $devenv enter"
say "tests/demo.sh clean removes it"
