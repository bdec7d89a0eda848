"""SQLite's catalog is always that of the declarations of now, and the same are read once."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from offramp.data.sources.sqlite_catalog import CATALOGS_MAX, SqliteCatalogs

TABLES = (
    "CREATE TABLE companies (id INTEGER PRIMARY KEY)",
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL,"
    " company_id INTEGER REFERENCES companies (id))",
    "CREATE INDEX by_company ON users (company_id)",
)
CHANGES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY)",
    "ALTER TABLE users ADD COLUMN name TEXT",
    "ALTER TABLE users RENAME COLUMN email TO address",
    "ALTER TABLE users RENAME TO people",
    "DROP INDEX by_company",
    "DROP TABLE users",
)


@pytest.fixture
def catalogs():
    return SqliteCatalogs()


def declare(folder: Path, *statements):
    """Open a database in a folder with what is declared in it."""
    engine = sa.create_engine(f"sqlite:///{folder / 'app.sqlite'}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    return engine


def ask(catalogs, engine):
    with engine.connect() as connection:
        return catalogs.read(connection, schema=None, further=())


def test_the_same_declarations_are_read_once_whichever_file_they_are_in(catalogs, tmp_path):
    folders = tmp_path / "one", tmp_path / "other"
    for folder in folders:
        folder.mkdir()
    one, other = (declare(folder, *TABLES) for folder in folders)

    first, again, of_other = ask(catalogs, one), ask(catalogs, one), ask(catalogs, other)

    assert set(first.tables) == {"companies", "users"}
    assert again is first
    assert of_other is first


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_declared_since_is_read_L15(catalogs, tmp_path, change):
    engine = declare(tmp_path, *TABLES)
    before = ask(catalogs, engine)

    declare(tmp_path, change)

    assert repr(ask(catalogs, engine)) == repr(ask(SqliteCatalogs(), engine)) != repr(before)


def test_what_is_declared_in_the_same_transaction_is_read_L15(catalogs, tmp_path):
    engine = declare(tmp_path, *TABLES)
    ask(catalogs, engine)

    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(CHANGES[0])
        within = catalogs.read(connection, schema=None, further=())
        connection.rollback()

    assert "notes" in within.tables
    assert "notes" not in ask(catalogs, engine).tables


def test_other_files_that_are_attached_are_read_anew(catalogs, tmp_path):
    engine = declare(tmp_path, *TABLES)
    with engine.connect() as connection:
        connection.exec_driver_sql("ATTACH ':memory:' AS more")
        first, again = (catalogs.read(connection, schema="more", further=()) for _ in range(2))

    assert again is not first


def test_only_the_last_ones_are_remembered(catalogs, tmp_path):
    engine = declare(tmp_path, *TABLES)
    first = ask(catalogs, engine)
    for number in range(CATALOGS_MAX):
        declare(tmp_path, f"CREATE TABLE more_{number} (id INTEGER PRIMARY KEY)")
        ask(catalogs, engine)
    for number in range(CATALOGS_MAX):
        declare(tmp_path, f"DROP TABLE more_{number}")

    assert ask(catalogs, engine) is not first
