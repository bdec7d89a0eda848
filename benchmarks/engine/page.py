"""docs/performance-engine.md, written from the run that was kept."""

from benchmarks.engine.claimed_at_once import CONCURRENCY
from benchmarks.engine.execution import DBOS_WORKFLOWS, EXECUTION, OTHERS, PROCRASTINATE
from benchmarks.engine.fan_out import FAN_OUT
from benchmarks.engine.ground import POSTGRES, SQLITE
from benchmarks.engine.rows import HEADINGS
from benchmarks.engine.schedule import ADMISSION, IDLE
from benchmarks.engine.takeover import TAKEOVER
from benchmarks.page import RIGHT, in_full, piped, rule
from benchmarks.report import figure
from benchmarks.run import Run

_HEAD = """\
# Performance of the engine

Measured, not estimated: `python3 dev.py bench engine` fills stores on PostgreSQL and SQLite, sweeps
them, lets worker processes carry out what is due, and kills one of them; jobs of Procrastinate and
plain workflows of DBOS Transact do the same work beside it, in the same run. How fast data is
exported and deleted is on [a page of its own](performance.md). This page is written by such a run,
with `--write-docs`; nothing in it is typed.

"""

_HOW = """\
## What is compared

1. **A look at the schedule** while {scheduled} off-boardings are open ({scheduled_in_file} on
   SQLite) and none of them is due: the claim that a worker makes every fifth of a second.
2. **Admission**: all of them are due at one midnight. Two processes (one on SQLite, with
   {admitted_in_file}) claim them, {claims} at a time, and write them to the queue, each batch in
   one transaction, until none is left. What people may do at that midnight does not wait for it.
3. **Fan-out**: one organization has {members} members, and a notice becomes one delivery for each.
4. **One step**: {steps} off-boardings are due with one step each, the announcement that a stage has
   begun. One process carries them out, {concurrency} at once, from its start to the last receipt.
   Beside it, the same handler is called by a worker of Procrastinate, and by a step in a workflow
   of DBOS, with the same concurrency. Both are given the claims in batches, as they take them;
   neither keeps leases meanwhile, nor takes its work up as an attempt of its own, which a worker
   does besides.
5. **Takeover**: of two worker processes one is killed (`kill -9`) in the middle of a step; measured
   is the time from there to the receipt that the other one writes. A lease is {lease_seconds}
   seconds.
6. **Parking**: {parked} organizations wait for a date. Offramp keeps a row for each, and a process
   that starts has nothing to do for them; a workflow for each sleeps in a process, and is recovered
   by the next one whenever the application is deployed. They are coroutines, which need less memory
   than threads.

A row with a number in **beside** is a comparison, and its ratio is what has to hold; the others may
not pass a limit of their own.

## How

- PostgreSQL: one that is started for the run and durable (`fsync`, `synchronous_commit` and
  `full_page_writes` on), 1 GB of shared buffers. SQLite: one file in WAL mode, as Offramp opens it.
- Each piece of work has a database of its own, filled by the set, vacuumed and analyzed.
- Every process that is measured is a real one, with its own connections. Its imports are not
  counted; that it opens its store and joins its queue is.
- Work counts when its receipts are in the store. A side that did less than the other stops the run.
- Nothing is repeated, but for the look at the schedule, which is the median of 25.

## What is not measured

- A network between workers and PostgreSQL: all are on one machine, and take turns on its cores.
- Mail and data: a step that writes to people or deletes rows takes as long as they take.
- Queues that know neither Python nor PostgreSQL.

## Measure it yourself

```
python3 dev.py bench engine               minutes; some GB of disk
python3 dev.py bench engine --quick       small sizes, in which the start of processes weighs more
python3 dev.py bench engine --only 3 5    some rows of the table alone
```

The run ends with 1 when a limit is not held, and leaves its figures in `bench-out/engine.json`.
"""


def page(run: Run) -> str:
    """Write the page of the documentation."""
    sizes = {name: f"{number:,.0f}" for name, number in run.middles.items()}
    parts = [
        f"{_HEAD}{run.machine}.\n",
        "## In short\n\n" + _in_short(run),
        "## In full\n\n" + in_full(run, HEADINGS),
        _HOW.format_map({**sizes, "concurrency": CONCURRENCY}),
    ]
    return "\n".join(parts)


def _in_short(run: Run) -> str:
    rows = [
        ("a look at the schedule, ms", [_middle(run, IDLE[each]) for each in (POSTGRES, SQLITE)]),
        (
            "off-boardings admitted in a second",
            [_a_second(run, ADMISSION[each], unit=1e6) for each in (POSTGRES, SQLITE)],
        ),
        (
            "deliveries made in a second",
            [_a_second(run, FAN_OUT[each], unit=1e6) for each in (POSTGRES, SQLITE)],
        ),
        (
            "steps done in a second, by one process",
            [_a_second(run, EXECUTION[each], unit=1e3) for each in (POSTGRES, SQLITE)],
        ),
        *(
            (
                f"the same, by {name}",
                [_a_second(run, OTHERS[name], unit=1e3), ""],
            )
            for name in (PROCRASTINATE, DBOS_WORKFLOWS)
        ),
        (
            "seconds until the step of a killed process is done",
            [_middle(run, TAKEOVER[each]) for each in (POSTGRES, SQLITE)],
        ),
    ]
    head = [piped(["", POSTGRES, SQLITE]), rule("---", RIGHT, RIGHT)]
    return "\n".join([*head, *(piped([name, *cells]) for name, cells in rows)]) + "\n"


def _a_second(run: Run, name: str, *, unit: float) -> str:
    return figure(unit / run.middles[name]) if name in run.middles else ""


def _middle(run: Run, name: str) -> str:
    return figure(run.middles[name]) if name in run.middles else ""
