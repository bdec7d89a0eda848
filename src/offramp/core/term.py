"""Which end date starts a subject's clock. Pools, seats and removals become one boundary here.

An organization leaves when its last pool ends; a member leaves when the earliest of three things
happens: their own end date, their removal, the end of their last live seat. A member's own path
may overtake the organization's and is never undone by it.

Source: mission A1, B1, B11; policy language S7; lesson L11.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from whenever import Date, Instant

from offramp.core.dates import Boundary, civil_date, effect
from offramp.core.errors import Invalid
from offramp.core.model import Anchor, Cause, Member, Pool


class EndNotExact(Invalid):
    """The end {ends} is a date, and the policy counts from an instant."""


class Source(StrEnum):
    """Where an end comes from; access decisions name it as the voter."""

    ORGANIZATION = "organization"
    MEMBER = "member"
    POOL = "pool"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The end of a subject's term, why it ends, and what says so."""

    ends: Boundary
    cause: Cause
    source: Source

    @property
    def anchors(self) -> Mapping[str, Boundary]:
        """The anchors that a timeline is planned from."""
        if self.cause is Cause.REMOVED:
            return {Anchor.EXPIRY: self.ends, Anchor.REMOVED: self.ends}
        return {Anchor.EXPIRY: self.ends}


def as_published(
    ends: Boundary | None, *, expiry: Literal["end-of-day", "instant"], zone: str
) -> Boundary | None:
    """Read an end the way a policy counts it: its whole last day, or that very instant (T3).

    Raises:
        EndNotExact: the policy counts from an instant, and this is a civil date.
    """
    if isinstance(ends, Instant) and expiry == "end-of-day":
        return civil_date(ends, zone=zone)
    if isinstance(ends, Date) and expiry == "instant":
        raise EndNotExact(ends=str(ends), expected="an instant such as 2024-08-30T12:00:00Z")
    return ends


def pool_as_published(pool: Pool, *, expiry: Literal["end-of-day", "instant"], zone: str) -> Pool:
    """Read the end of a pool the way a policy counts it.

    Raises:
        EndNotExact: as for `as_published`.
    """
    return replace(pool, ends=as_published(pool.ends, expiry=expiry, zone=zone))


def member_as_published(
    member: Member, *, expiry: Literal["end-of-day", "instant"], zone: str
) -> Member:
    """Read the own ends of a member the way a policy counts them.

    Raises:
        EndNotExact: as for `as_published`.
    """
    published = {
        product: as_published(ends, expiry=expiry, zone=zone)
        for product, ends in member.product_ends.items()
    }
    return replace(
        member,
        ends=as_published(member.ends, expiry=expiry, zone=zone),
        product_ends={product: ends for product, ends in published.items() if ends is not None},
    )


def last_end(pools: Iterable[Pool], *, zone: str) -> Boundary | None:
    """Give the boundary at which the last of some pools ends; none while one is open-ended."""
    ends = [pool.ends for pool in pools]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends) or not known:
        return None
    return max(known, key=lambda end: effect(end, zone=zone))


def organization_term(
    pools: Iterable[Pool], *, zone: str, product: str | None = None
) -> Term | None:
    """Give the term of an organization, wholly or in one product (A1)."""
    chosen = [pool for pool in pools if product is None or pool.product == product]
    ends = last_end(chosen, zone=zone)
    if ends is None:
        return None
    return Term(ends=ends, cause=Cause.EXPIRED, source=Source.ORGANIZATION)


def member_term(
    member: Member, pools: Iterable[Pool], *, zone: str, product: str | None = None
) -> Term | None:
    """Give the earliest end that concerns one member alone (S7); none when nothing ends.

    An end in one product concerns that product alone.
    """
    seats = [
        pool
        for pool in pools
        if pool.id in member.pools and (product is None or pool.product == product)
    ]
    seat_end = last_end(seats, zone=zone)
    candidates = [
        (member.removed_at, Cause.REMOVED, Source.MEMBER),
        (member.ends, Cause.EXPIRED, Source.MEMBER),
        (member.product_ends.get(product) if product else None, Cause.EXPIRED, Source.MEMBER),
        (seat_end, Cause.EXPIRED, Source.POOL),
    ]
    terms = [
        Term(ends=ends, cause=cause, source=source)
        for ends, cause, source in candidates
        if ends is not None
    ]
    return min(terms, key=lambda term: effect(term.ends, zone=zone), default=None)


def overtakes(member: Term | None, organization: Term | None, *, zone: str) -> bool:
    """Say whether a member leaves before the organization and so on a path of their own."""
    if member is None:
        return False
    if organization is None:
        return True
    return effect(member.ends, zone=zone) < effect(organization.ends, zone=zone)
