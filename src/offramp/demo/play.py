"""One play: a vendor, a clock that is moved by hand, and scenes in which people do something.

The clock goes from one due date to the next; at each stop the engine works until it comes to
rest, and fails if it does not (L6). Nothing here decides what happens: the engine does.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from whenever import Instant, ZonedDateTime

from offramp.core.model import Member, Organization, Role
from offramp.core.policy import Capability, Policy
from offramp.demo.portal import PortalVisitor
from offramp.demo.product import Product, Reply
from offramp.demo.story import Cast, Line, Tell
from offramp.demo.vendor import Vendor
from offramp.documents.banner import answer_of
from offramp.engine.access import may
from offramp.engine.banner import banner_of
from offramp.engine.cases import CaseFile
from offramp.engine.context import Context
from offramp.engine.people import seats_of
from offramp.engine.sweep import NeverQuiet, run_until_quiet
from offramp.ports import OutboxEvent
from offramp.testing.clock import VirtualClock
from offramp.testing.smtp import SmtpCatcher

ZONE = "Europe/Dublin"
EVENTS_PER_READ = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One access question, as a page of the product would ask it, and the answer."""

    at: Instant
    who: str
    member: str
    organization: str
    product: str | None
    surface: str
    level: str
    stage: str
    voter: str
    capabilities: tuple[str, ...]
    banner: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What somebody tried in the application over HTTP, and what it answered."""

    at: Instant
    who: str
    member: Member
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatsTaken:
    """How many seats of a pool were in use at an instant."""

    at: Instant
    pool: str
    taken: int


@dataclass(kw_only=True)
class Play:
    """A play while it is going on, with everything that was seen of it."""

    vendor: Vendor
    policy: Policy
    context: Context
    product: Product
    post: SmtpCatcher
    clock: VirtualClock
    tell: Tell
    organizations: Mapping[str, Organization] = field(default_factory=dict)  # by name
    lines: list[Line] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    events: list[OutboxEvent] = field(default_factory=list)
    cases: list[CaseFile] = field(default_factory=list)
    seats: list[SeatsTaken] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)  # of the portal, by file name
    downloads: dict[str, bytes] = field(default_factory=dict)  # by file name
    kept_at_last: int | None = None  # rows that a law still keeps when everything is over
    asleep_until: Instant | None = None
    ledger_read: int = 0

    @property
    def now(self) -> Instant:
        """The simulated time."""
        return self.clock.now()

    def organization(self, name: str) -> Organization:
        """Find an organization of the roster by its name."""
        return self.organizations[name]

    def members(self, name: str) -> tuple[Member, ...]:
        """List the members of an organization by id."""
        with self.context.store.transaction() as transaction:
            return transaction.members(self.organization(name).id)

    def at_portal(self, member: Member) -> PortalVisitor:
        """Let a member sign in to the portal, by a mail."""
        visitor = PortalVisitor(context=self.context, address=self.product.offramp, post=self.post)
        visitor.sign_in(member)
        return visitor

    def count_seats(self, name: str) -> None:
        """Note how many seats of an organization are in use."""
        for each in seats_of(self.context, self.organization(name).id):
            self.seats.append(SeatsTaken(at=self.now, pool=each.pool.id, taken=each.taken))

    def say(self, who: str, what: str, *details: str, kind: str = "fact") -> None:
        """Tell one line of the story."""
        line = Line(at=self.now, zone=ZONE, kind=kind, who=who, what=what, details=details)
        self.lines.append(line)
        self.tell(line)

    def sleep(self, *, until: Instant) -> None:
        """Let every worker be down for a while."""
        self.asleep_until = until
        self.say("the vendor's operators", f"Every worker goes down until {_clock(until)}")

    def observe(self) -> None:
        """Read on in the ledger, and take the events that wait for the vendor's application."""
        with self.context.store.transaction() as transaction:
            entries = transaction.ledger(after=self.ledger_read)
            rows = {row.id: row for row in transaction.offboardings()}
            events = transaction.hand_over({}, at=self.now, limit=EVENTS_PER_READ)
        self.ledger_read += len(entries)
        self.events += events
        self.product.hear(events)
        names = {organization.id: name for name, organization in self.organizations.items()}
        cast = Cast(
            policy=self.policy,
            names=names,
            zone=ZONE,
            offboardings=rows,
            certificate=self._certificate,
        )
        for line in cast.tell(entries):
            self.lines.append(line)
            self.tell(line)

    def _certificate(self, name: str) -> Mapping[str, Any]:
        with self.context.vault.read(name) as source:
            content: Mapping[str, Any] = json.loads(source.read())["certificate"]
        return content

    def probe(
        self,
        who: str,
        member: Member,
        *,
        surface: str = "app",
        product: str | None = None,
    ) -> Probe:
        """Ask what a member may do on a surface right now, and note the answer."""
        store, now = self.context.store, self.now
        decision = may(
            store,
            member.organization,
            member.id,
            Capability.SIGN_IN,
            surface=surface,
            now=now,
            product=product,
        )
        seen = banner_of(self.context, member.organization, member.id, product=product)
        answer = answer_of(seen.showing, seen.words)
        found = Probe(
            at=now,
            who=who,
            member=member.id,
            organization=member.organization,
            product=product,
            surface=surface,
            level=decision.level,
            stage=decision.stage,
            voter=decision.voter.value,
            capabilities=tuple(c.value for c in Capability if c in decision.capabilities),
            banner=answer.model_dump(mode="json")["banner"],
        )
        self.probes.append(found)
        return found

    def ask(self, *probes: Probe) -> None:
        """Tell the answers to some access questions in one line."""
        answers: dict[str, list[str]] = {}
        for found in probes:
            place = f"{found.product} {found.surface}" if found.product else found.surface
            level = "no access" if found.level == "none" else found.level
            answers.setdefault(found.who, []).append(f"{place} {level}")
        told = (f"{who}: {', '.join(levels)}" for who, levels in answers.items())
        self.say("asked by the product", "Who may do what", *told, kind="access")

    def visit(self, who: str, member: Member, *, writes: bool = False) -> Visit:
        """Let a member try everything in the application, and note what it answers."""
        names = {each.id: name for name, each in self.organizations.items()}
        company = names[member.organization]
        found = Visit(
            at=self.now,
            who=who,
            member=member,
            replies=self.product.visit(member, company=company, writes=writes),
        )
        self.visits.append(found)
        return found

    def hear(self, *visits: Visit) -> None:
        """Tell the application's answers in one line."""
        told = (f"{visit.who}: {_answers(visit.replies)}" for visit in visits)
        self.say(f"{self.vendor.brand}, asked over HTTP", "What it answers", *told, kind="access")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Something that people do at an instant."""

    at: Instant
    act: Callable[[Play], None]


def local(text: str, *, zone: str = ZONE) -> Instant:
    """Give the instant of a local time such as ``2024-08-30 23:59``."""
    day, time = text.split()
    return ZonedDateTime.parse_iso(f"{day}T{time}[{zone}]").to_instant()


def perform(play: Play, scenes: Sequence[Scene], *, until: Instant) -> None:
    """Move the clock from date to date and let the engine work, until the curtain falls.

    Raises:
        NeverQuiet: something stays due although the engine has come to rest.
    """
    waiting = sorted(scenes, key=lambda scene: scene.at)
    while True:
        stop = min([*_due(play, until=until), *(scene.at for scene in waiting[:1]), until])
        play.clock.advance_to(max(stop, play.now))
        while waiting and waiting[0].at <= play.now:
            waiting.pop(0).act(play)
        if play.asleep_until is None or play.asleep_until <= play.now:
            play.asleep_until = None
            run_until_quiet(play.context)
            play.observe()
            _require_rest(play)
        if play.now >= until:
            return


def _due(play: Play, *, until: Instant) -> list[Instant]:
    with play.context.store.transaction() as transaction:
        due_at = transaction.next_due_at()
    if due_at is None:
        return []
    return [min(max(due_at, play.asleep_until or due_at), until)]


def _require_rest(play: Play) -> None:
    with play.context.store.transaction() as transaction:
        due_at = transaction.next_due_at()
    if due_at is not None and due_at <= play.now:
        raise NeverQuiet(at=due_at.format_iso())


def users(members: Sequence[Member]) -> list[Member]:
    """List the members who are nothing but users, have a seat, and no end date of their own."""
    return [m for m in members if not m.roles - {Role.MEMBER} and m.pools and m.ends is None]


def admins(members: Sequence[Member]) -> list[Member]:
    """List the administrators who do not own the account."""
    return [m for m in members if Role.ADMIN in m.roles and Role.OWNER not in m.roles]


def _answers(replies: Sequence[Reply]) -> str:
    """Word what was answered: alike answers together, and until when they hold."""
    alike: dict[tuple[int, str | None, str | None], list[str]] = {}
    for reply in replies:
        alike.setdefault((reply.status, reply.stage, reply.until), []).append(reply.request)
    return "; ".join(
        f"{status} {', '.join(requests)}{_because(stage, until)}"
        for (status, stage, until), requests in alike.items()
    )


def _because(stage: str | None, until: str | None) -> str:
    if stage is None:
        return ""
    if until is None:
        return f" ({stage})"
    return f" ({stage} until {Instant.parse_iso(until).to_tz(ZONE).to_stdlib():%Y-%m-%d %H:%M})"


def _clock(moment: Instant) -> str:
    return f"{moment.to_tz(ZONE).to_stdlib():%H:%M}"
