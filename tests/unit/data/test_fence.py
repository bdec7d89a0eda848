"""The size of a chunk, held near the time that it may take."""

import pytest

from offramp.data.erasure.fence import (
    CHUNK_ROWS_AT_FIRST,
    CHUNK_SECONDS,
    WHOLE_COST_MAX,
    Pace,
)
from offramp.data.sources.trouble import SourceBusy


def pace(rows):
    return Pace(elapsed=lambda: 0.0, rows_max=10_000, rows=rows)


@pytest.mark.parametrize(
    ("took_seconds", "rows"),
    [
        (0.0, 4_000),
        (CHUNK_SECONDS / 1_000, 4_000),
        (CHUNK_SECONDS * 0.75, 1_000),
        (CHUNK_SECONDS * 1.5, 500),
        (CHUNK_SECONDS * 7_500, 1),
    ],
    ids=["no time at all", "quick", "as aimed at", "twice too long", "stuck"],
)
def test_the_next_chunk_is_as_large_as_the_last_one_says(took_seconds, rows):
    held = pace(1_000)

    held.adapt(took_seconds=took_seconds)

    assert held.rows == rows


def test_no_chunk_is_larger_than_the_limit():
    held = pace(9_000)

    held.adapt(took_seconds=0.001)

    assert held.rows == 10_000
    assert Pace(elapsed=lambda: 0.0, rows_max=7).rows == 7 < CHUNK_ROWS_AT_FIRST


def test_the_next_table_is_met_with_a_small_chunk():
    held = pace(10_000)

    held.meet_table()

    assert held.rows == 2_500


def test_the_first_chunk_is_as_large_as_its_rows_are_known_to_cost():
    held = pace(500)

    held.meet_table(row_cost=10)

    assert held.rows == WHOLE_COST_MAX // 10


@pytest.mark.parametrize("is_busy", [False, True], ids=["slow", "stopped"])
def test_after_a_slow_chunk_what_rows_are_known_to_cost_makes_none_larger(is_busy):
    held = pace(500)
    if is_busy:
        held.stumble(SourceBusy(source="app", reason="a lock"))
    else:
        held.adapt(took_seconds=CHUNK_SECONDS * 3)
    rows = held.rows

    held.meet_table(row_cost=2)

    assert held.rows == rows < 500


def sizes(held, seconds_of, chunks=40):
    """Take chunk after chunk, each of which takes the time that its rows say."""
    taken = []
    for _ in range(chunks):
        taken.append(held.rows)
        held.adapt(took_seconds=seconds_of(held.rows))
    return taken


def test_a_time_that_rows_do_not_cost_is_not_paid_for_ever_fewer_of_them():
    """A statement that takes half a second before its first row is not run row by row."""
    taken = sizes(pace(500), lambda rows: 0.5 + rows * 1e-5)

    assert min(taken) > 100
    assert sum(taken) > 10_000


def test_rows_that_cost_their_time_become_as_few_as_it_needs():
    """Each row of a table whose references have no index is a scan of another one."""
    taken = sizes(pace(500), lambda rows: rows * 0.02)

    assert taken[-1] == 7
    assert sum(rows * 0.02 > CHUNK_SECONDS for rows in taken) == 1


def test_both_at_once_settle_where_the_rows_are_no_more_than_the_rest():
    taken = sizes(pace(2_500), lambda rows: 0.2 + rows * 0.001)

    assert set(taken[10:]) == {75, 200}


def test_a_table_goes_at_once_where_its_rows_and_what_may_refer_to_them_are_few():
    held = pace(500)

    assert held.allows_whole(10_000, cost=WHOLE_COST_MAX)
    assert not held.allows_whole(10_001, cost=10_001)
    assert not held.allows_whole(9_000, cost=WHOLE_COST_MAX + 1)


def test_what_took_longer_at_once_than_a_chunk_may_lets_less_go_at_once_from_then_on():
    held = pace(500)

    held.adapt_whole(5_000, cost=20_000, took_seconds=CHUNK_SECONDS)
    assert held.rows == 5_000
    assert held.allows_whole(10_000, cost=WHOLE_COST_MAX)
    held.adapt_whole(10_000, cost=20_000, took_seconds=CHUNK_SECONDS * 10)

    assert held.rows == 5_000
    assert held.allows_whole(1_500, cost=1_500)
    assert not held.allows_whole(1_501, cost=1_501)
