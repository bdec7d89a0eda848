"""The size of a chunk, held near the time that it may take."""

import pytest

from offramp.data.erasure.fence import CHUNK_ROWS_AT_FIRST, CHUNK_SECONDS, Pace


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
