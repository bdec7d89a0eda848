"""Answer an access question from one snapshot of the store. The answer itself is the core's.

Source: mission A2; docs/architecture.md.
"""

from collections.abc import Iterable, Iterator

from whenever import Instant

from offramp.core.access import UNKNOWN, Decision, Place, Standing, Voter
from offramp.core.banner import Reader
from offramp.core.model import Facts, Member, Organization, Role, Subject, SubjectKind
from offramp.core.plan import plan
from offramp.core.policy import Capability, Policy
from offramp.core.term import Source, Term, member_term, organization_term
from offramp.core.transitions import OffboardingStatus
from offramp.engine.following import is_over
from offramp.engine.situation import receipts_of, require_policy, timeline_of
from offramp.ports import Offboarding, Store, Transaction

_VOTER = {
    Source.ORGANIZATION: Voter.ORGANIZATION,
    Source.MEMBER: Voter.MEMBER,
    Source.POOL: Voter.POOL,
}


def may(
    store: Store,
    organization: str,
    member: str,
    capability: Capability,
    *,
    surface: str,
    now: Instant,
    product: str | None = None,
) -> Decision:
    """Decide whether a member may do something on a surface of the product right now."""
    place = Place(organization=organization, member=member, surface=surface, product=product)
    with store.transaction() as transaction:
        reader = find_reader(transaction, place)
    return UNKNOWN if reader is None else reader.decide(capability, now=now)


def find_reader(transaction: Transaction, place: Place) -> Reader | None:
    """Gather everything that has a say about a member, if there is one."""
    found = transaction.organization(place.organization)
    person = transaction.member(place.organization, place.member)
    if found is None or person is None:
        return None
    return reader_of(transaction, found, person, surface=place.surface, product=place.product)


def is_back(transaction: Transaction, subject: Subject, *, now: Instant) -> bool:
    """Whether a subject is in its first stage, by whatever has a say about it."""
    standings = standings_of(transaction, subject)
    return bool(standings) and all(s.span(now) is s.timeline.spans[0] for s in standings)


def standings_of(transaction: Transaction, subject: Subject) -> tuple[Standing, ...]:
    """Give the standing of an organization, then that of its one member where they have their own.

    Of somebody who is not there it gives nothing.
    """
    found = transaction.organization(subject.organization)
    person = subject.member and transaction.member(subject.organization, subject.member)
    if found is None or (subject.member and person is None):
        return ()
    return tuple(_standings(transaction, found, person or None, product=subject.product))


def reader_of(
    transaction: Transaction,
    organization: Organization,
    member: Member,
    *,
    surface: str,
    product: str | None,
    rows: Iterable[Offboarding] | None = None,
) -> Reader:
    """Gather everything that has a say about a member; rows are other ones than the present."""
    return Reader(
        roles=member.roles or frozenset({Role.MEMBER}),
        standings=tuple(_standings(transaction, organization, member, product=product, rows=rows)),
        surface=surface,
        product=product,
        is_blocked=transaction.is_blocked(organization.id, member=None)
        or transaction.is_blocked(organization.id, member=member.id),
        unlocks=tuple(
            unlock
            for unlock in transaction.unlocks(organization.id)
            if unlock.member in (None, member.id)
        ),
    )


def _standings(
    transaction: Transaction,
    organization: Organization,
    member: Member | None,
    *,
    product: str | None,
    rows: Iterable[Offboarding] | None = None,
) -> Iterator[Standing]:
    """Give the standing of the organization, then that of the member where they have their own."""
    newest = {
        row.subject: row
        for row in (transaction.offboardings(organization.id) if rows is None else rows)
        if row.status is not OffboardingStatus.CANCELED
    }
    policy = require_policy(transaction, organization.policy)
    pools = transaction.pools(organization.id)
    scoped = product if policy.clock == "product" else None
    if policy.clock == "product" and product not in {pool.product for pool in pools}:
        return  # nobody has a say about a product that was never bought: nothing is allowed
    zone = organization.zone
    whole = newest.get(Subject(organization=organization.id, product=scoped))
    term = organization_term(pools, zone=zone, product=scoped)
    yield (
        _standing(transaction, whole)
        if whole is not None and _stands(whole, term)
        else _active(organization, policy)
    )
    if member is None:
        return
    own = newest.get(Subject(organization=organization.id, member=member.id, product=scoped))
    term = member_term(member, pools, zone=zone, product=scoped)
    if own is not None and _stands(own, term):
        yield _standing(transaction, own)


def _stands(row: Offboarding, term: Term | None) -> bool:
    """Whether an episode still has a say: one that is over has none once more was bought."""
    return row.status is not OffboardingStatus.COMPLETED or is_over(row, term)


def _standing(transaction: Transaction, row: Offboarding) -> Standing:
    return Standing(
        voter=_VOTER[row.source],
        timeline=timeline_of(transaction, row),
        receipts=receipts_of(transaction.steps(row.id)),
    )


def _active(organization: Organization, policy: Policy) -> Standing:
    """Stand in the first stage: nothing of this organization has an end."""
    facts = Facts(kind=SubjectKind.ORGANIZATION, zone=organization.zone, anchors={})
    return Standing(voter=Voter.ORGANIZATION, timeline=plan(policy, facts))
