#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# extends.bats - configuration shared by files and by git: merged, asked for, locked, had offline; devenv.local.ini; clone.
load support

setup() {
	command -v git >/dev/null || skip "git is not installed"
	own_store
	export DEVENV_STORE=$BATS_FILE_TMPDIR/store
	export HOME=$BATS_TEST_TMPDIR/home
	P=$BATS_TEST_TMPDIR/p R=$BATS_TEST_TMPDIR/repos
	mkdir -p "$HOME" "$P" "$R"
	git config --global user.name n
	git config --global user.email e@example.org
	git config --global init.defaultBranch main
	git init -q --bare "$R/envs"
	git clone -q "$R/envs" "$BATS_TEST_TMPDIR/author" 2>/dev/null
	mkdir "$BATS_TEST_TMPDIR/author/base"
	publish base/base.ini "[base]
image = $SMALL
[sandbox]
network = none
[env]
FROM = first"
}
teardown() {
	server_stop
	terminal_stop
}

publish() { # FILE TEXT: a commit on main
	printf '%s\n' "$2" >"$BATS_TEST_TMPDIR/author/$1"
	git -C "$BATS_TEST_TMPDIR/author" add .
	git -C "$BATS_TEST_TMPDIR/author" commit -q -m change
	git -C "$BATS_TEST_TMPDIR/author" push -q origin HEAD:main
}
head_of() {
	git -C "$R/envs" rev-parse main
}

serve() { # [USER:PASSWORD]
	GIT_LOG=$BATS_TEST_TMPDIR/git.log
	rm -f "$BATS_TEST_TMPDIR/port"
	/usr/bin/python3 -B "$E2E_SOURCE/git_server.py" "$R" "$BATS_TEST_TMPDIR/port" "$GIT_LOG" "$@" \
		3>&- 4>&- </dev/null >"$BATS_TEST_TMPDIR/server.err" 2>&1 &
	SERVER_PID=$!
	wait_for 20 test -e "$BATS_TEST_TMPDIR/port"
	URL=git+http://127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")/envs
}
server_stop() {
	[ -z "${SERVER_PID:-}" ] || kill "$SERVER_PID" 2>/dev/null || :
	[ -z "${SERVER_PID:-}" ] || wait "$SERVER_PID" 2>/dev/null || :
	SERVER_PID=
}

@test "a file of the project: base first, project last, lists merged, and where each line is from" {
	mkdir "$P/envs"
	printf '[base]\nimage = %s\n[sandbox]\nnetwork = none\n[env]\nA = base\nB = base\n[workspace]\npath = one two\n' \
		"$SMALL" >"$P/envs/base.ini"
	printf '[devenv]\nextends = envs/base.ini\n[env]\nB = project\n[workspace]\npath = !one three\n' >"$P/devenv.ini"
	run -0 devenv -C "$P" config
	grep -Eq '^A = base +; envs/base.ini:6$' <<<"$output"
	grep -Eq '^B = project +; devenv.ini:4$' <<<"$output"
	grep -Eq '^ +two +; envs/base.ini:9$' <<<"$output"
	grep -Eq '^ +three +; devenv.ini:6$' <<<"$output"
	grep -Eq '^persist = no +; default$' <<<"$output"
	! grep -qw one <<<"$output" || false
	run -0 devenv -C "$P" config --json
	[ "$(jq -r '.origins.base.image' <<<"$output")" = envs/base.ini:2 ]
	run -0 --separate-stderr devenv -C "$P" run -y -- sh -c 'echo $A $B; echo $PATH'
	[ "${lines[0]}" = "base project" ]
	[[ ${lines[1]} == "$P/two:$P/three:"* ]]
	# the base is an input like devenv.ini itself
	sed -i 's/A = base/A = changed/' "$P/envs/base.ini"
	run -0 --separate-stderr devenv -C "$P" run -- sh -c 'echo $A'
	[ "$output" = changed ]
}

@test "mistakes are named in the file that makes them; cycles and depth too" {
	mkdir "$P/envs"
	printf '[devenv]\nextends = envs/base.ini\n' >"$P/devenv.ini"
	printf '[base]\nimgae = x\n' >"$P/envs/base.ini"
	run --separate-stderr devenv -C "$P" config
	complaint 1 "^devenv: envs/base.ini:2: unknown key 'imgae'"
	printf '[devenv]\nextends = ../devenv.ini\n' >"$P/envs/base.ini"
	run --separate-stderr devenv -C "$P" config
	complaint 1 'envs/base.ini:2: .*circle: devenv.ini → envs/base.ini → devenv.ini'
	printf '[devenv]\nextends = ../../x.ini\n' >"$P/envs/base.ini"
	run --separate-stderr devenv -C "$P" config
	complaint 1 "envs/base.ini:2: .*leads out of the project"
	printf '[devenv]\nextends = /etc/x.ini\n' >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" config
	complaint 1 "devenv.ini:2: .*relative"
}

@test "git: nothing is fetched before it is allowed, and the powers of what came are asked for too" {
	serve
	publish base/base.ini "[base]
image = $SMALL"
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "is not allowed yet; it asks for: fetch: git.http://127.0.0.1:[0-9]+/envs#main:base/base.ini"
	for command in status lock pull 'allow --show' config 'lock --check'; do
		run devenv -C "$P" $command
		[[ $output == *"$URL#main:base/base.ini"* ]] || [[ $output == *extends.* ]]
	done
	[ ! -s "$GIT_LOG" ]
	run -0 devenv -C "$P" allow -y
	[ ! -e "$P/devenv.lock" ]
	run -0 devenv -C "$P" lock
	run -0 devenv -C "$P" allow --show
	grep -Eq '^ +granted +fetch: ' <<<"$output"
	grep -Eq '^ +granted +network: ' <<<"$output"
	run -0 --separate-stderr devenv -C "$P" run -- cat /etc/small
	[ "$output" = "small" ]
	grep -q '^commit = ' "$P/devenv.lock"
}

@test "git: a moved branch changes nothing until update, which prints old and new; offline from the cache" {
	serve
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	run -0 devenv -C "$P" allow -y
	run -0 devenv -C "$P" lock
	old=$(head_of)
	grep -qx "commit = $old" "$P/devenv.lock"
	grep -qx "request = $URL#main:base/base.ini" "$P/devenv.lock"
	grep -q '^content = sha256:' "$P/devenv.lock"
	run -0 devenv -C "$P" lock --check
	publish base/base.ini "[base]
image = $SMALL
[sandbox]
network = none
[env]
FROM = second"
	run -0 --separate-stderr devenv -C "$P" run -- sh -c 'echo $FROM'
	[ "$output" = first ]
	run -0 devenv -C "$P" lock
	[[ $output != *→* ]]
	run -0 devenv -C "$P" update
	new=$(head_of)
	[[ $output == *"${old:0:12}"*→*"${new:0:12}"* ]]
	run -0 --separate-stderr devenv -C "$P" run -- sh -c 'echo $FROM'
	[ "$output" = second ]
	server_stop
	touch "$P/devenv.ini"
	printf '; more\n' >>"$P/devenv.ini"
	run -0 --separate-stderr devenv -C "$P" --offline run -- sh -c 'echo $FROM'
	[ "$output" = second ]
	serve
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	run -0 --separate-stderr devenv -v --json -C "$P" lock -y
	[ "$(jq -r '.changes[] | select(.before == null) | "\(.after) \(.index_after)"' <<<"$output")" = "$new null" ]
	server_stop
	rm -rf "$XDG_CACHE_HOME/devenv"
	printf '; more\n' >>"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" --offline run -- true
	complaint 125 'http://127.0.0.1:[0-9]+/envs would have to be fetched, and --offline'
}

@test "git: a fresh clone with a lock gets what the lock says, not what the branch says" {
	serve
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	run -0 devenv -C "$P" allow -y
	run -0 devenv -C "$P" lock
	publish base/base.ini "[base]
image = nobody/nothing"
	cp -r "$P" "$P.other"
	export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache2 XDG_STATE_HOME=$BATS_TEST_TMPDIR/state2
	run -0 --separate-stderr env CI=true devenv -C "$P.other" run -y -- sh -c 'echo $FROM'
	[ "$output" = first ]
}

@test "git: a password comes from git's helpers, never from a helper that a repository names" {
	serve user:secret
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	git init -q "$P"
	git -C "$P" config credential.helper "!touch $BATS_TEST_TMPDIR/evil; false"
	run -0 devenv -C "$P" deny
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "credential helpers have none"
	printf '#!/bin/sh\n[ "$1" = get ] && printf "username=user\\npassword=secret\\n"\necho "$1" >>"%s"\n' \
		"$BATS_TEST_TMPDIR/helper.log" >"$BATS_TEST_TMPDIR/helper"
	chmod +x "$BATS_TEST_TMPDIR/helper"
	git config --global credential.helper "$BATS_TEST_TMPDIR/helper"
	cd "$P"
	run -0 env GIT_DIR="$P/.git" devenv lock -y # what it extends names another registry
	grep -qx "commit = $(head_of)" "$P/devenv.lock"
	grep -qx store "$BATS_TEST_TMPDIR/helper.log"
	[ ! -e "$BATS_TEST_TMPDIR/evil" ]
	! grep -rq secret "$P/devenv.lock" "$XDG_STATE_HOME" "$XDG_CACHE_HOME" || false
	sed -i s/secret/wrong/ "$BATS_TEST_TMPDIR/helper"
	run --separate-stderr devenv update
	complaint 1 "refused the password"
	grep -qx erase "$BATS_TEST_TMPDIR/helper.log"
}

# A server with a certificate for localhost by an authority of its own: ROOT_CA is that. [--redirect URL] [USER:PASSWORD]
serve_tls() {
	local dir=$BATS_TEST_TMPDIR/tls
	command -v openssl >/dev/null || skip "openssl is not installed"
	if [ ! -e "$dir" ]; then
		mkdir "$dir"
		ROOT_CA=$dir/ca.pem
		openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/ca.key" -out "$ROOT_CA" -days 30 -subj "/CN=test authority" 2>/dev/null
		openssl req -newkey rsa:2048 -nodes -keyout "$dir/key" -out "$dir/request" -subj "/CN=localhost" 2>/dev/null
		printf 'subjectAltName = DNS:localhost\n' >"$dir/names"
		openssl x509 -req -in "$dir/request" -CA "$ROOT_CA" -CAkey "$dir/ca.key" -CAcreateserial -days 30 -extfile "$dir/names" \
			-out "$dir/certificate" 2>/dev/null
	fi
	serve --tls "$dir/certificate" "$dir/key" "$@"
	URL=git+https://localhost:${URL##*:}
}

@test "git+https: the certificate is checked; authorities by git's means, and the lesser ones" {
	serve_tls
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	unset SSL_CERT_FILE GIT_SSL_CAINFO
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "certificate"
	grep -q '^  hint: .*http.sslCAInfo.*SSL_CERT_FILE' <<<"$stderr"
	[ ! -s "$GIT_LOG" ]
	# git's own switch that turns the check off is not for us
	run --separate-stderr env GIT_SSL_NO_VERIFY=1 devenv -C "$P" lock
	complaint 1 "certificate"
	git -C "$P" init -q
	git -C "$P" config http.sslVerify false
	git -C "$P" config http.sslCAInfo "$ROOT_CA"
	run --separate-stderr devenv -C "$P" lock
	complaint 1 "certificate"
	for means in "env SSL_CERT_FILE=$ROOT_CA" "env GIT_SSL_CAINFO=$ROOT_CA" env; do
		[ "$means" != env ] || git config --global http.sslCAInfo "$ROOT_CA"
		rm -rf "$P/devenv.lock" "$XDG_CACHE_HOME"
		run -0 $means devenv -C "$P" lock -y
		grep -qx "commit = $(head_of)" "$P/devenv.lock"
		grep -qx "request = $URL#main:base/base.ini" "$P/devenv.lock"
	done
	run -0 --separate-stderr devenv -C "$P" run -y -- sh -c 'echo $FROM'
	[ "$output" = first ]
	run -0 devenv -C "$P" update
	# one that can't be read is named
	git config --global http.sslCAInfo /nonexistent/ca.pem
	rm -rf "$XDG_CACHE_HOME"
	run --separate-stderr devenv -C "$P" update
	complaint 1 "/nonexistent/ca.pem"
}

@test "git+https: a certificate of another name, or one that has run out, is refused" {
	serve_tls
	export SSL_CERT_FILE=$ROOT_CA
	# the address is right, the name is not in the certificate
	printf '[devenv]\nextends = git+https://127.0.0.1:%s#main:base/base.ini\n' "${URL##*:}" >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "certificate .*does not match"
	server_stop
	openssl x509 -req -in "$BATS_TEST_TMPDIR/tls/request" -CA "$ROOT_CA" -CAkey "$BATS_TEST_TMPDIR/tls/ca.key" -CAcreateserial \
		-days -1 -extfile "$BATS_TEST_TMPDIR/tls/names" -out "$BATS_TEST_TMPDIR/tls/certificate" 2>/dev/null
	serve_tls
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "certificate"
	[ ! -s "$GIT_LOG" ]
}

@test "git+https: passwords of git's helpers; nothing of them is shown, and a redirect is not followed" {
	serve_tls user:s3cr3t-token
	export SSL_CERT_FILE=$ROOT_CA
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "credential helpers have none"
	printf '#!/bin/sh\ncat >>"%s.asked"\n[ "$1" = get ] && printf "username=user\\npassword=s3cr3t-token\\n"\necho "$1" >>"%s"\n' \
		"$BATS_TEST_TMPDIR/helper.log" "$BATS_TEST_TMPDIR/helper.log" >"$BATS_TEST_TMPDIR/helper"
	chmod +x "$BATS_TEST_TMPDIR/helper"
	git config --global credential.helper "$BATS_TEST_TMPDIR/helper"
	run -0 devenv -v -C "$P" lock -y
	[[ $output != *s3cr3t* ]]
	grep -qx "commit = $(head_of)" "$P/devenv.lock"
	grep -qx protocol=https "$BATS_TEST_TMPDIR/helper.log.asked"
	grep -qx "host=$(cut -d/ -f3 <<<"$URL")" "$BATS_TEST_TMPDIR/helper.log.asked"
	grep -qx store "$BATS_TEST_TMPDIR/helper.log"
	! grep -rqs s3cr3t "$P" "$XDG_STATE_HOME" "$XDG_CACHE_HOME" || false
	sed -i s/s3cr3t-token/wr0ng-token/ "$BATS_TEST_TMPDIR/helper"
	run devenv -v -C "$P" update
	[ "$status" -eq 1 ]
	[[ $output == *"refused the password"* ]]
	[[ $output != *wr0ng* ]]
	grep -qx erase "$BATS_TEST_TMPDIR/helper.log"
	# down to http: neither the request nor the password goes there
	server_stop
	serve user:s3cr3t-token
	plain=${URL#git+} plain_pid=$SERVER_PID
	mv "$GIT_LOG" "$GIT_LOG.plain"
	serve_tls --redirect "${plain%/envs}"
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	rm -f "$P/devenv.lock"
	run --separate-stderr devenv -C "$P" lock -y
	kill "$plain_pid"
	complaint 1 "redirect"
	[ ! -s "$GIT_LOG.plain" ]
}

# An ssh server of the caller's own, for the caller alone. SSH is its host:port.
serve_ssh() {
	local sshd dir=$BATS_TEST_TMPDIR/ssh
	sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || skip "openssh-server is not installed"
	mkdir -p "$dir" "$HOME/.ssh"
	chmod 700 "$HOME/.ssh"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/.ssh/id_ed25519"
	cp "$HOME/.ssh/id_ed25519.pub" "$dir/authorized"
	PORT=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	printf '%s\n' "Port $PORT" "ListenAddress 127.0.0.1" "HostKey $dir/host" "AuthorizedKeysFile $dir/authorized" \
		"PidFile $dir/pid" "UsePAM no" "StrictModes no" "PasswordAuthentication no" >"$dir/config"
	"$sshd" -D -e -f "$dir/config" 3>&- 4>&- </dev/null >"$dir/log" 2>&1 &
	SERVER_PID=$!
	wait_for 20 test -e "$dir/pid"
	SSH=127.0.0.1:$PORT
}

@test "git+ssh: keys and the agent; the server's key must be known" {
	serve_ssh
	printf '[devenv]\nextends = git+ssh://%s@%s%s#main:base/base.ini\n' "$USER" "$SSH" "$R/envs" >"$P/devenv.ini"
	unset SSH_AUTH_SOCK
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "known_hosts|host ?key"
	printf '[127.0.0.1]:%s %s\n' "$PORT" "$(cut -d' ' -f1,2 "$BATS_TEST_TMPDIR/ssh/host.pub")" >"$HOME/.ssh/known_hosts"
	run -0 devenv -C "$P" lock -y
	grep -qx "commit = $(head_of)" "$P/devenv.lock"
	mv "$HOME/.ssh/id_ed25519" "$BATS_TEST_TMPDIR/key"
	run --separate-stderr devenv -C "$P" update
	complaint 1 "took no key of the ssh agent"
	eval "$(ssh-agent -s 3>&- 4>&-)" >/dev/null
	ssh-add -q "$BATS_TEST_TMPDIR/key"
	run devenv -C "$P" update
	ssh-agent -k >/dev/null
	[ "$status" -eq 0 ]
	rm -rf "$XDG_CACHE_HOME/devenv"
	mv "$BATS_TEST_TMPDIR/key" "$HOME/.ssh/id_ed25519"
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/other"
	printf '[127.0.0.1]:%s %s\n' "$PORT" "$(cut -d' ' -f1,2 "$BATS_TEST_TMPDIR/other.pub")" >"$HOME/.ssh/known_hosts"
	run --separate-stderr devenv -C "$P" pull
	complaint 1 "known_hosts|host ?key"
}

@test "on a terminal: enter asks for the fetch, then for what came" {
	publish base/base.ini "[base]
image = $SMALL"
	printf '[devenv]\nextends = git+file://%s#main:base/base.ini\n' "$R/envs" >"$P/devenv.ini"
	terminal_start
	terminal_type "cd '$P'; PS1='host> '; devenv enter"
	terminal_wait 'fetch: git.file://'
	terminal_wait '\[y/N\]'
	! terminal_shows network: || false
	terminal_type y
	terminal_wait 'now also asks for:'
	terminal_wait 'network: every server'
	terminal_type y
	wait_for 20 test -e "$P/devenv.lock"
	terminal_type 'cat /etc/small'
	terminal_wait '^small$'
	grep -q "^commit = $(head_of)" "$P/devenv.lock"
	grep -q '^\[base\]' "$P/devenv.lock"
}

@test "git: what is wrong with the repository is said" {
	serve
	printf '[devenv]\nextends = %s#v9:base/base.ini\n' "$URL" >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "has no branch or tag 'v9'"
	printf '[devenv]\nextends = %s#main:nothing.ini\n' "$URL" >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "there is no nothing.ini in"
	printf '[devenv]\nextends = %sx#main:nothing.ini\n' "$URL" >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "404"
	printf '[devenv]\nextends = git+http://example.org/x\n' >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "devenv.ini:2: .*git.http is for servers of this machine"
	server_stop
	printf '[devenv]\nextends = %s#main:nothing.ini\n' "$URL" >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" lock -y
	complaint 1 "can't reach"
}

@test "devenv.local.ini is laid over; its powers are asked for; it can't set the base; a tracked one is an error" {
	ready "$P" "image = $SMALL"
	printf '[env]\nMINE = yes\n[sandbox]\nnetwork = host\n' >"$P/devenv.local.ini"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "network: every server"
	run -0 --separate-stderr devenv -C "$P" run -y -- sh -c 'echo $MINE'
	[ "$output" = yes ]
	run -0 devenv -C "$P" config
	grep -Eq '^MINE = yes +; devenv.local.ini:2$' <<<"$output"
	printf '[base]\nimage = x\n' >"$P/devenv.local.ini"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "devenv.local.ini:2: \[base\] image is not for this file"
	printf '[env]\nMINE = yes\n' >"$P/devenv.local.ini"
	git init -q "$P"
	run -0 devenv -C "$P" run -- true
	git -C "$P" add -f devenv.local.ini
	printf '[env]\nMINE = no\n' >"$P/devenv.local.ini"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "devenv.local.ini is tracked by git"
}

# A project of somebody's, as a bare repository.
shop() { # TEXT
	git init -q --bare "$R/shop.git"
	git clone -q "$R/shop.git" "$BATS_TEST_TMPDIR/shop-work" 2>/dev/null
	printf '%s\n' "$1" >"$BATS_TEST_TMPDIR/shop-work/devenv.ini"
	git -C "$BATS_TEST_TMPDIR/shop-work" add .
	git -C "$BATS_TEST_TMPDIR/shop-work" commit -q -m first
	git -C "$BATS_TEST_TMPDIR/shop-work" push -q origin HEAD:main
	git -C "$BATS_TEST_TMPDIR/shop-work" push -q origin HEAD:refs/tags/v1
}

@test "clone without a terminal: says what is asked for; -y allows it" {
	shop "[base]
image = $SMALL"
	cd "$BATS_TEST_TMPDIR"
	run -0 devenv clone "file://$R/shop.git"
	[[ $output == *"network: every server"* ]]
	[[ $output == *"cd shop && devenv enter"* ]]
	[ -e shop/devenv.ini ]
	[ "$(git -C shop rev-parse --abbrev-ref HEAD)" = main ]
	[ -z "$(git -C shop status --porcelain)" ]
	run -125 devenv -C shop run -- true
	run -0 devenv -y clone "$R/shop.git" again
	run -0 --separate-stderr devenv -C again run -- cat /etc/small
	[ "$output" = "small" ]
	run -0 --separate-stderr devenv clone --json "git+file://$R/shop.git#v1" tagged
	[ "$(jq -r .allowed <<<"$output")" = false ]
	[ "$(git -C tagged describe --tags)" = v1 ]
}

@test "clone: what can't be cloned is said, and nothing is left" {
	shop "[base]
image = $SMALL"
	cd "$BATS_TEST_TMPDIR"
	run --separate-stderr devenv -q clone "file://$R/none.git"
	complaint 1 "can't clone"
	[ ! -e none ]
	mkdir shop
	echo mine >shop/mine
	run --separate-stderr devenv clone "file://$R/shop.git"
	complaint 1 "is there and not an empty directory"
	[ "$(cat shop/mine)" = mine ]
	run --separate-stderr devenv clone https://user:secret@example.org/x
	[ "$status" -eq 2 ]
	[[ $stderr != *secret* ]]
	run --separate-stderr devenv -q clone --offline https://example.org/x
	complaint 1 "offline"
}

@test "clone on a terminal: asks, then enters" {
	shop "[base]
image = $SMALL"
	terminal_start
	terminal_type "cd '$BATS_TEST_TMPDIR'; PS1='host> '; devenv clone 'file://$R/shop.git'"
	terminal_wait 'network: every server'
	terminal_wait '\[y/N\]'
	terminal_type y
	wait_for 20 test -e "$BATS_TEST_TMPDIR/shop/devenv.lock"
	terminal_type 'cat /etc/small; echo in "$DEVENV_NAME"'
	terminal_wait '^small$'
	terminal_wait '^in shop'
}

@test "gc removes clones that no lock refers to, after a day or --max-age, and no other" {
	printf '[devenv]\nextends = git+file://%s#main:base/base.ini\n' "$R/envs" >"$P/devenv.ini"
	run -0 devenv -C "$P" run -y -- true
	git clone -q --bare "$R/envs" "$R/other"
	mkdir "$P.2"
	printf '[devenv]\nextends = git+file://%s#main:base/base.ini\n' "$R/other" >"$P.2/devenv.ini"
	run -0 devenv -C "$P.2" run -y -- true
	[ "$(ls -d "$XDG_CACHE_HOME"/devenv/git/*[0-9a-f] | wc -l)" -eq 2 ]
	run -0 devenv --json gc --max-age 0s
	[ "$(jq .clones <<<"$output")" -eq 0 ]
	rm -r "$P.2"
	run -0 devenv --json gc
	[ "$(jq .clones <<<"$output")" -eq 0 ] # fetched a moment ago
	run -0 devenv --json gc -n --max-age 0s
	[ "$(jq .clones <<<"$output")" -eq 1 ]
	[ "$(jq '[.removed[] | select(.kind == "clone" and .bytes > 0)] | length' <<<"$output")" -eq 1 ]
	[ "$(ls -d "$XDG_CACHE_HOME"/devenv/git/*[0-9a-f] | wc -l)" -eq 2 ]
	gone=$(jq -r '.removed[] | select(.kind == "clone") | .name' <<<"$output")
	touch -d '2 days ago' "$XDG_CACHE_HOME/devenv/git/$gone" "$XDG_CACHE_HOME/devenv/git/$gone/objects/pack"
	run -0 devenv gc -v
	[[ $output == *"1 git clone"* ]]
	[ ! -e "$XDG_CACHE_HOME/devenv/git/$gone" ]
	[ ! -e "$XDG_CACHE_HOME/devenv/git/$gone.lock" ]
	printf '; more\n' >>"$P/devenv.ini"
	run -0 --separate-stderr devenv -C "$P" --offline run -- sh -c 'echo $FROM'
	[ "$output" = first ]
}

@test "lock --check before the fetch says what it could not compare, and compares the rest" {
	serve
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	run -0 devenv -C "$P" lock -y
	run -0 --separate-stderr devenv -C "$P" lock --check
	[[ $stderr != *"not checked"* ]]
	rm -rf "$XDG_CACHE_HOME"
	run -0 --separate-stderr devenv -C "$P" lock --check
	[[ $stderr == *"so far as can be seen"* ]]
	[[ $stderr == *"not checked: what extends."*"#"*"devenv pull"* || $stderr == *"not checked: what extends."*"@main asks for"*"devenv pull"* ]]
	run -0 --separate-stderr devenv -C "$P" --json lock --check
	[ "$(jq '.unchecked | length' <<<"$output")" -eq 1 ]
	# devenv.ini has the last word: its own base is compared
	printf '[base]\nimage = %s/small:2\n' "$E2E_REGISTRY" >>"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" lock --check
	[ "$status" -eq 1 ]
	[[ $output == *"asks for $E2E_REGISTRY/small:2, the lock answers $SMALL"* ]]
	# a base that must be somewhere and is not locked
	printf '[devenv]\nextends = %s#main:base/base.ini\n' "$URL" >"$P/devenv.ini"
	sed -i '/^\[base\]/,/^request/d' "$P/devenv.lock"
	run --separate-stderr devenv -C "$P" lock --check
	[ "$status" -eq 1 ]
	[[ $output == *"base: not locked"* ]]
	run -0 devenv -C "$P" lock
	run -0 --separate-stderr devenv -C "$P" lock --check
	[[ $stderr != *"not checked"* ]]
}
