"""An organization with many members, as a store has it, and a guard that serves it.

Source: docs/performance-access.md, which is written from what is measured on it.
"""

from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine
from whenever import Date, Instant

from offramp.adapters.store.connection import connect
from offramp.adapters.store.migration import migrate
from offramp.adapters.store.store import SqlStore
from offramp.core.model import Member, Organization, Pool, Role
from offramp.core.policy import Capability
from offramp.documents.policy import find_policy
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.sdk.guard import Guard
from offramp.sdk.transport import Answer
from offramp.testing.world import World

NOW = Instant.from_utc(2024, 8, 1)
ENDS = Date(2199, 8, 30)  # on whatever day it runs
ORGANIZATION, PRODUCT = "acme", "notes"
OWN_ENDS = 365  # different ones
ASKED = (Capability.READ, Capability.CREATE, Capability.UPDATE)
EACH_WITH_AN_END, EACH_ADMIN = 10, 50
LOCK_WAIT_SECONDS = 60


def fill(folder: Path, *, members: int) -> World:
    """Tell a store of one organization; every tenth member leaves on a day of their own."""
    migrate(_engine(folder))
    world = open_world(folder)
    publish(world.context, find_policy("edit-only-grace"))
    acme = Organization(
        id=ORGANIZATION, name="Acme", zone="Europe/Dublin", locale="en", policy="edit-only-grace"
    )
    pool = Pool(
        id="seats",
        organization=ORGANIZATION,
        product=PRODUCT,
        kind="seat",
        seats=members,
        ends=ENDS,
    )
    people = [_member(number) for number in range(members)]
    register(world.context, organizations=[acme], pools=[pool], members=people)
    return world


def open_world(folder: Path) -> World:
    """Open what was filled."""
    return World(NOW, store=SqlStore(_engine(folder), ledger_key=b"k" * 32))


def _engine(folder: Path) -> Engine:
    return connect(f"sqlite:///{folder / 'store.sqlite'}", lock_wait_seconds=LOCK_WAIT_SECONDS)


def member_id(number: int) -> str:
    """Give a member an id as long as most are."""
    return str(UUID(int=number))


def _member(number: int) -> Member:
    has_end = number % EACH_WITH_AN_END == 1
    return Member(
        id=member_id(number),
        organization=ORGANIZATION,
        email=f"{number}@acme.example",
        name=f"Member {number}",
        roles=frozenset({Role.MEMBER if number % EACH_ADMIN else Role.ADMIN}),
        locale="en",
        zone="",
        pools=frozenset({"seats"}),
        ends=Date(2024, 8, 2).add(days=number % OWN_ENDS) if has_end else None,
    )


def guard_of(body: bytes) -> Guard:
    """Make a guard that is given a snapshot once, and has the time of the machine."""
    return Guard(
        "https://offramp.example",
        "k" * 32,
        fail_open=False,
        fresh_seconds=10**9,
        transport=lambda organization, *, etag: Answer(status=200, body=body),
    )


def ask(guard: Guard, member: str, capability: Capability) -> bool:
    """Ask what an application asks in every request."""
    return guard.may(ORGANIZATION, member, capability, surface="app", product=PRODUCT).is_allowed
