"""Several chunks at once: how rows are shared out, and what comes of a chunk that fails."""

from array import array
from threading import Barrier

import pytest

from offramp.data.erasure.lanes import next_parts, run_round
from offramp.data.erasure.worklist import Keys
from offramp.data.sources.trouble import RowsInTheWay, SourceBusy, SourceCrowded


def keys(*numbers):
    return Keys(columns=(array("q", numbers),))


@pytest.mark.parametrize(
    ("rows", "done", "most", "lanes", "shares"),
    [
        (10_000, 0, 5_000, 1, [5_000]),
        (10_000, 0, 2_000, 2, [2_000, 2_000]),
        (10_000, 9_000, 2_000, 2, [500, 500]),
        (1_001, 0, 5_000, 2, [501, 500]),
        (300, 0, 5_000, 2, [250, 50]),
        (100, 0, 5_000, 3, [100]),
        (3, 0, 1, 4, [1, 1, 1]),
    ],
    ids=["alone", "full", "the rest", "odd", "few", "too few to share", "one by one"],
)
def test_rows_are_shared_out_evenly(rows, done, most, lanes, shares):
    parts = next_parts(keys(*range(rows)), done, rows=most, lanes=lanes)

    assert [len(part) for part in parts] == shares
    found = [key for part in parts for key in part.columns[0]]
    assert found == list(range(done, done + sum(shares)))


def test_the_chunks_of_a_round_run_at_once():
    meeting = Barrier(3, timeout=20)

    outcome = run_round(lambda part: (meeting.wait(), len(part))[1], [keys(1), keys(2), keys(3, 4)])

    assert outcome.done == (1, 1, 2)
    assert outcome.stopped is None


def test_a_chunk_that_is_stopped_for_a_while_hides_nothing_of_the_others():
    def change(part):
        if part == keys(2):
            raise SourceBusy(source="app", reason="a lock")
        return len(part)

    outcome = run_round(change, [keys(1), keys(2), keys(3)])

    assert outcome.done == (1, 1)
    assert isinstance(outcome.stopped, SourceBusy)


def test_a_chunk_that_finds_no_connection_stops_the_round_and_nobody_else():
    def change(part):
        if part == keys(2):
            raise SourceCrowded(source="app", reason="too many")
        return len(part)

    outcome = run_round(change, [keys(1), keys(2)])

    assert outcome.done == (1,)
    assert isinstance(outcome.stopped, SourceCrowded)
    with pytest.raises(SourceCrowded):
        run_round(change, [keys(2)])


def test_what_cannot_be_tried_again_is_raised_when_every_chunk_has_ended():
    ended = []

    def change(part):
        if part == keys(1):
            raise RowsInTheWay(source="app", reason="a constraint")
        ended.append(part)

    with pytest.raises(RowsInTheWay):
        run_round(change, [keys(1), keys(2)])

    assert ended == [keys(2)]
