"""What is told while something takes long."""

import pytest

from offramp.cli.progress import Watcher, told_rows


@pytest.mark.parametrize(
    ("rows", "of", "told"),
    [
        (0, 40_000, "0 of 40,000 (0 %)"),
        (12_345, 40_000, "12,345 of 40,000 (30 %)"),
        (40_000, 40_000, "40,000 of 40,000 (100 %)"),
        (40_002, 40_000, "40,002 of 40,002 (100 %)"),
        (12_345, None, "12,345"),
        (5, 0, "5"),
    ],
)
def test_rows_are_told_with_how_many_there_are_where_that_is_known(rows, of, told):
    assert told_rows(rows, of=of) == told


@pytest.mark.parametrize(("status", "is_told"), [("delivered", 0), ("waiting", 1), ("failed", 1)])
def test_of_events_a_person_is_told_only_what_did_not_arrive(status, is_told):
    watcher = Watcher()

    watcher("parcel", {"endpoint": "crm", "status": status})

    assert len(watcher.take()) == is_told
