"""What a run says: each piece of work beside its yardstick, its ratio, and whether it is enough."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.samples import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One row of the table of speeds to reach: sums of samples, and how far apart they may be."""

    name: str
    ours: tuple[str, ...]
    baseline: tuple[str, ...]
    limit: float
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """One row that has no yardstick: a number that may not be passed."""

    name: str
    ours: str
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row as it came out; of a ceiling the baseline is the ceiling."""

    name: str
    ours: float
    baseline: float
    ratio: float
    limit: float
    holds: bool


_JOB = ("export", "tombstone", "erase", "references")

ROWS: tuple[Comparison | Ceiling, ...] = (
    Comparison(name="1 export", ours=("export",), baseline=("A",), limit=1.5, by="A"),
    Comparison(name="2 hash of rows that stay", ours=("hash",), baseline=("H",), limit=2, by="H"),
    Comparison(
        name="3 delete, one connection", ours=("erase",), baseline=("D",), limit=1.35, by="D"
    ),
    Comparison(name="6 whole job", ours=_JOB, baseline=("A", "D"), limit=1.35, by="A + D"),
    Comparison(
        name="6b whole job, export proved just before deletion",
        ours=(*_JOB, "digest"),
        baseline=("A", "A", "D"),
        limit=1.35,
        by="2 A + D",
    ),
    Ceiling(name="7 longest transaction, s", ours="longest", most=0.5),
    Ceiling(name="9 memory of the client, MB", ours="peak MB", most=200),
    Comparison(
        name="10 write-ahead log of the deletion, MB",
        ours=("written MB",),
        baseline=("D written MB",),
        limit=1.05,
        by="D",
    ),
    Comparison(
        name="11 verify by references", ours=("references",), baseline=("D",), limit=0.3, by="D"
    ),
    Comparison(name="11 verify by text scan", ours=("scan",), baseline=("V",), limit=1.5, by="V"),
    Comparison(
        name="12 killed half way and run again",
        ours=("killed",),
        baseline=("unbroken",),
        limit=1.2,
        by="unbroken",
    ),
    Comparison(
        name="13 SQLite export", ours=("SQLite export",), baseline=("SQLite A",), limit=2, by="A"
    ),
    Comparison(
        name="13 SQLite delete", ours=("SQLite erase",), baseline=("SQLite D",), limit=1.3, by="D"
    ),
)


def lines_of(samples: Samples) -> Iterator[Line]:
    """Sum up the rounds, row by row."""
    for row in ROWS:
        if isinstance(row, Ceiling):
            ours, baseline, limit = samples.middle((row.ours,)), row.most, 1.0
            ratio = ours / baseline
        else:
            ours, baseline = samples.middle(row.ours), samples.middle(row.baseline)
            ratio, limit = samples.ratio(row.ours, row.baseline), row.limit
        yield Line(
            name=row.name,
            ours=round(ours, 3),
            baseline=round(baseline, 3),
            ratio=round(ratio, 2),
            limit=limit,
            holds=round(ratio, 2) <= limit,
        )


def print_lines(lines: Sequence[Line], *, title: str) -> None:
    """Show the table to a person."""
    table = Table(title=title, title_justify="left")
    table.add_column("work")
    for heading in ("ours", "by hand", "ratio", "limit"):
        table.add_column(heading, justify="right")
    table.add_column("holds")
    for line, row in zip(lines, ROWS, strict=True):
        table.add_row(line.name, *_cells(line, row), "yes" if line.holds else "[red]no[/red]")
    Console().print(table)


def write_json(lines: Sequence[Line], file: Path) -> None:
    """Leave the table to programs."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps([asdict(line) for line in lines], indent=2) + "\n", "utf-8")


def markdown(lines: Sequence[Line]) -> str:
    """Give the table to the documentation."""
    rows = [
        f"| {line.name} | {' | '.join(_cells(line, row))} | {'yes' if line.holds else '**no**'} |"
        for line, row in zip(lines, ROWS, strict=True)
    ]
    head = ["| work | Offramp | by hand | ratio | limit | holds |", "|---|--:|--:|--:|--:|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _cells(line: Line, row: Comparison | Ceiling) -> tuple[str, str, str, str]:
    if isinstance(row, Ceiling):
        return _figure(line.ours), "", "", f"≤ {_figure(row.most)}"
    ratio, limit = f"{line.ratio:.2f}", f"≤ {row.limit:g} {row.by}"
    return _figure(line.ours), _figure(line.baseline), ratio, limit


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
