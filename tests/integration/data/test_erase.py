"""Erasing with real commits, chunks smaller than the data, and a sibling that must not notice."""

import pytest
import sqlalchemy as sa

from offramp.data.erasure.erase import erase, preview
from offramp.data.erasure.statements import Purpose
from offramp.data.erasure.tombstone import take_tombstone
from offramp.data.handover.export import digest
from offramp.data.sources.trouble import RowsInTheWay
from tests.integration.data.school import (
    COMPANY,
    KEY,
    MEMBER,
    CountingFence,
    FenceBroken,
    build_school,
    no_progress,
    still,
)


def bury(school, scope):
    digests = digest(school.datamap, school.sources, scope)
    return take_tombstone(school.datamap, school.sources, scope, key=KEY, digests=digests)


def run(school, scope, *, tombstone=None, fence=None, rows=2, progress=no_progress, **options):
    return erase(
        school.datamap,
        school.sources,
        scope,
        key=KEY,
        fence=fence or CountingFence(),
        elapsed=still,
        tombstone=tombstone or bury(school, scope),
        progress=progress,
        chunk_rows_max=rows,
        **options,
    )


def test_a_company_goes_and_its_siblings_stay_byte_identical(school):
    """A10, L42."""
    before = [school.everything(company) for company in (2, 3)]

    result = run(school, COMPANY)

    left = {name for name, rows in school.everything(1).items() if rows}
    assert left == {"invoices"}
    assert [school.everything(company) for company in (2, 3)] == before
    assert result.tables["app.users"] == 4
    assert result.tables["app.companies"] == 1
    assert "app.invoices" not in result.tables
    assert school.rows("courses") == [(1, "Safety")]


def test_kept_rows_lose_their_person_and_keep_their_sums(school):
    """A11, L23."""
    before = school.rows("invoices", "id BETWEEN 100 AND 199")

    result = run(school, COMPANY)

    after = school.rows("invoices", "id BETWEEN 100 AND 199")
    assert [row[1] for row in after] == [None] * 3
    assert after[0][2] == after[1][2] != after[2][2]
    assert all(row[2].startswith("erased-") for row in after)
    assert all(row[3].endswith("@erased.invalid") for row in after)
    assert len({row[3] for row in after}) == 3
    assert [row[4] for row in after] == [None] * 3
    assert [row[5:] for row in after] == [row[5:] for row in before]
    assert result.hashed == {"app.invoices": 3}
    assert [(kept.table, kept.rows) for kept in result.retained] == [("app.invoices", 3)]


def test_erasing_twice_is_harmless(school):
    tombstone = bury(school, COMPANY)
    run(school, COMPANY, tombstone=tombstone)
    before = [school.everything(company) for company in (1, 2, 3)]

    again = run(school, COMPANY, tombstone=tombstone)

    assert set(again.tables.values()) == {0}
    assert [school.everything(company) for company in (1, 2, 3)] == before
    assert again.retained[0].rows == 3


@pytest.mark.parametrize("scope", [COMPANY, MEMBER], ids=["company", "member"])
@pytest.mark.parametrize("where", ["breaks_before", "breaks_after"])
def test_a_kill_at_any_chunk_is_finished_by_the_next_run(school, scope, where):
    """L18, L42: no journal of keys; every run but the last dies at its second or first chunk."""
    tombstone = bury(school, scope)
    siblings = [school.everything(company) for company in (2, 3)]
    kills = 0
    while kills < 100:
        fence = CountingFence(**{where: 1})
        try:
            run(school, scope, tombstone=tombstone, fence=fence)
            break
        except FenceBroken:
            kills += 1

    assert kills >= 9
    assert [school.everything(company) for company in (2, 3)] == siblings
    gone, table = (100, "companies") if scope is COMPANY else (100, "users")
    assert school.rows(table, f"id = {gone}") == []
    assert set(run(school, scope, tombstone=tombstone).tables.values()) == {0}


def test_a_fence_that_never_opens_changes_nothing(school):
    """L18: a hold or a reactivation wins."""
    before = school.everything(1)

    with pytest.raises(FenceBroken):
        run(school, COMPANY, fence=CountingFence(breaks_before=0))

    assert school.everything(1) == before


def test_every_chunk_is_fenced_bounded_and_recorded(school):
    """L19: own short transactions, no cascade."""
    fence = CountingFence()

    result = run(school, COMPANY, fence=fence, connections=1)

    assert max(rows for _, rows in fence.recorded) <= 2
    deleted = sum(rows for table, rows in fence.recorded if table == "app.users")
    assert deleted == result.tables["app.users"] == 4
    assert [table for table, _ in fence.recorded] == fence.entered
    assert fence.entered[-1] == "app.companies"


def test_the_size_of_a_chunk_follows_the_time_it_takes(school):
    readings = iter(range(1000))
    fence = CountingFence()

    erase(
        school.datamap,
        school.sources,
        COMPANY,
        key=KEY,
        fence=fence,
        elapsed=lambda: float(next(readings)),
        tombstone=bury(school, COMPANY),
        progress=no_progress,
        chunk_rows_max=4,
        connections=1,
    )

    assert [rows for table, rows in fence.recorded if table == "app.users"] == [1, 1, 1, 1]


def test_a_dry_run_prints_exactly_what_runs(school):
    """L27."""
    plan = preview(school.datamap, school.sources, COMPANY)
    tombstone = bury(school, COMPANY)
    ran = []
    engine = school.sources["app"].engine
    sa.event.listen(engine, "before_cursor_execute", lambda *arguments: ran.append(arguments[2]))

    run(school, COMPANY, tombstone=tombstone)

    changing = {text for text in ran if text.startswith(("DELETE", "UPDATE"))}
    assert changing
    assert changing <= {statement.text for statement in plan}
    assert changing >= {each.text for each in plan if each.purpose == Purpose.DELETE.value}


def test_in_sqlite_a_chunk_looks_up_its_own_rows_and_lists_no_others(sqlite_url):
    """To list all rows of an organization again for each chunk would cost more than the chunk."""
    school = build_school(sqlite_url)
    changes = [
        each.text
        for each in preview(school.datamap, school.sources, COMPANY)
        if each.purpose in (Purpose.DELETE.value, Purpose.EMPTY.value, Purpose.KEEP.value)
    ]

    with school.engine.connect() as connection:
        for text in changes:
            chunks = ("[]",) * text.count("?")
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", chunks)
            lists = {row[-1] for row in plan if "LIST SUBQUERY" in row[-1]}

            assert len(lists) <= 1, "of the keys of the chunk itself"


def test_a_member_goes_with_what_is_theirs_and_nothing_else(school):
    """S7: the same algorithm with another root."""
    siblings = [school.everything(company) for company in (2, 3)]
    comments_before = len(school.rows("comments", "id BETWEEN 100 AND 199"))

    result = run(school, MEMBER)

    assert school.rows("users", "id = 100") == []
    assert [school.everything(company) for company in (2, 3)] == siblings
    assert school.rows("notes", "owner_id = 100") == []
    assert result.tables["app.notes"] == 2
    assert result.tables["app.shares"] == 2, "of their note, and to them"
    assert [row[2] for row in school.rows("teams", "id = 100")] == [None]
    assert school.rows("notes", "last_edited_by = 100") == []
    assert len(school.rows("comments", "id BETWEEN 100 AND 199")) == comments_before - 2
    assert [row[2] for row in school.rows("comments", "id = 101")] == [None]
    assert len(school.rows("companies", "id = 100")) == 1
    assert len(school.rows("memberships", "company_id = 100")) == 3
    assert len(school.rows("invoices", "company_id = 100")) == 3


def test_a_member_of_another_company_is_out_of_reach(school):
    before = [school.everything(company) for company in (1, 2, 3)]
    scope = MEMBER.__class__(organization="100", member="200")

    result = run(school, scope)

    assert set(result.tables.values()) == {0}
    assert [school.everything(company) for company in (1, 2, 3)] == before


def test_a_product_takes_only_the_tables_that_carry_it(school):
    """B1."""
    scope = COMPANY.__class__(organization="100", product="notes")

    result = run(school, scope)

    assert result.tables == {"app.notes": 5, "app.shares": 2}
    assert len(school.rows("users", "company_id = 100")) == 4


def test_a_reference_of_a_sibling_to_a_row_that_goes_is_emptied(school):
    school.run("UPDATE notes SET last_edited_by = 101 WHERE id = 201")

    result = run(school, COMPANY)

    assert result.emptied["app.notes"] >= 1
    assert len(school.rows("notes", "id = 201 AND last_edited_by IS NULL")) == 1


@pytest.mark.parametrize(
    "foreign",
    [
        "INSERT INTO shares (id, note_id, user_id) VALUES (250, 200, 100)",
        "INSERT INTO notes (id, company_id, owner_id) VALUES (250, 200, 100)",
        "INSERT INTO memberships (company_id, user_id) VALUES (200, 100)",
    ],
)
def test_a_row_of_a_sibling_that_needs_a_row_that_goes_stops_everything_at_once(school, foreign):
    """L42: fail closed; it was not handed over, so it may not go."""
    school.run(foreign)
    before = [school.everything(company) for company in (1, 2, 3)]

    with pytest.raises(RowsInTheWay, match="1 rows of others") as caught:
        run(school, COMPANY)

    assert caught.value.hint
    assert [school.everything(company) for company in (1, 2, 3)] == before


class IntrudingFence(CountingFence):
    """A sibling's row that needs one of ours appears after the guards were asked."""

    def __init__(self, school):
        super().__init__()
        self.school = school

    def chunk(self, table):
        if table == "app.users" and table not in self.entered:
            self.school.run("INSERT INTO shares (id, note_id, user_id) VALUES (250, 200, 100)")
        return super().chunk(table)


def test_a_row_that_comes_too_late_for_the_guard_stops_its_chunk(school):
    siblings = school.everything(3)

    with pytest.raises(RowsInTheWay) as caught:
        run(school, COMPANY, fence=IntrudingFence(school), rows=4)

    assert "100" not in str(caught.value)
    assert len(school.rows("users", "company_id = 100")) == 4
    assert len(school.rows("shares", "id = 250")) == 1
    assert school.everything(3) == siblings


def test_progress_is_told_after_each_chunk(school):
    told = []

    run(school, COMPANY, progress=lambda table, rows: told.append((table, rows)))

    assert [rows for table, rows in told if table == "app.users"][-1] == 4


class MovingFence(CountingFence):
    """Somebody moves a row to a sibling after it was found and before its chunk."""

    def __init__(self, school):
        super().__init__()
        self.school = school

    def chunk(self, table):
        if table == "app.notes":
            self.school.run("UPDATE notes SET company_id = 200, owner_id = 200 WHERE id = 104")
        return super().chunk(table)


def test_a_row_that_moves_to_a_sibling_in_the_last_moment_is_not_touched(school):
    """L18, L42."""
    run(school, COMPANY, fence=MovingFence(school))

    assert [row[0] for row in school.rows("notes", "company_id = 200 AND id < 200")] == [104]
    assert school.rows("companies", "id = 100") == []
