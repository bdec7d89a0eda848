"""``python3 dev.py bench engine``: measure the engine beside what people use for the same work.

--quick        sizes of seconds, not of minutes
--only 3 6     these rows of the table alone
--write-docs   keep the run, and write docs/performance-engine.md
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.child import ROOT
from benchmarks.engine.execution import EXECUTION, OTHERS, carry_out, carry_out_otherwise
from benchmarks.engine.fan_out import FAN_OUT, fan_out
from benchmarks.engine.ground import DATABASES, POSTGRES, SQLITE, Place, Sizes
from benchmarks.engine.page import page
from benchmarks.engine.parking import ROWS, SLEEPERS, WHATS, park_rows, park_sleepers, sample
from benchmarks.engine.rows import HEADINGS, TABLE, chosen
from benchmarks.engine.schedule import ADMISSION, IDLE, watch_postgres, watch_sqlite
from benchmarks.engine.takeover import TAKEOVER, take_over
from benchmarks.meter import Meter
from benchmarks.report import lines_of, print_lines, write_json
from benchmarks.rows import Ceiling, Row
from benchmarks.run import RESULTS, read_run, summed_up, write_run
from benchmarks.samples import Samples
from benchmarks.server import durable_postgres, version_of_server

NAME = "engine"
KEPT = RESULTS / f"{NAME}.json"
PAGE = ROOT / "docs" / "performance-engine.md"
FULL = Sizes(
    scheduled=1_000_000,
    scheduled_in_file=1_000_000,
    admitted_in_file=20_000,
    claims=25_000,
    members=1_000_000,
    steps=2_000,
    parked=10_000,
    lease_seconds=20,
)
QUICK = Sizes(
    scheduled=50_000,
    scheduled_in_file=50_000,
    admitted_in_file=1_000,
    claims=25_000,
    members=50_000,
    steps=200,
    parked=2_500,
    lease_seconds=20,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One piece of work on a store of its own, and the names of the numbers that it leaves."""

    run: Callable[[Place], None]
    gives: tuple[str, ...]


MEASUREMENTS = (
    Measurement(run=watch_postgres, gives=(IDLE[POSTGRES], ADMISSION[POSTGRES])),
    Measurement(run=watch_sqlite, gives=(IDLE[SQLITE], ADMISSION[SQLITE])),
    *(
        Measurement(run=partial(measure, database=database), gives=(samples[database],))
        for measure, samples in (
            (fan_out, FAN_OUT),
            (carry_out, EXECUTION),
            (take_over, TAKEOVER),
        )
        for database in DATABASES
    ),
    *(
        Measurement(run=partial(carry_out_otherwise, name=name), gives=(sample_name,))
        for name, sample_name in OTHERS.items()
    ),
    *(
        Measurement(run=measure, gives=tuple(sample(side, what) for what in WHATS))
        for side, measure in ((ROWS, park_rows), (SLEEPERS, park_sleepers))
    ),
)


def measure(
    base_url: str, folder: Path, *, sizes: Sizes, table: Sequence[Row | Ceiling] = TABLE
) -> Samples:
    """Measure once what a table asks for."""
    wanted = frozenset[str]().union(*(row.wanted for row in table))
    place = Place(base_url=base_url, folder=folder, sizes=sizes, samples=Samples(meter=Meter()))
    for each in MEASUREMENTS:
        if wanted.intersection(each.gives):
            each.run(place)
    for name, size in sizes.by_name().items():
        place.samples.note(name, size)
    return place.samples


def main(arguments: Sequence[str]) -> int:
    """Run the suite; 1 when a limit is not held."""
    options = _options(arguments)
    sizes, table = QUICK if options.quick else FULL, tuple(chosen(options.only))
    with durable_postgres() as base_url, tempfile.TemporaryDirectory() as folder:
        samples = measure(base_url, Path(folder), sizes=sizes, table=table)
        server = version_of_server(base_url)
    lines = tuple(lines_of(table, samples))
    run = summed_up(samples, lines, size=sizes.scheduled, rounds=1, server=server)
    print_lines(lines, title=f"The engine, {run.machine}", headings=HEADINGS)
    write_json(lines, ROOT / "bench-out" / f"{NAME}.json")
    write_run(run, ROOT / "bench-out" / "runs", name=NAME)
    if options.write_docs:
        write_run(run, name=NAME)
        PAGE.write_text(page(read_run(KEPT, table=TABLE)), "utf-8")
    return 0 if all(line.holds for line in lines) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py bench engine", description="Measure the engine.")
    numbers = sorted({row.number for row in TABLE})
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--only", nargs="+", choices=numbers, default=(), help="these rows alone")
    parser.add_argument("--write-docs", action="store_true", help=f"write docs/{PAGE.name}")
    return parser.parse_args(arguments)
