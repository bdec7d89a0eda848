"""Plain workflows of DBOS, one for each organization, that sleep until a date.

They are coroutines, which start sooner than threads and take half their memory.
"""

import asyncio
import os
import sys
from threading import Thread

from dbos import DBOS

from benchmarks.child import report

SECONDS_MAX = 300.0
_SLEEP_SECONDS = 30 * 86_400.0
_LOOK_SECONDS = 0.05
_asleep = set[int]()


def main(url: str, number: str, order: str) -> None:
    """Let workflows sleep, new ones or those of the process before, and end as a deploy ends it."""
    DBOS(
        config={
            "name": "parked",
            "application_version": "1",
            "executor_id": "1",
            "system_database_url": url,
            "log_level": "CRITICAL",
        }
    )
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    parking = _park(int(number), is_new=order == "start")
    report(lambda: asyncio.run_coroutine_threadsafe(parking, loop).result(SECONDS_MAX))
    os._exit(0)


async def _park(number: int, *, is_new: bool) -> int:
    DBOS.launch()
    if is_new:
        for each in range(number):
            await DBOS.start_workflow_async(leave, each)
    while len(_asleep) < number:
        await asyncio.sleep(_LOOK_SECONDS)
    return len(_asleep)


@DBOS.workflow(name="leave")
async def leave(organization: int) -> None:
    """Wait for the date on which an organization leaves."""
    _asleep.add(organization)
    await DBOS.sleep_async(_SLEEP_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
