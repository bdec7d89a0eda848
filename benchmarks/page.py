"""docs/performance.md, written from the last run of each size: what was measured, how, what not."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from benchmarks.habits import HABITS
from benchmarks.meanwhile import PHASES
from benchmarks.report import HEADINGS, WAITS, Line, figure
from benchmarks.rows import JOB, Ceiling
from benchmarks.run import SIZES, Run, measured_rows

_HEAD = """\
# Performance

Measured, not estimated: `python3 dev.py bench data` builds a database of two hundred organizations,
lets Offramp and SQL that was written by hand for that one schema hand over and delete the same
large organization, and puts both times beside one another. This page is written by such runs, with
`--write-docs`; nothing in it is typed.

"""

_HOW = """\
## What is compared

**By hand** is what somebody who knows this one schema writes, in `benchmarks/yardstick.py`:

- **A**: every row as a line of JSON by `COPY`, hashed by SHA-256, into one synced file.
- **D**: `DELETE` children first, all in one transaction, which holds its locks to the end.
- **H**: one `UPDATE` for each table with HMAC-SHA-256 in SQL (the key then stands in the server's
  logs; Offramp computes it outside).
- **K**: a list of every row that stays, with the date from which its end is counted.
- **V**: one search of the text of every row of every table.

**Offramp** does the same work for a schema that it has never seen. It checks its map against the
live catalog, deletes in chunks of short transactions, holds a fence in a second database during
each of them, can be killed at any moment, and proves that nothing is left. It is an ordinary role
with the rights to read, update and delete. The whole job is export, tombstone, deletion, and
verification by references; its search for marks in the texts of all organizations is a row of its
own, timed on both sides by a second reading, because the first one after a deletion tidies up
after it.

**Beyond** is the ratio that would be better than what was set out to be reached.

**CPU** is the processor time of client and server together, Offramp's beside that by hand, and
their ratio. It is what can be compared on a machine that somebody else uses too.

**Checks** is what a deletion costs more than its rows: for each deleted row and each foreign key
that points at its table, the database asks whether the row is still referred to.

## How

- The database: seventeen tables, composite keys, a cycle, a table that refers to itself; every
  reference indexed and enforced. Thirty organizations have a tenth of the large one's rows, twenty
  three hundredths, the others next to none. Rows lie on the disk in the order of time, so that
  each page holds rows of many organizations.
- The server: one that is started for the run and durable (`fsync`, `synchronous_commit` and
  `full_page_writes` on), 1 GB of shared buffers, no autovacuum, so that both sides meet the same.
- Each piece of work begins on a fresh copy of the database, after a checkpoint. Which side goes
  first changes from round to round; a ratio is the median of the rounds' own ratios.
- Both sides are connected when the clock begins, and Offramp has read the catalog once before, as
  a worker that is at work has; it reads it again in each part of a job. Both have read every row
  just before they delete them.
- Offramp deletes over two connections, as it does unless it is told otherwise, where a row or a run
  does not say one. By hand there is one.
- Both sides have to have handed over and deleted the same rows, table by table, or the run stops.
- Memory is the peak of a process that does the whole job, and of the server's processes for it
  without the buffers that they share.
- Others are pgbench with {rate} transactions a second in an open loop, which read and write rows of
  small organizations: four reads, two inserts, one update each. A wait counts from the moment at
  which a transaction was due. Idle is the same traffic with nobody leaving.
- Django, SQLAlchemy and the deletion row by row run on smaller organizations of the same database,
  a tenth and three hundredths of the large one, since the large one would take them minutes. What
  is compared is the time for one row. They export and delete; they neither prove nor verify. Row
  by row is the style of platforms for privacy requests: each row is read, masked where it names a
  person, deleted, and noted in a log, by a transaction for each step.

## What is not measured

- A network between Offramp and the database: both are on one machine, and take turns on its cores.
- A database that is larger than the machine's memory, and a disk that others use.
- A schema with more references than this one. Look at the checks, not at the rows.

## Measure it yourself

```
python3 dev.py bench data                 100,000 rows, five rounds
python3 dev.py bench data --rows 1e6      a million, three rounds
python3 dev.py bench data --rows 1e7      ten million, one round; 40 GB of disk
python3 dev.py bench data --quick         one round
python3 dev.py bench data --only 3 6      two rows of the table alone, in seconds
```

The run ends with 1 when a limit is not held, and leaves its figures in `bench-out/data.json`.
"""

RIGHT = "--:"


def page(runs: Sequence[Run], *, rate: int) -> str:
    """Write the page of the documentation."""
    missing = [f"{size:,}" for size in SIZES if size not in {run.size for run in runs}]
    note = f"Not measured yet: {', '.join(missing)} rows.\n\n" if missing else ""
    machine = "\n".join(
        f"- {run.middles['rows']:,.0f} rows: medians of {run.rounds} rounds; {run.machine}."
        if run.rounds > 1
        else f"- {run.middles['rows']:,.0f} rows: one round; {run.machine}."
        for run in runs
    )
    parts = [
        _HEAD + machine + "\n\n" + note,
        "## In short\n\n" + _in_short(runs),
        "## Beside SQL by hand, size by size\n\n"
        "![Every row of the table against its limit](images/performance.svg)\n\n"
        "The same as figures: ratios, where there is a yardstick; **bold** does not hold its limit."
        "\n\n" + _ratios(runs),
        *(_in_full(run) for run in runs),
        "## What others notice\n\n" + _others(runs),
        "## Beside what people do today\n\n" + _habits(runs),
        _HOW.format(rate=rate),
    ]
    return "\n".join(parts)


def _in_short(runs: Sequence[Run]) -> str:
    rows: dict[str, Callable[[Run], str]] = {
        "export, rows a second": lambda run: _speed(run, ("export",)),
        "deletion, rows a second": lambda run: _speed(run, ("erase",)),
        "whole job, rows a second": lambda run: _speed(run, JOB),
        "longest that a row is locked, s": lambda run: _middle(run, "longest"),
        "others' slowest hundredth during the deletion, ms": lambda run: _middle(run, "p99 delete"),
        "memory of Offramp, MB": lambda run: _middle(run, "peak MB"),
        "memory of the server for it, MB": lambda run: _middle(run, "server peak MB"),
    }
    return _by_size(runs, ((name, [cell(run) for run in runs]) for name, cell in rows.items()))


def _ratios(runs: Sequence[Run]) -> str:
    found = [{line.name: line for line in run.lines} for run in runs]

    def rows() -> Iterator[tuple[str, list[str]]]:
        for name in measured_rows(runs):
            lines = [by_name.get(name) for by_name in found]
            limit = next(line for line in lines if line is not None).cells()["limit"]
            yield name, [limit, *map(_verdict, lines)]

    return _by_size(runs, rows(), before=["limit"])


def _verdict(line: Line | None) -> str:
    if line is None:
        return ""
    value = figure(line.ours) if isinstance(line.row, Ceiling) else f"{line.ratio:.3g}"
    return value if line.holds else f"**{value}**"


def _in_full(run: Run) -> str:
    head = [
        f"### {run.middles['rows']:,.0f} rows",
        "",
        piped(HEADINGS),
        rule("---", *[RIGHT] * 5, "---", RIGHT, RIGHT),
    ]
    return "\n".join([*head, *(piped(line.cells().values()) for line in run.lines)]) + "\n"


def _others(runs: Sequence[Run]) -> str:
    """Tell the median, the slowest hundredth and the slowest of each phase."""

    def cell(run: Run, phase: str) -> str:
        return " / ".join(_middle(run, f"{kind} {phase}") for kind in WAITS)

    text = (
        "Milliseconds: half of them, ninety-nine of a hundred, and all of them were faster than\n\n"
    )
    rows = ((phase, [cell(run, phase) for run in runs]) for phase in ("idle", *PHASES))
    return text + _by_size(runs, rows)


def _habits(runs: Sequence[Run]) -> str:
    """Tell what one row costs each of them."""

    def cell(run: Run, habit: str) -> str:
        if habit not in run.middles:
            return ""
        theirs, ours = run.middles[habit], run.middles["job for a row"]
        held = _middle(run, f"{habit} peak MB")
        return f"{figure(theirs)} µs, {theirs / ours:.3g} times ours, {held} MB"

    ours = ("Offramp", [f"{_middle(run, 'job for a row')} µs" for run in runs])
    rows = ((habit, [cell(run, habit) for run in runs]) for habit in HABITS)
    return "The whole job for one row.\n\n" + _by_size(runs, [ours, *rows])


def _by_size(
    runs: Sequence[Run],
    rows: Iterator[tuple[str, list[str]]] | Sequence[tuple[str, list[str]]],
    *,
    before: Sequence[str] = (),
) -> str:
    sizes = [f"{run.middles['rows']:,.0f} rows" for run in runs]
    head = [
        piped(["", *before, *sizes]),
        rule("---", *[RIGHT] * (len(before) + len(sizes))),
    ]
    return "\n".join([*head, *(piped([name, *cells]) for name, cells in rows)]) + "\n"


def _speed(run: Run, names: Sequence[str]) -> str:
    if not all(name in run.middles for name in names):
        return ""
    return f"{run.middles['rows'] / sum(run.middles[name] for name in names):,.0f}"


def _middle(run: Run, name: str) -> str:
    return figure(run.middles[name]) if name in run.middles else ""


def in_full(run: Run, headings: Mapping[str, str]) -> str:
    """Write every line of a run as a table: its name, its numbers, and a word at the end."""
    head = [piped(headings.values()), rule("---", *[RIGHT] * (len(headings) - 2), "---")]
    lines = [line.cells() for line in run.lines]
    body = [piped(map(cells.__getitem__, headings)) for cells in lines]
    return "\n".join([*head, *body]) + "\n"


def piped(cells: Iterable[str]) -> str:
    """Write a row of a table."""
    return f"| {' | '.join(cells)} |"


def rule(*places: str) -> str:
    """Write the line between the headings of a table and its rows."""
    return f"|{'|'.join(places)}|"
