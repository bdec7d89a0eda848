"""The document that is handed over: exact, ordered, provable, readable by anybody."""

import base64
import errno
import hashlib
import io
import json
from threading import Thread

import jsonschema
import pytest
import sqlalchemy as sa
from whenever import Instant

from offramp.data.check import DataMapIncomplete
from offramp.data.handover.export import digest, export
from offramp.data.handover.part import CategoryUnused, Part
from offramp.data.manifest import Manifest
from offramp.data.scope import Scope
from offramp.data.sources.postgres import PostgresDriver
from tests.integration.data.school import COMPANY, MEMBER, build_school, no_progress

TAKEN_AT = Instant.from_utc(2024, 9, 22, 7)
SECONDS_MAX = 30


def take(school, scope=COMPANY, **options):
    sink = io.BytesIO()
    manifest = export(
        school.datamap,
        school.sources,
        scope,
        sink,
        header={"offramp": "0.1.0", "policy": "license-pool"},
        taken_at=TAKEN_AT,
        progress=options.pop("progress", no_progress),
        **options,
    )
    return manifest, json.loads(sink.getvalue()), sink.getvalue()


def test_one_document_holds_every_row_of_one_company(school):
    """A8."""
    manifest, document, _ = take(school)

    assert len(document["data"]["users"]) == 4
    assert {row["id"] for row in document["data"]["users"]} == {100, 101, 102, 103}
    assert len(document["data"]["grants"]) == 8
    assert "courses" not in document["data"]
    assert Manifest.model_validate(document["manifest"]) == manifest
    assert manifest.header == {"offramp": "0.1.0", "policy": "license-pool"}
    assert manifest.taken_at == TAKEN_AT


def test_the_document_obeys_the_schema_that_it_carries(school):
    _, document, _ = take(school)

    validator = jsonschema.Draft202012Validator(document["schema"])
    validator.check_schema(document["schema"])
    assert list(validator.iter_errors(document)) == []


def test_nothing_is_lost_that_a_number_or_a_byte_could_lose(school):
    _, document, raw = take(school)
    first, second, third, *_ = document["data"]["notes"]

    assert first["price"] == "12345678901234567890.0123456789" or school.engine.name == "sqlite"
    assert second["price"] is None
    assert second["size"] == str(2**53 + 1)
    assert third["size"] == 2**53 - 1
    assert first["score"] == 0.1 + 0.2
    assert base64.b64decode(first["blob"]) == bytes(range(200))
    assert first["tags"] == {"a": [1, "ü"]}
    assert [first["done"], second["done"]] == [False, True]
    assert first["body"] == "line\nline 0"
    assert first["seen_at"] == "2024-08-30T09:30:00.123456"
    assert first["at"].startswith("2024-08-30T09:30:00.123456")
    assert first["due_on"] == "2024-08-30"
    assert document["data"]["users"][0]["first name"] == 'Zoë "0"\n\\'
    assert document["data"]["invoices"][0]["amount"] in ("99.90", "99.9")
    assert b"\\\\u" not in raw


def test_a_withheld_column_is_in_neither_rows_nor_schema(school):
    """L17."""
    manifest, document, raw = take(school)

    assert b"s3cret" not in raw
    assert "secret" not in document["data"]["users"][0]
    assert "secret" not in manifest.tables["app.users"].columns


def test_the_digest_can_be_taken_again_from_the_document(school):
    manifest, _, raw = take(school)
    lines = raw.split(b'"users":[\n')[1].split(b"\n]")[0].split(b",\n")

    entry = manifest.tables["app.users"]

    assert hashlib.sha256(b"".join(line.rstrip(b"\n") + b"\n" for line in lines)).hexdigest() == (
        entry.sha256
    )
    assert entry.rows == len(lines) == 4


def test_the_export_equals_the_live_rows_until_somebody_writes(school):
    manifest, _, _ = take(school)

    equal = digest(school.datamap, school.sources, COMPANY) == manifest.digests()
    school.run("UPDATE comments SET body = 'late' WHERE id = 101")
    found = digest(school.datamap, school.sources, COMPANY)

    assert equal
    assert {name for name in found if found[name] != manifest.digests()[name]} == {"app.comments"}


def test_two_exports_of_the_same_rows_are_the_same_bytes(school):
    assert take(school)[2] == take(school)[2]


def test_a_member_takes_their_own_and_may_take_content_only(school):
    """B9."""
    _, everything, _ = take(school, MEMBER)
    _, content, raw = take(school, MEMBER, part=Part(content_only=True))

    assert [row["id"] for row in everything["data"]["users"]] == [100]
    assert set(content["data"]) == {"notes", "comments"}
    assert [row["id"] for row in content["data"]["notes"]] == [100, 103]
    assert b"user1@" not in raw


def test_a_category_is_taken_with_its_columns_alone(school):
    _, whole, _ = take(school)
    part = Part(categories=("user.contact", "user.name"))

    manifest, document, raw = take(school, part=part)

    assert {table: set(rows[0]) for table, rows in document["data"].items()} == {
        "users": {"first name", "email"},
        "certificates": {"holder"},
        "invoices": {"contact", "contact_email"},
    }
    assert [row["contact_email"] for row in document["data"]["invoices"]] == [
        row["contact_email"] for row in whole["data"]["invoices"]
    ]
    assert (manifest.categories, manifest.is_whole) == (part.categories, False)
    assert b"memo" not in raw
    jsonschema.validate(document, document["schema"])


def test_what_is_never_handed_over_is_not_handed_over_by_its_category_either(school):
    """L17."""
    _, document, _ = take(school, part=Part(categories=("user.authorization",)))

    columns = {name for rows in document["data"].values() for row in rows for name in row}
    assert "secret" not in columns


def test_a_category_that_nothing_holds_is_refused_and_not_answered_with_nothing(school):
    """L16."""
    with pytest.raises(CategoryUnused, match=r"user\.biometric"):
        take(school, part=Part(categories=("user.biometric",)))


def test_an_unknown_company_has_an_empty_document(school):
    _, document, _ = take(school, Scope(organization="999"))

    assert set(map(len, document["data"].values())) == {0}


def test_an_unclassified_column_stops_the_export_before_the_first_byte(school):
    """L15."""
    school.run("ALTER TABLE comments ADD COLUMN mood TEXT")
    sink = io.BytesIO()

    with pytest.raises(DataMapIncomplete):
        export(
            school.datamap,
            school.sources,
            COMPANY,
            sink,
            header={},
            taken_at=TAKEN_AT,
            progress=no_progress,
        )

    assert sink.getvalue() == b""


def test_progress_counts_rows_of_each_table(school):
    told = {}

    take(school, progress=lambda table, rows: told.update({table: rows}))

    assert told["app.users"] == 4


def test_a_write_during_the_export_is_in_no_part_of_it(school):
    """One snapshot: what is written meanwhile belongs to the next export."""
    if school.engine.name == "sqlite":
        school.run("PRAGMA journal_mode = WAL")
    before = digest(school.datamap, school.sources, COMPANY)
    written = []

    def write_once(_table, _rows):
        if not written:
            written.append(school.run("UPDATE notes SET body = 'late' WHERE id = 100"))

    manifest, document, _ = take(school, progress=write_once)

    assert written
    assert manifest.digests() == before
    assert document["data"]["notes"][0]["body"] == "line\nline 0"
    assert digest(school.datamap, school.sources, COMPANY) != before


def test_a_sink_that_fails_ends_the_export_with_its_own_error(school):
    class Full(io.BytesIO):
        def write(self, _data):
            raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space"):
        export(
            school.datamap,
            school.sources,
            COMPANY,
            Full(),
            header={},
            taken_at=TAKEN_AT,
            progress=no_progress,
        )


def take_in_parallel(school):
    """Export over connections on which a table of a few rows is worth several processes."""
    engine = school.sources["app"].engine
    engine.dispose()

    @sa.event.listens_for(engine, "connect")
    def make_cheap(connection, _record):
        for setting in ("min_parallel_table_scan_size", "parallel_setup_cost"):
            connection.execute(f"SET {setting} = 0")
        connection.execute("SET parallel_tuple_cost = 0")
        connection.commit()

    return take(school)


def test_rows_that_several_processes_render_are_the_same_bytes(postgres_url, monkeypatch):
    school = build_school(postgres_url)
    answers = []
    plain = PostgresDriver.renders_at_once

    def ask(driver, *question):
        answers.append(plain(driver, *question))
        return answers[-1]

    monkeypatch.setattr(PostgresDriver, "renders_at_once", ask)

    _, _, alone = take(school)
    assert not any(answers)
    _, _, together = take_in_parallel(school)

    assert any(answers)
    assert together == alone
    school.sources["app"].close()
    school.engine.dispose()


def test_a_reader_may_stop_in_the_middle_of_rows(school):
    source = school.sources["app"]
    number = sa.literal_column("user_id", sa.Integer)
    query = sa.select(number).select_from(sa.table("grants"))

    with source.snapshot() as connection:
        with source.rows(connection, query) as blocks:
            assert next(blocks)

        with source.rows(connection, query) as blocks:
            assert sum(len(block) for block in blocks) == len(school.rows("grants"))


@pytest.mark.parametrize("at", ["app.companies", "app.users", "app.grants"])
def test_whatever_stops_an_export_in_the_middle_of_a_table_is_told_at_once(school, at):
    """As a disk without room: a database that still sends does not keep us waiting (L36)."""

    def lose_room(table, _rows):
        if table == at:
            raise OSError(errno.ENOSPC, "no room")

    def try_to_take():
        with pytest.raises(OSError, match="no room"):
            take(school, progress=lose_room)
        told.append(at)

    told = []
    trying = Thread(target=try_to_take, daemon=True)
    trying.start()
    trying.join(SECONDS_MAX)
    assert told == [at]

    manifest, _, _ = take(school)
    assert manifest.digests() == digest(school.datamap, school.sources, COMPANY)
