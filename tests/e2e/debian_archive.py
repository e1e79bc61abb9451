# SPDX-License-Identifier: Apache-2.0
"""debian_archive.py - a Debian archive made of packages that a store has, and what becomes of it half a year later.

usage: debian_archive.py make LOCK STORE ARCHIVE      every package of the lock, at the path that the lock gives
       debian_archive.py supersede ARCHIVE NEWER      the same packages, each in a newer version: none of the old ones is there
       debian_archive.py index ARCHIVE DAYS [FIELD]   Packages, and a Release from so many days ago with a further field, per suite

A newer version is a real package: its control file says another version, what depends on exact versions follows.
Signing is the caller's business.
"""
import configparser
import hashlib
import io
import lzma
import os
import re
import subprocess
import sys
import tarfile
import time

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")


def members(path):
    """Name and content of each member of an ar archive."""
    with open(path, "rb") as f:
        data = f.read()
    at = 8
    while at < len(data):
        name, size = data[at:at + 16].decode().strip(), int(data[at + 48:at + 58])
        yield name, data[at + 60:at + 60 + size]
        at += 60 + size + size % 2


def pack(path, parts):
    with open(path, "wb") as f:
        f.write(b"!<arch>\n")
        for name, data in parts:
            f.write(b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name.encode(), 0, 0, 0, b"100644", len(data)))
            f.write(data + b"\n" * (len(data) % 2))


def control_of(path):
    return subprocess.run(["dpkg-deb", "-f", path], check=True, capture_output=True, text=True).stdout


def newer(control):
    """The control file of the next version."""
    control = re.sub(r"^Version: (.*)$", r"Version: \1+b9", control, flags=re.M)
    return re.sub(r"\(= ([^)$]*)\)", r"(= \1+b9)", control)


def renew(old, new):
    parts = []
    for name, data in members(old):
        if name.startswith("control.tar"):
            out = io.BytesIO()
            with tarfile.open(fileobj=io.BytesIO(data)) as inp, tarfile.open(fileobj=out, mode="w:gz", format=tarfile.GNU_FORMAT) as to:
                for info in inp:
                    content = inp.extractfile(info).read() if info.isfile() else None
                    if info.name in ("./control", "control"):
                        content = newer(content.decode()).encode()
                        info.size = len(content)
                    to.addfile(info, io.BytesIO(content) if content is not None else None)
            name, data = "control.tar.gz", out.getvalue()
        parts.append((name, data))
    pack(new, parts)


def packages(archive):
    for directory, _, names in os.walk(os.path.join(archive, "pool")):
        for name in sorted(names):
            yield os.path.join(directory, name)


def make(lock, store, archive):
    parser = configparser.RawConfigParser(strict=False)
    parser.read(lock)
    for section in parser.sections():
        if section.startswith("package."):
            to = os.path.join(archive, parser[section]["path"])
            os.makedirs(os.path.dirname(to), exist_ok=True)
            os.link(os.path.join(store, "debs", parser[section]["sha256"]), to)


def supersede(archive, to):
    for path in packages(archive):
        new = re.sub(r"_([^_]*)\.deb$", r"+b9_\1.deb", os.path.join(to, os.path.relpath(path, archive)))
        os.makedirs(os.path.dirname(new), exist_ok=True)
        renew(path, new)


def date(seconds):
    return time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime(seconds))


def index(archive, days, *fields):
    stanzas = []
    for path in packages(archive):
        with open(path, "rb") as f:
            data = f.read()
        stanzas.append("%sFilename: %s\nSize: %d\nSHA256: %s\n" % (
            control_of(path), os.path.relpath(path, archive), len(data), hashlib.sha256(data).hexdigest()))
    for suite in SUITES:
        text = "\n".join(stanzas if suite == "bookworm" else []).encode()
        where = os.path.join(archive, "dists", suite)
        os.makedirs(os.path.join(where, "main/binary-amd64"), exist_ok=True)
        hashes = []
        for name, data in (("Packages", text), ("Packages.xz", lzma.compress(text))):
            with open(os.path.join(where, "main/binary-amd64", name), "wb") as f:
                f.write(data)
            hashes.append(" %s %d main/binary-amd64/%s" % (hashlib.sha256(data).hexdigest(), len(data), name))
        with open(os.path.join(where, "Release"), "w") as f:
            f.write("\n".join(["Origin: Debian", "Suite: " + suite, "Codename: " + suite,
                               "Date: " + date(time.time() - 86400 * float(days)), "Architectures: amd64",
                               "Components: main", *fields, "SHA256:", *hashes, ""]))


if __name__ == "__main__":
    {"make": make, "supersede": supersede, "index": index}[sys.argv[1]](*sys.argv[2:])
