"""Everything about an organization that a deed about its people depends on, read once.

Ends are judged the way its policy counts them, so that nobody is told another day than they leave.

Source: mission B11; core/seats.py, core/term.py, which decide.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from whenever import Instant

from offramp.core.dates import Boundary, civil_date, effect
from offramp.core.model import Member, Organization, Pool
from offramp.core.notice import LOOK_AFTER
from offramp.core.policy import Policy
from offramp.core.seats import SeatCount, count_seats, has_ended, has_left
from offramp.core.term import (
    Source,
    as_published,
    member_as_published,
    member_term,
    pool_as_published,
)
from offramp.core.transitions import OffboardingStatus
from offramp.engine.situation import require_organization, require_policy
from offramp.ports import Offboarding, Transaction


@dataclass(frozen=True, kw_only=True)
class Office:
    """One organization with its policy and its pools, at an instant."""

    transaction: Transaction
    organization: Organization
    policy: Policy
    pools: Mapping[str, Pool]
    now: Instant

    @property
    def zone(self) -> str:
        """The time zone in which days begin and end."""
        return self.organization.zone

    def has_passed(self, ends: Boundary) -> bool:
        """Whether an end has come; a day has when it is over."""
        counted = as_published(ends, expiry=self.policy.expiry, zone=self.zone)
        return counted is not None and effect(counted, zone=self.zone) <= self.now

    def has_ended(self, pool: Pool) -> bool:
        """Whether nobody can use a pool any more."""
        return has_ended(self._pools[pool.id], zone=self.zone, now=self.now)

    def has_left(self, member: Member, product: str | None) -> bool:
        """Whether a member's own end has passed, or they are removed."""
        return has_left(self._published(member), product=product, zone=self.zone, now=self.now)

    def has_seat_ended(self, member: Member, product: str | None) -> bool:
        """Whether the last seat of a member has ended, whatever end they have of their own."""
        endless = replace(member, ends=None, removed_at=None, product_ends={})
        term = member_term(endless, self._pools.values(), zone=self.zone, product=product)
        return term is not None and effect(term.ends, zone=self.zone) <= self.now

    def count_seats(self, members: Iterable[Member]) -> tuple[SeatCount, ...]:
        """Count the seats of every pool, as some members take them."""
        return count_seats(
            self._pools.values(),
            [self._published(member) for member in members],
            zone=self.zone,
            now=self.now,
        )

    def end_that_is_now(self) -> Boundary:
        """Give the end by which a term is over at once: this instant, or the day before this."""
        if self.policy.expiry == "instant":
            return self.now
        return civil_date(self.now, zone=self.zone).prev_day()

    @cached_property
    def leaving_alone(self) -> Mapping[str, Sequence[Offboarding]]:
        """The last off-boardings of members by an end of their own, unless they stay, by member."""
        rows = self.transaction.offboardings(self.organization.id)
        newest = {row.subject: row for row in rows if row.subject.member}
        found: dict[str, list[Offboarding]] = {}
        for subject, row in newest.items():
            if row.source is Source.MEMBER and row.status is not OffboardingStatus.CANCELED:
                found.setdefault(subject.member or "", []).append(row)
        return found

    def _published(self, member: Member) -> Member:
        return member_as_published(member, expiry=self.policy.expiry, zone=self.zone)

    @cached_property
    def _pools(self) -> Mapping[str, Pool]:
        return {
            name: pool_as_published(pool, expiry=self.policy.expiry, zone=self.zone)
            for name, pool in self.pools.items()
        }


def open_office(transaction: Transaction, organization: str, *, now: Instant) -> Office:
    """Read what a deed depends on.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
    """
    return office_of(transaction, require_organization(transaction, organization), now=now)


def office_of(transaction: Transaction, organization: Organization, *, now: Instant) -> Office:
    """Read what a deed depends on, for an organization that was found."""
    return Office(
        transaction=transaction,
        organization=organization,
        policy=require_policy(transaction, organization.policy),
        pools={pool.id: pool for pool in transaction.pools(organization.id)},
        now=now,
    )


def office_of_member(
    transaction: Transaction, organization: Organization, member: Member, *, now: Instant
) -> Office | None:
    """Open the office of whoever answers for the organization: its affairs are theirs to know.

    Whoever was removed, whose own end has come, or who was shut out does not any more.
    """
    if not member.roles & LOOK_AFTER or transaction.is_blocked(organization.id, member=member.id):
        return None
    office = office_of(transaction, organization, now=now)
    return None if office.has_left(member, None) else office
