"""The ledger: an append-only chain in which every entry is sealed with a key over all its fields.

Cutting the tail, reordering or rewriting is detected: each seal covers the entry, its number and
the seal before it, and the head (number and seal) is anchored outside. Entries hold counts,
digests and ids of ours; never a person's name or address.

Source: lesson L41; HMAC-SHA-256 (RFC 2104); canonical JSON of strings, integers and booleans
(RFC 8785 on that subset).
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from whenever import Instant

from offramp.core.errors import Broken

GENESIS = "0" * 64
Detail = str | int | bool | None


class LedgerBroken(Broken):
    """The ledger does not verify at entry {number}: {reason}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is to be written: what happened, to which off-boarding, by whom."""

    kind: str
    at: Instant
    offboarding: str | None = None
    episode: int | None = None
    step: str | None = None
    actor: str = "policy"  # admin, user, policy, system, or operator
    detail: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One sealed event."""

    number: int
    event: Event
    previous: str
    seal: str


def seal(event: Event, *, number: int, previous: str, key: bytes) -> Entry:
    """Seal one event to the one before it."""
    mark = hmac.new(key, _canonical(event, number=number, previous=previous), hashlib.sha256)
    return Entry(number=number, event=event, previous=previous, seal=mark.hexdigest())


def _canonical(event: Event, *, number: int, previous: str) -> bytes:
    fields = {"number": number, "previous": previous, **as_fields(event)}
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def as_fields(event: Event) -> dict[str, object]:
    """Give an event as plain JSON values, the ones that are sealed and exported."""
    return {
        "kind": event.kind,
        "at": event.at.format_iso(),
        "offboarding": event.offboarding,
        "episode": event.episode,
        "step": event.step,
        "actor": event.actor,
        "detail": dict(event.detail),
    }


def verify_chain(
    entries: Iterable[Entry], *, key: bytes, heads: Iterable[tuple[int, str]] = ()
) -> int:
    """Check every seal in order and return how many entries there are.

    Shape:
        heads: number and seal of entries that were the last one when they were anchored outside.
    Raises:
        LedgerBroken: an entry was changed, removed, added or moved.
    """
    anchored: dict[int, set[str]] = {}
    for place, mark in heads:
        anchored.setdefault(place, set()).add(mark)
    number, previous = 0, GENESIS
    for entry in entries:
        if entry.number != number + 1:
            raise LedgerBroken(number=number + 1, reason="an entry is missing or out of order")
        number = entry.number
        expected = seal(entry.event, number=number, previous=previous, key=key)
        if entry.previous != previous or not _is_same(expected.seal, entry.seal):
            raise LedgerBroken(number=number, reason="its seal does not match")
        previous = entry.seal
        if anchored.get(number, {previous}) != {previous}:
            raise LedgerBroken(number=number, reason="it is not the entry that was anchored")
    if number < max(anchored, default=0):
        raise LedgerBroken(number=number + 1, reason="it was anchored and is not there any more")
    return number


def _is_same(expected: str, given: str) -> bool:
    """Compare in constant time; as bytes, because a forged seal may hold any character."""
    return hmac.compare_digest(expected.encode(), given.encode(errors="surrogatepass"))
