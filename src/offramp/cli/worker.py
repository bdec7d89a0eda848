"""`offramp worker`: one of as many processes as one likes that carry out what is due together.

Source: docs/decisions/019-workers.md; docs/architecture.md.
"""

import os
import sys
from collections.abc import Callable

from offramp.cli.opening import open_worker
from offramp.cli.output import AsJson, guarded, show_line, show_text
from offramp.cli.progress import Watcher
from offramp.cli.run import Stop, name_subjects, show_events
from offramp.core.errors import Unavailable
from offramp.engine.context import Context
from offramp.engine.worker import serve


@guarded
def worker(as_json: AsJson = False) -> None:
    """Carry out what is due together with other workers, until stopped."""
    stop, watcher = Stop(), Watcher()
    stop.listen()
    context, queue = open_worker(report=watcher, is_stopping=stop)
    left = serve(context, queue, after_sweep=_teller(context, watcher, as_json=as_json))
    if left:
        show_text(f"{left} off-boardings were left to the other workers")
        sys.stdout.flush()
        # A thread in the middle of a long step would keep the process; its lease runs out now.
        os._exit(0)


def _teller(context: Context, watcher: Watcher, *, as_json: bool) -> Callable[[], None]:
    """Print what was reported since the last time; during an outage of the store it waits."""

    def tell() -> None:
        try:
            told = name_subjects(context, watcher)
        except Unavailable:
            return
        if not as_json:
            show_events(told)
            return
        for line in told:
            show_line(line)

    return tell
