"""Whose sessions end is told by the stage: where people may still sign in, they do not."""

from whenever import Instant

from offramp.core.event_kind import EventKind
from offramp.engine.sweep import run_until_quiet
from tests.unit.web.acme import EXPIRED, acme

DEACTIVATED = Instant.parse_iso("2024-11-29T00:00:00Z")


def kinds(world):
    run_until_quiet(world.context)
    with world.context.store.transaction() as transaction:
        return {event.kind for event in transaction.events(limit=100)}


def test_a_stage_without_the_console_ends_no_session_and_one_without_the_app_does_B3_B5():
    world = acme()

    world.clock.advance_to(EXPIRED)
    expired = kinds(world)
    world.clock.advance_to(DEACTIVATED)
    deactivated = kinds(world)

    assert EventKind.STAGE_CHANGED in expired
    assert EventKind.SESSIONS_REVOKED not in expired
    assert EventKind.SESSIONS_REVOKED in deactivated
