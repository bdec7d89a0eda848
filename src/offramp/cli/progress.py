"""A bar on standard error for whatever takes longer than a second, fed by what the engine reports.

It is drawn on terminals only, and gone when the work is done; answers are printed afterwards.

Source: docs/cli.md; `engine.context.Context.report`.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.filesize import decimal
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from offramp.core.parcel import ParcelStatus
from offramp.ports import Happening

SILENT_SECONDS = 1.0
_VERBS: Mapping[str, str] = {
    "export": "exporting",
    "erase": "erasing",
    "import": "reading",
    "restore": "restoring",
}
# Of these a person is told by what comes of them, or by the error itself.
_SILENT = frozenset({Happening.SWEEP, Happening.CLAIM, Happening.UNAVAILABLE})


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[rows]}"),
        TextColumn("{task.fields[bytes]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not console.is_terminal,
    )


@dataclass(kw_only=True)
class Watcher:
    """Hears what the engine does: keeps it for printing, and draws it when it takes long."""

    events: deque[tuple[str, Mapping[str, object]]] = field(default_factory=deque)
    _progress: Progress | None = None
    _tasks: dict[str, TaskID] = field(default_factory=dict)
    _began: float = 0.0
    _steps: int = 0

    def __call__(self, event: str, facts: Mapping[str, object]) -> None:
        """Hear of one thing that happened."""
        if event in _VERBS:
            self._draw(
                f"{_VERBS[event]} {facts['table']}",
                facts["rows"],
                of=facts.get("of"),
                read_or_written=facts.get("bytes"),
            )
            return
        if event not in _SILENT and facts.get("status") != ParcelStatus.DELIVERED:
            self.events.append((event, facts))
        if event == "step":
            self._steps += 1
            self._draw("steps", self._steps)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Draw what happens inside of the block."""
        self._progress = _bar()
        self._began = self._progress.get_time()
        self._tasks.clear()
        self._steps = 0
        try:
            yield
        finally:
            self._progress.stop()
            self._progress = None

    def take(self) -> list[tuple[str, Mapping[str, object]]]:
        """Give what was kept since the last time."""
        # Other threads add at the end meanwhile; neither side ever waits, or loses one.
        return [self.events.popleft() for _ in range(len(self.events))]

    def _draw(
        self,
        description: str,
        count: object,
        *,
        of: object = None,
        read_or_written: object = None,
    ) -> None:
        bar = self._progress
        if bar is None or bar.disable or bar.get_time() - self._began < SILENT_SECONDS:
            return
        bar.start()
        if description not in self._tasks:
            self._tasks[description] = bar.add_task(description, total=None, rows="", bytes="")
        assert isinstance(count, int), "what is reported is a number of things"
        bar.update(
            self._tasks[description],
            completed=count,
            total=of if isinstance(of, int) else None,
            rows=told_rows(count, of=of),
            bytes=decimal(read_or_written) if isinstance(read_or_written, int) else "",
        )


def told_rows(rows: int, *, of: object) -> str:
    """Say how many rows there are so far, and of how many where that is known."""
    if not isinstance(of, int) or not of:
        return f"{rows:,}"
    # More than there were: some were written meanwhile.
    return f"{rows:,} of {max(rows, of):,} ({min(100, 100 * rows // of)} %)"
