"""Events for the vendor's systems, and their way to each endpoint.

Source: docs/decisions/022-webhooks.md; lessons L34, L35.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from whenever import Instant

from offramp.ports.record import EndpointLoad, OutboxEvent, Parcel


class Outbox(Protocol):
    """The share of a transaction that is about them."""

    def put_events(self, events: Sequence[OutboxEvent]) -> None:
        """Add events to the outbox; one that is there already is left alone."""

    def events(self, *, limit: int) -> tuple[OutboxEvent, ...]:
        """List the events of the outbox, oldest first."""

    def has_new_events(self) -> bool:
        """Whether there are events that were not handed over yet."""

    def hand_over(
        self, wanted: Mapping[str, Collection[str]], *, at: Instant, limit: int
    ) -> tuple[OutboxEvent, ...]:
        """Make a parcel of each new event for each endpoint that wants its kind, oldest first.

        `wanted` gives the kinds by endpoint. Each event is handed over once, to whoever wants it
        then, and is new no more, even if nobody does. What somebody else is handing over at this
        moment is left to them.
        """

    def hand_over_again(
        self,
        wanted: Mapping[str, Collection[str]],
        *,
        event: str | None,
        since: Instant,
        at: Instant,
    ) -> int:
        """Let events go to endpoints once more, as if they had never been sent.

        Those that happened since an instant, or one of them by its id. Returns the parcels.
        """

    def claim_parcels(
        self, endpoint: str, *, now: Instant, lease_until: Instant, limit: int
    ) -> tuple[Parcel, ...]:
        """Claim what is to be sent to an endpoint now, the longest due first: claim + 1, lease.

        What is leased is nobody else's until then. A disabled endpoint has nothing.
        """

    def settle_parcel(self, parcel: Parcel) -> bool:
        """Write what became of a parcel and give its claim back.

        False where another claim, another sending or an erasure has overtaken it.
        """

    def set_disabled(self, endpoint: str, *, at: Instant | None) -> bool:
        """Send an endpoint nothing from an instant on, or (none) everything again.

        Returns whether that changed anything.
        """

    def endpoint_loads(self, endpoints: Collection[str]) -> Mapping[str, EndpointLoad]:
        """Count what there is to bring to each of some endpoints."""
