"""What only MySQL and MariaDB have: their types, engines, names, and rows that outlive a DELETE."""

import base64
import io
import json
from contextlib import contextmanager

import jsonschema
import pytest
import sqlalchemy as sa
from whenever import Instant

from offramp.data.check import DataMapIncomplete, Kind, Severity, check, require_complete
from offramp.data.datamap import DataMap
from offramp.data.handover.export import digest, export
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from offramp.data.sources.trouble import PermissionMissing, SourceBusy, SourceUnusable
from tests.integration.data.application import propose, run
from tests.integration.data.engine import unchecked
from tests.integration.data.leaving import leave
from tests.integration.data.school import no_progress

pytestmark = pytest.mark.mariadb

OURS, THEIRS = Scope(organization="1"), Scope(organization="2")
FIRMS = ("CREATE TABLE firms (id INT PRIMARY KEY)", "INSERT INTO firms VALUES (1), (2)")
KINDS = """
CREATE TABLE kinds (
  id BIGINT UNSIGNED PRIMARY KEY, firm INT NOT NULL,
  flag TINYINT(1), tiny TINYINT UNSIGNED, padded INT(6) UNSIGNED ZEROFILL, big BIGINT,
  huge BIGINT UNSIGNED, exact DECIMAL(30,10), real_ DOUBLE, single FLOAT, bits BIT(12), bit1 BIT,
  year_ YEAR, day DATE, moment DATETIME(6), instant TIMESTAMP(3) NULL, span TIME(2),
  fixed CHAR(5), latin VARCHAR(20) CHARACTER SET latin1, words TEXT COLLATE utf8mb4_unicode_ci,
  mood ENUM('good','it''s bad'), tags SET('a','b','c'), tree JSON, bytes BLOB, pad BINARY(4),
  shape POINT, address INET6, unique_ UUID, hidden INT INVISIBLE DEFAULT 7,
  twice BIGINT AS (big * 2) VIRTUAL, thrice INT AS (tiny * 3) STORED,
  FOREIGN KEY (firm) REFERENCES firms (id))
"""
FILLED = r"""
INSERT INTO kinds SET id = 18446744073709551615, firm = 1, flag = 1, tiny = 7, padded = 42,
  big = -9007199254740993, huge = 18446744073709551615, exact = 12345678901234567890.0123456789,
  real_ = 0.1e0 + 0.2e0, single = 0.1, bits = b'101', bit1 = b'1', year_ = 2024,
  day = '2024-08-30', moment = '2024-08-30 09:30:00.123456', instant = '2024-08-30 09:30:00.5',
  span = '-12:00:00.5', fixed = 'ab', latin = 'Zoë', words = 'a "quoted" \\ word\n\u0001😀',
  mood = 'it''s bad', tags = 'c,a', tree = '{"n": 1.50,\n "k": [true, "\\u00e9"]}',
  bytes = repeat(x'00ff', 100), pad = x'01', shape = point(1, 2), address = '::1',
  unique_ = '00112233-4455-6677-8899-aabbccddeeff'
"""
ODD = r"""
INSERT INTO kinds SET id = 3, firm = 1, flag = 5, day = '0000-00-00', moment = '2024-02-31',
  instant = '0000-00-00', year_ = 0, tree = '["\\x", 1.]', words = '', tags = '', real_ = -0e0
"""


class Firm:
    """A database made from a script, with a map of its tables."""

    def __init__(self, url, *script, source=None, **tables):
        self.url, self.engine = url, sa.create_engine(url)
        self.run(*FIRMS, *script)
        described = {"kind": "sql", "url": url, "root": "firms.id"} | (source or {})
        rules = {"app.firms": {}} | {f"app.{name}": rule for name, rule in tables.items()}
        written = {"offramp": 1, "sources": {"app": described}, "tables": rules}
        self.datamap = DataMap.model_validate(written)
        self.sources = open_sources(self.datamap, environment={})

    def run(self, *statements):
        with self.engine.begin() as connection:
            connection.exec_driver_sql("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'")
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))

    def rows(self, statement):
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def findings(self):
        return {(each.kind, each.subject, each.severity) for each in self.check()}

    def check(self):
        return check(self.datamap, self.sources)

    def close(self):
        self.sources["app"].close()
        self.engine.dispose()


@pytest.fixture
def make_firm(mariadb_url):
    made = []

    def make(*script, **tables):
        made.append(Firm(mariadb_url, *script, **tables))
        return made[-1]

    yield make
    for firm in made:
        firm.close()


def rule(*columns, via="firm", **rest):
    return {"via": [via], "columns": dict.fromkeys(columns, "system.operations")} | rest


def names_of_kinds():
    after = KINDS[KINDS.index("flag") : KINDS.index("FOREIGN")]
    words = [part.split() for part in after.replace("),", ") ,").split(",")]
    known = {word[0] for word in words if word and word[0].rstrip("_").isidentifier()}
    return sorted(known - {"b", "c"})


@pytest.fixture
def kinds(make_firm):
    return make_firm(KINDS, FILLED, ODD, kinds=rule(*names_of_kinds()))


def take(firm, scope=OURS):
    sink = io.BytesIO()
    export(
        firm.datamap,
        firm.sources,
        scope,
        sink,
        header={},
        taken_at=Instant.from_utc(2024, 9, 22),
        progress=no_progress,
    )
    return json.loads(sink.getvalue())


def test_every_kind_of_value_is_handed_over_exactly(kinds):
    document = take(kinds)

    odd, row = document["data"]["kinds"]
    assert (
        row.pop("shape")
        == base64.b64encode(
            bytes.fromhex("000000000101000000000000000000F03F0000000000000040")
        ).decode()
    )
    assert base64.b64decode(row.pop("bytes")) == b"\x00\xff" * 100
    assert row == {
        "id": "18446744073709551615",
        "firm": 1,
        "flag": True,
        "tiny": 7,
        "padded": 42,
        "big": "-9007199254740993",
        "huge": "18446744073709551615",
        "exact": "12345678901234567890.0123456789",
        "real_": 0.1 + 0.2,
        "single": 0.10000000149011612,
        "bits": 5,
        "bit1": 1,
        "year_": 2024,
        "day": "2024-08-30",
        "moment": "2024-08-30T09:30:00.123456",
        "instant": "2024-08-30T09:30:00.500+00:00",
        "span": "-12:00:00.50",
        "fixed": "ab",
        "latin": "Zoë",
        "words": 'a "quoted" \\ word\nu0001😀',
        "mood": "it's bad",
        "tags": "a,c",
        "tree": {"n": 1.5, "k": [True, "é"]},
        "pad": "AQAAAA==",
        "address": "::1",
        "unique_": "00112233-4455-6677-8899-aabbccddeeff",
        "hidden": 7,
        "twice": "-18014398509481986",
        "thrice": 21,
    }
    assert odd["flag"] == 5
    assert odd["day"] == "0000-00-00"
    assert odd["moment"] == "2024-02-31T00:00:00.000000"
    assert odd["tree"] == '["\\x", 1.]', "what no other reader takes for JSON is a text"
    assert (odd["year_"], odd["words"], odd["tags"], odd["bits"]) == (0, "", "", None)


def test_the_document_of_every_kind_obeys_its_schema(kinds):
    document = take(kinds)

    validator = jsonschema.Draft202012Validator(document["schema"])
    assert list(validator.iter_errors(document)) == []
    types = document["manifest"]["tables"]["app.kinds"]["columns"]
    assert types["latin"] == "VARCHAR(20)"
    assert types["shape"] == "POINT"
    assert types["tree"] == "JSON"
    assert types["unique_"] == "UUID"


def test_rows_are_in_the_order_of_their_bytes_whatever_the_language_of_their_key(make_firm):
    firm = make_firm(
        "CREATE TABLE words (w VARCHAR(9) COLLATE utf8mb4_unicode_ci PRIMARY KEY,"
        " firm INT NOT NULL, FOREIGN KEY (firm) REFERENCES firms (id))",
        "INSERT INTO words VALUES ('b', 1), ('A', 1), ('é', 1), ('Z', 1), ('😀', 1), ('z9', 1)",
        words=rule(),
    )

    assert [row["w"] for row in take(firm)["data"]["words"]] == ["A", "Z", "b", "z9", "é", "😀"]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("k VARCHAR(9) CHARACTER SET latin1", ["'é'", "'a b'", "'\"'"]),
        ("k BINARY(4)", ["x'00ff00ff'", "x'22272a5c'", "'abcd'"]),
        ("k DATETIME(6)", ["'2024-01-01 01:02:03.000004'", "'2024-01-02'", "'1999-01-01'"]),
        ("k DECIMAL(40,20)", ["1.00000000000000000001", "2", "1e19"]),
        ("k BIGINT UNSIGNED", ["18446744073709551615", "9007199254740993", "0"]),
        ("k UUID", ["uuid()", "uuid()", "'00112233-4455-6677-8899-aabbccddeeff'"]),
        ("k ENUM('x','it''s')", ["'x'", "'it''s'"]),
        ("k SET('a','b')", ["'a'", "'a,b'"]),
    ],
)
def test_whatever_is_a_key_is_found_again_chunk_by_chunk(make_firm, key, values):
    firm = make_firm(
        f"CREATE TABLE things ({key}, n INT, firm INT, PRIMARY KEY (k, n), body VARCHAR(60),"
        " FOREIGN KEY (firm) REFERENCES firms (id))",
        *(f"INSERT INTO things VALUES ({each}, {n}, {n}, 'x')" for each in values for n in (1, 2)),
        things=rule(
            erase="keep",
            basis="law",
            until="k + P1Y",
            columns={
                "firm": {"category": "system", "erase": "null"},
                "body": {"category": "user.content", "erase": "hash"},
            },
        ),
    )

    kept = leave(firm, OURS, rows=2)

    assert kept.hashed == {"app.things": len(values)}
    told = firm.rows("SELECT n, firm, body LIKE 'erased-%%' FROM things ORDER BY n")
    assert told == [(1, None, 1)] * len(values) + [(2, 2, 0)] * len(values)


def test_a_key_of_bytes_and_one_of_words_are_deleted(make_firm):
    firm = make_firm(
        "CREATE TABLE posts (id BINARY(16) PRIMARY KEY, firm INT NOT NULL,"
        " FOREIGN KEY (firm) REFERENCES firms (id))",
        "CREATE TABLE words (post BINARY(16), word VARCHAR(9), PRIMARY KEY (post, word),"
        " FOREIGN KEY (post) REFERENCES posts (id))",
        *(f"INSERT INTO posts VALUES (x'{n:032x}', {1 + n % 2})" for n in range(8)),
        *(f"INSERT INTO words VALUES (x'{n:032x}', 'é{n}')" for n in range(8)),
        posts=rule(),
        words=rule(via="post"),
    )

    gone = leave(firm, OURS, rows=3).tables

    assert (gone["app.posts"], gone["app.words"]) == (4, 4)
    assert firm.rows("SELECT count(*) FROM words") == [(4,)]


def test_a_table_with_system_versioning_is_seen_and_refused(make_firm):
    """L15, L16: it is in no list of ordinary tables, and what is deleted stays in its history."""
    firm = make_firm(
        "CREATE TABLE notes (id INT PRIMARY KEY, firm INT NOT NULL, body TEXT,"
        " FOREIGN KEY (firm) REFERENCES firms (id)) WITH SYSTEM VERSIONING",
        notes=rule("body"),
    )

    with pytest.raises(DataMapIncomplete, match="stays as history"):
        require_complete(firm.datamap, firm.sources)

    firm.run("ALTER TABLE notes DROP SYSTEM VERSIONING")
    require_complete(firm.datamap, firm.sources)


def test_a_table_whose_engine_takes_nothing_back_is_a_warning_and_is_emptied(make_firm):
    firm = make_firm(
        "CREATE TABLE logs (id INT PRIMARY KEY, firm INT NOT NULL) ENGINE = MyISAM",
        "INSERT INTO logs VALUES (1, 1), (2, 1), (3, 2)",
        logs=rule(references={"firm": "firms.id"}),
    )

    found = firm.findings()
    gone = leave(firm, OURS, rows=1)

    assert found == {
        (Kind.NOT_TRANSACTIONAL, "app.logs", Severity.WARNING),
        (Kind.UNINDEXED, "app.logs.firm", Severity.WARNING),
    }
    assert gone.tables["app.logs"] == 2
    assert firm.rows("SELECT id FROM logs") == [(3,)]


def test_a_partitioned_table_is_one_table_with_a_declared_reference(make_firm):
    firm = make_firm(
        "CREATE TABLE visits (id INT, firm INT NOT NULL, PRIMARY KEY (id, firm), KEY (firm))"
        " PARTITION BY HASH (id) PARTITIONS 4",
        *(f"INSERT INTO visits VALUES ({n}, {1 + n % 2})" for n in range(9)),
        visits=rule(references={"firm": "firms.id"}),
    )

    gone = leave(firm, OURS, rows=2)

    assert firm.check() == ()
    assert gone.tables["app.visits"] == 5
    assert firm.rows("SELECT count(*) FROM visits") == [(4,)]


def test_names_are_compared_as_the_database_compares_them(make_firm):
    firm = make_firm(
        "CREATE TABLE Notes (Id INT PRIMARY KEY, Firm INT NOT NULL, `a ``b` INT,"
        " FOREIGN KEY (firm) REFERENCES firms (ID))",
        "CREATE TABLE notes (id INT PRIMARY KEY, note INT NOT NULL,"
        " CONSTRAINT other FOREIGN KEY (NOTE) REFERENCES Notes (iD))",
        "INSERT INTO Notes VALUES (1, 1, 5)",
        "INSERT INTO notes VALUES (1, 1)",
        Notes=rule("a `b", via="Firm"),
        notes=rule(via="note"),
    )

    document = take(firm)

    assert document["data"]["Notes"] == [{"Id": 1, "Firm": 1, "a `b": 5}]
    assert document["data"]["notes"] == [{"id": 1, "note": 1}]
    assert leave(firm, OURS).tables["app.notes"] == 1


def test_a_column_that_the_database_stamps_keeps_its_instant(make_firm):
    """L42: emptying a reference of a sibling's row is no change that its people made."""
    firm = make_firm(
        "CREATE TABLE notes (id INT PRIMARY KEY, firm INT NOT NULL,"
        " FOREIGN KEY (firm) REFERENCES firms (id))",
        "CREATE TABLE links (id INT PRIMARY KEY, firm INT NOT NULL, note INT,"
        " changed TIMESTAMP(6) NOT NULL DEFAULT now(6) ON UPDATE now(6),"
        " FOREIGN KEY (firm) REFERENCES firms (id), FOREIGN KEY (note) REFERENCES notes (id))",
        "INSERT INTO notes VALUES (1, 1)",
        "INSERT INTO links VALUES (1, 2, 1, '2020-01-01')",
        notes=rule(),
        links=rule("note", "changed"),
    )

    leave(firm, OURS)

    assert firm.rows("SELECT note, year(changed) FROM links") == [(None, 2020)]


def test_a_table_of_another_database_that_refers_to_ours_is_unclassified(make_firm, mariadb_server):
    """L15."""
    firm = make_firm()
    name = sa.make_url(firm.url).database
    firm.run(
        f"CREATE DATABASE {name}_other",
        f"CREATE TABLE {name}_other.late (id INT PRIMARY KEY, firm INT,"
        f" FOREIGN KEY (firm) REFERENCES {name}.firms (id))",
    )

    found = firm.findings()

    firm.run(f"DROP DATABASE {name}_other")
    assert found == {(Kind.UNCLASSIFIED_TABLE, f"app.{name}_other.late", Severity.ERROR)}


def test_a_database_that_joins_ours_is_read_with_it(make_firm):
    firm = make_firm()
    name = sa.make_url(firm.url).database
    firm.run(
        f"CREATE DATABASE {name}_other",
        f"CREATE TABLE {name}_other.late (id INT PRIMARY KEY, firm INT NOT NULL,"
        f" FOREIGN KEY (firm) REFERENCES {name}.firms (id))",
        f"INSERT INTO {name}_other.late VALUES (1, 1), (2, 2)",
    )
    plain = firm.datamap.model_dump(by_alias=True)
    plain["sources"]["app"]["schemas"] = [f"{name}_other"]
    plain["tables"][f"app.{name}_other.late"] = rule()
    firm.sources["app"].close()
    firm.datamap = DataMap.model_validate(plain)
    firm.sources = open_sources(firm.datamap, environment={})

    gone = leave(firm, OURS)

    left = firm.rows(f"SELECT id FROM {name}_other.late")
    firm.run(f"DROP DATABASE {name}_other")
    assert gone.tables[f"app.{name}_other.late"] == 1
    assert left == [(2,)]


def test_a_database_that_foreign_keys_join_is_proposed_with_ours_and_any_other_is_told(
    mariadb_url,
):
    name = sa.make_url(mariadb_url).database
    tables = (
        *FIRMS,
        f"CREATE DATABASE {name}_joined",
        f"CREATE TABLE {name}_joined.bills (id INT PRIMARY KEY, firm INT NOT NULL,"
        f" FOREIGN KEY (firm) REFERENCES {name}.firms (id))",
        f"CREATE DATABASE {name}_beside",
        f"CREATE TABLE {name}_beside.logs (id INT PRIMARY KEY)",
    )
    run(mariadb_url, *tables)

    proposal = propose(mariadb_url, root="firms.id")

    run(mariadb_url, f"DROP DATABASE {name}_joined", f"DROP DATABASE {name}_beside")
    assert proposal.schemas == (f"{name}_joined",)
    assert {table.name for table in proposal.tables} == {"firms", f"{name}_joined.bills"}
    assert any(f"the schema {name}_beside holds tables" in each for each in proposal.notes)


def test_a_row_that_is_longer_than_a_packet_stops_the_export_and_is_never_cut(make_firm):
    """L16: the server gives NULL for it, and says so only as a warning."""
    firm = make_firm(
        "CREATE TABLE files (id INT PRIMARY KEY, firm INT NOT NULL, body LONGBLOB,"
        " FOREIGN KEY (firm) REFERENCES firms (id))",
        "INSERT INTO files VALUES (1, 1, repeat('x', 14 * 1024 * 1024))",
        files=rule("body"),
    )

    with pytest.raises(SourceUnusable, match="max_allowed_packet"):
        digest(firm.datamap, firm.sources, OURS)


@contextmanager
def held(firm, statement):
    """Hold the rows that a statement changes, in a transaction of somebody else."""
    with firm.engine.connect() as connection:
        connection.exec_driver_sql(statement)
        yield
        connection.rollback()


def test_a_lock_that_somebody_holds_is_given_up_in_time_and_says_so(make_firm, monkeypatch):
    firm = make_firm(
        "CREATE TABLE notes (id INT PRIMARY KEY, firm INT NOT NULL,"
        " FOREIGN KEY (firm) REFERENCES firms (id))",
        "INSERT INTO notes VALUES (1, 1)",
        notes=rule(),
    )
    sa.event.listen(
        firm.sources["app"].engine,
        "begin",
        lambda connection: connection.exec_driver_sql("SET innodb_lock_wait_timeout = 1"),
    )

    with held(firm, "SELECT * FROM notes FOR UPDATE"), pytest.raises(SourceBusy, match="lock"):
        leave(firm, OURS)

    assert leave(firm, OURS).tables["app.notes"] == 1


def test_a_missing_privilege_is_named_with_its_table(make_firm, mariadb_server):
    """L16."""
    firm = make_firm(
        "CREATE TABLE notes (id INT PRIMARY KEY, firm INT NOT NULL,"
        " FOREIGN KEY (firm) REFERENCES firms (id))",
        "INSERT INTO notes VALUES (1, 1)",
        notes=rule(),
    )
    url = sa.make_url(firm.url)
    firm.run(
        "CREATE USER reader@localhost",
        f"GRANT SELECT ON {url.database}.* TO reader@localhost",
    )
    plain = firm.datamap.model_dump(by_alias=True)
    plain["sources"]["app"]["url"] = url.set(username="reader").render_as_string(False)
    limited = Firm.__new__(Firm)
    limited.datamap = DataMap.model_validate(plain)
    limited.sources = open_sources(limited.datamap, environment={})

    with pytest.raises(PermissionMissing, match="DELETE ON notes; DELETE ON firms"):
        leave(limited, OURS)

    limited.sources["app"].close()
    firm.run("DROP USER reader@localhost")
    assert firm.rows("SELECT count(*) FROM notes") == [(1,)]


def test_a_chain_of_rows_that_name_one_another_goes_whatever_the_order(make_firm):
    firm = make_firm(
        "CREATE TABLE notes (id INT PRIMARY KEY, firm INT NOT NULL, older INT,"
        " FOREIGN KEY (firm) REFERENCES firms (id), FOREIGN KEY (older) REFERENCES notes (id))",
        notes=rule("older"),
    )
    with unchecked(firm.engine) as connection:
        rows = ", ".join(f"({n}, {1 + n % 2}, {(n * 7) % 20})" for n in range(20))
        connection.exec_driver_sql(f"INSERT INTO notes VALUES {rows}")

    result = leave(firm, OURS, rows=3)

    assert result.tables["app.notes"] == 10
    assert firm.rows("SELECT count(*) FROM notes WHERE firm = 2") == [(10,)]
