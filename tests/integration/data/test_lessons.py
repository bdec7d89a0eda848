"""Lessons that need a database to be seen: no cascade, set-based, two lists of columns, no zero.

The same small schema is built three ways: with plain foreign keys, with ON DELETE CASCADE, and with
a trigger that deletes children. What Offramp does and counts may not depend on it.
"""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from offramp.data.check import DataMapIncomplete
from offramp.data.datamap import DataMap
from offramp.data.proof.verify import verify
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from offramp.data.sources.trouble import RowsInTheWay
from tests.integration.data.engine import open_engine
from tests.integration.data.leaving import leave, take
from tests.integration.data.school import (
    COMPANY,
    KEY,
    TABLES,
    CountingFence,
    School,
    school_map,
)

ACME, BETA = Scope(organization="1"), Scope(organization="2")
SCHEMAS = ("plain", "cascade", "trigger")
MAP = {
    "app.firms": {"columns": {"name": "user.account"}},
    "app.staff": {"via": ["firm_id"], "columns": {"mail": "user.contact.email"}},
    "app.posts": {"via": ["staff_id"], "columns": {"body": "user.content"}},
    "app.likes": {"via": ["post_id"], "columns": {"fan_id": "user.unique_id"}},
}


def statements(kind, dialect):
    """Write the schema down: firms, their staff, posts of the staff, and who likes a post."""
    rule = " ON DELETE CASCADE" if kind == "cascade" else ""

    def refer(column, target):
        return f"{column} INTEGER NOT NULL REFERENCES {target} (id){rule}"

    yield "CREATE TABLE firms (id INTEGER PRIMARY KEY, name VARCHAR(20))"
    staff, posts = refer("firm_id", "firms"), refer("staff_id", "staff")
    yield f"CREATE TABLE staff (id INTEGER PRIMARY KEY, {staff}, mail VARCHAR(40))"
    yield f"CREATE TABLE posts (id INTEGER PRIMARY KEY, {posts}, body VARCHAR(20))"
    likes = f"{refer('post_id', 'posts')}, {refer('fan_id', 'staff')}"
    yield f"CREATE TABLE likes (id INTEGER PRIMARY KEY, {likes})"
    for table, column in (("staff", "firm_id"), ("posts", "staff_id"), ("likes", "post_id")):
        yield f"CREATE INDEX ix_{table} ON {table} ({column})"
    yield "CREATE INDEX ix_fan ON likes (fan_id)"
    if kind == "trigger":
        yield from triggers(dialect)


def triggers(dialect):
    if dialect == "sqlite":
        yield (
            "CREATE TRIGGER helpful BEFORE DELETE ON staff BEGIN"
            " DELETE FROM posts WHERE staff_id = OLD.id; END"
        )
        return
    if dialect == "mysql":
        yield (
            "CREATE TRIGGER helpful BEFORE DELETE ON staff FOR EACH ROW"
            " DELETE FROM posts WHERE staff_id = OLD.id"
        )
        return
    yield (
        "CREATE FUNCTION helpful() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN DELETE FROM posts WHERE staff_id = OLD.id; RETURN OLD; END'"
    )
    yield "CREATE TRIGGER helpful BEFORE DELETE ON staff FOR EACH ROW EXECUTE FUNCTION helpful()"


def fill(engine, *, staff=3, posts=4):
    """Give both firms the same, under numbers of their own."""
    with engine.begin() as connection:
        for firm in (1, 2):
            put(connection, "firms", [{"id": firm, "name": f"Firm {firm}"}])
            people = [firm * 1000 + n for n in range(staff)]
            put(
                connection,
                "staff",
                [{"id": n, "firm_id": firm, "mail": f"{n}@firm{firm}.example"} for n in people],
            )
            written = [
                {"id": n * 1000 + k, "staff_id": n, "body": "text"}
                for n in people
                for k in range(posts)
            ]
            put(connection, "posts", written)
            fans = [
                {"id": post["id"], "post_id": post["id"], "fan_id": people[0]} for post in written
            ]
            put(connection, "likes", fans)


def put(connection, name, rows):
    table = sa.table(name, *map(sa.column, rows[0]))
    connection.execute(sa.insert(table), rows)


def firm(url, kind, **sizes):
    engine = open_engine(url)
    with engine.begin() as connection:
        for statement in statements(kind, engine.dialect.name):
            connection.execute(sa.text(statement))
    fill(engine, **sizes)
    source = {"kind": "sql", "url": url, "root": "firms.id", "member": "staff.id"}
    datamap = DataMap.model_validate({"offramp": 1, "sources": {"app": source}, "tables": MAP})
    return School(url, engine, datamap, open_sources(datamap, environment={}))


def dump(shop, which):
    return {name: shop.rows(name, which) for name in ("firms", "staff", "posts", "likes")}


def of_beta(shop):
    which = {"firms": "id = 2", "staff": "firm_id = 2", "posts": "staff_id >= 2000"}
    return {name: shop.rows(name, which.get(name, "fan_id >= 2000")) for name in dump(shop, "1=1")}


def close(shop):
    shop.engine.dispose()
    for source in shop.sources.values():
        source.close()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_no_cascade_and_no_trigger_of_the_database_does_our_work_or_our_counting_L19(
    kind, database_url
):
    """L19: children go first and are counted by us, whatever the schema would do by itself."""
    shop = firm(database_url, kind)
    beta = of_beta(shop)
    fence = CountingFence()

    result = leave(shop, ACME, fence=fence, rows=2)

    assert result.tables == {"app.likes": 12, "app.posts": 12, "app.staff": 3, "app.firms": 1}
    order = list(dict.fromkeys(fence.entered))
    assert order == ["app.likes", "app.posts", "app.staff", "app.firms"]
    assert max(rows for _, rows in fence.recorded) <= 2
    assert len(beta["likes"]) == 12
    assert of_beta(shop) == beta
    close(shop)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_row_of_others_that_a_cascade_would_take_stops_the_work_instead_L19_L42(
    kind, database_url
):
    """L19: beta's like of acme's post would go in silence, and nobody would have been told."""
    shop = firm(database_url, kind)
    shop.run("INSERT INTO posts (id, staff_id, body) VALUES (7, 2000, 'by beta')")
    shop.run("INSERT INTO likes (id, post_id, fan_id) VALUES (7, 7, 1000)")
    before = dump(shop, "1=1")

    with pytest.raises(RowsInTheWay):
        leave(shop, ACME)

    assert dump(shop, "1=1") == before
    close(shop)


@pytest.mark.parametrize("work", ["export", "erase", "verify"])
def test_the_number_of_statements_does_not_grow_with_the_rows_L20(work, database_url, tmp_path):
    """L20: everything is done to sets; counted where statements leave for the database."""
    shop = firm(database_url, "plain")
    count_statements(shop, work, tmp_path)  # what is learnt of the tables once is not counted
    refill(shop, staff=2, posts=4)
    few = count_statements(shop, work, tmp_path)
    refill(shop, staff=10, posts=30)

    many = count_statements(shop, work, tmp_path)

    assert 0 < many == few
    close(shop)


def refill(shop, *, staff, posts):
    with shop.engine.begin() as connection:
        for name in ("likes", "posts", "staff", "firms"):
            connection.execute(sa.text(f"DELETE FROM {name}"))
    fill(shop.engine, staff=staff, posts=posts)


def count_statements(shop, work, folder):
    if work == "verify":
        tombstone = leave(shop, ACME, rows=10_000).tombstone
    ran = []

    def note(_connection, _cursor, text, *_more):
        ran.append(text)

    engine = shop.sources["app"].engine
    sa.event.listen(engine, "before_cursor_execute", note)
    if work == "export":
        take(shop, ACME, folder / "out.json")
    elif work == "erase":
        leave(shop, ACME, rows=10_000)
    else:
        verify(shop.datamap, shop.sources, ACME, tombstone=tombstone, key=KEY)
    sa.event.remove(engine, "before_cursor_execute", note)
    return len(ran)


def test_what_is_handed_over_and_what_is_erased_are_two_lists_L17(school, tmp_path):
    """L17: a column that nobody is given is hashed all the same, one that is given can go."""
    columns = dict(TABLES["app.invoices"]["columns"])
    columns["contact"] = {"category": "user.name", "erase": "hash", "export": "never"}
    columns["memo"] = {"category": "user.content", "erase": "null", "export": "always"}
    columns["contact_email"] = {"category": "user.contact.email", "erase": "keep"}
    invoices = {**TABLES["app.invoices"], "columns": columns}
    school.datamap = school_map(school.url, tables={"app.invoices": invoices})
    file = tmp_path / "out.json"

    take(school, COMPANY, file)
    leave(school, COMPANY)

    exported = json.loads(file.read_text("utf-8"))["data"]["invoices"]
    kept = school.rows("invoices", "id < 200")
    assert all("contact" not in row and row["memo"] == "as agreed" for row in exported)
    assert all(row[2].startswith("erased-") and row[4] is None for row in kept)
    assert [row[3] for row in kept] == [row["contact_email"] for row in exported]


@pytest.mark.parametrize("work", ["export", "erase"])
@pytest.mark.parametrize("missing", ["app.payslips", "app.companies.number"])
def test_a_table_or_a_key_column_that_is_not_there_is_an_error_and_never_zero_rows_L16(
    missing, work, school, tmp_path
):
    """L16: neither an export nor an erasure says 0 where it could not look."""
    changed = {"tables": dict(TABLES) | {"app.payslips": {"via": ["user_id"]}}}
    if missing == "app.companies.number":
        source = {"kind": "sql", "url": school.url, "root": "companies.number"}
        changed = {"sources": {"app": source}}
    datamap = school_map(school.url, **changed)
    opened = open_sources(datamap, environment={})
    wrong, before = replace(school, datamap=datamap, sources=opened), school.everything(1)

    with pytest.raises(DataMapIncomplete, match=missing):
        take(wrong, COMPANY, tmp_path / "out.json") if work == "export" else leave(wrong, COMPANY)

    assert school.everything(1) == before
    opened["app"].close()
