"""The portal as a browser shows it: nothing for axe to find, nothing it must stop, by keyboard."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.docs.portal_pictures import complain, portal, sign_in

pytestmark = pytest.mark.browser

PHONE_WIDTH = 320  # WCAG 2.2, success criterion 1.4.10
USER, ADMIN, CALM = "user@birch.example", "admin@alder.example", "user@alder.example"
MANAGER = "admin@birch.example"
PAGES = [
    (None, "/portal/sign-in"),
    (None, "/portal/enter/unknown"),
    (USER, "/portal?done=asked"),
    (ADMIN, "/portal"),
    (ADMIN, "/portal/organization"),
    (MANAGER, "/portal/organization?done=revoked"),
    (ADMIN, "/portal/people"),
    (ADMIN, "/portal/help"),
    (CALM, "/portal/help"),
    (CALM, "/portal/cases/{case}"),
    (CALM, "/portal/cases/unknown"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with portal(tmp_path_factory.mktemp("portal")) as world:
        yield world


@pytest.fixture(scope="module")
def case(world):
    return complain(world)


@pytest.fixture(scope="module")
def kept(browser, world):
    """Sign everybody in once, and give what their browsers keep."""
    return {who: sign_in(browser, world, who) for who in (USER, ADMIN, CALM, MANAGER)}


@pytest.fixture
def visit(browser, world, kept, case):
    """Open a page; what the browser complains of or asks of others is found at the end."""
    contexts, troubles, url = [], [], world.context.public_address

    def opened(who, path, **options):
        options = {"storage_state": kept.get(who), **options}
        contexts.append(browser.new_context(base_url=url, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("request", lambda asked: asked.url.startswith(url) or troubles.append(asked.url))
        page.goto(path.format(case=case))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [each for each in troubles if "404 (Not Found)" not in each] == []


def violations(page):
    return [(found["id"], found["nodes"]) for found in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("who", "path"), PAGES)
def test_axe_finds_nothing_in_the_portal(visit, who, path, scheme):
    assert violations(visit(who, path, color_scheme=scheme)) == []


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_nothing_of_the_portal_is_cut_off_on_a_phone(visit, who, path):
    page = visit(who, path, viewport={"width": PHONE_WIDTH, "height": 640})

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE_WIDTH


def test_the_portal_is_used_by_keyboard_and_without_scripts(visit):
    page = visit(ADMIN, "/portal", java_script_enabled=False)
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Help")
