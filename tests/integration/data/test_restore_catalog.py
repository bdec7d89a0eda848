"""Columns and keys that a database makes itself, and tables whose rows need one another."""

import pytest
import sqlalchemy as sa

from offramp.data.datamap import DataMap
from offramp.data.restoration.plan import SchemaDifferent
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from tests.integration.data.leaving import come_back, data_of, leave, take
from tests.integration.data.test_postgres import OURS, THEIRS, shop  # noqa: F401

OURSELVES = Scope(organization="1")


class Firm:
    """A database made from a script, with a map of its tables."""

    def __init__(self, url, script, **rules):
        self.url, self.engine = url, sa.create_engine(url)
        self.run("CREATE TABLE firms (id INTEGER PRIMARY KEY)", "INSERT INTO firms VALUES (1), (2)")
        self.run(*script)
        source = {"kind": "sql", "url": url, "root": "firms.id"}
        tables = {"app.firms": {}} | {f"app.{name}": rule for name, rule in rules.items()}
        written = {"offramp": 1, "sources": {"app": source}, "tables": tables}
        self.datamap = DataMap.model_validate(written)
        self.sources = open_sources(self.datamap, environment={})

    def run(self, *script):
        with self.engine.begin() as connection:
            for text in script:
                connection.exec_driver_sql(text)

    def rows(self, text):
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(text)]

    def close(self):
        self.sources["app"].close()
        self.engine.dispose()


@pytest.fixture
def make_firm(database_url):
    yield from firms_at(database_url)


@pytest.fixture
def make_late_firm(late_url):
    yield from firms_at(late_url)


def firms_at(database_url):
    made = []

    def make(*script, **rules):
        made.append(Firm(database_url, script, **rules))
        return made[0]

    yield make
    made[0].close()


def rule(*columns, **rest):
    return {"via": ["firm"], "columns": dict.fromkeys(columns, "system.operations")} | rest


def leave_and_come_back(firm, folder, scope=OURSELVES):
    take(firm, scope, folder / "out.json")
    leave(firm, scope)
    come_back(firm, folder / "out.json")
    take(firm, scope, folder / "again.json")
    assert data_of(folder / "again.json") == data_of(folder / "out.json")


def test_a_generated_column_is_left_to_the_database(make_firm, tmp_path):
    firm = make_firm(
        "CREATE TABLE sums (id INTEGER PRIMARY KEY, firm INTEGER NOT NULL REFERENCES firms (id),"
        " net INTEGER, gross INTEGER GENERATED ALWAYS AS (net * 2) STORED)",
        "INSERT INTO sums (id, firm, net) VALUES (1, 1, 5), (2, 2, 6)",
        sums=rule("net", "gross"),
    )

    leave_and_come_back(firm, tmp_path)

    assert firm.rows("SELECT * FROM sums ORDER BY id") == [(1, 1, 5, 10), (2, 2, 6, 12)]


def test_rows_that_cannot_be_without_one_another_come_back_together(make_late_firm, tmp_path):
    make_firm = make_late_firm
    firm = make_firm(
        "CREATE TABLE staff (id INTEGER PRIMARY KEY, firm INTEGER NOT NULL REFERENCES firms (id),"
        " boss INTEGER NOT NULL REFERENCES staff (id))",
        "INSERT INTO staff VALUES (1, 1, 3), (2, 1, 2), (3, 1, 1), (4, 2, 4)",
        staff=rule("boss"),
    )
    take(firm, OURSELVES, tmp_path / "out.json")
    firm.run("DELETE FROM staff WHERE firm = 1", "INSERT INTO staff VALUES (3, 2, 3)")

    come_back(firm, tmp_path / "out.json")
    again = come_back(firm, tmp_path / "out.json")

    assert firm.rows("SELECT id, boss FROM staff WHERE firm = 1 ORDER BY id") == [
        (1, 5),
        (2, 2),
        (5, 1),
    ]
    assert again.tables["app.staff"].added == 0


def test_two_sources_come_back_together_or_not_at_all(make_firm, tmp_path):
    firm = make_firm(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, firm INTEGER NOT NULL REFERENCES firms (id),"
        " body TEXT UNIQUE)",
        "INSERT INTO notes VALUES (1, 1, 'x')",
        notes=rule("body"),
    )
    url = f"sqlite:///{tmp_path / 'second.sqlite'}"
    second = Firm(url, ["CREATE TABLE logs (id INTEGER PRIMARY KEY)"], logs={"shared": "nobody's"})
    one, two = firm.datamap.sources["app"], second.datamap.sources["app"]
    tables = {"one.notes": rule("body"), "two.logs": {"shared": "nobody's"}}
    tables |= {"one.firms": {}, "two.firms": {}}
    sources = {"one": one.model_dump(by_alias=True), "two": two.model_dump(by_alias=True)}
    written = {"offramp": 1, "sources": sources, "tables": tables}
    firm.sources["app"].close()
    firm.datamap = DataMap.model_validate(written)
    firm.sources = open_sources(firm.datamap, environment={})
    take(firm, OURSELVES, tmp_path / "out.json")
    leave(firm, OURSELVES)
    firm.run("INSERT INTO notes VALUES (9, 2, 'x')")

    with pytest.raises(Exception, match="already has the value"):
        come_back(firm, tmp_path / "out.json")
    refused = second.rows("SELECT id FROM firms")
    firm.run("DELETE FROM notes")
    come_back(firm, tmp_path / "out.json")

    assert refused == [(2,)]
    assert second.rows("SELECT id FROM firms ORDER BY id") == [(1,), (2,)]
    assert firm.rows("SELECT id FROM notes") == [(1,)]
    for source in firm.sources.values():
        source.close()
    second.close()
    firm.sources = {"app": second.sources["app"]}


def test_a_withheld_value_that_must_be_there_is_refused_by_name(make_firm, tmp_path):
    firm = make_firm(
        "CREATE TABLE tokens (id INTEGER PRIMARY KEY, firm INTEGER NOT NULL REFERENCES firms (id),"
        " token VARCHAR(20) NOT NULL UNIQUE, pin INTEGER NOT NULL DEFAULT 7)",
        "INSERT INTO tokens VALUES (1, 1, 'a', 1), (2, 1, 'b', 2)",
        tokens=rule(columns={name: {"export": "never"} for name in ("token", "pin")}),
    )
    take(firm, OURSELVES, tmp_path / "out.json")
    leave(firm, OURSELVES)

    with pytest.raises(SchemaDifferent) as caught:
        come_back(firm, tmp_path / "out.json")

    assert caught.value.differences == (
        "app.tokens.token is never exported and must have a value:"
        " give it a default, or `restore: random`",
    )


def test_a_type_that_holds_more_fits_and_one_that_holds_less_is_told(make_firm, tmp_path):
    firm = make_firm(
        "CREATE TABLE codes (id INTEGER PRIMARY KEY, firm INTEGER NOT NULL REFERENCES firms (id),"
        " short VARCHAR(9), small SMALLINT, other INTEGER)",
        "INSERT INTO codes VALUES (1, 1, 'a', 1, 2)",
        codes=rule("short", "small", "other"),
    )
    take(firm, OURSELVES, tmp_path / "out.json")
    firm.run(
        "DROP TABLE codes",
        "CREATE TABLE codes (id INTEGER PRIMARY KEY, firm INTEGER NOT NULL REFERENCES firms (id),"
        " short VARCHAR(20), small INTEGER, other SMALLINT)",
    )

    with pytest.raises(SchemaDifferent) as caught:
        come_back(firm, tmp_path / "out.json")

    assert caught.value.differences == ("app.codes.other is SMALLINT and was INTEGER",)


def test_new_rows_get_numbers_after_the_restored_ones(postgres_url, tmp_path):
    firm = Firm(
        postgres_url,
        [
            "CREATE TABLE visits (id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " firm INTEGER NOT NULL REFERENCES firms)",
            "CREATE TABLE calls (id SERIAL PRIMARY KEY, firm INTEGER NOT NULL REFERENCES firms)",
            "CREATE SEQUENCE free",
            "CREATE TABLE mails (id INTEGER DEFAULT nextval('free') PRIMARY KEY,"
            " firm INTEGER NOT NULL REFERENCES firms)",
            *(
                f"INSERT INTO {table} (firm) SELECT 1 FROM generate_series(1, 5)"
                for table in ("visits", "calls", "mails")
            ),
        ],
        visits=rule(),
        calls=rule(),
        mails=rule(),
    )
    take(firm, OURSELVES, tmp_path / "out.json")
    leave(firm, OURSELVES)
    firm.run(*(f"ALTER SEQUENCE {name} RESTART" for name in ("visits_id_seq", "calls_id_seq")))
    firm.run("ALTER SEQUENCE free RESTART")

    come_back(firm, tmp_path / "out.json")

    for table in ("visits", "calls", "mails"):
        assert firm.rows(f"INSERT INTO {table} (firm) VALUES (2) RETURNING id") == [(6,)]
    firm.close()


class Shop:
    def __init__(self, datamap, sources):
        self.datamap, self.sources = datamap, sources

    def run(self, text):
        with self.sources["app"].transaction() as connection:
            connection.exec_driver_sql('SET LOCAL search_path TO "Tenant Data"')
            connection.exec_driver_sql(text)


@pytest.mark.parametrize("organization", [OURS, THEIRS])
def test_every_kind_of_value_of_postgres_comes_back(shop, tmp_path, organization):  # noqa: F811
    leave_and_come_back(Shop(*shop), tmp_path, Scope(organization=organization))


def test_typed_json_keeps_its_characters_and_stays_on_its_line(shop, tmp_path):  # noqa: F811
    bazaar = Shop(*shop)
    bazaar.run('ALTER TABLE "Order" ALTER COLUMN raw TYPE json')
    bazaar.run("""UPDATE "Order" SET raw = E'{\\n "n": 1.50,\\r\\n "n": [ ]}'""")

    leave_and_come_back(bazaar, tmp_path, Scope(organization=OURS))

    assert b'{  "n": 1.50,   "n": [ ]}' in (tmp_path / "again.json").read_bytes()


def test_a_uuid_that_somebody_else_has_now_is_replaced(shop, tmp_path):  # noqa: F811
    bazaar, ours = Shop(*shop), Scope(organization=OURS)
    take(bazaar, ours, tmp_path / "out.json")
    leave(bazaar, ours)
    bazaar.run(f"""INSERT INTO "Order" (id, "select") VALUES ('{OURS}', 'somebody else')""")

    first = come_back(bazaar, tmp_path / "out.json")
    again = come_back(bazaar, tmp_path / "out.json")

    assert first.organization == again.organization != OURS
    assert first.tables["app.lines"].added == 4
    assert again.tables["app.lines"].added == again.tables["app.Order"].added == 0
