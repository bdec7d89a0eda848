"""A worker as it is, that carries out what is due until all of it is done."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.child import report
from benchmarks.engine.finish import Finish
from benchmarks.engine.ground import DUE_AT, Ground
from offramp.core.errors import Unavailable
from offramp.engine.worker import serve


def main(url: str, folder: str, number: str) -> None:
    """Serve the queue, and tell how long it took from the start to the last receipt."""
    finish = Finish(int(number))
    ground = Ground(url=url, folder=Path(folder))
    with (
        ground.worker(at=DUE_AT, report=finish) as (context, queue),
        ThreadPoolExecutor() as threads,
    ):
        ending = replace(context, is_stopping=finish.is_reached)

        def work() -> int:
            served = threads.submit(serve, ending, queue, after_sweep=_tell_nobody)
            served.add_done_callback(finish.give_up)
            return finish.wait()

        report(work)


def _tell_nobody(outage: Unavailable | None) -> None:
    """Nobody watches."""


if __name__ == "__main__":
    main(*sys.argv[1:])
