"""One run of the suite, kept as a file, from which the documentation is written.

There is one file for each size, in `benchmarks/results`; a run with ``--write-docs`` replaces that
of its size.
"""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.report import Line
from benchmarks.rows import ROWS, Ceiling, Row
from benchmarks.samples import Samples

RESULTS = Path(__file__).parent / "results"
SIZES = (10**5, 10**6, 10**7)
_GIBIBYTE = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was found at one size.

    Attributes:
        size: the number of rows that was asked for; the large organization has about so many.
        middles: the median of every number that was measured, by name.
    """

    size: int
    rounds: int
    machine: str
    lines: tuple[Line, ...]
    middles: dict[str, float]


def summed_up(
    samples: Samples, lines: tuple[Line, ...], *, size: int, rounds: int, server: str
) -> Run:
    """Keep what a run found, and on which machine."""
    middles = {name: _short(median(seen)) for name, seen in samples.numbers.items()}
    return Run(
        size=size,
        rounds=rounds,
        machine=_machine(server),
        lines=lines,
        middles=dict(sorted(middles.items())),
    )


def write_run(run: Run, folder: Path = RESULTS, *, name: str | None = None) -> None:
    """Put a run in the place of the last one of its size, or of its name."""
    folder.mkdir(exist_ok=True)
    kept = {
        **asdict(run),
        "lines": [_without_row(line) for line in run.lines],
    }
    file = folder / f"{name or run.size}.json"
    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def read_runs(folder: Path = RESULTS) -> list[Run]:
    """Read the last run of each size, the smallest first."""
    files = sorted(folder.glob("[0-9]*.json"), key=lambda file: int(file.stem))
    return [read_run(file, table=ROWS) for file in files]


def read_run(file: Path, *, table: Sequence[Row | Ceiling]) -> Run:
    """Read one run, whose lines are rows of a table."""
    kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
    rows = {row.name: row for row in table}
    lines = tuple(Line(row=rows[line.pop("name")], **line) for line in kept.pop("lines"))
    return Run(**kept, lines=lines)


def measured_rows(runs: Sequence[Run]) -> list[str]:
    """Name the rows of the table that any of these runs has, in the order of the table."""
    measured = {line.name for run in runs for line in run.lines}
    return [row.name for row in ROWS if row.name in measured]


def _without_row(line: Line) -> dict[str, Any]:
    values = {each.name: getattr(line, each.name) for each in fields(line) if each.name != "row"}
    return {"name": line.name, **values}


def _machine(server: str) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIBIBYTE
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GB of memory, {platform.system()},"
        f" Python {platform.python_version()}, {server}"
    )


def _short(number: float) -> float:
    return float(f"{number:.6g}")
