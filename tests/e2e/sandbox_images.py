#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile images for sandbox.bats: an honest one with one more layer that plants links, files or directories where
devenv mounts or writes.

usage: sandbox_images.py plant LAYOUT TAG OUT CANARY PATH...    OUT/ becomes a layout; prints its tags, one case each
       sandbox_images.py push LAYOUT TAG REGISTRY NAME          images NAME:CASE whose config tries to matter; prints cases
       sandbox_images.py trees LAYOUT TAG OUT PROGRAM           OUT/ becomes a layout of images whose files try to matter

CANARY is a directory of the host that links point at; PATHs are directories of the host above home and project.
"""
import hashlib
import io
import json
import os
import struct
import sys
import tarfile
import urllib.parse
import urllib.request

LINK, FILE, DIRECTORY = tarfile.SYMTYPE, tarfile.REGTYPE, tarfile.DIRTYPE
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
PLACES = ["dev", "dev/null", "dev/pts", "dev/shm", "proc", "sys", "etc", "etc/passwd", "etc/group", "etc/hosts", "etc/hostname",
          "etc/resolv.conf", "run", "run/.containerenv", "tmp", "workspace", "home", "root"]


def digest(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Base:
    def __init__(self, layout, tag):
        self.layout = layout
        with open(os.path.join(layout, "index.json"), encoding="utf-8") as file:
            found = [m for m in json.load(file)["manifests"]
                     if m["annotations"]["org.opencontainers.image.ref.name"] == tag]
        self.manifest = json.loads(self.blob(found[0]["digest"]))
        self.config = json.loads(self.blob(self.manifest["config"]["digest"]))

    def path(self, name):
        return os.path.join(self.layout, "blobs", "sha256", name.split(":")[1])

    def blob(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


def layer(entries, programs=()):
    """An uncompressed tar: (path, type, link target or text); and (path, mode, bytes, xattrs) of programs."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, kind, value in entries:
            member = tarfile.TarInfo(path)
            member.type, member.mtime = kind, 1600000000
            member.mode = 0o755 if kind == DIRECTORY else 0o644
            if kind == LINK:
                member.linkname = value
                tar.addfile(member)
            else:
                data = value.encode() if kind == FILE else b""
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data) if data else None)
        for path, mode, data, attributes in programs:
            member = tarfile.TarInfo(path)
            member.mode, member.size, member.mtime, member.uname, member.gname = mode, len(data), 1600000000, "root", "root"
            member.pax_headers = {f"SCHILY.xattr.{name}": value for name, value in attributes.items()}
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def derive(base, entries, changes, programs=()):
    """(blobs, manifest) of base with one more layer and a changed config."""
    data = layer(entries, programs)
    config = json.loads(json.dumps(base.config))
    config["rootfs"]["diff_ids"].append(digest(data))
    config.setdefault("history", []).append({"created_by": "hostile"})
    config["config"] = changes
    config_data = json.dumps(config).encode()
    manifest = json.loads(json.dumps(base.manifest))
    manifest["layers"].append({"mediaType": LAYER, "digest": digest(data), "size": len(data)})
    manifest["config"] = {"mediaType": CONFIG, "digest": digest(config_data), "size": len(config_data)}
    return [data, config_data], json.dumps(manifest).encode()


CANARY_INSIDE = [("canary", DIRECTORY, ""), ("canary/keep", FILE, "untouched\n")]
ENVIRONMENT = {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}


def plants(canary, above):
    """name -> entries"""
    cases = {}
    for place in PLACES:
        # a parent that is in the archive as a directory, so that a file can be planted in it
        parent = [(os.path.dirname(place), DIRECTORY, "")] if "/" in place else []
        for word, target in (("root", "/"), ("up", "../../../.."), ("canary", "/canary"), ("host", canary)):
            cases[f"{place.replace('/', '-')}.{word}"] = CANARY_INSIDE + parent + [(place, LINK, target)]
        for word, kind in (("file", FILE), ("directory", DIRECTORY)):
            cases[f"{place.replace('/', '-')}.{word}"] = CANARY_INSIDE + parent + [(place, kind, "planted\n")]
    for number, path in enumerate(above):
        place = path.strip("/")
        parents = [("/".join(place.split("/")[:n]), DIRECTORY, "") for n in range(1, place.count("/") + 1)]
        for word, target in (("root", "/"), ("up", "../../../../.."), ("canary", "/canary"), ("host", canary), ("loop", path)):
            cases[f"above{number}.{word}"] = CANARY_INSIDE + parents + [(place, LINK, target)]
    return {name.replace(".containerenv", "containerenv").lstrip("."): entries for name, entries in cases.items()}


def write_layout(base, out, images, annotations=None):
    """A layout of (name, blobs, manifest), each of them base with one more layer; prints the names."""
    store = os.path.join(out, "blobs", "sha256")
    os.makedirs(store)
    manifests = []

    def write(data):
        with open(os.path.join(store, hashlib.sha256(data).hexdigest()), "wb") as file:
            file.write(data)
    for descriptor in base.manifest["layers"]:
        write(base.blob(descriptor["digest"]))
    for name, blobs, manifest in images:
        for data in [*blobs, manifest]:
            write(data)
        manifests.append({"mediaType": MANIFEST, "digest": digest(manifest), "size": len(manifest),
                          "annotations": {**(annotations or {}), "org.opencontainers.image.ref.name": name}})
        print(name)
    with open(os.path.join(out, "oci-layout"), "w", encoding="utf-8") as file:
        json.dump({"imageLayoutVersion": "1.0.0"}, file)
    with open(os.path.join(out, "index.json"), "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": manifests}, file)


def plant(layout, tag, out, canary, *above):
    base = Base(layout, tag)
    write_layout(base, out, ((name, *derive(base, entries, ENVIRONMENT)) for name, entries in plants(canary, above).items()))


GRANTS = {"network": "host", "user": "root", "privileged": "true", "seccomp": "unconfined", "mount": "/:/host",
          "capabilities": "CAP_SYS_ADMIN", "nested": "yes", "devices": "/dev/sda", "no_new_privs": "false"}


def trees(layout, tag, out, program):
    """Files whose bits, attributes and types would be privileges, and annotations that ask for them."""
    base = Base(layout, tag)
    with open(program, "rb") as file:
        data = file.read()
    # vfs_cap_data, revision 2, effective: every capability there is
    capable = (struct.pack("<IIIII", 0x02000001, 0xffffffff, 0, 0x1ff, 0)).decode("latin-1")
    programs = [("suid", 0o4755, data, {}), ("sgid", 0o2755, data, {}), ("both", 0o6755, data, {}),
                ("capable", 0o755, data, {"security.capability": capable})]
    places = [("odd", DIRECTORY, ""), ("char", tarfile.CHRTYPE, ""), ("block", tarfile.BLKTYPE, ""), ("fifo", tarfile.FIFOTYPE, ""),
              ("dev/sda", tarfile.BLKTYPE, ""), ("etc/char", tarfile.CHRTYPE, ""), ("odd/char", tarfile.CHRTYPE, "")]
    annotations = {f"{prefix}{key}": value for prefix in ("devenv.", "org.devenv.", "io.containers.", "run.oci.")
                   for key, value in GRANTS.items()}
    blobs, manifest = derive(base, places, {**ENVIRONMENT, "Hostname": "evil", "Memory": 1, "CpuShares": 1, "ArgsEscaped": True,
                                            "Tty": True, "OpenStdin": True, "AttachStdin": True, "StopTimeout": 1}, programs)
    manifest = json.dumps({**json.loads(manifest), "annotations": annotations}).encode()
    write_layout(base, out, [("privileged", blobs, manifest)], annotations)


def configs():
    """name -> (entries, config)"""
    path = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    links = [("to-fd", LINK, "/proc/self/fd/7"), ("to-cwd", LINK, "/proc/1/cwd"), ("to-root", LINK, "/"),
             ("to-up", LINK, "../../../.."), ("a-file", FILE, "x\n"), ("real", DIRECTORY, "")]
    cases = {}
    for number, directory in enumerate((
            "/proc/self/fd/7", "/proc/1/cwd", "/proc/1/root", "/proc/self/cwd", "/to-fd", "/to-cwd", "/dev/fd/7", "/sys",
            "/../../../../../../etc", "/real/../../../../etc", "/to-up/etc", "/to-root/etc", "relative", "../../etc",
            "/a-file", "/etc/passwd/x", "/new\nline\u001b[31m", "/" + "x" * 5000, "//etc//.//")):
        cases[f"workdir{number}"] = (links, {"Env": path, "WorkingDir": directory})
    for number, user in enumerate(("4294967295", "-1", "4294967296", "18446744073709551616", "0x0", "0:4294967295", "root:root:root",
                                   "nobody-there", "1000:no-such-group", " 0", "+0", "1\n0")):
        cases[f"user{number}"] = (links, {"Env": path, "User": user})
    odd = ["LD_PRELOAD=/evil.so", "NO_VALUE", "=nameless", "1BAD=2", "DA-SH=3", "A B=4", "container=docker", "DEVENV=0",
           "DEVENV_STORE=/tmp/store", "HOME=/evil", "NEW\nLINE=5", "ESC=\u001b[31m", "X" * 100000 + "=6", "GOOD=1"]
    labels = {f"{prefix}{key}": value for prefix in ("devenv.", "org.devenv.", "io.containers.", "com.docker.")
              for key, value in {"network": "host", "user": "root", "privileged": "true", "seccomp": "unconfined",
                                 "mount": "/:/host", "capabilities": "CAP_SYS_ADMIN", "nested": "yes"}.items()}
    cases["odd"] = (links, {"Env": path + odd, "Labels": labels, "Volumes": {"/": {}, "/proc": {}, "../..": {}},
                            "ExposedPorts": {"22/tcp": {}}, "Healthcheck": {"Test": ["CMD", "touch", "/tmp/health"]},
                            "OnBuild": ["RUN touch /onbuild"], "Privileged": True, "NetworkDisabled": False,
                            "HostConfig": {"Privileged": True, "Binds": ["/:/host"], "PidMode": "host"},
                            "Hostname": "evil", "Domainname": "evil", "MacAddress": "02:42:00:00:00:01", "StopSignal": "SIGKILL"})
    return cases


def push(layout, tag, registry, name):
    base, url = Base(layout, tag), f"http://{registry}/v2/{name}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def request(method, where, data=None, kind="application/octet-stream"):
        return opener.open(urllib.request.Request(where, data=data, method=method, headers={"Content-Type": kind}))

    def upload(data):
        start = request("POST", f"{url}/blobs/uploads/", b"")
        where = urllib.parse.urljoin(url, start.headers["Location"])
        request("PUT", where + ("&" if "?" in where else "?") + f"digest={digest(data)}", data)
    for descriptor in base.manifest["layers"]:
        upload(base.blob(descriptor["digest"]))
    for case, (entries, config) in configs().items():
        blobs, manifest = derive(base, entries, config)
        for data in blobs:
            upload(data)
        request("PUT", f"{url}/manifests/{case}", manifest, MANIFEST)
        print(case)


if __name__ == "__main__":
    {"plant": plant, "push": push, "trees": trees}[sys.argv[1]](*sys.argv[2:])
