"""What the suites that have a page of their own do alike: read what is asked, print, keep, write.

``--quick`` measures little, ``--write-docs`` keeps the run and writes the page from it.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from benchmarks.child import ROOT
from benchmarks.report import lines_of, print_lines, write_json
from benchmarks.rows import Ceiling, Row
from benchmarks.run import RESULTS, Run, read_run, summed_up, write_run
from benchmarks.samples import Samples

Size = TypeVar("Size")


@dataclass(frozen=True, kw_only=True)
class Suite(Generic[Size]):
    """One suite on SQLite.

    Attributes:
        name: on the command line, and of its files.
        title: above the table that is printed.
        full: how much is measured.
        quick: how much with ``--quick``; in words it is ``little``.
        counted: gives of a size what the run is kept under, and its rounds.
        page: writes the page of the documentation.
    """

    name: str
    title: str
    table: Sequence[Row | Ceiling]
    headings: Mapping[str, str]
    full: Size
    quick: Size
    little: str
    measure: Callable[[Path, Size], Samples]
    counted: Callable[[Size], tuple[int, int]]
    page: Callable[[Run], str]

    @property
    def kept(self) -> Path:
        """Where the run is kept from which the page is written."""
        return RESULTS / f"{self.name}.json"

    @property
    def written(self) -> Path:
        """The page."""
        return ROOT / "docs" / f"performance-{self.name}.md"

    def main(self, arguments: Sequence[str]) -> int:
        """Run the suite; 1 when a limit is not held."""
        parser = argparse.ArgumentParser(prog=f"dev.py bench {self.name}")
        parser.add_argument("--quick", action="store_true", help=self.little)
        parser.add_argument(
            "--write-docs", action="store_true", help=f"write docs/{self.written.name}"
        )
        options = parser.parse_args(arguments)
        size = self.quick if options.quick else self.full
        with tempfile.TemporaryDirectory() as folder:
            samples = self.measure(Path(folder), size)
        lines = tuple(lines_of(self.table, samples))
        counted, rounds = self.counted(size)
        run = summed_up(samples, lines, size=counted, rounds=rounds, server="SQLite")
        print_lines(lines, title=f"{self.title}, {run.machine}", headings=self.headings)
        write_json(lines, ROOT / "bench-out" / f"{self.name}.json")
        if options.write_docs:
            write_run(run, name=self.name)
            self.written.write_text(self.page(read_run(self.kept, table=self.table)), "utf-8")
        return 0 if all(line.holds for line in lines) else 1
