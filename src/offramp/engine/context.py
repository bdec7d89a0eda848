"""What the engine works with: the ports and the data map, made once by the composition root.

Source: docs/decisions/001-layers.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from whenever import Instant

from offramp.core.case import Letter
from offramp.data.datamap import DataMap
from offramp.data.elsewhere import Elsewhere, ask_elsewhere
from offramp.data.endpoint_spec import EVENT_SOURCE
from offramp.data.erasure.fence import CHUNK_ROWS_MAX, CONNECTIONS
from offramp.data.scope import Scope
from offramp.data.sources.source import Source
from offramp.data.sources.sql import SqlSource
from offramp.ports import (
    CalendarWriter,
    Clock,
    Composer,
    Dispatcher,
    Endpoint,
    Ids,
    Keys,
    Mailbox,
    Mailer,
    Probe,
    Report,
    Returned,
    Store,
    Vault,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every limit of the engine, with its unit."""

    claims_max: int = 100  # off-boardings claimed by one sweep
    lease_seconds: int = 600  # a claim not settled for so long is taken over
    chunk_seconds: int = 30  # a destructive chunk that takes longer loses its fence
    chunk_rows_max: int = CHUNK_ROWS_MAX
    connections: int = CONNECTIONS  # to one database that delete at once
    mails_at_once: int = 1  # handed over side by side by one step
    mails_per_batch: int = 24  # marked as being sent at once; after a crash so many may come twice
    bulk_organizations_max: int = 100  # deleted within a day, before two people have to arm it
    acts_alone_max: int = 25  # organizations changed at once, of more a second person approves
    late_watch_days: int = 14  # after an erasure, for rows that come late
    attempts_max: int = 12
    confirmations_max: int = 3  # attempts to tell one person that a deletion is done
    back_off_minutes: tuple[int, ...] = (1, 5, 15, 60, 240, 720)  # the last one repeats
    returns_seconds: float = 300.0  # between two visits to the mailbox for what comes back
    letters_seconds: float = 300.0  # and to the one for letters about cases
    attachment_bytes_max: int = 10_000_000  # of a file, above which a link is sent
    case_hours: int = 24  # within which whoever complains is to be answered
    unpaid_days: int | None = None  # after the last paid one, until a pool ends; none: it does not
    link_days: int = 30  # after the mail that brought it
    lock_tries_max: int = 20
    lock_wait_seconds: float = 0.1

    def back_off(self, attempts: int) -> int:
        """Give the minutes to wait after so many attempts that failed."""
        return self.back_off_minutes[min(attempts, len(self.back_off_minutes)) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """The vendor's data: the map and the open sources it names."""

    datamap: DataMap
    sources: Mapping[str, SqlSource]
    others: Mapping[str, Source] = field(default_factory=dict)  # those that are no database

    def elsewhere(self, scope: Scope) -> Elsewhere:
        """Ask the sources that are no database about one subject."""
        return ask_elsewhere(self.datamap, self.sources, self.others, scope)


def never_stopping() -> bool:
    """Go on until everything due is done."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything the engine may touch."""

    store: Store
    clock: Clock
    ids: Ids
    keys: Keys
    mailer: Mailer
    composer: Composer
    vault: Vault
    dispatcher: Dispatcher
    data: Data | None
    version: str
    elapsed: Callable[[], float]  # seconds on a clock that only runs forward
    pause: Callable[[float], None]  # wait for so many seconds
    report: Report
    probe: Probe
    is_stopping: Callable[[], bool] = never_stopping  # whether to begin no further step
    limits: Limits = Limits()
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)  # of events, by name
    event_source: str = EVENT_SOURCE
    public_address: str | None = None  # where people reach the server; none: no links
    case_address: str | None = None  # where letters about cases are taken in; none: nowhere
    returns: Mailbox[Returned] | None = None  # none: what comes back is handed in by others
    letters: Mailbox[Letter] | None = None  # none: letters about cases are, too
    calendar: CalendarWriter | None = None  # none: no message carries dates as a file
    actor: str | None = None  # who is signed in, as the ledger names them; none: nobody is

    def actor_or(self, usual: str) -> str:
        """Say who acts: whoever is signed in, or who does so as a rule."""
        return self.actor or usual

    def lease_from(self, now: Instant) -> Instant:
        """Say until when a claim that is made or kept now is nobody else's."""
        return now.add(seconds=self.limits.lease_seconds)
