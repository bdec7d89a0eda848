"""`offramp worker`: one of as many processes as one likes that carry out what is due together.

Source: docs/decisions/019-workers.md; docs/architecture.md.
"""

import os
import sys

from offramp.cli.opening import open_worker
from offramp.cli.output import AsJson, guarded, show_text
from offramp.cli.run import Stop
from offramp.cli.service import Everybody, Listen, Log, watched
from offramp.core.errors import Unavailable
from offramp.engine.courier import carrying
from offramp.engine.worker import serve


@guarded
def worker(listen: Listen = None, log: Log = None, as_json: AsJson = False) -> None:
    """Carry out what is due together with other workers, until stopped."""
    stop, everybody = Stop(), Everybody()
    stop.listen()
    context, queue = open_worker(report=everybody, is_stopping=stop)
    watching = watched(context, everybody, listen=listen, log=log, as_json=as_json)
    with watching as service, carrying(context):

        def after_sweep(outage: Unavailable | None) -> None:
            service.pulse.beat()
            if outage is None:
                service.tell()
            else:
                service.tell_outage(outage)

        left = serve(context, queue, after_sweep=after_sweep)
    if left:
        show_text(f"{left} off-boardings were left to the other workers")
        sys.stdout.flush()
        # A thread in the middle of a long step would keep the process; its lease runs out now.
        os._exit(0)
