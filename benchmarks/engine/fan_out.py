"""What it costs to decide who is written to: one statement, one delivery for each member."""

from time import perf_counter

from benchmarks.engine.fill import ORGANIZATION, fill_members, fill_offboardings, fill_organizations
from benchmarks.engine.ground import BEFORE, DATABASES, Place, fresh_ground
from benchmarks.flow import SidesDiffer
from offramp.core.policy import Audience

MICROSECONDS = 1e6
FAN_OUT = {database: f"fan-out to one, {database}" for database in DATABASES}


def fan_out(place: Place, *, database: str) -> None:
    """Make the deliveries of one notice to all members of one organization."""
    number = place.sizes.members
    with fresh_ground(place, database) as ground:
        with ground.connection() as connection:
            fill_organizations(connection, 1)
            fill_offboardings(connection, 1)
            fill_members(connection, number)
        ground.settle()
        with ground.worker(at=BEFORE) as (context, _):
            with context.store.transaction() as transaction:
                (leaving,) = transaction.offboardings(ORGANIZATION)
            began = perf_counter()
            with context.store.transaction() as transaction:
                made = transaction.fan_out(leaving, step="notice", audience=Audience.MEMBERS)
            seconds = perf_counter() - began
    if made != number:
        raise SidesDiffer(f"{made} of {number} are written to")
    place.samples.note(FAN_OUT[database], seconds / number * MICROSECONDS)
