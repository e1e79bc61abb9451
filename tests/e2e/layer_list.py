#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Print all that the layers of a store are: a line per path with its mode, size, time, content or link, and attributes.

usage: layer_list.py STORE
"""
import hashlib
import os
import stat
import sys


def content(path, found):
    if stat.S_ISREG(found.st_mode):
        os.chmod(path, found.st_mode | 0o400)
        with open(path, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        os.chmod(path, stat.S_IMODE(found.st_mode))
        return f"{found.st_size} {digest}"
    if stat.S_ISLNK(found.st_mode):
        return os.readlink(path)
    return str(found.st_rdev) if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode) else "-"


def attributes(path, found):
    if stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode):
        return " ".join(f"{name}={os.getxattr(path, name).hex()}" for name in sorted(os.listxattr(path)) if name.startswith("user."))
    return ""


def show(path, shown):
    found = os.lstat(path)
    closed = stat.S_ISDIR(found.st_mode) and found.st_mode & 0o500 != 0o500
    if closed:
        os.chmod(path, 0o700)
    print(f"{shown} {found.st_mode:o} {found.st_mtime_ns} {content(path, found)} {attributes(path, found)}")
    if stat.S_ISDIR(found.st_mode):
        for name in sorted(os.listdir(path)):
            show(f"{path}/{name}", f"{shown}/{name}")
    if closed:
        os.chmod(path, stat.S_IMODE(found.st_mode))


sys.stdout.reconfigure(errors="surrogateescape")
layers = sys.argv[1] + "/layers"
for layer in sorted(os.listdir(layers)):
    show(f"{layers}/{layer}/fs", layer)
    owners = f"{layers}/{layer}/owners"
    if os.path.exists(owners):
        with open(owners, "rb") as file:
            print(f"{layer} owners {hashlib.sha256(file.read()).hexdigest()}")
