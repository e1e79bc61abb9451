# SPDX-License-Identifier: Apache-2.0
# promise_look.sh - what a session finds about itself, as "KIND NAME VALUE" lines: run inside by promise.bats.
for name in user mnt pid ipc uts net cgroup time; do
	echo "namespace $name $(readlink /proc/self/ns/$name)"
done
sed -nE 's/^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):[[:space:]]*(.*)/status \1 \2/p' /proc/self/status
sed 's/^/uid_map - /' /proc/self/uid_map
sed 's/^/gid_map - /' /proc/self/gid_map
echo "setgroups - $(cat /proc/self/setgroups)"
# id parent major:minor root where flags optional... - type source options
sed -E 's/^[0-9]+ [0-9]+ [^ ]+ ([^ ]+) ([^ ]+) ([^ ]+) .*- ([^ ]+) .*/mount \2 \3 \4 \1/' /proc/self/mountinfo
(cd /dev && for name in . * pts/*; do
	echo "dev $name $(stat -c '%A %t:%T' "$name") $(readlink "$name")"
done)
cat /proc/self/environ | tr '\0\n' '\n ' | sed -E 's/^([^=]*)=(.*)/env \1 \2/'
for name in . devices devices/system; do
	ls -A "/sys/$name" | sed "s|.*|sys $name/& -|"
done
for name in acpi asound scsi interrupts kcore keys latency_stats sched_debug timer_list timer_stats; do
	if [ ! -e "/proc/$name" ]; then
		echo "proc $name absent"
	elif [ -d "/proc/$name" ]; then
		echo "proc $name entries $(ls -A "/proc/$name" | wc -l)"
	else
		echo "proc $name bytes $(head -c 64 "/proc/$name" 2>/dev/null | wc -c)"
	fi
done
for name in bus fs irq sys sysrq-trigger; do
	[ -e "/proc/$name" ] || echo "proc $name absent"
done
for name in /proc/self/fd/*; do
	[ ! -e "$name" ] || echo "fd ${name##*/} -"
done
echo "umask - $(umask)"
echo "hostname - $(cat /proc/sys/kernel/hostname)"
echo "workdir - $(pwd -P)"
tail -n +3 /proc/net/dev | sed -E 's/^ *([^:]*):.*/interface \1 -/'
