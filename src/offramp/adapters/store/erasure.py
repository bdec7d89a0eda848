"""How far an erasure has come, and how our own tables are emptied (L30).

Everything that takes facts away for good lives here. What stays of an organization is a tombstone
without a name, its off-boardings, their receipts and the ledger: ids, dates, counts and digests.

Source: lessons L22, L30.
"""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Delete, Table, delete, func, select, update
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.revision import RevisionPart
from offramp.adapters.store.schema_api_key import api_key
from offramp.adapters.store.schema_block import block_note
from offramp.adapters.store.schema_bulk import bulk_target
from offramp.adapters.store.schema_case import case_note, support_case
from offramp.adapters.store.schema_portal import own_copy, portal_link, portal_session
from offramp.adapters.store.schema_subscription import subscription

_OF_A_DELIVERY = (schema.delivery, schema.delivery_note, schema.link, schema.optional_message)
_OF_A_MEMBER = (
    schema.member_role,
    schema.seat,
    schema.outbox,
    schema.hold,
    schema.unlock,
    schema.block,
    block_note,
    schema.declined,
    support_case,
)
_KEPT_WITH_MEMBER = (portal_link, portal_session, own_copy)


class ErasurePart(RevisionPart):
    """The end of facts."""

    def forget(self, organization: str, *, member: str | None, at: Instant) -> Mapping[str, int]:
        """Empty our own tables of an organization or of one member."""
        counts = {}
        if member is None:
            # First, so that nobody adds to what is being emptied.
            counts["organization"] = self._leave_tombstone(organization, at=at)
            for table in (schema.pool, api_key, subscription, bulk_target):
                counts[table.name] = self._run(_of_organization(table, organization))
        # Deliveries first: nobody notes a link of one that is gone.
        for table in _OF_A_DELIVERY:
            counts[table.name] = self._run(_deliveries(table, organization, member))
        counts["parcel"] = self._forget_parcels(organization, member)
        counts["request"] = self._forget_requests(organization, member)
        counts["case_note"] = self._forget_case_notes(organization, member)
        for table in _OF_A_MEMBER:
            counts[table.name] = self._run(_of_member(table, organization, member))
        people = _of_organization(schema.member, organization)
        if member is not None:
            people = people.where(schema.member.c.id == member)
        counts["member"] = self._run(people)
        # Afterwards: nobody adds to these without keeping the member.
        for table in _KEPT_WITH_MEMBER:
            counts[table.name] = self._run(_of_member(table, organization, member))
        self.touched.add(organization)
        return counts

    def erased_rows(self, offboarding: str) -> Mapping[str, int]:
        """Give the cursor of an off-boarding."""
        cursor = schema.erasure_cursor
        chosen = select(cursor.c.table, cursor.c.rows).where(cursor.c.offboarding == offboarding)
        rows = self.connection.execute(chosen.order_by(cursor.c.table))
        return {table: count for table, count in rows}

    def advance(self, offboarding: str, *, rows: Mapping[str, int]) -> None:
        """Move the cursor: so many more rows of these tables are gone."""
        statement = self._insert(schema.erasure_cursor)
        total = schema.erasure_cursor.c.rows + statement.excluded["rows"]
        added = statement.on_conflict_do_update(
            index_elements=["offboarding", "table"], set_={"rows": total}
        )
        for table, count in rows.items():
            values = {"offboarding": offboarding, "table": table, "rows": count}
            self.connection.execute(added, values)

    def _leave_tombstone(self, organization: str, *, at: Instant) -> int:
        table = schema.organization
        living = update(table).where(table.c.id == organization, table.c.erased_at.is_(None))
        blank = {"name": "", "zone": "", "locale": "", "overrides": {}, "is_exempt": False}
        return self.connection.execute(living.values(erased_at=at, **blank)).rowcount

    def _forget_parcels(self, organization: str, member: str | None) -> int:
        """Take back what is on its way; what is being handed over at this moment is waited for."""
        outbox, parcel = schema.outbox, schema.parcel
        theirs: list[ColumnElement[bool]] = [outbox.c.organization == organization]
        if member is not None:
            theirs.append(outbox.c.member == member)
        events = select(outbox.c.id).where(*theirs)
        self.connection.execute(events.with_for_update())
        return self._run(delete(parcel).where(parcel.c.event.in_(events)))

    def _forget_requests(self, organization: str, member: str | None) -> int:
        request, person = schema.request, schema.member
        theirs = select(func.lower(person.c.email)).where(person.c.organization == organization)
        if member is not None:
            theirs = theirs.where(person.c.id == member)
        return self._run(delete(request).where(request.c.address.in_(theirs)))

    def _forget_case_notes(self, organization: str, member: str | None) -> int:
        theirs = select(support_case.c.id).where(support_case.c.organization == organization)
        if member is not None:
            theirs = theirs.where(support_case.c.member == member)
        return self._run(delete(case_note).where(case_note.c.case.in_(theirs)))

    def _run(self, statement: Delete) -> int:
        return self.connection.execute(statement).rowcount


def _of_organization(table: Table, organization: str) -> Delete:
    return delete(table).where(table.c.organization == organization)


def _of_member(table: Table, organization: str, member: str | None) -> Delete:
    statement = _of_organization(table, organization)
    return statement if member is None else statement.where(table.c.member == member)


def _deliveries(table: Table, organization: str, member: str | None) -> Delete:
    episode = schema.offboarding
    ids = select(episode.c.id).where(episode.c.organization == organization)
    statement = delete(table).where(table.c.offboarding.in_(ids))
    return statement if member is None else statement.where(table.c.member == member)
