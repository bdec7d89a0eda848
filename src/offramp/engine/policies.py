"""The published policies: their versions, who is leaving by each, and what differs between two.

Dates are shown for one end, as a policy has none of its own.

Source: docs/console.md, "Policies"; policy language S4; `core.compare`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from whenever import Instant

from offramp.core.compare import Move, compare
from offramp.core.dates import Boundary, effect
from offramp.core.model import Anchor, Facts, Organization, SubjectKind
from offramp.core.plan import Timeline, plan
from offramp.core.policy import Policy
from offramp.engine.context import Context
from offramp.engine.operators import actor_of
from offramp.engine.situation import PolicyUnpublished
from offramp.ports import Offboarding, PolicyNote

SHOWN_MAX = 20  # of those who are leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version, and how many are leaving by it."""

    policy: Policy
    in_flight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A policy with all of its versions, the newest first."""

    versions: tuple[Version, ...]

    @property
    def newest(self) -> Policy:
        """The version in force for whoever comes."""
        return self.versions[0].policy

    @property
    def in_flight(self) -> int:
        """How many are leaving by any of them."""
        return sum(version.in_flight for version in self.versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the dates of a policy are shown for."""

    ends: Boundary
    zone: str

    def facts(self, policy: Policy) -> Facts:
        """Give facts that the policy counts from."""
        kinds = policy.applies_to
        kind = SubjectKind.ORGANIZATION if SubjectKind.ORGANIZATION in kinds else kinds[0]
        exact = isinstance(self.ends, Instant) or policy.expiry != "instant"
        end = self.ends if exact else effect(self.ends, zone=self.zone)
        return Facts(kind=kind, zone=self.zone, anchors={Anchor.EXPIRY: end})


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """One version, dated for a sample, and held against another one.

    Attributes:
        moves: what the other version dates otherwise; empty without another one.
        leaving: some of those who are leaving by any version, with their organizations' names.
        notes: when each version was published, and why.
        actors: the names of operators, by how the ledger calls them.
    """

    published: Published
    chosen: Policy
    other: Policy | None
    sample: Sample
    timeline: Timeline
    moves: tuple[Move, ...]
    leaving: tuple[tuple[Offboarding, Organization | None], ...]
    notes: tuple[PolicyNote, ...]
    actors: Mapping[str, str]


def list_policies(context: Context) -> tuple[Published, ...]:
    """List every policy that was ever published."""
    with context.store.reading() as transaction:
        rows = transaction.policy_versions()
    found = [Version(policy=policy, in_flight=count) for policy, count in rows]
    return tuple(
        Published(versions=tuple(reversed(list(versions))))
        for _, versions in groupby(found, key=lambda each: each.policy.policy)
    )


def look_at_policy(
    context: Context, name: str, *, version: int | None, against: int | None, sample: Sample
) -> PolicyView:
    """See one version of a policy, and what another one would date otherwise.

    Raises:
        PolicyUnpublished: there is no such policy, or not in this version.
    """
    published = next((p for p in list_policies(context) if p.newest.policy == name), None)
    if published is None:
        raise PolicyUnpublished(policy=name, hint="offramp policy publish FILE publishes one")
    by_number = {each.policy.version: each.policy for each in published.versions}
    chosen = _choose(by_number, version, published.newest)
    other = None if against is None else _choose(by_number, against, chosen)
    facts = sample.facts(chosen)
    with context.store.reading() as transaction:
        found = transaction.in_flight(name, version=0, limit=SHOWN_MAX)
        rows = [each.offboarding for each in found]
        leaving = tuple((row, transaction.organization(row.subject.organization)) for row in rows)
        notes = transaction.policy_notes(name)
        actors = {actor_of(each.id): each.name for each in transaction.operators()}
    return PolicyView(
        published=published,
        chosen=chosen,
        other=other,
        sample=sample,
        timeline=plan(chosen, facts),
        moves=() if other is None else compare(other, chosen, facts),
        leaving=leaving,
        notes=notes,
        actors=actors,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A version that is not published yet, dated for a sample, beside the newest one.

    Attributes:
        moves: what the newest version dates otherwise; empty where it would be the first.
    """

    policy: Policy
    newest: Policy | None
    sample: Sample
    timeline: Timeline
    moves: tuple[Move, ...]


def look_at_draft(context: Context, policy: Policy, *, sample: Sample) -> Draft:
    """See what a version would date otherwise than the newest one."""
    with context.store.reading() as transaction:
        newest = transaction.policy(policy.policy)
    facts = sample.facts(policy)
    return Draft(
        policy=policy,
        newest=newest,
        sample=sample,
        timeline=plan(policy, facts),
        moves=() if newest is None else compare(newest, policy, facts),
    )


def _choose(by_number: Mapping[int, Policy], number: int | None, default: Policy) -> Policy:
    if number is None:
        return default
    if number not in by_number:
        raise PolicyUnpublished(policy=f"{default.policy} version {number}")
    return by_number[number]
