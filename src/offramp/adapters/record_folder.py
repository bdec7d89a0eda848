"""The record of what was erased: the certificates themselves, in a folder outside every database.

A certificate names the keys of its subject's row, and when that went; nothing else has to be kept
for doing it again. Only what a trusted key has signed is a record: a file that was slipped into the
folder, or changed in it, refuses the whole work before anything is touched.

Source: lesson L29; docs/decisions/016-replay.md.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from whenever import Instant

from offramp.core.errors import Broken, Invalid, Missing
from offramp.data.proof.certificate import CertificateForged, verify_certificate
from offramp.data.scope import Scope


class RecordsMissing(Missing):
    """There is no folder {folder} with certificates in it."""


class RecordForged(Broken):
    """The certificate {file} does not stand, so nothing was replayed: {reason}."""


class RecordUnfit(Invalid):
    """The certificate {file} does not say whose rows it is about, and cannot be replayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One finished erasure."""

    file: Path
    sha256: str
    scope: Scope
    erased_at: Instant
    content: Mapping[str, Any]


def read_records(
    folder: Path, *, public_keys: Collection[bytes], since: Instant
) -> tuple[Record, ...]:
    """List the erasures that ended at an instant or later, in their order.

    Args:
        folder: searched with all folders in it.
        public_keys: those that are trusted; one of them has to have signed each certificate.
        since: when the backup was taken.

    Raises:
        RecordsMissing: there is no such folder.
        RecordForged: a certificate was changed, or somebody else signed it.
        RecordUnfit: a certificate names no row.
    """
    if not folder.is_dir():
        raise RecordsMissing(folder=str(folder), hint="where are your certificates kept?")
    found = [
        record
        for file in sorted(folder.rglob("*.json"))
        if (record := _read(file, public_keys)) is not None and record.erased_at >= since
    ]
    return tuple(sorted(found, key=lambda record: (record.erased_at, str(record.file))))


def _read(file: Path, public_keys: Collection[bytes]) -> Record | None:
    """Read a certificate of an erasure; none where the file is something else."""
    document = file.read_bytes()
    if not _is_certificate(document):
        return None
    content = _verified(file, document, public_keys)
    if content.get("certificate") != "erasure":
        return None
    try:
        return Record(
            file=file,
            sha256=sha256(document).hexdigest(),
            scope=Scope(
                organization=content["organization"],
                member=content["member"],
                product=content["product"],
            ),
            erased_at=Instant.parse_iso(content["erased_at"]),
            content=content,
        )
    except (KeyError, ValueError) as error:
        raise RecordUnfit(file=str(file)) from error


def _is_certificate(document: bytes) -> bool:
    try:
        parsed = json.loads(document)
    except ValueError:
        return False
    return isinstance(parsed, dict) and {"certificate", "signature"} <= parsed.keys()


def _verified(file: Path, document: bytes, public_keys: Collection[bytes]) -> Mapping[str, Any]:
    """Return what a certificate says, whichever of the trusted keys has signed it."""
    reason = "no key is trusted"
    for public_key in public_keys:
        try:
            return verify_certificate(document, public_key=public_key)
        except CertificateForged as error:
            reason = error.attributes["reason"]
    hint = "give the key that signed it; if nobody has it, find out who did"
    raise RecordForged(file=str(file), reason=reason, hint=hint)
