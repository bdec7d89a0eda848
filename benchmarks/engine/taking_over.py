"""A worker that tells what it does, and that may stop for good in the middle of its first step."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

from benchmarks.engine.ground import Ground
from benchmarks.engine.takeover import BEGUN, DONE, SERVING
from offramp.core.transitions import StepStatus
from offramp.engine.worker import serve

LIFE_SECONDS = 120.0  # nobody who waits for it waits for longer


def main(url: str, folder: str, lease_seconds: str, order: str) -> None:
    """Serve the queue, in true time; as ``stuck`` never come to the end of a step."""
    ground = Ground(url=url, folder=Path(folder), lease_seconds=int(lease_seconds))
    until = monotonic() + LIFE_SECONDS
    with ground.worker(at=None, report=_tell_done) as (context, queue):
        probe = _stop_for_good if order == "stuck" else context.probe
        mortal = replace(context, probe=probe, is_stopping=lambda: monotonic() > until)
        serve(mortal, queue, after_sweep=lambda outage: _say(SERVING))


def _tell_done(event: str, facts: Mapping[str, object]) -> None:
    if event == "step" and facts["status"] == StepStatus.DONE:
        _say(DONE)


def _stop_for_good(point: str) -> None:
    if point == "started":
        _say(BEGUN)
        sleep(LIFE_SECONDS)


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
