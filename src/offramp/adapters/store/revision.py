"""Counting the changes to what decides who may do what, one number for each organization.

Every write that can change an answer names the organization here. It is counted once, at the end
of the transaction and in it. A published version of a policy never changes, so of policies the
number of the newest one says everything.

Source: docs/decisions/034-revisions.md.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, and_, bindparam, func, select

from offramp.adapters.store import schema
from offramp.adapters.store.connection import for_one_look
from offramp.adapters.store.part import Part, batches
from offramp.adapters.store.schema_revision import access_revision
from offramp.adapters.store.version import VERSION, VERSIONED, require_same

_table = access_revision
_organization, _policy = schema.organization.c, schema.policy.c
_WHOSE = "its_organization"
_is_living = and_(_organization.id == bindparam(_WHOSE), _organization.erased_at.is_(None))
_newest = select(func.max(_policy.version)).where(_policy.id == _organization.policy)
_COUNTED = schema.organization.outerjoin(_table, _table.c.organization == _organization.id)
_ASKED = select(VERSION, _organization.id, _table.c.number, _newest.scalar_subquery()).select_from(
    VERSIONED.outerjoin(schema.organization, _is_living).outerjoin(
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

    def revisions(self, organizations: Collection[str]) -> Mapping[str, str]:
        """Name the state of several organizations."""
        found = {}
        for ids in batches(sorted(organizations)):
            living = (_organization.id.in_(ids), _organization.erased_at.is_(None))
            chosen = select(_organization.id, _table.c.number, _newest.scalar_subquery())
            for each, number, policy in self.connection.execute(
                chosen.select_from(_COUNTED).where(*living)
            ):
                found[each] = _named(number, policy)
        return found


class Revisions:
    """Asks for the state of organizations.

    It is asked with every question about access, so the statement is spelled beforehand and given
    to the driver itself: that takes a third of the time.
    """

    def __init__(self, engine: Engine) -> None:
        """Prepare the question for one database."""
        self._engine = for_one_look(engine)
        asked = _ASKED.compile(dialect=engine.dialect)
        self._text, self._is_positional = str(asked), asked.positional
        self._error = engine.dialect.loaded_dbapi.Error

    def of(self, organization: str) -> str | None:
        """Name the state of an organization; none where there is no such one.

        Raises:
            StoreVersionDiffers: the tables are not those that this version works with.
        """
        version, known, number, policy = self._ask(organization) or (None, None, None, None)
        require_same(version)
        return None if known is None else _named(number, policy)

    def _ask(self, organization: str) -> Sequence[Any] | None:
        by_name = {_WHOSE: organization}
        with self._engine.connect() as connection:
            cursor = connection.connection.cursor()
            try:
                cursor.execute(self._text, (organization,) if self._is_positional else by_name)
                return cursor.fetchone()
            except self._error:
                # Asked again in the usual way, which knows what an error of the driver means.
                return connection.execute(_ASKED, by_name).first()
            finally:
                cursor.close()


def _named(number: int | None, policy: int | None) -> str:
    return f"{number or 0}.{policy or 0}"
