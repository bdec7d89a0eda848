"""Taken back: the same rows as before, or nothing at all and the reason."""

import pytest
import sqlalchemy as sa

from offramp.data.datamap import DataMap
from offramp.data.handover.part import Part
from offramp.data.restoration import restoration
from offramp.data.restoration.error import (
    KeyTaken,
    ReferenceMissing,
    RestoredInexactly,
    RowsChanged,
    ValueMissing,
    ValueTaken,
    ValueUnfit,
)
from offramp.data.restoration.plan import SchemaDifferent
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from tests.integration.data.leaving import come_back, data_of, leave, take, totals
from tests.integration.data.school import (
    COMPANY,
    MEMBER,
    TABLES,
    CountingFence,
    FenceBroken,
    school_map,
)

SIGN_UP = "INSERT INTO users (id, company_id, email) VALUES ({id}, 200, '{email}')"


@pytest.fixture
def gone(school, tmp_path):
    """Give a school whose first company has left, and the file that it took along."""
    take(school, COMPANY, tmp_path / "out.json")
    leave(school, COMPANY)
    return school, tmp_path / "out.json"


def everything(school):
    return [school.everything(company) for company in (1, 2, 3)], school.rows("companies")


def test_a_company_comes_back_as_it_was(school, tmp_path):
    """A9: after deletion."""
    (before, *siblings), _ = everything(school)
    take(school, COMPANY, tmp_path / "out.json")
    leave(school, COMPANY)

    result = come_back(school, tmp_path / "out.json")

    take(school, COMPANY, tmp_path / "again.json")
    (after, *others), _ = everything(school)
    assert data_of(tmp_path / "again.json") == data_of(tmp_path / "out.json")
    assert others == siblings
    assert {name for name in after if after[name] != before[name]} == {"users"}, "the secret alone"
    assert result.tables["app.invoices"].relinked == 3
    assert totals(result)["moved"] == 0


def test_restoring_twice_is_restoring_once(gone):
    come_back(*gone)
    before = everything(gone[0])

    result = come_back(*gone)

    assert totals(result) | {"present": 0} == {"added": 0, "present": 0, "relinked": 0, "moved": 0}
    assert everything(gone[0]) == before


def test_a_dry_run_does_everything_and_keeps_nothing(gone):
    before = everything(gone[0])

    result = come_back(*gone, is_dry_run=True)

    assert result.tables["app.users"].added == 4
    assert everything(gone[0]) == before


class Killed(BaseException):
    """The process died."""


def test_a_kill_at_any_batch_leaves_everything_as_it_was(gone, monkeypatch):
    """L42: one transaction, whatever was written in it."""
    monkeypatch.setattr(restoration, "BATCH_ROWS", 2)
    before = everything(gone[0])
    batches = []
    come_back(*gone, progress=lambda *told: batches.append(told), is_dry_run=True)

    for place in range(len(batches)):
        left = iter(range(place))

        def die(_table, _rows, left=left):
            if next(left, None) is None:
                raise Killed

        with pytest.raises(Killed):
            come_back(*gone, progress=die)
        assert everything(gone[0]) == before
    assert len(batches) >= 15


@pytest.mark.parametrize("chunks", range(1, 12, 2))
def test_a_deletion_that_was_stopped_half_way_is_made_good(school, tmp_path, chunks):
    """A9, L18: a reactivation wins at the next chunk; what had gone comes back."""
    take(school, COMPANY, tmp_path / "out.json")
    with pytest.raises(FenceBroken):
        leave(school, COMPANY, fence=CountingFence(breaks_after=chunks))

    come_back(school, tmp_path / "out.json")

    take(school, COMPANY, tmp_path / "again.json")
    assert data_of(tmp_path / "again.json") == data_of(tmp_path / "out.json")


def test_a_key_that_somebody_else_has_now_changes_wherever_it_is_named(gone):
    school, file = gone
    school.run(SIGN_UP.format(id=101, email="new@company2.example"))
    before = school.everything(2), school.rows("users", "id = 101")

    result = come_back(school, file)

    (moved,) = school.rows("users", "company_id = 100 AND id > 103")
    assert result.tables["app.users"].moved == 1
    assert len(school.rows("grants", f"company_id = 100 AND user_id = {moved[0]}")) == 2
    assert school.rows("teams", "id = 101")[0][2] == moved[0]
    assert (school.everything(2), school.rows("users", "id = 101")) == before


def test_a_company_that_looks_the_same_is_not_taken_for_ours(gone):
    school, file = gone
    school.run("INSERT INTO companies (id, name, slug) VALUES (100, 'Another', 'another')")
    school.run("INSERT INTO companies (id, name, slug) VALUES (900, 'Company 1', 'company-1')")
    school.run("INSERT INTO teams (id, company_id) VALUES (900, 900)")

    first = come_back(school, file)
    again = come_back(school, file)

    assert first.organization not in ("100", "900")
    assert len(school.rows("users", f"company_id = {first.organization}")) == 4
    assert school.rows("users", "company_id IN (100, 900)") == []
    assert len(school.rows("teams", "company_id = 900")) == 1
    assert again.organization == first.organization
    assert totals(again)["added"] == 0


def test_an_address_that_a_new_sign_up_took_refuses_by_column_and_not_by_value(gone):
    school, file = gone
    school.run("CREATE UNIQUE INDEX ux ON users (email)")
    school.run(SIGN_UP.format(id=299, email="user1@company1.example"))
    before = everything(school)

    with pytest.raises(ValueTaken) as caught:
        come_back(school, file)

    assert (caught.value.table, caught.value.columns) == ("app.users", "email")
    assert "user1" not in str(caught.value)
    assert everything(school) == before


def test_a_shared_row_that_is_no_longer_there_refuses(gone):
    school, file = gone
    school.run("DELETE FROM certificates")
    school.run("DELETE FROM enrolments")
    school.run("DELETE FROM courses")

    with pytest.raises(ReferenceMissing, match=r"app.enrolments refer by course_id to 1 rows of"):
        come_back(school, file)

    assert school.rows("users", "company_id = 100") == []


def test_a_row_that_was_changed_since_refuses(school, tmp_path):
    take(school, COMPANY, tmp_path / "out.json")
    school.run("UPDATE comments SET body = 'late' WHERE id = 101")
    before = everything(school)

    with pytest.raises(RowsChanged, match=r"1 rows of app.comments .* in body"):
        come_back(school, tmp_path / "out.json")

    assert everything(school) == before


def test_a_kept_row_that_was_worked_on_since_is_not_written_over(gone):
    school, file = gone
    school.run("UPDATE invoices SET contact = 'Somebody' WHERE id = 100")

    with pytest.raises(RowsChanged, match=r"app.invoices .* contact"):
        come_back(school, file)

    assert school.rows("invoices", "id = 100")[0][2] == "Somebody"


def test_a_new_column_that_may_be_empty_is_no_obstacle(gone):
    school, file = gone
    school.run("ALTER TABLE teams ADD COLUMN size INTEGER")
    columns = dict.fromkeys(("lead_user_id", "size"), "system.operations")
    teams = {"via": ["company_id"], "columns": columns}
    school.datamap = school_map(school.url, tables={"app.teams": teams})

    result = come_back(school, file)

    assert result.tables["app.teams"].added == 2


def test_every_difference_of_the_schema_is_listed(gone):
    school, file = gone
    school.run("ALTER TABLE users DROP COLUMN secret")
    school.run('ALTER TABLE users RENAME COLUMN "first name" TO called')
    school.run("ALTER TABLE comments ADD COLUMN mood TEXT NOT NULL DEFAULT 'good'")
    school.run("DROP TABLE shares")
    users = {name: "user" for name in ("team_id", "email", "called")}
    comments = TABLES["app.comments"]["columns"] | {"mood": "user"}
    tables = {
        "app.users": {"via": ["company_id"], "columns": users},
        "app.comments": {"via": ["user_id"], "columns": comments},
    }
    whole = school_map(school.url, tables=tables)
    left = {name: rule for name, rule in whole.tables.items() if name != "app.shares"}
    school.datamap = whole.model_copy(update={"tables": left})

    with pytest.raises(SchemaDifferent) as caught:
        come_back(school, file)

    assert set(caught.value.differences) == {
        "app.users.first name is not in the database",
        "app.shares is not in the database",
    }


def test_a_member_comes_back_into_their_company(school, tmp_path):
    """S7."""
    take(school, MEMBER, tmp_path / "out.json")
    leave(school, MEMBER)

    come_back(school, tmp_path / "out.json")

    take(school, MEMBER, tmp_path / "again.json")
    assert data_of(tmp_path / "again.json") == data_of(tmp_path / "out.json")


def test_a_member_does_not_come_back_without_their_company(school, tmp_path):
    take(school, MEMBER, tmp_path / "out.json")
    leave(school, COMPANY)

    with pytest.raises(ReferenceMissing, match=r"rows of app\.(companies|teams)"):
        come_back(school, tmp_path / "out.json")


def test_content_alone_comes_back(school, tmp_path):
    take(school, COMPANY, tmp_path / "out.json", part=Part(content_only=True))
    school.run("UPDATE comments SET parent_id = NULL WHERE id BETWEEN 100 AND 199")
    school.run("DELETE FROM comments WHERE id BETWEEN 100 AND 199")

    result = come_back(school, tmp_path / "out.json")

    take(school, COMPANY, tmp_path / "again.json", part=Part(content_only=True))
    assert data_of(tmp_path / "again.json") == data_of(tmp_path / "out.json")
    assert result.tables["app.comments"].added == 4


def test_a_product_comes_back(school, tmp_path):
    """B1."""
    scope = Scope(organization="100", product="notes")
    take(school, scope, tmp_path / "out.json")
    leave(school, scope)

    come_back(school, tmp_path / "out.json")

    take(school, scope, tmp_path / "again.json")
    assert data_of(tmp_path / "again.json") == data_of(tmp_path / "out.json")


def test_a_withheld_value_comes_back_as_chance_and_another_one_in_every_row(gone):
    school, file = gone
    secret = {"category": "user.authorization", "export": "never", "restore": "random"}
    columns = TABLES["app.users"]["columns"] | {"secret": secret}
    users = {"via": ["company_id"], "columns": columns}
    school.datamap = school_map(school.url, tables={"app.users": users})

    come_back(school, file, seed=b"chance")

    with school.engine.connect() as connection:
        chosen = sa.text("SELECT secret FROM users WHERE company_id = 100")
        secrets = list(connection.execute(chosen).scalars())
    assert len(set(secrets)) == 4
    assert all(len(each) == 64 for each in secrets)


def test_a_trigger_that_changes_what_is_written_refuses(gone):
    school, file = gone
    if school.engine.name == "sqlite":
        school.run(
            "CREATE TRIGGER louder AFTER INSERT ON comments BEGIN"
            " UPDATE comments SET body = upper(body) WHERE id = new.id; END"
        )
    elif school.engine.name == "mysql":
        school.run(
            "CREATE TRIGGER louder BEFORE INSERT ON comments FOR EACH ROW"
            " SET NEW.body = upper(NEW.body)"
        )
    else:
        school.run(
            "CREATE FUNCTION louder() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.body = upper(NEW.body); RETURN NEW; END $$"
        )
        school.run(
            "CREATE TRIGGER louder BEFORE INSERT ON comments FOR EACH ROW EXECUTE FUNCTION louder()"
        )

    with pytest.raises(RestoredInexactly, match=r"app.comments reads back differently in body"):
        come_back(school, file)

    assert school.rows("users", "company_id = 100") == []


class SmallSchool:
    """Two companies and one table of rooms, whose columns a test chooses."""

    def __init__(self, url, columns, *rooms):
        self.url, self.engine = url, sa.create_engine(url)
        self.run("CREATE TABLE companies (id INTEGER PRIMARY KEY)")
        self.run("INSERT INTO companies VALUES (100), (200)")
        self.rebuild(columns)
        for room in rooms:
            self.run(f"INSERT INTO rooms VALUES ({room})")
        names = [each["name"] for each in sa.inspect(self.engine).get_columns("rooms")]
        rule = {
            "via": ["company_id"],
            "columns": dict.fromkeys(set(names) - {"company_id"}, "system.operations"),
        }
        source = {"kind": "sql", "url": url, "root": "companies.id"}
        tables = {"app.companies": {}, "app.rooms": rule}
        written = {"offramp": 1, "sources": {"app": source}, "tables": tables}
        self.datamap = DataMap.model_validate(written)
        self.sources = open_sources(self.datamap, environment={})

    def run(self, text):
        with self.engine.begin() as connection:
            connection.exec_driver_sql(text)

    def rebuild(self, columns, *constraints):
        self.run("DROP TABLE IF EXISTS rooms")
        company = "company_id INTEGER NOT NULL REFERENCES companies (id)"
        self.run(f"CREATE TABLE rooms ({', '.join((columns, company, *constraints))})")

    def close(self):
        self.sources["app"].close()
        self.engine.dispose()


@pytest.fixture
def small_school(database_url):
    made = []

    def make(*arguments):
        made.append(SmallSchool(database_url, *arguments))
        return made[0]

    yield make
    made[0].close()


def test_a_key_of_words_that_is_taken_refuses(small_school, tmp_path):
    school = small_school("code VARCHAR(9) PRIMARY KEY", "'math', 100")
    take(school, COMPANY, tmp_path / "out.json")
    leave(school, COMPANY)
    school.run("INSERT INTO rooms (code, company_id) VALUES ('math', 200)")

    with pytest.raises(KeyTaken, match=r"app.rooms .* code"):
        come_back(school, tmp_path / "out.json")


def test_a_value_that_must_be_there_and_is_not_refuses(small_school, tmp_path):
    school = small_school("code VARCHAR(9) PRIMARY KEY, size INTEGER", "'a', NULL, 100")
    take(school, COMPANY, tmp_path / "out.json")
    leave(school, COMPANY)
    school.rebuild("code VARCHAR(9) PRIMARY KEY, size INTEGER NOT NULL")

    with pytest.raises(ValueMissing, match=r"app.rooms.size"):
        come_back(school, tmp_path / "out.json")


def test_a_check_of_the_database_is_named_without_the_row(small_school, tmp_path):
    school = small_school("code VARCHAR(9) PRIMARY KEY, size INTEGER", "'a', 77, 100")
    take(school, COMPANY, tmp_path / "out.json")
    leave(school, COMPANY)
    school.rebuild("code VARCHAR(9) PRIMARY KEY, size INTEGER", "CONSTRAINT small CHECK (size < 9)")

    with pytest.raises(ValueUnfit) as caught:
        come_back(school, tmp_path / "out.json")

    assert caught.value.rule == "small"
    assert "77" not in str(caught.value)
