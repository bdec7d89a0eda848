"""A4, A9, A12, B4, B5, B11: operators who read nothing but the screen, on both databases."""

import re
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from offramp.core.model import Role
from offramp.core.operator import OperatorRole
from offramp.core.policy import Capability
from offramp.core.transitions import OffboardingStatus
from offramp.data.handover.export import digest
from offramp.data.scope import Scope
from offramp.engine.access import may
from offramp.engine.operators import add_operator
from offramp.testing.passwords import PlainPasswords
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.acceptance.departure import ENDS, NOTES, TRAINING, depart
from tests.unit.web.office import PASSWORD, listening

pytestmark = pytest.mark.browser

KIND = "sqlite"  # the portal is looked at on the other kind
ADDRESS = "olga@vendor.example"
GRACE, SIGNED_OUT = "2024-10-15T12:00:00Z", "2024-12-15T12:00:00Z"
FAREWELL, HANDED_OVER, GONE = "2024-08-31T12:00:00Z", "2024-09-23T12:00:00Z", "2024-10-15T12:00:00Z"


@contextmanager
def office(application, folder, request, browser):
    """Give a departure, and the page of an admin of its vendor who has just come in."""
    with depart(application, KIND, folder, request) as departure:
        context = departure.context
        app = create_app(context, access_keys=AccessKeys(), passwords=PlainPasswords())
        invited = add_operator(context, name="Olga", address=ADDRESS, role=OperatorRole.ADMIN)
        with listening(app) as url:
            page = browser.new_page(base_url=url)
            page.goto(f"/{invited.path}")
            page.get_by_label("Choose a password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", name="Today")).to_be_visible()
            yield departure, page
            page.close()


def leaver(departure):
    """Give the organization that leaves as a whole, and its members."""
    with departure.context.store.transaction() as transaction:
        (row, *_) = [
            row
            for row in transaction.offboardings()
            if row.subject.member is None and row.ends == ENDS
        ]
        organization = row.subject.organization
        return transaction.organization(organization), transaction.members(organization)


def go(page, name):
    """Go to one of the console's pages; whoever was away for long signs in again."""
    page.goto("/console")
    if "sign-in" in page.url:
        page.get_by_label("E-mail").fill(ADDRESS)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Console").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def open_organization(page, organization):
    go(page, "Organizations")
    with page.expect_response("**/console/organizations"):  # what was found before is replaced
        page.get_by_label("Name, id, or the address").fill(organization.name)
    page.locator("#found").get_by_role("link", name=organization.name).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(organization.name)


def act(page, title, fields=None, *, button=None):
    """Open one act on the page of an organization, fill it in, and send it."""
    box = page.locator("details.act").filter(has_text=re.compile(rf"^\s*{title}\b"))
    box.locator("summary").click()
    for label, value in (fields or {}).items():
        box.get_by_label(label).fill(value)
    box.get_by_role("button", name=button or title, exact=True).click()
    page.wait_for_url(re.compile(r"/console/(cases/|.*\?done=)"))


def creates(departure, member):
    asked = (departure.context.store, member.organization, member.id, Capability.CREATE)
    return may(*asked, surface="app", product="notes", now=departure.now).is_allowed


def seats_taken(page):
    """Read on the page of an organization how many seats are taken, of all its pools."""
    taken = page.locator("td[data-label=Seats]").all_inner_texts()
    return sum(int(text.partition(" of ")[0]) for text in taken if " of " in text)


def test_lost_mail_is_seen_and_sent_again_and_what_was_deleted_is_read_in_again(
    browser, tmp_path, request
):
    """A4, A12: a refused farewell is mended from its case. A9: the file is enough to resume."""
    with office(TRAINING, tmp_path, request, browser) as (departure, page):
        organization, members = leaver(departure)
        (reader, *_) = [m for m in members if Role.ADMIN not in m.roles and m.ends is None]
        departure.catcher.refuse(reader.email, 550)
        departure.run_until(FAREWELL)
        departure.catcher.accept(reader.email)
        open_organization(page, organization)
        expect(page.get_by_role("main")).to_contain_text("550")

        fields = {"For which member": reader.id, "What they say": "I never got my certificates."}
        act(page, "Open a case", fields, button="Open the case")
        before = len(departure.mail)
        expect(page.get_by_role("main")).to_contain_text("550")
        page.get_by_role("button", name=re.compile("achievements again")).click()
        expect(page.get_by_role("status")).to_contain_text("set going")
        departure.run_until("2024-08-31T13:00:00Z")
        sent = [to for _, to, _ in departure.mail[before:]]

        departure.run_until(HANDED_OVER)
        (document,) = {
            part.get_content()
            for _, _, message in departure.mail
            for part in message.iter_attachments()
            if part.get_filename() == "data.json"
        }
        data, scope = departure.context.data, Scope(organization=organization.id)
        told = digest(data.datamap, data.sources, scope)
        departure.run_until(GONE)
        emptied = departure.belongings(organization.id)
        go(page, "Data map")
        page.get_by_role("link", name="Read data in again").click()
        file = {"name": "data.json", "mimeType": "application/json", "buffer": document}
        for button, said in (("Try it", "this was a trial"), ("Read it in", "Read in")):
            page.get_by_label("The JSON file").set_input_files(file)
            page.get_by_label("The organization’s id").fill(organization.id)
            page.get_by_role("button", name=button).click()
            expect(page.get_by_role("status")).to_contain_text(said)

        assert sent == [reader.email]
        assert "users" not in emptied
        assert digest(data.datamap, data.sources, scope) == told


@pytest.mark.parametrize("stage", [GRACE, SIGNED_OUT])
def test_an_organization_is_brought_back_from_its_page_with_all_that_it_has(
    browser, stage, tmp_path, request
):
    """B4 while it is expired, B5 while it is deactivated."""
    with office(NOTES, tmp_path, request, browser) as (departure, page):
        organization, members = leaver(departure)
        user = next(m for m in members if m.ends is None and m.pools)
        departure.run_until(stage)
        before, could = departure.belongings(organization.id), creates(departure, user)
        open_organization(page, organization)

        act(page, "Reactivate", {"The last day": "2026-08-30"})
        expect(page.get_by_role("status")).to_contain_text("Reactivated")
        departure.run_until("2025-01-15T12:00:00Z")

        assert not could
        assert creates(departure, user)
        assert departure.belongings(organization.id) == before
        with departure.context.store.transaction() as transaction:
            rows = transaction.offboardings(organization.id)
        whole = {row.status for row in rows if row.subject.member is None and row.ends == ENDS}
        assert whole == {OffboardingStatus.CANCELED}


def test_one_person_gets_an_end_is_expired_and_taken_back(browser, tmp_path, request):
    """B11: told in the last days, no seat once expired, everything back afterwards."""
    with office(NOTES, tmp_path, request, browser) as (departure, page):
        organization, members = leaver(departure)
        staying = [m for m in members if Role.ADMIN not in m.roles and m.ends is None and m.pools]
        first, second, third = staying[:3]
        open_organization(page, organization)
        seats = seats_taken(page)
        member = {"Which member, by their id": first.id}
        fields = {**member, "The last day": "2024-08-20"}
        act(page, "Give a member an end", fields, button="Set the end")
        act(page, "Expire a member", {"Which member, by their id": second.id}, button="Expire")
        freed, at_once = seats_taken(page), creates(departure, second)
        departure.run_until("2024-08-14T12:00:00Z")
        warned = {to for _, to, _ in departure.mail}
        departure.run_until("2024-08-21T12:00:00Z")
        open_organization(page, organization)
        left, could = seats_taken(page), [creates(departure, each) for each in staying[:3]]
        act(page, "Take a member back", {**member, "Until": "2024-08-29"}, button="Take back")

        assert {first.email, third.email} & warned == {first.email}
        assert not at_once
        assert could == [False, False, True]
        assert (freed, seats_taken(page)) == (seats - 1, left + 1)
        assert creates(departure, first)
