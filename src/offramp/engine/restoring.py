"""Reading in again what an organization was handed, because it comes back (A9).

What is read in is proved first, and goes in whole or not at all. Offramp knows nobody again by it:
an organization that was erased is imported as a new one, under the id that it has now.

Source: mission A9; docs/data-engine.md; docs/decisions/014-late-rows.md.
"""

from typing import BinaryIO

from offramp.core.errors import Refused
from offramp.core.ledger import Event
from offramp.core.transitions import OffboardingStatus
from offramp.data.restoration.document_reader import read_document
from offramp.data.restoration.restore import RestoreResult, restore
from offramp.engine.context import Context
from offramp.engine.handover import ErasureBegun, require_data
from offramp.engine.operators import new_secret
from offramp.ports import Happening, Transaction

UPLOADED = "that was uploaded"  # its name on somebody's machine may be a person's


class DocumentOfAnother(Refused):
    """Nothing was read in: this is the data of organization {organization}."""


def read_in(
    context: Context, document: BinaryIO, *, confirmed: str, is_dry_run: bool
) -> RestoreResult:
    """Read an exported document into the vendor's databases: all of it, or nothing.

    Args:
        confirmed: the id of the organization whose data it shall be; a dry run asks for none.
        is_dry_run: do everything, and take it back.

    Raises:
        DataMapMissing: nobody said where the data is.
        DocumentOfAnother: the document is about somebody else.
        ErasureBegun: that organization is being deleted.
        ExportUnreadable, ExportReformatted, ExportDamaged: it is not as it was handed out.
        Invalid, Refused: it does not fit into the databases; the error names table and column.
    """
    data = require_data(context, step="restore")
    with read_document(document, name=UPLOADED) as opened:
        given = opened.manifest.organization
        if not is_dry_run and confirmed != given:
            raise DocumentOfAnother(organization=given, hint="type its id if it is the one")
        with context.store.reading() as transaction:
            _require_no_erasure(transaction, given)
        result = restore(
            data.datamap,
            data.sources,
            opened,
            seed=new_secret(context).encode(),
            progress=lambda table, rows: context.report(
                Happening.RESTORE, {"table": table, "rows": rows, "bytes": opened.stream.tell()}
            ),
            is_dry_run=is_dry_run,
            others=data.others,
        )
    if not is_dry_run:
        _note(context, given, result)
    return result


def _require_no_erasure(transaction: Transaction, organization: str) -> None:
    """Refuse to fill in what is being emptied."""
    for row in transaction.offboardings(organization, status=OffboardingStatus.OPEN):
        if transaction.erased_rows(row.id):
            raise ErasureBegun(organization=organization)


def _note(context: Context, given: str, result: RestoreResult) -> None:
    event = Event(
        kind="document-restored",
        at=context.clock.now(),
        actor=context.actor_or("operator"),
        detail={
            "organization": given,
            "restored_as": result.organization,
            "rows": sum(table.added for table in result.tables.values()),
        },
    )
    with context.store.transaction() as transaction:
        transaction.append([event])
