"""``python3 dev.py bench data [--rows 1e5] [--quick] [--write-docs]``: measure, print, keep."""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from benchmarks.load import load_postgres, load_sqlite
from benchmarks.page import write_page
from benchmarks.report import lines_of, print_lines, write_json
from benchmarks.rounds import Place, run_round
from benchmarks.samples import Samples
from benchmarks.server import connect, durable_postgres
from offramp.testing.postgres import fresh_database

ROOT = Path(__file__).parents[1]
ROUNDS = 5
ROUNDS_QUICK = 1


def measure(base_url: str, folder: Path, *, rows: int, rounds: int) -> Samples:
    """Build the database once and measure it round by round."""
    samples = Samples()
    with _filled(base_url, folder, rows=rows) as place:
        for number in range(rounds):
            run_round(place, samples, number=number)
    for name in ("peak", "written", "D written"):
        samples.numbers[f"{name} MB"] = [size / 1e6 for size in samples.numbers[name]]
    return samples


@contextmanager
def _filled(base_url: str, folder: Path, *, rows: int) -> Iterator[Place]:
    with fresh_database(base_url) as url:
        with connect(url) as connection:
            load_postgres(connection, rows=rows)
            load_sqlite(connection, folder / "template.sqlite")
        template = sa.make_url(url).database
        assert template is not None, "a fresh database has a name"
        yield Place(
            base_url=base_url,
            template=template,
            sqlite=folder / "template.sqlite",
            folder=folder,
        )


def main(arguments: Sequence[str]) -> int:
    """Run a suite; 1 when a limit is not held."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description="Measure beside SQL by hand.")
    parser.add_argument("suite", choices=["data"])
    parser.add_argument("--rows", type=float, default=1e5, help="of the large organization")
    parser.add_argument("--quick", action="store_true", help="one round only")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write-docs", action="store_true", help="write docs/performance.md")
    options = parser.parse_args(arguments)
    rounds = ROUNDS_QUICK if options.quick else options.rounds
    with durable_postgres() as base_url, tempfile.TemporaryDirectory() as folder:
        samples = measure(base_url, Path(folder), rows=int(options.rows), rounds=rounds)
    lines = list(lines_of(samples))
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    size = f"{samples.middle(('rows',)):,.0f} rows"
    print_lines(lines, title=f"{size}, medians of {rounds} rounds, {machine}")
    write_json(lines, ROOT / "bench-out" / "data.json")
    if options.write_docs:
        write_page(ROOT / "docs" / "performance.md", lines, size=size, rounds=rounds, on=machine)
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
