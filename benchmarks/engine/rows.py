"""The table of the engine: what it may cost at most, and what it may cost beside others' work."""

from collections.abc import Collection, Iterator

from benchmarks.engine.execution import DBOS_WORKFLOWS, EXECUTION, OTHERS, PROCRASTINATE
from benchmarks.engine.fan_out import FAN_OUT
from benchmarks.engine.ground import DATABASES, POSTGRES, SQLITE
from benchmarks.engine.parking import DISK, MEMORY, PARK, RESTART, ROWS, SLEEPERS, sample
from benchmarks.engine.schedule import ADMISSION, IDLE
from benchmarks.engine.takeover import TAKEOVER
from benchmarks.rows import Ceiling, Row

# What is shown of a line, and above it.
HEADINGS = {
    "work": "work",
    "Offramp": "Offramp",
    "by hand": "beside",
    "ratio": "ratio",
    "limit": "limit",
    "holds": "holds",
}


def _parked(name: str, what: str, *, limit: float, unit: str) -> Row:
    ours, baseline = ((sample(side, what),) for side in (ROWS, SLEEPERS))
    return Row(name=f"6 {name}", ours=ours, baseline=baseline, by=SLEEPERS, limit=limit, unit=unit)


TABLE: tuple[Row | Ceiling, ...] = (
    *(
        Ceiling(name=f"1 look at the schedule, {each}", ours=IDLE[each], limit=10, unit="ms")
        for each in DATABASES
    ),
    # A million at one midnight in 40 s.
    Ceiling(name="2 admission of one, PostgreSQL", ours=ADMISSION[POSTGRES], limit=40, unit="µs"),
    Ceiling(name="2 admission of one, SQLite", ours=ADMISSION[SQLITE], limit=2000, unit="µs"),
    # A hundred thousand in a second.
    *(
        Ceiling(name=f"3 fan-out to one, {each}", ours=FAN_OUT[each], limit=10, unit="µs")
        for each in DATABASES
    ),
    *(
        Row(
            name=f"4 one step, beside {name}",
            ours=(EXECUTION[POSTGRES],),
            baseline=(OTHERS[name],),
            by=name,
            limit=limit,
            unit="ms",
        )
        for name, limit in ((PROCRASTINATE, 1.5), (DBOS_WORKFLOWS, 1))
    ),
    Ceiling(name="4 one step, SQLite", ours=EXECUTION[SQLITE], limit=60, unit="ms"),
    *(
        Ceiling(name=f"5 takeover, {each}", ours=TAKEOVER[each], limit=30, unit="s")
        for each in DATABASES
    ),
    _parked("to park one organization", PARK, limit=0.2, unit="ms"),
    _parked("disk of one that is parked", DISK, limit=1, unit="bytes"),
    _parked("until a process serves", RESTART, limit=0.2, unit="s"),
    _parked("memory of the process", MEMORY, limit=1, unit="MB"),
)


def chosen(only: Collection[str] = ()) -> Iterator[Row | Ceiling]:
    """Choose the rows that are named by number, or else all."""
    return (row for row in TABLE if not only or row.number in only)
