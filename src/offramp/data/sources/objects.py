"""A store of files: a local folder, S3, Google Cloud Storage, Azure, or memory, through obstore.

Everything of one subject lies below one prefix. What the store itself keeps behind our back is
told, never assumed away: obstore lists no older versions, so a store that shows version ids is
refused unless the map says what becomes of them, and the certificate repeats it.

Errors of obstore quote keys and addresses, so only their kind is told.

Source: obstore 0.12 (`object_store`); lessons L16, L21, L26.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from mimetypes import MimeTypes
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, InvalidPathError, PreconditionError
from obstore.store import from_url

from offramp.core.errors import Invalid, Refused, Unavailable
from offramp.data.erasure.fence import Fence, Pace
from offramp.data.scope import Scope
from offramp.data.source_spec import ObjectsSpec
from offramp.data.sources.address import read_address
from offramp.data.sources.local_folder import (
    FileUnsafe,
    count_files,
    remove_empty_folders,
    require_folder,
    require_plain,
)
from offramp.data.sources.prefix import Prefix, parse_prefix
from offramp.data.sources.source import Errand, FileChanged, Shape, Tools
from offramp.data.sources.spool import in_order
from offramp.data.sources.trouble import SourceUnavailable, SourceUnusable

OBJECTS = "objects"
LISTED_AT_ONCE = 1_000
DELETED_AT_ONCE_MAX = 1_000  # what S3 takes in one request
READ_BYTES = 8 * 1024 * 1024
REQUEST_LIMIT = "10s"
RETRY_LIMIT = timedelta(seconds=15)  # a chunk has to be over before its fence is lost

_SCHEMES = ("file", "memory", "s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss")
_STATUS = re.compile(r"status code: (\d{3}) ")
_ALLOW_HTTP = ("AWS_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP", "AZURE_ALLOW_HTTP")
_SHOWS_VERSIONS = ("s3", "s3a", "az", "azure", "adl", "abfs", "abfss")
_KEEPS_NONE = ("file", "memory")
_TYPES = MimeTypes(filenames=())  # of names alone, so that every machine says the same
_SHAPE = Shape(
    columns={"key": "text", "size": "integer", "tag": "text", "content_type": "text"},
    schema={
        "type": "object",
        "properties": {
            "key": {"type": "string"},
            "size": {"type": "integer"},
            "tag": {"type": "string"},
            "content_type": {"type": ["string", "null"]},
        },
        "required": ["key", "size", "tag", "content_type"],
        "additionalProperties": False,
    },
)
Listed = Mapping[str, Any]


class NothingThere(Invalid):
    """The source {source} holds no file of anybody where the prefix {prefix} leads."""


class VersionsKept(Refused):
    """The source {source} keeps older versions of its files, which would outlive a deletion."""


class FileStays(Unavailable):
    """The source {source} took a deletion and lists the same {count} files again."""


class FileInTheWay(Refused):
    """The source {source} has another file under the name of one that comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSource:
    """One open store of files."""

    name: str
    spec: ObjectsSpec
    store: Any  # the union of obstore's stores, of which each call takes any
    scheme: str
    folder: Path | None  # where the files are on this machine

    def covers(self, scope: Scope) -> bool:
        """Whether a prefix is declared for a subject of this kind."""
        if scope.product is not None:
            return False
        return scope.member is None or self.spec.member is not None

    def columns(self, scope: Scope) -> tuple[str, ...]:
        """Name the columns that the prefix is filled with."""
        return self._pattern(scope).columns

    def check(self) -> None:
        """List one file, which shows that address, bucket and permission are right."""
        with self._translated():
            self._first(self._pattern(None).shared, count=1)

    def tables(self, errand: Errand) -> Mapping[str, Shape]:
        """Name the one table that a store of files has.

        Raises:
            NothingThere: nobody has a file where this subject's would be.
            VersionsKept: what is deleted would be kept.
            FileUnsafe: the listing would leave the folder, or leave something out.
        """
        with self._translated():
            self._require_visible(self._prefix(errand), self._pattern(errand.scope))
        return {OBJECTS: _SHAPE}

    def lines(self, errand: Errand, table: str) -> Iterator[bytes]:
        """Yield a line of JSON for each file, in the order of their keys."""
        prefix = self._prefix(errand)
        with self._translated():
            yield from in_order(
                [(each["path"], _line(each, prefix)) for each in listed]
                for listed in self._list(prefix)
            )

    def preview(self, errand: Errand) -> Sequence[tuple[str, str]]:
        """Say which files would be deleted."""
        return [(OBJECTS, f"delete every file below {self._prefix(errand)}")]

    def erase(self, errand: Errand, table: str, *, fence: Fence, pace: Pace) -> Iterator[int]:
        """Delete the first files that a fresh listing gives, until it gives none.

        Raises:
            VersionsKept, FileUnsafe: as for `tables`.
            FileStays: a deletion changes nothing.
        """
        prefix = self._prefix(errand)
        with self._translated():
            self._require_safe(prefix)
        before: set[str] = set()
        while chunk := self._chunk(prefix, count=min(pace.rows, DELETED_AT_ONCE_MAX)):
            if not before.isdisjoint(chunk):
                hint = (
                    "may Offramp delete there, and does no rule keep them? a key that ends with /"
                    " is a folder made by hand: remove it with the store's own tools"
                )
                raise FileStays(source=self.name, count=len(chunk), hint=hint)
            with fence.chunk(f"{self.name}.{table}") as record:
                began = pace.elapsed()
                self._delete(chunk)
                pace.adapt(took_seconds=pace.elapsed() - began)
                record.record(rows=len(chunk))
            yield len(chunk)
            before = set(chunk)
        if self.folder is not None:
            remove_empty_folders(self.folder / prefix)

    def count(self, errand: Errand) -> Mapping[str, int]:
        """Count the files of a subject in a fresh listing, and on the disk where there is one."""
        prefix = self._prefix(errand)
        with self._translated():
            listed = sum(len(part) for part in self._list(prefix))
            on_disk = count_files(self.folder / prefix) if self.folder is not None else 0
        return {OBJECTS: max(listed, on_disk)}

    def unseen(self) -> str | None:
        """Say that versions were not looked at, and what the map says of them."""
        if self.scheme in _KEEPS_NONE:
            return None
        said = self.spec.versions or "the map says that there are none"
        return f"older versions and copies that the store itself keeps were not looked at: {said}"

    def close(self) -> None:
        """Nothing is kept open between two calls."""

    def read(self, errand: Errand, key: str, *, tag: str) -> Iterator[bytes]:
        """Yield the bytes of one file, in parts that belong to one state of it.

        Raises:
            FileChanged: it is not, or no longer, the one with the tag.
        """
        path = self._prefix(errand) + key
        with self._translated():
            meta = self._meta(path)
            if meta is None or _tag(meta) != tag:
                raise FileChanged(source=self.name, hint="run it again")
            yield from self._parts(path, meta)

    def has(self, errand: Errand, key: str) -> bool:
        """Whether there is a file of this name."""
        with self._translated():
            return self._meta(self._prefix(errand) + key) is not None

    def put_back(self, errand: Errand, key: str, content: Iterator[bytes]) -> bool:
        """Write a file unless it is there already; false when it is, byte for byte.

        Raises:
            FileInTheWay: another file has its name now.
        """
        path = self._prefix(errand) + key
        with self._translated():
            meta = self._meta(path)
            if meta is not None:
                if _digest(self._parts(path, meta)) != _digest(content):
                    hint = "move the file that is there, and run it again"
                    raise FileInTheWay(source=self.name, hint=hint)
                return False
            options: Any = {}
            content_type = _TYPES.guess_type(key)[0]
            if self.scheme != "file" and content_type is not None:
                options["attributes"] = {"Content-Type": content_type}
            obstore.put(self.store, path, _whole_or_parts(content), **options)
        return True

    def take_away(self, errand: Errand, key: str) -> None:
        """Remove a file that was put back."""
        self._delete([self._prefix(errand) + key])

    def _pattern(self, scope: Scope | None) -> Prefix:
        is_member = scope is not None and scope.member is not None
        text = self.spec.member if is_member else self.spec.prefix
        assert text is not None, "a source is asked only for what it covers"
        return parse_prefix(text)

    def _prefix(self, errand: Errand) -> str:
        return self._pattern(errand.scope).fill(errand.facts)

    def _require_visible(self, prefix: str, pattern: Prefix) -> None:
        self._require_safe(prefix)
        is_lost = not self._first(prefix, count=1) and not self._first(pattern.shared, count=1)
        if is_lost and self.spec.empty is None:
            hint = 'is it right? if nobody has files yet, say so: empty: "the reason"'
            raise NothingThere(source=self.name, prefix=pattern.pattern, hint=hint)

    def _require_safe(self, prefix: str) -> None:
        if self.folder is not None:
            require_plain(self.name, self.folder, self.folder / prefix)
        if self.spec.versions is None and self.scheme in _SHOWS_VERSIONS:
            for each in self._first(prefix, count=1):
                if obstore.head(self.store, each)["version"] is not None:
                    hint = 'let a rule of the store expire them, and say so: versions: "the rule"'
                    raise VersionsKept(source=self.name, hint=hint)

    def _list(self, prefix: str, *, count: int = LISTED_AT_ONCE) -> Iterator[Sequence[Listed]]:
        if self.folder is not None:
            require_folder(self.name, self.folder)
        for part in obstore.list(self.store, prefix=prefix, chunk_size=count):
            if not all(each["path"].startswith(prefix) for each in part):
                reason = "a folder made by hand: a key that ends with /"
                hint = "remove it with the store's own tools"
                raise FileUnsafe(source=self.name, count=1, reason=reason, hint=hint)
            yield part

    def _first(self, prefix: str, *, count: int) -> list[str]:
        return [each["path"] for each in next(self._list(prefix, count=count), [])]

    def _chunk(self, prefix: str, *, count: int) -> list[str]:
        with self._translated():
            return self._first(prefix, count=count)

    def _delete(self, paths: Sequence[str]) -> None:
        """Delete files; one that is gone already is deleted, and the rest is listed again."""
        with self._translated():
            try:
                obstore.delete(self.store, paths)
            except FileNotFoundError:
                if len(paths) == 1:
                    return
                for path in paths:
                    self._delete([path])

    def _meta(self, path: str) -> Listed | None:
        try:
            return obstore.head(self.store, path)
        except FileNotFoundError:
            return None

    def _parts(self, path: str, meta: Listed) -> Iterator[bytes]:
        for start in range(0, meta["size"], READ_BYTES):
            end = min(start + READ_BYTES, meta["size"])
            options: Any = {"range": (start, end), "if_match": meta["e_tag"]}
            yield bytes(obstore.get(self.store, path, options=options).bytes())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except InvalidPathError as error:
            reason = "a key with an empty part, as in a//b, cannot be named exactly"
            raise FileUnsafe(source=self.name, count=1, reason=reason, hint="rename it") from error
        except PreconditionError as error:
            raise FileChanged(source=self.name, hint="run it again") from error
        except (BaseError, OSError) as error:
            reason = _reason(error)
            hint = "are address, bucket and permissions right, and is the store up?"
            raise SourceUnavailable(source=self.name, reason=reason, hint=hint) from error


class ObjectKind:
    """How the kind `objects` is opened."""

    spec = ObjectsSpec

    def open(self, name: str, spec: ObjectsSpec, *, tools: Tools) -> ObjectSource:
        """Prepare a store for use.

        Raises:
            SourceUnusable: the address is missing, or of a kind that is not supported.
            SourceUnavailable: a local folder does not exist (one is never made by mistake: L16).
        """
        url = read_address(name, spec.url, tools.environment)
        scheme = urlsplit(url).scheme
        if scheme not in _SCHEMES:
            reason = "its address is not one of a store of files"
            hint = "file:///folder, s3://bucket, gs://bucket or az://container"
            raise SourceUnusable(source=name, reason=reason, hint=hint)
        folder = Path(unquote(urlsplit(url).path)) if scheme == "file" else None
        if folder is not None:
            require_folder(name, folder)
        options: Any = {}
        if scheme not in _KEEPS_NONE:
            # Options of ours would hide the variables of obstore for the client as a whole.
            allow_http = any(tools.environment.get(name) == "true" for name in _ALLOW_HTTP)
            options["client_options"] = {"timeout": REQUEST_LIMIT, "allow_http": allow_http}
            options["retry_config"] = {"retry_timeout": RETRY_LIMIT}
        try:
            store = from_url(url, **options)
        except (BaseError, ValueError) as error:
            reason = _reason(error)
            hint = "look at the address and at the variables of its kind of store"
            raise SourceUnusable(source=name, reason=reason, hint=hint) from error
        return ObjectSource(name=name, spec=spec, store=store, scheme=scheme, folder=folder)


def _reason(error: BaseException) -> str:
    """Name the kind of an error; of its text, which quotes keys, only a status is looked at."""
    status = _STATUS.search(str(error))
    match (type(error).__name__, status[1] if status else None):
        case ("PermissionDeniedError" | "UnauthenticatedError" | "PermissionError", _):
            return "it does not let us in"
        case (_, "401" | "403"):
            return "it does not let us in"
        case ("FileNotFoundError", _) | (_, "404"):
            return "there is no such bucket or folder"
        case (name, _):
            return name


def _lines(listed: Sequence[Listed], prefix: str) -> list[tuple[str, str]]:
    return [(each["path"], _line(each, prefix)) for each in listed]


def _line(listed: Listed, prefix: str) -> str:
    row = {
        "key": listed["path"].removeprefix(prefix),
        "size": listed["size"],
        "tag": _tag(listed),
        "content_type": _TYPES.guess_type(listed["path"])[0],
    }
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _whole_or_parts(content: Iterator[bytes]) -> bytes | Iterator[bytes]:
    """Keep a small file whole: in parts it would get another tag than it had before."""
    held = bytearray()
    for part in content:
        held += part
        if len(held) > READ_BYTES:
            return chain([bytes(held)], content)
    return bytes(held)


def _tag(listed: Listed) -> str:
    """Return what changes with a file: its e-tag, or where a store has none, its time."""
    return str(listed["e_tag"] or listed["last_modified"].isoformat())


def _digest(content: Iterator[bytes]) -> str:
    seen = hashlib.sha256()
    for part in content:
        seen.update(part)
    return seen.hexdigest()
