"""Deleting over several connections: the same rows go, in fewer rounds, inside the same fence."""

from contextlib import ExitStack
from threading import Barrier

import pytest
import sqlalchemy as sa

from offramp.data.erasure import lanes, stays
from offramp.data.erasure.erase import erase
from tests.integration.data.leaving import leave
from tests.integration.data.school import COMPANY, KEY, CountingFence, no_progress, still
from tests.integration.data.test_erase import bury


def run(school, *, connections, fence=None, rows=1):
    return erase(
        school.datamap,
        school.sources,
        COMPANY,
        key=KEY,
        fence=fence or CountingFence(),
        elapsed=still,
        tombstone=bury(school, COMPANY),
        progress=no_progress,
        chunk_rows_max=rows,
        connections=connections,
    )


def meet_at(school, deletion):
    """Let two connections wait for one another before a statement."""
    meeting = Barrier(2, timeout=20)

    @sa.event.listens_for(school.sources["app"].engine, "before_cursor_execute")
    def meet(_connection, _cursor, statement, _params, _context, _many):
        if statement.startswith(deletion):
            meeting.wait()

    return meeting


@pytest.mark.parametrize("rows", [1, 3, 5_000])
def test_over_several_connections_the_same_rows_go(school, rows):
    """L42."""
    before = [school.everything(company) for company in (2, 3)]

    result = run(school, connections=3, rows=rows)

    assert {name for name, left in school.everything(1).items() if left} == {"invoices"}
    assert [school.everything(company) for company in (2, 3)] == before
    assert result.tables["app.grants"] == 8
    assert result.tables["app.comments"] == 4


def test_a_round_of_chunks_is_one_stay_in_the_fence(school):
    fence = CountingFence()
    takes_several = school.engine.name == "postgresql"

    run(school, connections=4, fence=fence)

    assert [rows for table, rows in fence.recorded if table == "app.grants"] == (
        [4, 4] if takes_several else [1] * 8
    )
    # Rows that refer to rows of their own table go in one lane.
    assert [rows for table, rows in fence.recorded if table == "app.comments"][-4:] == [1] * 4


def test_every_lane_has_a_connection_however_many_there_are(school):
    if school.engine.name != "postgresql":
        assert not school.sources["app"].driver.writes_at_once
        return
    with ExitStack() as stack:
        lanes = [stack.enter_context(school.sources["app"].transaction()) for _ in range(24)]

        assert [lane.execute(sa.text("SELECT 1")).scalar_one() for lane in lanes] == [1] * 24


def test_the_chunks_of_a_round_are_transactions_of_their_own(school):
    if school.engine.name != "postgresql":
        assert not school.sources["app"].driver.writes_at_once
        return
    meeting = meet_at(school, "DELETE FROM grants")

    result = run(school, connections=2)

    assert result.tables["app.grants"] == 8
    assert not meeting.broken


def test_a_table_of_few_rows_at_which_others_look_much_goes_over_two_connections(
    school, monkeypatch
):
    if school.engine.name != "postgresql":
        assert not school.sources["app"].driver.writes_at_once
        return
    monkeypatch.setattr(stays, "LANE_LOOKS_MIN", 5)  # one for each note: of shares
    monkeypatch.setattr(lanes, "LANE_ROWS_MIN", 1)
    meeting = meet_at(school, "DELETE FROM notes")

    result = leave(school, COMPANY, rows=40, connections=2, counted=True)

    assert result.tables["app.notes"] == 5
    assert not meeting.broken
