"""A4, A7, A12, B9, B11: the portal, by people who read nothing but the screen and their mail."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from zipfile import ZipFile

import pytest
from playwright.sync_api import expect

from offramp.adapters.message.brand import Brand
from offramp.adapters.message.portal_page import PortalPages
from offramp.core.case import Complaint
from offramp.core.model import Role
from offramp.core.policy import Capability
from offramp.engine.access import may
from offramp.engine.cases import list_cases
from offramp.engine.courier import carry_once
from offramp.engine.people import seats_of
from offramp.web.address import open_listener, url_of
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.acceptance.departure import ENDS, NOTES, TRAINING, depart
from tests.unit.web.office import listening

pytestmark = pytest.mark.browser

KIND = "postgresql"  # the console is looked at on the other kind
BEFORE, AFTER, HANDED_OVER = "2024-08-20T12:00:00Z", "2024-09-02T12:00:00Z", "2024-09-23T12:00:00Z"
FAREWELL = "2024-08-31"
SIGNED_OUT, GONE = "2024-12-15T12:00:00Z", "2026-04-01T00:00:00Z"
BRAND = Brand(name="Trellis", renewal="https://vendor.example/renew")
OWN_TABLES = ("request", "portal_link", "portal_session", "own_copy", "support_case", "case_note")


@contextmanager
def served(application, folder, request):
    """Give a departure whose portal is reached at its public address."""
    with open_listener("127.0.0.1:0") as listener:
        url = url_of(listener)
        with depart(application, KIND, folder, request, public_address=url) as departure:
            app = create_app(departure.context, access_keys=AccessKeys(), portal=PortalPages(BRAND))
            with listening(app, listener):
                yield departure


def person(departure, *, is_admin, among=None):
    """Give an administrator, or somebody else, who leaves together with an organization."""
    with departure.context.store.transaction() as transaction:
        rows = transaction.offboardings()
        wholes = [row for row in rows if row.subject.member is None and row.ends == ENDS]
        members = transaction.members(wholes[0].subject.organization)
        wanted = [m for m in members if (Role.ADMIN in m.roles) == is_admin and m.ends is None]
        near = (m for m in wanted if m.pools and (among is None or m.email in among))
        alone = (m for m in near if len(transaction.readers_at(m.email)) == 1)
        chosen = replace(next(alone), locale="en")
        transaction.put_members([chosen])
    return chosen


def text_of(message):
    return message.get_body(("plain",)).get_content()


def link_in(departure, *, after, path):
    """Give the link that a mail brought."""
    (message,) = [mail for _, _, mail in departure.mail[after:]]
    return re.search(rf"http://\S+/{path}/\S+", text_of(message))[0]


def sign_in(browser, departure, address):
    """Come in as a person does: by an address, a mail, and a button."""
    before, page = len(departure.mail), browser.new_page(accept_downloads=True)
    page.goto(f"{departure.context.public_address}/portal")
    page.get_by_label("Your e-mail address").fill(address)
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", name="Please look at your mail")).to_be_visible()
    carry_once(departure.context)
    page.goto(link_in(departure, after=before, path="portal/enter"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    return page


def downloaded(page, name):
    with page.expect_download() as started:
        page.get_by_role("link", name=name).first.click()
    return started.value.path()


def test_people_of_a_company_that_leaves_see_its_dates_and_fetch_what_is_theirs(
    browser, tmp_path, request
):
    """A7, A4, A12: an administrator before the end, a user after it, the administrator again."""
    with served(TRAINING, tmp_path, request) as departure:
        admin = person(departure, is_admin=True)
        departure.run_until(BEFORE)
        page = sign_in(browser, departure, admin.email)
        page.get_by_role("link", name="Your organization").click()
        main = page.get_by_role("main")
        expect(main).to_contain_text("Friday, August 30, 2024")
        expect(main).to_contain_text("Every user is sent what they have earned")
        expect(main).to_contain_text("Sunday, September 29, 2024")
        expect(page.get_by_role("link", name="Renew or reactivate")).to_have_attribute(
            "href", BRAND.renewal
        )
        assert b"BEGIN:VEVENT" in downloaded(page, "Download the dates").read_bytes()

        departure.run_until(AFTER)
        told = {to for on, to, _ in departure.mail if on == FAREWELL}
        user = person(departure, is_admin=False, among=told)
        page = sign_in(browser, departure, user.email)
        with ZipFile(downloaded(page, "Download what I have earned")) as archive:
            earned = set(archive.namelist())
        before = len(departure.mail)
        page.get_by_role("button", name="Send again").first.click()
        expect(page.get_by_role("status")).to_contain_text("on its way again")
        departure.run_until("2024-09-02T12:05:00Z")
        ((_, to, again),) = departure.mail[before:]
        page.get_by_role("link", name="Help").click()
        page.get_by_label("In your own words").fill("Nothing ever came.")
        page.get_by_role("button", name="Tell support").click()
        expect(page.get_by_role("status")).to_contain_text("we have noted it")
        (case,) = list_cases(departure.context, user.organization)

        departure.run_until(HANDED_OVER)
        page = sign_in(browser, departure, admin.email)
        page.get_by_role("link", name="Your organization").click()
        document = json.loads(downloaded(page, "Download,").read_bytes())

        assert earned
        assert {part.get_filename() for part in again.iter_attachments()} == earned
        assert to == user.email
        assert (case.member, case.complaint) == (user.id, Complaint.NO_ACHIEVEMENTS)
        assert [str(row["id"]) for row in document["data"]["companies"]] == [admin.organization]


def test_an_administrator_gives_people_an_end_expires_them_and_takes_them_back(
    browser, tmp_path, request
):
    """B11: many at once; told in the last days; no seat once expired; everything back after."""
    with served(NOTES, tmp_path, request) as departure:
        admin = person(departure, is_admin=True)
        members = departure.members(admin.organization)
        chosen = [m for m in members if Role.ADMIN not in m.roles and m.ends is None and m.pools]
        first, second, third = chosen[:3]
        page = sign_in(browser, departure, admin.email)
        before = seats_taken(departure, admin.organization)
        act_on(page, [first, second], "Give them this last day", until="2024-08-20")
        departure.run_until("2024-08-14T12:00:00Z")
        warned = {to for _, to, _ in departure.mail} & {each.email for each in chosen[:3]}
        page = sign_in(browser, departure, admin.email)
        act_on(page, [third], "End their access now")
        freed = before - seats_taken(departure, admin.organization)
        departure.run_until("2024-08-22T12:00:00Z")
        gone = [creates(departure, each) for each in chosen[:3]]
        page = sign_in(browser, departure, admin.email)
        act_on(page, chosen[:3], "Take them back", until="2024-08-29")

        assert warned == {first.email, second.email}
        assert freed == len(third.pools)
        assert gone == [False] * 3
        assert [creates(departure, each) for each in chosen[:3]] == [True] * 3


def act_on(page, people, button, *, until=""):
    """Do one thing to people on the page of them all, and wait for its word."""
    page.get_by_role("link", name="People", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("People")
    for each in people:
        page.get_by_role("checkbox", name=each.email).check()
    page.get_by_label("The last day").fill(until)
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("status")).to_contain_text("It is done")


def seats_taken(departure, organization):
    return sum(each.taken for each in seats_of(departure.context, organization))


def creates(departure, member):
    asked = (departure.context.store, member.organization, member.id, Capability.CREATE)
    return may(*asked, surface="app", product="notes", now=departure.now).is_allowed


def test_an_administrator_whom_nobody_lets_in_any_more_has_everything_made_and_taken_back(
    browser, tmp_path, request
):
    """B5, E1: led there by the case of somebody who misses the file, and by words alone."""
    with served(NOTES, tmp_path, request) as departure:
        admin = person(departure, is_admin=True)
        departure.run_until(SIGNED_OUT)
        page = sign_in(browser, departure, admin.email)
        page.get_by_role("link", name="Help").click()
        page.get_by_role("link", name="Look there").click()
        page.get_by_role("button", name="Make a copy of everything").click()
        expect(page.get_by_role("status")).to_contain_text("We make a copy of the data")
        expect(page.get_by_role("main")).to_contain_text("It is being made.")
        before = len(departure.mail)
        carry_once(departure.context)
        link = link_in(departure, after=before, path="links")
        page.goto(link)
        document = json.loads(downloaded(page, "Download the data").read_bytes())
        page.goto(f"{departure.context.public_address}/portal/organization")
        page.get_by_role("link", name="Download,").click()
        again = json.loads(downloaded(page, "Download the data").read_bytes())
        page.goto(f"{departure.context.public_address}/portal/organization")
        page.get_by_role("button", name="Delete the copy of").click()
        expect(page.get_by_role("status")).to_contain_text("leads nowhere any more")
        page.goto(link)

        expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work")
        people = departure.members(admin.organization)
        assert {str(row["id"]) for row in document["data"]["users"]} == {m.id for m in people}
        assert again == document
        assert not any((tmp_path / "offramp" / "vault" / "own").rglob("*.json"))


def test_whoever_is_signed_out_for_good_asks_for_their_content_and_gets_it_until_it_is_deleted(
    browser, tmp_path, request
):
    """B9: a request, a worker, a mail, a link, the JSON of that person alone; then nothing."""
    with served(NOTES, tmp_path, request) as departure:
        user = person(departure, is_admin=False)
        departure.run_until(SIGNED_OUT)
        page = sign_in(browser, departure, user.email)
        expect(page.get_by_role("main")).to_contain_text("Deactivated")

        page.get_by_role("button", name="Make a copy of my data").click()
        expect(page.get_by_role("status")).to_contain_text("We make a copy of the data")
        expect(page.get_by_role("button", name="Make a copy of my data")).to_have_count(0)
        before = len(departure.mail)
        carry_once(departure.context)
        link = link_in(departure, after=before, path="links")
        page.goto(link)
        document = json.loads(downloaded(page, "Download the data").read_bytes())
        page.goto(f"{departure.context.public_address}/portal")
        expect(page.get_by_role("main")).to_contain_text("Your copy is ready")
        waiting = departure.store_tables()["own_copy"]

        departure.run_until(GONE)
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work")
        page.goto(f"{departure.context.public_address}/portal")
        before = len(departure.mail)
        page.get_by_label("Your e-mail address").fill(user.email)
        page.get_by_role("button", name="Send me a link").click()
        expect(page.get_by_role("main")).to_contain_text("Once data is deleted for good")
        carry_once(departure.context)
        left = departure.store_tables()

        assert [str(row["id"]) for row in document["data"]["users"]] == [user.id]
        assert {str(row["owner_id"]) for row in document["data"]["notes"]} == {user.id}
        assert [each["downloads"] for each in waiting] == [1]
        assert departure.mail[before:] == []
        assert {name: left[name] for name in OWN_TABLES} == {name: [] for name in OWN_TABLES}
        assert not any((tmp_path / "offramp" / "vault" / "own").rglob("*.json"))
