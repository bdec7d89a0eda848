"""Acts on many organizations: looked at first, approved by a second person, done one by one.

What would happen to somebody is known by doing it and taking it back, with the very use case that
does it afterwards. What was seen of them is kept as a digest; where it is not the same any more
before an approval, or right before the act, nothing is done.

Source: docs/decisions/040-acts-on-many.md; lesson L26.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from offramp.core.bulk import BulkAct, BulkTarget, BulkWish
from offramp.core.errors import Invalid, OfframpError, Refused
from offramp.core.ledger import Detail, Event
from offramp.engine.arming import (
    REQUEST_HOURS,
    ArmingApproved,
    ArmingUnknown,
    require_open,
    require_second,
)
from offramp.engine.bulk_act import carry_out
from offramp.engine.context import Context
from offramp.engine.directory import Question, find_organizations
from offramp.engine.situation import require_organization
from offramp.engine.within import within
from offramp.ports import Operator, StoreUnavailable, Transaction

ORGANIZATIONS_MAX = 200  # in one act: somebody else has to look through them
LOOKS_MAX = 20  # pages, to find all of them
LISTED_MAX = 50  # acts, the newest
_AGAIN = "look at them again, and ask again"


class NobodyMeant(Invalid):
    """No organization was chosen."""


class TooManyChosen(Invalid):
    """More than {most} organizations are meant, or too many had to be looked at for them."""


class NobodyToChange(Refused):
    """None of them can be changed so."""


class BulkStale(Refused):
    """Something about these organizations has changed since they were looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What an act would do to one organization.

    Attributes:
        told: what would happen, or why nothing would.
        digest: of what it depends on; none where nothing would happen.
    """

    organization: str
    name: str
    told: str
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What an act would do to all of them; ``needs_second`` says whether one person is too few."""

    wish: BulkWish
    changed: tuple[Foreseen, ...]
    refused: tuple[Foreseen, ...]
    needs_second: bool

    @property
    def digest(self) -> str:
        """Name the act, whom it changes, and all that was seen of them."""
        wish = self.wish
        values = [wish.kind, wish.reason, str(wish.until), wish.days, wish.held_for]
        return _digest([values, [[each.organization, each.digest] for each in self.changed]])


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkView:
    """An act with what became, or would become, of everybody in it; names by organization."""

    act: BulkAct
    targets: tuple[BulkTarget, ...]
    names: dict[str, str]


def find_all(context: Context, question: Question) -> tuple[str, ...]:
    """Give everybody who is found, as long as they are not too many for one act.

    Raises:
        TooManyChosen: they are.
    """
    found: list[str] = []
    for _ in range(LOOKS_MAX):
        page = find_organizations(context, question)
        found += [each.organization.id for each in page.rows]
        if page.after is None and len(found) <= ORGANIZATIONS_MAX:
            return tuple(found)
        if len(found) > ORGANIZATIONS_MAX:
            break
        question = replace(question, after=page.after)
    raise TooManyChosen(most=ORGANIZATIONS_MAX, hint="search for fewer")


def foresee(context: Context, wish: BulkWish, organizations: Sequence[str]) -> Prospect:
    """Say what an act would do to each of them; nothing is changed.

    Raises:
        NobodyMeant, TooManyChosen: there is nobody, or there are too many.
    """
    chosen = sorted(set(organizations))
    if not chosen:
        raise NobodyMeant(hint="tick some, or take all that are found")
    if len(chosen) > ORGANIZATIONS_MAX:
        raise TooManyChosen(most=ORGANIZATIONS_MAX, hint="search for fewer")
    found = [_foresee(context, wish, organization) for organization in chosen]
    changed = tuple(each for each in found if each.digest is not None)
    return Prospect(
        wish=wish,
        changed=changed,
        refused=tuple(each for each in found if each.digest is None),
        needs_second=wish.kind.is_grave or len(changed) > context.limits.acts_alone_max,
    )


def ask(
    context: Context, wish: BulkWish, organizations: Sequence[str], *, seen: str, by: Operator
) -> BulkAct:
    """Ask to have done what was looked at; few harmless ones need nobody else.

    Args:
        seen: the digest of what was looked at.

    Raises:
        NobodyToChange: there is nobody left.
        BulkStale: it is not as it was when it was looked at.
    """
    prospect = foresee(context, wish, organizations)
    if not prospect.changed:
        raise NobodyToChange(hint="each of them says why")
    if prospect.digest != seen or prospect.refused:
        raise BulkStale(hint=_AGAIN)
    now = context.clock.now()
    act = BulkAct(
        id=context.ids.new(),
        wish=wish,
        owner=by.name,
        owner_id=by.id,
        asked_at=now,
        expires_at=now.add(hours=REQUEST_HOURS),
        organizations=len(prospect.changed),
        digest=prospect.digest,
        approved_at=None if prospect.needs_second else now,
    )
    targets = [
        BulkTarget(act=act.id, organization=each.organization, digest=each.digest, told=each.told)
        for each in prospect.changed
        if each.digest is not None
    ]
    with context.store.transaction() as transaction:
        transaction.put_bulk_act(act, targets)
        transaction.append([_event(context, "bulk-act-asked", act)])
    return act


def approve(context: Context, act: str, *, by: Operator) -> BulkAct:
    """Let a worker do what somebody else asks for, if nothing about it has changed.

    Raises:
        ArmingUnknown, ArmingApproved, ArmingExpired, BulkStale: there is nothing to approve.
        SamePerson: who asks cannot approve as well.
    """
    view = look_at_act(context, act)
    asked, now = view.act, context.clock.now()
    require_open(asked, now=now, hint=_AGAIN)
    require_second(act, owner=asked.owner_id, approver=by.id)
    if not _is_as_seen(context, view):
        raise BulkStale(hint=_AGAIN)
    with context.store.transaction() as transaction:
        if not transaction.approve_bulk_act(act, approver=by.name, approver_id=by.id, at=now):
            raise ArmingApproved(arming=act)
        transaction.append([_event(context, "bulk-act-approved", asked)])
    return asked


def look_at_act(context: Context, act: str) -> BulkView:
    """See an act, and everybody in it.

    Raises:
        ArmingUnknown: there is no such act (any more).
    """
    with context.store.reading() as transaction:
        found = transaction.bulk_act(act)
        if found is None:
            raise ArmingUnknown(arming=act)
        targets = transaction.bulk_targets(act)
        known = [transaction.organization(each.organization) for each in targets]
    names = {each.id: each.name for each in known if each is not None}
    return BulkView(act=found, targets=targets, names=names)


def list_acts(context: Context) -> tuple[BulkAct, ...]:
    """List the newest acts."""
    with context.store.reading() as transaction:
        return transaction.bulk_acts(limit=LISTED_MAX)


def _is_as_seen(context: Context, view: BulkView) -> bool:
    wish = view.act.wish
    found = [_foresee(context, wish, each.organization).digest for each in view.targets]
    is_whole = len(found) == view.act.organizations
    return is_whole and found == [each.digest for each in view.targets]


class _TakenBack(Exception):
    """Ends a transaction so that nothing of it stays."""

    def __init__(self, told: str, digest: str) -> None:
        super().__init__()
        self.told, self.digest = told, digest


def _foresee(context: Context, wish: BulkWish, organization: str) -> Foreseen:
    """Do it, say what it was, and take it back."""
    name, digest = "", None
    try:
        with context.store.transaction() as transaction:
            name = require_organization(transaction, organization).name
            raise _TakenBack(*act_in(context, transaction, wish, organization, owner=""))
    except _TakenBack as taken_back:
        told, digest = taken_back.told, taken_back.digest
    except StoreUnavailable:
        raise
    except OfframpError as error:
        told = str(error)
    return Foreseen(organization=organization, name=name, told=told, digest=digest)


def act_in(
    context: Context, transaction: Transaction, wish: BulkWish, organization: str, *, owner: str
) -> tuple[str, str]:
    """Do it as part of a transaction; gives what was done, and the digest of what that was due to.

    Raises:
        OfframpError: it cannot be done; the transaction has to be taken back.
    """
    state = _state(context, transaction, organization)
    told = carry_out(within(context, transaction), wish, organization, owner=owner)
    return told, _digest([organization, state, told])


def _state(context: Context, transaction: Transaction, organization: str) -> list[object]:
    """Give everything on which it depends what an act means to an organization."""
    now = context.clock.now()
    rows = transaction.offboardings(organization)
    return [
        [[each.id, each.product, str(each.ends)] for each in transaction.pools(organization)],
        [[r.id, r.episode, r.status, r.policy, r.policy_version, str(r.ends)] for r in rows],
        sorted(each.id for each in transaction.holds(organization) if each.is_active(now)),
        transaction.is_exempt(organization),
    ]


def _digest(values: object) -> str:
    return sha256(json.dumps(values).encode()).hexdigest()


def _event(context: Context, kind: str, act: BulkAct) -> Event:
    detail: dict[str, Detail] = {
        "request": act.id,
        "act": act.wish.kind.value,
        "organizations": act.organizations,
        "digest": act.digest,
    }
    actor = context.actor_or("operator")
    return Event(kind=kind, at=context.clock.now(), actor=actor, detail=detail)
