"""Why a decision about access is as it is: every voter, what each says, and what changes it next.

Each voter is asked alone with the very function that decides, so an explanation cannot say
anything else than the decision that it explains.

Source: mission, "nobody can say why"; policy language A1-A3; lessons L7, L38-L40.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from whenever import Instant

from offramp.core.access import Decision, Standing, Voter
from offramp.core.banner import Reader
from offramp.core.dates import Boundary
from offramp.core.model import Anchor, Role, Unlock
from offramp.core.policy import Capability
from offramp.core.snapshot import boundaries_of


class Saying(StrEnum):
    """What one voter says to a question."""

    ALLOWS = "allows"
    REFUSES = "refuses"
    SILENT = "silent"  # it has nothing to say: no end of their own, no block, no unlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one voter says, and since and until when as things stand.

    A block and an unlock are in no stage; they refuse or allow everything.

    Attributes:
        ends: the end that the stage is counted from, where anything ends.
        is_removed: whether that end is a removal.
        unlock: the one that is spoken of.
    """

    voter: Voter
    saying: Saying
    stage: str | None = None
    level: str | None = None
    capabilities: frozenset[Capability] = frozenset()
    since: Instant | None = None
    until: Instant | None = None
    ends: Boundary | None = None
    is_removed: bool = False
    unlock: Unlock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The first decision that allows something else or is in another stage, and when it begins."""

    at: Instant
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision with everything that was heard for it; every voter is named."""

    decision: Decision
    statements: tuple[Statement, ...]
    change: Change | None


def explain(reader: Reader, capability: Capability, *, now: Instant) -> Explanation:
    """Explain whether a reader may do something at an instant, as things stand."""
    return Explanation(
        decision=reader.decide(capability, now=now),
        statements=tuple(_statements(reader, capability, now=now)),
        change=_change(reader, capability, now=now),
    )


def depends_on_roles(reader: Reader, capability: Capability, *, now: Instant) -> bool:
    """Whether somebody with other roles would have been given another answer."""
    answers = {
        replace(reader, roles=frozenset({role})).decide(capability, now=now).is_allowed
        for role in Role
    }
    return len(answers) > 1


def _statements(reader: Reader, capability: Capability, *, now: Instant) -> Iterator[Statement]:
    """Hear the voters in the order in which they are named."""
    yield _of_block(reader)
    for voter in (Voter.ORGANIZATION, Voter.MEMBER, Voter.POOL):
        standing = next((each for each in reader.standings if each.voter is voter), None)
        if standing is None:
            yield Statement(voter=voter, saying=Saying.SILENT)
        else:
            yield _of_standing(reader, standing, capability, now=now)
    active = [unlock for unlock in reader.unlocks if unlock.is_active(now)]
    yield from map(_of_unlock, active)
    if not active:
        yield Statement(voter=Voter.UNLOCK, saying=Saying.SILENT)


def _of_block(reader: Reader) -> Statement:
    saying = Saying.REFUSES if reader.is_blocked else Saying.SILENT
    return Statement(voter=Voter.BLOCK, saying=saying)


def _of_standing(
    reader: Reader, standing: Standing, capability: Capability, *, now: Instant
) -> Statement:
    alone = replace(reader, standings=(standing,), is_blocked=False, unlocks=())
    vote, span = alone.decide(capability, now=now), standing.span(now)
    destroyed = standing.receipts.get(span.after_step) if span.after_step else None
    return Statement(
        voter=standing.voter,
        saying=Saying.ALLOWS if vote.is_allowed else Saying.REFUSES,
        stage=vote.stage,
        level=vote.level,
        capabilities=vote.capabilities,
        since=destroyed.done_at if destroyed else span.starts_at,
        until=vote.until,
        ends=standing.timeline.anchors.get(Anchor.EXPIRY),
        is_removed=Anchor.REMOVED in standing.timeline.anchors,
    )


def _of_unlock(unlock: Unlock) -> Statement:
    return Statement(
        voter=Voter.UNLOCK,
        saying=Saying.ALLOWS,
        capabilities=frozenset(Capability),
        since=unlock.starts_at,
        until=unlock.ends_at,
        unlock=unlock,
    )


def _change(reader: Reader, capability: Capability, *, now: Instant) -> Change | None:
    """Find the first of all coming boundaries at which the decision is another one."""
    present = _outcome(reader.decide(capability, now=now))
    for at in sorted(each for each in boundaries_of(reader) if each > now):
        decision = reader.decide(capability, now=at)
        if _outcome(decision) != present:
            return Change(at=at, decision=decision)
    return None


def _outcome(decision: Decision) -> tuple[object, ...]:
    """Leave out who says it, for somebody else may say the same later."""
    return decision.is_allowed, decision.stage, decision.level, decision.capabilities
