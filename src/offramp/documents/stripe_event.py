"""What Stripe tells of a subscription: one event, as it was when the event was made.

A payment that failed is told by the status of the subscription, which its invoice does not have;
since when something is owed is the beginning of the period that was not paid for.

Source: Stripe API, "The Event object", "The Subscription object" (``items.data`` has the periods
since 2025-03-31.basil), "How subscriptions work" (statuses).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError
from whenever import Instant

from offramp.core.subscription import Payment, Word
from offramp.documents.returned_event import EventsUnreadable

PREFIX = "customer.subscription."
ORGANIZATION, POOL = "offramp_organization", "offramp_pool"  # in the metadata of a subscription
SECONDS_MAX = 13_569_465_600  # the year 2400, as far as `core.dates` goes
ID_CHARACTERS_MAX = 200

_UNBEGUN = frozenset({"incomplete", "incomplete_expired"})
_PAID, _OWED = frozenset({"active", "trialing"}), frozenset({"past_due", "unpaid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One event about one subscription, and whose pool it pays for, where it says so."""

    subscription: str
    word: Word
    organization: str | None
    pool: str | None
    payment: Payment | None  # none: it says nothing of payments


class _Item(BaseModel):
    current_period_start: int | None = Field(default=None, ge=0, le=SECONDS_MAX)
    current_period_end: int | None = Field(default=None, ge=0, le=SECONDS_MAX)


class _Items(BaseModel):
    data: list[_Item] = []


class _Subscription(BaseModel):
    id: str = Field(min_length=1, max_length=ID_CHARACTERS_MAX)
    status: str
    cancel_at: int | None = Field(default=None, ge=0, le=SECONDS_MAX)
    cancel_at_period_end: bool = False
    canceled_at: int | None = Field(default=None, ge=0, le=SECONDS_MAX)
    current_period_start: int | None = Field(default=None, ge=0, le=SECONDS_MAX)
    current_period_end: int | None = Field(default=None, ge=0, le=SECONDS_MAX)
    ended_at: int | None = Field(default=None, ge=0, le=SECONDS_MAX)
    trial_end: int | None = Field(default=None, ge=0, le=SECONDS_MAX)
    items: _Items = _Items()
    metadata: Mapping[str, str] = {}

    @property
    def period_starts(self) -> int | None:
        """The beginning of the last of its periods."""
        starts = [item.current_period_start for item in self.items.data]
        return max((start for start in (*starts, self.current_period_start) if start), default=None)

    @property
    def period_ends(self) -> int | None:
        """The end of the last of its periods."""
        ends = [item.current_period_end for item in self.items.data]
        return max((end for end in (*ends, self.current_period_end) if end), default=None)


class _About(BaseModel):
    object: Mapping[str, object]


class _Event(BaseModel):
    id: str = Field(min_length=1, max_length=ID_CHARACTERS_MAX)
    type: str
    created: int = Field(ge=0, le=SECONDS_MAX)
    data: _About


def read_stripe(body: bytes) -> Told | None:
    """Read one event; none where it is about something else, or nothing was bought yet.

    Raises:
        EventsUnreadable: it is no event, or of a kind that nobody knew when this was written.
    """
    try:
        event = _Event.model_validate_json(body)
        if not event.type.startswith(PREFIX):
            return None
        found = _Subscription.model_validate(event.data.object)
    except ValidationError as error:
        raise EventsUnreadable(provider="Stripe") from error
    if found.status in _UNBEGUN:
        return None
    is_over = found.status == "canceled"
    return Told(
        subscription=found.id,
        word=Word(
            event=event.id,
            at=Instant.from_timestamp(event.created),
            is_over=is_over,
            ends_at=_instant(_end(event, found)),
        ),
        organization=found.metadata.get(ORGANIZATION) or None,
        pool=found.metadata.get(POOL) or None,
        payment=_payment(event, found),
    )


def _payment(event: _Event, found: _Subscription) -> Payment | None:
    """Say whether a subscription is paid for, where its status says so."""
    if found.status in _PAID:
        return Payment(owed_since=None)
    if found.status in _OWED:
        return Payment(owed_since=_instant(found.period_starts or event.created))
    return None


def _end(event: _Event, found: _Subscription) -> int | None:
    """Say when a subscription ends, as far as it does."""
    if found.status == "canceled":
        return found.ended_at or found.canceled_at or event.created
    if found.status == "paused":
        return found.trial_end or event.created
    if found.status not in _PAID | _OWED:
        raise EventsUnreadable(provider="Stripe", hint=f"its status {found.status} is new to us")
    if found.cancel_at is not None:
        return found.cancel_at
    return found.period_ends if found.cancel_at_period_end else None


def _instant(seconds: int | None) -> Instant | None:
    return None if seconds is None else Instant.from_timestamp(seconds)
