"""The people of an organization, as its administrators see and change them in the portal (B11).

What is done is what `engine.people` does for everybody else: to all who were chosen, or to nobody.

Source: mission B11; policy language S7, R1; docs/portal.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from whenever import Date, Instant

from offramp.core.dates import effect
from offramp.core.errors import Invalid, Missing, Refused
from offramp.core.model import Member, Role
from offramp.engine.context import Context
from offramp.engine.office import Office
from offramp.engine.people import Person, end_members, expire_members, reactivate_members
from offramp.engine.portal_entry import Guest

SHOWN_MAX = 50  # at once
MANAGE = frozenset({Role.ADMIN, Role.OWNER})


class PeopleUnchanged(Refused):
    """Nothing was changed, because it was not possible for everybody who was chosen."""


class NobodyChosen(Invalid):
    """Nobody was chosen, or no last day was said."""


class Standing(StrEnum):
    """How somebody stands, whatever the licenses say."""

    ACTIVE = "active"
    ENDED = "ended"  # with the last of their seats
    EXPIRED = "expired"
    REMOVED = "removed"


class Deed(StrEnum):
    """What can be done to people."""

    END = "end"
    EXPIRE = "expire"
    TAKE_BACK = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """One member; ``ends_at`` is when their access ends, where they have an end of their own."""

    member: Member
    standing: Standing
    ends_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleagues:
    """Some members by their ids; ``after`` leads to the next ones, if there are any."""

    rows: tuple[Colleague, ...]
    after: str | None


def may_manage(guest: Guest) -> bool:
    """Whether a member may change others."""
    return bool(guest.member.roles & MANAGE)


def list_colleagues(context: Context, guest: Guest, *, after: str) -> Colleagues:
    """List those who follow a member by id."""
    where = guest.organization.id
    office = guest.office
    assert office is not None, "the page is for whoever answers for the organization"
    with context.store.reading() as transaction:
        found = transaction.members_from(where, after=after, limit=SHOWN_MAX + 1)
    shown = found[:SHOWN_MAX]
    return Colleagues(
        rows=tuple(_colleague(office, member) for member in shown),
        after=shown[-1].id if len(found) > SHOWN_MAX else None,
    )


def change_colleagues(
    context: Context, guest: Guest, members: Sequence[str], deed: Deed, *, until: Date | None
) -> None:
    """Do one thing to everybody who was chosen.

    Raises:
        NobodyChosen: there is nobody to do it to, or no day to do it for.
        PeopleUnchanged: it is not possible for one of them.
    """
    if not members or (deed is Deed.END and until is None):
        raise NobodyChosen
    people = [Person(member=member, ends=until) for member in members]
    where = guest.organization.id
    try:
        match deed:
            case Deed.END:
                end_members(context, where, people, actor="admin")
            case Deed.EXPIRE:
                expire_members(context, where, people, actor="admin")
            case Deed.TAKE_BACK:
                reactivate_members(context, where, people, by="admin")
    except (Invalid, Missing, Refused) as error:
        raise PeopleUnchanged from error


def _colleague(office: Office, member: Member) -> Colleague:
    if member.removed_at is not None:
        standing = Standing.REMOVED
    elif office.has_left(member, None):
        standing = Standing.EXPIRED
    elif office.has_seat_ended(member, None):
        standing = Standing.ENDED
    else:
        standing = Standing.ACTIVE
    ends_at = None if member.ends is None else effect(member.ends, zone=office.zone)
    return Colleague(member=member, standing=standing, ends_at=ends_at)
