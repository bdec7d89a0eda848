"""Nothing is erased that was not handed over: an export is held against the live rows.

The comparison is made just before the first row goes, by the digests of every table; what was
written since the export makes them differ.

Source: mission, "an export proved equal to the live data just before deletion"; lesson L28.
"""

import json
from collections.abc import Mapping
from hashlib import sha256

from pydantic import BaseModel, ConfigDict
from whenever import Instant

from offramp.core.errors import Invalid, Refused
from offramp.data.manifest import Manifest, TableDigest
from offramp.data.scope import Scope


class ExportOfAnother(Invalid):
    """The export {file} is not a whole one of what is to be erased: {reason}."""


class ChangedSinceExport(Refused):
    """The rows of {tables} changed since the export {file}, so that they were not handed over."""


class HandedOver(BaseModel):
    """One export that equaled the live rows just before the first of them went."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    taken_at: str
    compared_at: str
    rows: int
    sha256: str  # of the export's manifest, which holds the digest of every table


class HandOver(BaseModel):
    """All exports that were compared with the live rows; none where none was promised."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exports: tuple[HandedOver, ...] = ()


def handed_over(manifest: Manifest, *, compared_at: Instant) -> HandedOver:
    """Say of an export that it equaled the live rows at an instant."""
    document = json.dumps(manifest.model_dump(mode="json"), sort_keys=True)
    return HandedOver(
        taken_at=manifest.taken_at.format_iso(),
        compared_at=compared_at.format_iso(),
        rows=sum(table.rows for table in manifest.tables.values()),
        sha256=sha256(document.encode()).hexdigest(),
    )


def require_equal(
    manifest: Manifest,
    digests: Mapping[str, TableDigest],
    scope: Scope,
    *,
    file: str,
    compared_at: Instant,
) -> HandedOver:
    """Compare an export with the live rows, and say that they are equal.

    Raises:
        ExportOfAnother: it was taken of somebody else, or of a part.
        ChangedSinceExport: rows came, went or changed since; a new export is needed.
    """
    taken = (manifest.organization, manifest.member, manifest.product)
    if taken != (scope.organization, scope.member, scope.product):
        raise ExportOfAnother(file=file, reason="it was taken of somebody else")
    if not manifest.is_whole:
        raise ExportOfAnother(file=file, reason="it holds only a part")
    exported = manifest.digests()
    names = sorted(exported.keys() | digests.keys())
    changed = [name for name in names if exported.get(name) != digests.get(name)]
    if changed:
        raise ChangedSinceExport(
            tables=", ".join(changed), file=file, hint="export again and hand that over"
        )
    return handed_over(manifest, compared_at=compared_at)
