"""Acts on many and the publishing of a policy, as a browser carries them out from page to page."""

import re

from playwright.sync_api import expect

from offramp.core.operator import OperatorRole
from offramp.engine.bulk_work import carry_out_acts
from offramp.engine.operators import add_operator
from tests.integration.test_console_in_browser import (
    LIST,
    PHONE_WIDTH,
    office,
    pytestmark,
    signed_in,
    url,
    violations,
    visit,
)
from tests.unit.web.office import PASSWORD
from tests.unit.web.test_console_publishing import SECOND

__all__ = ["office", "pytestmark", "signed_in", "url", "visit"]
DESK = {"width": 1200, "height": 860}


def look_over(page):
    """Let axe look at a page in the light, in the dark, and on a phone, where all of it fits."""
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.set_viewport_size({"width": PHONE_WIDTH, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
    assert violations(page) == []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)


def heading(page):
    return page.get_by_role("heading", level=1)


def choose(page, *names):
    for name in names:
        page.get_by_label(f"Choose {name}").check()
    page.locator("summary", has_text="Do something to many").click()


def test_many_are_held_at_once_and_released_by_two_people(visit, office):
    page = visit(LIST, viewport=DESK)
    choose(page, "acme Ltd", "Beta & Töchter")
    page.get_by_label("Why").fill("the merger")
    page.get_by_role("button", name="Look at those that are ticked").click()
    expect(heading(page)).to_have_text("Hold: 2 organizations")
    look_over(page)
    page.get_by_role("button", name="Hold 2").click()
    expect(page.get_by_role("status")).to_contain_text("Begun")
    expect(page.locator("#progress td .badge")).to_have_text(["done", "done"])

    page.goto(LIST)
    choose(page)
    page.locator("select[name=act]").select_option("release")
    page.get_by_label("Why").fill("settled")
    page.get_by_label("the reason of the holds").fill("the merger")
    page.get_by_role("button", name="Look at all that are found").click()
    expect(page.locator("section", has_text="Who is left out")).to_be_visible()
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("You asked for it")).to_be_visible()
    look_over(page)

    invited = add_operator(
        office.context, name="Anna", address="anna@v.example", role=OperatorRole.APPROVER
    )
    theirs = visit(f"/{invited.path}", storage_state=None)
    theirs.get_by_label("Choose a password").fill(PASSWORD)
    theirs.get_by_role("button", name="Sign in").click()
    theirs.get_by_role("link", name="Look at what would be done").click()
    theirs.get_by_label("to have this done").fill("2")
    theirs.get_by_role("button", name="Approve").click()
    expect(theirs.get_by_text("2 to go")).to_be_visible()
    carry_out_acts(office.context)
    expect(theirs.locator("#progress td .badge")).to_have_text(["done", "done"])  # by itself
    theirs.goto("/console/many")
    expect(theirs.get_by_role("link", name=re.compile("Hold: 2 organizations"))).to_be_visible()
    look_over(theirs)


def test_what_is_wrong_with_a_policy_is_shown_beside_its_text(browser, url, signed_in):
    """Not by ``visit``: a browser complains of every page that says no."""
    with browser.new_context(base_url=url, storage_state=signed_in, viewport=DESK) as context:
        page = context.new_page()
        page.goto("/console/publish")
        page.get_by_label("The policy in YAML").fill(SECOND.replace("version: 2", "versoin: 2"))
        page.locator("section", has_text="As a text").get_by_role("button").click()
        expect(page.get_by_role("alert")).to_contain_text("versoin")
        look_over(page)


def test_a_policy_is_looked_at_and_published(visit):
    page = visit("/console/policies", viewport=DESK)
    page.get_by_role("link", name="Publish a policy").click()
    page.get_by_label("The policy in YAML").fill(SECOND)
    page.locator("section", has_text="As a text").get_by_role("button").click()
    image = page.get_by_role("img", name="The stages in order")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 800
    look_over(page)
    page.get_by_label("Why").fill("a longer grace")
    page.get_by_role("button", name="Publish version 2").click()

    expect(page.get_by_role("status")).to_contain_text("Published")
    expect(page.get_by_role("row", name="a longer grace")).to_be_visible()
    look_over(page)
