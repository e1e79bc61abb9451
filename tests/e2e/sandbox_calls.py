#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Count what a `devenv run` did before the user's program started, from the output of `strace -f`.

usage: sandbox_calls.py TRACE

Prints "calls N", "children N", "names CALL CALL..." and "checks N" (calls between reading the plan and acting on it).
Deterministic: counted are the launcher until its vfork, the child of that until its successful execve, and pid 1 of the
sandbox until it waits for its last session; not the execve of devenv itself. Failed attempts count.
"""
import re
import sys

CHILDREN = ("clone", "clone3", "fork", "vfork")


def read(path):
    """[(pid, call, text)] in order; a call in two parts is one."""
    calls, open_calls = [], {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = re.match(r"(\d+) +(?:<\.\.\. (\w+) resumed>)?(.*)", line.rstrip("\n"))
            pid, resumed, rest = match.groups()
            if resumed:
                open_calls.pop(pid)[2] += rest
                continue
            match = re.match(r"(\w+)\((.*)", rest)
            if not match:
                continue
            calls.append([pid, match.group(1), rest])
            if rest.endswith("<unfinished ...>"):
                open_calls[pid] = calls[-1]
    return calls


def main():
    calls = read(sys.argv[1])
    launcher, counted, done, children = calls[0][0], [], set(), 0
    for pid, call, text in calls[1:]:
        if pid in done:
            continue
        counted.append(call)
        if call in CHILDREN:
            children += 1
        if pid == launcher and call == "vfork":
            done.add(pid)
        elif pid != launcher and call == "execve" and re.search(r"\) += 0$", text):
            done.add(pid)
        elif pid != launcher and call == "fcntl" and "F_OFD_SETLKW" in text:
            done.add(pid)
    names = [call for _, call, _ in calls]
    checks, reading = 0, False
    for pid, call, text in calls:
        if call.startswith("open") and re.search(r'/plan"', text):
            reading, checks = True, 0
        elif reading and call == "pidfd_open":
            break
        elif reading and call in ("stat", "lstat", "newfstatat", "statx", "openat", "open", "access", "readlink", "close", "fstat"):
            checks += 1
    print("calls", len(counted))
    print("children", children)
    print("checks", checks - 2)  # fstat and close of the plan itself
    print("names", *sorted(set(names)))


main()
