"""What the schedule costs: a look when nothing is due, and a midnight at which everybody is."""

from concurrent.futures import ThreadPoolExecutor
from statistics import median
from time import perf_counter

from benchmarks.child import Outcome, run_child
from benchmarks.engine.fill import fill_offboardings, fill_organizations
from benchmarks.engine.ground import (
    BEFORE,
    DATABASES,
    POSTGRES,
    SQLITE,
    Ground,
    Place,
    fresh_ground,
)
from benchmarks.flow import SidesDiffer
from offramp.engine.worker import admit

SWEEPS = 25
PROCESSES = {POSTGRES: 2, SQLITE: 1}
MILLISECONDS, MICROSECONDS = 1e3, 1e6

IDLE = {database: f"idle sweep, {database}" for database in DATABASES}
ADMISSION = {database: f"admission of one, {database}" for database in DATABASES}


def watch_postgres(place: Place) -> None:
    """Sweep and admit one store."""
    with fresh_ground(place, POSTGRES) as ground:
        _fill(ground, place.sizes.scheduled)
        _sweep_idly(place, ground, POSTGRES)
        _admit_all(place, ground, POSTGRES, number=place.sizes.scheduled)


def watch_sqlite(place: Place) -> None:
    """Sweep a large store and admit a smaller one: its queue is written row by row."""
    with fresh_ground(place, SQLITE) as ground:
        _fill(ground, place.sizes.scheduled_in_file)
        _sweep_idly(place, ground, SQLITE)
    with fresh_ground(place, SQLITE) as ground:
        _fill(ground, place.sizes.admitted_in_file)
        _admit_all(place, ground, SQLITE, number=place.sizes.admitted_in_file)


def _fill(ground: Ground, number: int) -> None:
    with ground.connection() as connection:
        fill_organizations(connection, number)
        fill_offboardings(connection, number)
    ground.settle()


def _sweep_idly(place: Place, ground: Ground, database: str) -> None:
    seconds = []
    with ground.worker(at=BEFORE) as (context, queue):
        for _ in range(SWEEPS):
            began = perf_counter()
            claimed = admit(context, queue, limit=context.limits.claims_max)
            seconds.append(perf_counter() - began)
            if claimed:
                raise SidesDiffer(f"{claimed} were due before their time")
    place.samples.note(IDLE[database], median(seconds) * MILLISECONDS)


def _admit_all(place: Place, ground: Ground, database: str, *, number: int) -> None:
    """Let some processes claim and enqueue until nothing is left."""
    order = (*ground.order, str(place.sizes.claims))

    def admit_some(_process: int) -> Outcome:
        return run_child("benchmarks.engine.admitting", *order)

    with ThreadPoolExecutor() as processes:
        outcomes = list(processes.map(admit_some, range(PROCESSES[database])))
    admitted = sum(outcome.count for outcome in outcomes)
    if admitted != number:
        raise SidesDiffer(f"{admitted} of {number} were admitted")
    seconds = max(outcome.seconds for outcome in outcomes)
    place.samples.note(ADMISSION[database], seconds / number * MICROSECONDS)
