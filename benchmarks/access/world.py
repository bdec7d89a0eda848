"""Organizations about to lose a product, and the questions that are asked about their members."""

from collections.abc import Iterator
from dataclasses import dataclass

from whenever import Date, Instant

from offramp.core.model import Member, Organization, Pool, Role
from offramp.core.policy import Capability
from offramp.documents.policy import find_policy
from offramp.engine.context import Context
from offramp.engine.offboarding import register
from offramp.engine.publication import publish
from offramp.testing.world import World

POLICY, PRODUCT = "edit-only-grace", "notes"
BEFORE, NOW = Instant.from_utc(2024, 8, 1), Instant.from_utc(2024, 9, 15, 12)
ENDS, OWN_END = Date(2024, 8, 30), Date(2024, 8, 20)
SURFACES = ("app", "console")
ROLES = (Role.MEMBER, Role.MEMBER, Role.MEMBER, Role.ADMIN)
OWN_END_EACH = 10  # one member in so many has an end of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question to any of those who are measured."""

    member: str
    role: Role
    surface: str
    capability: Capability


def fill(organizations: int, *, members: int) -> Context:
    """Make so many organizations in memory, each of so many members; notes have just ended."""
    world = World(BEFORE)
    publish(world.context, find_policy(POLICY))
    for number in range(organizations):
        name = organization_id(number)
        company = Organization(id=name, name=name, zone="Europe/Dublin", locale="en", policy=POLICY)
        pool = Pool(
            id=f"{name}-notes",
            organization=name,
            product=PRODUCT,
            kind="seat",
            seats=members,
            ends=ENDS,
        )
        register(
            world.context,
            organizations=[company],
            pools=[pool],
            members=[_member(name, each) for each in range(members)],
        )
    return world.context


def organization_id(number: int) -> str:
    """Name one organization."""
    return f"org-{number:06}"


def questions(*, members: int, count: int) -> Iterator[Asked]:
    """Ask about everybody in turn, about every capability, in both places."""
    capabilities = tuple(Capability)
    for number in range(count):
        who = number % members
        yield Asked(
            member=_member_id(who),
            role=_role(who),
            surface=SURFACES[number % len(SURFACES)],
            capability=capabilities[number % len(capabilities)],
        )


def _member(organization: str, number: int) -> Member:
    return Member(
        id=_member_id(number),
        organization=organization,
        email=f"{number}@{organization}.example",
        name="",
        roles=frozenset({_role(number)}),
        locale="en",
        zone="",
        pools=frozenset({f"{organization}-notes"}),
        ends=OWN_END if number % OWN_END_EACH == 0 else None,
    )


def _member_id(number: int) -> str:
    return f"{number:06}"


def _role(number: int) -> Role:
    return ROLES[number % len(ROLES)]
