"""Events on their way to the endpoints: handed over, sent in rounds, sent again, and told about.

A parcel is claimed and committed, sent, and settled. Whoever dies in between leaves a lease that
runs out, and the event is sent again under the same id: at least once, and never under two names.
No transaction is open while an endpoint is asked, and what it does befalls its own events alone.

Source: docs/webhooks.md; Standard Webhooks 1.0.0; CloudEvents 1.0.2, "JSON Event Format";
lessons L34, L35.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from whenever import Instant

from offramp.core.errors import Invalid, Missing, Unavailable
from offramp.core.event_kind import EventKind
from offramp.core.ledger import Detail, Event
from offramp.core.parcel import ParcelStatus, Reply, chance_of, judge
from offramp.engine.announcement import announce_to_all
from offramp.engine.context import Context
from offramp.engine.reporting import report_parcel
from offramp.ports import Endpoint, EndpointLoad, OutboxEvent, Parcel, Transaction

EVENTS_PER_ROUND = 500  # handed over in one transaction
PARCELS_PER_ROUND = 20  # claimed at once
LEASE_SECONDS = 120  # long enough for an attempt that begins in its first half
TYPE_PREFIX = "offramp."


class EndpointUnknown(Missing):
    """There is no endpoint {endpoint} in the configuration."""


class EventUnknown(Missing):
    """There is no event {event} that one of these endpoints wants."""


class EndpointFails(Unavailable):
    """The endpoint {endpoint} did not take the event: {reason}."""


class EventsNotChosen(Invalid):
    """Either an event or an instant has to say what is sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointView:
    """One endpoint as an operator sees it."""

    name: str
    place: str
    kinds: frozenset[str]
    load: EndpointLoad


def hand_over(context: Context) -> int:
    """Make parcels of what is new, and say how many events that was; who looks holds nobody up."""
    with context.store.reading() as transaction:
        if not transaction.has_new_events():
            return 0
    wanted = {name: endpoint.kinds for name, endpoint in context.endpoints.items()}
    now = context.clock.now()
    with context.store.transaction() as transaction:
        events = transaction.hand_over(wanted, at=now, limit=EVENTS_PER_ROUND)
    context.probe("events handed over")
    return len(events)


def send_round(context: Context, name: str, *, is_stopping: Callable[[], bool]) -> int:
    """Send an endpoint what is due, a handful at a time, and say how much that was.

    What there was no time for is given back untouched, and is due again.
    """
    began, now = context.elapsed(), context.clock.now()
    lease_until = now.add(seconds=LEASE_SECONDS)
    with context.store.transaction() as transaction:
        parcels = transaction.claim_parcels(
            name, now=now, lease_until=lease_until, limit=PARCELS_PER_ROUND
        )
    context.probe("parcels claimed")
    sent, is_gone = 0, False
    for parcel in parcels:
        is_late = context.elapsed() - began >= LEASE_SECONDS / 2
        if is_gone or is_late or is_stopping():
            _give_back(context, parcel)
            continue
        is_gone = _send(context, parcel).is_gone
        sent += 1
    return sent


def send_again(
    context: Context, *, endpoint: str | None, event: str | None, since: Instant | None
) -> int:
    """Let events go once more, to one endpoint or to all that want them, under their own ids.

    Raises:
        EventsNotChosen: neither or both of an event and an instant are given.
        EndpointUnknown, EventUnknown: there is no such thing.
    """
    if (event is None) == (since is None):
        raise EventsNotChosen(hint="give an event's id, or the instant from which on")
    chosen = [require_endpoint(context, endpoint)] if endpoint else list(context.endpoints)
    wanted = {name: context.endpoints[name].kinds for name in chosen}
    now = context.clock.now()
    with context.store.transaction() as transaction:
        count = transaction.hand_over_again(wanted, event=event, since=since or now, at=now)
        if count:
            transaction.append([_event(context, "events-sent-again", events=count)])
    if event is not None and not count:
        raise EventUnknown(event=event, hint="it is the webhook-id that the endpoint was sent")
    return count


def enable(context: Context, endpoint: str) -> bool:
    """Send an endpoint everything again, beginning with what has waited; false if it was enabled.

    Raises:
        EndpointUnknown: it is not in the configuration.
    """
    require_endpoint(context, endpoint)
    with context.store.transaction() as transaction:
        was_disabled = transaction.set_disabled(endpoint, at=None)
        if was_disabled:
            transaction.append([_event(context, "endpoint-enabled", endpoint=endpoint)])
        return was_disabled


def send_test(context: Context, endpoint: str) -> Reply:
    """Send an endpoint an event that means nothing, now and once, even if it is disabled.

    Raises:
        EndpointUnknown: it is not in the configuration.
        EndpointFails: it did not take it.
    """
    require_endpoint(context, endpoint)
    now = context.clock.now()
    detail = {"endpoint": endpoint}
    event = announce_to_all(EventKind.ENDPOINT_TESTED, key=context.ids.new(), at=now, detail=detail)
    reply = _post(context, context.endpoints[endpoint], event, at=now)
    context.endpoints[endpoint].close()
    if not reply.is_yes:
        raise EndpointFails(
            endpoint=endpoint, reason=reply.reason, hint="docs/webhooks.md says what is expected"
        )
    return reply


def overview(context: Context) -> tuple[EndpointView, ...]:
    """Show every endpoint of the configuration, and what there is to bring to it."""
    with context.store.reading() as transaction:
        loads = transaction.endpoint_loads(list(context.endpoints))
    return tuple(
        EndpointView(name=name, place=endpoint.place, kinds=endpoint.kinds, load=loads[name])
        for name, endpoint in sorted(context.endpoints.items())
    )


def require_endpoint(context: Context, endpoint: str) -> str:
    """Find an endpoint by its name.

    Raises:
        EndpointUnknown: it is not in the configuration.
    """
    if endpoint not in context.endpoints:
        known = ", ".join(sorted(context.endpoints)) or "none"
        raise EndpointUnknown(endpoint=endpoint, hint=f"endpoints are: {known}")
    return endpoint


def envelope(event: OutboxEvent, *, source: str) -> Mapping[str, object]:
    """Put an event into the envelope of CloudEvents, in which it travels."""
    subject = {} if event.organization is None else {"subject": event.organization}
    about = (
        {}
        if event.organization is None
        else {
            "organization": event.organization,
            "member": event.member,
        }
    )
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": source,
        "type": f"{TYPE_PREFIX}{event.kind}",
        "time": event.at.format_iso(),
        **subject,
        "datacontenttype": "application/json",
        "data": {**about, **event.detail},
    }


def _send(context: Context, parcel: Parcel) -> Reply:
    began = context.elapsed()
    endpoint = context.endpoints[parcel.endpoint]
    context.probe("sending event")
    reply = _post(context, endpoint, parcel.event, at=context.clock.now())
    context.probe("event sent")
    now = context.clock.now()
    chance = chance_of(parcel.endpoint, parcel.event.id, parcel.attempts)
    fate = judge(reply, attempts=parcel.attempts, now=now, chance=chance)
    settled = replace(
        parcel,
        status=fate.status,
        attempts=fate.attempts,
        next_try_at=fate.next_try_at,
        reason=reply.reason,
        delivered_at=now if fate.status is ParcelStatus.DELIVERED else parcel.delivered_at,
    )
    with context.store.transaction() as transaction:
        transaction.settle_parcel(settled)
        if reply.is_gone:
            _disable(transaction, parcel.endpoint, at=now)
    context.probe("parcel settled")
    report_parcel(context, settled, began=began)
    return reply


def _post(context: Context, endpoint: Endpoint, event: OutboxEvent, *, at: Instant) -> Reply:
    body = json.dumps(envelope(event, source=context.event_source), ensure_ascii=False)
    return endpoint.post(body, event=event.id, at=at)


def _event(context: Context, kind: str, **detail: Detail) -> Event:
    actor = context.actor_or("operator")
    return Event(kind=kind, at=context.clock.now(), actor=actor, detail=detail)


def _disable(transaction: Transaction, endpoint: str, *, at: Instant) -> None:
    """Send nothing more to who wants nothing more, and tell the other endpoints (L35)."""
    if transaction.set_disabled(endpoint, at=at):
        key = f"{endpoint}:{at.timestamp(unit='nanosecond')}"
        detail = {"endpoint": endpoint}
        event = announce_to_all(EventKind.ENDPOINT_DISABLED, key=key, at=at, detail=detail)
        transaction.put_events([event])


def _give_back(context: Context, parcel: Parcel) -> None:
    with context.store.transaction() as transaction:
        transaction.settle_parcel(parcel)
