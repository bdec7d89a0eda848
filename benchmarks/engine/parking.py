"""What it costs that organizations wait for a date: as rows, and as workflows that sleep."""

from time import perf_counter

from benchmarks.child import run_child
from benchmarks.engine.fill import fill_organizations, unopened_offboardings
from benchmarks.engine.ground import BEFORE, POSTGRES, Place, fresh_ground
from benchmarks.flow import SidesDiffer
from benchmarks.server import connect
from offramp.testing.postgres import fresh_database

MILLISECONDS = 1e3
ROWS, SLEEPERS = "rows", "sleeping workflows"
PARK, RESTART, MEMORY, DISK = "parking of one", "restart", "memory MB", "disk of one"
_TABLES_OF_WORKFLOWS = ("workflow_status", "operation_outputs")
WHATS = (PARK, RESTART, MEMORY, DISK)


def park_rows(place: Place) -> None:
    """Open off-boardings, and let a worker begin that has nothing to do with them yet."""
    number = place.sizes.parked
    with fresh_ground(place, POSTGRES) as ground:
        with ground.connection() as connection:
            fill_organizations(connection, number)
        offboardings = unopened_offboardings(number)
        with ground.worker(at=BEFORE) as (context, _):
            began = perf_counter()
            with context.store.transaction() as transaction:
                transaction.open_offboardings(offboardings)
            seconds = perf_counter() - began
        _note(place, ROWS, PARK, seconds / number * MILLISECONDS)
        _note(place, ROWS, DISK, _bytes_of(ground.url, "public.offboarding") / number)
        outcome = run_child("benchmarks.engine.begin_worker", *ground.order)
    _note(place, ROWS, RESTART, outcome.seconds)
    _note(place, ROWS, MEMORY, outcome.peak_bytes / 1e6)


def park_sleepers(place: Place) -> None:
    """Start workflows that sleep, end their process, and start it again."""
    number, module = place.sizes.parked, "benchmarks.engine.sleepers"
    with fresh_database(place.base_url) as url:
        started = run_child(module, url, str(number), "start")
        size = sum(_bytes_of(url, f"dbos.{name}") for name in _TABLES_OF_WORKFLOWS)
        again = run_child(module, url, str(number), "recover")
    if not started.count == again.count == number:
        raise SidesDiffer(f"{started.count} and {again.count} of {number} workflows sleep")
    _note(place, SLEEPERS, PARK, started.seconds / number * MILLISECONDS)
    _note(place, SLEEPERS, DISK, size / number)
    _note(place, SLEEPERS, RESTART, again.seconds)
    _note(place, SLEEPERS, MEMORY, again.peak_bytes / 1e6)


def sample(side: str, what: str) -> str:
    """Name the number of one side."""
    return f"{what}, {side}"


def _note(place: Place, side: str, what: str, number: float) -> None:
    place.samples.note(sample(side, what), number)


def _bytes_of(url: str, table: str) -> int:
    """Measure a table with its indexes."""
    with connect(url) as connection:
        found = connection.execute("SELECT pg_total_relation_size(%s::regclass)", [table])
        ((size,),) = found.fetchall()
    return int(size)
