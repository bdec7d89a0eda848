"""Work in a process of its own: its memory is its own, and it can be killed.

A child prints one line of JSON when its work begins, and, if it lived, one when it is done. Both
sides of the pipe read the same monotonic clock.
"""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from benchmarks.meter import peak_bytes
from benchmarks.work import NOTHING_KNOWN, Work, open_work
from offramp.data.erasure.tombstone import Tombstone

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How long a child worked, what it held, and how many things it did."""

    seconds: float
    peak_bytes: int
    count: int


def run_child(module: str, *arguments: str, is_killed: bool = False) -> Outcome:
    """Run a module of this package to its end, which may be a violent one.

    Args:
        module: it calls `report` around its work.
        arguments: what it is told.
        is_killed: it is to kill itself; then its memory and its count are not known.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    ended = monotonic()
    began, *rest = done.stdout.splitlines()
    if is_killed:
        assert done.returncode == -signal.SIGKILL, "it dies at its chunk, and of nothing else"
        return Outcome(seconds=ended - float(began), peak_bytes=0, count=0)
    done.check_returncode()
    return Outcome(**json.loads(rest[0]))


def report(work: Callable[[], int]) -> None:
    """Run the work of a child, which gives a count, and tell the parent about it."""
    began = monotonic()
    _say(began)
    count = work()
    seconds = monotonic() - began
    peak = peak_bytes()
    _say(json.dumps(asdict(Outcome(seconds=seconds, peak_bytes=peak, count=count))))


def main(order: str, url: str, store_url: str, folder: str) -> None:
    """Delete, or do the whole job; the count is that of the chunks.

    Args:
        order: ``delete``, ``whole`` (hand over first, and verify afterwards), ``rest`` (delete
            what another process left), or the number of the chunk at which the process kills
            itself.
        url: the database.
        store_url: the database that holds the fence.
        folder: where the tombstone is kept for another process that goes on.
    """
    kept = Path(folder) / "tombstone.json"
    with open_work(url, store_url=store_url, goes_on=order == "rest") as work:
        if order.isdecimal():
            work.fence.dies_after = int(order)
        if order == "whole":
            report(lambda: _do_everything(work, Path(folder)))
        elif order == "rest":
            report(lambda: _go_on(work, Tombstone.model_validate_json(kept.read_bytes())))
        else:
            tombstone = work.prepare()
            kept.write_text(tombstone.model_dump_json(), "utf-8")
            report(lambda: _delete(work, tombstone))


def _delete(work: Work, tombstone: Tombstone) -> int:
    work.erase(tombstone)
    return len(work.fence.seconds)


def _go_on(work: Work, tombstone: Tombstone) -> int:
    work.erase(NOTHING_KNOWN, finished=tombstone.finished(work.fence.erased_rows()))
    return len(work.fence.seconds)


def _do_everything(work: Work, folder: Path) -> int:
    tombstone = work.bury(work.export(folder).digests())
    work.erase(tombstone)
    work.verify(tombstone)
    return len(work.fence.seconds)


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
