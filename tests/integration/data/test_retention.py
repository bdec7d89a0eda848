"""Kept rows whose own time is over go, and no other row does (A11)."""

from datetime import date

import pytest
import sqlalchemy as sa
from whenever import Date, Instant

from offramp.data.datamap import TableRule
from offramp.data.erasure.fence import Pace
from offramp.data.retention.keeping import end_of, last_date, read_anchor
from offramp.data.retention.sweep import Overdue, Retention
from offramp.data.scope import Scope
from tests.integration.data.leaving import leave
from tests.integration.data.school import (
    COMPANY,
    TABLES,
    CountingFence,
    FenceBroken,
    school_map,
    still,
)

JANUARY = [date(2023, 1, 1), date(2023, 1, 2), date(2023, 1, 3)]
LINES = {
    "via": ["invoice_id"],
    "erase": "keep",
    "basis": "tax law, 10 years",
    "until": "booked_on + P10Y",
    "columns": {"text": "user.content", "booked_on": "user.financial"},
}


class Notebook:
    """A keeper that remembers the rows themselves."""

    def __init__(self):
        self.rows = {}

    def keep(self, table, rows):
        self.rows.setdefault(table, {}).update(zip(rows.keys, rows.anchors, strict=True))

    def ends(self, table):
        return {"noted": len(self.rows.get(table, ()))}


def part(*keys, table="app.invoices", day=1):
    return Overdue(table=table, keys=[[key] for key in keys], counted_from=Date(2023, 1, day))


def sweep(school, overdue, *, fence=None, rows=2, scope=COMPANY):
    retention = Retention.of(school.datamap, school.sources, scope)
    return retention.sweep(
        overdue, fence=fence or CountingFence(), pace=Pace(elapsed=still, rows_max=rows)
    )


@pytest.fixture
def gone(school):
    """Give a school whose first company is gone, but for its invoices 100 to 102."""
    leave(school, COMPANY)
    return school


def with_lines(school):
    """Add lines of invoices, which are kept as well and have nothing to hash."""
    school.run(
        "CREATE TABLE invoice_lines (id INTEGER PRIMARY KEY,"
        " invoice_id INTEGER NOT NULL REFERENCES invoices (id), text VARCHAR(20), booked_on DATE)"
    )
    school.run("CREATE INDEX ix_line ON invoice_lines (invoice_id)")
    school.run(
        "INSERT INTO invoice_lines VALUES (100, 100, 'a', '2023-01-01'), (101, 100, 'b', NULL)"
    )
    school.datamap = school_map(school.url, tables={"app.invoice_lines": LINES})


def test_every_row_that_stays_is_noted_before_anything_of_it_is_changed(school):
    """A11: with its key, and the date that its end counts from."""
    with_lines(school)
    notebook = Notebook()

    with pytest.raises(FenceBroken):
        leave(school, COMPANY, fence=CountingFence(breaks_before=0), keeper=notebook, rows=10)
    result = leave(school, COMPANY, keeper=notebook, rows=2)

    lines = notebook.rows["app.invoice_lines"]
    assert lines == {(100,): Date(2023, 1, 1), (101,): None}
    assert notebook.rows["app.invoices"] == {
        (100 + n,): Date(day.year, day.month, day.day) for n, day in enumerate(JANUARY)
    }
    kept = {each.table: each.ends for each in result.retained}
    assert kept == {"app.invoices": {"noted": 3}, "app.invoice_lines": {"noted": 2}}


def test_without_a_keeper_what_stays_is_counted_by_its_last_day(school):
    """A11, T1: ten calendar years from the date of each invoice; without a date nobody knows."""
    with_lines(school)

    result = leave(school, COMPANY)

    assert {each.table: each.ends for each in result.retained} == {
        "app.invoices": {"2033-01-01": 1, "2033-01-02": 1, "2033-01-03": 1},
        "app.invoice_lines": {"2033-01-01": 1, "undecided": 1},
    }


def test_rows_whose_time_is_over_go_and_all_others_stay_byte_identical(gone):
    """A11, L42: the siblings' invoices are as old as those that go."""
    siblings = [gone.everything(company) for company in (2, 3)]
    fence = CountingFence()

    left = sweep(gone, part(100), fence=fence)

    assert left.needed == left.changed == left.owned == ()
    assert [row[0] for row in gone.rows("invoices", "id < 200")] == [101, 102]
    assert [gone.everything(company) for company in (2, 3)] == siblings
    assert fence.recorded == [("app.invoices", 1)]


def test_a_row_of_a_living_company_stays_even_when_it_is_on_the_list(gone):
    """A11, L18: a key given again, or a restored row, belongs to somebody."""
    gone.run("DELETE FROM invoices WHERE id = 100")
    gone.run(
        "INSERT INTO invoices (id, company_id, issued_on, amount)"
        " VALUES (100, 200, '2023-01-01', 1)"
    )

    left = sweep(gone, part(100, 200))

    assert left.owned == ((200,), (100,))
    assert len(gone.rows("invoices", "company_id = 200")) == 4


def test_a_row_with_another_date_is_not_the_one_that_was_kept(gone):
    """A11: a person decides."""
    gone.run("UPDATE invoices SET issued_on = '2030-05-05' WHERE id = 100")

    left = sweep(gone, part(100))

    assert left.changed == ((100,),)
    assert len(gone.rows("invoices", "id = 100")) == 1


def test_a_row_that_others_refer_to_waits_and_no_cascade_takes_them(school):
    """A11, L19."""
    with_lines(school)
    school.run("ALTER TABLE invoices ADD COLUMN corrects_id INTEGER REFERENCES invoices (id)")
    school.run("CREATE INDEX ix_corrects ON invoices (corrects_id)")
    invoices = TABLES["app.invoices"]
    columns = invoices["columns"] | {"corrects_id": "system.operations"}
    changed = {"app.invoice_lines": LINES, "app.invoices": invoices | {"columns": columns}}
    school.datamap = school_map(school.url, tables=changed)
    school.run("UPDATE invoices SET corrects_id = 101 WHERE id = 102")
    leave(school, COMPANY)

    waiting = [sweep(school, part(100)), sweep(school, part(101, day=2))]
    swept = sweep(school, part(100, 101, table="app.invoice_lines"))
    after = sweep(school, part(100))

    assert [left.needed for left in waiting] == [((100,),), ((101,),)]
    assert (swept.needed, swept.changed) == ((), ((101,),)), "one of the lines has no date"
    assert after.needed == ((100,),), "the other line is still there"
    assert len(school.rows("invoices", "id < 200")) == 3


def test_rows_that_refer_to_each_other_go_in_as_many_rounds_as_it_takes(school):
    school.run("ALTER TABLE invoices ADD COLUMN corrects_id INTEGER REFERENCES invoices (id)")
    school.run("CREATE INDEX ix_corrects ON invoices (corrects_id)")
    columns = TABLES["app.invoices"]["columns"] | {"corrects_id": "system.operations"}
    school.datamap = school_map(
        school.url, tables={"app.invoices": TABLES["app.invoices"] | {"columns": columns}}
    )
    school.run("UPDATE invoices SET issued_on = '2023-01-01' WHERE id < 200")
    school.run("UPDATE invoices SET corrects_id = 102 WHERE id = 101")
    school.run("UPDATE invoices SET corrects_id = 101 WHERE id = 100")
    leave(school, COMPANY)

    left = sweep(school, part(100, 101, 102), rows=1)

    assert left.needed == ()
    assert school.rows("invoices", "id < 200") == []


def test_a_fence_that_does_not_open_keeps_everything(gone):
    """L18, L25."""
    with pytest.raises(FenceBroken):
        sweep(gone, part(100), fence=CountingFence(breaks_before=0))

    assert len(gone.rows("invoices", "id < 200")) == 3


def test_rows_of_a_company_that_is_kept_itself_are_told_by_its_row(school):
    """A11: where the map keeps the organization's own row, the references to it stay."""
    school.run("ALTER TABLE companies ADD COLUMN closed_on DATE")
    school.run("UPDATE companies SET closed_on = '2023-01-01'")
    invoices = TABLES["app.invoices"]
    columns = {**invoices["columns"], "company_id": "system.operations"}
    company = {"name": {"category": "user.account", "erase": "hash"}, "slug": "user.account"}
    company |= {"closed_on": "user.financial"}
    kept = {"erase": "keep", "basis": "tax law, 10 years", "until": "closed_on + P10Y"}
    school.datamap = school_map(
        school.url,
        tables={
            "app.invoices": invoices | {"columns": columns},
            "app.companies": {"columns": company, **kept},
        },
    )
    leave(school, COMPANY)

    early = sweep(school, part(100, table="app.companies"))
    for number in range(3):
        left = sweep(school, part(100 + number, day=1 + number))
        assert left.needed == left.owned == ()
    foreign = sweep(school, part(200))
    late = sweep(school, part(100, table="app.companies"))

    assert early.needed == ((100,),)
    assert foreign.owned == ((200,),)
    assert late.needed == ()
    assert [row[0] for row in school.rows("companies")] == [200, 300]
    assert len(school.rows("invoices", "company_id = 200")) == 3


def test_a_table_that_is_not_kept_any_more_in_the_map_is_told_apart(gone):
    retention = Retention.of(gone.datamap, gone.sources, COMPANY)

    assert retention.is_known("app.invoices")
    assert not retention.is_known("app.receipts")
    assert retention.order(["app.receipts", "app.companies", "app.invoices"]) == [
        "app.invoices",
        "app.companies",
        "app.receipts",
    ]


def test_the_number_of_statements_does_not_grow_with_the_rows(gone):
    """A11, L20."""
    more = [{"id": 1000 + n, "issued_on": date(2023, 1, 1)} for n in range(300)]
    with gone.engine.begin() as connection:
        invoices = sa.table("invoices", sa.column("id"), sa.column("issued_on", sa.Date))
        connection.execute(sa.insert(invoices), more)
    ran = []
    engine = gone.sources["app"].engine
    sa.event.listen(engine, "before_cursor_execute", lambda *given: ran.append(given[2]))

    sweep(gone, part(*range(1000, 1300)), rows=1000)

    changing = [text for text in ran if text.startswith("DELETE")]
    assert 1 <= len(changing) <= 2
    assert gone.rows("invoices", "id >= 1000") == []


@pytest.mark.parametrize(
    ("value", "zone", "last"),
    [
        (date(2024, 2, 29), "UTC", "2034-02-28"),
        ("2023-12-31", "UTC", "2033-12-31"),
        ("2023-12-31 23:59:59", "UTC", "2033-12-31"),
        (Instant.from_utc(2023, 12, 31, 23, 30).to_stdlib(), "UTC", "2033-12-31"),
        (Instant.from_utc(2023, 12, 31, 23, 30).to_stdlib(), "Europe/Berlin", "2034-01-01"),
        (None, "UTC", "undecided"),
        ("soon", "UTC", "undecided"),
        (1700000000, "UTC", "undecided"),
    ],
)
def test_the_end_is_counted_in_calendar_years_from_the_civil_date(value, zone, last):
    """A11, T1, L1: what is no date has no end, so that a person decides."""
    rule = TableRule(erase="keep", basis="tax law", until="issued_on + P10Y")

    end = end_of(read_anchor(value), rule, zone=zone)

    assert last_date(end.ends_at if end else None, zone=zone) == last


def test_a_scope_of_one_member_sweeps_what_was_kept_of_that_member(school):
    """A11, S7."""
    member = Scope(organization="100", member="100")
    school.run("UPDATE invoices SET company_id = NULL WHERE id = 100")

    left = sweep(school, part(100, 101), scope=member)

    assert left.owned == ((101,),)
    assert [row[0] for row in school.rows("invoices", "id < 200")] == [101, 102]


class ReturningFence(CountingFence):
    """Somebody restores the company of a row after it was found and before its chunk."""

    def __init__(self, school):
        super().__init__()
        self.school = school

    def chunk(self, table):
        self.school.run("UPDATE invoices SET company_id = 200 WHERE id = 100")
        return super().chunk(table)


def test_a_row_that_belongs_to_somebody_in_the_last_moment_is_not_touched(gone):
    """A11, L18: the statement that deletes says again whose rows it means."""
    left = sweep(gone, part(100), fence=ReturningFence(gone))

    assert left.owned == ((100,),)
    assert len(gone.rows("invoices", "id = 100")) == 1
