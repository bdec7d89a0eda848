"""``python3 dev.py bench data``: measure, print, keep.

--rows 1e5|1e6|1e7   how many rows the large organization has
--quick              one round
--only 3 6b          these rows of the table alone, in seconds, whatever the size
--skip 13 14         all but these
--write-docs         write docs/performance.md
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import (
    by_hand,
    by_offramp,
    habits,
    in_children,
    meanwhile,
    on_mariadb,
    on_sqlite,
    yardstick,
)
from benchmarks.chart import chart
from benchmarks.flow import Place, Runnable, run_round
from benchmarks.load import LARGE, load_postgres
from benchmarks.meter import Meter
from benchmarks.page import page
from benchmarks.report import lines_of, print_lines, print_waits, write_json
from benchmarks.rows import MILLION, ROWS, SMALL, Ceiling, Row, chosen
from benchmarks.run import Run, read_runs, summed_up, write_run
from benchmarks.samples import Samples
from benchmarks.schema import reference_checks
from benchmarks.server import (
    connect,
    database_of,
    durable_postgres,
    process_of_server,
    version_of_server,
)
from benchmarks.traffic import TRANSACTIONS_PER_SECOND
from offramp.data.erasure.fence import CONNECTIONS
from offramp.testing.postgres import fresh_database

ROOT = Path(__file__).parents[1]
ROUNDS = {SMALL: 5, MILLION: 3}  # up to these sizes; one above them
ROUNDS_QUICK = 1
PHASE_SECONDS = 3.0
FLOWS: tuple[Runnable, ...] = (
    *by_hand.FLOWS,
    *by_offramp.FLOWS,
    *on_sqlite.FLOWS,
    *on_mariadb.FLOWS,
    *in_children.FLOWS,
    *meanwhile.FLOWS,
    *habits.FLOWS,
)


def measure(
    base_url: str,
    folder: Path,
    *,
    rows: int,
    rounds: int,
    table: Sequence[Row | Ceiling] = ROWS,
    phase_seconds: float = PHASE_SECONDS,
) -> Samples:
    """Build the database once, and measure round by round what a table asks for."""
    wanted = frozenset[str]().union(*(row.wanted for row in table))
    with _filled(base_url, folder, rows=rows, phase_seconds=phase_seconds) as place:
        for number in range(rounds):
            run_round(FLOWS, place, wanted=wanted, number=number)
    return place.samples


@contextmanager
def _filled(base_url: str, folder: Path, *, rows: int, phase_seconds: float) -> Iterator[Place]:
    server = process_of_server(base_url)
    samples = Samples(meter=Meter(servers=[server]))
    with fresh_database(base_url) as url:
        with connect(url) as connection:
            load_postgres(connection, rows=rows)
            owned = yardstick.count(connection, organization=LARGE)
        samples.note("rows", sum(owned.values()))
        samples.note("checks", reference_checks(owned))
        yield Place(
            base_url=base_url,
            server=server,
            template=database_of(url),
            folder=folder,
            samples=samples,
            owned=owned,
            phase_seconds=phase_seconds,
        )


def main(arguments: Sequence[str]) -> int:
    """Run the suite; 1 when a limit is not held."""
    options = _options(arguments)
    rows = int(options.rows)
    rounds = _rounds(options, rows=rows)
    table = tuple(chosen(rows=rows, only=options.only, skip=options.skip))
    with durable_postgres() as base_url, tempfile.TemporaryDirectory() as folder:
        samples = measure(base_url, Path(folder), rows=rows, rounds=rounds, table=table)
        server = f"{version_of_server(base_url)}, deletion over {CONNECTIONS} connections"
    lines = tuple(lines_of(table, samples))
    run = summed_up(samples, lines, size=rows, rounds=rounds, server=server)
    title = f"{run.middles['rows']:,.0f} rows, medians of {rounds} rounds, {run.machine}"
    print_lines(lines, title=title)
    print_waits(run.middles)
    write_json(lines, ROOT / "bench-out" / "data.json")
    write_run(run, ROOT / "bench-out" / "runs")
    if options.write_docs:
        write_run(run)
        _write_docs(read_runs())
    return 0 if all(line.holds for line in lines) else 1


def _write_docs(runs: Sequence[Run]) -> None:
    docs = ROOT / "docs"
    (docs / "performance.md").write_text(page(runs, rate=TRANSACTIONS_PER_SECOND), "utf-8")
    (docs / "images" / "performance.svg").write_text(chart(runs), "utf-8")


def _rounds(options: argparse.Namespace, *, rows: int) -> int:
    if options.quick:
        return ROUNDS_QUICK
    by_size = (rounds for size, rounds in ROUNDS.items() if rows <= size)
    return int(options.rounds or next(by_size, ROUNDS_QUICK))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev.py bench data", description="Measure beside SQL by hand."
    )
    numbers = sorted({row.number for row in ROWS})
    parser.add_argument("--rows", type=float, default=1e5, help="of the large organization")
    parser.add_argument("--quick", action="store_true", help="one round only")
    parser.add_argument("--rounds", type=int, help="5, 3 or 1 by the size, if not given")
    parser.add_argument("--only", nargs="+", choices=numbers, default=(), help="these rows alone")
    parser.add_argument("--skip", nargs="+", choices=numbers, default=(), help="all but these")
    parser.add_argument("--write-docs", action="store_true", help="write docs/performance.md")
    return parser.parse_args(arguments)
