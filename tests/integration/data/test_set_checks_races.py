"""Whoever adds a row that refers to one that goes, at whatever moment: no orphan is ever left."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Barrier, Event, Thread

import psycopg
import pytest
import sqlalchemy as sa

from offramp.data.sources.trouble import RowsInTheWay, SourceBusy
from tests.integration.data.application import run
from tests.integration.data.school import FenceBroken
from tests.integration.data.trouble import wait_until
from tests.integration.data.trusting import (
    IN_A_SET,
    ORDINARY,
    PARENTS,
    ROWS,
    TABLES,
    MeddlingFence,
    built,
    leave,
)

LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
REFUSED = ("23503", "40001")  # a reference to nothing; a row that changed since the snapshot
DEEDS = {
    "a new row": "INSERT INTO children (parent_id) VALUES (7)",
    "a row that moves": "UPDATE children SET parent_id = 7 WHERE parent_id = 105",
}


@contextmanager
def somebody(url, *, level="READ COMMITTED"):
    """Open a session of somebody else, in a transaction that has looked at the tables."""
    dsn = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn) as connection:
        connection.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        connection.execute("SELECT count(*) FROM parents, children")
        yield connection


def is_waiting(shop):
    found = shop.rows(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return found == [(1,)]


def after_deletion(shop, deed):
    """Do something once, when number 7 of the parents is deleted and not yet committed."""
    done = Event()

    @sa.event.listens_for(shop.sources["app"].engine, "after_cursor_execute")
    def meddle(_connection, _cursor, statement, params, _context, _many):
        if not statement.startswith("DELETE FROM parents") or done.is_set():
            return
        if "7" in params["chunk_0"].strip("{}").split(","):
            done.set()
            deed()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("deed", DEEDS)
def test_whoever_was_first_holds_the_row_and_is_seen(deed, level, postgres_url):
    with (
        built(postgres_url, *TABLES, *ROWS) as shop,
        somebody(postgres_url, level=level) as other,
        ThreadPoolExecutor(max_workers=1) as pool,
    ):
        other.execute(DEEDS[deed])
        leaving = pool.submit(leave, shop)
        wait_until(lambda: is_waiting(shop))
        assert shop.ways_of("parents") == [IN_A_SET] * 3
        other.commit()

        with pytest.raises(RowsInTheWay):
            leaving.result()

        assert shop.ways_of("parents") == [IN_A_SET] * 3 + [ORDINARY]
        assert shop.orphans() == []
        assert shop.rows("SELECT id FROM parents WHERE id = 7") == [(7,)]


def test_whoever_was_first_and_thinks_better_of_it_is_no_obstacle(postgres_url):
    with (
        built(postgres_url, *TABLES, *ROWS) as shop,
        somebody(postgres_url) as other,
        ThreadPoolExecutor(max_workers=1) as pool,
    ):
        other.execute(DEEDS["a new row"])
        leaving = pool.submit(leave, shop)
        wait_until(lambda: is_waiting(shop))
        other.rollback()
        leaving.result()

        assert shop.ways_of("parents") == [IN_A_SET] * 4
        assert shop.rows("SELECT count(*) FROM parents") == [(PARENTS,)]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("deed", DEEDS)
def test_whoever_comes_second_waits_for_us_and_is_refused(deed, level, postgres_url):
    refused = []
    with (
        built(postgres_url, *TABLES, *ROWS) as shop,
        somebody(postgres_url, level=level) as other,
    ):
        come = Thread(target=do, args=(other, DEEDS[deed], refused))

        def deed_begins():
            come.start()
            wait_until(lambda: is_waiting(shop))

        after_deletion(shop, deed_begins)
        leave(shop)
        come.join()

        assert len(refused) == 1
        assert refused[0] in REFUSED
        assert shop.ways_of("parents") == [IN_A_SET] * 4
        assert shop.orphans() == []
        assert shop.rows("SELECT count(*) FROM parents") == [(PARENTS,)]


def do(other, deed, refused):
    try:
        other.execute(deed)
        other.commit()
    except psycopg.Error as error:
        refused.append(error.sqlstate)
        other.rollback()


@pytest.mark.parametrize("level", LEVELS)
def test_whoever_waits_for_us_goes_on_when_we_take_it_back(level, postgres_url):
    refused = []
    with (
        built(postgres_url, *TABLES, *ROWS) as shop,
        somebody(postgres_url, level=level) as other,
    ):
        come = Thread(target=do, args=(other, DEEDS["a new row"], refused))

        def die():
            come.start()
            wait_until(lambda: is_waiting(shop))
            raise FenceBroken

        after_deletion(shop, die)
        with pytest.raises(FenceBroken):
            leave(shop)
        come.join()

        assert refused == []
        assert shop.orphans() == []
        assert (7,) in shop.rows("SELECT parent_id FROM children")
        assert shop.rows("SELECT id FROM parents WHERE id = 7") == [(7,)]
        leave(shop)
        assert shop.rows("SELECT count(*) FROM parents") == [(PARENTS,)]


LATE = (
    *TABLES[:2],
    f"{TABLES[2][:-1]} DEFERRABLE INITIALLY DEFERRED)",
)


@pytest.mark.parametrize("level", LEVELS)
def test_a_reference_that_is_looked_at_late_finds_nothing_any_more(level, postgres_url):
    """Nobody holds the row until the end: the look comes then, and refuses."""
    with (
        built(postgres_url, *LATE, *ROWS) as shop,
        somebody(postgres_url, level=level) as other,
    ):
        other.execute(DEEDS["a new row"])
        leave(shop)

        with pytest.raises(psycopg.Error) as caught:
            other.commit()

        assert caught.value.sqlstate in REFUSED
        assert shop.ways_of("parents") == [IN_A_SET] * 4
        assert shop.orphans() == []


def test_a_row_that_somebody_is_deleting_is_waited_for_in_the_ordinary_way(postgres_url):
    with (
        built(postgres_url, *TABLES, *ROWS) as shop,
        somebody(postgres_url) as other,
        ThreadPoolExecutor(max_workers=1) as pool,
    ):

        def come_and_go():
            run(postgres_url, DEEDS["a new row"])
            other.execute("DELETE FROM children WHERE parent_id = 7")

        fence = MeddlingFence(table="app.parents", deed=come_and_go)
        leaving = pool.submit(leave, shop, fence=fence)
        wait_until(lambda: is_waiting(shop))
        assert shop.ways_of("parents") == [IN_A_SET] * 3 + [ORDINARY]
        other.commit()

        assert leaving.result().tables["app.parents"] == PARENTS
        assert shop.orphans() == []


def test_two_chunks_are_in_their_sets_at_once(postgres_url):
    meeting, met = Barrier(2, timeout=20), []
    with built(postgres_url, *TABLES, *ROWS) as shop:

        @sa.event.listens_for(shop.sources["app"].engine, "after_cursor_execute")
        def meet(_connection, _cursor, statement, _params, _context, _many):
            if statement.startswith("DELETE FROM parents") and len(met) < 4:
                met.append(statement)
                meeting.wait()

        leave(shop, connections=2)

        assert shop.ways_of("parents") == [IN_A_SET] * 5
        assert shop.rows("SELECT count(*) FROM parents") == [(PARENTS,)]


def test_a_chunk_that_is_refused_takes_nothing_from_the_one_beside_it(postgres_url):
    with built(postgres_url, *TABLES, *ROWS) as shop:
        fence = MeddlingFence(
            table="app.parents", deed=lambda: run(postgres_url, DEEDS["a new row"]), stay=2
        )

        with pytest.raises(RowsInTheWay):
            leave(shop, fence=fence, connections=2)

        # One each, then 3 to 6 beside 7 to 10, of which 7 is held.
        left = shop.rows("SELECT id FROM parents WHERE company_id = 1 ORDER BY id")
        assert left == [(number,) for number in range(7, 13)]
        assert sorted(shop.ways_of("parents")) == [IN_A_SET] * 4 + [ORDINARY]
        assert shop.orphans() == []


MANY = 240
CROWD = (
    "INSERT INTO companies VALUES (1), (2)",
    f"INSERT INTO parents SELECT n, 1 + mod(n, 2) FROM generate_series(1, {MANY}) n",
    "INSERT INTO children (parent_id) SELECT id FROM parents",
)


def meddle_on(url, seed, is_over):
    """Add, move and remove children, at any isolation, until it is over."""
    chance = random.Random(seed)
    with somebody(url) as other:
        other.rollback()
        while not is_over.is_set():
            some = {"one": chance.randint(1, MANY), "other": chance.randint(1, MANY)}
            with suppress(psycopg.Error):
                other.execute(f"SET TRANSACTION ISOLATION LEVEL {chance.choice(LEVELS)}")
                for _ in range(chance.randint(1, 3)):
                    other.execute(chance.choice(MEDDLING), some)
                    is_over.wait(chance.random() / 200)
                if chance.random() < 0.8:
                    other.commit()
            other.rollback()
            is_over.wait(chance.random() / 20)


MEDDLING = (
    "INSERT INTO children (parent_id) VALUES (%(one)s)",
    "INSERT INTO children (parent_id) VALUES (%(one)s), (%(other)s)",
    "UPDATE children SET parent_id = %(other)s WHERE parent_id = %(one)s",
    "DELETE FROM children WHERE parent_id = %(one)s",
    "UPDATE parents SET company_id = 3 - company_id WHERE id = %(one)s",
    "SELECT FROM parents WHERE id = %(one)s FOR KEY SHARE",
)


@pytest.mark.parametrize("connections", [1, 2])
@pytest.mark.parametrize("tables", [TABLES, LATE], ids=["at once", "late"])
def test_however_many_meddle_no_orphan_is_ever_left(tables, connections, postgres_url):
    is_over, orphans = Event(), []
    with (
        built(postgres_url, *tables, *CROWD) as shop,
        ThreadPoolExecutor(max_workers=5) as pool,
    ):
        crowd = [pool.submit(meddle_on, postgres_url, seed, is_over) for seed in range(5)]
        try:
            for _ in range(20):
                with suppress(RowsInTheWay, SourceBusy):
                    leave(shop, rows=20, connections=connections)
                orphans += shop.orphans()
        finally:
            is_over.set()
        assert [each.exception() for each in crowd] == [None] * 5
        leave(shop, connections=connections)
        orphans += shop.orphans()

        assert orphans == []
        assert IN_A_SET in shop.ways_of("parents")
        assert shop.rows("SELECT FROM parents WHERE company_id = 1") == []
    # The database looks at every row once more by itself.
    run(postgres_url, "ALTER TABLE children ADD FOREIGN KEY (parent_id) REFERENCES parents")
