"""<offramp-banner> in a browser, on a page with a strict policy and a clock of its own."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from whenever import Instant

from offramp.core.model import Role, SubjectKind
from offramp.web.element import element_script
from tests.integration.banner_product import (
    COMPOSER,
    DAY,
    FROM_SRC,
    HOUR,
    MINUTE,
    NOW,
    PHONE_WIDTH,
    PRODUCT,
    Product,
    altered,
    answer,
    inside,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def product(browser):
    """Give a product whose browser has a clock of its own."""
    page = browser.new_page()
    page.clock.install(time=NOW.to_stdlib())
    yield Product(page)
    page.close()


@pytest.fixture(params=["src", "inside"])
def opened(request, product):
    """Open the page with an answer that comes in either way."""

    def open_with(given):
        element = FROM_SRC if request.param == "src" else inside(given)
        return product.open(given, element=element)

    return open_with


def test_it_weighs_less_than_ten_kilobytes():
    assert len(element_script()) < 10_000


def test_it_says_all_that_it_was_given(opened):
    given = answer(roles=[Role.ADMIN], zone="Pacific/Auckland")

    product = opened(given)

    shown = product.region.inner_text()
    for part in ("stage_title", "heading", "text", "until", "advice", "note"):
        assert given["banner"][part] in shown
    links = product.page.get_by_role("link")
    assert [
        {"label": link.inner_text(), "href": link.get_attribute("href")} for link in links.all()
    ] == given["banner"]["links"]


def test_it_breaks_no_rule_of_a_strict_page_and_asks_nobody_else(opened):
    product = opened(answer())

    assert product.region.is_visible()
    assert product.violations() == []
    expected = {f"{PRODUCT}/{path}" for path in ("", "offramp-banner.js", "banner", "settled")}
    assert set(product.asked) <= expected


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", COMPOSER.languages)
def test_axe_finds_nothing_in_any_language(browser, scheme, locale):
    page = browser.new_page(color_scheme=scheme)
    page.clock.install(time=NOW.to_stdlib())
    product = Product(page)
    readers = (
        {"roles": [Role.ADMIN]},
        {"roles": [Role.MEMBER]},
        {"kind": SubjectKind.MEMBER, "zone": "Pacific/Auckland"},
    )
    found = {}

    for number, reader in enumerate(readers):
        product.open(answer(locale=locale, **reader))
        assert product.region.is_visible()
        page.evaluate("delete globalThis.trustedTypes")
        found |= {(number, v["id"]): v for v in Axe().run(page).response["violations"]}

    page.close()
    assert found == {}


def test_axe_would_find_what_is_wrong(product):
    product.open(altered(links=[{"label": " ", "href": "https://vendor.example/"}]))
    product.page.evaluate(
        "document.querySelector('offramp-banner').style.setProperty('--offramp-color', '#fe9')"
    )

    found = {each["id"] for each in Axe().run(product.page).response["violations"]}

    assert found == {"color-contrast"}


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("locale", COMPOSER.languages)
def test_nothing_is_cut_off_on_a_phone(browser, locale, direction):
    page = browser.new_page(viewport={"width": PHONE_WIDTH, "height": 600})
    given = answer(locale=locale, zone="Pacific/Auckland")
    given["banner"] |= {"direction": direction, "heading": "Elektrizitätenbetriebswerk" * 4}

    Product(page).open(given)

    width = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert width == PHONE_WIDTH


def test_it_stands_on_the_side_on_which_lines_begin(product):
    sides = "(s) => [getComputedStyle(s).borderLeftWidth, getComputedStyle(s).borderRightWidth]"

    widths = {}
    for direction in ("ltr", "rtl"):
        widths[direction] = product.open(altered(direction=direction)).region.evaluate(sides)

    assert widths == {"ltr": ["5px", "1px"], "rtl": ["1px", "5px"]}


# --- nobody who answers can do harm -------------------------------------------------------------

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
NOTHING = [
    None,
    [],
    "text",
    7,
    {},
    {"banner": None},
    {"banner": []},
    {"banner": "x"},
    {"banner": {}},
    {"banner": {"heading": ""}},
    {"banner": {"heading": {"toString": "x"}}},
]


@pytest.mark.parametrize("given", NOTHING, ids=json.dumps)
def test_where_there_is_nothing_to_show_nothing_is_shown(opened, given):
    product = opened(given)

    assert product.place.evaluate("(place) => place.childNodes.length") == 0
    assert product.page.locator("offramp-banner").bounding_box()["height"] == 0
    assert product.violations() == []


def test_no_content_shows_nothing(product):
    product.open(status=204)

    assert not product.region.is_visible()


def test_text_stays_text(opened):
    parts = ("stage_title", "heading", "text", "until", "advice", "note", "language", "stage")

    product = opened(altered(**dict.fromkeys(parts, EVIL)))

    assert product.region.locator("img, script").count() == 0
    assert product.region.inner_text().count(EVIL) == len(parts) - 2
    assert product.violations() == []


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://product.example/1",
        "/relative",
        "//",
        "",
        None,
        7,
        {"href": "https://vendor.example"},
    ],
    ids=repr,
)
def test_only_addresses_of_the_web_and_of_mail_can_be_clicked(opened, href):
    good = {"label": "Good", "href": "mailto:help@vendor.example"}

    product = opened(altered(links=[{"label": "Evil", "href": href}, None, 3, good]))

    assert product.page.get_by_role("link").all_inner_texts() == ["Good"]
    assert product.violations() == []


@pytest.mark.parametrize(
    "parts",
    [
        {"links": {"length": 3}},
        {"links": [{"label": {}, "href": "https://vendor.example/"}]},
        {"links": [{"label": "x", "href": "https://vendor.example/"}] * 5000},
        {"text": "x" * 1_000_000},
        {"text": 5, "until": [], "advice": {"a": 1}, "note": True},
        {"direction": "up", "language": 7, "ends_at": "soon"},
        {"__proto__": {"heading": "x"}, "constructor": 1},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_parts_of_another_kind_or_size_break_nothing(opened, parts):
    product = opened(altered(**parts))

    assert product.region.is_visible()
    assert product.page.get_by_role("link").count() <= 10
    assert len(product.region.inner_text()) < 10_000
    assert product.violations() == []


@pytest.mark.parametrize("src", ["https://elsewhere.example/banner", "//elsewhere.example/b", "::"])
def test_no_other_site_is_asked(product, src):
    product.open(answer(), element=f'<offramp-banner src="{src}"></offramp-banner>')

    assert not any("elsewhere" in url for url in product.asked)
    assert product.errors == []
    assert not product.region.is_visible()


# --- for as long as the stage lasts -------------------------------------------------------------


def test_it_comes_at_the_first_instant_of_expired_on_a_page_that_stayed_open(product):
    """B7: a page that was opened in the evening knows of it at midnight."""
    product.now = Instant.from_utc(2024, 8, 30, 22, 30)
    product.page.clock.set_system_time(product.now.to_stdlib())
    product.open(answer(product.now), now=product.now)
    before = product.region.is_visible()

    product.body = answer(Instant.from_utc(2024, 8, 30, 23))
    product.wait(30 * MINUTE - 1)
    assert not product.region.is_visible()
    product.wait(15)

    assert not before
    assert "90 more days" in product.region.inner_text()


def test_it_counts_down_and_is_read_out_once(product):
    product.open(answer())
    first = product.place.get_attribute("aria-live")

    product.body = answer(NOW.add(hours=13))
    product.wait(12 * HOUR + 15)

    assert "8 more days" in product.region.inner_text()
    assert (first, product.place.get_attribute("aria-live")) == ("polite", "off")


def test_another_stage_is_read_out_again(product):
    product.open(answer())

    product.body = altered(stage="deactivated", heading="Access has ended")
    product.wait(HOUR + 15)

    assert product.place.get_attribute("aria-live") == "polite"


def test_it_goes_with_the_stage(product):
    end = Instant.from_utc(2024, 11, 29)
    product.open(answer(end.subtract(minutes=10)), now=end.subtract(minutes=10))

    product.body = answer(end)
    product.wait(10 * MINUTE + 15)

    assert not product.region.is_visible()


def test_it_goes_soon_after_a_renewal(product):
    product.open(answer())

    product.body = {"banner": None, "changes_at": None}
    product.wait(MINUTE + 1)
    product.come_back()

    assert not product.region.is_visible()


def test_whoever_comes_back_within_a_minute_asks_nobody(product):
    product.open(answer())

    product.wait(MINUTE - 1)
    product.come_back()

    assert product.questions == 1


def test_the_same_answer_changes_nothing_on_the_page(product):
    product.open(answer())
    product.region.evaluate("(section) => { section.dataset.seen = 'yes' }")

    product.wait(HOUR + 15)

    assert product.questions == 2
    assert product.region.get_attribute("data-seen") == "yes"


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_while_the_route_fails_the_banner_stays(product, status):
    product.open(answer())

    product.status = status
    product.wait(3 * HOUR)

    assert product.region.is_visible()
    assert product.errors == []


def test_a_banner_whose_stage_is_over_does_not_outstay_it_when_nobody_answers(product):
    now = Instant.from_utc(2024, 11, 28, 23, 30)
    product.page.clock.set_system_time(now.to_stdlib())
    product.open(answer(now), now=now)

    product.status = 503
    product.wait(45 * MINUTE)

    assert not product.region.is_visible()


def test_a_route_that_fails_is_asked_gently_and_shows_when_it_is_back(product):
    product.open(answer(), status=503)

    product.wait(DAY)
    asked = product.questions
    product.status = 200
    product.wait(HOUR + 15)

    assert 24 <= asked <= 40
    assert product.region.is_visible()


def test_a_clock_that_is_wrong_by_days_neither_hides_it_nor_asks_without_end(product):
    product.page.clock.set_system_time(NOW.add(hours=24 * 400).to_stdlib())

    product.open(answer())
    product.wait(6 * HOUR)

    assert product.region.is_visible()
    assert product.questions <= 8


def test_what_the_page_has_brought_along_goes_when_its_stage_is_over(product):
    product.open(element=inside(answer()))

    product.wait(8 * DAY, step=DAY)
    shown = product.region.is_visible()
    product.wait(DAY)

    assert shown
    assert not product.region.is_visible()
    assert product.questions == 0


def test_what_the_page_has_brought_along_is_shown_until_the_route_answers(product):
    both = inside(answer()).replace("<offramp-banner>", '<offramp-banner src="/banner">')

    product.open(answer(locale="de"), element=both)

    assert "Der volle Zugang" in product.region.inner_text()
    assert product.questions == 1


def test_another_address_is_asked_at_once_and_the_old_banner_is_gone(product):
    product.open(answer())

    product.status = 503
    product.page.evaluate("document.querySelector('offramp-banner').setAttribute('src', '/banner')")
    same = product.questions
    product.page.evaluate(
        "document.querySelector('offramp-banner').setAttribute('src', '/banner?')"
    )
    product.settle()

    assert same == 1
    assert not product.region.is_visible()


def test_an_element_that_was_taken_out_of_the_page_asks_no_more(product):
    product.open(answer())

    product.page.evaluate("document.querySelector('offramp-banner').remove()")
    product.wait(DAY)

    assert product.questions == 1


# --- for everybody who looks at it --------------------------------------------------------------


def test_it_is_a_region_with_a_name_and_nobody_can_close_it(product):
    product.open(answer())

    region = product.page.get_by_role("region", name="Full access has ended")

    assert region.get_attribute("lang") == "en"
    assert product.region.locator("button, input, [tabindex]").count() == 0
    product.page.keyboard.press("Escape")
    assert region.is_visible()


def test_each_link_can_be_reached_by_keyboard_and_seen_to_be(product):
    given = answer()
    product.open(given)
    seen = []

    for _ in given["banner"]["links"]:
        product.page.keyboard.press("Tab")
        seen.append(
            product.page.evaluate(
                "(({ activeElement: host }) => { const a = host.shadowRoot.activeElement;"
                " return [a.textContent, getComputedStyle(a).outlineWidth] })(document)"
            )
        )

    assert seen == [[link["label"], "3px"] for link in given["banner"]["links"]]


def test_nothing_moves(product):
    product.open(answer())

    assert product.page.evaluate("document.getAnimations().length") == 0
    assert "transition" not in element_script().decode()


def test_a_vendor_gives_it_other_colors_and_another_shape(product):
    product.open(answer())
    style = """
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(`
          offramp-banner { --offramp-background: rgb(1, 2, 3); --offramp-radius: 0px; }
          offramp-banner::part(heading) { text-transform: uppercase; }
        `);
        document.adoptedStyleSheets = [sheet];
    """

    product.page.evaluate(f"() => {{ {style} }}")

    look = product.region.evaluate(
        "(s) => [getComputedStyle(s).backgroundColor, getComputedStyle(s).borderRadius,"
        " getComputedStyle(s.querySelector('.heading')).textTransform]"
    )
    assert look == ["rgb(1, 2, 3)", "0px", "uppercase"]
    assert product.violations() == []


def test_a_page_that_is_always_light_has_a_light_banner_in_the_dark(browser):
    page = browser.new_page(color_scheme="dark")
    product = Product(page).open(answer())
    look = "(s) => getComputedStyle(s).backgroundColor"
    dark = product.region.evaluate(look)

    page.evaluate("document.querySelector('meta[name=color-scheme]').remove()")

    light = product.region.evaluate(look)
    page.close()
    assert (dark, light) == ("rgb(39, 33, 23)", "rgb(255, 249, 236)")


def test_the_script_may_be_loaded_twice(product):
    product.open(answer())

    product.page.evaluate("import('/offramp-banner.js?again')")
    product.settle()

    assert product.region.count() == 1
    assert product.errors == []
