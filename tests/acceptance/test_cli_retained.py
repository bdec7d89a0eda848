"""What is kept after a deletion, from the command line: listed, decided, gone in the end (A11)."""

import sqlite3
from collections import Counter
from contextlib import closing

import pytest
from whenever import Date

from offramp.core.dates import first_instant
from tests.acceptance.installation import DATAMAP, LEAVING, SIBLING, ZONE, in_days
from tests.acceptance.test_cli_erasure import set_up

OVER, TODAY = in_days(-2), in_days(0)  # yesterday is not over everywhere


def invoices(installation):
    with closing(sqlite3.connect(installation.folder / "app.sqlite")) as connection:
        rows = connection.execute("SELECT company_id, count(*) FROM invoices GROUP BY company_id")
        return dict(rows.fetchall())


def dates_of(installation, company):
    with closing(sqlite3.connect(installation.folder / "app.sqlite")) as connection:
        rows = connection.execute("SELECT issued_on FROM invoices WHERE company_id = ?", [company])
        return [row[0] for row in rows.fetchall()]


def ten_years_later(day):
    """Give the instant at which the last day of ten calendar years is over where the company is."""
    return first_instant(Date.parse_iso(day).add(years=10).next_day(), ZONE).format_iso()


def change_application(installation, statement):
    with closing(sqlite3.connect(installation.folder / "app.sqlite")) as connection, connection:
        connection.execute(statement)


@pytest.fixture
def installation(vendor):
    """Give an installation in which the deletion of one company is due."""
    return set_up(vendor.folder)


@pytest.fixture
def undecided(installation):
    """Let a company be deleted of which two invoices have no date."""
    change_application(installation, "UPDATE invoices SET issued_on = 'unknown' WHERE id IN (7, 8)")
    installation.say("run", "--until-quiet")
    return installation


def test_what_is_kept_is_listed_with_reason_and_end(installation):  # A11
    dates = dates_of(installation, LEAVING)
    installation.say("run", "--until-quiet")

    listed = installation.ask("retained")["retained"]

    ends = {each["ends_at"]: each["rows"] for each in listed}
    assert ends == dict(Counter(map(ten_years_later, dates)))
    assert sum(ends.values()) == 3
    assert {(each["organization"], each["table"], each["basis"]) for each in listed} == {
        (LEAVING, "app.invoices", "tax law, 10 years")
    }
    assert f"of app.invoices until {min(ends)}" in installation.say("retained", LEAVING)
    assert installation.ask("retained", SIBLING) == {"retained": []}
    assert installation.run("retained", "nobody").code == 4


def test_what_is_over_already_goes_in_the_same_run_and_nothing_else(installation):  # A11, L42
    text = DATAMAP.read_text("utf-8")
    datamap = installation.folder / "short.yaml"
    datamap.write_text(text.replace("issued_on + P10Y", "issued_on + P1D"))
    installation.settings["OFFRAMP_DATAMAP"] = str(datamap)
    before = invoices(installation)

    happened = installation.ask("run", "--until-quiet")["happened"]

    assert (happened[-1]["step"], happened[-1]["reason"]) == ("retention", "3 rows")
    assert invoices(installation) == {key: rows for key, rows in before.items() if key != 2}
    assert installation.ask("retained") == {"retained": []}
    assert installation.ask("ledger", "verify")["entries"] > 0


def test_what_has_no_end_waits_for_a_person_and_is_told(undecided):  # A11
    assert "2 rows of app.invoices until a person decides" in undecided.say("retained")

    decided = undecided.ask("keep-until", LEAVING, "app.invoices", TODAY)

    assert decided["rows"] == 2
    assert "until a person decides" not in undecided.say("retained")
    undecided.change("UPDATE kept SET ends_at = '2020-01-01T00:00:00.000000Z' WHERE rows = 2")
    undecided.let_a_day_pass_for_retries()
    undecided.change("UPDATE offboarding SET next_due_at = '2020-01-01T00:00:00.000000Z'")
    happened = undecided.ask("run", "--until-quiet")["happened"]
    assert [each["reason"] for each in happened] == ["2 rows"]
    assert [each["rows"] for each in undecided.ask("retained")["retained"]] == [1]


@pytest.mark.parametrize(
    ("table", "day", "code"),
    [("app.invoices", OVER, 3), ("app.users", TODAY, 4), ("app.invoices", "soon", 2)],
)
def test_a_decision_that_cannot_be_is_refused(undecided, table, day, code):  # A11
    before = undecided.contents()

    finished = undecided.run("keep-until", LEAVING, table, day)

    assert finished.code == code
    assert undecided.contents() == before


def test_a_hold_on_what_is_kept_stops_the_sweep_and_its_release_goes_on(undecided):  # A11, L25
    undecided.say("keep-until", LEAVING, "app.invoices", TODAY)
    hold = undecided.ask("hold", LEAVING, "--owner", "legal", "--reason", "audit")["hold"]
    undecided.change("UPDATE kept SET ends_at = '2020-01-01T00:00:00.000000Z' WHERE rows = 2")
    undecided.change("UPDATE offboarding SET next_due_at = '2020-01-01T00:00:00.000000Z'")

    held = undecided.ask("run", "--until-quiet")["happened"]
    kept = sum(each["rows"] for each in undecided.ask("retained")["retained"])
    undecided.say("release", hold)
    released = undecided.ask("run", "--until-quiet")["happened"]

    assert [(each["status"], each["reason"]) for each in held] == [("held", "a hold is in force")]
    assert kept == 3
    assert [(each["status"], each["reason"]) for each in released] == [("done", "2 rows")]
