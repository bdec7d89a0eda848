"""Who may do what in the console: every route for every role, and nothing for strangers.

What each route asks for is written down here a second time. A route that is not is found, too.
"""

import re

import pytest
from fastapi.routing import iter_route_contexts

from offramp.core.operator import OperatorRole
from offramp.testing.identity import MemoryIdentities
from tests.unit.web.office import Office, filled_office

STRANGERS = {
    "GET /console/static/{name}",
    "GET /console/sign-in",
    "POST /console/sign-in",
    "GET /console/enter/{secret}",
    "POST /console/enter/{secret}",
}
ELSEWHERE = {"GET /console/sign-in/elsewhere", "GET /console/sign-in/back"}
PASSWORDS = {"POST /console/sign-in", "GET /console/enter/{secret}", "POST /console/enter/{secret}"}
ONE = "/console/organizations/{organization}"
NEEDED = {
    "GET /console": "viewer",
    "GET /console/account": "viewer",
    "POST /console/account": "viewer",
    "POST /console/sign-out": "viewer",
    "GET /console/organizations": "viewer",
    "POST /console/organizations": "viewer",
    f"GET {ONE}": "viewer",
    f"GET {ONE}/timelines/{{offboarding}}.svg": "viewer",
    f"GET {ONE}/what-if": "viewer",
    f"GET {ONE}/what-if/{{number}}.svg": "viewer",
    f"POST {ONE}/unlock": "support",
    f"POST {ONE}/resend": "support",
    f"POST {ONE}/reissue": "support",
    f"POST {ONE}/revoke": "support",
    f"POST {ONE}/block": "operator",
    f"POST {ONE}/unblock": "operator",
    f"POST {ONE}/member-end": "operator",
    f"POST {ONE}/member-expire": "operator",
    f"POST {ONE}/member-back": "operator",
    f"POST {ONE}/hold": "operator",
    f"POST {ONE}/release": "operator",
    f"POST {ONE}/renew": "operator",
    f"POST {ONE}/extend": "operator",
    f"POST {ONE}/reactivate": "operator",
    f"POST {ONE}/retry": "operator",
    f"POST {ONE}/exempt": "operator",
    f"POST {ONE}/put-back": "operator",
    "GET /console/policies": "viewer",
    "GET /console/policies/{policy}": "viewer",
    "GET /console/policies/{policy}/drawing.svg": "viewer",
    "GET /console/publish": "admin",
    "GET /console/publish/drawing.svg": "admin",
    "POST /console/publish": "admin",
    "POST /console/publish/look": "admin",
    "POST /console/publish/file": "admin",
    "GET /console/data-map": "viewer",
    "GET /console/data-map/drawing.svg": "viewer",
    "POST /console/data-map": "support",
    "GET /console/health": "viewer",
    "GET /console/restore": "admin",
    "POST /console/restore": "admin",
    "POST /console/views": "viewer",
    "GET /console/many": "viewer",
    "GET /console/many/{act}": "viewer",
    "POST /console/many/look": "support",
    "POST /console/many": "support",
    "POST /console/many/{act}/approve": "approver",
    "POST /console/views/forget": "viewer",
    "GET /console/cases": "viewer",
    "GET /console/cases/{case}": "viewer",
    f"POST {ONE}/cases": "support",
    "POST /console/cases/{case}/note": "support",
    "POST /console/cases/{case}/repair": "support",
    "POST /console/cases/{case}/close": "support",
    "POST /console/requests/{arming}": "approver",
    "POST /console/pause": "admin",
    "POST /console/resume": "admin",
}
ROLES = ["viewer", "support", "operator", "approver", "admin"]
CHANGING = [route for route in NEEDED if route.startswith("POST")]


def routes_of(app):
    return {
        f"{method} {each.path}"
        for each in iter_route_contexts(app.routes)
        if (each.path or "").startswith("/console")
        for method in each.methods
    }


def path_of(route):
    """Fill the places of a route in."""
    return re.sub(r"\{\w+\}", lambda place: FILLED.get(place[0], "x"), route.partition(" ")[2])


FILLED = {"{organization}": "acme", "{number}": "0", "{policy}": "license-pool"}


@pytest.fixture(scope="module")
def office():
    office = filled_office("acme")
    for role in OperatorRole:
        office.hire(role)
    return office


def ask(browser, route, **options):
    if route.startswith("GET"):
        return browser.get(path_of(route))
    return browser.post(path_of(route), **options)


def facts(office):
    """Give everything that an act could have changed."""
    with office.world.store.transaction() as transaction:
        return (
            transaction.holds("acme"),
            transaction.unlocks("acme"),
            transaction.pools("acme"),
            transaction.members("acme"),
            transaction.is_blocked("acme", member=None),
            transaction.is_exempt("acme"),
            transaction.is_paused(),
            transaction.operators(),
            transaction.offboardings(),
            transaction.cases(None, is_closed=False, limit=9),
        )


def test_every_route_of_the_console_is_in_this_matrix():
    assert routes_of(Office().app) == {*NEEDED, *STRANGERS}


@pytest.mark.parametrize(("takes_passwords", "left_out"), [(True, set()), (False, PASSWORDS)])
def test_who_signs_in_elsewhere_adds_two_ways_in_and_may_take_those_by_password_away(
    takes_passwords, left_out
):
    app = Office(provider=MemoryIdentities(), takes_passwords=takes_passwords).app

    assert routes_of(app) == {*NEEDED, *STRANGERS, *ELSEWHERE} - left_out


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", NEEDED)
def test_a_role_may_do_what_it_may_and_nothing_above(office, route, role):
    browser = office.signed_in(OperatorRole(role))
    before = facts(office)

    answer = ask(browser, route)

    may = ROLES.index(role) >= ROLES.index(NEEDED[route])
    assert (answer.status_code != 403) == may
    assert "sign-in?" not in answer.headers.get("location", "")
    if not may:
        assert f"takes the role {NEEDED[route]}, and yours is {role}" in answer.text
        assert facts(office) == before


@pytest.mark.parametrize("route", NEEDED)
def test_a_stranger_is_asked_to_sign_in_and_nothing_is_done(office, route):
    before = facts(office)

    answer = ask(office.browser(), route)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/console/sign-in?to=%2Fconsole")
    assert facts(office) == before


@pytest.mark.parametrize("route", CHANGING)
@pytest.mark.parametrize("forged", [{"token": "0" * 64}, {"origin": "https://evil.example"}])
def test_a_form_that_was_not_written_here_changes_nothing(office, route, forged):
    browser = office.signed_in()
    fields = {"reason": "x", "hours": "1", "until": "2031-01-31", "typed": "acme"}
    before = facts(office)

    answer = ask(browser, route, data=fields, **forged)

    assert answer.status_code == 403
    assert "not written for this browser" in answer.text
    assert facts(office) == before


@pytest.mark.parametrize("name", ["console.css", "console.js", "htmx.min.js", "mark.svg"])
def test_what_pages_are_made_of_is_there_for_everybody(office, name):
    answer = office.browser().get(f"/console/static/{name}")

    assert answer.status_code == 200
    assert "max-age" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["nothing.css", "..%2Fconsole.css", "htmx-LICENSE.txt"])
def test_no_other_file_is(office, name):
    assert office.browser().get(f"/console/static/{name}").status_code == 404
