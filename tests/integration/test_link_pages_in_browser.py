"""The pages for people as a browser shows them: nothing for axe to find, nothing it must stop."""

from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from whenever import Date

from offramp.adapters.message.brand import Brand
from offramp.adapters.message.page import LinkPages
from offramp.core.link import Download

pytestmark = pytest.mark.browser

ADDRESS = "https://leaving.vendor.example/links/secret"
PAGES = LinkPages(Brand(name="Trellis", color="#1f6f4a", support="help@example.com"))
POLICY = f"{PAGES.sources}; base-uri 'none'; form-action 'none'"
LANGUAGES = ("en", "de", "fr", "es", "pl")
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
PHONE_WIDTH = 320  # WCAG 2.2, success criterion 1.4.10
FILE = Download(
    address="secret/data.json", name="data.json", size_bytes=41_300_000, until_on=Date(2024, 9, 28)
)


def leading(language, organization="Acme & Sons"):
    return PAGES.leading(
        FILE,
        locale=language,
        organization=organization,
        is_one_member=False,
        is_own=False,
        zone="Pacific/Auckland",
        support=None,
    )


def dead(language):
    return PAGES.dead(wanted=language)


def asking(language):
    return PAGES.unsubscribing(wanted=language)


def unsubscribed(language):
    return PAGES.unsubscribing(wanted=language, wish="none")


def subscribed(language):
    return PAGES.unsubscribing(wanted=language, wish="again")


def wanting_again(language):
    return PAGES.asking_again(wanted=language, is_done=False)


def asked_again(language):
    return PAGES.asking_again(wanted=language, is_done=True)


def show(browser, html, **options):
    """Open a page under its policy; give it, and what the browser complained of or fetched."""
    page = browser.new_page(**options)
    troubles = []

    def answer(route):
        if route.request.url == ADDRESS:
            headers = {"Content-Security-Policy": POLICY, "Content-Type": "text/html"}
            route.fulfill(body=html, headers=headers)
        else:
            troubles.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    page.on("console", lambda message: troubles.append(message.text))
    page.goto(ADDRESS)
    return page, troubles


@pytest.mark.parametrize(
    "write", [leading, dead, asking, unsubscribed, subscribed, wanting_again, asked_again]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_and_the_browser_has_nothing_to_stop(browser, language, scheme, write):
    page, troubles = show(browser, write(language), color_scheme=scheme)

    color = page.evaluate("getComputedStyle(document.querySelector('main')).borderTopWidth")
    found = Axe().run(page).response["violations"]
    page.close()

    assert color == "6px"  # the style was taken
    assert found == []
    assert troubles == []


def test_a_style_that_is_not_ours_is_not_taken(browser):
    html = leading("en").replace("border-radius: 14px", "border-radius: 15px")

    page, troubles = show(browser, html)

    page.close()
    assert "style-src" in troubles[0]


@pytest.mark.parametrize(
    "write", [partial(leading, organization=LONG), dead, asking, wanting_again]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_cut_off_on_a_phone(browser, language, write):
    page, _ = show(browser, write(language), viewport={"width": PHONE_WIDTH, "height": 600})

    width = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert width == PHONE_WIDTH


def test_the_field_for_an_address_is_found_by_its_label_and_takes_nothing_else(browser):
    page, _ = show(browser, wanting_again("de"))

    field = page.get_by_label("Ihre E-Mail-Adresse")
    field.fill("niemand")
    page.get_by_role("button").click()
    is_refused = field.evaluate("field => !field.validity.valid")
    address = page.url
    page.close()

    assert (is_refused, address) == (True, ADDRESS)
