"""Handing data over because somebody asks for it, and showing what an erasure would do to it.

Neither changes a row: what is destroyed is destroyed by the steps of a policy alone.

Source: mission B9; policy language E1; lessons L27, L36.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from offramp.core.errors import Missing, Refused
from offramp.core.ledger import Detail, Event
from offramp.core.transitions import OffboardingStatus
from offramp.data.erasure.erase import preview
from offramp.data.erasure.statements import Statement
from offramp.data.handover.bundle import write_bundle
from offramp.data.handover.export import export
from offramp.data.handover.part import WHOLE, Part
from offramp.data.manifest import Manifest
from offramp.data.scope import Scope
from offramp.engine.context import Context, Data
from offramp.engine.situation import require_member, require_organization
from offramp.engine.work import DataMapMissing
from offramp.ports import Offboarding, Transaction


class ErasureBegun(Refused):
    """The deletion of {organization} has begun; what is left is not whole any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Whose data is asked for: an organization's, or one member's."""

    organization: str
    member: str | None = None
    part: Part = WHOLE
    with_files: bool = False  # a zip with the files beside the document

    @property
    def scope(self) -> Scope:
        """What of the vendor's data is asked for."""
        return Scope(organization=self.organization, member=self.member)


def hand_over(
    context: Context,
    request: Request,
    sink: BinaryIO,
    *,
    actor: str = "operator",
    beat: Callable[[], None] = lambda: None,
) -> Manifest:
    """Write the data that was asked for, as long as all of it is there.

    Args:
        beat: is called as often as there is progress.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nothing to hand over.
        ErasureBegun: rows are gone already, or went while the document was written.
        DataMapMissing: nobody said where the data is.
    """
    data = require_data(context, step="export")
    with context.store.transaction() as transaction:
        require_whole(transaction, request)
    elsewhere, taken_at = data.elsewhere(request.scope), context.clock.now()

    def progress(table: str, rows: int) -> None:
        beat()
        context.report("export", {"table": table, "rows": rows, "bytes": sink.tell()})

    def document(inner: BinaryIO) -> Manifest:
        return export(
            data.datamap,
            data.sources,
            request.scope,
            inner,
            header={"offramp": context.version},
            taken_at=taken_at,
            progress=progress,
            part=request.part,
            elsewhere=elsewhere,
        )

    if request.with_files:
        manifest = write_bundle(sink, document=document, elsewhere=elsewhere, taken_at=taken_at)
    else:
        manifest = document(sink)
    with context.store.transaction() as transaction:
        require_whole(transaction, request)
        row = _offboarding(transaction, request)
        transaction.append(
            [
                Event(
                    kind="export-handed-over",
                    at=context.clock.now(),
                    offboarding=row.id if row else None,
                    episode=row.episode if row else None,
                    actor=actor,
                    detail=_proof(manifest),
                )
            ]
        )
    return manifest


def is_still_whole(context: Context, request: Request) -> bool:
    """Whether what was handed over is still there; of what is being deleted no copy goes out."""
    try:
        with context.store.reading() as transaction:
            require_whole(transaction, request)
    except (Refused, Missing):
        return False
    return True


def require_whole(transaction: Transaction, request: Request) -> None:
    """Refuse to hand over what is not all there any more.

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nothing.
        ErasureBegun: rows are gone already.
    """
    _require_known(transaction, request)
    for row in _open(transaction, request.organization):
        if row.subject.member in (None, request.member) and transaction.erased_rows(row.id):
            raise ErasureBegun(organization=request.organization)


def preview_erasure(context: Context, request: Request) -> tuple[Statement, ...]:
    """List the statements that an erasure would run now, in order (L27).

    Raises:
        OrganizationUnknown, OrganizationErased, MemberUnknown: there is nothing to erase.
        DataMapIncomplete: the erasure would refuse to begin.
    """
    data = require_data(context, step="erase")
    with context.store.transaction() as transaction:
        _require_known(transaction, request)
    elsewhere = data.elsewhere(request.scope)
    return tuple(preview(data.datamap, data.sources, request.scope, elsewhere=elsewhere))


def require_data(context: Context, *, step: str) -> Data:
    """Give the vendor's data.

    Raises:
        DataMapMissing: nobody said where it is.
    """
    if context.data is None:
        raise DataMapMissing(step=step, hint="set OFFRAMP_DATAMAP to the data map file")
    return context.data


def _require_known(transaction: Transaction, request: Request) -> None:
    require_organization(transaction, request.organization)
    if request.member is not None:
        require_member(transaction, request.organization, request.member)


def _open(transaction: Transaction, organization: str) -> tuple[Offboarding, ...]:
    return transaction.offboardings(organization, status=OffboardingStatus.OPEN)


def _offboarding(transaction: Transaction, request: Request) -> Offboarding | None:
    rows = _open(transaction, request.organization)
    return next((row for row in rows if row.subject.member == request.member), None)


def _proof(manifest: Manifest) -> dict[str, Detail]:
    """Sum the document up, so that the file can be recognized by its entry."""
    digests = manifest.digests()
    seals = "".join(digests[table].sha256 for table in sorted(digests))
    return {
        "scope": "organization" if manifest.member is None else "member",
        "tables": len(digests),
        "rows": sum(table.rows for table in digests.values()),
        "sha256": sha256(seals.encode()).hexdigest(),
    }
