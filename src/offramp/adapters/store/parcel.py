"""Events on their way to the endpoints: who sends which now, and what became of it.

Everything that claims a parcel, or counts parcels, lives here.

Source: docs/webhooks.md; ``ports.Parcel``.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, delete, func, literal, or_, select, update
from sqlalchemy.engine import Row as Found
from whenever import Instant

from offramp.adapters.store import schema
from offramp.adapters.store.outbox import event_of
from offramp.adapters.store.part import Part, batches
from offramp.core.parcel import ParcelStatus
from offramp.ports import EndpointLoad, Parcel

_table, _event, _endpoint = schema.parcel, schema.outbox, schema.endpoint


class ParcelPart(Part):
    """One event for one endpoint."""

    def claim_parcels(
        self, endpoint: str, *, now: Instant, lease_until: Instant, limit: int
    ) -> tuple[Parcel, ...]:
        """Claim what is to be sent to an endpoint now, the longest due first."""
        is_free = or_(_table.c.lease_until.is_(None), _table.c.lease_until <= now)
        is_disabled = select(_endpoint).where(_endpoint.c.name == endpoint).exists()
        due = (
            select(_event, *(column for column in _table.c if column.name != "event"))
            .join(_event, _event.c.id == _table.c.event)
            .where(
                _table.c.endpoint == endpoint,
                _table.c.status == _written(ParcelStatus.WAITING),
                _table.c.next_try_at <= now,
                is_free,
                ~is_disabled,
            )
            .order_by(_table.c.next_try_at, _table.c.event)
            .limit(limit)
        )
        found = self.connection.execute(due.with_for_update(of=_table, skip_locked=True)).all()
        for ids in batches([row.id for row in found]):
            claimed = update(_table).where(
                _table.c.endpoint == endpoint, self._among(_table.c.event, ids)
            )
            self.connection.execute(
                claimed.values(claim=_table.c.claim + 1, lease_until=lease_until)
            )
        return tuple(_parcel(row, claim=row.claim + 1) for row in found)

    def settle_parcel(self, parcel: Parcel) -> bool:
        """Write what became of a parcel and give its claim back, if it is the current one."""
        mine = update(_table).where(
            _table.c.endpoint == parcel.endpoint,
            _table.c.event == parcel.event.id,
            _table.c.claim == parcel.claim,
        )
        written = mine.values(
            status=parcel.status,
            attempts=parcel.attempts,
            next_try_at=parcel.next_try_at,
            lease_until=None,
            reason=parcel.reason,
            delivered_at=parcel.delivered_at,
        )
        return self.connection.execute(written).rowcount == 1

    def set_disabled(self, endpoint: str, *, at: Instant | None) -> bool:
        """Send an endpoint nothing from an instant on, or everything again."""
        if at is not None:
            return self._create(_endpoint, {"name": endpoint, "disabled_at": at})
        enabled = delete(_endpoint).where(_endpoint.c.name == endpoint)
        return self.connection.execute(enabled).rowcount == 1

    def endpoint_loads(self, endpoints: Collection[str]) -> Mapping[str, EndpointLoad]:
        """Count what there is to bring to each of some endpoints."""
        return {endpoint: self._load(endpoint) for endpoint in sorted(endpoints)}

    def _load(self, endpoint: str) -> EndpointLoad:
        waiting = self.connection.execute(
            select(
                func.count().label("number"),
                func.count().filter(_table.c.attempts > 0).label("retried"),
                func.min(_table.c.next_try_at).label("next_try_at"),
            ).where(_are(ParcelStatus.WAITING, endpoint))
        ).one()
        failed = select(func.count()).where(_are(ParcelStatus.FAILED, endpoint))
        disabled = select(_endpoint.c.disabled_at).where(_endpoint.c.name == endpoint)
        return EndpointLoad(
            waiting=waiting.number,
            retried=waiting.retried,
            failed=self.connection.scalar(failed) or 0,
            next_try_at=waiting.next_try_at,
            disabled_at=self.connection.scalar(disabled),
        )


def _are(status: ParcelStatus, endpoint: str) -> ColumnElement[bool]:
    return (_table.c.endpoint == endpoint) & (_table.c.status == _written(status))


def _written(status: ParcelStatus) -> BindParameter[str]:
    """Write a status into the statement: SQLite sees only then that a partial index fits."""
    return literal(status.value, literal_execute=True)


def _parcel(row: Found[Any], *, claim: int) -> Parcel:
    return Parcel(
        endpoint=row.endpoint,
        event=event_of(row),
        claim=claim,
        status=ParcelStatus(row.status),
        attempts=row.attempts,
        next_try_at=row.next_try_at,
        reason=row.reason,
        delivered_at=row.delivered_at,
    )
