"""Tables of few rows go at once: the same rows, inside the same fence, never more than a chunk."""

import pytest
import sqlalchemy as sa

from offramp.data.erasure.erase import preview
from offramp.data.erasure.statements import Purpose
from offramp.data.erasure.worklist import Gone
from offramp.data.proof.verify import verify
from tests.integration.data.engine import unchecked
from tests.integration.data.school import COMPANY, KEY, CountingFence
from tests.integration.data.test_erase import bury
from tests.integration.data.test_stays import run, stays
from tests.integration.data.trouble import Pauses, impatient, is_gone
from tests.integration.data.trusting import COMPANIES, ONE, built

AT_ONCE = f"where there are few: {Purpose.DELETE.value}"
COUNT_USERS = "CREATE TRIGGER counting AFTER DELETE ON users "
TRIGGERS = {
    "sqlite": (f"{COUNT_USERS} BEGIN SELECT 1; END",),
    "postgresql": (
        "CREATE FUNCTION count_one() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        f"{COUNT_USERS} FOR EACH ROW EXECUTE FUNCTION count_one()",
    ),
}


@pytest.fixture
def database_url(sample_url):
    """Stand for all databases but those that hold every row at which a deletion looks."""
    return sample_url


def changes(school):
    """Note what runs and changes anything."""
    ran = []
    engine = school.sources["app"].engine

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(_connection, _cursor, text, _params, _context, _many):
        if text.startswith(("DELETE", "UPDATE")):
            ran.append(text)

    return ran


def whole_of(school, table):
    """Give the statement by which a table would go at once, as a dry run prints it."""
    plan = preview(school.datamap, school.sources, COMPANY)
    (found,) = (each.text for each in plan if (each.table, each.purpose) == (table, AT_ONCE))
    return found


def test_what_refers_to_rows_that_go_is_emptied_at_once_as_well(school):
    school.run("UPDATE notes SET last_edited_by = 101 WHERE id = 201")
    ran = changes(school)

    result = run(school)

    emptied = [text for text in ran if text.startswith("UPDATE notes SET last_edited_by")]
    assert ["chunk" in text for text in emptied] == [False]
    assert result.emptied["app.notes"] >= 1
    assert len(school.rows("notes", "id = 201 AND last_edited_by IS NULL")) == 1


def test_what_goes_at_once_is_found_by_the_statement_that_deletes_it(school):
    """L27: a dry run prints that statement, beside those of the chunks."""
    whole, plan = whole_of(school, "app.users"), preview(school.datamap, school.sources, COMPANY)
    ran = changes(school)

    run(school)

    assert ran.count(whole) == 1
    assert set(ran) <= {each.text for each in plan}
    assert not [text for text in ran if text.startswith("DELETE FROM users") and text != whole]


def test_more_rows_than_a_chunk_may_have_are_put_back_and_go_in_chunks(school):
    """The tombstone counted one row, and there are four by then."""
    whole, ran, fence = whole_of(school, "app.users"), changes(school), CountingFence()

    result = run(school, fence=fence, rows=3, counted=False, expected={"app.users": 1})

    assert whole in ran
    assert max(stays(fence, "app.users")) <= 3
    assert result.tables["app.users"] == 4
    assert is_gone(school)


def test_what_is_expected_to_be_more_than_a_chunk_is_not_tried_at_once(school):
    whole, ran = whole_of(school, "app.users"), changes(school)

    run(school, rows=3)

    assert whole not in ran
    assert is_gone(school)


def test_what_nobody_counted_goes_in_chunks(school):
    whole, ran = whole_of(school, "app.users"), changes(school)

    run(school, counted=False)

    assert whole not in ran
    assert is_gone(school)


def test_a_table_with_a_trigger_goes_in_chunks(school):
    """Nobody knows what one row of it costs."""
    whole = whole_of(school, "app.users")
    for statement in TRIGGERS[school.engine.name]:
        school.run(statement)
    ran = changes(school)

    run(school)

    plan = preview(school.datamap, school.sources, COMPANY)
    assert whole not in ran
    assert whole not in {each.text for each in plan}
    assert is_gone(school)


def test_who_waits_for_a_lock_lets_the_fence_go_and_takes_less(school):
    impatient(school)
    holder = school.engine.connect()
    if school.engine.name == "sqlite":
        holder.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        holder.exec_driver_sql("SELECT * FROM shares FOR UPDATE")
    pauses, whole, ran = Pauses(holder.close), whole_of(school, "app.shares"), changes(school)

    run(school, pause=pauses)

    assert len(pauses) == 1
    assert whole in ran[:-1]
    assert is_gone(school)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bigint", "9007199254740993"),
        ("numeric(30, 3)", "12345678901234567890.125"),
        ("text", 'Zoë, "0" {}'),
        ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("date", "2024-02-29"),
        ("timestamp", "2024-02-29 12:00:00.000001"),
        ("timestamptz", "2024-02-29 12:00:00.000001+02"),
        ("inet", "192.0.2.7/24"),
        ("mood", "glad"),
        ("posint", "7"),
        ("boolean", "true"),
        ("interval", "1 mon 2 days 03:00:00.5"),
        ("double precision", "0.1"),
    ],
)
def test_keys_of_every_kind_come_back_as_they_are_looked_for(kind, value, postgres_url):
    """An orphan that a broken database keeps is found by the keys that a deletion gave."""
    tables = (
        COMPANIES,
        "CREATE TYPE mood AS ENUM ('glad', 'sad')",
        "CREATE DOMAIN posint AS integer CHECK (VALUE > 0)",
        f"CREATE TABLE things (key {kind} PRIMARY KEY, company_id integer NOT NULL"
        " REFERENCES companies)",
        f"CREATE TABLE parts (id integer PRIMARY KEY, thing {kind} REFERENCES things)",
        "CREATE INDEX ON things (company_id)",
        "CREATE INDEX ON parts (thing)",
        "INSERT INTO companies VALUES (1), (2)",
    )
    rules = {
        "app.companies": {},
        "app.things": {"via": ["company_id"]},
        "app.parts": {"via": ["thing"]},
    }
    with built(postgres_url, *tables, rules=rules, set_checks=False) as shop:
        engine, gone = shop.sources["app"].engine, Gone()
        with unchecked(engine) as connection:
            connection.execute(sa.text(f"INSERT INTO things VALUES ('{value}', 1)"))
        tombstone = bury(shop, ONE)
        run(shop, ONE, gone=gone)
        with unchecked(engine) as connection:
            connection.execute(sa.text(f"INSERT INTO parts VALUES (1, '{value}')"))

        found = verify(shop.datamap, shop.sources, ONE, tombstone=tombstone, key=KEY, gone=gone)

        assert gone.has("app.things")
        assert found.orphans["app.parts"] == 1
