#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pull.bats - fetching: every kind of layer and source, what is shared, and everything that goes wrong on the way.
load support

setup() {
	own_store
	P=$BATS_TEST_TMPDIR/p
}
teardown() {
	faulty_stop
}

# says DIR TEXT: the environment works and is the one that was meant
says() {
	run -0 --separate-stderr devenv -C "$1" run -y -- cat /etc/small
	[ "$output" = "$2" ]
}

@test "gzip, zstd and uncompressed layers, OCI and docker media types" {
	for tag in gzip zstd plain docker; do
		project "$P-$tag" "image = $E2E_REGISTRY/small:$tag"
		says "$P-$tag" small
	done
	store_is_clean
	# the uncompressed bytes are the same, so the layers exist once
	[ "$(ls "$DEVENV_STORE/layers" | wc -l)" -eq 2 ]
}

@test "oci = a layout directory, with a tag" {
	mkdir -p "$P"
	cp -r "$E2E_IMAGES/layouts/small" "$P/layout"
	project "$P" "oci = layout:2"
	says "$P" "small 2"
	rm -rf "$P/layout"
	says "$P" "small 2"
	store_is_clean
}

@test "archive = docker save, OCI archive, plain root file system" {
	mkdir -p "$P"
	for archive in small.docker.tar small.oci.tar rootfs.tar; do
		cp "$E2E_IMAGES/$archive" "$P/$archive"
		project "$P" "archive = $archive"
		rm -f "$P/devenv.lock"
		if [ "$archive" = rootfs.tar ]; then says "$P" rootfs; else says "$P" "small 1"; fi
	done
	gzip -k "$P/rootfs.tar"
	project "$P" "archive = rootfs.tar.gz"
	rm -f "$P/devenv.lock"
	says "$P" rootfs
	store_is_clean
}

@test "an archive that changed is noticed" {
	mkdir -p "$P"
	cp "$E2E_IMAGES/small.docker.tar" "$P/image.tar"
	project "$P" "archive = image.tar"
	says "$P" "small 1"
	own_store
	DEVENV_STORE=$BATS_TEST_TMPDIR/store2
	cp "$E2E_IMAGES/rootfs.tar" "$P/image.tar"
	run --separate-stderr devenv -C "$P" --locked run -- true
	[ "$status" -eq 125 ]
}

@test "two projects share layers; the second costs next to nothing" {
	project "$P" "image = $E2E_REGISTRY/small:1"
	project "$P-2" "image = $E2E_REGISTRY/small:1"
	project "$P-3" "image = $E2E_REGISTRY/small:2"
	says "$P" "small 1"
	before=$(du -sk "$DEVENV_STORE" | cut -f1)
	says "$P-2" "small 1"
	says "$P-3" "small 2"
	after=$(du -sk "$DEVENV_STORE" | cut -f1)
	# one small layer, and about 40 kB a project, plus what the
	# directories down to it take
	depth=$(tr -cd / <<<"$P" | wc -c)
	echo "$((after - before)) kB, depth $depth"
	[ $((after - before)) -lt $((130 + 2 * 4 * depth)) ]
}

@test "size and progress are told on stderr, nothing with -q" {
	project "$P" "image = $SMALL"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	run -0 --separate-stderr devenv -C "$P" pull
	[[ $stderr =~ [0-9.]+\ ?[kMG]B ]]
	DEVENV_STORE=$BATS_TEST_TMPDIR/store2
	run -0 --separate-stderr devenv -q -C "$P" pull
	[ -z "$stderr" ]
	[ -z "$output" ]
}

@test "after one pull the registry is not needed" {
	faulty none
	project "$P" "image = $FAULTY/small:1"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	devenv -q -C "$P" pull
	faulty_stop
	says "$P" "small 1"
	touch "$P/devenv.ini"
	says "$P" "small 1"
}

@test "anonymous bearer tokens" {
	faulty bearer
	project "$P" "image = $FAULTY/small:1"
	says "$P" "small 1"
}

@test "credentials from auth.json; without them one line says what to do" {
	faulty basic me:pass-word
	project "$P" "image = $FAULTY/small:1"
	devenv -q -C "$P" allow -y
	run --separate-stderr devenv -C "$P" lock
	complaint 1 'credential|login|auth'
	printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$FAULTY" "$(printf me:pass-word | base64)" >"$BATS_TEST_TMPDIR/auth.json"
	export REGISTRY_AUTH_FILE=$BATS_TEST_TMPDIR/auth.json
	says "$P" "small 1"
	! grep -rqs 'pass-word' "$DEVENV_STORE" "$XDG_STATE_HOME" "$P" || false
}

@test "kill -9 during a pull, then the next one works and gc leaves no staging" {
	faulty slow 3000000
	project "$P" "image = $FAULTY/small:1"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	for delay in 0.2 0.7 1.2; do
		devenv -q -C "$P" pull 3>&- 4>&- &
		pull=$!
		sleep "$delay"
		kill -9 "$pull" 2>/dev/null || :
		wait "$pull" 2>/dev/null || :
	done
	run -0 devenv -C "$P" pull
	says "$P" "small 1"
	run -0 devenv gc
	store_is_clean
	[ "$(ls "$DEVENV_STORE/layers" | wc -l)" -eq 2 ]
}

@test "interrupted by ^C: nothing under a final name but finished layers" {
	faulty slow 2000000
	project "$P" "image = $FAULTY/small:1"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	# not bash's &, which would start it with SIGINT ignored
	/usr/bin/python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp("devenv", ["devenv", "-q", "-C", sys.argv[1], "pull"])' "$P" 3>&- 4>&- &
	pull=$!
	sleep 0.8
	kill -INT "$pull"
	code=0
	wait "$pull" || code=$?
	[ "$code" -eq 130 ] || [ "$code" -eq 1 ]
	[ ! -d "$DEVENV_STORE/images" ] || [ -z "$(ls "$DEVENV_STORE/images")" ]
	store_is_clean
}

@test "sixteen pulls of one image at once make one download" {
	faulty none
	project "$P" "image = $FAULTY/small:1"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	: >"$FAULTY_LOG"
	pids=()
	for n in $(seq 16); do
		devenv -q -C "$P" pull 3>&- 4>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	says "$P" "small 1"
	# two layers and one config, each once
	[ "$(grep -c '^GET .*/blobs/' "$FAULTY_LOG")" -le 18 ]
	[ "$(grep '^GET .*/blobs/' "$FAULTY_LOG" | sort | uniq -c | awk '$1 == 1' | wc -l)" -ge 2 ]
	store_is_clean
}

# behind FAULT [ARG...]: a project that is locked by the real registry and fetches from a faulty one
behind() {
	faulty "$@"
	project "$P" "image = $E2E_REGISTRY/small:1"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	sed -i "s/$E2E_REGISTRY/$FAULTY/" "$P/devenv.ini" "$P/devenv.lock"
	devenv -q -C "$P" allow -y # another registry is another power
}

@test "a blob with a wrong byte is refused and leaves nothing" {
	behind corrupt blobs
	run --separate-stderr devenv -q -C "$P" pull
	complaint 1 'digest|damaged|corrupt|does not match|bytes'
	store_is_clean
	[ ! -d "$DEVENV_STORE/layers" ] || [ -z "$(ls "$DEVENV_STORE/layers")" ]
	[ ! -d "$DEVENV_STORE/images" ] || [ -z "$(ls "$DEVENV_STORE/images")" ]
	run --separate-stderr devenv -q -C "$P" run -- true
	complaint 125 'digest|damaged|corrupt|does not match|bytes'
}

@test "a manifest that is not what the lock says is refused" {
	behind corrupt manifests
	run --separate-stderr devenv -q -C "$P" pull
	complaint 1 'digest|manifest'
	store_is_clean
}

@test "a blob that ends early is retried and then refused" {
	behind truncate
	run --separate-stderr timeout 60 devenv -q -C "$P" pull
	complaint 1 '.'
	store_is_clean
}

@test "a registry that answers 503 a few times is asked again" {
	faulty status 503 2
	project "$P" "image = $FAULTY/small:1"
	says "$P" "small 1"
}

@test "a registry that only answers 500" {
	faulty status 500
	project "$P" "image = $FAULTY/small:1"
	devenv -q -C "$P" allow -y
	run --separate-stderr timeout 120 devenv -C "$P" lock
	complaint 1 '500'
}

@test "registry down" {
	faulty none
	faulty_stop
	project "$P" "image = $FAULTY/small:1"
	devenv -q -C "$P" allow -y
	run --separate-stderr timeout 60 devenv -C "$P" lock
	complaint 1 "$FAULTY.*(connect|refused)|(connect|refused).*$FAULTY"
	run --separate-stderr timeout 60 devenv -C "$P" run -- true
	complaint 125 "$FAULTY"
	store_is_clean
}

@test "unknown image and unknown tag" {
	for reference in no-such-image:1 small:no-such-tag; do
		project "$P" "image = $E2E_REGISTRY/$reference"
		devenv -q -C "$P" allow -y
		run --separate-stderr devenv -C "$P" lock
		complaint 1 "$reference"
		run --separate-stderr devenv -C "$P" run -- true
		complaint 125 "$reference"
	done
	run --separate-stderr devenv run --image "$E2E_REGISTRY/no-such-image" -- true
	complaint 125 'no-such-image'
	store_is_clean
}

@test "an image that is not made for this machine" {
	project "$P" "image = $E2E_REGISTRY/small:foreign"
	devenv -q -C "$P" allow -y
	run --separate-stderr devenv -C "$P" lock
	complaint 1 'linux/(amd64|arm64)'
}

@test "a reference that is none" {
	project "$P" "image = Not/A Reference"
	run --separate-stderr devenv -C "$P" lock
	complaint 1 'devenv.ini:2'
}

@test "a missing or broken archive and layout" {
	project "$P" "archive = absent.tar"
	devenv -q -C "$P" allow -y || :
	run --separate-stderr devenv -C "$P" lock
	complaint 1 'absent.tar'
	head -c 100000 "$E2E_IMAGES/rootfs.tar" >"$P/absent.tar"
	run --separate-stderr devenv -C "$P" run -y -- true
	complaint 125 'absent.tar|archive|truncated'
	store_is_clean
	project "$P" "oci = nowhere:1"
	run --separate-stderr devenv -C "$P" lock
	complaint 1 'nowhere'
}

@test "broken config: file, line, nearest name" {
	project "$P" "imgae = $SMALL"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 "devenv.ini:2: unknown key 'imgae' in \[base\]; did you mean 'image'"
	project "$P" "image = $SMALL" $'[service.db]\nimage = less'
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 'devenv.ini:4.*not supported yet'
	printf 'not an ini file at all\n' >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 'devenv.ini:1'
	run --separate-stderr devenv -C "$P" lock
	complaint 1 'devenv.ini:1'
	printf '[base]\nimage = a\noci = b\n' >"$P/devenv.ini"
	run --separate-stderr devenv -C "$P" run -- true
	complaint 125 'devenv.ini:[0-9].*(image|oci)'
	[ ! -d "$DEVENV_STORE/tmp" ] || store_is_clean
}

@test "a store that can't be written" {
	[ "$E2E_IDENTITY" != root ] || skip "root writes everywhere"
	project "$P" "image = $SMALL"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	mkdir -p "$DEVENV_STORE"
	chmod 500 "$DEVENV_STORE"
	run --separate-stderr devenv -C "$P" run -y -- true
	complaint 125 "store"
	chmod 700 "$DEVENV_STORE"
	DEVENV_STORE=/proc/store
	run --separate-stderr devenv -C "$P" run -y -- true
	complaint 125 "/proc/store"
}

@test "a store that is somebody else's" {
	[ "$E2E_IDENTITY" != root ] || skip "everything is root's"
	project "$P" "image = $SMALL"
	devenv -q -C "$P" allow -y
	devenv -q -C "$P" lock
	DEVENV_STORE=/usr
	run --separate-stderr devenv -C "$P" run -y -- true
	complaint 125 "/usr"
}

@test "user namespaces off: one line that says how to turn them on" {
	project "$P" "image = $SMALL"
	devenv -q -C "$P" run -y -- true
	unshare --user --map-root-user true 2>/dev/null || skip "user namespaces are off here anyway"
	run --separate-stderr unshare --user --map-root-user \
		sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec devenv -C "$1" run -- true' sh "$P"
	complaint 125 'user namespace'
	[[ $stderr == *sysctl* || $stderr == *doctor* || $stderr == *max_user_namespaces* ]]
	run unshare --user --map-root-user \
		sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec devenv doctor' sh
	[ "$status" -eq 1 ]
	[[ $output == *max_user_namespaces* ]]
}

@test "gc: what nothing refers to goes, what something refers to stays" {
	project "$P" "image = $E2E_REGISTRY/small:1"
	project "$P-2" "image = $E2E_REGISTRY/small:2"
	says "$P" "small 1"
	says "$P-2" "small 2"
	rm -rf "$P-2"
	run -0 devenv gc -n
	[ "$(ls "$DEVENV_STORE/layers" | wc -l)" -eq 3 ]
	run -0 devenv gc
	[ "$(ls "$DEVENV_STORE/layers" | wc -l)" -eq 2 ]
	# what is generated for every checkout alike, and for this one
	[ "$(ls "$DEVENV_STORE/skeletons" | wc -l)" -eq 2 ]
	store_is_clean
	run -0 devenv -C "$P" --offline run -- cat /etc/small
	[ "$output" = "small 1" ]
}

@test "gc never removes a home or a volume" {
	project "$P" "image = $SMALL" "[volume.data]
target = /data
[sandbox]
network = none"
	run -0 devenv -C "$P" run -y -- sh -c 'echo 1 > /data/kept; echo 2 > ~/kept'
	run -0 devenv gc
	run -0 devenv -C "$P" run -- sh -c 'cat /data/kept ~/kept'
	[ "$output" = $'1\n2' ]
}
