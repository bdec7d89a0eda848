"""One look at whether everything works, for a person: what is well, what is not, and what helps.

The same numbers are measured for machines; the limits are those of the alerts that are proposed
for them.

Source: docs/console.md, "Health"; docs/operations.md, "Alerts".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from whenever import Instant

from offramp.engine.context import Context
from offramp.engine.overview import HOURS_AHEAD
from offramp.engine.timekeeping import SEEN_EVERY_SECONDS, caught_up_at
from offramp.ports import EndpointLoad, HeldBack, MailLoad, Workload

SILENT_SECONDS_MAX = 3 * SEEN_EVERY_SECONDS  # then no worker sweeps
LATE_SECONDS_MAX = 3600
DEFERRED_SECONDS_MAX = 4 * 3600  # then it is not the receiving servers that are to blame
LOST_HOURS = 24
ROOM_BYTES_LOW, ROOM_BYTES_MIN = 5_000_000_000, 500_000_000


class State(StrEnum):
    """How one thing is."""

    WELL = "well"
    WATCH = "look at it"
    ILL = "does not work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One thing that was looked at; ``hint`` is what helps where it is not well."""

    title: str
    state: State
    words: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """Everything that was looked at, what is worst first."""

    at: Instant
    version: str
    signs: tuple[Sign, ...]


def check_up(context: Context) -> Checkup:
    """Look at the workers, what waits, what was given up, the mail, the endpoints, the brakes and
    the disk.

    Raises:
        StoreUnavailable: then nothing works.
    """
    now = context.clock.now()
    with context.store.reading() as transaction:
        load = transaction.workload(now=now, until=now.add(hours=HOURS_AHEAD))
        seen_at = transaction.seen_at()
        endpoints = transaction.endpoint_loads(list(context.endpoints))
        mail = transaction.mail_load(lost_since=now.subtract(hours=LOST_HOURS))
        clock_until = caught_up_at(context, transaction, now=now)
        is_paused, cap = transaction.is_paused(), transaction.daily_cap()
    signs = [
        _workers(seen_at, now=now),
        _lateness(load, now=now),
        *_work(load),
        _mail(mail, context.mailer.held_back(), now=now),
        _clock(clock_until),
        _brakes(is_paused=is_paused, cap=cap),
        *(_endpoint(name, found) for name, found in endpoints.items()),
        _map(has_map=context.data is not None),
        *_disk(context.vault.room_bytes()),
    ]
    worst_first = list(State)[::-1]
    signs.sort(key=lambda sign: worst_first.index(sign.state))
    return Checkup(at=now, version=context.version, signs=tuple(signs))


def _workers(seen_at: Instant | None, *, now: Instant) -> Sign:
    title, hint = "Workers", "offramp serve has one inside; offramp worker is one by itself"
    if seen_at is None:
        return Sign(title=title, state=State.ILL, words="None has ever swept.", hint=hint)
    silent = (now - seen_at).total("seconds")
    if silent > SILENT_SECONDS_MAX:
        words = f"None has swept for {_length(silent)}."
        return Sign(title=title, state=State.ILL, words=words, hint=hint)
    return Sign(title=title, state=State.WELL, words="One has swept within the last minutes.")


def _lateness(load: Workload, *, now: Instant) -> Sign:
    waited = (now - load.oldest_due_at).total("seconds") if load.oldest_due_at else 0.0
    if waited <= 0:
        return Sign(title="Lateness", state=State.WELL, words="Nothing that is due waits.")
    words = f"{load.due} are due, the first for {_length(waited)}."
    if waited <= LATE_SECONDS_MAX:
        return Sign(title="Lateness", state=State.WELL, words=words)
    hint = "access is decided in time whatever is late; more workers carry out more at once"
    return Sign(title="Lateness", state=State.ILL, words=words, hint=hint)


def _work(load: Workload) -> Iterator[Sign]:
    lost = f", {load.lost} were taken by a worker that did not give them back" if load.lost else ""
    running = f"{load.running} are being carried out{lost}."
    state = State.WATCH if load.lost else State.WELL
    yield Sign(title="Work", state=state, words=running)
    stopped = f"{load.stopped} off-boardings wait for a person, as an invariant failed."
    yield _counted("Stopped", load.stopped, stopped, "Nothing was stopped.", State.ILL)
    given_up = f"{load.abandoned} steps were tried as often as allowed."
    yield _counted("Given up", load.abandoned, given_up, "No step was given up.", State.ILL)
    again = f"{load.failed} steps failed and will be tried again."
    yield _counted("Failing", load.failed, again, "No step has failed.", State.WATCH)


def _mail(load: MailLoad, held: HeldBack, *, now: Instant) -> Sign:
    more = "at least " if load.has_more else ""
    words = f"Of {more}{load.due + load.sending + load.deferred} under way {load.due} are due, "
    words += f"{load.sending} are being sent and {load.deferred} are tried again."
    if not (load.due or load.sending or load.deferred):
        words = "None is under way."
    if held.seconds > 0:
        words += f" The pace keeps the last of them waiting for {_length(held.seconds)}"
        words += f", at {held.domains} receiving domains." if held.domains else "."
    if load.lost:
        words += f" Refused, given up or sent back within a day: {load.lost}."
    failing = (now - load.deferred_since).total("seconds") if load.deferred_since else 0.0
    if load.deferred_since:
        words += f" The first of those that failed has done so for {_length(failing)}."
    if failing > DEFERRED_SECONDS_MAX:
        hint = "look at the mail server; the log of a worker has the code of what it answers"
        return Sign(title="Mail", state=State.ILL, words=words, hint=hint)
    if load.lost or load.deferred:
        hint = "the page of an organization shows its own; offramp mail resend --lost sends again"
        return Sign(title="Mail", state=State.WATCH, words=words, hint=hint)
    return Sign(title="Mail", state=State.WELL, words=words)


def _counted(title: str, number: int, words: str, none: str, state: State) -> Sign:
    if not number:
        return Sign(title=title, state=State.WELL, words=none)
    hint = "“Today” lists them with the reason; mend the cause, then retry"
    return Sign(title=title, state=state, words=words, hint=hint)


def _clock(until: Instant | None) -> Sign:
    if until is None:
        return Sign(title="Clock", state=State.WELL, words="It runs forward.")
    words = f"It went back. Nothing is deleted before {until.format_iso(unit='second')}."
    hint = "set the clocks of all machines by a time server"
    return Sign(title="Clock", state=State.ILL, words=words, hint=hint)


def _brakes(*, is_paused: bool, cap: int | None) -> Sign:
    if is_paused:
        words = "Everything destructive is paused."
        hint = "an admin resumes it on “Today”"
        return Sign(title="Deletion", state=State.WATCH, words=words, hint=hint)
    capped = "No cap is set." if cap is None else f"At most {cap} begin within a day."
    return Sign(title="Deletion", state=State.WELL, words=f"It is not paused. {capped}")


def _endpoint(name: str, load: EndpointLoad) -> Sign:
    title = f"Endpoint {name}"
    if load.disabled_at is not None:
        words = f"It answered 410 and is sent nothing; {load.waiting} events wait."
        hint = "take it out, or offramp webhook enable"
        return Sign(title=title, state=State.ILL, words=words, hint=hint)
    words = f"{load.waiting} events wait, {load.retried} were not taken before."
    if load.failed:
        hint = "mend it, then offramp webhook replay"
        words = f"{load.failed} events were given up; {words}"
        return Sign(title=title, state=State.ILL, words=words, hint=hint)
    return Sign(title=title, state=State.WATCH if load.retried else State.WELL, words=words)


def _map(*, has_map: bool) -> Sign:
    if has_map:
        return Sign(title="Data map", state=State.WELL, words="There is one.")
    words = "There is none, so nothing can be exported or deleted."
    hint = "offramp map init proposes one"
    return Sign(title="Data map", state=State.WATCH, words=words, hint=hint)


def _disk(room_bytes: int | None) -> Iterator[Sign]:
    if room_bytes is None:
        return
    words = f"{room_bytes / 1e9:.1f} GB are left for exports and proofs."
    if room_bytes >= ROOM_BYTES_LOW:
        yield Sign(title="Disk", state=State.WELL, words=words)
        return
    state = State.WATCH if room_bytes >= ROOM_BYTES_MIN else State.ILL
    yield Sign(title="Disk", state=state, words=words, hint="make room in the folder of the vault")


def _length(seconds: float) -> str:
    """Write a length of time, about."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} seconds"
