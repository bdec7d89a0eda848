"""A9 in the console: a document that was handed out is tried, read in, and on record."""

import json

import pytest

from offramp.core.operator import OperatorRole
from offramp.engine.handover import Request, hand_over
from tests.simulation import shop
from tests.unit.web.office import PUBLIC, filled_office

PATH = "/console/restore"


@pytest.fixture
def app(tmp_path):
    app = shop.open_shop(tmp_path)
    app.fill("acme", "beta")
    yield app
    app.engine.dispose()
    app.data.sources["app"].close()


@pytest.fixture
def office(app):
    return filled_office("acme", "beta", data=app.data)


@pytest.fixture
def document(office, tmp_path):
    """Give what acme was handed."""
    file = tmp_path / "data.json"
    with file.open("wb") as sink:
        hand_over(office.context, Request(organization="acme"), sink)
    return file.read_bytes()


def send(browser, document, *, do="try", typed="", token=None, origin=PUBLIC):
    fields = {"do": do, "typed": typed, "token": browser.token() if token is None else token}
    files = {"document": ("Anna’s data.json", document, "application/json")} if document else None
    return browser.client.post(PATH, data=fields, files=files, headers={"Origin": origin})


def lose(app):
    """Lose everything; say how many rows of acme that were, its invoice included."""
    rows = app.total("acme") + 1
    app.fill()
    return rows


def test_a_trial_says_what_would_come_back_and_changes_nothing(office, app, document):
    browser, rows = office.signed_in(), lose(app)

    answer = send(browser, document)

    assert rows > 0
    assert answer.status_code == 200
    assert "Nothing was changed: this was a trial." in answer.text
    assert app.total("acme") == 0
    assert office.ledger("document-restored") == []


def test_what_was_lost_is_there_again_and_who_did_it_is_on_record(office, app, document):
    browser, rows = office.signed_in(), lose(app)

    answer = send(browser, document, do="restore", typed="acme")

    assert "it is organization <strong>acme</strong>" in answer.text
    assert app.total("acme") == rows - 1
    (event,) = office.ledger("document-restored")
    assert event.detail == {"organization": "acme", "restored_as": "acme", "rows": rows}
    assert event.actor.startswith("operator:")
    assert "Anna" not in json.dumps([event.detail, event.actor])


@pytest.mark.parametrize("typed", ["", "beta"])
def test_it_stays_away_until_its_organization_is_typed(office, app, document, typed):
    browser = office.signed_in()
    lose(app)

    answer = send(browser, document, do="restore", typed=typed)

    assert answer.status_code == 409
    assert "this is the data of organization acme" in answer.text
    assert app.total("acme") == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text[:-40], "is not as it was exported"),
        (lambda text: json.dumps(json.loads(text)).encode(), "was written anew"),
        (lambda text: b"hello", "cannot be read"),
        (lambda text: b"", "a file is asked"),
    ],
)
def test_what_is_not_as_it_was_handed_out_is_refused(office, app, document, change, told):
    browser = office.signed_in()
    lose(app)

    answer = send(browser, change(document), do="restore", typed="acme")

    assert answer.status_code in (409, 422)
    assert told in answer.text
    assert "Anna" not in answer.text
    assert app.total("acme") == 0


def test_a_form_that_cannot_be_read_is_told_so(office):
    answer = office.signed_in().client.post(
        PATH,
        content=b"--b\r\nbroken",
        headers={"Origin": PUBLIC, "Content-Type": "multipart/form-data"},
    )

    assert answer.status_code == 422
    assert "the form cannot be read" in answer.text


@pytest.mark.parametrize("forged", [{"token": "0" * 64}, {"origin": "https://evil.example"}])
def test_a_form_of_somebody_else_reads_nothing_in(office, app, document, forged):
    browser = office.signed_in()
    lose(app)

    answer = send(browser, document, do="restore", typed="acme", **forged)

    assert answer.status_code == 403
    assert app.total("acme") == 0


def test_a_lower_role_sends_nothing(office, app, document):
    browser = office.signed_in(OperatorRole.APPROVER)
    lose(app)

    assert send(browser, document, do="restore", typed="acme").status_code == 403
    assert browser.get(PATH).status_code == 403
    assert "/console/restore" not in browser.get("/console/data-map").text
    assert app.total("acme") == 0


def test_an_organization_that_is_being_deleted_is_not_filled_in(office, app, document, monkeypatch):
    browser = office.signed_in()
    transaction_type = type(office.context.store.transaction().__enter__())
    monkeypatch.setattr(transaction_type, "erased_rows", lambda self, offboarding: 7)
    lose(app)

    answer = send(browser, document, do="restore", typed="acme")

    assert answer.status_code == 409
    assert "The deletion of acme has begun" in answer.text
    assert app.total("acme") == 0
