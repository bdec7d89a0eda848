"""Worlds whose further source is a store of files: a local folder, and memory."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import obstore

from offramp.testing.source_world import SLUGS, SourceWorld
from tests.integration.data.sources.s3_server import Bucket

FILES = {
    "report.pdf": b"%PDF-1.7",
    "images/face one.png": b"\x89PNG",
    "images/ünïcode.txt": "grüße".encode(),
    "empty": b"",
}
TABLE = "further.objects"


@dataclass(kw_only=True)
class FolderWorld(SourceWorld):
    """Files in a folder, each organization below its slug."""

    store: Path = field(init=False)

    def __post_init__(self):
        self.store = self.folder / "files"
        self.store.mkdir()
        super().__post_init__()

    def spec(self):
        url, prefix = self.store.as_uri(), "customers/{companies.slug}/"
        return {"kind": "objects", "url": url, "prefix": prefix}

    def root(self, scope):
        return self.store / "customers" / SLUGS[scope.organization]

    def fill(self, scope):
        for name, content in FILES.items():
            self.put(scope, name, content + scope.organization.encode())

    def put(self, scope, name, content):
        file = self.root(scope) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def held(self, scope):
        root = self.root(scope)
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return {TABLE: [f"{path.relative_to(root)} {path.read_bytes()!r}" for path in files]}

    def write_late(self, scope):
        self.put(scope, "late.txt", b"late")

    def cut(self):
        self.store.rename(self.folder / "elsewhere")


@dataclass(kw_only=True)
class MemoryWorld(SourceWorld):
    """Files in memory, each organization below its key; nothing but the process can be cut."""

    def spec(self):
        return {"kind": "objects", "url": "memory:///", "prefix": "{companies.id}/"}

    @property
    def store(self):
        return self.others["further"].store

    def fill(self, scope):
        for name, content in FILES.items():
            obstore.put(self.store, f"{scope.organization}/{name}", content)

    def held(self, scope):
        listed = [each for part in obstore.list(self.store) for each in part]
        paths = sorted(each["path"] for each in listed)
        start = f"{scope.organization}/"
        return {
            TABLE: [
                f"{path.removeprefix(start)} {bytes(obstore.get(self.store, path).bytes())!r}"
                for path in paths
                if path.startswith(start)
            ]
        }

    def write_late(self, scope):
        obstore.put(self.store, f"{scope.organization}/late.txt", b"late")


@dataclass(kw_only=True)
class BucketWorld(SourceWorld):
    """Files in a bucket of S3, each organization below its key."""

    bucket: Bucket

    def spec(self):
        return {"kind": "objects", "url": "s3://uploads", "prefix": "companies/{companies.id}/"}

    def fill(self, scope):
        for name, content in FILES.items():
            self.bucket.objects[self.root(scope) + name] = content + scope.organization.encode()

    def root(self, scope):
        return f"companies/{scope.organization}/"

    def held(self, scope):
        root = self.root(scope)
        return {
            TABLE: [
                f"{key.removeprefix(root)} {content!r}"
                for key, content in sorted(self.bucket.objects.items())
                if key.startswith(root)
            ]
        }

    def write_late(self, scope):
        self.bucket.objects[self.root(scope) + "late.txt"] = b"late"

    def cut(self):
        self.bucket.is_closed = True


def bucket_world(folder, bucket):
    """Open a world over a bucket, as a process does whose environment names it."""
    return BucketWorld(folder=folder, bucket=bucket, environment=os.environ)
