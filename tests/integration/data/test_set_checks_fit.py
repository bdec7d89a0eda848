"""Where a deletion means more than a look at references, or we may not look, none goes in a set."""

import pytest
import sqlalchemy as sa

from offramp.data.sources.trouble import PermissionMissing
from tests.integration.data.application import run
from tests.integration.data.trusting import (
    ALL,
    BOTH,
    COMPANIES,
    FALLEN,
    IN_A_SET,
    ORDINARY,
    OTHERS,
    PARENTS,
    ROWS,
    RULES,
    TABLES,
    MeddlingFence,
    built,
    leave,
    opened,
)

AUDIT = (
    "CREATE TABLE noted (id integer)",
    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN INSERT INTO noted VALUES (OLD.id); RETURN OLD; END'",
    "CREATE TRIGGER note AFTER DELETE ON parents FOR EACH ROW EXECUTE FUNCTION note()",
)
NOTED = {"app.noted": {"shared": "notes of a trigger"}}
HEIRS = {"app.heirs": {"shared": "what parents leave"}}

LOOKED_AT_BY_REPLICAS = """
DO $$ DECLARE looks text; BEGIN
    SELECT tgname INTO looks FROM pg_trigger
    WHERE tgrelid = 'parents'::regclass AND tgtype & 8 <> 0;
    EXECUTE format('ALTER TABLE parents ENABLE REPLICA TRIGGER %%I', looks);
END $$
"""

UNFIT = {
    "a trigger": ((*TABLES, *AUDIT), NOTED),
    "a trigger of replicas": (
        (*TABLES, *AUDIT, "ALTER TABLE parents ENABLE REPLICA TRIGGER note"),
        NOTED,
    ),
    "a trigger that always fires": (
        (*TABLES, *AUDIT, "ALTER TABLE parents ENABLE ALWAYS TRIGGER note"),
        NOTED,
    ),
    "a rule": (
        (*TABLES, AUDIT[0], "CREATE RULE note AS ON DELETE TO parents DO ALSO NOTIFY gone"),
        NOTED,
    ),
    "partitions": (
        (
            COMPANIES,
            f"{TABLES[1]} PARTITION BY RANGE (id)",
            "CREATE TABLE low PARTITION OF parents FOR VALUES FROM (1) TO (105)",
            "CREATE TABLE high PARTITION OF parents FOR VALUES FROM (105) TO (999)",
            TABLES[2],
        ),
        {},
    ),
    "heirs": (
        (*TABLES, "CREATE TABLE heirs () INHERITS (parents)"),
        HEIRS,
    ),
    "another key": (
        (
            *TABLES[:2],
            "ALTER TABLE parents ADD code integer UNIQUE GENERATED ALWAYS AS (id + 1) STORED",
            TABLES[2],
            "ALTER TABLE children ADD code integer REFERENCES parents (code)",
        ),
        {
            "app.parents": {"via": ["company_id"], "columns": {"code": "system.operations"}},
            "app.children": {"via": ["parent_id"], "columns": {"code": "system.operations"}},
        },
    ),
    "a reference that replicas look at": (
        (*TABLES, LOOKED_AT_BY_REPLICAS),
        {},
    ),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_means_more_than_a_look_at_references_goes_the_ordinary_way(name, postgres_url):
    statements, rules = UNFIT[name]
    with built(postgres_url, *statements, *ROWS, rules=RULES | rules) as shop:
        leave(shop)

        assert set(shop.ways_of("parents")) == {ORDINARY}
        assert shop.rows("SELECT count(*) FROM parents") == [(PARENTS,)]
        assert shop.rows("SELECT count(*) FROM children") == [(PARENTS,)]
        if name in ("a trigger", "a trigger that always fires"):
            assert shop.rows("SELECT count(*) FROM noted") == [(PARENTS,)]


@pytest.mark.parametrize(
    ("parent", "child", "is_comparable"),
    [
        ("bigint", "smallint", True),
        ("integer", "bigint", True),
        ("text", "text", True),
        ("numeric", "integer", False),
        ("text", "varchar", False),
        ('text COLLATE "C"', 'text COLLATE "POSIX"', False),
        ("code", "code", False),
        ("code", "integer", False),
        ("mood", "mood", True),
    ],
)
def test_columns_are_compared_only_where_they_are_equal_for_both(
    parent, child, is_comparable, postgres_url
):
    made = (
        "CREATE DOMAIN code AS integer",
        "CREATE TYPE mood AS ENUM ('fine', 'sad')",
        f"CREATE TABLE parents (id {parent} PRIMARY KEY)",
        f"CREATE TABLE children (parent_id {child} REFERENCES parents)",
    )
    with built(postgres_url, *made) as shop, shop.sources["app"].snapshot() as connection:
        pointers = shop.sources["app"].set_checks.pointers(connection, sa.table("parents"))

    assert [each.columns for each in pointers] == [(("parent_id", "id"),)] * is_comparable


def test_a_trigger_that_comes_while_chunks_run_fires_from_then_on(postgres_url):
    with built(postgres_url, *TABLES, *ROWS) as shop:
        fence = MeddlingFence(table="app.parents", deed=lambda: run(postgres_url, *AUDIT), stay=3)

        leave(shop, fence=fence)

        assert shop.ways_of("parents") == [*FALLEN, IN_A_SET, ORDINARY]
        assert shop.rows("SELECT count(*) FROM noted") == [(7,)]


def test_what_is_switched_off_forbids_nothing(postgres_url):
    off = "ALTER TABLE parents DISABLE TRIGGER note"
    with built(postgres_url, *TABLES, *ROWS, *AUDIT, off, rules=RULES | NOTED) as shop:
        leave(shop)

        assert set(shop.ways_of("parents")) == {IN_A_SET}
        assert shop.rows(BOTH) == OTHERS


@pytest.fixture
def clerk(postgres_url):
    """Give the address for a role that may delete, and nothing else."""
    run(postgres_url, *TABLES, *ROWS)
    name = f"clerk_{sa.make_url(postgres_url).database}"
    run(
        postgres_url,
        f'CREATE ROLE "{name}" LOGIN',
        f'GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO "{name}"',
    )
    yield sa.make_url(postgres_url).set(username=name)
    run(postgres_url, f'DROP OWNED BY "{name}"', f'DROP ROLE "{name}"')


def trust(url, clerk):
    run(url, f'GRANT SET ON PARAMETER session_replication_role TO "{clerk.username}"')


def test_a_role_that_is_not_trusted_is_told_so_before_the_first_change(clerk, postgres_url):
    with opened(clerk) as shop:
        with pytest.raises(PermissionMissing, match="session_replication_role") as caught:
            leave(shop)

        assert "GRANT SET ON PARAMETER session_replication_role TO" in caught.value.hint
        assert shop.ways == []
        trust(postgres_url, clerk)
        leave(shop)
        assert shop.ways_of("parents") == ALL
        assert shop.rows(BOTH) == OTHERS


def test_an_older_server_grants_it_to_nobody(clerk, postgres_url, monkeypatch):
    trust(postgres_url, clerk)
    with opened(clerk) as shop:
        shop.rows("SELECT 1")
        dialect = shop.sources["app"].engine.dialect
        monkeypatch.setattr(dialect, "server_version_info", (14, 19))

        with pytest.raises(PermissionMissing) as caught:
            leave(shop)

        assert "before PostgreSQL 15" in caught.value.hint


@pytest.mark.parametrize(
    "hidden",
    [
        (),
        ("ALTER TABLE other.children ENABLE ROW LEVEL SECURITY",),
    ],
    ids=["not granted", "hidden by a policy"],
)
def test_a_table_that_we_may_not_read_leaves_the_looking_to_the_database(
    hidden, clerk, postgres_url
):
    grant = (
        f'GRANT USAGE ON SCHEMA other TO "{clerk.username}"',
        f'GRANT SELECT ON other.children TO "{clerk.username}"',
    )
    other = (
        "CREATE SCHEMA other",
        "CREATE TABLE other.children (parent_id bigint REFERENCES public.parents)",
        *(grant if hidden else ()),
        *hidden,
    )
    trust(postgres_url, clerk)
    with opened(clerk) as shop:
        fence = MeddlingFence(table="app.children", deed=lambda: run(postgres_url, *other))

        leave(shop, fence=fence)

        assert set(shop.ways_of("parents")) == {ORDINARY}
        assert shop.rows(BOTH) == OTHERS
    run(postgres_url, "DROP SCHEMA other CASCADE")
