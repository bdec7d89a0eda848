"""Which key opens which route below /v1: every route for every role, and for one organization.

What each route asks for is written down here a second time. A route that is not is found, too.
"""

import re
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from offramp.core.operator import OperatorRole
from offramp.engine.api_keys import create_key
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.unit.web.office import filled_office

PAGE = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
ONE = "/v1/organizations/{organization}"
MEMBER = f"{ONE}/members/{{member}}"
POOL = f"{ONE}/pools/{{pool}}"
LEAVING = f"{ONE}/offboardings/{{offboarding}}"
NEEDED = {
    f"GET {ONE}/access-snapshot": "viewer",
    "POST /v1/access-snapshots/changes": "viewer",
    f"GET {MEMBER}/banner": "viewer",
    f"POST {MEMBER}/export": "support",
    f"POST {MEMBER}/messages/resend": "support",
    f"POST {ONE}/members/end": "operator",
    f"POST {ONE}/members/expire": "operator",
    f"POST {ONE}/members/remove": "operator",
    f"POST {ONE}/members/reactivate": "operator",
    f"POST {ONE}/members/move": "operator",
    f"GET {ONE}/pools": "viewer",
    "GET /v1/organizations": "viewer",
    "POST /v1/search/organizations": "viewer",
    "POST /v1/imports": "operator",
    f"GET {ONE}": "viewer",
    f"PUT {ONE}": "operator",
    f"GET {ONE}/members": "viewer",
    f"GET {POOL}": "viewer",
    f"PUT {POOL}": "operator",
    f"GET {ONE}/offboardings": "viewer",
    f"GET {LEAVING}": "viewer",
    f"GET {LEAVING}/deliveries": "viewer",
    f"GET {LEAVING}/certificate": "viewer",
    f"POST {ONE}/renew": "operator",
    f"POST {ONE}/extend": "operator",
    f"POST {ONE}/reactivate": "operator",
    f"POST {ONE}/retry": "operator",
    f"PUT {ONE}/exemption": "operator",
    f"PUT {ONE}/block": "operator",
    "PUT /v1/cap": "admin",
    "POST /v1/webhooks/{endpoint}/enable": "operator",
    f"GET {ONE}/holds": "viewer",
    f"POST {ONE}/holds": "operator",
    f"DELETE {ONE}/holds/{{hold}}": "operator",
    f"GET {ONE}/unlocks": "viewer",
    f"POST {ONE}/unlocks": "support",
    f"POST {ONE}/messages/resend": "support",
    f"GET {ONE}/links": "viewer",
    f"POST {ONE}/links/reissue": "support",
    f"POST {ONE}/links/revoke": "support",
    "GET /v1/billing/subscriptions": "viewer",
    "PUT /v1/billing/subscriptions/{subscription}": "operator",
    "GET /v1/policies": "viewer",
    "GET /v1/policies/{policy}": "viewer",
    "POST /v1/policies": "admin",
    "GET /v1/events": "viewer",
    "GET /v1/pause": "viewer",
    "PUT /v1/pause": "admin",
    "GET /v1/requests": "viewer",
    "POST /v1/requests": "operator",
    "POST /v1/requests/{request}/approve": "approver",
    "GET /v1/webhooks": "viewer",
    "POST /v1/webhooks/replay": "operator",
    f"POST {ONE}/cases": "support",
    f"GET {ONE}/cases": "viewer",
    "GET /v1/cases": "viewer",
    "GET /v1/cases/{case}": "viewer",
    "POST /v1/cases/{case}/notes": "support",
    "POST /v1/cases/{case}/repair": "support",
    "POST /v1/cases/{case}/close": "support",
}
ROLES = [role.value for role in OperatorRole]
FILLED = {"{organization}": "acme"}
DESCRIPTION = "GET /v1/openapi.json"  # the same for everybody, and no secret


class Office:
    """Two organizations, and a key of every role for all of them, and for each."""

    def __init__(self):
        self.context = filled_office("acme", "beta").context
        self.client = TestClient(create_app(self.context, access_keys=AccessKeys()))
        self.keys = {
            (role, organization): create_key(
                self.context,
                f"{role.value}-{organization or 'all'}",
                role=role,
                organization=organization,
            ).secret
            for role in OperatorRole
            for organization in (None, "acme", "beta")
        }

    def ask(self, route, *, role=None, organization=None):
        method, _, path = route.partition(" ")
        path = re.sub(r"\{\w+\}", lambda place: FILLED.get(place[0], "x"), path)
        headers = {}
        if role is not None:
            key = self.keys[OperatorRole(role), organization]
            headers = {"Authorization": f"Bearer {key}"}
        body = None if method == "GET" else {}
        return self.client.request(method, path, json=body, headers=headers)

    def facts(self):
        """Give everything that a request could have changed."""
        with self.context.store.reading() as transaction:
            return (
                transaction.organizations(),
                transaction.pools("acme"),
                transaction.members("acme"),
                transaction.holds("acme"),
                transaction.unlocks("acme"),
                transaction.offboardings(),
                transaction.policies(),
                transaction.cases(None, is_closed=False, limit=9),
                transaction.ledger_head(),
            )


@pytest.fixture(scope="module")
def office():
    return Office()


def test_every_route_of_the_interface_is_in_this_matrix(office):
    routes = {
        f"{method} {each.path}"
        for each in iter_route_contexts(office.client.app.routes)
        if (each.path or "").startswith("/v1")
        for method in each.methods - {"HEAD"}
    }

    assert routes == {*NEEDED, DESCRIPTION}


@pytest.mark.parametrize("route", NEEDED)
def test_the_page_says_which_role_a_route_needs(route):
    assert f"| `{route}` | {NEEDED[route]} |" in PAGE


@pytest.mark.parametrize("route", NEEDED)
def test_a_key_opens_what_its_role_may_and_nothing_above(office, route):
    lowest = ROLES.index(NEEDED[route])

    for role in ROLES[:lowest]:
        before = office.facts()
        answer = office.ask(route, role=role)
        assert (answer.status_code, answer.json()["code"]) == (403, "KeyTooLow"), role
        assert office.facts() == before

    for role in ROLES[lowest:]:
        assert office.ask(route, role=role).status_code not in (401, 403), role


@pytest.mark.parametrize("route", NEEDED)
def test_a_key_for_one_organization_opens_nothing_of_another(office, route):
    before = office.facts()

    foreign = office.ask(route, role="admin", organization="beta")
    is_below = "{organization}" in route
    own = office.ask(route, role="admin", organization="acme") if is_below else None

    assert (foreign.status_code, foreign.json()["code"]) == (403, "KeyElsewhere")
    assert own is None or own.status_code not in (401, 403)
    assert is_below or office.facts() == before


@pytest.mark.parametrize("route", NEEDED)
def test_without_a_key_nothing_is_told_and_nothing_done(office, route):
    before = office.facts()

    answer = office.ask(route)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert office.facts() == before
