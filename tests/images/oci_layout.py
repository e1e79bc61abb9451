# SPDX-License-Identifier: Apache-2.0
"""Write OCI image layouts: layers from tar members, configs, manifests, indexes. Used by assemble.py."""
import hashlib
import io
import json
import os
import subprocess
import tarfile

LAYER = "application/vnd.oci.image.layer.v1.tar"
SUFFIX = {"gzip": "+gzip", "zstd": "+zstd", "plain": ""}
COMPRESS = {"gzip": ["gzip", "-n", "-1"], "zstd": ["zstd", "-q", "-3", "-c"], "plain": ["cat"]}


class Hashing:
    """A file object that passes bytes on and keeps their sha256."""

    def __init__(self, out):
        self.out, self.sum, self.count = out, hashlib.sha256(), 0

    def write(self, data):
        self.sum.update(data)
        self.count += len(data)
        return self.out.write(data)

    def tell(self):
        return self.count

    def flush(self):
        self.out.flush()


class Layer:
    """A finished layer: where its blob is and how it is described."""

    def __init__(self, descriptor, diff_id):
        self.descriptor, self.diff_id = descriptor, diff_id


class LayerWriter:
    """Collects tar members into one compressed blob of the layout."""

    def __init__(self, layout, compression="gzip"):
        self.layout, self.compression = layout, compression
        self.path = os.path.join(layout.path, f"layer-{os.getpid()}-{id(self)}")
        self.file = open(self.path, "wb")
        self.process = subprocess.Popen(COMPRESS[compression], stdin=subprocess.PIPE, stdout=self.file)
        self.hashing = Hashing(self.process.stdin)
        self.tar = tarfile.open(fileobj=self.hashing, mode="w|", format=tarfile.PAX_FORMAT)

    def add(self, member, data=None):
        self.tar.addfile(member, data)

    def entry(self, name, **fields):
        member = tarfile.TarInfo(name)
        member.mtime = 1600000000
        for key, value in fields.items():
            setattr(member, key, value)
        return member

    def directory(self, name, mode=0o755, **fields):
        self.add(self.entry(name, type=tarfile.DIRTYPE, mode=mode, **fields))

    def text(self, name, text="", mode=0o644, **fields):
        data = text.encode()
        self.add(self.entry(name, size=len(data), mode=mode, **fields), io.BytesIO(data))

    def copy(self, name, path, mode=0o755):
        with open(path, "rb") as file:
            self.add(self.entry(name, size=os.path.getsize(path), mode=mode), file)

    def link(self, name, target):
        self.add(self.entry(name, type=tarfile.SYMTYPE, linkname=target, mode=0o777))

    def hard_link(self, name, target):
        self.add(self.entry(name, type=tarfile.LNKTYPE, linkname=target))

    def finish(self):
        self.tar.close()
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit(f"{COMPRESS[self.compression][0]} failed")
        self.file.close()
        sum_ = hashlib.sha256()
        with open(self.path, "rb") as file:
            while chunk := file.read(1 << 20):
                sum_.update(chunk)
        digest = sum_.hexdigest()
        size = os.path.getsize(self.path)
        os.rename(self.path, self.layout.blob(digest))
        return Layer({"mediaType": LAYER + SUFFIX[self.compression], "digest": f"sha256:{digest}", "size": size},
                     f"sha256:{self.hashing.sum.hexdigest()}")


class Layout:
    def __init__(self, path):
        self.path, self.manifests = path, []
        os.makedirs(os.path.join(path, "blobs", "sha256"), exist_ok=True)
        with open(os.path.join(path, "oci-layout"), "w", encoding="utf-8") as file:
            json.dump({"imageLayoutVersion": "1.0.0"}, file)

    def blob(self, digest):
        return os.path.join(self.path, "blobs", "sha256", digest)

    def json(self, media_type, value):
        data = json.dumps(value, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        with open(self.blob(digest), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def manifest(self, layers, architecture, config=None, created_by=None):
        """Write config and manifest; returns the manifest's descriptor."""
        document = {
            "created": "2020-09-13T12:26:40Z", "architecture": architecture, "os": "linux", "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": [{"created_by": (created_by or [])[n] if n < len(created_by or []) else f"layer {n}"}
                        for n in range(len(layers))],
        }
        return self.json("application/vnd.oci.image.manifest.v1+json", {
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.json("application/vnd.oci.image.config.v1+json", document),
            "layers": [layer.descriptor for layer in layers],
        })

    def index(self, platforms):
        """Write an index over {(os, architecture): manifest descriptor}; returns its descriptor."""
        return self.json("application/vnd.oci.image.index.v1+json", {
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [dict(descriptor, platform={"os": system, "architecture": architecture})
                          for (system, architecture), descriptor in platforms],
        })

    def tag(self, name, descriptor):
        self.manifests.append(dict(descriptor, annotations={"org.opencontainers.image.ref.name": name}))

    def finish(self):
        with open(os.path.join(self.path, "index.json"), "w", encoding="utf-8") as file:
            json.dump({"schemaVersion": 2, "manifests": self.manifests}, file)
