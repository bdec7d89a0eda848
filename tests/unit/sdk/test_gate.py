"""What a request does, who may make it, and what the others are answered."""

import json
from html.parser import HTMLParser

import pytest

from offramp.core.access import Decision, Voter
from offramp.core.policy import Capability
from offramp.sdk.gate import Gate, Needs, RouteInvalid, Visit
from offramp.sdk.refusal import refuse
from tests.unit.sdk.wire import BROWSER, Product, signed_in
from tests.unit.web.acme import EXPIRED

DEACTIVATED = EXPIRED.add(hours=24 * 91)
ULF = {"cookie": "session=ulf"}


@pytest.fixture
def product():
    return Product()


def visit(method, path="/notes", **headers):
    return Visit(method=method, path=path, headers=ULF | headers)


@pytest.mark.parametrize(
    ("method", "passes"),
    [
        ("GET", True),
        ("HEAD", True),
        ("OPTIONS", True),
        ("POST", False),
        ("PUT", True),
        ("PATCH", True),
        ("DELETE", True),
        ("MKCOL", False),
        ("COPY", False),
        ("post", False),
    ],
)
def test_edit_only_blocks_creation_and_nothing_else_B3(product, method, passes):
    before = product.gate.judge(visit(method))
    product.at(EXPIRED)

    after = product.gate.judge(visit(method))

    assert before is None
    assert (after is None) == passes


def test_a_live_cookie_opens_nothing_after_the_cut_A2_B5(product):
    assert product.gate.judge(visit("GET")) is None

    product.at(DEACTIVATED)

    assert product.gate.judge(visit("GET")).status == 403


def test_a_request_of_nobody_is_the_applications_own_affair(product):
    product.at(DEACTIVATED)

    assert product.gate.judge(Visit(method="POST", path="/notes")) is None


@pytest.mark.parametrize(
    ("method", "path", "passes"),
    [
        ("POST", "/notes/7/text", True),
        ("POST", "/notes/7/text/", True),
        ("POST", "//notes//7/text", True),
        ("POST", "/notes/7", False),
        ("POST", "/notes/7/8/text", False),
        ("POST", "/notes/7/text/more", False),
        ("POST", "/login", True),
        ("POST", "/login/../notes", False),
        ("POST", "/loginx", False),
        ("GET", "/console", False),
        ("GET", "/console/", False),
        ("GET", "/console/people", False),
        ("GET", "//console/people", False),
        ("GET", "/consoles", True),
    ],
)
def test_a_route_may_say_what_it_needs(product, method, path, passes):
    product.at(EXPIRED)

    assert (product.gate.judge(visit(method, path)) is None) == passes


def test_the_first_route_that_fits_counts(product):
    product.at(DEACTIVATED)
    gate = Gate(
        product.guard,
        identify=signed_in,
        product="notes",
        routes={"/account/secret": Needs(), "/account/*": None, "/*": Capability.BILL},
    )

    passing = [
        path
        for path in ("/account/secret", "/account/way-back", "/")
        if gate.judge(visit("GET", path)) is None
    ]

    assert passing == ["/account/way-back"]


def test_a_function_may_say_what_each_request_needs(product):
    product.at(EXPIRED)

    def need(asked):
        return Capability.UPDATE if asked.headers.get("x-operation") == "rename" else Needs()

    gate = Gate(product.guard, identify=signed_in, routes=need, product="notes")

    assert gate.judge(visit("POST", "/graphql", **{"x-operation": "rename"})) is None
    assert gate.judge(visit("POST", "/graphql")) is not None


@pytest.mark.parametrize(
    "route", ["", "notes", "GET notes", "/a/*/b", "/a*", "/{", "get /x", "A  /"]
)
def test_a_route_that_cannot_be_read_is_refused_at_once(product, route):
    with pytest.raises(RouteInvalid):
        Gate(product.guard, identify=signed_in, routes={route: None})


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/html, application/json"])
def test_a_program_is_answered_with_a_problem_document(product, accept):
    product.at(EXPIRED)

    refusal = product.gate.judge(visit("POST", accept=accept))

    assert dict(refusal.headers)["Content-Type"] == "application/problem+json"
    assert json.loads(refusal.body) == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "code": "AccessDenied",
        "detail": "The stage expired does not allow it: create.",
        "capability": "create",
        "allowed": ["sign-in", "read", "update", "delete", "copy", "export"],
        "stage": "expired",
        "level": "edit-only",
        "voter": "organization",
        "until": "2024-11-29T00:00:00Z",
    }


class Outline(HTMLParser):
    """Notes what a screen reader goes by."""

    def __init__(self, body):
        super().__init__()
        self.tags, self.language = [], None
        self.feed(body.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "html":
            self.language = dict(attrs).get("lang")


def test_a_person_is_shown_a_page_that_a_screen_reader_can_read(product):
    product.at(EXPIRED)

    refusal = product.gate.judge(visit("POST", accept=BROWSER))

    outline = Outline(refusal.body)
    assert dict(refusal.headers)["Content-Type"] == "text/html; charset=utf-8"
    assert outline.language == "en"
    assert [tag for tag in ("title", "main", "h1") if outline.tags.count(tag) == 1] == [
        *("title", "main", "h1")
    ]
    assert "script" not in outline.tags
    assert b"open what exists, edit, delete, copy and export" in refusal.body


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ((), "Your access has ended."),
        ((Capability.SIGN_IN,), "Your access has ended."),
        ((Capability.EXPORT,), "You can still export, but"),
        ((Capability.READ, Capability.EXPORT), "You can still open what exists and export, but"),
    ],
)
def test_the_page_lists_what_is_left(left, said):
    decision = Decision(
        is_allowed=False,
        voter=Voter.ORGANIZATION,
        stage="expired",
        level="some",
        capabilities=frozenset(left),
        until=None,
    )

    assert said in refuse(decision, Capability.CREATE, accept=BROWSER).body.decode()


def test_the_vendor_may_write_the_page(product):
    product.at(EXPIRED)
    gate = Gate(
        product.guard,
        identify=signed_in,
        product="notes",
        page=lambda asked, decision: f"<p>{asked.path} {decision.stage}</p>",
    )

    assert gate.judge(visit("POST", accept=BROWSER)).body == b"<p>/notes expired</p>"


def test_nothing_of_a_refusal_is_kept_on_the_way(product):
    product.at(EXPIRED)

    headers = dict(product.gate.judge(visit("POST")).headers)

    assert headers["Cache-Control"] == "no-store"
    assert "Accept" in headers["Vary"]
