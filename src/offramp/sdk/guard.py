"""Whether somebody may do something, decided inside the application from a snapshot at hand.

A snapshot holds every future end, so an answer is right at midnight with everything else down.
It is asked for anew behind the back of whoever asks, one request for an organization at a time;
what went wrong is logged, and the last one goes on to be served.

Source: docs/sdk.md; docs/decisions/032-snapshots.md; mission A2, B3; lessons L1, L38-L40.
"""

import json
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from itertools import islice
from threading import BoundedSemaphore, Lock, Thread

from whenever import Instant

from offramp.core.access import UNKNOWN, Decision, Voter
from offramp.core.errors import OfframpError, Refused
from offramp.core.policy import ANY, Capability
from offramp.core.snapshot import AccessSnapshot
from offramp.core.snapshot_form import REVISION, SnapshotInvalid, read_snapshot
from offramp.sdk.clock import ForwardClock
from offramp.sdk.transport import Answer, HttpTransport, OfframpSilent, Transport
from offramp.sdk.watch import WATCHED_MAX, Changes, Watch

FRESH_SECONDS = 60
RETRY_SECONDS = 5  # after a question that was not answered
ORGANIZATIONS_MAX = 10_000
REFRESHES_MAX = 8  # at once
GONE: Mapping[str, int] = {
    "OrganizationUnknown": HTTPStatus.NOT_FOUND,
    "OrganizationErased": HTTPStatus.CONFLICT,
}

OPEN = Decision(
    is_allowed=True,
    voter=Voter.UNKNOWN,
    stage="unknown",
    level="full",
    capabilities=frozenset(Capability),
    until=None,
)
"""The answer about an organization never seen while Offramp is down, where that is to let in."""

_log = logging.getLogger("offramp.sdk")


class AccessDenied(Refused):
    """The stage {stage} does not allow it: {capability}."""


class _Entry:
    """What is at hand of one organization; `turn` is held by whoever asks for it."""

    __slots__ = ("etag", "fresh_until", "organization", "revision", "snapshot", "turn")

    def __init__(self, organization: str) -> None:
        self.organization = organization
        self.snapshot: AccessSnapshot | None = None
        self.etag: str | None = None
        self.revision = ""
        self.fresh_until = Instant.MIN
        self.turn = Lock()


class Guard:
    """Answers who may do what; one for each process, shared by all its threads."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        fail_open: bool,
        push: bool = False,
        fresh_seconds: float = FRESH_SECONDS,
        organizations_max: int = ORGANIZATIONS_MAX,
        transport: Transport | None = None,
        changes: Changes | None = None,
        clock: Callable[[], Instant] | None = None,
    ) -> None:
        """Know where to ask; nothing is asked before somebody's access is.

        Args:
            fail_open: whether everything is allowed in an organization of which nothing was ever
                seen, while Offramp cannot be asked.
            push: whether a thread waits for changes, so that they are known within seconds.
            fresh_seconds: how old a snapshot gets before it is asked for anew.
            organizations_max: how many are kept; the one longest not asked about goes first.
            transport: asks for snapshots in place of HTTP.
            changes: asks for changes in place of HTTP.
            clock: says what time it is.

        Raises:
            OfframpAddressInvalid: the address is none of the web.
        """
        self._ask = transport or HttpTransport(url, key)
        self._changes = (changes or HttpTransport(url, key).changes) if push else None
        self._now = clock or ForwardClock()
        self._otherwise = OPEN if fail_open else UNKNOWN
        self._fresh_seconds = fresh_seconds
        self._organizations_max = organizations_max
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._begin()

    def _begin(self) -> None:
        """Begin in this process: one that was forked may hold locks that nobody gives back."""
        self._process = os.getpid()
        self._watch: Watch | None = None
        self._lock = Lock()
        self._room = BoundedSemaphore(REFRESHES_MAX)
        for entry in self._entries.values():
            entry.turn = Lock()

    def may(
        self,
        organization: str,
        member: str,
        capability: Capability,
        *,
        surface: str = ANY,
        product: str | None = None,
    ) -> Decision:
        """Decide whether a member may do something right now."""
        now = self._now()
        entry = self._entries.get(organization)
        if entry is None or entry.snapshot is None:
            entry = self._first(organization, now=now)
        elif now >= entry.fresh_until:
            self._refresh_behind(entry)
        if entry.snapshot is None:
            return self._otherwise
        self._use(organization)
        return entry.snapshot.decide(member, capability, now=now, surface=surface, product=product)

    def require(
        self,
        organization: str,
        member: str,
        capability: Capability,
        *,
        surface: str = ANY,
        product: str | None = None,
    ) -> Decision:
        """Refuse what a member may not do.

        Raises:
            AccessDenied: with the ``decision`` in it.
        """
        decision = self.may(organization, member, capability, surface=surface, product=product)
        if not decision.is_allowed:
            raise AccessDenied(
                capability=Capability(capability), stage=decision.stage, decision=decision
            )
        return decision

    def holds(self, organization: str) -> bool:
        """Whether an answer about an organization needs nobody else."""
        entry = self._entries.get(organization)
        return entry is not None and entry.snapshot is not None

    def refresh(self, organization: str) -> None:
        """Ask for the snapshot of an organization now, as after an event, and wait for it.

        Raises:
            OfframpSilent, SnapshotInvalid: there is no news; the last snapshot stays.
        """
        entry = self._entry(organization)
        with entry.turn:
            self._pull(entry)

    def close(self) -> None:
        """Wait for no more changes; snapshots go on to be asked for when they get old."""
        self._changes = None
        if self._watch is not None:
            self._watch.stop()

    def _begin_to_watch(self) -> None:
        with self._lock, suppress(RuntimeError):  # the process is ending, or has no thread left
            if self._changes is not None and self._watch is None:
                self._watch = Watch(self._changes, held=self._held, fetch=self._fetch)

    def _held(self) -> dict[str, str]:
        """Give the revisions of the snapshots that were asked about last."""
        with self._lock:
            latest = list(islice(reversed(self._entries.values()), WATCHED_MAX))
        return {each.organization: each.revision for each in latest if each.snapshot is not None}

    def _fetch(self, organization: str) -> bool:
        entry = self._entries.get(organization)
        if entry is None:
            return True
        with entry.turn:
            return self._try_pull(entry)

    def _first(self, organization: str, *, now: Instant) -> _Entry:
        """Wait for the first snapshot, as do all others who ask about the same organization."""
        entry = self._entry(organization)
        with entry.turn:
            if entry.snapshot is None and now >= entry.fresh_until:
                self._try_pull(entry)
        return entry

    def _refresh_behind(self, entry: _Entry) -> None:
        if self._process != os.getpid():
            self._begin()
        if not entry.turn.acquire(blocking=False):
            return
        if not self._room.acquire(blocking=False):
            entry.turn.release()
            return
        try:
            Thread(target=self._refresh, args=(entry, self._room), daemon=True).start()
        except RuntimeError:  # the process is ending, or has no thread left
            self._room.release()
            entry.turn.release()

    def _refresh(self, entry: _Entry, room: BoundedSemaphore) -> None:
        try:
            self._try_pull(entry)
        finally:
            room.release()
            entry.turn.release()

    def _try_pull(self, entry: _Entry) -> bool:
        try:
            self._pull(entry)
        except OfframpError as error:
            _log.warning("organization %s: %s", entry.organization, error)
            return False
        return True

    def _pull(self, entry: _Entry) -> None:
        seconds: float = RETRY_SECONDS
        try:
            answer = self._ask(entry.organization, etag=entry.etag)
            if answer.status != HTTPStatus.NOT_MODIFIED or entry.snapshot is None:
                entry.snapshot = _snapshot(answer, entry.organization)
                entry.etag = answer.headers.get("etag")
            entry.revision = answer.headers.get(REVISION.lower(), "")
            self._begin_to_watch()
            seconds = self._fresh_seconds
        finally:
            entry.fresh_until = self._now().add(seconds=seconds)

    def _entry(self, organization: str) -> _Entry:
        if self._process != os.getpid():
            self._begin()
        with self._lock:
            entry = self._entries.setdefault(organization, _Entry(organization))
            self._entries.move_to_end(organization)
            while len(self._entries) > self._organizations_max:
                self._entries.popitem(last=False)
        return entry

    def _use(self, organization: str) -> None:
        try:
            self._entries.move_to_end(organization)
        except KeyError:  # it had to go for another one meanwhile
            return


def _snapshot(answer: Answer, organization: str) -> AccessSnapshot:
    if answer.status in GONE.values() and GONE.get(_code(answer)) == answer.status:
        return AccessSnapshot(organization=organization, is_by_product=False, members={})
    if answer.status != HTTPStatus.OK:
        raise OfframpSilent(reason=f"it answered {answer.status}", hint=_HINTS.get(answer.status))
    snapshot = read_snapshot(answer.body)
    if snapshot.organization != organization:
        raise SnapshotInvalid(reason="it is of another organization")
    return snapshot


_HINTS = {HTTPStatus.UNAUTHORIZED.value: "the access key is none of the server's"}


def _code(answer: Answer) -> str:
    """Read the code of a problem; a proxy's page has none, and says nothing of organizations."""
    try:
        problem = json.loads(answer.body)
    except ValueError:
        return ""
    return str(problem.get("code")) if isinstance(problem, dict) else ""
