#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare a base of packages with what mmdebstrap makes of the same packages.

usage: compare.py ROOT.tar LAYER...

LAYER: directories of the base as the store has them, the lowest first (overlayfs whiteouts are honoured). Names, kinds, modes,
links and contents are compared; of /var/lib/dpkg/status the paragraphs. Every difference is either explained by the table
below, or printed; status 1 if there are any of those.
"""
import fnmatch
import hashlib
import os
import re
import stat
import sys
import tarfile

# (pattern of the path, what is different, why that is right)
EXPLAINED = [
    # a layer has neither logs nor caches nor what is made anew; devenv.ini(5) tells
    ("var/log/*", "only there", "logs"),
    ("var/cache/*", "only there", "caches"),
    ("var/lib/dpkg/*-old", "only there", "a backup"),
    ("var/lib/dpkg/lock*", "only there", "a lock"),
    ("var/lib/dpkg/triggers/Lock", "only there", "a lock"),
    ("var/lib/systemd/*", "only there", "a machine's own secrets"),
    ("etc/*-", "only there", "a backup"),
    ("etc/.pwd.lock", "only there", "a lock"),
    ("etc/machine-id", "mode", "as systemd made it; mmdebstrap makes it anew"),
    ("etc/machine-id", "content", "a machine's own: empty in a layer"),
    # the generated layer has these, or the sandbox does
    ("etc/hostname", "only there", "generated"),
    ("etc/hosts", "only there", "generated"),
    ("etc/mtab", "only there", "generated where it is missing"),
    ("usr/bin/ping", "mode", "file capabilities take real root; without, iputils-ping's postinst sets the setuid bit"),
    ("etc/resolv.conf", "only there", "generated"),
    ("etc/apt/sources.list", "only there", "generated: sources.list.d/devenv.sources"),
    ("dev/*", "only there", "the sandbox has its own /dev"),
    ("run/*", "only there", "a fresh tmpfs"),
    # mmdebstrap's own, and what apt's method user owns
    ("etc/fstab", "only there", "mmdebstrap's: nothing is mounted by it here"),
    ("var/cache/apt/archives/partial", "mode", "apt makes it _apt's when it runs"),
    ("var/lib/apt/lists/partial", "mode", "apt makes it _apt's when it runs"),
    ("var/lib/dpkg/info/usr-is-merged.*", "only there", "the stand-in that mmdebstrap's hook for merged /usr installs"),
    # what apt notes when it is the one that installs
    ("var/lib/apt/extended_states", "only there", "apt installed nothing"),
    ("var/lib/apt/lists*", "only there", "apt was never run"),
    ("var/lib/apt/periodic", "only there", "apt was never run"),
]


class Entry:
    def __init__(self, kind, mode, link=None, content=None):
        self.kind, self.mode, self.link, self.content = kind, mode, link, content

    def digest(self):
        return hashlib.sha256(self.content() if self.content else b"").hexdigest()


def from_tar(path):
    """Entries of the archive by path; a hard link is the file it leads to."""
    archive = tarfile.open(path)
    entries = {}
    for member in archive:
        name = os.path.normpath(member.name)
        kind = {tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.REGTYPE: "f", tarfile.LNKTYPE: "f"}.get(member.type, "?")
        content = (lambda member=member: archive.extractfile(member).read()) if kind == "f" else None
        entries[name] = Entry(kind, member.mode & 0o7777, member.linkname if kind == "l" else None, content)
    return entries


def kind_of(info):
    for test, kind in ((stat.S_ISDIR, "d"), (stat.S_ISLNK, "l"), (stat.S_ISREG, "f")):
        if test(info.st_mode):
            return kind
    return "?"


def is_opaque(path):
    try:
        return b"y" in os.getxattr(path, "user.overlay.opaque", follow_symlinks=False)
    except OSError:
        return False


def add_layer(entries, layer):
    for directory, names, files in os.walk(layer):
        inside = os.path.relpath(directory, layer)
        if directory != layer and is_opaque(directory):
            for name in [name for name in entries if name.startswith(inside + "/")]:
                del entries[name]
        for name in names + files:
            path = os.path.join(directory, name)
            inner = os.path.normpath(os.path.join(inside, name))
            info = os.lstat(path)
            kind = kind_of(info)
            if kind != "d":
                for below in [below for below in entries if below.startswith(inner + "/")]:
                    del entries[below]
            if stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
                entries.pop(inner, None)
                continue
            entries[inner] = Entry(kind, stat.S_IMODE(info.st_mode), os.readlink(path) if kind == "l" else None,
                                   (lambda path=path: open(path, "rb").read()) if kind == "f" else None)
    info = os.lstat(layer)
    entries["."] = Entry("d", stat.S_IMODE(info.st_mode))


def normal(path, data):
    """What of a file's content has to be the same."""
    if path in ("etc/shadow", "etc/gshadow"):  # the day a password was changed
        return re.sub(rb"(?m)^([^:]*:[^:]*):\d*:", rb"\1::", data)
    if path == "var/lib/dpkg/status":
        paragraphs = data.strip().split(b"\n\n")
        stand_in = (b"Package: usr-is-merged\n", b"\nVersion: 1\n")  # of mmdebstrap's hook for merged /usr
        return b"\n\n".join(sorted(p for p in paragraphs if not all(part in p for part in stand_in)))
    if path.endswith(".pyc"):  # says by a hash whether it is current, not by a time (SOURCE_DATE_EPOCH is set)
        return data[16:]
    if path == "etc/shells":  # in the order of configuration, which is free where packages don't depend on each other
        return b"\n".join(sorted(data.split(b"\n")))
    if path.endswith(".list") and path.startswith("var/lib/dpkg/info/"):
        return b"\n".join(sorted(data.split(b"\n")))
    if path in ("var/lib/dpkg/triggers/File", "var/lib/dpkg/diversions"):
        lines = data.strip().split(b"\n")
        step = 3 if path.endswith("diversions") else 1
        return b"\n".join(sorted(b"|".join(lines[i:i + step]) for i in range(0, len(lines), step)))
    return data


def differences(here, there):
    for path in sorted(set(here) | set(there)):
        a, b = here.get(path), there.get(path)
        if not a or not b:
            yield path, "only here" if a else "only there", ""
        elif a.kind != b.kind:
            yield path, "kind", f"{a.kind} here, {b.kind} there"
        elif a.kind == "l":
            if a.link != b.link:
                yield path, "link", f"{a.link} here, {b.link} there"
        else:
            if a.mode != b.mode:
                yield path, "mode", f"{a.mode:o} here, {b.mode:o} there"
            if a.kind == "f" and a.digest() != b.digest() and normal(path, a.content()) != normal(path, b.content()):
                yield path, "content", ""


def main():
    here, there = {}, from_tar(sys.argv[1])
    for layer in sys.argv[2:]:
        add_layer(here, layer)
    explained = bad = 0
    for path, what, detail in differences(here, there):
        if any(fnmatch.fnmatch(path, pattern) and what == kind for pattern, kind, _ in EXPLAINED):
            explained += 1
            continue
        bad += 1
        print(f"/{path}: {what} {detail}".rstrip())
    print(f"{len(here)} names here, {len(there)} there, {explained} differences explained, {bad} not", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
