"""Fill an empty database with three organizations, the same rows for the same seed.

Run it with ``python -m examples.note_taking.generate --database URL --seed N``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from examples.note_taking import schema
from examples.note_taking.customers import (
    AGREEMENT_URL,
    DEMO,
    TINY,
    Customer,
    Place,
    Sizes,
    sell_to_customers,
)
from examples.note_taking.database import migrate, open_engine
from examples.note_taking.writing import Writer

Row = dict[str, Any]

NOTES, RECORDINGS = 1, 2
ADMINS = range(1, 4)
LEAVES_EARLY, NOTES_ONLY, GAVE_BACK_RECORDINGS = 4, 5, 6
QUIET_DAYS = 40
HISTORY_DAYS = 700
ACCESS_ENDED_DAYS_EARLIER = 90
SEATS_STEP = 10
FOLDER_CHAIN = ("Semester", "Module", "Week 1")
DEVICE_NAMES = ("iPhone", "Pixel 8", "ThinkPad", "Zoë's iPad")


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The identifiers of the organizations that were written."""

    leaving: str
    sibling: str
    staggered: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person while their data is being drawn."""

    id: str
    place: Place
    created_at: datetime
    has_recordings: bool


@dataclass(slots=True, kw_only=True)
class Draft:
    """The rows to be written, table by table."""

    writer: Writer
    leaving_on: date
    rows: dict[sa.Table, list[Row]] = field(
        default_factory=lambda: {table: [] for table in schema.metadata.sorted_tables}
    )

    @property
    def latest_at(self) -> datetime:
        """Return the instant after which nobody has written anything."""
        day = self.leaving_on - timedelta(days=QUIET_DAYS)
        return datetime.combine(day, time(17), tzinfo=UTC)

    def add(self, table: sa.Table, **columns: object) -> Row:
        """Add a row, numbered in the order of writing unless it has its own identifier."""
        rows = self.rows[table]
        row: Row = {"id": len(rows) + 1} | columns
        rows.append(row)
        return row


def populate(engine: sa.Engine, *, seed: int, leaving_on: date, sizes: Sizes) -> Population:
    """Write three organizations into a migrated, empty database in one transaction."""
    draft = Draft(writer=Writer(seed=seed), leaving_on=leaving_on)
    draft.add(schema.products, id=NOTES, code="notes", name="Quire Notes")
    draft.add(schema.products, id=RECORDINGS, code="recordings", name="Quire Recordings")
    leaving, sibling, staggered = (
        draft_organization(draft, customer)
        for customer in sell_to_customers(leaving_on=leaving_on, sizes=sizes)
    )
    with engine.begin() as connection:
        for table, rows in draft.rows.items():
            connection.execute(sa.insert(table), rows)
        if connection.dialect.name == "postgresql":
            _continue_numbering(connection, draft)
    return Population(leaving=leaving, sibling=sibling, staggered=staggered)


def draft_organization(draft: Draft, customer: Customer) -> str:
    """Draw an organization with everything in it and return its identifier."""
    organization_id = draft.writer.identifier()
    draft.add(
        schema.organizations,
        id=organization_id,
        name=customer.name,
        domain=customer.domain,
        locale=customer.home.locale,
        time_zone=customer.home.time_zone,
        agreement_url=AGREEMENT_URL,
    )
    pools = _draft_subscriptions(draft, customer, organization_id=organization_id)
    members = _draft_members(draft, customer, organization_id=organization_id, pools=pools)
    for index, member in enumerate(members):
        colleague = members[(index + 1) % len(members)]
        _draft_devices(draft, member)
        note_ids = _draft_notes(draft, customer, member=member, colleague=colleague)
        if member.has_recordings:
            _draft_recordings(draft, member, organization_id=organization_id, note_ids=note_ids)
    _draft_tickets(draft, members, organization_id=organization_id)
    return organization_id


def _draft_subscriptions(
    draft: Draft, customer: Customer, *, organization_id: str
) -> dict[int, int]:
    """Draw one subscription per product.

    Shape:
        product id -> subscription id.
    """
    seats = (customer.size.members // SEATS_STEP + 1) * SEATS_STEP
    ends = {NOTES: customer.notes_end_on, RECORDINGS: customer.recordings_end_on}
    return {
        product_id: draft.add(
            schema.subscriptions,
            organization_id=organization_id,
            product_id=product_id,
            kind=customer.kind,
            seats=seats,
            starts_on=date(draft.leaving_on.year - 3, 9, 1),
            ends_on=ends_on,
        )["id"]
        for product_id, ends_on in ends.items()
    }


def _draft_members(
    draft: Draft, customer: Customer, *, organization_id: str, pools: dict[int, int]
) -> list[Member]:
    taken: set[str] = set()
    members = []
    for index in range(customer.size.members):
        place = _place(customer, index)
        name, local = draft.writer.person(place)
        local = f"{local}{index}" if local in taken else local
        taken.add(local)
        oldest_at = draft.latest_at - timedelta(days=HISTORY_DAYS)
        row = draft.add(
            schema.users,
            id=draft.writer.identifier(),
            organization_id=organization_id,
            email=f"{local}@{customer.domain}",
            display_name=name,
            role=_role(index),
            locale=place.locale,
            time_zone=place.time_zone,
            created_at=draft.writer.moment(after=oldest_at, before=draft.latest_at),
            removed_on=customer.member_ends_on if index == LEAVES_EARLY else None,
        )
        _draft_access(draft, index, user_id=row["id"], pools=pools)
        members.append(
            Member(
                id=row["id"],
                place=place,
                created_at=row["created_at"],
                has_recordings=index != NOTES_ONLY,
            )
        )
    return members


def _place(customer: Customer, index: int) -> Place:
    """Return home for every second person and the other places in turn for the rest."""
    away = customer.places[1:]
    return away[index // 2 % len(away)] if index % 2 else customer.home


def _role(index: int) -> str:
    if index == 0:
        return "owner"
    return "admin" if index in ADMINS else "member"


def _draft_access(draft: Draft, index: int, *, user_id: str, pools: dict[int, int]) -> None:
    for product_id, subscription_id in pools.items():
        if product_id == RECORDINGS and index == NOTES_ONLY:
            continue
        handed_back = product_id == RECORDINGS and index == GAVE_BACK_RECORDINGS
        ended_on = draft.leaving_on - timedelta(days=ACCESS_ENDED_DAYS_EARLIER)
        draft.add(
            schema.product_access,
            user_id=user_id,
            product_id=product_id,
            subscription_id=None if handed_back else subscription_id,
            ends_on=ended_on if handed_back else None,
        )


def _draft_devices(draft: Draft, member: Member) -> None:
    writer = draft.writer
    for _ in range(writer.random.randrange(3)):
        draft.add(
            schema.devices,
            user_id=member.id,
            name=writer.pick(DEVICE_NAMES),
            push_token=writer.token_hash() if writer.happens(percent=60) else None,
        )


def _draft_notes(
    draft: Draft, customer: Customer, *, member: Member, colleague: Member
) -> list[str]:
    """Draw a person's folders and notes and return the identifiers of the notes."""
    folder_ids = _draft_folders(draft, member)
    return [
        _draft_note(draft, member=member, colleague=colleague, folder_ids=folder_ids)
        for _ in range(customer.size.notes_each)
    ]


def _draft_folders(draft: Draft, member: Member) -> list[int]:
    """Draw a chain of folders, each inside the one before it."""
    folder_ids: list[int] = []
    for name in FOLDER_CHAIN:
        parent_id = folder_ids[-1] if folder_ids else None
        row = draft.add(schema.folders, owner_id=member.id, parent_id=parent_id, name=name)
        folder_ids.append(row["id"])
    return folder_ids


def _draft_note(draft: Draft, *, member: Member, colleague: Member, folder_ids: list[int]) -> str:
    writer = draft.writer
    note_id = writer.identifier()
    created_at = writer.moment(after=member.created_at, before=draft.latest_at)
    updated_at = writer.moment(after=created_at, before=draft.latest_at)
    is_shared = writer.happens(percent=35)
    editors = (member.id, colleague.id, None) if is_shared else (member.id, None)
    draft.add(
        schema.notes,
        id=note_id,
        owner_id=member.id,
        folder_id=writer.pick((*folder_ids, None)),
        title=writer.title(member.place),
        body=writer.body(member.place),
        tags=writer.tags(),
        created_at=created_at,
        updated_at=updated_at,
        last_edited_by=writer.pick(editors),
    )
    for _ in range(writer.random.randrange(3)):
        draft.add(
            schema.note_revisions,
            note_id=note_id,
            editor_id=writer.pick(editors),
            body=writer.body(member.place),
            at=writer.moment(after=created_at, before=updated_at),
        )
    if is_shared:
        draft.add(schema.shares, note_id=note_id, from_user_id=member.id, to_user_id=colleague.id)
    if writer.happens(percent=20):
        token_hash = writer.token_hash() if writer.happens(percent=75) else None
        draft.add(schema.shared_links, note_id=note_id, token_hash=token_hash)
    return note_id


def _draft_recordings(
    draft: Draft, member: Member, *, organization_id: str, note_ids: list[str]
) -> None:
    writer = draft.writer
    for number in range(1, 3):
        row = draft.add(
            schema.recordings,
            owner_id=member.id,
            note_id=writer.pick((*note_ids, None)),
            title=writer.title(member.place),
            duration_seconds=writer.random.randrange(7200),
            storage_path=f"{organization_id}/{member.id}/{number}.m4a",
            sha256=writer.token_hash(),
        )
        languages = {member.place.locale, "en-US"} if writer.happens(percent=30) else {"en-US"}
        for language in sorted(languages):
            draft.add(
                schema.transcripts,
                recording_id=row["id"],
                language=language,
                text=writer.sentences(member.place, count=6),
            )


def _draft_tickets(draft: Draft, members: Sequence[Member], *, organization_id: str) -> None:
    """Draw a ticket for every fourth person; some came by telephone and name nobody."""
    writer = draft.writer
    for member in members[::4]:
        opened_at = writer.moment(after=member.created_at, before=draft.latest_at)
        draft.add(
            schema.support_tickets,
            organization_id=organization_id,
            user_id=member.id if writer.happens(percent=75) else None,
            severity=writer.pick(("low", "normal", "urgent")),
            subject=writer.title(member.place),
            text=writer.sentences(member.place, count=4),
            opened_on=opened_at.date(),
            answered_on=opened_at.date() + timedelta(days=writer.random.randrange(5)),
        )


def _continue_numbering(connection: sa.Connection, draft: Draft) -> None:
    """Let PostgreSQL number the next rows after the ones that were written with numbers."""
    for table, rows in draft.rows.items():
        if isinstance(table.c.id.type, sa.Integer):
            sequence = sa.func.pg_get_serial_sequence(table.name, "id")
            connection.execute(sa.select(sa.func.setval(sequence, len(rows))))


def main(arguments: Sequence[str] | None = None) -> None:
    """Migrate a database and fill it."""
    parser = argparse.ArgumentParser(description="Fill a database with sample organizations.")
    parser.add_argument("--database", required=True, metavar="URL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leaving-on", type=date.fromisoformat, default=date(2024, 8, 30))
    parser.add_argument("--tiny", action="store_true", help="eight members each, for tests")
    options = parser.parse_args(arguments)
    migrate(options.database)
    engine = open_engine(options.database)
    population = populate(
        engine,
        seed=options.seed,
        leaving_on=options.leaving_on,
        sizes=TINY if options.tiny else DEMO,
    )
    engine.dispose()
    sys.stdout.write(f"{population.leaving} leaves on {options.leaving_on}\n")


if __name__ == "__main__":
    main()
