"""What a run says: each piece of work beside its yardstick, its ratio, and whether it is enough."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.table import Table

from benchmarks.rows import Ceiling, Row
from benchmarks.samples import CPU, Samples

_WIDTH_MIN = 132  # a file has no width, and the table needs one


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row as it came out; of a ceiling the baseline is the ceiling."""

    row: Row | Ceiling
    ours: float
    baseline: float
    ratio: float
    limit: float
    holds: bool
    cpu_ours: float | None = None
    cpu_baseline: float | None = None
    checks: float | None = None

    @property
    def name(self) -> str:
        """What was measured."""
        return self.row.name

    @property
    def verdict(self) -> str:
        """Say whether it is enough, or more than that."""
        beyond = self.row.beyond
        if beyond is not None and self._reached <= beyond:
            return "beyond"
        return "yes" if self.holds else "no"

    @property
    def _reached(self) -> float:
        return self.ours if isinstance(self.row, Ceiling) else self.ratio

    def cells(self) -> dict[str, str]:
        """Give the row as text, by heading."""
        row = self.row
        unit = f" {row.unit}"
        beyond = "" if row.beyond is None else f"{row.beyond:.3g}"
        cpu = _pair(self.cpu_ours, self.cpu_baseline)
        checks = "" if self.checks is None else f"{self.checks:,.0f}"
        if isinstance(row, Ceiling):
            limit, ratio, theirs = f"≤ {row.limit:g}{unit}", "", ""
        else:
            times = "" if row.limit == 1 else f"{row.limit:.3g} "
            limit, ratio = f"≤ {times}{row.by}", f"{self.ratio:.3g}"
            theirs = figure(self.baseline) + unit
        cells = (
            *(self.name, figure(self.ours) + unit, theirs),
            *(ratio, limit, beyond, self.verdict, cpu, checks),
        )
        return dict(zip(HEADINGS, cells, strict=True))


WAITS = ("p50", "p99", "max")
HEADINGS = ("work", "Offramp", "by hand", "ratio", "limit", "beyond", "holds", "CPU", "checks")
ALL_HEADINGS = MappingProxyType({heading: heading for heading in HEADINGS})


def lines_of(rows: Sequence[Row | Ceiling], samples: Samples) -> Iterator[Line]:
    """Sum up the rounds, row by row."""
    for row in rows:
        yield _ceiling(row, samples) if isinstance(row, Ceiling) else _comparison(row, samples)


def print_lines(
    lines: Sequence[Line], *, title: str, headings: Mapping[str, str] = ALL_HEADINGS
) -> None:
    """Show the table to a person: some cells of each line, under headings."""
    console = Console(width=max(Console().width, _WIDTH_MIN))
    table = Table(title=title, title_justify="left", highlight=True)
    for cell, heading in headings.items():
        is_word = cell in ("work", "holds")
        table.add_column(heading, justify="left" if is_word else "right", no_wrap=not is_word)
    for line in lines:
        cells = line.cells()
        table.add_row(*map(cells.__getitem__, headings), style="" if line.holds else "red")
    console.print(table)


def print_waits(middles: Mapping[str, float]) -> None:
    """Show what others noticed of each phase, if they were asked."""
    phases = [name.removeprefix("p99 ") for name in middles if name.startswith("p99 ")]
    measured = [phase for phase in phases if f"p50 {phase}" in middles]
    if measured:
        table = Table(title="Others' transactions, ms", title_justify="left")
        for heading in ("", *WAITS):
            table.add_column(heading, justify="right" if heading else "left")
        for phase in measured:
            table.add_row(phase, *(figure(middles[f"{kind} {phase}"]) for kind in WAITS))
        Console().print(table)


def write_json(lines: Sequence[Line], file: Path) -> None:
    """Leave the table to programs."""
    file.parent.mkdir(exist_ok=True)
    names = ("name", "ours", "baseline", "ratio", "limit", "holds")
    kept = [{name: getattr(line, name) for name in names} for line in lines]
    file.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")


def figure(number: float) -> str:
    """Write a number with the digits that mean something."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _ceiling(row: Ceiling, samples: Samples) -> Line:
    ours = samples.middle((row.ours,))
    ratio = round(ours / row.limit, 2)
    return Line(
        row=row,
        ours=round(ours, 3),
        baseline=row.limit,
        ratio=ratio,
        limit=1.0,
        holds=ratio <= 1,
    )


def _comparison(row: Row, samples: Samples) -> Line:
    ratio = _rounded(samples.ratio(row.ours, row.baseline))
    ours, baseline = (_with_cpu(names) for names in (row.ours, row.baseline))
    has_cpu = samples.knows(ours) and samples.knows(baseline)
    has_checks = row.is_deletion and samples.knows(("checks",))
    return Line(
        row=row,
        ours=_rounded(samples.middle(row.ours)),
        baseline=_rounded(samples.middle(row.baseline)),
        ratio=ratio,
        limit=row.limit,
        holds=ratio <= row.limit,
        cpu_ours=_rounded(samples.middle(ours)) if has_cpu else None,
        cpu_baseline=_rounded(samples.middle(baseline)) if has_cpu else None,
        checks=samples.middle(("checks",)) if has_checks else None,
    )


def _with_cpu(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name + CPU for name in names)


def _rounded(number: float) -> float:
    """Round to what is worth telling: two places, and three digits of what is smaller."""
    return round(number, 3) if abs(number) >= 0.1 else float(f"{number:.3g}")


def _pair(ours: float | None, theirs: float | None) -> str:
    if ours is None or not theirs:
        return ""
    return f"{ours:.2f} / {theirs:.2f} = {ours / theirs:.2f}"
