"""Two people arm what would delete many organizations: one asks, another one approves.

A request names exactly whose deletion is to begin. It is good for a day, and for nobody else: when
anything about them has changed meanwhile, it is void, and somebody has to look and ask again.

Source: docs/decisions/020-two-people.md; policy language D3; lesson L26.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Protocol

from whenever import Instant

from offramp.core.dates import civil_date
from offramp.core.errors import Invalid, Missing, Refused
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Detail, Event
from offramp.engine.announcement import announce_to_all
from offramp.engine.context import Context
from offramp.engine.situation import DAY_HOURS
from offramp.ports import Arming, Offboarding, OutboxEvent, Transaction

REQUEST_HOURS = 24  # a request that nobody approved for so long is void


class NobodyToArm(Refused):
    """Nobody is to be deleted within a day who is not armed already."""


class PersonBlank(Invalid):
    """A name is needed of whoever answers for it."""


class ArmingUnknown(Missing):
    """There is no request {arming}."""


class ArmingApproved(Refused):
    """The request {arming} was approved already."""


class ArmingExpired(Refused):
    """The request {arming} was good until {expires_at}."""


class ArmingStale(Refused):
    """What would be deleted has changed since the request {arming} was made."""


class SamePerson(Refused):
    """The request {arming} has to be approved by somebody else than who made it."""


def ask(context: Context, *, owner: str, reason: str) -> Arming:
    """Ask somebody else to approve everything that is to be deleted within a day.

    Raises:
        NobodyToArm: there is no such thing.
        PersonBlank: nobody answers for it.
    """
    _require_name(owner)
    now = context.clock.now()
    until = now.add(hours=DAY_HOURS)
    with context.store.transaction() as transaction:
        rows = transaction.unarmed(until=until)
        if not rows:
            raise NobodyToArm(hint="offramp status shows what is held, and why")
        arming = Arming(
            id=context.ids.new(),
            owner=owner,
            reason=reason,
            asked_at=now,
            expires_at=now.add(hours=REQUEST_HOURS),
            until=until,
            organizations=len({row.subject.organization for row in rows}),
            offboardings=len(rows),
            digest=_digest(rows),
        )
        transaction.put_arming(arming)
        transaction.append([_event(context, "arming-asked", arming, at=now)])
    return arming


def foresee(context: Context) -> None:
    """Tell once a day that two people are needed, before anything waits for them."""
    now, most = context.clock.now(), context.limits.bulk_organizations_max
    until = now.add(hours=DAY_HOURS)
    with context.store.transaction() as transaction:
        if transaction.erasures_expected(until=until, without="", limit=most + 1) > most:
            transaction.put_events([alarm(EventKind.BULK_COMING, at=now)])


def alarm(kind: EventKind, *, at: Instant) -> OutboxEvent:
    """Make the event of a day, which concerns the whole installation."""
    day = civil_date(at, zone="UTC")
    return announce_to_all(kind, key=str(day), at=at)


def look_at_request(context: Context, arming: str) -> tuple[Arming, tuple[Offboarding, ...]]:
    """See what a request that may still be approved is about.

    Raises:
        ArmingUnknown, ArmingApproved, ArmingExpired, ArmingStale: there is nothing to approve.
    """
    with context.store.transaction() as transaction:
        return _require(transaction, arming, now=context.clock.now())


def approve(context: Context, arming: str, *, approver: str) -> Arming:
    """Let everything begin that a request names.

    Raises:
        ArmingUnknown, ArmingApproved, ArmingExpired, ArmingStale: there is nothing to approve.
        SamePerson: who asks cannot approve as well.
        PersonBlank: nobody answers for it.
    """
    _require_name(approver)
    now = context.clock.now()
    with context.store.transaction() as transaction:
        asked, rows = _require(transaction, arming, now=now)
        require_second(arming, owner=asked.owner, approver=approver)
        approved = replace(asked, approver=approver, approved_at=now)
        transaction.put_arming(approved)
        transaction.arm([row.id for row in rows], arming=arming)
        transaction.wake(None, at=now)
        transaction.append([_event(context, "arming-approved", approved, at=now)])
    return approved


def list_requests(context: Context) -> tuple[Arming, ...]:
    """List the requests that can still be approved."""
    with context.store.reading() as transaction:
        return open_requests(transaction, now=context.clock.now())


def open_requests(transaction: Transaction, *, now: Instant) -> tuple[Arming, ...]:
    """Give the requests that can still be approved, if nothing about them has changed."""
    return tuple(
        each for each in transaction.armings() if each.approved_at is None and now < each.expires_at
    )


def _require(
    transaction: Transaction, arming: str, *, now: Instant
) -> tuple[Arming, tuple[Offboarding, ...]]:
    found = next((each for each in transaction.armings() if each.id == arming), None)
    if found is None:
        raise ArmingUnknown(arming=arming, hint="offramp status shows what is asked for")
    require_open(found, now=now, hint="offramp arm asks again")
    rows = transaction.unarmed(until=found.until)
    if _digest(rows) != found.digest:
        raise ArmingStale(arming=arming, hint="look, and ask again: offramp arm")
    return found, rows


class Asked(Protocol):
    """Something that a second person is asked to approve."""

    @property
    def id(self) -> str:
        """By which it is known."""

    @property
    def expires_at(self) -> Instant:
        """Until when it can be approved."""

    @property
    def approved_at(self) -> Instant | None:
        """When it was approved; none as long as it waits."""


def require_open(asked: Asked, *, now: Instant, hint: str) -> None:
    """Refuse to approve what does not wait for it any more.

    Raises:
        ArmingApproved, ArmingExpired: somebody did already, or nobody did in time.
    """
    if asked.approved_at is not None:
        raise ArmingApproved(arming=asked.id)
    if now >= asked.expires_at:
        expires_at = asked.expires_at.format_iso()
        raise ArmingExpired(arming=asked.id, expires_at=expires_at, hint=hint)


def require_second(arming: str, *, owner: str, approver: str) -> None:
    """Refuse an approval by the one who asks.

    Raises:
        SamePerson: it is.
    """
    if _is_same(owner, approver):
        raise SamePerson(arming=arming)


def _require_name(name: str) -> None:
    if not name.strip():
        raise PersonBlank()


def _is_same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _digest(rows: Sequence[Offboarding]) -> str:
    """Name a set of off-boardings, and everything on which it depends what becomes of them."""
    lines = sorted(
        (row.id, row.episode, row.policy, row.policy_version, str(row.ends)) for row in rows
    )
    return sha256(json.dumps(lines).encode()).hexdigest()


def _event(context: Context, kind: str, arming: Arming, *, at: Instant) -> Event:
    detail: dict[str, Detail] = {
        "arming": arming.id,
        "organizations": arming.organizations,
        "offboardings": arming.offboardings,
        "digest": arming.digest,
    }
    return Event(kind=kind, at=at, actor=context.actor_or("operator"), detail=detail)
