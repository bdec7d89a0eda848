"""Events, and their way to the endpoints, in the store in memory.

Source: ``ports.Transaction``.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from whenever import Instant

from offramp.core.parcel import ParcelStatus
from offramp.ports import EndpointLoad, OutboxEvent, Parcel
from offramp.testing.memory_tables import MemoryPart


class MemoryOutboxPart(MemoryPart):
    """What the vendor's systems are told, and what of it has arrived."""

    def put_events(self, events: Sequence[OutboxEvent]) -> None:
        """Add events; one that is there already is left alone."""
        for event in events:
            self.tables.outbox.setdefault(event.id, event)

    def events(self, *, limit: int) -> tuple[OutboxEvent, ...]:
        """List the events of the outbox, oldest first."""
        return tuple(sorted(self.tables.outbox.values(), key=lambda each: each.at)[:limit])

    def has_new_events(self) -> bool:
        """Whether there are events that were not handed over yet."""
        return bool(self.tables.outbox.keys() - self.tables.sent)

    def hand_over(
        self, wanted: Mapping[str, Collection[str]], *, at: Instant, limit: int
    ) -> tuple[OutboxEvent, ...]:
        """Make a parcel of each new event for each endpoint that wants its kind, oldest first."""
        everything = self.events(limit=len(self.tables.outbox))
        new = [each for each in everything if each.id not in self.tables.sent][:limit]
        for event in new:
            for endpoint, kinds in wanted.items():
                if event.kind in kinds:
                    parcel = _first(endpoint, event, next_try_at=min(event.at, at))
                    self.tables.parcels.setdefault((event.id, endpoint), parcel)
        self.tables.sent.update(event.id for event in new)
        return tuple(new)

    def hand_over_again(
        self,
        wanted: Mapping[str, Collection[str]],
        *,
        event: str | None,
        since: Instant,
        at: Instant,
    ) -> int:
        """Let events go to endpoints once more; the claims on what is on its way end."""
        chosen = [
            (each, endpoint)
            for each in self.tables.outbox.values()
            if (each.at >= since if event is None else each.id == event)
            for endpoint, kinds in wanted.items()
            if each.kind in kinds
        ]
        for each, endpoint in chosen:
            before = self.tables.parcels.get((each.id, endpoint))
            again = _first(endpoint, each, next_try_at=at)
            if before is not None:
                again = replace(again, claim=before.claim + 1, delivered_at=before.delivered_at)
            self.tables.parcels[each.id, endpoint] = again
            self.tables.parcel_leases.pop((each.id, endpoint), None)
        return len(chosen)

    def claim_parcels(
        self, endpoint: str, *, now: Instant, lease_until: Instant, limit: int
    ) -> tuple[Parcel, ...]:
        """Claim what is to be sent to an endpoint now, the longest due first."""
        if endpoint in self.tables.disabled:
            return ()
        due = [
            parcel
            for parcel in self._of(endpoint, ParcelStatus.WAITING)
            if parcel.next_try_at <= now and self._is_free(parcel, now=now)
        ]
        due.sort(key=lambda parcel: (parcel.next_try_at, parcel.event.id))
        claimed = tuple(replace(parcel, claim=parcel.claim + 1) for parcel in due[:limit])
        for parcel in claimed:
            self.tables.parcels[parcel.event.id, endpoint] = parcel
            self.tables.parcel_leases[parcel.event.id, endpoint] = lease_until
        return claimed

    def settle_parcel(self, parcel: Parcel) -> bool:
        """Write what became of a parcel and give its claim back, if it is the current one."""
        key = parcel.event.id, parcel.endpoint
        before = self.tables.parcels.get(key)
        if before is None or before.claim != parcel.claim:
            return False
        self.tables.parcels[key] = parcel
        self.tables.parcel_leases.pop(key, None)
        return True

    def set_disabled(self, endpoint: str, *, at: Instant | None) -> bool:
        """Send an endpoint nothing from an instant on, or everything again."""
        is_disabled = endpoint in self.tables.disabled
        if at is None:
            self.tables.disabled.pop(endpoint, None)
        elif not is_disabled:
            self.tables.disabled[endpoint] = at
        return is_disabled != (at is not None)

    def endpoint_loads(self, endpoints: Collection[str]) -> Mapping[str, EndpointLoad]:
        """Count what there is to bring to each of some endpoints."""
        return {endpoint: self._load(endpoint) for endpoint in sorted(endpoints)}

    def _load(self, endpoint: str) -> EndpointLoad:
        waiting = list(self._of(endpoint, ParcelStatus.WAITING))
        return EndpointLoad(
            waiting=len(waiting),
            retried=sum(parcel.attempts > 0 for parcel in waiting),
            failed=len(list(self._of(endpoint, ParcelStatus.FAILED))),
            next_try_at=min((parcel.next_try_at for parcel in waiting), default=None),
            disabled_at=self.tables.disabled.get(endpoint),
        )

    def _of(self, endpoint: str, status: ParcelStatus) -> Iterator[Parcel]:
        for parcel in self.tables.parcels.values():
            if (parcel.endpoint, parcel.status) == (endpoint, status):
                yield parcel

    def _is_free(self, parcel: Parcel, *, now: Instant) -> bool:
        lease_until = self.tables.parcel_leases.get((parcel.event.id, parcel.endpoint))
        return lease_until is None or lease_until <= now


def _first(endpoint: str, event: OutboxEvent, *, next_try_at: Instant) -> Parcel:
    return Parcel(
        endpoint=endpoint,
        event=event,
        claim=0,
        status=ParcelStatus.WAITING,
        attempts=0,
        next_try_at=next_try_at,
    )
