"""One organization about to lose its notes, for questions that are asked over HTTP."""

from whenever import Date, Instant

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.core.model import Member, Organization, Pool, Role
from offramp.documents.policy import find_policy
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.testing.world import World

START = Instant.from_utc(2024, 8, 1)
EXPIRED = Instant.parse_iso("2024-08-30T23:00:00Z")


def _member(name, role):
    return Member(
        id=name,
        organization="acme",
        email=f"{name}@example.com",
        name=name.title(),
        roles=frozenset({role}),
        locale="pl",
        zone="",
        pools=frozenset({"acme-notes"}),
    )


def acme():
    """Give a world where Acme's notes end on 2024-08-30; anna administers them, ulf uses them."""
    world = World(START, composer=JinjaComposer())
    publish(world.context, find_policy("edit-only-grace"))
    register(
        world.context,
        organizations=[
            Organization(
                id="acme", name="Acme", zone="Europe/Dublin", locale="de", policy="edit-only-grace"
            )
        ],
        pools=[
            Pool(
                id="acme-notes",
                organization="acme",
                product="notes",
                kind="seat",
                seats=5,
                ends=Date(2024, 8, 30),
            )
        ],
        members=[_member("anna", Role.ADMIN), _member("ulf", Role.MEMBER)],
    )
    return world
