"""An export with the files beside it: one zip, written forward only and read back proven.

The zip holds the document (``data.json``), every file that the document names below
``files/<source>/``, and ``SHA256SUMS``, which ``sha256sum --check`` understands. It is written in
one pass, in bounded memory: a sink need not be able to go back. A file that is not as the document
lists it makes the export fail (L36).

Source: APPNOTE.TXT of PKWARE (data descriptors, ZIP64); GNU coreutils on the format of its sums.
"""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, BinaryIO

from whenever import Instant

from offramp.core.errors import Invalid
from offramp.data.elsewhere import Elsewhere, TableElsewhere
from offramp.data.manifest import Manifest, TableDigest
from offramp.data.sources.source import FileChanged, FileSource

DOCUMENT = "data.json"
SUMS = "SHA256SUMS"
_FOLDER = "files"
_READ_BYTES = 1024 * 1024
_PACKING = 1  # files are mostly packed already, and a document packs well at any level
_PRIVATE = 0o600 << 16
_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"))


class BundleDamaged(Invalid):
    """The zip is not as it was exported: {reason}."""


def write_bundle(
    sink: BinaryIO,
    *,
    document: Callable[[BinaryIO], Manifest],
    elsewhere: Elsewhere,
    taken_at: Instant,
) -> Manifest:
    """Write a document and the files that it names as one zip.

    Args:
        sink: written forward only.
        document: writes the document, and returns its manifest.
        elsewhere: the sources that hold the files, asked about the same scope.
        taken_at: the time that every entry carries.

    Raises:
        FileChanged: a file came, went or changed after the document was written.
    """
    with (
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_PACKING) as archive,
        tempfile.TemporaryFile() as sums,
    ):
        writer = _Writer(archive=archive, sums=sums, taken_at=taken_at)
        with writer.entry(DOCUMENT) as entry:
            manifest = document(entry)
        for table in elsewhere.files():
            if table.id in manifest.tables:
                _write_files(writer, table, manifest.tables[table.id].digest())
        writer.write_sums()
    return manifest


def entry_name(source: str, key: str) -> str:
    """Name the entry of a file."""
    return f"{_FOLDER}/{source}/{key}"


def _write_files(writer: "_Writer", table: TableElsewhere, listed: TableDigest) -> None:
    """Write every file of a fresh listing, which has to be the one of the document."""
    assert isinstance(table.source, FileSource)
    seen, rows = hashlib.sha256(), 0
    for block in table.lines():
        seen.update(block)
        for line in block.splitlines():
            row = json.loads(line)
            rows += 1
            with writer.entry(entry_name(table.source.name, row["key"])) as entry:
                for part in table.source.read(table.errand, row["key"], tag=row["tag"]):
                    entry.write(part)
    if TableDigest(rows=rows, sha256=seen.hexdigest()) != listed:
        raise FileChanged(source=table.source.name, hint="run it again")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    archive: zipfile.ZipFile
    sums: IO[bytes]
    taken_at: Instant

    @contextmanager
    def entry(self, name: str) -> Iterator[BinaryIO]:
        """Open one entry, and note its sum when it is whole."""
        with self.archive.open(self._info(name), "w", force_zip64=True) as file:
            summed = _Summed(file=file)
            yield summed  # type: ignore[misc]  # it has what a document is written with
        self.sums.write(f"{_sum_line(summed.seen.hexdigest(), name)}\n".encode())

    def write_sums(self) -> None:
        self.sums.seek(0)
        with self.archive.open(self._info(SUMS), "w", force_zip64=True) as file:
            while part := self.sums.read(_READ_BYTES):
                file.write(part)

    def _info(self, name: str) -> zipfile.ZipInfo:
        at = self.taken_at.to_stdlib()
        info = zipfile.ZipInfo(name, (at.year, at.month, at.day, at.hour, at.minute, at.second))
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = _PRIVATE
        return info


@dataclass(kw_only=True)
class _Summed:
    """Sums up what is written through it."""

    file: IO[bytes]
    seen: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def write(self, part: bytes) -> int:
        self.seen.update(part)
        return self.file.write(part)


def _sum_line(digest: str, name: str) -> str:
    """Write a line as sha256sum does: a name that needs escapes is marked in front."""
    escaped = name
    for plain, written in _ESCAPES:
        escaped = escaped.replace(plain, written)
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}"


def _read_sum_line(line: str) -> tuple[str, str]:
    digest, _, name = line.removeprefix("\\").partition("  ")
    if line.startswith("\\"):
        parts = name.split("\\\\")
        for plain, written in _ESCAPES[1:]:
            parts = [part.replace(written, plain) for part in parts]
        name = "\\".join(parts)
    return name, digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A zip whose every entry was proven against its sum."""

    archive: zipfile.ZipFile

    def copy_document(self, room: IO[bytes]) -> None:
        """Write the document into a room."""
        for part in _parts(self.archive, DOCUMENT):
            room.write(part)
        room.seek(0)

    def file(self, source: str, key: str) -> Iterator[bytes]:
        """Yield the bytes of a file.

        Raises:
            BundleDamaged: there is none of this name.
        """
        return _parts(self.archive, entry_name(source, key))


@contextmanager
def open_bundle(file: IO[bytes]) -> Iterator[Bundle]:
    """Open a zip, and prove every entry of it before any is used.

    Raises:
        BundleDamaged: it was cut short, or an entry is not as it was written, or one too many.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            _prove(archive)
            yield Bundle(archive=archive)
    except zipfile.BadZipFile as error:
        raise BundleDamaged(reason="it is no whole zip") from error


def _prove(archive: zipfile.ZipFile) -> None:
    unproven = set(archive.namelist()) - {SUMS}
    if len(unproven) + 1 != len(archive.infolist()):
        raise BundleDamaged(reason="an entry is there twice, or its sums are missing")
    with archive.open(SUMS) as sums:
        for line in sums:
            name, digest = _read_sum_line(line.decode().removesuffix("\n"))
            seen = hashlib.sha256()
            for part in _parts(archive, name):
                seen.update(part)
            if seen.hexdigest() != digest:
                raise BundleDamaged(reason="a file does not match its sum")
            unproven.discard(name)
    if unproven:
        raise BundleDamaged(reason=f"{len(unproven)} files have no sum")


def _parts(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as entry:
            while part := entry.read(_READ_BYTES):
                yield part
    except KeyError as error:
        raise BundleDamaged(reason="a file is missing") from error
