"""Cases in the console: who waits, what is known, and one action that mends it (A12)."""

import pytest
from whenever import Instant

from offramp.core.case import CaseState, Complaint
from offramp.core.operator import OperatorRole
from offramp.engine.cases import open_case, read_case, read_own_case
from tests.unit.web.office import filled_office

COMPLAIN = "/console/organizations/acme/cases"
AFTER = Instant.from_utc(2024, 9, 3)


@pytest.fixture
def office():
    office = filled_office("acme", "beta")
    office.world.run_until(AFTER)
    return office


@pytest.fixture
def browser(office):
    return office.signed_in(OperatorRole.SUPPORT)


def open_by_form(browser, complaint="no-access", **fields):
    answer = browser.post(COMPLAIN, {"complaint": complaint, **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def known(office, path):
    return read_case(office.context, path.rpartition("/")[2])


def test_a_case_opens_with_what_is_known_and_is_mended_by_one_action_A12(office, browser):
    with office.world.store.transaction() as transaction:
        member = transaction.members("acme")[0].id

    path = open_by_form(browser, member=member, about="2024-08-31", words="Why <so> early?")
    page = browser.get(path)
    done = browser.post(f"{path}/repair")
    after = browser.get(done.headers["location"])

    assert "Why &lt;so&gt; early?" in page.text
    assert "shut out" in page.text
    assert "says the organization" in page.text
    assert "Give access back for a day" in page.text
    assert "Done: what mends it was set going" in after.text
    with office.world.store.transaction() as transaction:
        (unlock,) = transaction.unlocks("acme")
    assert (unlock.member, unlock.ends_at) == (member, AFTER.add(hours=24))


def test_everything_is_on_record_under_who_did_it_and_nothing_that_was_said(office, browser):
    path = open_by_form(browser, "other", words="The logo is ugly.")
    browser.post(f"{path}/note", {"words": "It is not."})
    browser.post(f"{path}/close")

    events = office.ledger("case-opened", "case-noted", "case-closed")
    assert len(events) == 3
    assert len({event.actor for event in events}) == 1
    assert events[0].actor.startswith("operator:")
    assert "logo" not in str(events)


def test_whoever_waits_is_listed_until_the_case_is_over(office, browser):
    path = open_by_form(browser, "no-export")
    office.world.clock.advance_to(AFTER.add(hours=30))
    browser = office.signed_in(OperatorRole.SUPPORT)
    late = browser.get("/console/cases")
    browser.post(f"{path}/note", {"words": "Sent by courier."})
    answered = browser.get("/console/cases")
    browser.post(f"{path}/close")
    over = browser.get("/console/cases"), browser.get("/console/cases?closed=true")

    assert ("late" in late.text, "answered" in answered.text) == (True, True)
    assert "Nobody waits" in over[0].text
    assert path in over[1].text
    assert "What mends it" not in browser.get(path).text


def test_a_viewer_reads_a_case_and_is_offered_nothing(office, browser):
    path = open_by_form(browser, words="Where is it?")

    page = office.signed_in(OperatorRole.VIEWER).get(path)

    assert "Where is it?" in page.text
    assert "What mends it" not in page.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"complaint": "no-coffee"},
        {"about": "yesterday"},
        {"about": "2024-08-31T00:00:00Z"},
        {"words": "x" * 4001},
        {"member": "nobody"},
    ],
)
def test_what_cannot_be_a_case_changes_nothing(office, browser, wrong):
    answer = browser.post(COMPLAIN, {"complaint": "other", **wrong})

    assert answer.status_code in {404, 422}
    with office.world.store.transaction() as transaction:
        assert transaction.cases(None, is_closed=False, limit=9) == ()


def test_an_answer_without_words_is_none(office, browser):
    path = open_by_form(browser)

    answer = browser.post(f"{path}/note", {"words": "  "})

    assert answer.status_code == 422
    assert known(office, path).notes == ()


def test_a_case_that_is_not_there_is_said_to_be_so(office, browser):
    assert browser.get("/console/cases/nothing").status_code == 404
    case = open_case(office.context, "beta", Complaint.OTHER).id
    with office.world.store.transaction() as transaction:
        transaction.forget("beta", member=None, at=AFTER)
    assert browser.get(f"/console/cases/{case}").status_code == 404


def test_a_note_among_operators_is_neither_shown_nor_mailed_and_answers_nobody(office, browser):
    """A12."""
    with office.world.store.transaction() as transaction:
        person = transaction.members("acme")[0]
    member = person.id
    path = open_by_form(browser, "other", member=member, words="It is slow.")
    case = path.rpartition("/")[2]

    kept = browser.post(f"{path}/note", {"words": "Their proxy is old.", "private": "yes"})
    page = browser.get(kept.headers["location"]).text

    assert "Kept for operators alone" in page
    assert "Their proxy is old." in page
    assert f"{person.name} is mailed these words" in page
    assert known(office, path).case.state is CaseState.WAITING
    _, told = read_own_case(office.context, "acme", member, case)
    assert [note.text for note in told] == ["It is slow."]
    with office.world.store.transaction() as transaction:
        assert transaction.case_letter_due_at() is None


def test_where_nobody_is_named_the_page_says_that_nobody_is_told(browser):
    page = browser.get(open_by_form(browser, "other", words="It is slow.")).text

    assert "Nobody is named to whom an answer would be mailed" in page
