"""Counting the changes to what decides who may do what, one number for each organization.

Every write that can change an answer names the organization here. It is counted once, at the end
of the transaction and in it. A published version of a policy never changes, so of policies the
number of the newest one says everything.

Source: docs/decisions/033-revisions.md.
"""

from sqlalchemy import Connection, and_, bindparam, func, select

from offramp.adapters.store import schema
from offramp.adapters.store.part import Part
from offramp.adapters.store.version import VERSION, require_same

_table = schema.access_revision
_organization, _policy = schema.organization.c, schema.policy.c
_is_living = and_(
    _organization.id == bindparam("its_organization"), _organization.erased_at.is_(None)
)
_newest = select(func.max(_policy.version)).where(_policy.id == _organization.policy)
# One statement: it is asked with every question about access.
_ASKED = select(VERSION, _organization.id, _table.c.number, _newest.scalar_subquery()).select_from(
    VERSION.table.outerjoin(schema.organization, _is_living).outerjoin(
        _table, _table.c.organization == _organization.id
    )
)


class RevisionPart(Part):
    """What was changed of which organizations."""

    touched: set[str]

    def count_changes(self) -> None:
        """Count the transaction as one change of each organization that was touched.

        This is left to the very end, and done in order: whoever has a number waits for nobody
        else and soon lets go.
        """
        if not self.touched:
            return
        statement = self._insert(_table)
        counted = statement.on_conflict_do_update(
            index_elements=["organization"], set_={"number": _table.c.number + 1}
        )
        rows = [{"organization": each, "number": 1} for each in sorted(self.touched)]
        self.connection.execute(counted, rows)
        self.touched.clear()


def revision_of(connection: Connection, organization: str) -> str | None:
    """Name the state of an organization; none where there is no such one.

    Raises:
        StoreVersionDiffers: the tables are not those that this version works with.
    """
    found = connection.execute(_ASKED, {"its_organization": organization}).first()
    version, known, number, policy = found or (None, None, None, None)
    require_same(version)
    return None if known is None else f"{number or 0}.{policy or 0}"
