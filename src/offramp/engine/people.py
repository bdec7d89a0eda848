"""What administrators do with their people: end dates, expiry, removal, return, and seats.

Each deed is about one member or many, and one transaction: all of it, or nothing and every mistake
told. Who has expired is reactivated first, before anything else of their end is changed.

Source: mission B11; policy language S7, R1; lesson L26.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from whenever import Instant

from offramp.core.dates import Boundary, effect
from offramp.core.errors import Invalid, Missing, OfframpError, Refused
from offramp.core.ledger import Event
from offramp.core.model import Member
from offramp.core.seats import SeatCount
from offramp.engine.context import Context
from offramp.engine.exclusive import exclusively
from offramp.engine.following import Followed, follow
from offramp.engine.offboarding import EndPassed, PoolUnknown, reactivated, require_way_back
from offramp.engine.office import Office, open_office
from offramp.engine.situation import MemberUnknown
from offramp.ports import Offboarding, Transaction

NAMES_MAX = 1_000  # of members who are asked for by name; of more all are read


class MemberExpired(Refused):
    """The member {member} has expired; their end is not changed before they are reactivated."""


class MemberNotExpired(Refused):
    """The member {member} has not expired."""


class LeftAltogether(Refused):
    """The member {member} has not left one product alone, but everything."""


class MemberTwice(Invalid):
    """The member {member} is there twice."""


class SeatEnded(Refused):
    """The last seat of the member {member} has ended."""


class SeatUnknown(Missing):
    """The member {member} has no seat in the pool {pool}."""


class SeatsMissing(Refused):
    """The pool {pool} has {seats} seats, and {missing} more would be needed."""


class PoolOver(Refused):
    """The pool {pool} has ended."""


class PoolsApart(Refused):
    """The pools {source} and {target} are of products that end by themselves."""


class ProductUnknown(Missing):
    """The organization {organization} has never bought the product {product}."""


class ProductsTogether(Refused):
    """By the policy {policy} all products end together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One member who is meant, wholly or in one product.

    Attributes:
        ends: their end from now on, where the deed gives one.
        line: where they stand in a file, if they do.
    """

    member: str
    product: str | None = None
    ends: Boundary | None = None
    line: int | None = None

    @property
    def key(self) -> tuple[str | None, ...]:
        """What is said of them once."""
        return self.member, self.product


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One member who gets a seat in a pool, and gives back the one in another pool, if any."""

    member: str
    target: str
    source: str | None = None
    line: int | None = None

    @property
    def key(self) -> tuple[str | None, ...]:
        """What is said of them once."""
        return self.member, self.source, self.target


class _Asked(Protocol):
    @property
    def member(self) -> str: ...

    @property
    def line(self) -> int | None: ...

    @property
    def key(self) -> tuple[str | None, ...]: ...


_Request = TypeVar("_Request", bound=_Asked)
_Change = Callable[[Office, Member, _Request], Member]
_Fault = tuple[_Asked, OfframpError]


def seats_of(context: Context, organization: str) -> tuple[SeatCount, ...]:
    """Count the seats of every pool of an organization, as they are taken right now.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
    """
    with context.store.reading() as transaction:
        office = open_office(transaction, organization, now=context.clock.now())
        return office.count_seats(transaction.members(organization))


def end_members(
    context: Context, organization: str, people: Sequence[Person], *, actor: str = "admin"
) -> Followed:
    """Give members the end that each is to have, or (with none) take theirs away.

    Raises:
        MemberUnknown, MemberTwice, MemberExpired, SeatEnded, EndPassed, EndNotExact,
        ProductUnknown, ProductsTogether: the first mistake; `problems` has all of them, and nothing
        was changed.
    """
    return _carry_out(context, organization, people, _end, kind="members-ended", actor=actor)


def expire_members(
    context: Context, organization: str, people: Sequence[Person], *, actor: str = "admin"
) -> Followed:
    """End the term of members at once; those who have expired already stay as they are.

    Raises:
        MemberUnknown, MemberTwice, ProductUnknown, ProductsTogether: as for `end_members`.
    """
    return _carry_out(context, organization, people, _expire, kind="members-expired", actor=actor)


def remove_members(
    context: Context, organization: str, people: Sequence[Person], *, actor: str = "admin"
) -> Followed:
    """Remove members from the organization at once; from when they are is told once.

    Raises:
        MemberUnknown, MemberTwice: as for `end_members`.
    """
    return _carry_out(context, organization, people, _remove, kind="members-removed", actor=actor)


def reactivate_members(
    context: Context, organization: str, people: Sequence[Person], *, by: str = "admin"
) -> Followed:
    """Take members back who have expired or were removed, each with the end that is given, if any.

    Raises:
        MemberUnknown, MemberTwice, MemberNotExpired, LeftAltogether, SeatEnded, SeatsMissing,
        EndPassed, ReactivationRefused, ProductUnknown, ProductsTogether: as for `end_members`.
        DeletionInFlight: a worker is frozen in the middle of a chunk; try again.
    """
    return _carry_out(
        context,
        organization,
        people,
        partial(_reactivate, by=by),
        kind="members-reactivated",
        actor=by,
    )


def move_members(
    context: Context, organization: str, moves: Sequence[Move], *, actor: str = "admin"
) -> Followed:
    """Give members seats in pools, and give those back that they leave for them.

    Raises:
        MemberUnknown, MemberTwice, PoolUnknown, PoolOver, PoolsApart, SeatUnknown, SeatsMissing:
        as for `end_members`.
    """
    return _carry_out(context, organization, moves, _move, kind="members-moved", actor=actor)


def _carry_out(
    context: Context,
    organization: str,
    asked: Sequence[_Request],
    change: _Change[_Request],
    *,
    kind: str,
    actor: str,
) -> Followed:
    """Change everybody who is meant in one transaction, or raise every mistake together."""
    actor = context.actor_or(actor)

    def write(transaction: Transaction, now: Instant) -> Followed:
        office = open_office(transaction, organization, now=now)
        names = {each.member for each in asked}
        known = transaction.members(organization, among=names if len(names) <= NAMES_MAX else None)
        before = {member.id: member for member in known if member.id in names}
        after, faults = _changed(office, before, asked, change)
        if faults:
            raise _together(faults)
        _require_seats(office, after)
        transaction.put_members(list(after.values()))
        detail = {"members": len(after)}
        transaction.append([Event(kind=kind, at=now, actor=actor, detail=detail)])
        return follow(transaction, organization, ids=context.ids, now=now, actor=actor)

    return exclusively(context, write)


def _changed(
    office: Office,
    before: dict[str, Member],
    asked: Sequence[_Request],
    change: _Change[_Request],
) -> tuple[dict[str, Member], list[_Fault]]:
    after = dict(before)
    faults: list[_Fault] = []
    seen: set[tuple[str | None, ...]] = set()
    for each in asked:
        try:
            if each.member not in before:
                raise MemberUnknown(organization=office.organization.id, member=each.member)
            if each.key in seen:
                raise MemberTwice(member=each.member)
            seen.add(each.key)
            after[each.member] = change(office, after[each.member], each)
        except (Invalid, Missing, Refused) as error:
            faults.append((each, error))
    return after, faults


def _together(faults: Sequence[_Fault]) -> OfframpError:
    """Make the error of the first mistake, which carries all of them."""
    _, first = faults[0]
    problems = tuple((asked.line, asked.member, str(error)) for asked, error in faults)
    return type(first)(hint=first.hint, problems=problems, **first.attributes)


def _require_seats(office: Office, changed: dict[str, Member]) -> None:
    """Refuse a deed by which more people than before have no seat that was bought."""
    members = office.transaction.members(office.organization.id)
    counts = office.count_seats(members)
    wanted = office.count_seats(changed.get(member.id, member) for member in members)
    for had, has in zip(counts, wanted, strict=True):
        if has.missing > had.missing:
            raise SeatsMissing(
                pool=has.pool.id,
                seats=has.pool.seats,
                missing=has.missing,
                hint="offramp pool seats shows what is free; who has expired takes no seat",
            )


def _end(office: Office, member: Member, person: Person) -> Member:
    _require_product(office, person.product)
    if office.has_left(member, person.product):
        hint = f"offramp member reactivate {office.organization.id} {member.id}"
        raise MemberExpired(member=member.id, hint=hint)
    if office.has_seat_ended(member, person.product):
        raise _seat_ended(member)
    if person.ends is not None:
        _require_to_come(office, person.ends, hint="offramp member expire ends a term at once")
    return _with_end(member, person.product, person.ends)


def _expire(office: Office, member: Member, person: Person) -> Member:
    _require_product(office, person.product)
    if office.has_left(member, person.product) or office.has_seat_ended(member, person.product):
        return member
    return _with_end(member, person.product, office.end_that_is_now())


def _remove(office: Office, member: Member, _person: Person) -> Member:
    return replace(member, removed_at=member.removed_at or office.now)


def _reactivate(office: Office, member: Member, person: Person, *, by: str) -> Member:
    _require_product(office, person.product)
    if person.ends is not None:
        _require_to_come(office, person.ends, hint="give an end date that is still to come")
    if person.product is not None and office.has_left(member, None):
        raise LeftAltogether(member=member.id, hint="leave out the product")
    back = _brought_back(office, member, person.product)
    if office.has_seat_ended(back, person.product):
        raise _seat_ended(member)
    if back == member:
        hint = "an end that is still to come is changed or taken away by offramp member end"
        raise MemberNotExpired(member=member.id, hint=hint)
    for row in _rows_left(office, person):
        require_way_back(office.transaction, row, by=by, now=office.now)
        office.transaction.put_events([reactivated(row, at=office.now)])
    return back if person.ends is None else _with_end(back, person.product, person.ends)


def _brought_back(office: Office, member: Member, product: str | None) -> Member:
    """Take away the own ends that have passed, of everything or of one product."""
    stays = {
        name: ends
        for name, ends in member.product_ends.items()
        if product not in (None, name) or not office.has_passed(ends)
    }
    if product is not None or not office.has_left(member, None):
        return replace(member, product_ends=stays)
    return replace(member, ends=None, removed_at=None, product_ends=stays)


def _rows_left(office: Office, person: Person) -> Iterator[Offboarding]:
    """Give the off-boardings of a member's own whose term is over, wholly or in one product."""
    for row in office.leaving_alone.get(person.member, ()):
        is_meant = person.product is None or row.subject.product in (None, person.product)
        if is_meant and effect(row.ends, zone=office.zone) <= office.now:
            yield row


def _move(office: Office, member: Member, move: Move) -> Member:
    target = office.pools.get(move.target)
    if target is None:
        raise PoolUnknown(organization=office.organization.id, pool=move.target)
    if office.has_ended(target):
        raise PoolOver(pool=target.id, hint="offramp renew gives it a new end")
    if move.source is None:
        return replace(member, pools=member.pools | {target.id})
    source = office.pools.get(move.source)
    if source is None or source.id not in member.pools:
        raise SeatUnknown(member=member.id, pool=move.source)
    if office.policy.clock == "product" and source.product != target.product:
        hint = "give them a seat, and an end in the product that they leave"
        raise PoolsApart(source=source.id, target=target.id, hint=hint)
    return replace(member, pools=member.pools - {source.id} | {target.id})


def _with_end(member: Member, product: str | None, ends: Boundary | None) -> Member:
    if product is None:
        return replace(member, ends=ends)
    others = {name: each for name, each in member.product_ends.items() if name != product}
    return replace(member, product_ends=others if ends is None else {**others, product: ends})


def _require_to_come(office: Office, ends: Boundary, *, hint: str) -> None:
    if office.has_passed(ends):
        raise EndPassed(ends=str(ends), hint=hint)


def _require_product(office: Office, product: str | None) -> None:
    if product is None:
        return
    if office.policy.clock != "product":
        raise ProductsTogether(policy=office.policy.policy, hint="leave out the product")
    if product not in {pool.product for pool in office.pools.values()}:
        raise ProductUnknown(organization=office.organization.id, product=product)


def _seat_ended(member: Member) -> SeatEnded:
    hint = "offramp renew gives the pool a new end; offramp member move gives another seat"
    return SeatEnded(member=member.id, hint=hint)
