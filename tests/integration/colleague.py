"""A process that serves the same queue for a moment, and prints whose tickets it was given."""

import sys
import time

from offramp.adapters.dispatch_dbos import DbosQueue
from offramp.adapters.store.connection import connect

SECONDS = 3.0


def main(url, executor_id):
    engine = connect(url)
    arrived = []
    with DbosQueue(engine, executor_id=executor_id, concurrency=8).serving(arrived.append):
        time.sleep(SECONDS)
    engine.dispose()
    sys.stdout.write("\n".join(ticket.offboarding for ticket in arrived))


if __name__ == "__main__":
    main(*sys.argv[1:])
