"""docs/performance.md, written from a run: what was measured, how, and what was not."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import Line, markdown

_PAGE = """\
# Performance

This page is written by `python3 dev.py bench data --write-docs`. It holds what one run printed:
{size} of one organization among two hundred, medians of {rounds} interleaved rounds,
{machine}. The limits are what was set out to be reached; a row
that says **no** does not reach it yet.

{table}
**By hand** is what somebody who knows this one schema would write, in `benchmarks/yardstick.py`:

- **A**: every row as a line of JSON by `COPY`, hashed by SHA-256, into one synced file.
- **D**: `DELETE` children first, all in one transaction, which holds its locks to the end.
- **H**: one `UPDATE` for each table with HMAC-SHA-256 in SQL (the key then stands in the server's
  logs; Offramp computes it outside).
- **V**: one search of the text of every row of every table.

Offramp does the same work for a schema that it has never seen: it checks its map against the live
catalog, deletes in chunks of short transactions, holds a fence in a second database during each of
them, and can be killed at any moment. The whole job is export, tombstone, deletion, and
verification by references; its search for marks in the texts of all organizations is the row
below that, timed on both sides by a second reading, because the first one after a deletion tidies
up after it. Both sides run on fresh clones of one database, on a durable server (`fsync` on), and
each round checks that both did the same work. Row 9 is the peak of a process that does the whole
job. Offramp keeps two processes busy, so that other work on the machine slows it down more than
what is written by hand: on a busy machine the ratios come out higher than on a quiet one.

## Not measured here

These rows of the table of speeds to reach are not part of this run:

- 4: deletion over two connections; Offramp uses one.
- 5: checks of references by set, for a role that may switch off triggers; Offramp does not.
- 8: the latency of other organizations meanwhile.
- 9: the memory of the server, and more than the rows of this run.
- 14: MariaDB, which is not supported.
- 15: deletion by Django and by SQLAlchemy's ORM.

## Measure it yourself

```
python3 dev.py bench data                 100,000 rows, five rounds
python3 dev.py bench data --rows 1e6      a million
python3 dev.py bench data --quick         one round
python3 dev.py bench data --only 3 6      two rows of the table alone, in seconds
```

The run ends with 1 when a limit is not held, and leaves its figures in `bench-out/data.json`.
"""


def write_page(file: Path, lines: Sequence[Line], *, size: str, rounds: int, on: str) -> None:
    """Write the page of the documentation."""
    table = markdown(lines)
    file.write_text(_PAGE.format(size=size, rounds=rounds, machine=on, table=table), "utf-8")
