"""What a page of the product shows to one reader while a stage lasts. Its words are made elsewhere.

What may be done is what access is decided to be, capability by capability, and what ends when is
the timeline that messages state: a banner has no knowledge of its own that could contradict them.

Source: mission B7, B10; lessons L7, L38, L40.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from whenever import Instant

from offramp.core.access import (
    Decision,
    Question,
    Standing,
    Voter,
    capabilities_of,
    decide,
    levels_of,
)
from offramp.core.dates import civil_date, first_instant
from offramp.core.model import Role, SubjectKind, Unlock
from offramp.core.notice import NoticeFacts, state_facts
from offramp.core.plan import Timeline
from offramp.core.policy import ANY, EVERYTHING, Capability, Stage

ADMINISTRATORS = frozenset({Role.ADMIN, Role.OWNER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Whoever looks at a page, and everything that has a say about them."""

    roles: frozenset[Role]
    standings: tuple[Standing, ...]
    surface: str = ANY
    product: str | None = None
    is_blocked: bool = False
    unlocks: tuple[Unlock, ...] = ()

    def decide(self, capability: Capability, *, now: Instant) -> Decision:
        """Decide whether they may do something at an instant."""
        return decide(
            Question(roles=self.roles, surface=self.surface, capability=capability),
            self.standings,
            now=now,
            is_blocked=self.is_blocked,
            unlocks=self.unlocks,
        )

    def allowed(self, now: Instant) -> frozenset[Capability]:
        """List everything that they may do at an instant."""
        return frozenset(c for c in Capability if self.decide(c, now=now).is_allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """The facts of the stage in force, and what they mean to one reader.

    Attributes:
        facts: what messages state too, by the calendar of the organization.
        allowed: what the reader may do now; ``lost`` is what they could do before they left, and
            ``allowed_next`` what is left once the stage is over; none while no end of it is known.
        opened_until: how long support has opened more than the stage allows.
        may_renew: whether the reader is one of those who may bring everything back.
        returns_by: who may: ``admin``, ``owner``, ``support``.
        returns_whole: whether everything comes back as it was.
        may_request: whether a download is given to the reader who asks for one.
    """

    facts: NoticeFacts
    is_for_administrator: bool
    allowed: frozenset[Capability]
    lost: frozenset[Capability]
    allowed_next: frozenset[Capability] | None
    opened_until: Instant | None
    may_renew: bool
    returns_by: frozenset[str]
    returns_whole: bool
    may_request: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing:
    """A banner, or none, and until when this answer holds as things stand."""

    banner: Banner | None
    changes_at: Instant | None


def show_banner(reader: Reader, *, now: Instant) -> Showing:
    """Decide what a page shows to a reader at an instant (B7)."""
    standing = _spokesman(reader, now=now)
    answers = {each: reader.decide(each, now=now) for each in Capability}
    ends = [answer.until for answer in answers.values() if answer.until is not None]
    if standing is None:
        return Showing(banner=None, changes_at=min(ends, default=None))
    tomorrow = civil_date(now, zone=standing.timeline.zone).next_day()  # one day less is left then
    ends.append(first_instant(tomorrow, standing.timeline.zone))
    shown = _banner(reader, standing, answers=answers, now=now)
    return Showing(banner=shown, changes_at=min(ends))


def describe(reader: Reader, *, now: Instant) -> Banner | None:
    """Say what the stage in force means to a reader, whether or not the product shows it.

    None where nobody has a say about the reader.
    """
    standing = next(_strictest(reader, now=now), None)
    if standing is None:
        return None
    answers = {each: reader.decide(each, now=now) for each in Capability}
    return _banner(reader, standing, answers=answers, now=now)


def may_request(reader: Reader, scope: SubjectKind, *, now: Instant) -> bool:
    """Whether a reader is given a copy: on request, or as they may export (B9, E1).

    That of their own data everybody, that of the whole organization its administrators; nobody is
    once it is gone.
    """
    if scope is SubjectKind.ORGANIZATION and not ADMINISTRATORS & reader.roles:
        return False
    standing = next(_strictest(reader, now=now), None)
    if standing is None or any(each.span(now).after_step for each in reader.standings):
        return False
    given = scope in standing.span(now).stage.export_on_request
    return given or reader.decide(Capability.EXPORT, now=now).is_allowed


def _spokesman(reader: Reader, *, now: Instant) -> Standing | None:
    """Choose the standing that a banner speaks of, if it has something to say in the product.

    Where the strictest has nothing to say in the product, what a milder one says is not true.
    """
    strictest = _strictest(reader, now=now)
    return next((each for each in strictest if each.span(now).stage.banner), None)


def _strictest(reader: Reader, *, now: Instant) -> Iterator[Standing]:
    """Give the strictest standings, of equal ones a member's own first."""
    by_stages = replace(reader, is_blocked=False, unlocks=())
    votes = [
        replace(by_stages, standings=(each,)).decide(Capability.SIGN_IN, now=now).capabilities
        for each in reader.standings
    ]
    least = min(map(len, votes), default=0)
    pairs = zip(reversed(reader.standings), reversed(votes), strict=True)
    return (standing for standing, vote in pairs if len(vote) == least)


def _banner(
    reader: Reader, standing: Standing, *, answers: Mapping[Capability, Decision], now: Instant
) -> Banner:
    timeline, stage = standing.timeline, standing.span(now).stage
    facts = state_facts(timeline, None, product=reader.product, receipts=standing.receipts, now=now)
    allowed = frozenset(each for each, answer in answers.items() if answer.is_allowed)
    opened = (answer.until for answer in answers.values() if answer.voter is Voter.UNLOCK)
    returns_by = frozenset(stage.reactivate.by if stage.reactivate else ())
    # Whoever leaves alone does not take themselves back, whatever they are.
    may_return = not facts.is_one_member and bool(returns_by & reader.roles)
    return Banner(
        facts=facts,
        is_for_administrator=bool(ADMINISTRATORS & reader.roles),
        allowed=allowed,
        lost=_allowed_at_first(reader, timeline) - allowed,
        allowed_next=None if facts.stage_ends_at is None else reader.allowed(facts.stage_ends_at),
        opened_until=next(opened, None),
        may_renew=may_return,
        returns_by=returns_by,
        returns_whole=stage.reactivate is not None and stage.reactivate.restores == EVERYTHING,
        may_request=_may_request(reader, stage),
    )


def _allowed_at_first(reader: Reader, timeline: Timeline) -> frozenset[Capability]:
    levels = levels_of(timeline.spans[0].stage, roles=reader.roles, surface=reader.surface)
    return capabilities_of(levels, timeline.policy)


def _may_request(reader: Reader, stage: Stage) -> bool:
    """Whether their own content is given to the reader on request, or the whole of it (E1)."""
    is_whole = SubjectKind.ORGANIZATION in stage.export_on_request
    return SubjectKind.MEMBER in stage.export_on_request or (
        is_whole and bool(ADMINISTRATORS & reader.roles)
    )
