#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# limits_manager.sh PROJECT BIN IMAGE - in a mount namespace of its own, as root: start a real service manager of a user
# (systemd --user) for the account nobody, run devenv as that account, and look where its processes are. Status 77: no
# manager can be started here.
set -eu
project=$1 bin=$2 image=$3
uid=65534
work=$(mktemp -d /var/tmp/devenv-manager.XXXXXX)
name=devenvtest$$
hierarchies=()
for dir in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
	if [ -e "$dir/cgroup.procs" ]; then hierarchies+=("$dir"); fi
done
if [ ${#hierarchies[@]} -eq 0 ]; then
	echo "no cgroups are mounted"
	exit 77
fi

manager= become=
cleanup() {
	local pid
	if [ -n "$manager" ]; then
		kill -9 "$manager" || : # it has nothing left to stop, and must not outlive this
		wait "$manager" 2>/dev/null || :
	fi
	for dir in "${hierarchies[@]}"; do # what it started: its own helper process
		for pid in $(find "$dir/$name" -name cgroup.procs -exec cat {} +); do
			[ "$pid" = $$ ] || kill -9 "$pid" 2>/dev/null || :
		done
	done
	for dir in "${hierarchies[@]}"; do
		echo $$ >"$dir/cgroup.procs" || :
		for try in 1 2 3 4 5 6 7 8 9 10; do
			find "$dir/$name" -depth -type d -exec rmdir {} + 2>/dev/null && break
			sleep 0.2
		done
	done
	rm -rf "$work"
}
trap cleanup EXIT
# "The system was booted with systemd" is what a manager asks first.
mount --make-rprivate /
mount -t tmpfs run /run
mkdir -p /run/systemd/system /run/user/$uid "$work/home" "$work/project"
chown -R $uid "$work" /run/user/$uid
chmod 700 /run/user/$uid
chmod 755 "$work"
for dir in "${hierarchies[@]}"; do
	mkdir "$dir/$name"
	chown -R $uid "$dir/$name"
	echo $$ >"$dir/$name/cgroup.procs"
done
as() {
	$become setpriv --reuid $uid --regid $uid --clear-groups env -i PATH="$bin:/usr/bin:/bin" HOME="$work/home" USER=nobody \
		LANG=C.UTF-8 XDG_RUNTIME_DIR=/run/user/$uid "$@"
}
(become=exec; as /lib/systemd/systemd --user >"$work/log" 2>&1) &
manager=$!
for try in $(seq 100); do
	if [ -S /run/user/$uid/systemd/private ]; then break; fi
	sleep 0.1
done
if [ ! -S /run/user/$uid/systemd/private ]; then
	echo "systemd --user does not start here: $(tail -n 1 "$work/log")"
	exit 77
fi

cd "$work/project"
printf '[base]\nimage = %s\n[sandbox]\nnetwork = none\nmemory = 100M\npids = 50\n' "$image" >devenv.ini
chown $uid devenv.ini
as devenv -q -C "$PWD" allow -y
as devenv -q -C "$PWD" lock
as devenv -q -C "$PWD" pull
as devenv -C "$PWD" run -- sh -c 'echo >held; until [ -e release ]; do sleep 0.05; done' &
session=$!
for try in $(seq 100); do
	if [ -e held ]; then break; fi
	sleep 0.1
done
as devenv -C "$PWD" run -- sh -c 'echo >held2; until [ -e release ]; do sleep 0.05; done' &
second=$!
for try in $(seq 100); do
	if [ -e held2 ]; then break; fi
	sleep 0.1
done
units=$(as systemctl --user list-units --no-legend --plain --no-pager 'devenv-*.scope' | wc -l)
inside=0 outside=0
for dir in /proc/[0-9]*; do
	[ "$(readlink "$dir/ns/pid" 2>/dev/null)" != "$(readlink /proc/self/ns/pid)" ] || continue
	[ "$(stat -c %u "$dir" 2>/dev/null)" = $uid ] || continue
	if grep -q '/devenv-[0-9a-f]*\.scope' "$dir/cgroup"; then inside=$((inside + 1)); else outside=$((outside + 1)); fi
done
limits=$(as systemctl --user show 'devenv-*.scope' -p MemoryMax -p TasksMax --no-pager)
touch release
chmod 666 release
wait $session $second
sleep 1
left=$(as systemctl --user list-units --all --no-legend --plain --no-pager 'devenv-*.scope' | wc -l)
echo "units $units, inside $inside, outside $outside, left $left" $limits
[ "$units" -eq 1 ] && [ "$inside" -ge 3 ] && [ "$outside" -eq 0 ] && [ "$left" -eq 0 ]
[[ $limits == *MemoryMax=104857600* && $limits == *TasksMax=50* ]]
