"""A data map from YAML: short forms, and mistakes that name their line."""

from pathlib import Path

import pytest

from offramp.documents.datamap import load_datamap
from offramp.documents.yaml import DocumentInvalid

MAP = """\
offramp: 1
sources:
  app: {kind: sql, url: "env:APP_URL", root: companies.id, member: users.id}
tables:
  app.companies: {columns: {name: user.account}}
  app.users:
    via: [company_id]
    columns:
      email: {category: user.contact.email, erase: hash, export: never}
      phone: {category: user.contact, erase: null}
  app.courses: {shared: "catalog, belongs to nobody"}
people:
  members: {table: app.users, key: id, email: email}
marks: [app.users.email]
"""


@pytest.fixture
def load(tmp_path: Path):
    def load(text):
        file = tmp_path / "datamap.yaml"
        file.write_text(text, encoding="utf-8")
        return load_datamap(file)

    return load


def test_a_category_alone_is_short_for_a_rule(load):
    columns = load(MAP).tables["app.companies"].columns

    assert columns["name"].category == "user.account"
    assert (columns["name"].erase, columns["name"].export) == ("keep", "always")


def test_a_bare_null_is_the_word_and_not_nothing(load):
    assert load(MAP).tables["app.users"].columns["phone"].erase == "null"


def test_the_address_of_a_source_does_not_leave_the_map(load):
    assert "APP_URL" not in str(load(MAP).to_json())


@pytest.mark.parametrize(
    ("old", "new", "line", "path"),
    [
        ("erase: hash", "erased: hash", 9, "tables.app.users.columns.email.erased"),
        ("erase: hash", "erase: hsh", 9, "tables.app.users.columns.email.erase"),
        ("via: [company_id]", "via: company_id", 7, "tables.app.users.via"),
        ('{shared: "', '{via: [id], shared: "', 11, "tables.app.courses"),
        ("root: companies.id", "root: companies", 3, "sources.app.root"),
        ("app.courses", "courses", 11, "tables.courses"),
        ("kind: sql", "kind: sequel", 3, "sources.app.kind"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_path(load, old, new, line, path):
    with pytest.raises(DocumentInvalid) as caught:
        load(MAP.replace(old, new))

    assert (caught.value.line, caught.value.path) == (line, path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("app.courses", "crm.courses", "in no declared database"),
        ("marks: [app.users.email]", "marks: [app.people.email]", "not among the tables"),
        ("{shared:", "{until: some day, shared:", "issued_on"),
    ],
)
def test_a_map_that_does_not_agree_with_itself_says_so(load, old, new, reason):
    with pytest.raises(DocumentInvalid, match=reason):
        load(MAP.replace(old, new))


def test_a_mistyped_key_is_answered_with_the_nearest(load):
    with pytest.raises(DocumentInvalid) as caught:
        load(MAP.replace("erase: hash", "erese: hash"))

    assert caught.value.hint == "did you mean erase?"


FILES = """\
  files: {kind: objects, url: "file:///srv/files", prefix: "companies/{companies.id}/"}
tables:
"""


def test_a_store_of_files_is_declared_beside_a_database(load):
    datamap = load(MAP.replace("tables:\n", FILES, 1))

    assert list(datamap.databases) == ["app"]
    assert datamap.elsewhere["files"].columns == ("companies.id",)
    assert "srv" not in str(datamap.to_json())


@pytest.mark.parametrize(
    ("old", "new", "line", "path"),
    [
        ("kind: objects", "kind: object", 4, "sources.files.kind"),
        ("prefix:", "prefixes:", 4, "sources.files.prefixes"),
        (', prefix: "companies/{companies.id}/"', "", 4, "sources.files.prefix"),
        ("{companies.id}/", "{companies.id}", 4, "sources.files.prefix"),
        ("{companies.id}", "all", 4, "sources.files.prefix"),
    ],
)
def test_a_mistake_about_files_is_told_with_its_line_and_path(load, old, new, line, path):
    text = MAP.replace("tables:\n", FILES, 1)

    with pytest.raises(DocumentInvalid) as caught:
        load(text.replace(old, new))

    assert (caught.value.line, caught.value.path) == (line, path)


def test_a_mistyped_kind_is_answered_with_the_nearest(load):
    with pytest.raises(DocumentInvalid) as caught:
        load(MAP.replace("tables:\n", FILES, 1).replace("kind: objects", "kind: object"))

    assert caught.value.hint == "did you mean objects?"


def test_files_are_found_by_rows_of_organizations_and_members_alone(load):
    with pytest.raises(DocumentInvalid, match="no column of exactly one root or member table"):
        load(MAP.replace("tables:\n", FILES, 1).replace("{companies.id}", "{courses.id}"))
