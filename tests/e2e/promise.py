#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare what a session found (promise_look.sh) with the promise of the sandbox and with `config --plan --json`.

usage: promise.py LOOK PLAN session|root UID GID [HOST_NAMESPACE...]       (HOST_NAMESPACE: NAME=LINK)

The tables here say what has been promised, so they are not read from the program. Prints every difference; exit 1.
"""
import json
import re
import sys

OWN = {"user", "mnt", "pid", "ipc", "uts"}
# chown dac_override fowner fsetid kill setgid setuid net_bind_service
CAPABILITIES = {"chown": 0, "dac_override": 1, "fowner": 3, "fsetid": 4, "kill": 5, "setgid": 6, "setuid": 7, "net_bind_service": 10}
DEVICES = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9", "tty": "5:0", "console": "1:3"}
LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
         "ptmx": "pts/ptmx"}
DIRECTORIES = {".": "drwxr-xr-x", "pts": "drwxr-xr-x", "shm": "drwxrwxrwt", "mqueue": "drwxrwxrwt"}
EMPTY_DIRECTORIES = {"acpi", "asound", "scsi"}
EMPTY_FILES = {"interrupts", "kcore", "keys", "latency_stats", "sched_debug", "timer_list", "timer_stats"}
READ_ONLY = {"bus", "fs", "irq", "sys", "sysrq-trigger"}
CLOSED = {"ro", "nosuid", "nodev", "noexec"}
NODE = {"ro", "nosuid", "noexec"}
# where -> (flags, type); a type of None is whatever the host, or the store, has there
MOUNTS = {
    "/": ({"rw", "nosuid", "nodev"}, "overlay"), "/tmp": ({"rw", "nosuid", "nodev"}, None),
    "/dev": (NODE, None), "/dev/pts": ({"rw", "nosuid", "noexec"}, "devpts"),
    "/dev/shm": (CLOSED ^ {"ro", "rw"}, "tmpfs"), "/dev/mqueue": (CLOSED ^ {"ro", "rw"}, "mqueue"),
    "/proc": (CLOSED ^ {"ro", "rw"}, "proc"), "/sys": (CLOSED, None), "/sys/devices/system/cpu": (CLOSED, "sysfs"),
    **{f"/dev/{name}": (NODE, None) for name in DEVICES},
    **{f"/proc/{name}": (CLOSED, None) for name in EMPTY_DIRECTORIES},
    **{f"/proc/{name}": (NODE, None) for name in EMPTY_FILES},
    **{f"/proc/{name}": (CLOSED, "proc") for name in READ_ONLY},
}
OPTIONAL = {f"/proc/{name}" for name in EMPTY_DIRECTORIES | EMPTY_FILES | READ_ONLY} | {"/sys/devices/system/cpu"}
# what may come from the caller, when it is set there
PASSED = re.compile(r"TERM|COLORTERM|TZ|LANG|LC_.*|NO_COLOR|(https?|no|ftp|all)_proxy|(HTTPS?|NO|FTP|ALL)_PROXY")
FLAGS = {"ro", "rw", "nosuid", "nodev", "noexec"}
SOCKETS = {"unix", "inet", "inet6", "netlink"}
REFUSED = """mount umount2 pivot_root setns bpf io_uring_setup io_uring_enter io_uring_register perf_event_open userfaultfd keyctl
 add_key request_key kexec_load init_module finit_module delete_module open_tree move_mount fsopen fsconfig fsmount fspick
 mount_setattr open_by_handle_at""".split()

found, problems = {}, []


def expect(what, got, wanted):
    if got != wanted:
        problems.append(f"{what}: {got!r} instead of {wanted!r}")


def only(kind):
    """The one value of its kind."""
    values = list(found.get(kind, {}).values())
    expect(f"number of {kind}", len(values), 1)
    return values[0] if values else ""


def check_namespaces(promise, host):
    own, shared = set(OWN), {"cgroup", "time"}
    (own if "network" in promise["namespaces"]["own"] else shared).add("net")
    for name, link in found["namespace"].items():
        if name in own and link == host[name]:
            problems.append(f"the namespace {name} is the host's")
        if name in shared and link != host[name]:
            problems.append(f"the namespace {name} is not the host's, as it is told")
    names = {"mnt": "mount", "net": "network"}
    expect("own namespaces as told", set(promise["namespaces"]["own"]), {names.get(n, n) for n in own})
    expect("shared namespaces as told", set(promise["namespaces"]["shared"]), {names.get(n, n) for n in shared})


def check_privileges(promise, root):
    wanted = f"{sum(1 << bit for bit in CAPABILITIES.values()):016x}" if root else "0" * 16
    for name in ("CapPrm", "CapEff", "CapBnd"):
        expect(name, found["status"][name], wanted)
    for name in ("CapInh", "CapAmb"):
        expect(name, found["status"][name], "0" * 16)
    expect("NoNewPrivs", found["status"]["NoNewPrivs"], "1")
    expect("Seccomp", found["status"]["Seccomp"], "2")
    expect("capabilities of a session of root as told", set(promise["root_capabilities"]), set(CAPABILITIES))
    expect("no_new_privs as told", promise["no_new_privs"], True)


def check_ids(plan, root, uid, gid):
    promise, inside_uid, inside_gid = plan["promise"], "0" if root else str(plan["uid"]), "0" if root else str(plan["gid"])
    expect("uids", found["status"]["Uid"].split(), [inside_uid] * 4)
    expect("gids", found["status"]["Gid"].split(), [inside_gid] * 4)
    if len(promise["ids"]["uids"]) == 1:
        # a session of root sees the map of its own namespace: to the one above
        expect("uid map", only("uid_map").split(), [inside_uid, str(plan["uid"]) if root and plan["uid"] else uid, "1"])
        expect("gid map", only("gid_map").split(), [inside_gid, str(plan["gid"]) if root and plan["uid"] else gid, "1"])
        expect("setgroups", only("setgroups"), "deny")
    expect("the first uid as told", promise["ids"]["uids"][0], {"inside": plan["uid"], "outside": int(uid), "count": 1})


def check_mounts(plan):
    wanted = dict(MOUNTS)
    for mount in plan["mounts"]:
        flags = {"ro" if mount["read_only"] else "rw", "nosuid", "nodev"}
        wanted[mount["target"]] = (flags, {"tmpfs": "tmpfs", "view": "overlay"}.get(mount["kind"]))
        if not mount["why"]:
            problems.append(f"nothing says why {mount['target']} is mounted")
    for where, line in found["mount"].items():
        flags, kind, _ = line.split(" ", 2)
        where = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), where)
        if where not in wanted:
            problems.append(f"{where} is mounted, and nothing tells of it")
            continue
        expect(f"flags of {where}", set(flags.split(",")) & FLAGS, wanted[where][0])
        if wanted[where][1]:
            expect(f"type of {where}", kind, wanted[where][1])
        del wanted[where]
    optional = OPTIONAL | {mount["target"] for mount in plan["mounts"] if mount["optional"]}
    for where in set(wanted) - optional:
        problems.append(f"{where} is not mounted")
    for where in OPTIONAL & set(wanted):
        name = where.removeprefix("/proc/")
        if where.startswith("/proc/") and found["proc"].get(name) != "absent":
            problems.append(f"{where} is there and not covered")


def check_dev(promise):
    for name, line in found["dev"].items():
        mode, device, link = line.split(" ", 2)
        if name in DEVICES:
            expect(f"/dev/{name}", (mode, device), ("crw-rw-rw-", DEVICES[name]))
        elif name in LINKS:
            expect(f"/dev/{name}", (mode[0], link), ("l", LINKS[name]))
        elif name in DIRECTORIES:
            expect(f"/dev/{name}", mode, DIRECTORIES[name])
        elif not name.startswith("pts/"):
            problems.append(f"/dev/{name} is there")
    names = set(DEVICES) | set(LINKS) | set(DIRECTORIES)
    expect("names in /dev", {n for n in found["dev"] if "/" not in n}, names)
    expect("/dev as told", set(promise["dev"]), names - {"."})


def check_proc_and_sys(promise):
    for name in EMPTY_DIRECTORIES | EMPTY_FILES:
        if found["proc"][name] not in ("absent", "entries 0", "bytes 0"):
            problems.append(f"/proc/{name}: {found['proc'][name]}")
    expect("what is empty in /proc as told", set(promise["proc"]["empty"]), EMPTY_DIRECTORIES | EMPTY_FILES)
    expect("what is read-only in /proc as told", set(promise["proc"]["read_only"]), READ_ONLY)
    expect("/sys", set(found["sys"]) - {"devices/system/cpu"}, {"./devices", "devices/system"})
    expect("/sys as told", promise["sys"], ["devices/system/cpu"])


def check_rest(plan, root):
    given = {line.split("=", 1)[0] for line in plan["env"]}
    allowed = given | {"PWD", "LANG"} | ({"HOME", "SHELL", "USER", "LOGNAME"} if root else set())
    for name in found["env"]:
        if name not in allowed and not PASSED.fullmatch(name) and name not in plan["pass"]:
            problems.append(f"the variable {name} is there")
    for name in given - set(found["env"]):
        problems.append(f"the variable {name} is not there")
    for name, value in {"container": "devenv", "DEVENV": "1", "DEVENV_NAME": plan["name"]}.items():
        expect(name, found["env"].get(name), value)
    if root:
        expect("HOME", found["env"]["HOME"], "/root")
    expect("descriptors", set(found["fd"]), {"0", "1", "2"})
    expect("host name", only("hostname"), plan["hostname"])
    if "network" in plan["promise"]["namespaces"]["own"]:
        expect("interfaces", set(found["interface"]), {"lo"})
    told = plan["promise"]["filter"]
    expect("socket families as told", set(told["socket_families"]), SOCKETS)
    expect("refused system calls that are not told", set(REFUSED) - set(told["refused"]), set())
    expect("allowed for debuggers but not told", {"ptrace", "process_vm_readv"} - set(told["for_debuggers"]), set())
    expect("both allowed and refused", set(told["allowed"]) & set(told["refused"]), set())
    expect("calls on no list", told["unknown"], "ENOSYS")


def main():
    look, plan_path, kind, uid, gid, *namespaces = sys.argv[1:]
    with open(plan_path, encoding="utf-8") as file:
        plan = json.load(file)
    with open(look, encoding="utf-8") as file:
        for line in file:
            what, name, value = line.rstrip("\n").split(" ", 2)
            found.setdefault(what, {})[name] = value
    root = kind == "root" or plan["uid"] == 0 and bool(plan["promise"]["capabilities"])
    check_namespaces(plan["promise"], dict(n.split("=", 1) for n in namespaces))
    check_privileges(plan["promise"], root)
    check_ids(plan, root, uid, gid)
    check_mounts(plan)
    check_dev(plan["promise"])
    check_proc_and_sys(plan["promise"])
    check_rest(plan, root)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
