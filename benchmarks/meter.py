"""What work costs beside time: the processor seconds and the memory of everybody who did it.

Processor time is what can be compared on a machine that is shared; a wait for somebody else's turn
is not in it. It is counted for this process, for its children, and for the servers that work for
it. Memory is what a process has for itself: pages that it shares with others, as a server's
buffers, belong to nobody in particular.

Source: proc(5) on ``stat`` and ``status``.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import sleep

_PROCESSES = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_KIBIBYTE = 1024
_LOOK_SECONDS = 0.02
_SETTLE_SECONDS = 0.03  # for a moment nobody is charged for a process that has just ended
# Places in a line of ``stat`` behind the name of the program, which may hold anything.
_PARENT, _OWN, _WAITED_FOR = 1, slice(11, 13), slice(13, 15)


@dataclass(kw_only=True)
class Meter:
    """Counts the processor seconds of this process, its children, and servers."""

    servers: list[int] = field(default_factory=list)

    def seconds(self) -> float:
        """Give what was used up so far."""
        sleep(_SETTLE_SECONDS)
        own = os.times()
        used = own.user + own.system + own.children_user + own.children_system
        return used + sum(map(_server_seconds, self.servers))


@dataclass(kw_only=True)
class Peak:
    """The most that was seen."""

    size: int = 0


@contextmanager
def watching(size: Callable[[], int]) -> Iterator[Peak]:
    """Look at a size again and again for the length of the block."""
    peak, is_over = Peak(), Event()

    def look() -> None:
        while not is_over.wait(_LOOK_SECONDS):
            peak.size = max(peak.size, size())

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        is_over.set()
        watcher.join()


def parent_of(process: int) -> int:
    """Give the process that started another one."""
    return int(_stat(process)[_PARENT])


def children_of(process: int) -> list[int]:
    """List the processes that another one started and that live."""
    numbers = [int(entry.name) for entry in _PROCESSES.iterdir() if entry.name.isdigit()]
    return [number for number in numbers if (stat := _stat(number)) and _is_child(stat, process)]


def title_of(process: int) -> str:
    """Give what a process calls itself; nothing if it is gone."""
    return _read(process, "cmdline").replace("\0", " ")


def private_bytes(process: int) -> int:
    """Give the memory that a process shares with nobody; 0 if it is gone."""
    lines = _read(process, "status").splitlines()
    return sum(int(line.split()[1]) * _KIBIBYTE for line in lines if line.startswith("RssAnon:"))


def peak_bytes() -> int:
    """Give the most memory that this process has had since its program began.

    What `resource.getrusage` says counts the memory of the process that started it as well.
    """
    (line,) = (each for each in _read(os.getpid(), "status").splitlines() if "VmHWM:" in each)
    return int(line.split()[1]) * _KIBIBYTE


def _server_seconds(process: int) -> float:
    ticks = _ticks(_stat(process), _OWN, _WAITED_FOR)
    return (ticks + sum(_ticks(_stat(child), _OWN) for child in children_of(process))) / _TICKS


def _ticks(stat: Sequence[str], *places: slice) -> int:
    return sum(int(number) for place in places for number in stat[place])


def _is_child(stat: Sequence[str], process: int) -> bool:
    return int(stat[_PARENT]) == process


def _stat(process: int) -> list[str]:
    return _read(process, "stat").rpartition(")")[2].split()


def _read(process: int, name: str) -> str:
    try:
        return (_PROCESSES / str(process) / name).read_text("utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
