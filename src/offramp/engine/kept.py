"""What is kept of those who are gone, and what a person decides about rows without an end.

Source: mission A11; docs/decisions/009-kept-rows.md.
"""

from dataclasses import dataclass, replace

from whenever import Date, Instant

from offramp.core.dates import effect
from offramp.core.errors import Missing, Refused
from offramp.core.ledger import Event
from offramp.core.transitions import OffboardingStatus
from offramp.engine.context import Context
from offramp.engine.ending import date_of
from offramp.engine.situation import require_organization
from offramp.ports import KeptGroup, Offboarding, Transaction

# Whose zone it was is forgotten; where a day ends last, it has ended everywhere.
LAST_ZONE = "Etc/GMT+12"
PARTS_AT_ONCE = 50


class NothingUndecided(Missing):
    """Nothing is kept without an end in {table} of {organization}."""


class DayPassed(Refused):
    """The day {day} has passed already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRows:
    """Some rows that are kept, and of whom."""

    organization: str
    member: str | None
    group: KeptGroup


def list_kept(context: Context, organization: str | None = None) -> tuple[KeptRows, ...]:
    """List what finished erasures keep, why, and until when; of one organization, or of all.

    Raises:
        OrganizationUnknown: there is no such organization, and never was.
    """
    with context.store.transaction() as transaction:
        if organization is not None and not transaction.offboardings(organization):
            require_organization(transaction, organization)
        gone = {row.id: row for row in _completed(transaction, organization)}
        return tuple(
            KeptRows(
                organization=gone[group.offboarding].subject.organization,
                member=gone[group.offboarding].subject.member,
                group=group,
            )
            for group in transaction.kept()
            if group.offboarding in gone
        )


def keep_until(context: Context, organization: str, *, table: str, day: Date) -> int:
    """Give rows that are kept without an end their last day, and return how many they are.

    Raises:
        DayPassed: it is over everywhere; what shall go now, goes with today's date.
        NothingUndecided: no row of that table waits for a decision.
    """
    now = context.clock.now()
    ends_at = effect(day, zone=LAST_ZONE)
    if ends_at <= now:
        raise DayPassed(day=day.format_iso())
    with context.store.transaction() as transaction:
        rows = 0
        for completed in _completed(transaction, organization):
            decided = _decide(transaction, completed, table, ends_at=ends_at)
            if decided:
                _look_earlier(context, transaction, completed, now=now)
                transaction.append([_decided(completed, table, day, rows=decided, at=now)])
            rows += decided
        if rows == 0:
            raise NothingUndecided(organization=organization, table=table)
    return rows


def _completed(transaction: Transaction, organization: str | None) -> tuple[Offboarding, ...]:
    return transaction.offboardings(organization, status=OffboardingStatus.COMPLETED)


def _decide(
    transaction: Transaction, completed: Offboarding, table: str, *, ends_at: Instant
) -> int:
    rows = after = 0
    while True:
        parts = transaction.kept_parts(completed.id, after=after, table=table, limit=PARTS_AT_ONCE)
        if not parts:
            return rows
        for part in parts:
            if part.ends_at is None:
                rows += part.rows
                decided = replace(part, ends_at=ends_at, counted_from=None, reason=None)
                transaction.save_kept(decided)
        after = parts[-1].number


def _look_earlier(
    context: Context, transaction: Transaction, completed: Offboarding, *, now: Instant
) -> None:
    next_due_at = date_of(context, transaction, completed, now=now, has_looked=False)
    transaction.save_offboarding(
        replace(completed, next_due_at=next_due_at), expected_episode=completed.episode
    )


def _decided(completed: Offboarding, table: str, day: Date, *, rows: int, at: Instant) -> Event:
    return Event(
        kind="retention-decided",
        at=at,
        offboarding=completed.id,
        episode=completed.episode,
        actor="operator",
        detail={"table": table, "rows": rows, "until": day.format_iso()},
    )
