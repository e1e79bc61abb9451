#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile images for sandbox.bats: an honest one with one more layer that plants links, files or directories where
devenv mounts or writes.

usage: sandbox_images.py plant LAYOUT TAG OUT CANARY PATH...    OUT/ becomes a layout; prints its tags, one case each
       sandbox_images.py push LAYOUT TAG REGISTRY NAME          images NAME:CASE whose config tries to matter; prints cases

CANARY is a directory of the host that links point at; PATHs are directories of the host above home and project.
"""
import hashlib
import io
import json
import os
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


def layer(entries):
    """An uncompressed tar: (path, type, link target or text)."""
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
    return out.getvalue()


def derive(base, entries, changes):
    """(blobs, manifest) of base with one more layer and a changed config."""
    data = layer(entries)
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


def plant(layout, tag, out, canary, *above):
    base = Base(layout, tag)
    store = os.path.join(out, "blobs", "sha256")
    os.makedirs(store)
    manifests = []

    def write(data):
        with open(os.path.join(store, hashlib.sha256(data).hexdigest()), "wb") as file:
            file.write(data)
    for descriptor in base.manifest["layers"]:
        write(base.blob(descriptor["digest"]))
    for name, entries in plants(canary, above).items():
        blobs, manifest = derive(base, entries, ENVIRONMENT)
        for data in [*blobs, manifest]:
            write(data)
        manifests.append({"mediaType": MANIFEST, "digest": digest(manifest), "size": len(manifest),
                          "annotations": {"org.opencontainers.image.ref.name": name}})
        print(name)
    with open(os.path.join(out, "oci-layout"), "w", encoding="utf-8") as file:
        json.dump({"imageLayoutVersion": "1.0.0"}, file)
    with open(os.path.join(out, "index.json"), "w", encoding="utf-8") as file:
        json.dump({"schemaVersion": 2, "manifests": manifests}, file)


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
    {"plant": plant, "push": push}[sys.argv[1]](*sys.argv[2:])
