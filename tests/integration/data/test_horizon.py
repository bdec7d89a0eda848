"""One old snapshot while rows are deleted: it is there, it is young, and it is gone afterwards."""

from contextlib import closing
from itertools import count

import pytest
import sqlalchemy as sa

from offramp.data.erasure.horizon import SECONDS_MAX, Horizon
from offramp.data.sources.trouble import SourceUnavailable
from tests.integration.data.leaving import leave
from tests.integration.data.school import COMPANY, build_school, still

KEPT = """
    SELECT xact_start FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction' AND query = 'SELECT 1'
"""


@pytest.fixture
def academy(postgres_url):
    school = build_school(postgres_url)
    yield school
    school.sources["app"].close()
    school.engine.dispose()


def kept_since(school):
    """List since when snapshots are kept, seen by somebody else."""
    with school.engine.connect() as connection:
        return [since for (since,) in connection.execute(sa.text(KEPT))]


def snapshots_seen(school, *, elapsed):
    """Delete row by row, and list what was kept after each chunk."""
    seen = []

    def look(table, _rows):
        if table != "app.invoices":  # which stay, and are hashed
            seen.append(kept_since(school))

    leave(school, COMPANY, rows=1, elapsed=elapsed, progress=look)
    return seen


def test_one_snapshot_is_kept_while_rows_are_deleted_and_none_afterwards(academy):
    seen = snapshots_seen(academy, elapsed=still)

    assert len(seen) > 20
    assert {len(kept) for kept in seen} == {1}
    assert len({since for kept in seen for since in kept}) == 1
    assert kept_since(academy) == []


def test_no_snapshot_is_kept_for_longer_than_a_minute(academy):
    seconds = count(step=SECONDS_MAX)

    seen = snapshots_seen(academy, elapsed=lambda: next(seconds))

    assert {len(kept) for kept in seen} == {1}
    assert len({since for kept in seen for since in kept}) == len(seen)


def test_a_snapshot_that_ends_behind_our_back_stops_nothing(academy):
    """A server that ends idle transactions is not told that this one mattered."""
    engine = academy.sources["app"].engine
    engine.dispose()

    @sa.event.listens_for(engine, "connect")
    def allow_nothing_idle(connection, _record):
        connection.execute("SET idle_in_transaction_session_timeout = '1ms'")
        connection.commit()

    seconds = count(step=SECONDS_MAX)
    with closing(Horizon(source=academy.sources["app"], elapsed=lambda: next(seconds))) as horizon:
        for _ in range(5):
            horizon.keep()
            while kept_since(academy):
                pass

    assert kept_since(academy) == []


def test_where_no_snapshot_can_be_had_the_work_goes_on_without(academy, monkeypatch):
    def refuse(_source, _options):
        raise SourceUnavailable(source="app", reason="too many connections", hint="wait")

    monkeypatch.setattr(type(academy.sources["app"]), "_begun", refuse)

    with closing(Horizon(source=academy.sources["app"], elapsed=still)) as horizon:
        horizon.keep()
        horizon.keep()

    assert kept_since(academy) == []


def test_a_database_that_gains_nothing_is_not_even_reached(sqlite_url):
    school = build_school(sqlite_url)
    source = school.sources["app"]
    reached = []
    sa.event.listen(source.engine, "connect", lambda *_: reached.append(True))

    with closing(Horizon(source=source, elapsed=still)) as horizon:
        horizon.keep()

    assert reached == []
    school.engine.dispose()
