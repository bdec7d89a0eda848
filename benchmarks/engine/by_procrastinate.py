"""The same steps as jobs of Procrastinate: deferred in batches, carried out by one worker of it."""

import sys
from logging import ERROR, getLogger
from pathlib import Path

from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONDict
from psycopg.conninfo import make_conninfo

from benchmarks.child import report
from benchmarks.engine.claimed_at_once import CONCURRENCY, carry_by_id, claim_all
from benchmarks.engine.finish import Finish
from benchmarks.engine.ground import DUE_AT, Ground
from benchmarks.server import database_of, socket_folder_of
from offramp.engine.context import Context

# It has something to say about where an application should be made, which is meant for programs
# that import each other.
getLogger("procrastinate").setLevel(ERROR)


def main(url: str, folder: str, number: str) -> None:
    """Defer and work, and tell how long it took."""
    finish = Finish(int(number))
    place = make_conninfo(host=socket_folder_of(url), dbname=database_of(url), user="postgres")
    app = App(connector=PsycopgConnector(conninfo=place))
    with app.open():
        app.schema_manager.apply_schema()
    with Ground(url=url, folder=Path(folder)).worker(at=DUE_AT, report=finish) as (context, _):
        report(lambda: _work(app, context, finish))


def _work(app: App, context: Context, finish: Finish) -> int:
    @app.task(name="carry-out")
    def carry_out(offboarding: str) -> None:
        carry_by_id(context, offboarding)

    with app.open():
        for ids in claim_all(context):
            jobs: list[JSONDict] = [{"offboarding": each} for each in ids]
            carry_out.batch_defer(*jobs)
    app.run_worker(concurrency=CONCURRENCY, wait=False, install_signal_handlers=False)
    return finish.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
