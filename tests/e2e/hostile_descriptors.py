#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run a command with sixty descriptors of every kind that a careless caller may leave open, none of them close-on-exec.

usage: hostile_descriptors.py COMMAND...
"""
import os
import pty
import resource
import select
import socket
import sys
import tempfile


def epoll():
    made = select.epoll()
    return os.dup(made.fileno())


def kinds():
    """Openers; each gives one descriptor or several."""
    name = tempfile.mktemp()
    return [
        lambda: os.open("/etc/passwd", os.O_RDONLY),
        lambda: os.open("/", os.O_RDONLY | os.O_DIRECTORY),
        lambda: os.open("/", os.O_PATH),
        lambda: os.open(os.environ["HOME"], os.O_RDONLY | os.O_DIRECTORY),
        lambda: os.open("/proc", os.O_RDONLY),
        lambda: os.open("/proc/self/fd", os.O_RDONLY),
        lambda: os.open("/proc/self/mem", os.O_RDWR),
        lambda: os.open("/proc/self/ns/mnt", os.O_RDONLY),
        lambda: os.open("/proc/self/ns/user", os.O_RDONLY),
        lambda: os.open("/proc/self/root", os.O_PATH),
        lambda: os.open("/dev/null", os.O_RDWR),
        lambda: os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600),
        lambda: [s.detach() for s in socket.socketpair()],
        lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).detach(),
        lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).detach(),
        os.pipe,
        pty.openpty,
        lambda: os.memfd_create("left"),
        lambda: os.eventfd(0),
        lambda: os.pidfd_open(os.getppid()),
        epoll,
    ]


def main():
    opened, openers, turn = [], kinds(), 0
    while len(opened) < 60:
        try:
            made = openers[turn % len(openers)]()
        except FileExistsError:
            made = os.open("/etc/hosts", os.O_RDONLY)
        opened += made if isinstance(made, (list, tuple)) else [made]
        turn += 1
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    for high in (900, limit - 1):
        if 0 < high < limit:
            os.dup2(opened[0], high)
    for fd in opened:
        os.set_inheritable(fd, True)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
