"""What one due step costs: by a worker of ours, and by what others queue their work with.

All of them run the same handler, which judges, begins, does and proves the step in transactions of
the same size; it is the way of the work to it that differs. Only a worker keeps leases meanwhile,
and takes each ticket up as an attempt of its own.
"""

import sqlalchemy as sa

from benchmarks.child import run_child
from benchmarks.engine.fill import POLICY, fill_offboardings, fill_organizations
from benchmarks.engine.ground import BEFORE, DATABASES, POSTGRES, Ground, Place, fresh_ground
from benchmarks.flow import SidesDiffer
from offramp.adapters.store import schema
from offramp.core.transitions import StepStatus
from offramp.engine.publication import publish

MILLISECONDS = 1e3
EXECUTION = {database: f"one step, {database}" for database in DATABASES}
PROCRASTINATE, DBOS_WORKFLOWS = "Procrastinate", "DBOS workflows"
_OTHERS = {
    PROCRASTINATE: "benchmarks.engine.by_procrastinate",
    DBOS_WORKFLOWS: "benchmarks.engine.by_workflows",
}
OTHERS = {name: f"one step, {name}" for name in _OTHERS}


def carry_out(place: Place, *, database: str) -> None:
    """Let a worker carry out one step of each of many organizations."""
    carry_by(place, EXECUTION[database], "benchmarks.engine.by_worker", database=database)


def carry_out_otherwise(place: Place, *, name: str) -> None:
    """Let the work come through the queue of others."""
    carry_by(place, OTHERS[name], _OTHERS[name], database=POSTGRES)


def carry_by(place: Place, sample: str, module: str, *, database: str) -> None:
    """Let a program carry the steps out, and see that all of them have their receipts."""
    number = place.sizes.steps
    with fresh_ground(place, database) as ground:
        prepare(ground, number)
        outcome = run_child(module, *ground.order, str(number))
        done = _steps_done(ground)
    if not done == outcome.count == number:
        raise SidesDiffer(f"{module} did {done} steps of {number}, and told of {outcome.count}")
    place.samples.note(sample, outcome.seconds / number * MILLISECONDS)


def prepare(ground: Ground, number: int) -> None:
    """Let so many organizations be due, each with the end of its access to be announced."""
    with ground.worker(at=BEFORE) as (context, _):
        publish(context, POLICY)
    with ground.connection() as connection:
        fill_organizations(connection, number)
        fill_offboardings(connection, number)
    ground.settle()


def _steps_done(ground: Ground) -> int:
    has_receipt = sa.and_(
        schema.step.c.status == StepStatus.DONE, schema.step.c.receipt.is_not(None)
    )
    with ground.connection() as connection:
        return connection.scalar(sa.select(sa.func.count()).where(has_receipt)) or 0
