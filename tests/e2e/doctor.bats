#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# doctor.bats - each check forced to fail, by describing another machine (DEVENV_DOCTOR_ROOT) or by making it so, and what
# doctor then says to do; --fix. What kernels lack is in machine.bats.
load support

setup() {
	own_store
	export HOME=$BATS_TEST_TMPDIR/home
	M=$BATS_TEST_TMPDIR/machine
	mkdir -p "$HOME" "$M/proc/sys/user" "$M/proc/sys/kernel" "$M/etc" "$M/usr/share/keyrings"
	touch "$M/usr/share/keyrings/debian-archive-keyring.gpg"
	echo 15000 >"$M/proc/sys/user/max_user_namespaces"
	uname -r >"$M/proc/sys/kernel/osrelease"
	unset REGISTRY_AUTH_FILE
}
teardown() {
	if [ -n "${SERVER_PID:-}" ]; then
		kill "$SERVER_PID" 2>/dev/null || :
		wait "$SERVER_PID" 2>/dev/null || :
	fi
}

# finding ID: "level: text | remedy" of one check, on the machine M.
finding() {
	DEVENV_DOCTOR_ROOT=$M devenv doctor --json |
		jq -r --arg id "$1" '.checks[] | select(.id == $id) | "\(.level): \(.text) | \(.remedy // "")"'
}
says() { # ID REGEX
	local found
	found=$(finding "$1")
	grep -Eq -- "$2" <<<"$found" || {
		echo "$1 says: $found"
		return 1
	}
}

@test "every check has an id of its own, and a command that failed names what mends it" {
	run devenv doctor --json
	[ "$(jq '.checks | length' <<<"$output")" -ge 25 ]
	[ "$(jq -r '.checks[].id' <<<"$output" | sort | uniq -d)" = "" ]
	[ "$(jq '[.checks[] | select((.level == "fail" or .level == "warn") and .remedy == null)] | length' <<<"$output")" -eq 0 ]
}

@test "without gpgv only environments of Debian's packages are not to be had" {
	local program
	program=$(command -v devenv)
	run --separate-stderr env PATH="$BATS_TEST_TMPDIR" "$program" doctor
	[[ $output == *"[base] debian can't be locked: gpgv, which checks who signed the archive, is not there"* ]]
	[[ $output == *"sudo apt install gpgv"* ]]
	[[ $stderr == *"environments run here, but none with [base] debian; with "* || $stderr == *"to be mended"* ]]
	[[ $stderr == *"to be mended"* || $status -eq 0 ]]
}

@test "another machine: limits, switches, AppArmor, old kernels, WSL 1, containers" {
	says max-user-namespaces '^ok: '
	echo 0 >"$M/proc/sys/user/max_user_namespaces"
	says max-user-namespaces '^fail: .*\| echo user.max_user_namespaces=15000 \| sudo tee /etc/sysctl.d/[a-z0-9-]+.conf && sudo sysctl --system$'
	echo 0 >"$M/proc/sys/kernel/unprivileged_userns_clone"
	says userns-clone '^fail: .*\| echo kernel.unprivileged_userns_clone=1 \| sudo tee /etc/sysctl.d/[a-z0-9-]+.conf && sudo sysctl --system$'
	says kernel '^ok: '
	echo 5.10.0-28-amd64 >"$M/proc/sys/kernel/osrelease"
	says kernel '^fail: .*upgrade'
	echo 4.4.0-19041-Microsoft >"$M/proc/sys/kernel/osrelease"
	says wsl '^fail: this is WSL 1.*\| in PowerShell: wsl --set-version'
	says container '^ok: '
	touch "$M/.dockerenv"
	says container '^warn: .*docker.*\| .*docker run --init '
}

@test "AppArmor as on Ubuntu: the command for the profile that is shipped" {
	cc -O2 -o "$BATS_TEST_TMPDIR/absent" "$E2E_SOURCE/absent.c"
	echo 1 >"$M/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
	finding_without() {
		DEVENV_DOCTOR_ROOT=$M "$BATS_TEST_TMPDIR/absent" user-namespaces -- devenv doctor --json |
			jq -r '.checks[] | select(.id == "apparmor") | "\(.level): \(.text) | \(.remedy)"'
	}
	says apparmor '^ok: it restricts user namespaces, and lets devenv'
	run finding_without
	[[ $output == fail:*"sudo tee /etc/apparmor.d/devenv && sudo apparmor_parser -r /etc/apparmor.d/devenv" ]] ||
		[[ $output == fail:*"sudo install -m 644 "*" /etc/apparmor.d/devenv && sudo apparmor_parser -r /etc/apparmor.d/devenv" ]]
	mkdir "$M/etc/apparmor.d"
	touch "$M/etc/apparmor.d/devenv"
	run finding_without
	[[ $output == *"| sudo apparmor_parser -r /etc/apparmor.d/devenv" ]]
}

@test "--fix mends what needs no root, and prints the commands for the rest" {
	mkdir -p "$DEVENV_STORE"
	chmod 755 "$DEVENV_STORE"
	echo 0 >"$M/proc/sys/user/max_user_namespaces"
	echo 0 >"$M/proc/sys/kernel/unprivileged_userns_clone"
	export DEVENV_DOCTOR_ROOT=$M
	run --separate-stderr devenv doctor --fix -n
	[[ $stderr == *"would do: chmod 700 $DEVENV_STORE"* ]]
	[ "$(stat -c %a "$DEVENV_STORE")" = 755 ]
	run --separate-stderr devenv doctor --fix -y
	[ "$status" -eq 1 ]
	[ "$(stat -c %a "$DEVENV_STORE")" = 700 ]
	[[ $stderr == *"these need root:"* ]]
	# as they stand, nothing before or after them
	grep -qx 'echo user.max_user_namespaces=15000 | sudo tee /etc/sysctl.d/60-devenv-limit.conf && sudo sysctl --system' <<<"$output"
	grep -qx 'echo kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/60-devenv-switch.conf && sudo sysctl --system' <<<"$output"
	# they would mend it, and don't undo each other
	echo 15000 >"$M/proc/sys/user/max_user_namespaces"
	run --separate-stderr devenv doctor --fix -y
	[ "$(grep -c '^echo .*sudo' <<<"$output")" -eq 1 ]
	[[ $stderr == *"this needs root:"* ]]
	echo 1 >"$M/proc/sys/kernel/unprivileged_userns_clone"
	run -0 --separate-stderr devenv doctor --fix -y
	# notes are indented
	! grep -q '^[^ ].*sudo' <<<"$output" || false
}

@test "a config.ini that is wrong, and a store that can't be" {
	mkdir -p "$HOME/.config/devenv"
	printf '[stroe]\n' >"$HOME/.config/devenv/config.ini"
	says config '^fail: .*config.ini:1'
	rm "$HOME/.config/devenv/config.ini"
	DEVENV_STORE=/proc/nothing says store-owner '^fail: .*not writable'
	mkdir -p "$BATS_TEST_TMPDIR/bad"
	touch "$BATS_TEST_TMPDIR/bad/store"
	DEVENV_STORE=$BATS_TEST_TMPDIR/bad/store says store-owner '^fail: .*is not a directory \| move it'
}

@test "a store on a file system that is full" {
	unshare -Urm true 2>/dev/null || skip "no user namespaces here"
	mkdir -p "$BATS_TEST_TMPDIR/small"
	export SMALL_STORE=$BATS_TEST_TMPDIR/small
	in_small() { # MOUNT-OPTIONS: what doctor says there of the checks of the store
		unshare -Urm sh -c 'mount -t tmpfs -o "$1" none "$SMALL_STORE" && DEVENV_STORE=$SMALL_STORE/devenv devenv doctor --json' \
			sh "$1" | jq -r '.checks[] | select(.id | startswith("store-")) | "\(.id) \(.level): \(.remedy)"'
	}
	run in_small size=100m
	grep -qx 'store-space fail: devenv gc' <<<"$output"
	run in_small size=1g
	grep -qx 'store-space warn: devenv gc' <<<"$output"
	run in_small size=1g,noexec
	grep -q '^store-file-system fail: set DEVENV_STORE' <<<"$output"
	run in_small size=1g,ro
	grep -q '^store-file-system fail: set DEVENV_STORE' <<<"$output"
	run in_small size=1g,nr_inodes=1000
	grep -qx 'store-space warn: devenv gc' <<<"$output"
}

@test "a proxy that is not there" {
	https_proxy=http://127.0.0.1:1 says proxy '^warn: .*127.0.0.1:1.*refused \| start that proxy, or: unset https_proxy$'
	https_proxy=nonsense:x says proxy '^warn: https_proxy is not the address of a proxy'
}

# A registry that wants the password "secret" of "alice". AUTH_HOST is its host:port.
serve_registry() {
	local program dir=$BATS_TEST_TMPDIR/registry port
	program=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v docker-registry) || skip "docker-registry is not installed"
	mkdir -p "$dir/data"
	echo 'alice:$2b$04$XOCrfCSpGrBLScEIcp38I.pB8NVSsAZnOTRFckRh8rHaKU643gl.e' >"$dir/htpasswd"
	port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >"$dir/config.yml" <<-END
		version: 0.1
		log: {level: error}
		storage: {filesystem: {rootdirectory: $dir/data}}
		http: {addr: '127.0.0.1:$port'}
		auth: {htpasswd: {realm: test, path: $dir/htpasswd}}
	END
	env -i PATH="$PATH" "$program" serve "$dir/config.yml" 3>&- 4>&- </dev/null >"$dir/log" 2>&1 &
	SERVER_PID=$!
	AUTH_HOST=127.0.0.1:$port
	wait_for 20 sh -c "curl -s --noproxy '*' -o /dev/null http://$AUTH_HOST/v2/"
}
login() { # USER:PASSWORD
	printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$AUTH_HOST" "$(printf %s "$1" | base64)" >"$BATS_TEST_TMPDIR/auth.json"
	export REGISTRY_AUTH_FILE=$BATS_TEST_TMPDIR/auth.json
}

@test "registry logins: the registry is asked whether it accepts them" {
	serve_registry
	says credentials '^skip: none'
	login alice:secret
	says credentials "^ok: $AUTH_HOST \(accepted\)"
	login alice:wrong
	says credentials "^warn: .*$AUTH_HOST .*does not accept.*\| log in with .docker login $AUTH_HOST. or .podman login $AUTH_HOST."
	run devenv doctor -v
	[[ $output != *wrong* ]]
	[[ $output != *YWxpY2U* ]]
	# without the network what can be read is all there is to say
	run devenv doctor --offline --json
	[ "$(jq -r '.checks[] | select(.id == "credentials") | .level' <<<"$output")" = ok ]
	# a registry that config.ini names and no login is for: nothing to say
	export REGISTRY_AUTH_FILE=$BATS_TEST_TMPDIR/empty.json
	echo '{}' >"$REGISTRY_AUTH_FILE"
	mkdir -p "$HOME/.config/devenv"
	printf '[registry.%s]\ninsecure = yes\n' "$AUTH_HOST" >"$HOME/.config/devenv/config.ini"
	says credentials '^skip: none'
	printf '{"credHelpers":{"%s":"not-there"}}\n' "$AUTH_HOST" >"$REGISTRY_AUTH_FILE"
	says credentials "^warn: a login for $AUTH_HOST may be lacking: docker-credential-not-there \(not installed\) \| install that program"
	rm "$HOME/.config/devenv/config.ini"
	login alice:secret
	kill "$SERVER_PID"
	wait "$SERVER_PID" || :
	SERVER_PID=
	says credentials "^warn: can't reach registry $AUTH_HOST: connection refused \| is it running"
}

@test "an environment that runs although its project is gone" {
	P=$BATS_TEST_TMPDIR/p
	ready "$P" "image = $SMALL"
	says stale '^skip: '
	hold "$P"
	says stale '^ok: 1 running'
	mv "$P" "$P.gone"
	says stale '^warn: 1 of 1 .*\| leave their shells, or end them: kill -9 [0-9]+$'
	mv "$P.gone" "$P"
	release "$P"
	wait_for 10 nothing_inside
}

@test "this machine's own: a runtime directory of somebody else, an init that reaps nobody" {
	if [ "$(id -u)" != 0 ]; then
		XDG_RUNTIME_DIR=/usr says runtime '^fail: .*belongs to uid 0.*\| unset XDG_RUNTIME_DIR'
	fi
	says clock '^ok: '
	says init '^(ok|warn): '
}
