"""Who may see what in the portal: every route for everybody, and nothing of another organization.

What each route asks for is written down here a second time. A route that is not is found, too.
"""

import re

import pytest
from fastapi.routing import iter_route_contexts

from offramp.core.case import Complaint
from offramp.core.model import Role, SubjectKind
from offramp.engine.cases import open_case
from offramp.engine.own_copy import ask_for_copy
from tests.simulation import shop
from tests.unit.web.lobby import ADMIN, EXPIRED, OTHER, USER, Lobby

STRANGERS = {
    "GET /portal/sign-in",
    "POST /portal/sign-in",
    "GET /portal/enter/{secret}",
    "POST /portal/enter/{secret}",
}
OWN = (
    "GET /portal",
    "POST /portal/sign-out",
    "POST /portal/place",
    "POST /portal/copy",
    "POST /portal/copy/mail",
    "POST /portal/copy/revoke",
    "GET /portal/copy",
    "POST /portal/messages",
    "GET /portal/achievements.zip",
    "GET /portal/documents/{offboarding}/{issue:path}",
    "GET /portal/help",
    "POST /portal/cases",
    "GET /portal/cases/{case}",
    "POST /portal/cases/{case}",
)
COMPANY = ("GET /portal/organization", "GET /portal/dates.ics")
MANAGERS = (
    "GET /portal/people",
    "POST /portal/people",
    "POST /portal/organization/copy",
    "POST /portal/organization/copy/mail",
    "POST /portal/organization/copy/revoke",
    "GET /portal/organization/copy",
)
CHANGING = [route for route in (*OWN, *MANAGERS) if route.startswith("POST")]
FIELDS = {
    "complaint": "no-export",
    "words": "x",
    "step": "x",
    "organization": "beta",
    "member": "beta-admin",
    "do": "expire",
}


@pytest.fixture(scope="module")
def lobby(tmp_path_factory):
    """Give a portal in which a person of beta has a case, a copy and mail."""
    data = shop.open_shop(tmp_path_factory.mktemp("shop"))
    data.fill("acme", "beta")
    lobby = Lobby(data=data.data)
    lobby.world.run_until(EXPIRED)
    ask_for_copy(lobby.context, "beta", "beta-user")
    ask_for_copy(lobby.context, "beta", "beta-admin", scope=SubjectKind.ORGANIZATION)
    lobby.make_copies()
    return lobby


@pytest.fixture(scope="module")
def theirs(lobby):
    """Give what is of beta and could be asked for by whoever knew its name."""
    case = open_case(
        lobby.context, "beta", Complaint.OTHER, member="beta-user", words="secret", actor="user"
    )
    (row, *_) = lobby.read(lambda t: t.offboardings("beta"))
    return {"{case}": case.id, "{offboarding}": row.id, "{issue:path}": "now-expired"}


def routes_of(app):
    return {
        f"{method} {each.path}"
        for each in iter_route_contexts(app.routes)
        if (each.path or "").startswith("/portal")
        for method in each.methods
    }


def path_of(route, filled):
    return re.sub(r"\{[\w:]+\}", lambda place: filled[place[0]], route.partition(" ")[2])


def ask(visitor, route, filled, **options):
    path = path_of(route, filled)
    if route.startswith("GET"):
        return visitor.get(path)
    return visitor.post(path, FIELDS, **options)


def facts_of(lobby, organization):
    """Give everything of an organization that somebody could have changed."""

    def read(transaction):
        rows = transaction.offboardings(organization)
        return (
            transaction.own_copies(organization, member=None),
            transaction.cases(organization, is_closed=False, limit=99),
            transaction.members(organization),
            [transaction.deliveries(row.id) for row in rows],
        )

    return lobby.read(read)


def test_every_route_of_the_portal_is_in_this_matrix(lobby):
    assert routes_of(lobby.app) == {*OWN, *COMPANY, *MANAGERS, *STRANGERS}


@pytest.mark.parametrize("route", [*OWN, *COMPANY, *MANAGERS])
def test_a_stranger_is_asked_to_sign_in(lobby, theirs, route):
    before = facts_of(lobby, "beta")

    answer = ask(lobby.visitor(), route, theirs, token="")

    assert (answer.status_code, answer.headers["location"]) == (303, "/portal/sign-in")
    assert facts_of(lobby, "beta") == before


@pytest.mark.parametrize("route", [*OWN, *COMPANY, *MANAGERS])
@pytest.mark.parametrize("address", [USER, ADMIN])
def test_nobody_sees_or_changes_anything_of_another_organization(lobby, theirs, route, address):
    """Tenant isolation: whoever is of acme asks for everything by the names that it has at beta."""
    before, visitor = facts_of(lobby, "beta"), lobby.signed_in(address)

    answer = ask(visitor, route, theirs)

    assert facts_of(lobby, "beta") == before
    assert "beta" not in answer.text
    assert "secret" not in answer.text
    if "{" in route:
        assert answer.status_code == 404
    lobby.pass_time(minutes=15)  # so that there are not too many links within an hour


@pytest.mark.parametrize("route", COMPANY)
@pytest.mark.parametrize(
    ("address", "status"), [(USER, 404), (ADMIN, 200), ("owner@acme.example", 200)]
)
def test_what_is_of_the_organization_is_for_those_who_look_after_it(
    lobby, theirs, route, address, status
):
    lobby.pass_time(minutes=15)

    assert ask(lobby.signed_in(address), route, theirs).status_code == status


@pytest.mark.parametrize("route", MANAGERS)
@pytest.mark.parametrize("roles", [{Role.MEMBER}, {Role.BILLING}])
def test_neither_users_nor_billing_contacts_manage_people_or_have_all_the_data(
    lobby, theirs, route, roles
):
    lobby.pass_time(minutes=15)
    visitor = lobby.signed_in("guest@acme.example")
    lobby.change("acme-guest", roles=frozenset(roles))
    before = facts_of(lobby, "acme")

    assert ask(visitor, route, theirs).status_code == 404
    assert facts_of(lobby, "acme") == before


def test_nobody_reads_the_case_of_a_colleague(lobby):
    lobby.pass_time(minutes=15)
    case = open_case(lobby.context, "acme", Complaint.OTHER, member="acme-guest", words="private")
    admin = lobby.signed_in(ADMIN)

    for answer in (
        admin.get(f"/portal/cases/{case.id}"),
        admin.post(f"/portal/cases/{case.id}", {"words": "x"}),
        admin.get("/portal/help"),
    ):
        assert "private" not in answer.text
        assert case.id not in answer.text


@pytest.mark.parametrize("route", CHANGING)
@pytest.mark.parametrize("forged", [{"token": "0" * 64}, {"origin": "https://evil.example"}])
def test_a_form_that_no_page_of_the_portal_wrote_changes_nothing(lobby, theirs, route, forged):
    """CSRF."""
    lobby.pass_time(minutes=15)
    visitor = lobby.signed_in(OTHER)
    before = facts_of(lobby, "beta")

    answer = ask(visitor, route, theirs, **forged)

    assert answer.status_code == 403
    assert facts_of(lobby, "beta") == before
    assert visitor.get().status_code == 200


@pytest.mark.parametrize("path", ["/portal", "/portal/sign-in", "/portal/help"])
def test_pages_fetch_nothing_run_nothing_and_are_kept_nowhere(lobby, path):
    lobby.pass_time(minutes=15)
    answer = lobby.signed_in(ADMIN).get(path)
    policy = answer.headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script" not in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "<script" not in answer.text
