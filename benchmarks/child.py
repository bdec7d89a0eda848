"""One erasure in a process of its own: its memory is its own, and it can be killed.

Prints two lines: when the deletion began, and, if it lived, when it ended and the most memory
that the process ever held. Both sides of the pipe read the same monotonic clock.
"""

import json
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from benchmarks.work import NOTHING_KNOWN, Work, open_work

_KIBIBYTE = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How long a child deleted, and what it held."""

    seconds: float
    peak_bytes: int


def run_child(url: str, *, store_url: str, whole: bool = False, dies_after: int = 0) -> Outcome:
    """Run a deletion, or the whole job, in another process.

    Args:
        url: the database.
        store_url: the database that holds the fence.
        whole: hand over first, and verify afterwards.
        dies_after: kill the process at this chunk; 0 lets it live.
    """
    arguments = [url, store_url, str(int(whole)), str(dies_after)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", *arguments],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    ended = monotonic()
    lines = done.stdout.splitlines()
    if dies_after:
        assert done.returncode == -signal.SIGKILL, "it dies at its chunk, and of nothing else"
        return Outcome(seconds=ended - float(lines[0]), peak_bytes=0)
    done.check_returncode()
    end = json.loads(lines[1])
    return Outcome(seconds=end["ended"] - float(lines[0]), peak_bytes=end["peak_bytes"])


def main(url: str, store_url: str, whole: str, dies_after: str) -> None:
    """Do what `run_child` asks for."""
    with open_work(url, store_url=store_url) as work, TemporaryDirectory() as folder:
        work.fence.dies_after = int(dies_after) or None
        if whole == "1":
            _do_everything(work, Path(folder))
        else:
            _say(monotonic())
            work.erase(NOTHING_KNOWN)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIBIBYTE
        _say(json.dumps({"ended": monotonic(), "peak_bytes": peak}))


def _do_everything(work: Work, folder: Path) -> None:
    tombstone = work.bury(work.export(folder).digests())
    _say(monotonic())
    work.erase(tombstone)
    work.verify(tombstone)


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
