"""Facts change, off-boardings follow: who is leaving, since which episode, next due when.

Nothing has to be canceled in a queue: the plan is derived, so following means comparing the terms
that the facts give with the open off-boardings, and opening, re-dating or ending rows.

Source: mission A1, B1, B11; policy language S7, T8; lessons L9, L11.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from whenever import Instant

from offramp.core.dates import effect
from offramp.core.due import erases_at
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Detail, Event
from offramp.core.model import Member, Organization, Pool, Subject, SubjectKind
from offramp.core.policy import Policy
from offramp.core.term import (
    Term,
    member_as_published,
    member_term,
    organization_term,
    overtakes,
    pool_as_published,
)
from offramp.core.transitions import OFFBOARDING, STEP, OffboardingStatus, StepStatus, move
from offramp.engine.announcement import announce
from offramp.engine.situation import (
    receipts_of,
    require_organization,
    require_policy,
    timeline_of,
)
from offramp.ports import Ids, Offboarding, OutboxEvent, Transaction

OPENED, MOVED, CANCELED = "offboarding-opened", "offboarding-moved", "offboarding-canceled"
"""What the ledger calls what becomes of an off-boarding here."""

_LIVE = frozenset({OffboardingStatus.OPEN, OffboardingStatus.STOPPED})
_UNFINISHED = frozenset({StepStatus.PENDING, StepStatus.FAILED, StepStatus.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """How many off-boardings were opened, re-dated and ended."""

    opened: int = 0
    moved: int = 0
    ended: int = 0


def terms_of(
    organization: Organization,
    policy: Policy,
    pools: tuple[Pool, ...],
    members: tuple[Member, ...],
) -> Mapping[Subject, Term]:
    """Give every subject of an organization that is leaving, or will, and its term.

    Raises:
        EndNotExact: an end is a civil date, and the policy counts from an instant.
    """
    zone = organization.zone
    pools = tuple(pool_as_published(pool, expiry=policy.expiry, zone=zone) for pool in pools)
    members = tuple(member_as_published(each, expiry=policy.expiry, zone=zone) for each in members)
    products: tuple[str | None, ...] = (None,)
    if policy.clock == "product":
        products = tuple(sorted({pool.product for pool in pools}))
    found: dict[Subject, Term] = {}
    for product in products:
        whole = organization_term(pools, zone=zone, product=product)
        if whole and SubjectKind.ORGANIZATION in policy.applies_to:
            found[Subject(organization=organization.id, product=product)] = whole
        if SubjectKind.MEMBER in policy.applies_to:
            found |= dict(_members(organization, pools, members, product=product, whole=whole))
    return found


def _members(
    organization: Organization,
    pools: tuple[Pool, ...],
    members: tuple[Member, ...],
    *,
    product: str | None,
    whole: Term | None,
) -> Iterator[tuple[Subject, Term]]:
    in_product = {pool.id for pool in pools if product in (None, pool.product)}
    for member in members:
        if product is not None and not in_product & member.pools:
            continue
        own = member_term(member, pools, zone=organization.zone, product=product)
        if own is not None and overtakes(own, whole, zone=organization.zone):
            yield Subject(organization=organization.id, member=member.id, product=product), own


def follow(
    transaction: Transaction,
    organization: str,
    *,
    ids: Ids,
    now: Instant,
    actor: str = "policy",
    new_term: bool | None = None,
) -> Followed:
    """Make the open off-boardings of an organization agree with its facts.

    ``new_term`` says whether a moved end begins a new term, which is announced again, or corrects
    the present one, of which only what is not done is re-dated. Without it a later end is a new
    term where something was announced already (L9).
    """
    found = require_organization(transaction, organization)
    policy = require_policy(transaction, found.policy)
    terms = terms_of(
        found, policy, transaction.pools(organization), transaction.members(organization)
    )
    before = transaction.offboardings(organization)
    current = {row.subject: row for row in before if row.status in _LIVE}
    opened = moved = ended = 0
    for subject, row in current.items():
        term = terms.get(subject)
        if term is not None and (row.ends, row.cause) == (term.ends, term.cause):
            continue
        is_new = new_term
        if is_new is None and term is not None:
            is_new = _is_next_term(transaction, row, term, zone=found.zone)
        if term is None or is_new:
            cancel(transaction, row, now=now, actor=actor)
            ended += 1
        else:
            _move(transaction, row, term, now=now, actor=actor)
            moved += 1
    rows = _to_open(transaction, found, policy, terms, ids=ids, now=now)
    transaction.open_offboardings(rows)
    transaction.append([_event(OPENED, row, at=now, actor=actor) for row in rows])
    opened = len(rows)
    return Followed(opened=opened, moved=moved, ended=ended)


def _is_next_term(transaction: Transaction, row: Offboarding, term: Term, *, zone: str) -> bool:
    """A later end after something was announced is a new term, which has to be announced again."""
    is_later = effect(term.ends, zone=zone) > effect(row.ends, zone=zone)
    return is_later and any(step.receipt for step in transaction.steps(row.id))


def _to_open(
    transaction: Transaction,
    organization: Organization,
    policy: Policy,
    terms: Mapping[Subject, Term],
    *,
    ids: Ids,
    now: Instant,
) -> list[Offboarding]:
    newest = {row.subject: row for row in transaction.offboardings(organization.id)}
    dated: dict[tuple[Term, SubjectKind], Offboarding] = {}  # who leaves alike has the same dates
    opened = []
    for subject, term in terms.items():
        last = newest.get(subject)
        if last is not None and (last.status in _LIVE or is_over(last, term)):
            continue
        row = Offboarding(
            id=ids.new(),
            subject=subject,
            policy=policy.policy,
            policy_version=policy.version,
            cause=term.cause,
            source=term.source,
            ends=term.ends,
            episode=last.episode + 1 if last else 1,
            status=OffboardingStatus.OPEN,
            opened_at=now,
            next_due_at=None,
        )
        alike = (term, subject.kind)
        if alike not in dated:
            dated[alike] = _dated(transaction, row, now=now)
        first = dated[alike]
        opened.append(replace(row, next_due_at=first.next_due_at, erases_at=first.erases_at))
    return opened


def is_over(row: Offboarding, term: Term | None) -> bool:
    """Whether an episode has ended in destruction and nothing was bought again since."""
    is_completed = row.status is OffboardingStatus.COMPLETED
    return is_completed and term is not None and term.ends == row.ends


def _dated(transaction: Transaction, row: Offboarding, *, now: Instant) -> Offboarding:
    """Date a row by its steps without a receipt: when the first is due, and when it is deleted."""
    timeline = timeline_of(transaction, row)
    receipts = receipts_of(transaction.steps(row.id))
    steps = [planned for planned in timeline.steps if planned.key not in receipts]
    erasures = (
        erases_at(planned, timeline, receipts=receipts, now=now)
        for planned in steps
        if planned.is_destructive
    )
    first_due_at = min((planned.due_at for planned in steps), default=None)
    return replace(row, next_due_at=first_due_at, erases_at=min(erasures, default=None))


def _move(
    transaction: Transaction, row: Offboarding, term: Term, *, now: Instant, actor: str
) -> None:
    """Re-date what is not done and leave what is done (T8)."""
    locked = transaction.lock(row.id, now=now)
    moved = replace(locked, ends=term.ends, cause=term.cause, source=term.source, armed=None)
    _reopen_missed(transaction, moved, now=now)
    moved = _dated(transaction, moved, now=now)
    transaction.save_offboarding(moved, expected_episode=row.episode)
    transaction.append([_event(MOVED, moved, at=now, actor=actor)])
    transaction.put_events([_outbox(EventKind.OFFBOARDING_MOVED, moved, at=now)])


def _reopen_missed(transaction: Transaction, moved: Offboarding, *, now: Instant) -> None:
    """Put back the notices that were missed and are of use again with the new end (T7, T8)."""
    timeline = timeline_of(transaction, moved)
    for step in transaction.steps(moved.id):
        planned = timeline.find(step.key)
        if planned is None or step.status is not StepStatus.MISSED:
            continue
        if planned.useful_until is not None and now < planned.useful_until:
            status = move(STEP, step.status, StepStatus.PENDING)
            again = replace(step, status=status, receipt=None, due_at=planned.due_at)
            transaction.save_step(again, claimed=None, expected=step.status)


def cancel(
    transaction: Transaction,
    row: Offboarding,
    *,
    now: Instant,
    actor: str,
    is_return: bool = True,
) -> None:
    """End an episode before its end: whatever is pending is canceled, whatever is done stays.

    Where the subject returns, it keeps a date for what its policy says to those who were told.
    """
    locked = transaction.lock(row.id, now=now)
    for step in transaction.steps(row.id):
        if step.status in _UNFINISHED:
            canceled = replace(
                step, status=move(STEP, step.status, StepStatus.CANCELED), next_try_at=None
            )
            transaction.save_step(canceled, claimed=None, expected=step.status)
    closed = close(transaction, locked, OffboardingStatus.CANCELED, now=now)
    if is_return:
        _date_return(transaction, closed)
    transaction.append([_event(CANCELED, row, at=now, actor=actor)])
    transaction.put_events([_outbox(EventKind.OFFBOARDING_CANCELED, row, at=now)])


def _date_return(transaction: Transaction, closed: Offboarding) -> None:
    due = [planned.due_at for planned in timeline_of(transaction, closed).steps]
    if due and transaction.has_told(closed.id):
        dated = replace(closed, next_due_at=min(due))
        transaction.save_offboarding(dated, expected_episode=closed.episode)


def close(
    transaction: Transaction, row: Offboarding, status: OffboardingStatus, *, now: Instant
) -> Offboarding:
    """Give an episode its last status: nothing of it is due any more."""
    closed = replace(
        row, status=move(OFFBOARDING, row.status, status), closed_at=now, next_due_at=None
    )
    transaction.save_offboarding(closed, expected_episode=row.episode)
    return closed


def _event(kind: str, row: Offboarding, *, at: Instant, actor: str) -> Event:
    """Write down all that dates the off-boarding from now on; `engine.hindsight` reads it."""
    return Event(
        kind=kind,
        at=at,
        offboarding=row.id,
        episode=row.episode,
        actor=actor,
        detail={
            "policy": row.policy,
            "version": row.policy_version,
            "ends": str(row.ends),
            "cause": row.cause.value,
            "source": row.source.value,
        },
    )


def _outbox(kind: EventKind, row: Offboarding, *, at: Instant) -> OutboxEvent:
    detail: dict[str, Detail] = {"episode": row.episode, "ends": str(row.ends)}
    return announce(row, kind, key=at.timestamp(unit="nanosecond"), at=at, detail=detail)
