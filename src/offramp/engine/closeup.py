"""One organization with everything that an operator wants to see of it at once.

What may be very much is cut off at a limit, with the count of all of it beside.

Source: mission A7, A12; docs/console.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from whenever import Instant

from offramp.core.ledger import Entry
from offramp.core.model import Hold, Member, Organization, Role, Unlock
from offramp.core.seats import SeatCount
from offramp.core.transitions import OffboardingStatus
from offramp.engine.context import Context
from offramp.engine.office import open_office
from offramp.engine.operators import actor_of
from offramp.engine.overview import Leaving, leaving_of, newest_of
from offramp.engine.own_copy import ready_copies
from offramp.ports import Delivery, Link, Offboarding, OwnCopy, Transaction

PEOPLE_MAX = 50
ALONE_MAX = 20  # members who leave on their own
COPIES_MAX = 50
LOST_MAX = 50  # deliveries that nobody got
ENTRIES_MAX = 20  # of the ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Closeup:
    """One organization as it stands.

    Attributes:
        leaving: it as a whole, or products of it.
        alone: members who leave on their own, of whom there are ``alone_count``.
        people: who has an office first, of all ``people_count``.
        lost: messages that were refused or came back.
        copies: of their data, on request, that can be downloaded.
        entries: what the ledger says of its off-boardings, the newest first.
        actors: the names of operators, by how the ledger calls them.
    """

    at: Instant
    organization: Organization
    leaving: tuple[Leaving, ...]
    alone: tuple[Leaving, ...]
    alone_count: int
    people: tuple[Member, ...]
    people_count: int
    seats: tuple[SeatCount, ...]
    holds: tuple[Hold, ...]
    unlocks: tuple[Unlock, ...]
    is_exempt: bool
    is_blocked: bool
    lost: tuple[Delivery, ...]
    links: tuple[Link, ...]
    copies: tuple[OwnCopy, ...]
    entries: tuple[Entry, ...]
    actors: Mapping[str, str]

    @property
    def needs_retry(self) -> bool:
        """Whether anything was given up or stopped."""
        both = (*self.leaving, *self.alone)
        stopped = OffboardingStatus.STOPPED
        return any(each.abandoned or each.offboarding.status is stopped for each in both)


def look_closely(context: Context, organization: str) -> Closeup:
    """See everything of one organization.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        office = open_office(transaction, organization, now=now)
        members = transaction.members(organization)
        rows = transaction.offboardings(organization)
        shown = newest_of(rows)
        wholes = [row for row in shown if row.subject.member is None]
        alone = [row for row in shown if row.subject.member is not None]

        def leaving(chosen: list[Offboarding]) -> tuple[Leaving, ...]:
            return tuple(leaving_of(context, transaction, row, now=now) for row in chosen)

        return Closeup(
            at=now,
            organization=office.organization,
            leaving=leaving(wholes),
            alone=leaving(alone[:ALONE_MAX]),
            alone_count=len(alone),
            people=tuple(sorted(members, key=_rank)[:PEOPLE_MAX]),
            people_count=len(members),
            seats=office.count_seats(members),
            holds=tuple(h for h in transaction.holds(organization) if h.is_active(now)),
            unlocks=tuple(u for u in transaction.unlocks(organization) if u.is_active(now)),
            is_exempt=transaction.is_exempt(organization),
            is_blocked=transaction.is_blocked(organization, member=None),
            lost=transaction.lost_deliveries(organization, limit=LOST_MAX),
            links=tuple(link for row in wholes for link in transaction.links(row.id)),
            copies=ready_copies(transaction, organization, member=None, now=now)[:COPIES_MAX],
            entries=_entries(transaction, rows),
            actors={actor_of(each.id): each.name for each in transaction.operators()},
        )


def _rank(member: Member) -> tuple[bool, str, str]:
    return member.roles <= {Role.MEMBER}, member.name, member.id


def _entries(transaction: Transaction, rows: tuple[Offboarding, ...]) -> tuple[Entry, ...]:
    about = [row.id for row in rows[-ALONE_MAX:]]
    return tuple(reversed(transaction.ledger(about=about)[-ENTRIES_MAX:]))
