"""A vendor's product with <offramp-banner> on its page, as a browser of the tests sees it.

Every request is answered here: the page, with a strict policy, the script, and a route that answers
what it is told to, by a clock of its own.
"""

import json
from dataclasses import dataclass, field
from email.utils import format_datetime

from whenever import Instant

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.core.access import Standing, Voter
from offramp.core.banner import Reader, show_banner
from offramp.core.model import Member, Organization, Role, SubjectKind
from offramp.documents.banner import answer_of
from offramp.documents.policy import find_policy
from offramp.testing.builders import make_timeline
from offramp.web.element import element_script

COMPOSER = JinjaComposer()
ACME = Organization(id="acme", name="Acme", zone="Europe/Dublin", locale="en", policy="p")
POLICY = find_policy("edit-only-grace")
NOW = Instant.from_utc(2024, 11, 20, 12)
PRODUCT = "https://product.example"
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; require-trusted-types-for 'script'"
)
FROM_SRC = '<offramp-banner src="/banner"></offramp-banner>'
PAGE = """<!doctype html>
<html lang="en"><head><title>Notes</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<script type="module" src="/offramp-banner.js"></script></head>
<body><main><h1>Notes</h1>{element}<p>The notes of the week</p></main></body></html>"""
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective));
"""
PHONE_WIDTH = 320
MINUTE, HOUR, DAY = 60, 3600, 86_400


def answer(now=NOW, *, locale="en", roles=(Role.MEMBER,), kind=SubjectKind.ORGANIZATION, zone=""):
    """Give what Offramp answers."""
    timeline = make_timeline(POLICY, kind=kind)
    standing = Standing(voter=Voter.ORGANIZATION, timeline=timeline)
    showing = show_banner(Reader(roles=frozenset(roles), standings=(standing,)), now=now)
    member = Member(
        id="1",
        organization="acme",
        email="",
        name="Anna",
        roles=frozenset(roles),
        locale=locale,
        zone=zone,
    )
    words = showing.banner and COMPOSER.write_banner(
        showing.banner, member=member, organization=ACME
    )
    return answer_of(showing, words).model_dump(mode="json")


def altered(**parts):
    """Give an answer whose banner has other parts."""
    given = answer()
    return given | {"banner": given["banner"] | parts}


def inside(given):
    """Give the element with an answer that the page has brought along."""
    text = json.dumps(given).replace("<", "\\u003c")
    return f'<offramp-banner><script type="application/json">{text}</script></offramp-banner>'


@dataclass
class Product:
    """A vendor's product: one page, the script, and a route that answers what it is told to."""

    page: object
    element: str = FROM_SRC
    body: object = None
    status: int = 200
    now: Instant = NOW
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.page.add_init_script(WATCH)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message))
        self.page.route("**/*", self.fulfil)

    def fulfil(self, route):
        """Answer one request of the browser."""
        url = route.request.url
        self.asked.append(url)
        headers = {"Date": format_datetime(self.now.to_stdlib().replace(tzinfo=None)) + "GMT"}
        if url == f"{PRODUCT}/banner":
            body = self.body if isinstance(self.body, str) else json.dumps(self.body)
            body = "" if self.status == 204 else body
            headers |= {"Content-Type": "application/json", "Cache-Control": "no-store"}
            route.fulfill(status=self.status, body=body, headers=headers)
        elif ".js" in url:
            headers["Content-Type"] = "text/javascript"
            route.fulfill(body=element_script(), headers=headers)
        else:
            headers |= {"Content-Type": "text/html", "Content-Security-Policy": STRICT}
            route.fulfill(body=PAGE.format(element=self.element), headers=headers)

    def open(self, body=None, **parts):
        """Open the page and wait until the element has had its say."""
        self.body = body
        for name, value in parts.items():
            setattr(self, name, value)
        self.page.goto(f"{PRODUCT}/")
        self.settle()
        return self

    def wait(self, seconds, *, step=20 * MINUTE):
        """Let time pass, for the browser and the server; in steps, as answers take real time."""
        while seconds > 0:
            passed = min(step, seconds)
            seconds -= passed
            self.now = self.now.add(seconds=passed)
            self.page.clock.fast_forward(passed * 1000)
            self.settle()

    def come_back(self):
        """Look at the page again."""
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        self.settle()

    def settle(self):
        """Let the browser finish what it has begun."""
        for _ in range(2):
            self.page.evaluate("fetch('/settled').then((answer) => answer.text())")

    @property
    def questions(self):
        """How often the route was asked."""
        return self.asked.count(f"{PRODUCT}/banner")

    @property
    def region(self):
        """The banner."""
        return self.page.locator("offramp-banner section")

    @property
    def place(self):
        """Where it stands, or would."""
        return self.page.locator("offramp-banner div")

    def violations(self):
        """List what was done against the page's policy."""
        return self.page.evaluate("window.violations") + self.errors
