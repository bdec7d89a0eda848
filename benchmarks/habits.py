"""What people do today: a deletion by Django, by SQLAlchemy's ORM, and row by row.

Each really exports and deletes one organization of a copy of the measured database, in a process
of its own, and its time for one row stands beside Offramp's. They get smaller organizations,
because the large one would take them minutes; what they load first is not counted.
"""

from contextlib import nullcontext

from benchmarks import yardstick
from benchmarks.child import run_child
from benchmarks.flow import Flow, Place, SidesDiffer, Step
from benchmarks.load import MIDDLE, SMALLER
from benchmarks.server import clone, connect

MICROSECONDS = 1e6
DJANGO, SQLALCHEMY, ROW_BY_ROW = "Django", "SQLAlchemy", "row by row"
HABITS = {
    DJANGO: ("benchmarks.habit_django", MIDDLE),
    SQLALCHEMY: ("benchmarks.habit_sqlalchemy", MIDDLE),
    ROW_BY_ROW: ("benchmarks.habit_row_by_row", SMALLER),
}


def follow_habits(place: Place) -> None:
    """Let each habit do its whole job on a copy of its own."""
    for name, (module, organization) in HABITS.items():
        with clone(place.base_url, place.template) as url:
            with connect(url) as connection:
                rows = sum(yardstick.count(connection, organization=organization).values())
            file = place.folder / "habit.jsonl"
            outcome = run_child(module, url, str(organization), str(file), place.base_url)
            with connect(url) as connection:
                left = yardstick.tables_left(connection, organization=organization)
        if left or outcome.count != rows:
            raise SidesDiffer(f"{name} exported {outcome.count} of {rows} rows and left {left}")
        place.samples.note(name, outcome.seconds / rows * MICROSECONDS)
        place.samples.note(f"{name} peak MB", outcome.peak_bytes / 1e6)
        place.samples.note(f"{name} rows", rows)


FLOWS = (Flow(ground=nullcontext, steps=(Step(run=follow_habits, gives=tuple(HABITS)),)),)
