"""References looked at in sets: the result is that of the ordinary way, whatever points where."""

from contextlib import ExitStack
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from offramp.data.erasure.erase import preview
from offramp.data.erasure.statements import Purpose
from offramp.data.sources.trouble import RowsInTheWay
from offramp.testing.postgres import fresh_database
from tests.integration.data import test_owned
from tests.integration.data.application import run
from tests.integration.data.school import COMPANY, MEMBER, build_school, metadata
from tests.integration.data.school import TABLES as SCHOOL
from tests.integration.data.test_generated import World, shapes
from tests.integration.data.trouble import set_in_every_session
from tests.integration.data.trusting import (
    ALL,
    BOTH,
    COMPANIES,
    FALLEN,
    IN_A_SET,
    ONE,
    ORDINARY,
    OTHERS,
    PARENTS,
    ROWS,
    TABLES,
    MeddlingFence,
    built,
    leave,
    opened,
)


def everything(shop, tables):
    return {name: shop.rows(f'SELECT * FROM "{name}" ORDER BY 1') for name in tables}


@pytest.fixture
def postgres_urls(postgres_server):
    with ExitStack() as stack:
        yield [stack.enter_context(fresh_database(postgres_server)) for _ in range(2)]


@pytest.mark.parametrize("scope", [COMPANY, MEMBER], ids=["company", "member"])
@pytest.mark.parametrize(
    ("rows", "connections", "counted"),
    [(1, 1, False), (3, 2, True), (5_000, 1, False), (5_000, 1, True), (1, 2, False)],
)
def test_a_school_goes_as_in_the_ordinary_way(scope, rows, connections, counted, postgres_urls):
    results, left = [], []
    for url, asked in zip(postgres_urls, [False, True], strict=True):
        school = build_school(url)
        school.sources["app"].close()
        school.engine.dispose()
        with opened(url, rules=SCHOOL, set_checks=asked, member="users.id") as shop:
            sizes = {"rows": rows, "connections": connections, "counted": counted}
            results.append(leave(shop, scope=scope, **sizes))
            left.append(everything(shop, metadata.tables))
            ways = shop.ways

    assert results[0].tables == results[1].tables
    assert left[0] == left[1]
    assert {way for table, way in ways if table == "users"} == {IN_A_SET}
    assert {way for table, way in ways if table in ("memberships", "comments")} == {IN_A_SET}


def test_a_table_to_which_nothing_refers_has_nothing_to_look_at(postgres_url):
    with built(postgres_url, *TABLES, *ROWS) as shop:
        leave(shop)

        assert set(shop.ways_of("children")) == {ORDINARY}
        assert shop.ways_of("parents") == ALL
        assert shop.rows(BOTH) == OTHERS


def test_rows_that_take_what_they_own_along_go_the_ordinary_way(postgres_url):
    rules = {"app.companies": {}, **test_owned.OWNED}
    made = (*test_owned.TABLES, *test_owned.ROWS)
    with built(postgres_url, *made, rules=rules) as shop:
        leave(shop)

        assert set(shop.ways_of("orders")) == set(shop.ways_of("addresses")) == {ORDINARY}
        assert set(shop.ways_of("users")) == {IN_A_SET}
        assert shop.rows("SELECT id FROM addresses ORDER BY id") == [(2,), (3,), (9,)]


def backwards(drawn):
    """Let no table refer to one that is not there yet."""
    return [
        shape if (shape.looks_at or 0) <= number else replace(shape, looks_at=None)
        for number, shape in enumerate(drawn, start=1)
    ]


@settings(
    max_examples=6, deadline=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(drawn=shapes().map(backwards), rows=st.integers(1, 5), counted=st.booleans())
def test_schemas_that_nobody_thought_of_go_as_in_the_ordinary_way(
    drawn, rows, counted, postgres_server
):
    ends = []
    for asked in (False, True):
        with fresh_database(postgres_server) as url:
            world = World(url, drawn)
            world.close()
            tables = [f"t{number}" for number in range(len(drawn) + 1)]
            rules = world.datamap.model_dump()["tables"]
            with opened(url, rules=rules, root="t0.id", set_checks=asked) as shop:
                result = leave(shop, rows=rows, counted=counted)
                ends.append((result.tables, everything(shop, tables)))
                ways = shop.ways_of("t0")

    assert ends[0] == ends[1]
    assert ways == [IN_A_SET]


def test_nobody_who_did_not_ask_for_it_gets_it(postgres_url):
    with built(postgres_url, *TABLES, *ROWS, set_checks=False) as shop:
        leave(shop)

        assert {way for _, way in shop.ways} == {ORDINARY}


def test_a_dry_run_prints_what_runs_in_each_chunk(postgres_url):
    """L27."""
    ran = []
    with built(postgres_url, *TABLES, *ROWS) as shop:
        plan = preview(shop.datamap, shop.sources, COMPANY.__class__(organization="1"))
        engine = shop.sources["app"].engine
        sa.event.listen(engine, "before_cursor_execute", lambda *given: ran.append(given[2]))
        leave(shop, rows=5_000)

    printed = [each.text for each in plan if each.table == "app.parents"]
    changes = [each.text for each in plan if each.purpose == Purpose.DELETE.value]
    begun = ran.index("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
    state, in_chunk = ran[begun + 3], [*ran[begun : begun + 3], ran[begun + 4]]
    assert printed[-4:] == in_chunk
    assert printed[-2] in changes
    assert "pg_trigger" in state
    assert "children" in in_chunk[-1]


LATE = {
    "refused": ("", "INSERT INTO children (parent_id) VALUES (7)"),
    "restricted": ("ON DELETE RESTRICT", "INSERT INTO children (parent_id) VALUES (7)"),
    "looked at late": (
        "DEFERRABLE INITIALLY DEFERRED",
        "INSERT INTO children (parent_id) VALUES (7)",
    ),
    "may be late": ("DEFERRABLE", "INSERT INTO children (parent_id) VALUES (7)"),
    "cascading": ("ON DELETE CASCADE", "INSERT INTO children (parent_id) VALUES (7)"),
    "emptied": ("ON DELETE SET NULL", "INSERT INTO children (parent_id) VALUES (7)"),
    "defaulting": ("ON DELETE SET DEFAULT", "INSERT INTO children (parent_id) VALUES (7)"),
    "empty": ("", "INSERT INTO children (parent_id) VALUES (NULL)"),
    "of others": ("", "INSERT INTO children (parent_id) VALUES (105)"),
    "of nobody any more": ("", "INSERT INTO children (parent_id) VALUES (101)"),
}
REFUSED = {"refused", "restricted", "looked at late", "may be late"}


@pytest.mark.parametrize("name", LATE)
def test_a_row_that_comes_late_has_the_same_effect_as_in_the_ordinary_way(name, postgres_urls):
    action, late = LATE[name]
    child = (
        "CREATE TABLE children (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
        f" parent_id integer DEFAULT 112 REFERENCES parents {action})"
    )
    ends = []
    for url, asked in zip(postgres_urls, [False, True], strict=True):
        with built(url, *TABLES[:2], child, *ROWS, set_checks=asked) as shop:
            fence = MeddlingFence(table="app.parents", deed=lambda url=url: run(url, late), stay=1)
            is_refused = False
            try:
                leave(shop, fence=fence)
            except RowsInTheWay:
                is_refused = True
            ends.append((is_refused, shop.rows(BOTH), shop.orphans()))
            ways = shop.ways_of("parents")

    assert ends[0] == ends[1]
    assert ends[1][0] == (name in REFUSED)
    assert ends[1][2] == []
    falls_back = "(7)" in late
    fallen = FALLEN if name in REFUSED else [*FALLEN, IN_A_SET]
    assert ways == (fallen if falls_back else ALL)


def test_a_row_of_the_chunk_that_is_not_theirs_any_more_keeps_its_children(postgres_url):
    """It is not deleted, and so whoever refers to it is no orphan."""
    moved = (
        "UPDATE parents SET company_id = 2 WHERE id = 7",
        "INSERT INTO children (parent_id) VALUES (7)",
    )
    with built(postgres_url, *TABLES, *ROWS) as shop:
        fence = MeddlingFence(table="app.parents", deed=lambda: run(postgres_url, *moved), stay=2)

        leave(shop, fence=fence)

        assert shop.ways_of("parents") == ALL
        assert shop.rows(BOTH) == [(7,), (7,), *OTHERS]


COMPOSITE = (
    COMPANIES,
    "CREATE TABLE parents (company_id integer REFERENCES companies, name text, id bigint,"
    " PRIMARY KEY (company_id, name, id))",
    "CREATE TABLE children (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " parent_name text, parent_id smallint, company_id integer,"
    " FOREIGN KEY (parent_id, company_id, parent_name)"
    " REFERENCES parents (id, company_id, name))",
    "INSERT INTO companies VALUES (1), (2)",
    "INSERT INTO parents SELECT c, name, n FROM unnest(ARRAY['a', 'b']) name,"
    " generate_series(1, 2) c, generate_series(1, 3) n",
    "INSERT INTO children (parent_name, parent_id, company_id)"
    " SELECT name, id, company_id FROM parents",
)
COMPOSITE_RULES = {
    "app.companies": {},
    "app.parents": {"via": ["company_id"], "columns": {"name": "system.operations"}},
    "app.children": {
        "via": ["parent_id", "company_id", "parent_name"],
        "columns": {"parent_name": "system.operations"},
    },
}


@pytest.mark.parametrize(
    ("late", "ways"),
    [
        ("'b', 2, 1", [IN_A_SET] * 5 + [ORDINARY]),
        ("'b', NULL, 1", [IN_A_SET] * 6),
        ("'b', 2, 2", [IN_A_SET] * 6),
    ],
    ids=["theirs", "half empty", "of others"],
)
def test_keys_of_several_columns_are_compared_by_name(late, ways, postgres_url):
    into = f"INSERT INTO children (parent_name, parent_id, company_id) VALUES ({late})"
    with built(postgres_url, *COMPOSITE, rules=COMPOSITE_RULES) as shop:
        fence = MeddlingFence(table="app.parents", deed=lambda: run(postgres_url, into))
        if ORDINARY in ways:
            with pytest.raises(RowsInTheWay):
                leave(shop, fence=fence, rows=1)
        else:
            leave(shop, fence=fence, rows=1)

        assert shop.ways_of("parents") == ways
        assert len(shop.rows("SELECT FROM parents WHERE company_id = 2")) == 6


@pytest.mark.parametrize(
    ("place", "ways"),
    [
        (("app.children", 1), FALLEN),
        (("app.parents", 2), [IN_A_SET, *[IN_A_SET, ORDINARY] * 2]),
    ],
    ids=["before its turn", "between its chunks"],
)
def test_a_reference_from_a_schema_that_nobody_reads_counts_as_well(place, ways, postgres_url):
    other = (
        "CREATE SCHEMA other",
        "CREATE TABLE other.children (parent_id bigint REFERENCES public.parents)",
        "INSERT INTO other.children VALUES (7)",
    )
    table, stay = place
    with built(postgres_url, *TABLES, *ROWS) as shop:
        fence = MeddlingFence(table=table, deed=lambda: run(postgres_url, *other), stay=stay)

        with pytest.raises(RowsInTheWay):
            leave(shop, fence=fence)

        assert shop.ways_of("parents") == ways
        joined = "SELECT * FROM other.children JOIN parents ON id = parent_id"
        assert shop.rows(joined) == [(7, 7, 1)]


def test_rows_that_refer_to_rows_of_their_own_table_are_looked_at_too(postgres_url):
    nodes = (
        COMPANIES,
        "CREATE TABLE parents (id integer PRIMARY KEY, company_id integer NOT NULL REFERENCES"
        " companies, above integer REFERENCES parents)",
        "INSERT INTO companies VALUES (1), (2)",
        "INSERT INTO parents SELECT n, 1, nullif(n / 2, 0) FROM generate_series(1, 12) n",
    )
    rules = {
        "app.companies": {},
        "app.parents": {"via": ["company_id"], "columns": {"above": "system.operations"}},
    }
    late = "INSERT INTO parents VALUES (200, 2, 3)"
    with built(postgres_url, *nodes, rules=rules) as shop:
        fence = MeddlingFence(table="app.parents", deed=lambda: run(postgres_url, late), stay=2)

        with pytest.raises(RowsInTheWay):
            leave(shop, fence=fence)

        assert IN_A_SET in shop.ways_of("parents")
        assert shop.ways_of("parents")[-2:] == [IN_A_SET, ORDINARY]
        assert (200, 2, 3) in shop.rows("SELECT * FROM parents")
    run(postgres_url, "UPDATE parents SET above = NULL WHERE id = 200")
    with opened(postgres_url, rules=rules) as shop:
        leave(shop)

        assert set(shop.ways_of("parents")) == {IN_A_SET}
        assert shop.rows("SELECT id FROM parents") == [(200,)]


def test_a_session_that_would_keep_to_one_snapshot_sees_late_rows_all_the_same(postgres_url):
    late = "INSERT INTO children (parent_id) VALUES (7)"
    with built(postgres_url, *TABLES, *ROWS) as shop:
        set_in_every_session(shop, "SET default_transaction_isolation = 'serializable'")
        fence = MeddlingFence(table="app.parents", deed=lambda: run(postgres_url, late), stay=2)

        with pytest.raises(RowsInTheWay):
            leave(shop, fence=fence)

        assert shop.orphans() == []


def test_a_row_that_comes_late_sends_a_table_that_goes_at_once_the_ordinary_way(postgres_url):
    late = "INSERT INTO children (parent_id) VALUES (7)"
    indexes = ("CREATE INDEX ON children (parent_id)", "CREATE INDEX ON parents (company_id)")
    with built(postgres_url, *TABLES, *ROWS, *indexes) as shop:
        fence = MeddlingFence(table="app.parents", deed=lambda: run(postgres_url, late))
        plan = preview(shop.datamap, shop.sources, ONE)

        with pytest.raises(RowsInTheWay):
            leave(shop, fence=fence, rows=5_000, counted=True)

        assert [each.table for each in plan if "few" in each.purpose].count("app.parents") == 1
        assert shop.ways_of("parents") == [IN_A_SET, ORDINARY]
        assert shop.orphans() == []
        assert len(shop.rows("SELECT * FROM parents WHERE company_id = 1")) == PARENTS
