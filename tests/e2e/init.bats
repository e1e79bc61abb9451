#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# init.bats - the first minutes with a project of one's own: init in sample trees, templates, what they run.
load support

setup_file() {
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store XDG_STATE_HOME=$BATS_FILE_TMPDIR/state
	export XDG_CACHE_HOME=$BATS_FILE_TMPDIR/cache TEMPLATES=$E2E_BIN/../libexec/devenv/templates
}
setup() {
	P=$BATS_TEST_TMPDIR/project
	mkdir -p "$P"
	cd "$P"
}
teardown() {
	terminal_stop
}

# stand_in LINE: the image of devenv.ini is one of a public registry; this base of the test takes its place.
stand_in() {
	sed -i "s|^image = .*|$1|" devenv.ini
}
on_languages() {
	languages
	stand_in "archive = $E2E_LANGUAGES"
}

@test "template ls names six, each with a summary and a smoke command" {
	run -0 devenv template ls
	[ "${#lines[@]}" -eq 6 ]
	for line in "${lines[@]}"; do
		name=${line%% *}
		grep -q '^; summary: .' "$TEMPLATES/$name.ini"
		grep -q '^; smoke: .' "$TEMPLATES/$name.ini"
	done
	run -0 devenv template ls --json
	/usr/bin/python3 -c 'import json, sys
d = json.load(sys.stdin)
assert d["schema"] == 1 and len(d["templates"]) == 6, d' <<<"$output"
}

smoke() { # TEMPLATE
	run -0 devenv init "$1"
	on_languages
	command=$(sed -n 's/^; smoke: //p' "$TEMPLATES/$1.ini")
	run -0 --separate-stderr devenv -y run -- sh -c "$command"
	[ -n "$output" ]
	echo "$1: $output"
}
@test "the python template runs python" { smoke python; }
@test "the django template runs python" { smoke django; }
@test "the node template runs node" { smoke node; }
@test "the go template runs go" { smoke go; }
@test "the rust template runs cargo" { smoke rust; }
@test "the c template runs a compiler" { smoke c; }

@test "a template is entered, and its shell finds what the template promises" {
	devenv -q init python
	on_languages
	devenv -q -y run -- true
	terminal_start
	terminal_type "cd '$P' && devenv enter"
	terminal_type 'python3 --version; echo "buffered: $PYTHONUNBUFFERED"; echo "path: $PATH"'
	terminal_wait '^Python 3'
	terminal_wait '^buffered: 1'
	terminal_wait "^path: $P/.venv/bin"
	terminal_type 'exit'
	terminal_wait '^host> '
	terminal_stop
}

@test "the c template compiles and runs a program" {
	devenv -q init c
	on_languages
	printf '#include <stdio.h>\nint main(void) { puts("hello from inside"); return 0; }\n' >hello.c
	run -0 --separate-stderr devenv -y run -- sh -c 'make hello && ./hello'
	[[ $output == *"hello from inside"* ]]
	[[ $output == *-Wall* ]] # [env] of the template
}

@test "the go template compiles a program, and what it caches stays" {
	devenv -q init go
	on_languages
	printf 'module a\n\ngo 1.19\n' >go.mod
	printf 'package main\n\nfunc main() { println("hello") }\n' >main.go
	run -0 --separate-stderr devenv -y run -e GOPATH=/go -- sh -c 'go run . && touch /go/kept'
	run -0 devenv run -- ls /go/kept
}

django_project() {
	printf '# no packages: nothing is fetched\n' >requirements.txt
	printf "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n" >manage.py
	run -0 --separate-stderr devenv init
	[[ $stderr == *"Python and Django (requirements.txt is here)"* ]]
	grep -q '^DJANGO_SETTINGS_MODULE = shop.settings$' devenv.ini
	run -0 devenv allow --show # what was made here counts as allowed
	[[ $output != *"not granted"* ]]
}

@test "init in a Django project: written, allowed, set up, entered" {
	django_project
	on_languages
	devenv -q allow -y
	run -0 --separate-stderr devenv run -- sh -c 'command -v python; echo "$DJANGO_SETTINGS_MODULE"'
	[ "$output" = "$P/.venv/bin/python"$'\nshop.settings' ]
	# half of it is lost: made again when the setup runs again
	rm -r .venv/lib
	echo '# changed' >>requirements.txt
	run -0 --separate-stderr devenv run -- python -m pip --version
	[[ $output == pip*"$P/.venv"* ]]
}

@test "an image whose python can make no virtual environment says so, each time" {
	django_project
	stand_in "image = $DJANGO" # Debian's, without python3-venv
	devenv -q allow -y
	for time in first second; do
		run --separate-stderr devenv run -- python3 -c 'print("not reached")'
		[ "$status" -ne 0 ]
		[[ $output$stderr == *"python3-venv"* ]]
		[[ $stderr == *"the setup, [setup] run, ended with status 1"* ]]
		[[ $output != *"not reached"* ]]
	done
	sed -i '/^\[setup\]/,/^$/d' devenv.ini
	run -0 --separate-stderr devenv run -- /usr/bin/python3 -c 'import django, os; print(os.environ["DJANGO_SETTINGS_MODULE"])'
	[ "$output" = shop.settings ]
}

@test "every file that init writes is read by every command that reads one" {
	for marker in requirements.txt pyproject.toml uv.lock poetry.lock Pipfile package.json pnpm-lock.yaml yarn.lock \
		go.mod Cargo.toml CMakeLists.txt Makefile README; do
		mkdir "tree-$marker"
		: >"tree-$marker/$marker"
		devenv -q -C "tree-$marker" init
		run -0 devenv -C "tree-$marker" config
		run -0 devenv -C "tree-$marker" status
		run -0 devenv -C "tree-$marker" allow --show
		[[ $output != *"not granted"* ]]
	done
}

@test "init --from copies a file, and what somebody else wrote is asked for" {
	mkdir -p ../theirs
	printf '[base]\nimage = %s\n[sandbox]\nnetwork = host\n' "$SMALL" >../theirs/devenv.ini
	run -0 devenv init --from ../theirs
	cmp devenv.ini ../theirs/devenv.ini
	run --separate-stderr devenv run -- true
	complaint 125 'not allowed|allow'
	command -v git >/dev/null || return 0
	rm devenv.ini
	git init -q ../envs
	mkdir ../envs/base
	printf '[base]\nimage = %s\n' "$SMALL" >../envs/base/a.ini
	git -C ../envs add .
	git -C ../envs -c user.name=a -c user.email=a@localhost commit -q -m one
	run -0 devenv init --from "git+file://$(cd ../envs && pwd)#HEAD:base/a.ini"
	cmp devenv.ini ../envs/base/a.ini
	rm devenv.ini
	run --separate-stderr devenv init --from "git+file://$(cd ../envs && pwd)#HEAD:base/b.ini"
	complaint 1 'there is no base/b.ini'
}

@test "init: what is wrong is said in one line" {
	run --separate-stderr devenv init pyton
	complaint 1 "no template 'pyton'"
	[[ $stderr == *"did you mean 'python'?"* ]]
	run --separate-stderr devenv init --from /nowhere
	complaint 1 "can't use '/nowhere'"
	touch devenv.ini
	run --separate-stderr devenv init python
	complaint 1 "never overwrites"
	rm devenv.ini
	mkdir locked
	chmod 500 locked
	if [ "$(id -u)" -ne 0 ]; then
		run --separate-stderr devenv -C locked init
		complaint 1 "can't write .*locked/devenv.ini"
	fi
	chmod 700 locked
}
