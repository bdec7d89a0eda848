"""The same steps as plain workflows of DBOS, as its manual shows them: one queue, one step."""

import sys
from pathlib import Path

from dbos import DBOS

from benchmarks.child import report
from benchmarks.engine.claimed_at_once import CONCURRENCY, carry_by_id, claim_all
from benchmarks.engine.finish import Finish
from benchmarks.engine.ground import DUE_AT, Ground
from offramp.engine.context import Context

POLL_SECONDS = 0.1  # as ours; the default would let it wait for a second again and again


def main(url: str, folder: str, number: str) -> None:
    """Enqueue and work, and tell how long it took."""
    finish = Finish(int(number))
    DBOS(config={"name": "plain", "system_database_url": url, "log_level": "CRITICAL"})
    with Ground(url=url, folder=Path(folder)).worker(at=DUE_AT, report=finish) as (context, _):
        report(lambda: _work(context, finish))
    DBOS.destroy(destroy_registry=True)


def _work(context: Context, finish: Finish) -> int:
    @DBOS.step(name="carry-out")
    def carry_out(offboarding: str) -> None:
        carry_by_id(context, offboarding)

    @DBOS.workflow(name="leave")
    def leave(offboarding: str) -> None:
        carry_out(offboarding)

    DBOS.launch()
    queue = DBOS.register_queue(
        "plain", worker_concurrency=CONCURRENCY, polling_interval_sec=POLL_SECONDS
    )
    for ids in claim_all(context):
        for each in ids:
            queue.enqueue(leave, each)
    return finish.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
