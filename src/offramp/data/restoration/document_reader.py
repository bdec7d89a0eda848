"""An exported document, read in again: proved first, then row by row in any order of tables.

An export has one row on each line, and its digests are those of these lines. So the file is read
line by line in bounded memory, and only as it was written: a document that another program has
formatted anew holds the same facts, but nothing proves it any more, and it is refused with these
words. What is packed with gzip, or lies in a zip with its files, is unpacked into a nameless
private file first.

Source: data/handover/export.py, whose law this is the other side of.
"""

import gzip
import hashlib
import json
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import ValidationError

from offramp.core.errors import Invalid
from offramp.data.handover.bundle import Bundle, open_bundle
from offramp.data.manifest import Manifest, TableDigest
from offramp.data.restoration.row_text import Row, split_row

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_OPENING = b'{"schema":{'
_MANIFEST = b'"manifest":'


class ExportUnreadable(Invalid):
    """The document {file} cannot be read: {reason}."""


class ExportReformatted(Invalid):
    """The document {file} was written anew by another program, so that nothing proves its rows."""


class ExportDamaged(Invalid):
    """The document {file} is not as it was exported: {reason}."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document whose digests were checked."""

    file: str
    manifest: Manifest
    stream: BinaryIO
    offsets: Mapping[str, int]
    last_rows: Mapping[str, Row]
    files: Bundle | None = None  # what lay beside it, if it came in a zip

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the rows of a table, and prove again at its end that they are the same.

        Raises:
            ExportDamaged: the file was changed since it was opened.
        """
        seen = _Digest()
        place = self.offsets[table]
        while True:
            # Other tables may be read between two rows of this one.
            self.stream.seek(place)
            line = self.stream.readline()
            place += len(line)
            if not line or line.startswith(b"]"):
                break
            text = line.strip(b",\n")
            seen.add(text)
            yield split_row(text.decode())
        _require_equal(self.file, self.manifest, table, seen)

    @property
    def proof(self) -> bytes:
        """Return what is true of this document alone."""
        return hashlib.sha256(self.manifest.model_dump_json().encode()).digest()


class _Digest:
    """Counts rows and digests them as the export did."""

    def __init__(self) -> None:
        self._seen = hashlib.sha256()
        self._rows = 0

    def add(self, text: bytes) -> None:
        self._seen.update(text + b"\n")
        self._rows += 1

    def result(self) -> TableDigest:
        return TableDigest(rows=self._rows, sha256=self._seen.hexdigest())


@dataclass(kw_only=True)
class _Section:
    offset: int
    digest: _Digest
    last: bytes = b""


@contextmanager
def open_document(file: Path) -> Iterator[Document]:
    """Open a document and prove every table of it against its manifest.

    Raises:
        ExportUnreadable: there is no such file, or it is no export.
        ExportReformatted: it was formatted anew.
        ExportDamaged: it was cut short, or a table does not match its digest.
        BundleDamaged: it is a zip, and a file in it does not match its sum.
    """
    try:
        plain = file.open("rb")
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise ExportUnreadable(file=str(file), reason=reason) from error
    with plain, read_document(plain, name=str(file)) as document:
        yield document


@contextmanager
def read_document(plain: BinaryIO, *, name: str) -> Iterator[Document]:
    """Prove a document that is open already; raises what ``open_document`` does of one."""
    with ExitStack() as stack:
        files = None
        if _begins_with(plain, _ZIP):
            files, stream = stack.enter_context(open_bundle(plain)), _room(stack)
            files.copy_document(stream)
        else:
            stream = stack.enter_context(_unpacked(plain, name))
        yield replace(_prove(stream, name), files=files)


def _begins_with(plain: BinaryIO, mark: bytes) -> bool:
    found = plain.read(len(mark)) == mark
    plain.seek(0)
    return found


def _room(stack: ExitStack) -> BinaryIO:
    return cast(BinaryIO, stack.enter_context(tempfile.TemporaryFile()))


@contextmanager
def _unpacked(plain: BinaryIO, file: str) -> Iterator[BinaryIO]:
    if not _begins_with(plain, _GZIP):
        yield plain
        return
    with tempfile.TemporaryFile() as room:
        try:
            with gzip.open(plain) as packed:
                shutil.copyfileobj(packed, room)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ExportDamaged(file=file, reason="its gzip stream ends or breaks") from error
        room.seek(0)
        yield room


def _prove(stream: BinaryIO, file: str) -> Document:
    first = stream.readline()
    if not first.startswith(_OPENING) or not first.endswith(b"},\n"):
        raise _stranger(first, file)
    sections = _scan(stream, file, len(first))
    manifest = _read_manifest(stream, file)
    names = {entry.name: table for table, entry in manifest.tables.items()}
    if set(names) != set(sections):
        raise ExportDamaged(file=file, reason="its tables are not those of its manifest")
    for name, section in sections.items():
        _require_equal(file, manifest, names[name], section.digest)
    return Document(
        file=file,
        manifest=manifest,
        stream=stream,
        offsets={names[name]: section.offset for name, section in sections.items()},
        last_rows={
            names[name]: split_row(section.last.decode())
            for name, section in sections.items()
            if section.last
        },
    )


def _scan(stream: BinaryIO, file: str, offset: int) -> dict[str, _Section]:
    """Digest every table, and remember where its rows begin."""
    sections: dict[str, _Section] = {}
    line = stream.readline()
    offset += len(line)
    if line == b'"data":{},\n':
        return sections
    if line != b'"data":{\n':
        raise _unexpected(line, file)
    is_open = True
    while is_open:
        line = stream.readline()
        offset += len(line)
        if not (line.startswith(b'"') and line.endswith(b":[\n")):
            raise _unexpected(line, file)
        section = _Section(offset=offset, digest=_Digest())
        sections[str(json.loads(line[:-3]))] = section
        while not (line := stream.readline()).startswith(b"]"):
            offset += len(line)
            section.last = line.strip(b",\n")
            if not (section.last.startswith(b"{") and section.last.endswith(b"}")):
                raise _unexpected(line, file)
            section.digest.add(section.last)
        offset += len(line)
        is_open = line == b"],\n"
        if not is_open and line != b"]},\n":
            raise _unexpected(line, file)
    return sections


def _read_manifest(stream: BinaryIO, file: str) -> Manifest:
    line = stream.readline()
    if not line.startswith(_MANIFEST) or not line.endswith(b"}}\n") or stream.read(1):
        raise _unexpected(line, file)
    try:
        return Manifest.model_validate_json(line[len(_MANIFEST) : -2])
    except ValidationError as error:
        raise ExportDamaged(file=file, reason="its manifest is not one of ours") from error


def _require_equal(file: str, manifest: Manifest, table: str, seen: _Digest) -> None:
    expected, found = manifest.tables[table].digest(), seen.result()
    if found.rows != expected.rows:
        reason = f"{table} has {found.rows} rows and should have {expected.rows}"
        raise ExportDamaged(file=file, reason=reason, hint="take the file from its source again")
    if found != expected:
        reason = f"the rows of {table} do not match their digest"
        raise ExportDamaged(file=file, reason=reason, hint="take the file from its source again")


def _stranger(first: bytes, file: str) -> Invalid:
    if first.lstrip()[:1] in (b"{", b"\xef"):
        return _reformatted(file)
    return ExportUnreadable(file=file, reason="it is no export", hint="offramp export writes one")


def _unexpected(line: bytes, file: str) -> Invalid:
    """Tell a file that ends too early from one that was formatted anew."""
    if not line.endswith(b"\n"):
        return ExportDamaged(file=file, reason="it ends before its manifest does")
    return _reformatted(file)


def _reformatted(file: str) -> Invalid:
    return ExportReformatted(file=file, hint="give the file as it was exported, plain or gzipped")
