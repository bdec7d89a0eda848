"""How the engine makes an event for the outside; it goes into the outbox with what it is about.

Every event is made here, so that each one is of a kind of the catalogue, holds what that kind
promises and nothing else, and has an id that may stand in a header of HTTP.

Source: core/event_kind.py; lessons L34, L35.
"""

from collections.abc import Mapping

from whenever import Instant

from offramp.core.event_kind import CATALOG, EventKind
from offramp.core.ledger import Detail
from offramp.ports import Offboarding, OutboxEvent

_NOTHING: Mapping[str, Detail] = {}


def announce(
    row: Offboarding,
    kind: EventKind,
    *,
    key: str | int,
    at: Instant,
    detail: Mapping[str, Detail] = _NOTHING,
) -> OutboxEvent:
    """Make an event about one who leaves.

    The key tells it from the others of its kind in the same episode: an event that is made twice
    under one key is one event.
    """
    assert detail.keys() == CATALOG[kind].fields.keys(), "the catalogue says what an event holds"
    return OutboxEvent(
        id=f"{row.id}:{kind}:{key}".replace(".", "_"),  # dots part what is signed
        kind=kind,
        at=at,
        organization=row.subject.organization,
        member=row.subject.member,
        detail={"product": row.subject.product, "offboarding": row.id, **detail},
    )


def announce_to_all(
    kind: EventKind, *, key: str | int, at: Instant, detail: Mapping[str, Detail] = _NOTHING
) -> OutboxEvent:
    """Make an event that concerns the whole installation."""
    assert detail.keys() == CATALOG[kind].fields.keys(), "the catalogue says what an event holds"
    assert not CATALOG[kind].is_about_subject, "what is about a subject names it"
    return OutboxEvent(id=f"{kind}:{key}", kind=kind, at=at, organization=None, detail=detail)
