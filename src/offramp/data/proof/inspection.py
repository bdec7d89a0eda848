"""Looking whether anything is left of a subject, without having erased it.

What remains is counted by references and orphans from the live catalog, as after an erasure. The
keyed hashes of a finished erasure cannot be looked for, because their key is gone; whoever still
has the export gives it, and its marks are searched for with a key that lives as long as the search.

Source: lessons L16, L21, L28.
"""

import json
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from offramp.core.errors import Refused
from offramp.data.check import require_complete
from offramp.data.datamap import DataMap
from offramp.data.elsewhere import Elsewhere
from offramp.data.erasure.pseudonym import hash_mark, is_mail_address
from offramp.data.erasure.tombstone import Tombstone
from offramp.data.handover.hand_over import ExportOfAnother
from offramp.data.proof.attestation import not_verified
from offramp.data.proof.verify import Verification, verify
from offramp.data.restoration.document_reader import Document
from offramp.data.scope import Scope
from offramp.data.sources.sql import SqlSource


class SomethingLeft(Refused):
    """Of {subject} {rows} rows, {orphans} orphans and {hits} marks are left, in {tables}."""


class Inspection(BaseModel):
    """What was looked at, what was found there, and what was not looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verification: Verification
    marks: int
    not_verified: tuple[str, ...]

    def require_nothing(self, *, subject: str) -> None:
        """Refuse to say that nothing is left while something is.

        Raises:
            SomethingLeft: with counts and the names of tables, nothing of the rows.
        """
        seen = self.verification
        if seen.clean:
            return
        found = (seen.counts, seen.orphans, seen.residue)
        raise SomethingLeft(
            subject=subject,
            rows=sum(seen.counts.values()),
            orphans=sum(seen.orphans.values()),
            hits=sum(seen.residue.values()),
            tables=", ".join(sorted({name for each in found for name in each if each[name]})),
        )


def inspect(
    datamap: DataMap,
    sources: Mapping[str, SqlSource],
    scope: Scope,
    *,
    key: bytes,
    document: Document | None = None,
    elsewhere: Elsewhere | None = None,
) -> Inspection:
    """Count what is left of a subject in every source.

    Args:
        datamap: it has to be complete, or the count would mean nothing.
        sources: every source of the map, open.
        scope: whose rows.
        key: chance of this moment.
        document: an export of the subject, for the marks that it holds.
        elsewhere: the sources of the map that are no database, asked about the same scope.

    Raises:
        DataMapIncomplete: the map and the live catalog differ.
        ExportOfAnother: the document is somebody else's.
    """
    require_complete(datamap, sources)
    marks = frozenset[str]() if document is None else _marks(datamap, scope, document)
    tombstone = Tombstone(
        subject="",
        marks=tuple(sorted(hash_mark(mark, key=key) for mark in marks)),
        are_all_mails=all(map(is_mail_address, marks)),
        tables={},
    )
    verification = verify(
        datamap, sources, scope, tombstone=tombstone, key=key, elsewhere=elsewhere
    )
    unseen = not_verified(scope, verification, marks=len(marks))
    return Inspection(verification=verification, marks=len(marks), not_verified=tuple(unseen))


def _marks(datamap: DataMap, scope: Scope, document: Document) -> frozenset[str]:
    manifest = document.manifest
    if (manifest.organization, manifest.member) != (scope.organization, scope.member):
        raise ExportOfAnother(file=document.file, reason="it was taken of somebody else")
    found: set[str] = set()
    for mark in datamap.marks:
        table, _, column = mark.rpartition(".")
        entry = manifest.tables.get(table)
        if entry is None or column not in entry.columns:
            continue
        values = (json.loads(row[column]) for row in document.rows(table))
        found |= {str(value) for value in values if value}
    return frozenset(found)
