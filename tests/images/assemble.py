#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the test images out of Debian root file systems.

usage: assemble.py OUT BULLSEYE.tar BOOKWORM.tar HELLO

OUT receives one OCI layout per image ("layouts/NAME", tags in its index.json) and rootfs.tar. A root file system
becomes several layers the way a Dockerfile would have made them: base packages, further packages with a new dpkg
status, then a layer that removes and replaces things in every way the image specification knows.
"""
import io
import os
import platform
import re
import sys
import tarfile

from oci_layout import Layout, LayerWriter

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
FOREIGN = "arm64" if ARCHITECTURE == "amd64" else "amd64"
MERGED = re.compile(r"^(bin|sbin|lib|lib32|lib64|libx32)(?=/|$)")
SMALL_PACKAGES = {"base-files", "bash", "coreutils", "dash", "grep", "libacl1", "libattr1", "libc6", "libgmp10",
                  "libpcre2-8-0", "libselinux1", "libtinfo6", "sed"}
SMALL_FILES = {"etc/passwd", "etc/group", "etc/ld.so.cache", "etc/os-release"}


class Rootfs:
    """A tar of an installed Debian system and what its package database says."""

    def __init__(self, path):
        self.tar = tarfile.open(path)
        self.members = [m for m in self.tar.getmembers() if self.name(m) not in ("", ".")]
        for member in self.members:
            member.name = self.name(member)
        by_name = {member.name: member for member in self.members}
        status = self.tar.extractfile(by_name["var/lib/dpkg/status"]).read().decode()
        self.priority = {}
        for stanza in status.split("\n\n"):
            fields = dict(re.findall(r"^(Package|Priority): (.*)$", stanza, re.M))
            if fields:
                self.priority[fields["Package"]] = fields.get("Priority", "optional")
        self.owners = {}
        for name, member in by_name.items():
            match = re.fullmatch(r"var/lib/dpkg/info/([^:/]+?)(:[a-z0-9]+)?\.(\w+)", name)
            if match:
                self.owners.setdefault(name, set()).add(match.group(1))
            if match and match.group(3) == "list":
                for line in self.tar.extractfile(member).read().decode().splitlines():
                    self.owners.setdefault(self.merged(line.lstrip("/")), set()).add(match.group(1))

    @staticmethod
    def name(member):
        return re.sub(r"^\./", "", member.name).rstrip("/")

    @staticmethod
    def merged(path):
        return MERGED.sub(r"usr/\1", path)

    def copy(self, member, writer):
        writer.add(member, self.tar.extractfile(member) if member.isreg() else None)

    def split(self, layout, classes):
        """Split into len(classes) + 1 layers: files of packages that classes[n] selects go to layer n + 1."""
        writers = [LayerWriter(layout) for _ in range(len(classes) + 1)]
        for member in self.members:
            owners = self.owners.get(member.name, set())
            home = 0
            for number, selects in enumerate(classes, 1):
                if owners and all(selects(owner) for owner in owners):
                    home = number
            if member.name == "var/lib/dpkg/status":
                writers[0].text(member.name, "this is the base layer's copy\n")
                home = len(classes)
            self.copy(member, writers[home])
        return writers

    def optional(self, package):
        return self.priority.get(package) in ("optional", "standard", "extra")


def plant(base):
    """Things in the base layer for the upper layers to remove and replace; checked by first_light.bats."""
    base.directory("opt/layers")
    base.text("opt/layers/kept", "kept\n")
    base.text("opt/layers/removed-file", "gone\n")
    base.directory("opt/layers/removed-dir")
    base.text("opt/layers/removed-dir/old", "gone\n")
    base.directory("opt/layers/replaced")
    base.text("opt/layers/replaced/old", "gone\n")
    base.directory("opt/layers/was-dir")
    base.text("opt/layers/was-dir/inside", "gone\n")
    base.text("opt/layers/was-file", "gone\n")
    base.link("opt/layers/was-link", "/etc")
    base.text("opt/layers/setuid", "#!/bin/sh\n", mode=0o4755)
    base.directory("opt/layers/sticky", mode=0o1777)
    base.text("opt/layers/hard-a", "hard\n")
    base.hard_link("opt/layers/hard-b", "opt/layers/hard-a")
    base.text("opt/layers/caf\u00e9", "utf-8\n")
    base.text("opt/layers/" + "n" * 250, "long name\n")
    base.text("opt/layers/owned", "by 1000:1001\n", uid=1000, gid=1001)


def cleaning(layout):
    """The layer of whiteouts: its marks stand before, between and after the files they concern."""
    layer = LayerWriter(layout)
    layer.text("usr/share/.wh.doc")
    layer.directory("usr/share/man")
    layer.text("usr/share/man/README", "manuals were removed\n")
    layer.text("usr/share/man/.wh..wh..opq")
    layer.text("opt/layers/.wh.removed-file")
    layer.text("opt/layers/.wh.removed-dir")
    layer.text("opt/layers/.wh.never-was")
    layer.directory("opt/layers/replaced")
    layer.text("opt/layers/replaced/.wh..wh..opq")
    layer.text("opt/layers/replaced/new", "new\n")
    layer.text("opt/layers/was-dir", "a file now\n")
    layer.directory("opt/layers/was-file")
    layer.text("opt/layers/was-file/inside", "a directory now\n")
    layer.directory("opt/layers/was-link")
    layer.text("opt/layers/was-link/inside", "a directory now\n")
    return layer.finish()


def last(layout):
    """A removed directory comes back, its parent not named in the archive."""
    layer = LayerWriter(layout)
    layer.directory("opt/layers/removed-dir")
    layer.text("opt/layers/removed-dir/again", "again\n")
    layer.text("etc/devenv-test-image", "yes\n")
    return layer.finish()


def foreign(layout):
    layer = LayerWriter(layout)
    layer.text("foreign", "not for this machine\n")
    return layout.manifest([layer.finish()], FOREIGN)


def attestation(layout):
    layer = LayerWriter(layout)
    layer.text("in-toto", "{}\n")
    return layout.manifest([layer.finish()], "unknown")


def python2(out, rootfs):
    layout = Layout(os.path.join(out, "layouts", "python2"))
    writers = rootfs.split(layout, [rootfs.optional])
    plant(writers[0])
    layers = [writer.finish() for writer in writers] + [cleaning(layout), last(layout)]
    layout.tag("2.7", layout.manifest(layers, ARCHITECTURE, {"Cmd": ["bash"], "Env": [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "IMAGE_SAYS=python2"]}))
    layout.finish()


def django(out, rootfs):
    layout = Layout(os.path.join(out, "layouts", "django"))

    def is_django(package):
        return package in ("python3-django", "python3-sqlparse", "python3-asgiref")
    writers = rootfs.split(layout, [rootfs.optional, is_django])
    plant(writers[0])
    layers = [writer.finish() for writer in writers] + [cleaning(layout), last(layout)]
    manifest = layout.manifest(layers, ARCHITECTURE, {"Cmd": ["python3"], "Env": [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "IMAGE_SAYS=django"]})
    layout.tag("3.2", layout.index([(("linux", FOREIGN), foreign(layout)), (("unknown", "unknown"), attestation(layout)),
                                  (("linux", ARCHITECTURE), manifest)]))
    layout.finish()


def small_members(rootfs):
    """A root with a shell and coreutils only: small enough to be fetched by every test that wants a fetch."""
    for member in rootfs.members:
        owners = rootfs.owners.get(member.name, set())
        if member.name.startswith(("usr/share/", "var/lib/dpkg/")) or "/gconv" in member.name or member.ischr():
            continue
        if member.name in SMALL_FILES or owners & SMALL_PACKAGES or (member.issym() and MERGED.match(member.name)):
            yield member


def small(out, rootfs):
    layout = Layout(os.path.join(out, "layouts", "small"))
    bases = {}
    for compression in ("gzip", "zstd", "plain"):
        writer = LayerWriter(layout, compression)
        for member in small_members(rootfs):
            rootfs.copy(member, writer)
        bases[compression] = writer.finish()
        top = LayerWriter(layout, compression)
        top.text("etc/small", "small\n")
        layout.tag(compression, layout.manifest([bases[compression], top.finish()], ARCHITECTURE,
                                                {"Cmd": ["/bin/sh", "-c", "cat /etc/small"]}))
    for version in ("1", "2"):
        top = LayerWriter(layout)
        top.text("etc/small", f"small {version}\n")
        layout.tag(version, layout.manifest([bases["gzip"], top.finish()], ARCHITECTURE))
    top = LayerWriter(layout)
    top.directory("srv")
    top.directory("srv/work")
    configured = [bases["gzip"], top.finish()]
    path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
    for tag, config in {
            "entry": {"Entrypoint": ["/bin/echo", "entry"], "Cmd": ["the", "default words"], "Env": [path]},
            "config": {"Cmd": ["/bin/sh", "-c", "echo $GREETING; pwd; id -u"], "WorkingDir": "/srv/work",
                       "User": "daemon", "Env": [path, "GREETING=good morning"]},
            "ids": {"Cmd": ["id"], "User": "1234:5678", "Env": [path]},
            "odd": {"Cmd": ["env"], "Labels": {"devenv.network": "host", "devenv.user": "root"},
                    "Env": [path, "GOOD=1", "NO_VALUE", "=nameless", "1BAD=2", "DA-SH=3"],
                    "Volumes": {"/srv/volume": {}}, "ExposedPorts": {"80/tcp": {}}}}.items():
        layout.tag(tag, layout.manifest(configured, ARCHITECTURE, config))
    layout.tag("foreign", layout.index([(("linux", FOREIGN), foreign(layout))]))
    layout.finish()
    with tarfile.open(os.path.join(out, "rootfs.tar"), "w", format=tarfile.GNU_FORMAT) as tar:
        for member in small_members(rootfs):
            tar.addfile(member, rootfs.tar.extractfile(member) if member.isreg() else None)
        text = tarfile.TarInfo("etc/small")
        text.size = 7
        tar.addfile(text, io.BytesIO(b"rootfs\n"))


def hello(out, program):
    layout = Layout(os.path.join(out, "layouts", "hello"))
    layer = LayerWriter(layout)
    layer.copy("hello", program)
    layout.tag("latest", layout.manifest([layer.finish()], ARCHITECTURE, {"Cmd": ["/hello"]}))
    layout.finish()


def main():
    out, bullseye, bookworm, program = sys.argv[1:]
    python2(out, Rootfs(bullseye))
    rootfs = Rootfs(bookworm)
    django(out, rootfs)
    small(out, rootfs)
    hello(out, program)


main()
