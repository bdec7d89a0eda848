"""May this person do this, here, now? Several voters answer; the strictest wins and is named.

The answer is a pure function of the policy, the facts and the time, so it is right at the first
instant of the day while every worker is down, and it is the same answer that notices and pages
give: all of them ask the timeline for the stage.

Source: mission A2, B2-B5; policy language S1, A1-A3; lessons L1, L7, L38-L40.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from whenever import Instant

from offramp.core.model import Receipt, Role, Unlock
from offramp.core.plan import Span, Timeline
from offramp.core.policy import ANY, Capability, Policy, Stage


class Voter(StrEnum):
    """Who has a say; the order is the order in which they are named when they agree."""

    BLOCK = "block"  # an operator shut this subject out
    ORGANIZATION = "organization"
    MEMBER = "member"
    POOL = "pool"
    UNLOCK = "unlock"
    UNKNOWN = "unknown"  # nobody knows the organization or the member


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One subject's timeline with what has been done on it."""

    voter: Voter
    timeline: Timeline
    receipts: Mapping[str, Receipt] = field(default_factory=dict)

    def span(self, now: Instant) -> Span:
        """Give the stage it is in."""
        return self.timeline.span_at(now, receipts=self.receipts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who wants to do what, and where."""

    roles: frozenset[Role]
    surface: str
    capability: Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose access is asked for, and where in the product."""

    organization: str
    member: str
    surface: str = ANY
    product: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, with what a page needs to explain it.

    ``capabilities`` is what every voter allows; ``level`` and ``stage`` are those of the voter
    named. ``until`` is when the present answer next may change; none when nothing is planned.
    """

    is_allowed: bool
    voter: Voter
    stage: str
    level: str
    capabilities: frozenset[Capability]
    until: Instant | None


UNKNOWN = Decision(
    is_allowed=False,
    voter=Voter.UNKNOWN,
    stage="unknown",
    level="none",
    capabilities=frozenset(),
    until=None,
)
"""The answer for whoever is not known: nothing is allowed."""


def decide(
    question: Question,
    standings: Iterable[Standing],
    *,
    now: Instant,
    is_blocked: bool = False,
    unlocks: Iterable[Unlock] = (),
) -> Decision:
    """Answer one question from the standing of the organization and of the member."""
    voters = tuple(standings)
    votes = [_vote(question, standing, now=now) for standing in voters]
    if not votes:
        return UNKNOWN
    strictest = replace(
        min(votes, key=_strictness),
        capabilities=frozenset.intersection(*(vote.capabilities for vote in votes)),
        until=min((vote.until for vote in votes if vote.until is not None), default=None),
    )
    if is_blocked:
        return _shut(strictest)
    is_destroyed = any(standing.span(now).after_step for standing in voters)
    open_until = [unlock.ends_at for unlock in unlocks if unlock.is_active(now)]
    if open_until and not is_destroyed and not strictest.is_allowed:
        return _opened(strictest, until=max(open_until))
    return strictest


def _strictness(vote: Decision) -> tuple[bool, int, int]:
    """Order votes, the strictest first; of equal ones the voter that `Voter` lists first."""
    return vote.is_allowed, len(vote.capabilities), list(Voter).index(vote.voter)


def _vote(question: Question, standing: Standing, *, now: Instant) -> Decision:
    span = standing.span(now)
    levels = levels_of(span.stage, roles=question.roles, surface=question.surface)
    policy = standing.timeline.policy
    capabilities = capabilities_of(levels, policy)
    return Decision(
        is_allowed=question.capability in capabilities,
        voter=standing.voter,
        stage=span.stage.id,
        level=max(levels, key=lambda level: len(policy.capabilities(level))),
        capabilities=capabilities,
        until=None if span.is_overdue(now) else span.ends_at,
    )


def levels_of(stage: Stage, *, roles: frozenset[Role], surface: str) -> tuple[str, ...]:
    """List the level of each of a person's roles; they add up, as one person holds them all."""
    named = [role for role in Role if role in roles] or [Role.MEMBER]
    return tuple(stage.level(role=role.value, surface=surface) for role in named)


def capabilities_of(levels: Iterable[str], policy: Policy) -> frozenset[Capability]:
    """List what levels allow together."""
    return frozenset().union(*(policy.capabilities(level) for level in levels))


def _shut(vote: Decision) -> Decision:
    return Decision(
        is_allowed=False,
        voter=Voter.BLOCK,
        stage=vote.stage,
        level="none",
        capabilities=frozenset(),
        until=None,
    )


def _opened(vote: Decision, *, until: Instant) -> Decision:
    """Open everything for as long as an unlock lasts (A3)."""
    return Decision(
        is_allowed=True,
        voter=Voter.UNLOCK,
        stage=vote.stage,
        level="full",
        capabilities=frozenset(Capability),
        until=until,
    )


def matrix(policy: Policy) -> list[dict[str, str]]:
    """Give the capability matrix as data: one row per stage, role and surface (L38).

    Shape:
        rows: {"stage", "role", "surface", "level"}, in the order of the policy.
    """
    rows = []
    for stage in policy.stages:
        for role, row in stage.access.items():
            cells = {"*": row} if isinstance(row, str) else row
            for surface, level in cells.items():
                rows.append({"stage": stage.id, "role": role, "surface": surface, "level": level})
    return rows
