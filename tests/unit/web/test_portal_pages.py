"""What people read in the portal, and what they get there: A4, A7, A12, B4, B5, B9."""

import json
import re
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from whenever import Date, Instant

from offramp.core.case import Complaint
from offramp.core.model import Role
from offramp.engine.cases import OWN_WAITING_MAX, add_note, close_case, list_cases, open_case
from offramp.engine.offboarding import reactivate
from offramp.engine.sweep import run_until_quiet
from offramp.web.portal import handing_out
from tests.simulation import shop
from tests.unit.web.lobby import ADMIN, EXPIRED, USER, Lobby, words

OUT = Instant.from_utc(2024, 12, 10)
SOON = Instant.from_utc(2024, 8, 20, 9)
LANGUAGES = {
    "en": ("Your account", "Sign in by mail", "Your data"),
    "de": ("Ihr Konto", "Anmelden per E-Mail", "Ihre Daten"),
    "fr": ("Votre compte", "Se connecter par e-mail", "Vos données"),
    "es": ("Su cuenta", "Entrar por correo", "Sus datos"),
    "pl": ("Twoje konto", "Logowanie przez e-mail", "Twoje dane"),
}


def test_an_administrator_reads_when_each_pool_ends_and_what_happens_on_which_day(training):
    """A7."""
    training.world.run_until(SOON)

    page = words(training.signed_in(ADMIN).get("/portal/organization"))

    assert "All dates are those of Europe/Dublin." in page
    assert "notes standard 4 of 9 Friday, August 30, 2024" in page
    assert "Friday, August 16, 2024 · done A notice is sent To: administrators" in page
    assert "Saturday, August 31, 2024 Access ended" in page
    assert "Saturday, August 31, 2024 Every user is sent what they have earned" in page
    assert "Sunday, September 22, 2024 The data is handed over as a JSON file" in page
    assert "Sunday, September 29, 2024 Everything is deleted for good" in page


def test_days_are_those_of_the_organization_wherever_its_administrator_is(training):
    """A7, A2."""
    training.change("acme-admin", zone="Pacific/Auckland")

    page = words(training.signed_in(ADMIN).get("/portal/organization"))

    assert "4 of 9 Friday, August 30, 2024" in page


def test_an_administrator_takes_the_dates_into_a_calendar(training):
    """A7."""
    answer = training.signed_in(ADMIN).get("/portal/dates.ics")

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.content.startswith(b"BEGIN:VCALENDAR")
    assert b"20240831" in answer.content


def test_an_administrator_is_led_to_where_they_renew_as_long_as_that_is_possible(notes):
    """B4, B5."""
    for at in (EXPIRED, OUT):
        notes.world.run_until(at)
        page = notes.signed_in(ADMIN).get("/portal/organization")

        assert 'href="https://v.example/renew"' in page.text
        assert "If you renew, everything comes back as it was." in words(page)
        assert "Service agreement" in words(page)
        notes.pass_time(hours=1)


def test_an_administrator_downloads_the_data_that_was_sent_and_has_it_sent_again(training):
    """A8, A12."""
    training.world.run_until(Instant.from_utc(2024, 9, 23))
    admin = training.signed_in(ADMIN)
    page = admin.get("/portal/organization")
    path = re.search(r'href="(/portal/documents/[^"]+)"', page.text)[1]
    before = len(training.world.mail.sent)

    document = json.loads(admin.get(path).content)
    asked = admin.post("/portal/messages", {"step": "company-data"})
    again = admin.post("/portal/messages", {"step": "company-data"})
    run_until_quiet(training.context)

    assert {row["id"] for row in document["data"]["organizations"]} == {"acme"}
    assert (asked.status_code, again.status_code) == (303, 409)
    assert "was sent within the last hour" in words(again)
    (message,) = [each.message for each in training.world.mail.sent[before:]]
    assert message.to == ADMIN
    assert training.signed_in(USER).get(path).status_code == 404


def test_a_user_reads_how_they_stand_until_when_and_what_can_be_done(notes):
    notes.world.run_until(EXPIRED)

    page = words(notes.signed_in().get())

    assert "Expired Full access has ended You can still open, edit, copy, and export" in page
    assert "Full access until Friday, August 30, 2024" in page
    assert "Deletion at the earliest on" in page
    assert "/portal/organization" not in notes.signed_in().get().text


def test_a_user_downloads_what_they_earned_and_has_it_sent_again(training):
    """A3, A4."""
    training.world.run_until(EXPIRED)
    user = training.signed_in()
    before = len(training.world.mail.sent)

    with ZipFile(BytesIO(user.get("/portal/achievements.zip").content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    asked = user.post("/portal/messages", {"step": "achievements"})
    run_until_quiet(training.context)

    assert files == {"achievements.txt": b"Safety"}
    assert asked.headers["location"] == "/portal?done=sent"
    assert [each.message.to for each in training.world.mail.sent[before:]] == [USER]
    assert "On its way" not in words(user.get())


def test_nobody_is_offered_achievements_before_access_has_ended(training):
    """A6."""
    user = training.signed_in()

    assert "What you have earned" not in words(user.get())
    assert user.get("/portal/achievements.zip").status_code == 409


def test_so_many_people_print_at_once_and_the_others_may_come_again(training, monkeypatch):
    monkeypatch.setattr(handing_out, "PRINTED_AT_ONCE_MAX", 0)
    lobby = Lobby("license-pool", data=training.context.data)

    answer = lobby.signed_in().get("/portal/achievements.zip")

    assert answer.status_code == 503
    assert "Please try again in a few minutes" in words(answer)


def test_what_became_of_each_message_is_said(training):
    """A4."""
    training.world.run_until(EXPIRED)

    page = words(training.signed_in().get())

    assert "What you have earned Sent on August 31, 2024, and taken by your mail server" in page


def test_a_user_asks_for_a_copy_and_is_led_to_it(notes):
    """B9."""
    notes.world.run_until(OUT)
    user = notes.signed_in()

    asked = user.post("/portal/copy")
    waiting, twice = words(user.get(asked.headers["location"])), user.post("/portal/copy")
    notes.make_copies()
    ready, led = words(user.get()), user.get("/portal/copy")
    page = user.get(led.headers["location"])
    document = user.get(f"{led.headers['location']}/data.json").json()

    assert "We make a copy of the data" in waiting
    assert "It is being made" in waiting
    assert twice.status_code == 409
    assert "Your copy is ready" in ready
    assert "Download possible until Thursday, January 9, 2025" in ready
    assert page.status_code == 200
    assert [row["id"] for row in document["data"]["people"]] == ["acme-user"]


def test_the_mail_that_leads_to_a_copy_may_be_asked_for_again(notes):
    """B9."""
    notes.world.run_until(OUT)
    user = notes.signed_in()
    user.post("/portal/copy")
    notes.make_copies()
    soon = user.post("/portal/copy/mail")
    notes.pass_time(minutes=25)
    user.get()
    notes.pass_time(minutes=25)
    user.get()
    notes.pass_time(minutes=25)

    again = user.post("/portal/copy/mail")
    notes.make_copies()

    assert (soon.status_code, again.headers["location"]) == (409, "/portal?done=mailed")
    subjects = [each.message.subject for each in notes.world.mail.sent]
    assert subjects.count("The copy of your data is ready") == 2


def test_where_users_are_given_none_that_is_said(training):
    training.world.run_until(EXPIRED)
    user = training.signed_in()

    page, asked = words(user.get()), user.post("/portal/copy")

    assert "No copy is given to users in this stage." in page
    assert "Make a copy" not in page
    assert asked.status_code == 409
    assert "is not given in this stage" in words(asked)


def test_what_went_wrong_is_told_answered_and_told_again(training):
    """A12."""
    training.world.run_until(EXPIRED)
    user = training.signed_in()
    fields = {
        "complaint": "no-achievements",
        "about": "2024-08-31",
        "words": "Where <b>are</b> they?",
    }

    told = user.post("/portal/cases", fields)
    path = told.headers["location"].partition("?")[0]
    (case,) = list_cases(training.context, "acme")
    add_note(training.context, case.id, "Sent once more.")
    answered = user.get(path)
    user.post(path, {"words": "Thank you!"})

    assert (case.member, case.complaint) == ("acme-user", Complaint.NO_ACHIEVEMENTS)
    assert case.about == Instant.from_utc(2024, 8, 30, 23)  # midnight in Dublin
    assert "Where &lt;b&gt;are&lt;/b&gt; they?" in answered.text
    assert "Support , Tuesday" in words(answered).replace("Support, ", "Support , ")
    assert "Sent once more." in words(answered)
    assert "You will have an answer by" in words(user.get(path))
    close_case(training.context, case.id)
    assert user.post(path, {"words": "x"}).status_code == 409
    assert "What I have earned did not arrive" in words(user.get("/portal/help"))


def test_so_many_cases_of_one_person_wait_and_no_more(training):
    user = training.signed_in()
    for _ in range(OWN_WAITING_MAX):
        assert user.post("/portal/cases", {"complaint": "no-export"}).status_code == 303

    refused = user.post("/portal/cases", {"complaint": "no-export"})

    assert refused.status_code == 409
    assert "Please add to one of them" in words(refused)
    assert len(list_cases(training.context, "acme")) == OWN_WAITING_MAX


@pytest.mark.parametrize(
    "fields",
    [
        {"complaint": "nonsense"},
        {"complaint": "other"},
        {"complaint": "no-export", "about": "yesterday"},
        {"complaint": "no-export", "about": "2024-08-30T10:00:00Z"},
        {"complaint": "no-export", "words": "x" * 4001},
    ],
)
def test_what_cannot_be_understood_opens_no_case(training, fields):
    answer = training.signed_in().post("/portal/cases", fields)

    assert answer.status_code == 422
    assert list_cases(training.context, "acme") == ()


def test_what_support_knows_of_others_is_not_shown(training):
    open_case(training.context, "acme", Complaint.OTHER, words="about the company")

    assert "company" not in words(training.signed_in(ADMIN).get("/portal/help"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_in_the_language_of_the_browser_and_then_of_the_member(notes, language):
    account, sign_in, own = LANGUAGES[language]
    notes.change("acme-user", locale=language)

    before = notes.visitor().get("/portal/sign-in", **{"Accept-Language": language})
    user = notes.signed_in()
    after = user.get("/portal", **{"Accept-Language": "en"})

    assert f'<html lang="{language}"' in before.text
    assert sign_in in words(before)
    assert account in words(after)
    assert own in words(after)
    assert re.search(r"Make|Your|Sign out", words(after)) is None or language == "en"


def test_a_reader_elsewhere_is_told_whose_days_they_are(notes):
    notes.change("acme-user", zone="Pacific/Auckland")

    assert "those of your time zone, Pacific/Auckland" in words(notes.signed_in().get())


def test_each_product_stands_by_itself(notes):
    with notes.world.store.transaction() as transaction:
        transaction.put_pools([shop.pool("acme", product="maps", ends=Date(2025, 5, 31))])
    notes.change("acme-user", pools=frozenset({"acme-notes", "acme-maps"}))
    notes.world.run_until(EXPIRED)

    page = words(notes.signed_in().get())

    assert "maps Active" in page
    assert "notes Expired" in page


def test_the_brand_is_the_vendors_and_support_is_named(notes):
    page = notes.visitor().get("/portal/sign-in")

    assert "Trellis" in page.text
    assert "mailto:help@vendor.example" in page.text
    assert "#1f6f4a" in page.text


def test_names_cannot_write_into_a_page(notes):
    evil = "<script>alert(1)</script>\"'>"
    notes.change("acme-user", name=evil)
    with notes.world.store.transaction() as transaction:
        acme = transaction.organization("acme")
        transaction.put_organizations([replace(acme, name=evil)])

    assert "<script" not in notes.signed_in().get().text


def test_somebody_who_answers_for_nothing_any_more_sees_nothing_of_the_organization(training):
    training.world.run_until(Instant.from_utc(2024, 9, 23))
    admin = training.signed_in(ADMIN)
    path = re.search(r"/portal/documents/[^\"]+", admin.get("/portal/organization").text)[0]
    training.change("acme-admin", roles=frozenset({Role.MEMBER}))

    assert admin.get("/portal/organization").status_code == 404
    assert admin.get("/portal/dates.ics").status_code == 404
    assert admin.get(path).status_code == 404
    assert "documents" not in admin.get().text
    assert admin.post("/portal/messages", {"step": "company-data"}).status_code == 409


def test_what_was_sent_before_somebody_came_back_is_still_seen(training):
    """A4."""
    training.world.run_until(EXPIRED)
    reactivate(training.context, "acme", until=Date(2025, 8, 30), by="support")
    training.world.work()

    page = words(training.signed_in().get())

    assert "What you have earned Sent on August 31, 2024" in page
    assert "Your access continues Sent on September 3, 2024" in page


def test_a_document_that_was_fetched_here_is_on_record(training):
    training.world.run_until(Instant.from_utc(2024, 9, 23))
    admin = training.signed_in(ADMIN)
    path = re.search(r"/portal/documents/[^\"]+", admin.get("/portal/organization").text)[0]

    admin.get(path)

    events = [entry.event for entry in training.read(lambda t: t.ledger())]
    assert [each.actor for each in events if each.kind == "export-downloaded"] == ["user"]


def test_once_everything_is_deleted_nobody_is_signed_in_and_nobody_is_known(notes):
    """B9, L30."""
    notes.world.run_until(OUT)
    user = notes.signed_in()
    user.post("/portal/copy")
    notes.make_copies()
    link = user.get("/portal/copy").headers["location"]
    notes.world.run_until(Instant.from_utc(2026, 4, 1))

    answers = [user.get(), user.post("/portal/copy", token="x")]

    assert {each.headers["location"] for each in answers} == {"/portal/sign-in"}
    assert user.get(link).status_code == 404
    assert notes.ask(USER) == []
    assert "Once data is deleted for good we know nobody" in words(
        user.post("/portal/sign-in", {"address": USER}, token="")
    )
