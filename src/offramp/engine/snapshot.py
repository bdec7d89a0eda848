"""The snapshot of an organization: read in one transaction, worked out once for all who are alike.

Source: docs/decisions/032-snapshots.md; mission A2.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import zip_longest

from offramp.core.access import Standing
from offramp.core.banner import Reader
from offramp.core.model import Member, Organization, Receipt, Role, Unlock
from offramp.core.plan import plan
from offramp.core.policy import ANY, Policy
from offramp.core.snapshot import AccessSnapshot, Courses, courses_of
from offramp.core.transitions import OffboardingStatus
from offramp.engine.access import VOTER_OF, Ground, acting, ground_of
from offramp.engine.context import Context
from offramp.engine.situation import (
    facts_of,
    receipts_of,
    require_organization,
    require_policy,
)
from offramp.ports import Offboarding, StepRow, Transaction


def snapshot_of(
    context: Context, organization: str, *, member: str | None = None
) -> AccessSnapshot:
    """Work out who may do what in an organization, or what one member may, as it is planned.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
    """
    with context.store.reading() as transaction:
        found = require_organization(transaction, organization)
        if member is None:
            rows = transaction.offboardings(organization)
            steps = transaction.erase_steps(organization)
        else:
            rows = transaction.offboardings_about(organization, member=member)
            steps = tuple(step for row in rows for step in transaction.steps(row.id))
        stands = _Stands(transaction=transaction, organization=found, steps=steps)
        ground = ground_of(transaction, found, stand=stands.of, rows=rows)
        people = _People(
            ground=ground,
            blocked=transaction.blocked(organization),
            unlocks=transaction.unlocks(organization),
        )
        roles = _roles(transaction, organization, member=member)
        returned = people.gone.intersection(roles)
        found_again = {each.id: each for each in transaction.members(organization, among=returned)}
        members = {
            member: people.courses(member, acting(its), find=found_again.__getitem__)
            for member, its in roles.items()
        }
    return AccessSnapshot(
        organization=organization, is_by_product=ground.is_by_product, members=members
    )


def _roles(
    transaction: Transaction, organization: str, *, member: str | None
) -> Mapping[str, frozenset[Role]]:
    if member is None:
        return transaction.roles(organization)
    found = transaction.member(organization, member)
    return {} if found is None else {member: found.roles}


class _Stands:
    """Gives episodes that are alike one and the same standing.

    Attributes:
        steps: those of deletions at least, whose receipts alone open a stage.
    """

    def __init__(
        self, *, transaction: Transaction, organization: Organization, steps: Iterable[StepRow]
    ) -> None:
        self._transaction = transaction
        self._organization = organization
        self._policies: dict[tuple[str, int], Policy] = {}
        self._known: dict[Hashable, Standing] = {}
        self._erasures: dict[str, list[StepRow]] = {}
        for row in steps:
            self._erasures.setdefault(row.offboarding, []).append(row)

    def of(self, row: Offboarding) -> Standing:
        """Give the standing of an episode."""
        receipts = receipts_of(tuple(self._erasures.get(row.id, ())))
        done = tuple((key, receipt.outcome, receipt.done_at) for key, receipt in receipts.items())
        term = (row.ends, row.cause, row.source, row.subject.kind)
        key = (row.policy, row.policy_version, term, done)
        if key not in self._known:
            self._known[key] = self._stand(row, receipts)
        return self._known[key]

    def _stand(self, row: Offboarding, receipts: Mapping[str, Receipt]) -> Standing:
        zone, overrides = self._organization.zone, self._organization.overrides
        facts = facts_of(row, zone=zone, overrides=overrides)
        timeline = plan(self._policy(row.policy, row.policy_version), facts)
        return Standing(voter=VOTER_OF[row.source], timeline=timeline, receipts=receipts)

    def _policy(self, name: str, version: int) -> Policy:
        key = name, version
        if key not in self._policies:
            self._policies[key] = require_policy(self._transaction, name, version=version)
        return self._policies[key]


class _People:
    """Gives members who are alike one and the same courses.

    Attributes:
        gone: who was once erased alone; if they are there again, their facts are asked for.
    """

    def __init__(
        self, *, ground: Ground, blocked: frozenset[str | None], unlocks: tuple[Unlock, ...]
    ) -> None:
        self._ground = ground
        self._products = sorted(ground.products, key=str)
        self._whole = {product: ground.whole(product) for product in self._products}
        self._blocked = blocked
        self._unlocks: dict[str | None, list[Unlock]] = {}
        for unlock in unlocks:
            self._unlocks.setdefault(unlock.member, []).append(unlock)
        self._leaving = {subject.member for subject in ground.rows}
        self.gone = frozenset(
            subject.member
            for subject, row in ground.rows.items()
            if row.status is OffboardingStatus.COMPLETED and subject.member is not None
        )
        self._known: dict[Hashable, Courses] = {}

    def courses(
        self, member: str, roles: frozenset[Role], *, find: Callable[[str], Member]
    ) -> Courses:
        """Give the courses of one member."""
        own: tuple[Standing | None, ...] = ()
        if member in self._leaving:
            own = tuple(self._ground.own(member, each, find=find) for each in self._products)
        unlocks = (*self._unlocks.get(None, ()), *self._unlocks.get(member, ()))
        is_blocked = None in self._blocked or member in self._blocked
        # Standings are known by identity: those that are alike are one object.
        key = (roles, is_blocked, tuple(map(id, unlocks)), tuple(map(id, own)))
        if key not in self._known:
            readers = {
                product or ANY: Reader(
                    roles=roles,
                    standings=(self._whole[product], *([] if mine is None else [mine])),
                    product=product,
                    is_blocked=is_blocked,
                    unlocks=unlocks,
                )
                for product, mine in zip_longest(self._products, own)
            }
            self._known[key] = courses_of(readers)
        return self._known[key]
