"""Answer an access question from one snapshot of the store. The answer itself is the core's.

Source: mission A2; docs/architecture.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from whenever import Instant

from offramp.core.access import UNKNOWN, Decision, Place, Standing, Voter
from offramp.core.banner import Reader
from offramp.core.model import Facts, Member, Organization, Pool, Role, Subject, SubjectKind
from offramp.core.plan import plan
from offramp.core.policy import Capability, Policy
from offramp.core.term import Source, Term, member_term, organization_term
from offramp.core.transitions import OffboardingStatus
from offramp.engine.following import is_over
from offramp.engine.situation import receipts_of, require_policy, timeline_of
from offramp.ports import Offboarding, Store, Transaction

VOTER_OF = {
    Source.ORGANIZATION: Voter.ORGANIZATION,
    Source.MEMBER: Voter.MEMBER,
    Source.POOL: Voter.POOL,
}
_WHOLE: frozenset[str | None] = frozenset({None})


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
        roles=acting(member.roles),
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


def acting(roles: frozenset[Role]) -> frozenset[Role]:
    """Give the roles that somebody acts in who has some, or none."""
    return roles or frozenset({Role.MEMBER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is known of one organization, for questions about any of its members.

    Attributes:
        rows: the newest episode of each subject that did not end because the subject stays.
        stand: gives the standing of an episode.
    """

    organization: Organization
    policy: Policy
    pools: tuple[Pool, ...]
    rows: Mapping[Subject, Offboarding]
    stand: Callable[[Offboarding], Standing]

    @property
    def is_by_product(self) -> bool:
        """Whether each product ends by itself."""
        return self.policy.clock == "product"

    @property
    def products(self) -> frozenset[str | None]:
        """The products that have a clock; none stands for all of them."""
        return frozenset(pool.product for pool in self.pools) if self.is_by_product else _WHOLE

    def whole(self, product: str | None) -> Standing:
        """Give the standing of the organization."""
        row = self.rows.get(Subject(organization=self.organization.id, product=product))
        term = organization_term(self.pools, zone=self.organization.zone, product=product)
        if row is not None and _stands(row, term):
            return self.stand(row)
        return _active(self.organization, self.policy)

    def own(
        self, member: str, product: str | None, *, find: Callable[[str], Member]
    ) -> Standing | None:
        """Give the standing of a member, where they have their own."""
        subject = Subject(organization=self.organization.id, member=member, product=product)
        row = self.rows.get(subject)
        if row is None:
            return None
        if row.status is OffboardingStatus.COMPLETED:
            zone = self.organization.zone
            term = member_term(find(member), self.pools, zone=zone, product=product)
            if not is_over(row, term):
                return None
        return self.stand(row)


def ground_of(
    transaction: Transaction,
    organization: Organization,
    *,
    stand: Callable[[Offboarding], Standing],
    rows: Iterable[Offboarding],
) -> Ground:
    """Read what is known of an organization beside its off-boardings."""
    return Ground(
        organization=organization,
        policy=require_policy(transaction, organization.policy),
        pools=transaction.pools(organization.id),
        rows={row.subject: row for row in rows if row.status is not OffboardingStatus.CANCELED},
        stand=stand,
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
    stand = partial(_standing, transaction)
    if rows is None:
        who = None if member is None else member.id
        rows = transaction.offboardings_about(organization.id, member=who)
    ground = ground_of(transaction, organization, stand=stand, rows=rows)
    scoped = product if ground.is_by_product else None
    if scoped not in ground.products:
        return  # nobody has a say about a product that was never bought: nothing is allowed
    yield ground.whole(scoped)
    if member is None:
        return
    own = ground.own(member.id, scoped, find=lambda _: member)
    if own is not None:
        yield own


def _stands(row: Offboarding, term: Term | None) -> bool:
    """Whether an episode still has a say: one that is over has none once more was bought."""
    return row.status is not OffboardingStatus.COMPLETED or is_over(row, term)


def _standing(transaction: Transaction, row: Offboarding) -> Standing:
    return Standing(
        voter=VOTER_OF[row.source],
        timeline=timeline_of(transaction, row),
        receipts=receipts_of(transaction.steps(row.id)),
    )


def _active(organization: Organization, policy: Policy) -> Standing:
    """Stand in the first stage: nothing of this organization has an end."""
    facts = Facts(kind=SubjectKind.ORGANIZATION, zone=organization.zone, anchors={})
    return Standing(voter=Voter.ORGANIZATION, timeline=plan(policy, facts))
