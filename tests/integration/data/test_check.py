"""The map against the live catalog: every difference is named, and stops the run."""

import sys

import pytest

from offramp.data.check import DataMapIncomplete, Kind, Severity, check, require_complete
from offramp.data.sources.sql import open_sources
from offramp.data.sources.trouble import SourceUnavailable, SourceUnusable
from tests.integration.data.school import TABLES, school_map


def errors(school, datamap=None):
    return {
        (finding.kind, finding.subject)
        for finding in check(datamap or school.datamap, school.sources)
        if finding.severity is Severity.ERROR
    }


def with_table(school, table, **changed):
    return school_map(school.url, tables={table: TABLES.get(table, {}) | changed})


def test_a_complete_map_has_no_findings(school):
    assert check(school.datamap, school.sources) == ()


@pytest.mark.parametrize(
    ("change", "kind", "subject"),
    [
        ("CREATE TABLE late (id INTEGER PRIMARY KEY)", Kind.UNCLASSIFIED_TABLE, "app.late"),
        (
            "ALTER TABLE users ADD COLUMN nickname TEXT",
            Kind.UNCLASSIFIED_COLUMN,
            "app.users.nickname",
        ),
        (
            "ALTER TABLE audit ADD COLUMN actor INTEGER REFERENCES users (id)",
            Kind.UNCLASSIFIED_REFERENCE,
            "app.audit.actor",
        ),
        ("DROP TABLE audit", Kind.STALE, "app.audit"),
        ('ALTER TABLE users DROP COLUMN "first name"', Kind.STALE, "app.users.first name"),
    ],
)
def test_a_change_of_the_database_stops_the_run(school, change, kind, subject):
    """L15, L16."""
    school.run(change)

    assert errors(school) == {(kind, subject)}
    with pytest.raises(DataMapIncomplete) as caught:
        require_complete(school.datamap, school.sources)
    assert caught.value.findings[0].subject == subject
    assert caught.value.hint


@pytest.mark.parametrize(
    ("table", "changed", "kind", "subject"),
    [
        ("app.users", {"via": ["email"]}, Kind.NOT_A_REFERENCE, "app.users"),
        ("app.enrolments", {"via": ["course_id"]}, Kind.UNREACHABLE, "app.enrolments"),
        ("app.audit", {"via": []}, Kind.UNREACHABLE, "app.audit"),
        ("app.invoices", {"basis": None}, Kind.KEPT_WITHOUT_END, "app.invoices"),
        ("app.invoices", {"until": None}, Kind.KEPT_WITHOUT_END, "app.invoices"),
        ("app.invoices", {"until": "paid_on + P10Y"}, Kind.STALE, "app.invoices.paid_on"),
    ],
)
def test_a_rule_that_does_not_fit_is_named(school, table, changed, kind, subject):
    assert (kind, subject) in errors(school, with_table(school, table, **changed))


@pytest.mark.parametrize(
    ("column", "rule", "kind"),
    [
        ("company_id", "keep", Kind.KEPT_REFERENCE),
        ("amount", "hash", Kind.UNFIT_RULE),
        ("issued_on", "null", Kind.UNFIT_RULE),
        ("id", "hash", Kind.UNFIT_RULE),
    ],
)
def test_a_kept_table_must_be_able_to_do_what_its_rules_say(school, column, rule, kind):
    columns = TABLES["app.invoices"]["columns"] | {column: {"erase": rule}}

    found = errors(school, with_table(school, "app.invoices", columns=columns))

    assert found == {(kind, f"app.invoices.{column}")}


def test_a_shared_row_may_not_need_a_row_that_goes(school):
    school.run(
        "CREATE TABLE late (id INTEGER PRIMARY KEY, u INTEGER NOT NULL REFERENCES users (id))"
    )
    datamap = school_map(school.url, tables={"app.late": {"shared": "said so"}})

    assert errors(school, datamap) == {(Kind.KEPT_REFERENCE, "app.late.u")}


def test_a_cycle_that_cannot_be_broken_is_named(school):
    is_sqlite = school.engine.name == "sqlite"
    other = "REFERENCES b (id)" if is_sqlite else ""
    school.run(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, c INTEGER NOT NULL REFERENCES companies (id),"
        f" b INTEGER NOT NULL {other})"
    )
    school.run("CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a (id))")
    if not is_sqlite:
        school.run("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id)")
    mapped = {"app.a": {"via": ["c"], "columns": {"b": "system"}}, "app.b": {"via": ["a"]}}

    found = errors(school, school_map(school.url, tables=mapped))

    assert found == {(Kind.CYCLE, "app")}


def test_a_reference_without_an_index_is_a_warning(school):
    datamap = school.datamap
    if school.engine.name == "mysql":  # where a reference without an index can only be declared
        school.run("ALTER TABLE comments DROP FOREIGN KEY comments_ibfk_2")
        school.run("DROP INDEX parent_id ON comments")
        datamap = with_table(school, "app.comments", references={"parent_id": "comments.id"})
    else:
        school.run("DROP INDEX ix_comments_parent_id")

    (finding,) = check(datamap, school.sources)

    assert (finding.kind, finding.severity) == (Kind.UNINDEXED, Severity.WARNING)
    require_complete(datamap, school.sources)


def test_a_database_that_is_not_there_is_unavailable(tmp_path):
    datamap = school_map(f"sqlite:///{tmp_path / 'nowhere.sqlite'}")

    with pytest.raises(SourceUnavailable, match="no such file"):
        open_sources(datamap, environment={})
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_down_is_unavailable_and_tells_no_password(tmp_path):
    datamap = school_map(f"postgresql://u:hunter2@/db?host={tmp_path}")
    sources = open_sources(datamap, environment={})

    with pytest.raises(SourceUnavailable) as caught:
        check(datamap, sources)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("env:NOWHERE_URL", "NOWHERE_URL is not set"),
        ("oracle://host/db", "oracle is not supported"),
        ("not a url", "not a database URL"),
        ("nonsense://host/db", "not"),
    ],
)
def test_an_address_that_cannot_be_used_says_why(url, reason):
    with pytest.raises(SourceUnusable, match=reason):
        open_sources(school_map(url), environment={})


@pytest.mark.parametrize("url", ["sqlite:///app", "mysql://host/db", "mariadb://host/db"])
def test_set_checks_are_refused_where_the_database_has_none(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").touch()
    source = {"kind": "sql", "url": url, "root": "companies.id", "set_checks": True}

    with pytest.raises(SourceUnusable, match="only PostgreSQL") as caught:
        open_sources(school_map(url, sources={"app": source}), environment={})

    assert "set_checks" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "package", "extra"),
    [("mysql://host/db", "pymysql", "mysql"), ("postgresql://host/db", "psycopg", "postgres")],
)
def test_a_driver_that_is_not_installed_is_told_with_how_to_install_it(
    url, package, extra, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(SourceUnusable, match=f"{package} is not installed") as caught:
        open_sources(school_map(url), environment={})

    assert f"offramp[{extra}]" in caught.value.hint


def test_an_address_is_read_from_the_environment_that_is_given(school):
    datamap = school_map("env:SCHOOL_URL")

    sources = open_sources(datamap, environment={"SCHOOL_URL": school.url})

    assert check(datamap, sources) == ()
    sources["app"].close()


TRIGGERS = {
    "mysql": (
        "CREATE TRIGGER remember AFTER DELETE ON users FOR EACH ROW"
        " INSERT INTO audit (payload) VALUES (json_object('email', OLD.email))",
    ),
    "sqlite": (
        "CREATE TRIGGER remember AFTER DELETE ON users BEGIN"
        " INSERT INTO audit (payload) VALUES (json_object('email', OLD.email)); END",
    ),
    "postgresql": (
        "CREATE FUNCTION remember() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO audit (payload) VALUES (json_build_object('email', OLD.email));"
        " RETURN OLD; END $$",
        "CREATE TRIGGER remember AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION remember()",
    ),
}


def test_a_trigger_that_may_copy_what_is_deleted_is_named(school):
    """Nobody can tell from a catalog where it writes to, so a person is asked to read it."""
    assert Kind.TRIGGER not in {found.kind for found in check(school.datamap, school.sources)}
    for statement in TRIGGERS[school.engine.dialect.name]:
        with school.engine.begin() as connection:
            connection.exec_driver_sql(statement)

    (found,) = (each for each in check(school.datamap, school.sources) if each.kind is Kind.TRIGGER)

    assert (found.severity, found.subject) == (Severity.WARNING, "app.users")
    assert "remember" in found.problem
