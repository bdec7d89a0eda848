"""A worker that begins: it opens its store, joins the queue, and sweeps for the first time."""

import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks.child import report
from benchmarks.engine.ground import BEFORE, Ground
from offramp.engine.worker import Hands, Worker


def main(url: str, folder: str) -> None:
    """Begin, and tell how long it took."""
    with ExitStack() as serving:
        report(lambda: _begin(Ground(url=url, folder=Path(folder)), serving))


def _begin(ground: Ground, serving: ExitStack) -> int:
    context, queue = serving.enter_context(ground.worker(at=BEFORE))
    worker = Worker(context=context, queue=queue, hands=Hands(context))
    serving.enter_context(queue.serving(worker.hands.carry))
    return worker.sweep()


if __name__ == "__main__":
    main(*sys.argv[1:])
