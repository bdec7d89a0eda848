"""A process that claims what is due and enqueues it, until nothing is left."""

import sys
from pathlib import Path

from benchmarks.child import report
from benchmarks.engine.ground import DUE_AT, Ground
from offramp.engine.context import Context
from offramp.engine.worker import admit
from offramp.ports import WorkQueue


def main(url: str, folder: str, claims: str) -> None:
    """Admit, and tell how many."""
    with Ground(url=url, folder=Path(folder)).worker(at=DUE_AT) as (context, queue):
        report(lambda: admit_all(context, queue, claims=int(claims)))


def admit_all(context: Context, queue: WorkQueue, *, claims: int) -> int:
    """Admit batch after batch; gives the sum."""
    admitted = 0
    while batch := admit(context, queue, limit=claims):
        admitted += batch
    return admitted


if __name__ == "__main__":
    main(*sys.argv[1:])
