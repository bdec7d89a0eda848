"""Who takes a seat in a pool, how many are free, and how many are missing.

Somebody whose own term is over takes none, and in a pool that has ended nobody does.

Source: mission B11; docs/glossary.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from whenever import Instant

from offramp.core.dates import effect
from offramp.core.model import Member, Pool
from offramp.core.term import member_term


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatCount:
    """How the seats of one pool are taken."""

    pool: Pool
    is_over: bool
    taken: int

    @property
    def free(self) -> int:
        """How many more people may have one."""
        return 0 if self.is_over else max(0, self.pool.seats - self.taken)

    @property
    def missing(self) -> int:
        """How many people have none that was bought."""
        return max(0, self.taken - self.pool.seats)


def count_seats(
    pools: Iterable[Pool], members: Iterable[Member], *, zone: str, now: Instant
) -> tuple[SeatCount, ...]:
    """Count the seats of some pools of an organization; ends are as its policy counts them."""
    everybody = tuple(members)
    counts = []
    for pool in pools:
        is_over = has_ended(pool, zone=zone, now=now)
        holders = (member for member in everybody if pool.id in member.pools)
        staying = (
            member
            for member in holders
            if not has_left(member, product=pool.product, zone=zone, now=now)
        )
        taken = 0 if is_over else sum(1 for _ in staying)
        counts.append(SeatCount(pool=pool, is_over=is_over, taken=taken))
    return tuple(counts)


def has_ended(pool: Pool, *, zone: str, now: Instant) -> bool:
    """Whether nobody can use a pool any more."""
    return pool.ends is not None and effect(pool.ends, zone=zone) <= now


def has_left(member: Member, *, product: str | None, zone: str, now: Instant) -> bool:
    """Whether a member's own end has passed, of everything or of one product, or they are removed.

    A seat that has ended is no end of their own.
    """
    own = member_term(member, (), zone=zone, product=product)
    return own is not None and effect(own.ends, zone=zone) <= now
