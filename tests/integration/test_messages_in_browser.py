"""Messages as a browser shows them: nothing for axe to find, nothing fetched, nothing cut off."""

from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.brand import Brand
from offramp.cli.message import ENDS_ON
from offramp.core.model import Organization
from offramp.documents.policy import PRESETS, find_policy
from offramp.engine.specimen import ZONE, specimens, write_specimen
from offramp.ports import Attachment

pytestmark = pytest.mark.browser

COMPOSER = JinjaComposer(brand=Brand(name="Trellis", color="#1f6f4a", support="help@example.com"))
SPECIMENS = [each for name in PRESETS for each in specimens(find_policy(name), ends=ENDS_ON)]
PHONE_WIDTH = 320  # WCAG 2.2, success criterion 1.4.10: nothing is scrolled in two directions
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
# A mail is an article in the page of a mail program, and that page has the landmarks.
NO_PAGE = {"rules": {"landmark-one-main": {"enabled": False}, "region": {"enabled": False}}}


def html_of(specimen, language):
    """Write one message."""
    return write_specimen(COMPOSER, specimen, language=language).html


def violations(page):
    """List what axe has to say against what a page shows."""
    return Axe().run(page, options=NO_PAGE).response["violations"]


@pytest.mark.parametrize("language", COMPOSER.languages)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_message(browser, language, scheme):
    page = browser.new_page(color_scheme=scheme)
    found = {}

    for specimen in SPECIMENS:
        page.set_content(html_of(specimen, language))
        found |= {(specimen.name, each["id"]): each for each in violations(page)}

    page.close()
    assert found == {}


def test_axe_would_find_what_is_wrong(browser):
    page = browser.new_page()
    html = html_of(SPECIMENS[0], "en").replace("color:#303a46", "color:#bbbbbb")

    page.set_content(html)

    names = {each["id"] for each in violations(page)}
    page.close()
    assert names == {"color-contrast"}


@pytest.mark.parametrize("language", COMPOSER.languages)
def test_nothing_is_cut_off_on_a_phone(browser, language):
    page = browser.new_page(viewport={"width": PHONE_WIDTH, "height": 600})
    widths = {}

    for specimen in SPECIMENS:
        page.set_content(html_of(specimen, language))
        widths[specimen.name] = page.evaluate("document.documentElement.scrollWidth")

    page.close()
    assert {name: width for name, width in widths.items() if width > PHONE_WIDTH} == {}


def test_nothing_that_a_customer_typed_breaks_the_page_on_a_phone(browser):
    page = browser.new_page(viewport={"width": PHONE_WIDTH, "height": 600})
    [specimen] = [each for each in SPECIMENS if each.name == "company-data"]
    file = Attachment(name=f"{LONG}.json", media_type="application/json", content=b"{}")

    message = COMPOSER.compose(
        replace(specimen.facts, product=LONG),
        message_id="1",
        member=replace(specimen.reader, name=LONG),
        organization=Organization(id="a", name=LONG, zone=ZONE, locale="en", policy="p"),
        attachments=(file,),
    )

    page.set_content(message.html)
    width = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert width == PHONE_WIDTH


def test_nothing_is_asked_of_any_server(browser):
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    for specimen in SPECIMENS:
        page.set_content(html_of(specimen, "en"))
        page.wait_for_load_state("networkidle")

    page.close()
    assert asked == []
