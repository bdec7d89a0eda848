"""What would become of one organization with another end, or by another policy; nothing is changed.

It is planned from the facts as they would be, by the functions that plan it in earnest.

Source: mission A7; docs/console.md, "What if"; `core.prospect`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from whenever import Instant

from offramp.core.dates import Boundary, effect
from offramp.core.model import Facts, Organization, Pool, Receipt, Subject, SubjectKind
from offramp.core.plan import Timeline, plan, turn_of
from offramp.core.policy import Policy
from offramp.core.prospect import Prospect, prospects
from offramp.core.term import Term
from offramp.core.transitions import OffboardingStatus
from offramp.engine.context import Context
from offramp.engine.following import is_over, terms_of
from offramp.engine.offboarding import pools_to_move, require_within
from offramp.engine.overview import newest_of
from offramp.engine.situation import (
    receipts_of,
    require_organization,
    require_policy,
    timeline_of,
)
from offramp.ports import Offboarding, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposition:
    """What is supposed.

    Attributes:
        until: another end of the pools that end last; none for the present ones.
        policy: the name of another policy; empty for the present one.
        is_new_term: whether the new end begins a new term, as `renew` does, and `extend` does not.
    """

    until: Boundary | None = None
    policy: str = ""
    is_new_term: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One way out, as it is and as it would be; one of both may be missing."""

    subject: Subject
    ends: Boundary | None
    would_end: Boundary | None
    now: Timeline | None
    then: Timeline | None
    steps: tuple[Prospect, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The answer to a supposition.

    Attributes:
        ends: the latest present end, from which others are counted.
        policies: the names of those that could be supposed, with what they are called.
        is_later: whether the supposed end is later than the present one, so that it can be saved.
    """

    at: Instant
    organization: Organization
    ends: Boundary | None
    policies: Mapping[str, str]
    departures: tuple[Departure, ...]
    is_later: bool


def suppose(context: Context, organization: str, supposed: Supposition) -> WhatIf:
    """Work out every date of an organization as it is, and as it would be.

    Raises:
        OrganizationUnknown, OrganizationErased: there is no such organization (any more).
        PolicyUnpublished, OverrideUnfit, EndNotExact: it could not leave by that policy.
        PoolUnknown: nothing of it has an end that could be another one.
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        customer = require_organization(transaction, organization)
        policy = require_policy(transaction, supposed.policy or customer.policy)
        require_within(policy, customer)
        pools = transaction.pools(organization)
        moved = pools if supposed.until is None else _moved(transaction, customer, supposed.until)
        rows = {
            row.subject: row
            for row in newest_of(transaction.offboardings(organization))
            if row.subject.member is None
        }
        terms = terms_of(customer, policy, moved, ())
        view = _View(
            transaction=transaction, customer=customer, policy=policy, supposed=supposed, now=now
        )
        departures = [
            view.departure(subject, rows.get(subject), terms.get(subject))
            for subject in dict.fromkeys((*rows, *terms))
        ]
        policies = {each.policy: each.title or each.policy for each in transaction.policies()}
    ends = _latest([row.ends for row in rows.values()], zone=customer.zone)
    return WhatIf(
        at=now,
        organization=customer,
        ends=ends,
        policies=policies,
        departures=tuple(departures),
        is_later=supposed.until is not None and _is_later(supposed.until, ends, zone=customer.zone),
    )


def _moved(transaction: Transaction, customer: Organization, until: Boundary) -> tuple[Pool, ...]:
    """Give the pools with another end where `renew` and `extend` would write it."""
    chosen = {pool.id for pool in pools_to_move(transaction, customer.id, None)}
    return tuple(
        replace(pool, ends=until) if pool.id in chosen else pool
        for pool in transaction.pools(customer.id)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What every way out of one organization is planned from."""

    transaction: Transaction
    customer: Organization
    policy: Policy
    supposed: Supposition
    now: Instant

    def departure(self, subject: Subject, row: Offboarding | None, term: Term | None) -> Departure:
        old = None if row is None else timeline_of(self.transaction, row)
        receipts: Mapping[str, Receipt] = {}
        if row is not None:
            receipts = receipts_of(self.transaction.steps(row.id))
        is_new_term = self.supposed.is_new_term or bool(self.supposed.policy)
        if row is not None and is_over(row, term):
            new, is_new_term = old, False
        else:
            policy = self._policy_of(row, is_new_term=is_new_term)
            new = None if term is None else self._planned(policy, term)
        return Departure(
            subject=subject,
            ends=row.ends if row else None,
            would_end=term.ends if term else None,
            now=old,
            then=new,
            steps=prospects(old, new, receipts=receipts, is_new_term=is_new_term, now=self.now),
        )

    def _policy_of(self, row: Offboarding | None, *, is_new_term: bool) -> Policy:
        """Give the version that would date it: a term that goes on keeps its own."""
        if row is None or is_new_term or row.status is OffboardingStatus.COMPLETED:
            return self.policy
        return require_policy(self.transaction, row.policy, version=row.policy_version)

    def _planned(self, policy: Policy, term: Term) -> Timeline:
        facts = Facts(
            kind=SubjectKind.ORGANIZATION,
            zone=self.customer.zone,
            anchors=term.anchors,
            cause=term.cause,
            overrides=self.customer.overrides,
            turn=turn_of(self.customer.id),
        )
        return plan(policy, facts)


def _latest(ends: Sequence[Boundary], *, zone: str) -> Boundary | None:
    return max(ends, key=lambda end: effect(end, zone=zone), default=None)


def _is_later(until: Boundary, ends: Boundary | None, *, zone: str) -> bool:
    return ends is None or effect(until, zone=zone) > effect(ends, zone=zone)
