"""The note-taking sample: its history leads to its schema, its data is the same for a seed."""

import csv
import re
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from ruamel.yaml import YAML

from examples.note_taking import roster, schema
from examples.note_taking.customers import TINY, Size
from examples.note_taking.database import migrate, open_engine
from examples.note_taking.generate import main, populate
from examples.note_taking.roster import write_roster
from examples.note_taking.writing import HARD_TEXTS

ON_THE_WEB = "app.py"  # asks who may do what, with the SDK
SAMPLE = Path(roster.__file__).parent
LEAVING_ON = date(2024, 8, 30)
SEED = 7
WRITTEN_IN_2022 = (
    "INSERT INTO organizations VALUES ('o', 'O', 'o.example', 'en', 'UTC', 'https://a.example')",
    "INSERT INTO users VALUES ('u', 'o', 'u@o.example', 'U', 'member', 'en', 'UTC', '2022-02-01')",
    "INSERT INTO notes VALUES ('n', 'u', NULL, '', 'kept', NULL, '2022-02-01', '2022-02-01')",
)


def filled(url, *, seed=SEED, leaving_on=LEAVING_ON):
    """Migrate a database and fill it; give the engine and who is in it."""
    migrate(url)
    engine = open_engine(url)
    return engine, populate(engine, seed=seed, leaving_on=leaving_on, sizes=TINY)


def dumped(engine):
    """Read every row of every table, in the order of its key."""
    with engine.connect() as connection:
        return {
            table.name: connection.execute(sa.select(table).order_by(table.c.id)).all()
            for table in schema.metadata.sorted_tables
        }


def dumped_in_utc(engine):
    """Read every row with its instants as UTC without a zone: SQLite keeps none, and means UTC."""
    return {
        name: [tuple(map(without_zone, row)) for row in rows]
        for name, rows in dumped(engine).items()
    }


def without_zone(value):
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def organization_of_users(connection):
    """Map each person to their organization."""
    users = schema.users.c
    return dict(connection.execute(sa.select(users.id, users.organization_id)).all())


def load_data_map():
    return YAML(typ="safe").load(SAMPLE / "datamap.yaml")


def read_csv(file):
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture
def engine(database_url):
    """Give an engine on a migrated, empty database."""
    migrate(database_url)
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sample(database_url):
    """Give an engine on a filled database, and the three organizations in it."""
    engine, population = filled(database_url)
    yield engine, population
    engine.dispose()


def test_the_migrations_lead_to_the_schema(engine):
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)

        differences = compare_metadata(context, schema.metadata)

    assert differences == []


def test_the_migrations_lead_to_the_same_columns_in_the_same_order_and_the_same_checks(engine):
    inspector = sa.inspect(engine)

    for table in schema.metadata.sorted_tables:
        checks = [str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint)]
        found = inspector.get_check_constraints(table.name)
        columns = [column["name"] for column in inspector.get_columns(table.name)]

        assert sorted(check["name"] for check in found) == sorted(checks)
        assert columns == [column.name for column in table.columns]


def test_the_migrations_lead_to_the_same_names_of_foreign_keys(postgres_url):
    migrate(postgres_url)
    engine = open_engine(postgres_url)
    inspector = sa.inspect(engine)

    for table in schema.metadata.sorted_tables:
        names = {key["name"] for key in inspector.get_foreign_keys(table.name)}

        assert names == {str(key.name) for key in table.foreign_key_constraints}
    engine.dispose()


def test_migrating_twice_changes_nothing(sample, database_url):
    engine, _ = sample
    before = dumped(engine)

    migrate(database_url)

    assert dumped(engine) == before


def test_rows_written_before_a_revision_survive_it(database_url):
    migrate(database_url, revision="0002")
    engine = open_engine(database_url)
    with engine.begin() as connection:
        for statement in WRITTEN_IN_2022:
            connection.execute(sa.text(statement))

    migrate(database_url)

    with engine.connect() as connection:
        columns = schema.notes.c
        selected = sa.select(columns.id, columns.body, columns.last_edited_by)
        notes = connection.execute(selected).all()
    engine.dispose()
    assert notes == [("n", "kept", None)]


def test_every_foreign_key_is_indexed(engine):
    inspector = sa.inspect(engine)

    for table in inspector.get_table_names():
        leading = {index["column_names"][0] for index in inspector.get_indexes(table)}
        referring = {key["constrained_columns"][0] for key in inspector.get_foreign_keys(table)}

        assert referring <= leading, table


def test_the_same_seed_gives_the_same_data(database_url, tmp_path):
    engine, population = filled(database_url)
    again, population_again = filled(f"sqlite:///{tmp_path / 'again.sqlite'}")

    rows, rows_again = dumped_in_utc(engine), dumped_in_utc(again)

    engine.dispose()
    again.dispose()
    assert population == population_again
    assert rows == rows_again
    assert all(rows.values())


def test_the_same_seed_gives_the_same_file_byte_for_byte(tmp_path):
    files = [tmp_path / "one.sqlite", tmp_path / "two.sqlite"]

    for file in files:
        main(["--database", f"sqlite:///{file}", "--seed", str(SEED), "--tiny"])

    assert files[0].read_bytes() == files[1].read_bytes()


def test_another_seed_gives_other_data(tmp_path):
    first, _ = filled(f"sqlite:///{tmp_path / 'first.sqlite'}")
    second, _ = filled(f"sqlite:///{tmp_path / 'second.sqlite'}", seed=SEED + 1)

    assert dumped(first)["notes"] != dumped(second)["notes"]
    first.dispose()
    second.dispose()


def test_the_three_organizations_end_as_described(sample):
    engine, population = sample
    subscriptions = schema.subscriptions.c
    selected = sa.select(subscriptions.organization_id, subscriptions.ends_on)

    ends = {}
    with engine.connect() as connection:
        for organization_id, ends_on in connection.execute(selected.order_by(subscriptions.id)):
            ends.setdefault(organization_id, []).append(ends_on)

    assert ends == {
        population.leaving: [LEAVING_ON, LEAVING_ON],
        population.sibling: [date(2028, 6, 30), date(2028, 6, 30)],
        population.staggered: [date(2027, 5, 31), date(2024, 12, 31)],
    }


def test_a_leap_day_is_an_end_date_too(sqlite_url):
    engine, population = filled(sqlite_url, leaving_on=date(2024, 2, 29))
    subscriptions = schema.subscriptions.c
    leaving = subscriptions.organization_id == population.leaving

    with engine.connect() as connection:
        ends = connection.scalars(sa.select(subscriptions.ends_on).where(leaving)).all()

    engine.dispose()
    assert ends == [date(2024, 2, 29)] * 2


def test_nothing_refers_to_another_organization(sample):
    engine, _ = sample
    tables = schema.metadata.tables
    pairs = [
        ("notes", "owner_id", "last_edited_by"),
        ("shares", "from_user_id", "to_user_id"),
    ]

    with engine.connect() as connection:
        home = organization_of_users(connection)
        owner = dict(
            connection.execute(sa.select(schema.notes.c.id, schema.notes.c.owner_id)).all()
        )
        crossings = [
            row
            for table, one, other in pairs
            for row in connection.execute(
                sa.select(tables[table].c[one], tables[table].c[other]).where(
                    tables[table].c[other].is_not(None)
                )
            )
            if home[row[0]] != home[row[1]]
        ]
        shares = connection.execute(sa.select(schema.shares)).all()

    assert shares
    assert crossings == []
    assert all(owner[share.note_id] == share.from_user_id for share in shares)


def test_the_data_holds_what_real_data_holds(sample):
    engine, _ = sample

    rows = dumped(engine)

    bodies = {row.body for row in (*rows["notes"], *rows["note_revisions"])}
    assert len(bodies & set(HARD_TEXTS)) >= len(HARD_TEXTS) // 2
    assert not any("\0" in body for body in bodies)
    for table, column in (
        ("notes", "folder_id"),
        ("notes", "tags"),
        ("notes", "last_edited_by"),
        ("note_revisions", "editor_id"),
        ("recordings", "note_id"),
        ("devices", "push_token"),
        ("shared_links", "token_hash"),
        ("folders", "parent_id"),
        ("product_access", "ends_on"),
        ("users", "removed_on"),
    ):
        empty = {getattr(row, column) is None for row in rows[table]}
        assert empty == {True, False}, f"{table}.{column}"


@pytest.mark.parametrize("body", HARD_TEXTS)
def test_a_hard_text_comes_back_as_it_was_written(sample, body):
    engine, _ = sample
    notes = schema.notes

    with engine.begin() as connection:
        connection.execute(sa.update(notes).values(body=body, tags=[body]))
        found = connection.execute(sa.select(notes.c.body, notes.c.tags)).all()

    assert found == [(body, [body])] * len(found)
    assert found


def test_new_rows_are_numbered_after_the_generated_ones(sample):
    engine, _ = sample
    with engine.begin() as connection:
        owner_id = connection.scalar(sa.select(schema.users.c.id).limit(1))
        highest = connection.scalar(sa.select(sa.func.max(schema.folders.c.id)))

        added = connection.execute(
            sa.insert(schema.folders).values(owner_id=owner_id, parent_id=highest, name="new")
        )

        assert added.inserted_primary_key == (highest + 1,)


def test_the_database_refuses_to_orphan_a_row(sample):
    engine, _ = sample

    with engine.connect() as connection, pytest.raises(sa.exc.IntegrityError):
        connection.execute(sa.delete(schema.users))


def test_an_organization_too_small_for_every_kind_of_member_is_refused():
    with pytest.raises(ValueError, match="at least 8 members"):
        Size(members=7, notes_each=1)


def test_the_data_map_names_every_table_and_every_column_and_nothing_else(engine):
    inspector = sa.inspect(engine)
    live = {
        f"app.{table}": {column["name"] for column in inspector.get_columns(table)}
        for table in inspector.get_table_names()
    }

    tables = load_data_map()["tables"]

    assert {name: set(table["columns"]) for name, table in tables.items()} == live


def test_the_data_map_leads_from_every_table_to_its_organization(engine):
    inspector = sa.inspect(engine)
    tables = load_data_map()["tables"]
    private = {name for name, table in tables.items() if "shared" not in table}

    for name in private:
        hops = 0
        while name != "app.organizations":
            (column,) = tables[name]["via"]
            keys = inspector.get_foreign_keys(name.removeprefix("app."))
            parent = {k["constrained_columns"][0]: k["referred_table"] for k in keys}[column]
            name, hops = f"app.{parent}", hops + 1

            assert hops < len(tables)


def test_the_data_map_keeps_only_what_it_has_a_reason_for(engine):
    tables = load_data_map()["tables"]
    kept = {name: table for name, table in tables.items() if table.get("erase") == "keep"}
    inspector = sa.inspect(engine)

    assert set(kept) == {"app.support_tickets"}
    for name, table in kept.items():
        assert table["basis"]
        assert table["until"] == "opened_on + P2Y"
        columns = {c["name"]: c for c in inspector.get_columns(name.removeprefix("app."))}
        assert not columns["opened_on"]["nullable"]
        for column, rule in table["columns"].items():
            if isinstance(rule, str):
                assert rule == "system.operations"
            elif rule["erase"] == "null":
                assert columns[column]["nullable"]
            else:
                assert rule["erase"] == "hash"


def test_the_data_map_never_exports_a_secret():
    tables = load_data_map()["tables"]

    secret = {
        f"{name}.{column}"
        for name, table in tables.items()
        for column, rule in table["columns"].items()
        if isinstance(rule, dict) and rule.get("export") == "never"
    }

    assert secret == {"app.shared_links.token_hash", "app.devices.push_token"}


def test_the_data_map_speaks_of_products_that_are_sold(sample):
    engine, _ = sample
    tables = load_data_map()["tables"]

    with engine.connect() as connection:
        sold = set(connection.scalars(sa.select(schema.products.c.code)))

    assert {table["product"] for table in tables.values() if "product" in table} == sold


def test_the_roster_tells_who_bought_what_and_who_uses_it(sample, tmp_path):
    engine, population = sample

    write_roster(engine, tmp_path)

    organizations = {row["organization"]: row for row in read_csv(tmp_path / "organizations.csv")}
    pools = {row["pool"]: row for row in read_csv(tmp_path / "pools.csv")}
    members = read_csv(tmp_path / "members.csv")
    leaving = [row for row in members if row["organization"] == population.leaving]
    assert organizations[population.leaving] == {
        "organization": population.leaving,
        "name": "Liffey University",
        "zone": "Europe/Dublin",
        "locale": "en-IE",
        "policy": "edit-only-grace",
    }
    assert len(organizations) == 3
    assert pools["1"] == {
        "organization": population.leaving,
        "pool": "1",
        "product": "notes",
        "kind": "campus",
        "seats": "10",
        "ends_on": "2024-08-30",
    }
    assert len(members) == 24
    assert all(
        pools[pool]["organization"] == row["organization"]
        for row in members
        for pool in row["pools"].split(";")
    )
    assert sum("admin" in row["roles"].split(";") for row in leaving) >= 3
    assert sum("billing" in row["roles"].split(";") for row in leaving) == 1
    assert [row["ends_on"] for row in leaving if row["ends_on"]] == ["2024-08-20"]
    assert sorted(row["pools"] for row in leaving) == ["1", "1"] + ["1;2"] * 6
    assert len({row["locale"] for row in leaving}) >= 3
    assert len({row["zone"] for row in leaving}) >= 3


def test_the_roster_names_zones_that_exist_and_addresses_that_differ(sample, tmp_path):
    engine, _ = sample

    write_roster(engine, tmp_path)

    members = read_csv(tmp_path / "members.csv")
    assert all(ZoneInfo(row["zone"]) for row in members)
    assert all(re.fullmatch(r"[a-z.0-9]+@[a-z-]+\.example", row["email"]) for row in members)
    assert len({row["email"] for row in members}) == len(members)


def test_the_command_line_fills_a_database_and_writes_its_roster(database_url, tmp_path, capsys):
    main(["--database", database_url, "--seed", "3", "--leaving-on", "2025-01-31", "--tiny"])
    roster.main(["--database", database_url, "--folder", str(tmp_path / "roster")])

    leaving = capsys.readouterr().out.split()[0]
    pools = read_csv(tmp_path / "roster" / "pools.csv")
    ends = {row["ends_on"] for row in pools if row["organization"] == leaving}
    assert ends == {"2025-01-31"}


def test_the_sample_does_not_know_what_happens_to_it():
    code = [file for file in SAMPLE.rglob("*.py") if file.name != ON_THE_WEB]

    naming = [file.name for file in code if "offramp" in file.read_text(encoding="utf-8").lower()]

    assert len(code) > 8
    assert naming == []
