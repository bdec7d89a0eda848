"""The console as a browser shows it: nothing for axe to find, nothing it must stop, by keyboard."""

import re
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from whenever import Date, Instant

from offramp.core.operator import OperatorRole
from offramp.engine.brake import place_hold
from offramp.engine.offboarding import register
from offramp.engine.operators import add_operator
from tests.simulation import shop
from tests.unit.web.office import PASSWORD, filled_office, listening

pytestmark = pytest.mark.browser

PHONE_WIDTH = 320  # WCAG 2.2, success criterion 1.4.10
LIST = "/console/organizations"
PAGES = [
    *("/console", "/console/account", "/console/cases", "/console/cases?closed=true"),
    *(LIST, f"{LIST}/acme", f"{LIST}/beta", f"{LIST}/gamma"),
    *(
        "/console/policies",
        "/console/policies/license-pool",
        "/console/data-map",
        "/console/health",
        "/console/restore",
    ),
    f"{LIST}/acme/what-if?until=2024-08-30&days=20",
]
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture(scope="module")
def office():
    """Give an office with somebody who is held, somebody who stays, and something that fails."""
    office = filled_office("acme", "beta", "gamma", public_address=None)
    tokyo = replace(shop.organization("beta", zone="Asia/Tokyo"), name="Beta & Töchter")
    endless = shop.pool("gamma", ends=None)
    long = replace(shop.organization("gamma"), name=LONG)
    register(office.context, organizations=[tokyo, long], pools=[endless])
    register(office.context, pools=[shop.pool("beta", ends=Date(2024, 8, 2))])
    place_hold(office.context, "beta", owner="Olga of legal", reason="dispute 4711")
    office.world.run_until(Instant.from_utc(2024, 9, 20, 8))
    return office


@pytest.fixture(scope="module")
def url(office):
    """Serve the office on a port."""
    with listening(office.app) as address:
        yield address


@pytest.fixture(scope="module")
def signed_in(browser, office, url):
    """Come in by a link as an admin, and give what the browser keeps."""
    invited = add_operator(
        office.context, name="Olga Öz", address="olga@vendor.example", role=OperatorRole.ADMIN
    )
    with browser.new_context(timezone_id="Europe/Dublin") as context:
        page = context.new_page()
        page.goto(f"{url}/{invited.path}")
        page.get_by_label("Choose a password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Today")).to_be_visible()
        return context.storage_state()


@pytest.fixture
def visit(browser, url, signed_in):
    """Open a page; what the browser complains of or asks of others is found at the end."""
    contexts, troubles = [], []

    def opened(path, **options):
        options = {"storage_state": signed_in, **options}
        contexts.append(browser.new_context(base_url=url, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("request", lambda asked: asked.url.startswith(url) or troubles.append(asked.url))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def violations(page):
    return [(found["id"], found["nodes"]) for found in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_whatever_is_open(visit, path, scheme):
    page = visit(path, color_scheme=scheme)
    for closed in page.locator("summary").all():
        closed.click()

    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_one_signs_in(visit, office, scheme):
    invited = add_operator(
        office.context, name=scheme, address=f"{scheme}@v.example", role=OperatorRole.VIEWER
    )
    for path in ("/console/sign-in", f"/{invited.path}"):
        assert violations(visit(path, color_scheme=scheme, storage_state=None)) == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_cut_off_on_a_phone(visit, path):
    page = visit(path, viewport={"width": PHONE_WIDTH, "height": 640})
    for closed in page.locator("summary").all():
        closed.click()

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH
    assert violations(page) == []


def test_a_newcomer_reads_times_where_their_browser_is(visit):
    expect(visit("/console").get_by_role("main")).to_contain_text("in Dublin; midnight is")


def test_an_organization_is_found_while_its_name_is_written_and_opened_by_keyboard(visit):
    page = visit(LIST)
    expect(page.locator("#found a.who")).to_have_count(3)

    page.keyboard.press("/")
    page.keyboard.type("bet")
    expect(page.locator("#found a.who")).to_have_count(1)
    address = page.url
    page.get_by_role("link", name="Beta & Töchter").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Beta & Töchter")
    assert "bet" not in address


def test_the_drawing_is_shown_with_its_colors_and_described(visit):
    page = visit(f"{LIST}/acme")
    image = page.get_by_role("img", name="Now in Access ended")

    expect(image).to_be_visible()
    assert image.evaluate("image => image.complete && image.naturalWidth") > 800


def test_a_hold_is_placed_and_released_by_keyboard_and_typing(visit):
    page = visit(f"{LIST}/acme")
    page.locator("summary", has_text="Hold").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("audit of 2024")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Held: nothing of it is deleted")

    page.locator("summary", has_text="Release “audit of 2024”").click()
    opened = page.locator("details[open]")
    opened.get_by_label("to confirm").fill("acme")
    opened.get_by_role("button", name="Release").click()

    expect(page.get_by_role("status")).to_contain_text("Released")


def test_dates_move_with_the_slider_while_it_is_moved_by_keyboard(visit):
    page = visit(f"{LIST}/acme/what-if")
    page.get_by_label("moved on by days").focus()
    page.keyboard.press("ArrowRight")

    expect(page.get_by_role("heading", name="It would end Sat 31 Aug 2024")).to_be_visible()


def test_everything_works_without_scripts(visit):
    page = visit(LIST, java_script_enabled=False)
    page.get_by_role("searchbox").fill("acme")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="acme Ltd").click()
    page.locator("summary", has_text="Unlock").click()
    page.get_by_label("Why").locator("visible=true").fill("last look")
    page.get_by_role("button", name="Unlock").click()

    expect(page.get_by_role("status")).to_contain_text("Unlocked")


def test_whoever_signs_out_is_asked_to_sign_in(visit, office):
    path = add_operator(
        office.context, name="Sam", address="sam@v.example", role=OperatorRole.VIEWER
    ).path
    page = visit(f"/{path}", storage_state=None)
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Sign in")  # a step back before that would stop it on its way
    page.go_back()

    expect(heading).to_have_text("Sign in")
    expect(page).to_have_url(re.compile(r"/console/sign-in\?to=%2Fconsole$"))
