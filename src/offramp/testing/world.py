"""A small world for the real engine: virtual days, one process that may die, effects that stay.

Everything a simulation needs lives here. What a process only remembers (its dispatcher) is gone
after a crash; what it has done (store, vault, keys, mail, the vendor's database) is not. With the
same deeds in the same order the trace is the same, line by line.

Source: docs/decisions/004-step-protocol.md; lessons L6, L42.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from whenever import Instant

from offramp.adapters.dispatch_in_process import InProcessDispatcher
from offramp.core.banner import Banner
from offramp.core.errors import Unavailable
from offramp.core.link import Download, Entrance
from offramp.core.model import Achievement, Member, Organization
from offramp.core.notice import NoticeFacts
from offramp.engine.context import Context, Data, Limits
from offramp.engine.sweep import NeverQuiet, run_until_quiet
from offramp.engine.webhook import hand_over, send_round
from offramp.ports import (
    Attachment,
    BannerWords,
    Clock,
    Composer,
    Endpoint,
    Happening,
    Mailer,
    Message,
    Store,
)
from offramp.testing.clock import VirtualClock
from offramp.testing.ids import CountingIds
from offramp.testing.keys import MemoryKeys
from offramp.testing.mailer import MemoryMailer
from offramp.testing.memory_store import MemoryStore
from offramp.testing.vault import MemoryVault

ROUNDS_MAX = 10_000
# Points inside of a transaction of the store, where nobody else could do anything.
_INSIDE = frozenset({"claimed uncommitted", "receipt written", "settled uncommitted"})
SMALL_CHUNKS = Limits(chunk_rows_max=2, mails_per_batch=2)


class Crash(BaseException):
    """The process dies here; nothing catches it."""


class PlainComposer:
    """Writes every message in a line of plain English."""

    def compose(
        self,
        facts: NoticeFacts,
        *,
        message_id: str,
        member: Member,
        organization: Organization,
        about: Member | None = None,
        attachments: tuple[Attachment, ...] = (),
        download: Download | None = None,
        entrance: Entrance | None = None,
        answer: str | None = None,
        reply_to: str | None = None,
        is_optional: bool = False,
    ) -> Message:
        """Write the message for one reader."""
        leads_to = f", {download.address} until {download.until_on}" if download else ""
        leads_to += f", {entrance.address} for {entrance.minutes} minutes" if entrance else ""
        leads_to += f": {answer}" if answer else ""
        return Message(
            id=message_id,
            to=member.email,
            to_name=member.name,
            subject=facts.notice,
            text=f"{facts.stage} until {facts.stage_ends_on}, gone on {facts.erases_on}{leads_to}",
            html="",
            is_optional=is_optional,
            reply_to=reply_to,
            attachments=attachments,
        )

    def attach_achievements(
        self,
        achievements: Sequence[Achievement],
        *,
        member: Member,
        organization: Organization,
        at: Instant,
    ) -> tuple[Attachment, ...]:
        """Write one title on each line of one file."""
        lines = "\n".join(earned.title for earned in achievements)
        return (
            Attachment(name="achievements.txt", media_type="text/plain", content=lines.encode()),
        )

    def write_banner(
        self, banner: Banner, *, member: Member, organization: Organization, locale: str = ""
    ) -> BannerWords:
        """Write one line, and nothing else."""
        return BannerWords(
            language="en",
            direction="ltr",
            stage=banner.facts.stage,
            heading=f"{banner.facts.stage} until {banner.facts.stage_ends_on}",
            text="",
            until="",
            advice="",
            note="",
            links=(),
        )


class World:
    """One installation of Offramp in virtual time.

    Attributes:
        context: what the engine of the process that is alive works with.
        store_as_seen: the store as processes reach it from their next start on.
        trace: one line per thing that happened.
        watch: hears of every point as it is reached; what it raises is a finding.
        points: every point at which the process could have died, in order, in one list for each
            time at which something fell due.
    """

    def __init__(
        self,
        start: Instant,
        *,
        data: Data | None = None,
        store: Store | None = None,
        mailer: Mailer | None = None,
        composer: Composer | None = None,
        limits: Limits = SMALL_CHUNKS,
        endpoints: Mapping[str, Endpoint] | None = None,
        public_address: str | None = None,
    ) -> None:
        """Begin at an instant, with nothing in it but the vendor's data."""
        self.clock: Clock = (clock := VirtualClock(start))
        self._advance_to = clock.advance_to
        self.keys = MemoryKeys()
        self.vault = MemoryVault()
        self.mail = MemoryMailer()
        self.store = store or MemoryStore(ledger_key=self.keys.ledger_key())
        self.store_as_seen: Store = self.store
        self.trace: list[str] = []
        self.watch: Callable[[str], None] = lambda point: None
        self.points: list[list[str]] = [[]]
        self._mailer = mailer or self.mail
        self._composer = composer or PlainComposer()
        self._data, self._limits = data, limits
        self._endpoints = endpoints or {}
        self._public_address = public_address
        self._ids = CountingIds()
        self._ticks = count()
        self._stalled_seconds = 0.0
        self._deaths: set[tuple[int, int]] = set()
        self._meanwhile: dict[tuple[str, int], Callable[[], object]] = {}
        self._interruptions: dict[int, Callable[[], object]] = {}
        self._reached: Counter[str] = Counter()
        self.context = self._start()

    @property
    def now(self) -> Instant:
        """The present virtual instant."""
        return self.clock.now()

    def die_at(self, time: int, number: int) -> None:
        """Let the process die at a point, by its place in ``points``."""
        self._deaths.add((time, number))

    def meanwhile(self, point: str, act: Callable[[], object], *, occurrence: int = 1) -> None:
        """Let somebody else act at the moment when a point is reached so many times from now."""
        self._meanwhile[point, self._reached[point] + occurrence] = act

    def interrupt(self, act: Callable[[], object], *, after: int) -> None:
        """Let somebody act when so many more points have been reached, or at the next one free."""
        place = self._reached.total() + after
        while place in self._interruptions:
            place += 1
        self._interruptions[place] = act

    def stall(self, *, seconds: float) -> None:
        """Freeze the process that works: time passes, and it does not notice."""
        self.note("frozen for", int(seconds), "seconds")
        self._stalled_seconds += seconds
        self._advance_to(self.now.add(seconds=seconds))

    def work_elsewhere(self) -> None:
        """Let a second process carry out what is due, while the first one is where it is."""
        self.note("another worker")
        elsewhere = replace(self.context, dispatcher=InProcessDispatcher())
        run_until_quiet(elsewhere)
        self._send_events(elsewhere)

    def run_until(self, end: Instant) -> None:
        """Let time pass until an instant, carrying out in order whatever falls due (L6).

        Raises:
            NeverQuiet: work keeps falling due without an end.
        """
        for _ in range(ROUNDS_MAX):
            self.work()
            due_at = self._next_due_at()
            if due_at is None or due_at > end:
                self._advance_to(max(end, self.now))
                return
            if due_at <= self.now:  # whoever had claimed it lost the store, and its lease runs on
                due_at = self.now.add(seconds=self._limits.lease_seconds)
            self._advance_to(due_at)
            self.points.append([])
        raise NeverQuiet(at=self.now.format_iso())

    def lie_still_until(self, end: Instant) -> None:
        """Let time pass while no worker runs."""
        self.note("nobody works")
        self._advance_to(end)

    def work(self) -> None:
        """Carry out what is due now; whoever dies is followed by a new process after the lease.

        An outage of the store is waited out, as `offramp run --every` does it, until what was
        claimed before it may be claimed again.
        """
        while True:
            try:
                run_until_quiet(self.context)
                self._send_events(self.context)
                return
            except Crash:
                self.restart()
            except Unavailable as error:
                self.note("outage", error.code)
                self._advance_to(self.now.add(seconds=self._limits.lease_seconds))

    def _send_events(self, context: Context) -> None:
        """Bring events to the endpoints, one endpoint after the other, as nobody waits here."""
        if self._endpoints:
            while hand_over(context):
                pass
        for name in self._endpoints:
            while send_round(context, name, is_stopping=context.is_stopping):
                pass

    def _next_due_at(self) -> Instant | None:
        with self.store.transaction() as transaction:
            loads = transaction.endpoint_loads(list(self._endpoints)).values()
            parcels = [load.next_try_at for load in loads if load.disabled_at is None]
            dates = [transaction.next_due_at(), *parcels]
        return min((date for date in dates if date is not None), default=None)

    def restart(self) -> None:
        """Start a new process once the claims of the dead one have run out."""
        self.note("crash", self.points[-1][-1])
        self._advance_to(self.now.add(seconds=self._limits.lease_seconds))
        self.context = self._start()

    def note(self, *words: object) -> None:
        """Add a line to the trace."""
        self.trace.append(" ".join([self.now.format_iso(), *map(str, words)]))

    def _start(self) -> Context:
        return Context(
            store=self.store_as_seen,
            clock=self.clock,
            ids=self._ids,
            keys=self.keys,
            mailer=self._mailer,
            composer=self._composer,
            vault=self.vault,
            dispatcher=InProcessDispatcher(),
            data=self._data,
            version="0",
            elapsed=lambda: next(self._ticks) + self._stalled_seconds,
            pause=lambda seconds: self.note("wait", seconds),
            report=self._report,
            probe=self._pass,
            is_stopping=lambda: False,
            limits=self._limits,
            endpoints=self._endpoints,
            public_address=self._public_address,
        )

    def _report(self, event: str, facts: Mapping[str, object]) -> None:
        if event == Happening.SWEEP:
            return  # most of them find nothing
        told = (f"{name}={value}" for name, value in facts.items() if name != "at")
        self.note(event, *told)

    def _pass(self, point: str) -> None:
        place = len(self.points) - 1, len(self.points[-1])
        self.points[-1].append(point)
        self._reached[point] += 1
        self.watch(point)
        act = self._meanwhile.pop((point, self._reached[point]), None)
        if act is not None:
            act()
        self._be_interrupted(point)
        if place in self._deaths:
            raise Crash(point)

    def _be_interrupted(self, point: str) -> None:
        act = self._interruptions.pop(self._reached.total(), None)
        if act is not None and point in _INSIDE:
            self.interrupt(act, after=1)
        elif act is not None:
            act()
