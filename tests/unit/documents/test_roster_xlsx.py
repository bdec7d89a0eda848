"""A roster in a workbook: the same as in a CSV file, and nothing that a stranger hid in it."""

import sys
from datetime import date

import pytest
from whenever import Date, PlainDateTime

from offramp.documents import roster_xlsx
from offramp.documents.roster import read_organizations, read_pools
from offramp.documents.roster_file import RosterInvalid
from offramp.documents.roster_set import Known, RosterKindUnknown, read_roster
from offramp.documents.roster_xlsx import WorkbookReaderMissing
from tests.unit.documents.workbook import CELLS, SHEET, rewritten, workbook

POOLS = ("organization", "pool", "product", "kind", "seats", "ends_on")
BASIC = ("2", "basic", "courses", "paid", 50, date(2024, 8, 30))
ORGANIZATIONS = ("organization", "name", "zone", "locale", "policy")
ACME = (2, "Acme, Ltd", "Europe/Dublin", "en", "license-pool")
MIDNIGHT, NOON = (PlainDateTime(2024, 8, 30, hour).to_stdlib() for hour in (0, 12))
NOBODY = Known(organizations=(), pools=())


@pytest.fixture
def file(tmp_path):
    return tmp_path / "roster.xlsx"


def pools(file, packed):
    file.write_bytes(packed)
    return [pool for batch in read_pools(file) for pool in batch]


def refused(file, packed):
    with pytest.raises(RosterInvalid) as error:
        pools(file, packed)
    return error.value


def test_numbers_and_days_are_read_as_they_are_shown(file):
    (pool,) = pools(file, workbook(POOLS, BASIC))
    (half,) = pools(file, workbook(POOLS, (2.0, "b", "p", "k", 5.0, MIDNIGHT)))

    assert (pool.organization, pool.seats, pool.ends) == ("2", 50, Date(2024, 8, 30))
    assert (half.organization, half.seats, half.ends) == ("2", 5, Date(2024, 8, 30))


def test_empty_rows_and_columns_are_left_out_and_lines_are_counted_with_them(file):
    blank = ("",) * len(POOLS)
    error = refused(file, workbook((*POOLS, None), blank, BASIC, blank, ("2", "x", "p", "k", -1)))

    assert (error.line, error.path) == (5, "seats")


def test_a_workbook_tells_by_its_header_what_it_holds(file, tmp_path):
    file.write_bytes(workbook(ORGANIZATIONS, ACME))
    other = tmp_path / "pools.xlsx"
    other.write_bytes(workbook(POOLS, BASIC))
    odd = tmp_path / "odd.xlsx"
    odd.write_bytes(workbook(("color",)))

    roster = read_roster([other, file], known=NOBODY)

    assert [each.name for each in roster.organizations] == ["Acme, Ltd"]
    assert [each.id for each in roster.pools] == ["basic"]
    with pytest.raises(RosterKindUnknown):
        read_roster([odd], known=NOBODY)


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("=1+1", "a formula is in it"),
        ('=HYPERLINK("https://evil.example")', "a formula is in it"),
        (True, "neither text"),
        (1234567890123456, "lost its last digits"),
        (NOON, "needs its offset"),
    ],
)
def test_what_depends_on_who_opens_it_is_refused_by_its_line(file, cell, problem):
    error = refused(file, workbook(POOLS, BASIC, (cell, "x", "p", "k", 1, None)))

    assert error.line == 3
    assert problem in error.problem


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"organization,pool",
        b"PK\x05\x06" + bytes(18),
        workbook(POOLS, BASIC)[:900],
        rewritten(workbook(POOLS, BASIC), SHEET, lambda _: "<not xml"),
        rewritten(workbook(POOLS, BASIC), "xl/workbook.xml", lambda _: "<a/>"),
    ],
)
def test_what_is_no_workbook_is_refused(file, packed):
    refused(file, packed)


def test_several_sheets_are_not_guessed_from(file):
    assert "several sheets" in refused(file, workbook(POOLS, BASIC, sheets=2)).problem


def test_what_becomes_too_large_is_not_unpacked(file, monkeypatch):
    monkeypatch.setattr(roster_xlsx, "UNPACKED_BYTES_MAX", 10_000)
    many = workbook(POOLS, *([BASIC] * 400))

    assert "too large" in refused(file, many).problem


def test_rows_that_are_not_there_are_not_made_up_for_ever(file, monkeypatch):
    monkeypatch.setattr(roster_xlsx, "ROWS_MAX", 100)
    far = CELLS.format(row=10**9, text="x")
    packed = rewritten(
        workbook(POOLS, BASIC), SHEET, lambda xml: xml.replace("</sheetData>", f"{far}</sheetData>")
    )

    assert "more rows" in refused(file, packed).problem


def test_an_entity_stands_for_nothing(file):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    packed = rewritten(
        workbook(POOLS, BASIC),
        SHEET,
        lambda xml: (
            bomb + xml.replace("</sheetData>", CELLS.format(row=3, text="&b;") + "</sheetData>")
        ),
    )

    refused(file, packed)


@pytest.mark.parametrize("package", ["openpyxl", "defusedxml"])
def test_without_what_reads_it_a_workbook_is_not_read(file, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    file.write_bytes(workbook(ORGANIZATIONS, ACME))

    with pytest.raises(WorkbookReaderMissing):
        list(read_organizations(file))
