"""The off-boardings of somebody as they stood at an instant of the past, and what nobody knows.

A row has what is true now. When it was opened, moved and canceled, and to which end, is in the
ledger, so it is read from there. Facts that are replaced without a history are not guessed: what
they may have been is named as a gap.

Source: mission, "nobody can say why"; core/ledger.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from whenever import Instant

from offramp.core.dates import parse_boundary
from offramp.core.ledger import Event
from offramp.core.model import Cause
from offramp.core.term import Source
from offramp.core.transitions import OffboardingStatus
from offramp.engine.following import CANCELED, MOVED, OPENED
from offramp.ports import Offboarding, Transaction

_RECORDED = frozenset({OPENED, MOVED, CANCELED})


class Gap(StrEnum):
    """What of the past was not written down."""

    KNOWN_SINCE = "known-since"  # since when the organization and the member were known here
    ROLES = "roles"
    SEATS = "seats"
    CALENDAR = "calendar"  # the zone and the contract that date everything
    POLICY = "policy"  # of an organization that was not leaving
    VERSION = "version"  # of the policy, while nothing of the leaving had begun
    END = "end"
    CAUSE = "cause"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the ledger says of one off-boarding."""

    offboarding: Offboarding
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindsight:
    """The off-boardings as they stood; ``records`` go on to the present, the oldest first."""

    rows: tuple[Offboarding, ...]
    records: tuple[Record, ...]
    gaps: frozenset[Gap]


def look_back(transaction: Transaction, rows: Sequence[Offboarding], *, at: Instant) -> Hindsight:
    """Give some off-boardings as they stood at an instant; those that did not are left out."""
    records = tuple(records_of(transaction, rows))
    found: list[Offboarding] = []
    gaps: set[Gap] = set()
    for row in rows:
        if row.opened_at > at or _was_canceled(row, at=at):
            continue
        events = [each.event for each in records if each.offboarding.id == row.id]
        stood, unknown = _as_it_stood(transaction, row, events, at=at)
        found.append(_kept_in_force(stood, rows, at=at))
        gaps |= unknown
    return Hindsight(rows=tuple(found), records=records, gaps=frozenset(gaps))


def records_of(transaction: Transaction, rows: Iterable[Offboarding]) -> Iterator[Record]:
    """Give everything that the ledger says of the ends of some off-boardings."""
    by_id = {row.id: row for row in rows}
    for entry in transaction.ledger(about=list(by_id)):
        if entry.event.kind in _RECORDED and entry.event.offboarding is not None:
            yield Record(offboarding=by_id[entry.event.offboarding], event=entry.event)


def _was_canceled(row: Offboarding, *, at: Instant) -> bool:
    is_canceled = row.status is OffboardingStatus.CANCELED
    return is_canceled and row.closed_at is not None and row.closed_at <= at


def _as_it_stood(
    transaction: Transaction, row: Offboarding, events: Sequence[Event], *, at: Instant
) -> tuple[Offboarding, set[Gap]]:
    earlier = [event for event in events if event.at <= at and event.kind != CANCELED]
    if not earlier:
        return row, {Gap.END}
    detail, gaps = earlier[-1].detail, set()
    has_moved_since = any(event.kind == MOVED for event in events if event.at > at)
    if has_moved_since and "cause" not in detail:
        gaps.add(Gap.CAUSE)
    if detail["version"] != row.policy_version and not _has_begun(transaction, row, at=at):
        gaps.add(Gap.VERSION)
    stood = replace(
        row,
        ends=parse_boundary(str(detail["ends"])),
        cause=Cause(str(detail.get("cause", row.cause))),
        source=Source(str(detail.get("source", row.source))),
    )
    return stood, gaps


def _has_begun(transaction: Transaction, row: Offboarding, *, at: Instant) -> bool:
    """Whether a step had begun; a version takes over only those of whom none has."""
    steps = transaction.steps(row.id)
    return any(step.started_at is not None and step.started_at <= at for step in steps)


def _kept_in_force(row: Offboarding, rows: Sequence[Offboarding], *, at: Instant) -> Offboarding:
    """Let a row have its say as it had it then, whatever has become of it or was bought since."""
    is_over = row.status is OffboardingStatus.COMPLETED
    has_returned_since = any(
        other.subject == row.subject and other.episode > row.episode for other in rows
    )
    if is_over and not has_returned_since and row.closed_at is not None and row.closed_at <= at:
        return row
    return replace(row, status=OffboardingStatus.OPEN, closed_at=None)
