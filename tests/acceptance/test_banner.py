"""B7, B10: the product shows what is so, for the whole of Expired and not a second longer.

Everything is real but the time: the store, `offramp serve` over HTTP, a product made of the
snippets of docs/banner.md, and a browser.
"""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from whenever import Instant

from offramp.core.model import Role
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.api.serving import serving
from tests.acceptance.departure import NOTES, depart
from tests.acceptance.installation import ACCESS_KEY, Installation
from tests.browser import open_browser

pytestmark = pytest.mark.browser

PAGE = (Path(__file__).parents[2] / "docs" / "banner.md").read_text("utf-8")
[ROUTE] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ELEMENT = re.findall(r"```html\n(.*?)```", PAGE, re.DOTALL)[0]
[POLICY] = set(re.findall(r"`(default-src 'none'; [^`]*)`", PAGE))

BEFORE = "2024-08-30T22:59:59Z"
FIRST = "2024-08-30T23:00:00Z"  # midnight in Dublin
LAST_DAY = "2024-11-28T00:00:00Z"
LAST_SECOND = "2024-11-28T23:59:59Z"
AFTER = "2024-11-29T00:00:00Z"
TIMES = (BEFORE, FIRST, LAST_DAY, LAST_SECOND, AFTER)
EXPIRED = (FIRST, LAST_DAY, LAST_SECOND)
PEOPLE = ("admin", "user")
QUIET_MILLISECONDS = 300  # in which nothing has come


def make_product(script, signed_in):
    """Make the vendor's product as the documentation says; whoever is signed in is told to it."""
    known = {"signed_in": signed_in}
    exec(compile(ROUTE, "docs/banner.md", "exec"), known)
    product = FastAPI()
    product.include_router(known["routes"])

    @product.get("/offramp-banner.js")
    def element():
        return FileResponse(script, media_type="text/javascript")

    @product.get("/notes")
    def notes():
        page = (
            "<!doctype html><html lang='en'><head><title>Notes</title></head>"
            f"<body>{ELEMENT}<main><h1>Notes</h1><p>Of the week</p></main></body></html>"
        )
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})

    return product


@dataclass(frozen=True)
class Sight:
    """What one person got to see at one instant."""

    answer: dict
    is_shown: bool
    words: str
    links: list
    problems: list
    requests: frozenset


@dataclass
class Reader:
    """A browser in which somebody is signed in."""

    browser: object
    product: str
    api: str

    def look(self, organization, member):
        """Open the product, and ask what it was given."""
        page = self.browser.new_page()
        problems, requests = [], set()
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: requests.add(request.url.removeprefix(self.product)))
        answer = self.ask(organization, member)
        region = page.get_by_role("region")
        with page.expect_response("**/account/banner"):
            page.goto(f"{self.product}/notes")
        if answer["banner"]:
            region.wait_for()
        else:
            page.wait_for_timeout(QUIET_MILLISECONDS)
        is_shown = region.is_visible()
        sight = Sight(
            answer=answer,
            is_shown=is_shown,
            words=region.inner_text() if is_shown else "",
            links=[link.get_attribute("href") for link in page.get_by_role("link").all()],
            problems=problems + [each["id"] for each in Axe().run(page).response["violations"]],
            requests=frozenset(requests),
        )
        page.close()
        return sight

    def ask(self, organization, member):
        """Ask the API as the product does."""
        path = f"/v1/organizations/{organization}/members/{member}/banner"
        answer = httpx2.get(
            f"{self.api}{path}",
            params={"product": "notes", "locale": "en"},
            headers={"Authorization": f"Bearer {ACCESS_KEY}"},
        )
        assert answer.status_code == 200
        return answer.json()


@pytest.fixture(scope="module")
def sights(request, tmp_path_factory):
    """Look at the product with two pairs of eyes, from the last second before Expired on."""
    folder = tmp_path_factory.mktemp("banner")
    now_signed_in = {}
    with ExitStack() as closing:
        departure = closing.enter_context(depart(NOTES, "sqlite", folder, request))
        with departure.context.store.transaction() as transaction:
            [university] = [
                each.id for each in transaction.organizations() if each.name == "Liffey University"
            ]
        members = [
            member
            for member in departure.members(university)
            if member.ends is None and member.zone in ("", "Europe/Dublin")
        ]
        people = {
            "admin": next(m for m in members if Role.ADMIN in m.roles),
            "user": next(m for m in members if not m.roles - {Role.MEMBER}),
        }
        script = folder / "offramp-banner.js"
        Installation(folder).say("banner", "script", "--out", script)
        api = create_app(departure.context, access_keys=AccessKeys.parse(ACCESS_KEY))
        api_url = closing.enter_context(serving(api))
        environment = closing.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("OFFRAMP_URL", api_url)
        environment.setenv("OFFRAMP_ACCESS_KEY", ACCESS_KEY)
        product = make_product(script, lambda: (university, now_signed_in["member"], "en"))
        product_url = closing.enter_context(serving(product))
        browser = closing.enter_context(open_browser())
        reader = Reader(browser=browser, product=product_url, api=api_url)
        found = {}
        for time in TIMES:
            departure.clock.advance_to(Instant.parse_iso(time))  # and every worker is down
            for who, member in people.items():
                now_signed_in["member"] = member.id
                found[who, time] = reader.look(university, member.id)
        yield found


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("time", EXPIRED)
def test_it_is_there_from_the_first_to_the_last_instant_of_expired_B7(sights, who, time):
    sight = sights[who, time]

    assert sight.is_shown
    assert sight.answer["banner"]["stage"] == "expired"


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("time", [BEFORE, AFTER])
def test_it_is_not_there_a_second_before_nor_the_day_after_B7(sights, who, time):
    sight = sights[who, time]

    assert not sight.is_shown
    assert sight.answer["banner"] is None


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(
    ("time", "days"), [(FIRST, "90 more days"), (LAST_DAY, "1 more day"), (LAST_SECOND, "1 more")]
)
def test_it_says_what_stage_and_until_when_B7(sights, who, time, days):
    words = sights[who, time].words

    assert words.startswith("Expired")
    assert "Full access has ended" in words
    assert "You can still open, edit, copy, and export what exists." in words
    assert "Nothing new can be created." in words
    assert f"Until November 28, 2024: {days}" in words
    assert "Then access ends altogether." in words


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("admin", "If you renew, everything comes back as it was."),
        ("user", "ask an administrator of your organization"),
    ],
)
def test_administrators_and_users_are_told_what_they_themselves_can_do_B7(sights, who, told):
    for time in EXPIRED:
        [other] = set(PEOPLE) - {who}
        assert told in sights[who, time].words
        assert told not in sights[other, time].words


@pytest.mark.parametrize("who", PEOPLE)
def test_it_links_to_the_agreement_and_to_further_information_B10(sights, who):
    for time in EXPIRED:
        assert sights[who, time].links == [
            "https://example.com/leaving",
            "https://example.com/support",
            "https://example.com/agreement",
        ]


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("time", TIMES)
def test_the_page_of_the_documentation_is_in_order(sights, who, time):
    """No rule of a strict Content-Security-Policy is broken, and axe has nothing to say."""
    sight = sights[who, time]

    assert sight.problems == []
    assert sight.requests == {"/notes", "/offramp-banner.js", "/account/banner"}


def test_each_answer_says_when_to_ask_again(sights):
    ends = {time: sights["user", time].answer["changes_at"] for time in TIMES[:-1]}

    assert ends == {
        BEFORE: FIRST,
        FIRST: "2024-08-31T23:00:00Z",
        LAST_DAY: AFTER,
        LAST_SECOND: AFTER,
    }


def test_the_answer_in_the_documentation_is_one_of_these(sights):
    [shown] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)

    assert httpx2.Response(200, text=shown).json() == sights["user", FIRST].answer
