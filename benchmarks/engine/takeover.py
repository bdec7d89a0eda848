"""How long a step is nobody's after the process that had it in hand was killed."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from benchmarks.child import ROOT
from benchmarks.engine.execution import prepare
from benchmarks.engine.ground import DATABASES, Ground, Place, fresh_ground
from benchmarks.flow import SidesDiffer

TAKEOVER = {database: f"takeover, {database}" for database in DATABASES}
BEGUN, SERVING, DONE = "begun", "serving", "done"


def take_over(place: Place, *, database: str) -> None:
    """Kill a worker in the middle of a step, and wait for its peer to have done it."""
    with fresh_ground(place, database) as ground:
        prepare(ground, 1)
        with _worker(ground, "stuck") as first:
            _wait_for(BEGUN, first)
            with _worker(ground, "sound") as second:
                _wait_for(SERVING, second)
                first.send_signal(signal.SIGKILL)
                killed = monotonic()
                _wait_for(DONE, second)
                place.samples.note(TAKEOVER[database], monotonic() - killed)


@contextmanager
def _worker(ground: Ground, order: str) -> Iterator[subprocess.Popen[str]]:
    program = [sys.executable, "-m", "benchmarks.engine.taking_over"]
    process = subprocess.Popen(
        [*program, *ground.order, str(ground.lease_seconds), order],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _wait_for(word: str, process: subprocess.Popen[str]) -> None:
    """Read what a worker says until it says a word."""
    assert process.stdout is not None, "it was asked to speak"
    if not any(line.strip() == word for line in process.stdout):
        raise SidesDiffer(f"a worker ended and was never {word}")
