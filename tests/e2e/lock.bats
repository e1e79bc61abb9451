#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# lock.bats - devenv.lock: who writes it, what pins hold, what every command says about gaps.
load support

setup() {
	own_store
	P=$BATS_TEST_TMPDIR/p
	# a registry whose tag "moving" can be moved by this test alone
	move_tag 1
	faulty rename moving "$BATS_TEST_TMPDIR/tag"
	project "$P" "image = $FAULTY/small:moving"
	devenv -q -C "$P" allow -y
}
teardown() {
	faulty_stop
}

move_tag() {
	echo "$1" >"$BATS_TEST_TMPDIR/tag"
}

digest_of() {
	curl -fsSI --noproxy '*' -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
		"http://$E2E_REGISTRY/v2/small/manifests/$1" | tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: //p'
}

@test "lock writes the digests and what they answer" {
	run -0 devenv -C "$P" lock
	grep -qx '\[base\]' "$P/devenv.lock"
	grep -qx "request = $FAULTY/small:moving" "$P/devenv.lock"
	grep -q "^manifest\.linux/.* = $(digest_of 1)$" "$P/devenv.lock"
	! grep -qiE "date|version|$(hostname)" "$P/devenv.lock" || false
	run -0 devenv -C "$P" lock --check
	before=$(sha256sum "$P/devenv.lock")
	run -0 devenv -C "$P" lock
	[ "$before" = "$(sha256sum "$P/devenv.lock")" ]
}

@test "an index is pinned with every platform's manifest" {
	project "$BATS_TEST_TMPDIR/index" "image = $DJANGO"
	devenv -q -C "$BATS_TEST_TMPDIR/index" allow -y
	run -0 devenv -C "$BATS_TEST_TMPDIR/index" lock
	run -0 cat "$BATS_TEST_TMPDIR/index/devenv.lock"
	grep -q '^index = sha256:' <<<"$output"
	grep -q '^manifest.linux/amd64 = sha256:' <<<"$output"
	grep -q '^manifest.linux/arm64 = sha256:' <<<"$output"
	! grep -q unknown <<<"$output" || false
}

@test "run locks a project that has no lock, and says so" {
	run -0 --separate-stderr devenv -C "$P" run -- cat /etc/small
	[ "$output" = "small 1" ]
	[[ $stderr == *devenv.lock* ]]
	[ -e "$P/devenv.lock" ]
}

@test "a moved tag changes nothing until update" {
	run -0 devenv -C "$P" run -- cat /etc/small
	move_tag 2
	run -0 --separate-stderr devenv -C "$P" run -- cat /etc/small
	[ "$output" = "small 1" ]
	run -0 devenv -C "$P" lock
	run -0 --separate-stderr devenv -C "$P" run -- cat /etc/small
	[ "$output" = "small 1" ]
	old=$(digest_of 1) new=$(digest_of 2)
	sum=$(sha256sum "$P/devenv.lock")
	run -0 --separate-stderr devenv -C "$P" update -n
	[[ $output == *base*"${old:7:12}"*"${new:7:12}"* && $stderr == *'nothing was written'* ]]
	[ "$(sha256sum "$P/devenv.lock")" = "$sum" ]
	run -0 devenv -C "$P" update
	[[ $output == *base*"${old:7:12}"*"${new:7:12}"* ]]
	run -0 --separate-stderr devenv -C "$P" run -- cat /etc/small
	[ "$output" = "small 2" ]
	run -0 devenv -C "$P" update
	[[ $output != *"→"*"${new:7:12}"* ]]
}

@test "update NAME: an unknown name is a usage error that names the nearest" {
	run -0 devenv -C "$P" lock
	run --separate-stderr devenv -C "$P" update bsae
	[ "$status" -eq 2 ]
	[[ $stderr == *base* ]]
}

@test "lock --check: offline, a list and exit 1 on any gap" {
	faulty_stop
	run devenv -C "$P" lock --check
	[ "$status" -eq 1 ]
	[[ $output == *base* ]]
	[ ! -e "$P/devenv.lock" ]
}

@test "lock --check sees that devenv.ini asks for something else" {
	run -0 devenv -C "$P" lock
	sed -i 's/small:moving/small:2/' "$P/devenv.ini"
	run devenv -C "$P" lock --check
	[ "$status" -eq 1 ]
	[[ $output == *small:2* ]]
}

@test "run with a stale lock and no terminal is an error that names devenv lock" {
	run -0 devenv -C "$P" run -- true
	sed -i 's/small:moving/small:2/' "$P/devenv.ini"
	run --separate-stderr devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *"devenv lock"* ]]
	run -0 --separate-stderr devenv -C "$P" lock
	run -0 --separate-stderr devenv -C "$P" run -- cat /etc/small
	[ "$output" = "small 2" ]
}

@test "--locked and CI=true: a gap is an error that names devenv lock" {
	run --separate-stderr devenv -C "$P" --locked run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *"devenv lock"* ]]
	run --separate-stderr env CI=true devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *"devenv lock"* ]]
	[ ! -e "$P/devenv.lock" ]
	run -0 devenv -C "$P" lock
	run -0 env CI=true devenv -C "$P" run -- cat /etc/small
	[[ $output == *"small 1"* ]]
}

@test "--offline: an error before the first pull, fine after it" {
	run --separate-stderr devenv -C "$P" --offline run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *offline* ]]
	run -0 devenv -C "$P" lock
	run --separate-stderr devenv -C "$P" --offline pull
	[ "$status" -eq 1 ]
	run -0 devenv -C "$P" pull
	: >"$FAULTY_LOG"
	run -0 devenv -C "$P" --offline run -- true
	[ ! -s "$FAULTY_LOG" ]
}

@test "conflict markers: run devenv lock, which takes both sides" {
	run -0 devenv -C "$P" lock
	cp "$P/devenv.lock" "$BATS_TEST_TMPDIR/good"
	{
		echo '<<<<<<< ours'
		cat "$BATS_TEST_TMPDIR/good"
		echo '======='
		sed 's/= sha256:....../= sha256:000000/' "$BATS_TEST_TMPDIR/good"
		echo '>>>>>>> theirs'
	} >"$P/devenv.lock"
	run --separate-stderr devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *conflict* ]]
	[[ $stderr == *"devenv lock"* ]]
	run -0 devenv -C "$P" lock
	cmp "$P/devenv.lock" "$BATS_TEST_TMPDIR/good"
}

@test "another tool's devenv.lock is recognised" {
	printf '{\n  "nodes": {},\n  "root": "root",\n  "version": 7\n}\n' >"$P/devenv.lock"
	run --separate-stderr devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $stderr == *devenv.lock* ]]
	[[ $stderr == *JSON* ]] || [[ $stderr == *"another tool"* ]]
	[ "$(head -c 1 "$P/devenv.lock")" = "{" ]
}

@test "a damaged lock is an error with its line" {
	run -0 devenv -C "$P" lock
	echo 'manifest.linux/x = sha256:123' >>"$P/devenv.lock"
	run --separate-stderr devenv -C "$P" run -- true
	[ "$status" -eq 125 ]
	[[ $stderr =~ devenv\.lock:[0-9]+ ]]
}

@test "a digest in the reference needs no tag and is verified" {
	digest=$(digest_of 2)
	project "$P" "image = $FAULTY/small@$digest"
	run -0 --separate-stderr devenv -C "$P" run -y -- cat /etc/small
	[ "$output" = "small 2" ]
	project "$P" "image = $FAULTY/small@sha256:$(printf '0%.0s' $(seq 64))"
	run --separate-stderr devenv -C "$P" lock
	complaint 1 'not found|no such|unknown'
}

@test "gaps are said once, with the platform where that is another than this machine's" {
	local dir=$BATS_TEST_TMPDIR/two other
	other=linux/arm64
	[ "$(uname -m)" = x86_64 ] || other=linux/amd64
	mkdir "$dir"
	printf '[devenv]\nplatforms = linux/amd64 linux/arm64\n[base]\ndebian = bookworm\n[packages]\napt = jq\n' >"$dir/devenv.ini"
	devenv -q -C "$dir" allow -y
	run -1 --separate-stderr devenv -q -C "$dir" lock --check
	[ "$output" = $'base: not locked\njq: not locked' ]
	run -125 --separate-stderr devenv -q --locked -C "$dir" run -- true
	[[ $stderr == *"does not cover this project: base: not locked; jq: not locked"$'\n'* ]]
	# packages of the base for one of the two
	{
		printf '[base]\nrequest = debian:bookworm minimal main\n'
		printf '[package.%s.libc6]\nin = base\npath = pool/l.deb\nsha256 = %064d\nsize = 1\nsuite = bookworm\nversion = 1\n' \
			"$(dpkg --print-architecture)" 1
	} >"$dir/devenv.lock"
	run -1 --separate-stderr devenv -q -C "$dir" lock --check
	[ "$output" = "jq: not locked"$'\n'"base: no packages for $other" ]
	run -1 --separate-stderr devenv --json -C "$dir" lock --check
	[ "$(jq -c '[.gaps[] | [.name, .platform]]' <<<"$output")" = "[[\"jq\",\"linux/$(dpkg --print-architecture)\"],[\"base\",\"$other\"]]" ]
}
