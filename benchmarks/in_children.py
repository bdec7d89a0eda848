"""The flows that need a process of their own: what a job holds in memory, and what a kill costs."""

from contextlib import nullcontext

from benchmarks import yardstick
from benchmarks.child import run_child
from benchmarks.flow import Flow, Place, SidesDiffer, Step
from benchmarks.load import LARGE
from benchmarks.meter import children_of, private_bytes, title_of, watching
from benchmarks.server import clone, connect, database_of

_CHILD = "benchmarks.child"


def hold(place: Place) -> None:
    """Do the whole job, and see what it and the server's processes for it hold at most."""
    with clone(place.base_url, place.template) as url:
        database = f" {database_of(url)} "

        def held_by_server() -> int:
            working = (child for child in children_of(place.server) if database in title_of(child))
            return sum(map(private_bytes, working))

        with watching(held_by_server) as peak:
            outcome = run_child(_CHILD, "whole", url, place.base_url, str(place.folder))
    place.samples.note("peak MB", outcome.peak_bytes / 1e6)
    place.samples.note("server peak MB", peak.size / 1e6)


def recover(place: Place) -> None:
    """Delete in peace, and on another copy die half way and delete the rest."""
    places = (place.base_url, str(place.folder))
    with clone(place.base_url, place.template) as url:
        unbroken = run_child(_CHILD, "delete", url, *places)
    half = str(max(1, round(unbroken.count / 2)))
    with clone(place.base_url, place.template) as url:
        killed = run_child(_CHILD, half, url, *places, is_killed=True)
        again = run_child(_CHILD, "rest", url, *places)
        with connect(url) as connection:
            left = yardstick.tables_left(connection, organization=LARGE)
    if left:
        raise SidesDiffer(f"after a kill, rows are left in {left}")
    place.samples.note("unbroken", unbroken.seconds)
    place.samples.note("killed", killed.seconds + again.seconds)


FLOWS = (
    Flow(ground=nullcontext, steps=(Step(run=hold, gives=("peak MB", "server peak MB")),)),
    Flow(ground=nullcontext, steps=(Step(run=recover, gives=("unbroken", "killed")),)),
)
