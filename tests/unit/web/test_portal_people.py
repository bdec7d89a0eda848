"""B11: administrators give people an end, expire them and take them back, one or many at once."""

import pytest
from whenever import Date

from offramp.core.model import Role
from offramp.engine import portal_people
from tests.unit.web.lobby import ADMIN, EXPIRED, OTHER, PUBLIC, USER, Lobby

PEOPLE = "/portal/people"
GUEST = "guest@acme.example"


@pytest.fixture
def lobby():
    return Lobby(ends=Date(2024, 12, 31))


def members(lobby):
    return {each.id: each for each in lobby.read(lambda t: t.members("acme"))}


def change(visitor, do, *chosen, until=""):
    return visitor.post(PEOPLE, {"do": do, "member": list(chosen), "until": until})


def ledger(lobby):
    with lobby.world.store.transaction() as transaction:
        return [entry.event for entry in transaction.ledger()]


def test_everybody_is_listed_with_their_own_end_and_how_they_stand(lobby):
    lobby.change("acme-user", ends=Date(2024, 9, 30))
    lobby.change("acme-guest", ends=Date(2024, 7, 1))

    page = lobby.signed_in(ADMIN).get(PEOPLE).text

    assert all(address in page for address in (ADMIN, USER, GUEST))
    assert OTHER not in page
    assert "September 30, 2024" in page
    assert "expired" in page
    assert "as the license says" in page


def test_whose_license_has_ended_is_not_called_active():
    lobby = Lobby()
    lobby.world.run_until(EXPIRED)

    page = lobby.signed_in(ADMIN).get(PEOPLE).text

    assert page.count("license ended</td>") == 4
    assert "active</td>" not in page


def test_many_are_given_a_last_day_at_once(lobby):
    answer = change(lobby.signed_in(ADMIN), "end", "acme-user", "acme-guest", until="2024-10-31")

    found = members(lobby)
    assert answer.headers["location"].startswith("/portal/people?")
    assert {found[each].ends for each in ("acme-user", "acme-guest")} == {Date(2024, 10, 31)}
    assert found["acme-admin"].ends is None
    assert [e.detail for e in ledger(lobby) if e.kind == "members-ended"] == [{"members": 2}]


def test_many_expire_at_once_and_are_taken_back(lobby):
    admin = lobby.signed_in(ADMIN)
    change(admin, "expire", "acme-user", "acme-guest")
    expired = admin.get(PEOPLE).text.count("expired</td>")
    answer = change(admin, "back", "acme-user", "acme-guest", until="2024-11-30")

    assert expired == 2
    assert answer.status_code == 303
    assert members(lobby)["acme-user"].ends == Date(2024, 11, 30)
    assert admin.get(PEOPLE).text.count("expired</td>") == 0


@pytest.mark.parametrize(
    ("do", "chosen", "until", "words"),
    [
        ("end", ["acme-user"], "2024-07-01", "not possible for everybody"),
        ("end", ["acme-user", "nobody"], "2024-10-31", "not possible for everybody"),
        ("end", ["acme-user", "beta-user"], "2024-10-31", "not possible for everybody"),
        ("back", ["acme-user"], "", "not possible for everybody"),
        ("end", ["acme-user"], "", "no last day was said"),
        ("end", ["acme-user"], "soon", "no last day was said"),
        ("end", ["acme-user"], "2024-10-31T00:00:00Z", "no last day was said"),
        ("end", [], "2024-10-31", "Nobody was chosen"),
        ("erase", ["acme-user"], "2024-10-31", "Nobody was chosen"),
    ],
)
def test_what_is_not_possible_for_all_is_done_for_nobody(lobby, do, chosen, until, words):
    before, theirs = members(lobby), lobby.read(lambda t: t.members("beta"))

    answer = change(lobby.signed_in(ADMIN), do, *chosen, until=until)

    assert answer.status_code in (409, 422)
    assert words in answer.text
    assert members(lobby) == before
    assert lobby.read(lambda t: t.members("beta")) == theirs


@pytest.mark.parametrize("role", [Role.BILLING, None])
def test_whoever_may_not_change_people_has_no_such_page(lobby, role):
    lobby.change("acme-user", roles=frozenset({role} if role else ()))
    visitor, before = lobby.signed_in(USER), members(lobby)

    answer = change(visitor, "expire", "acme-guest")

    assert (visitor.get(PEOPLE).status_code, answer.status_code) == (404, 404)
    assert PEOPLE not in visitor.get("/portal").text
    assert members(lobby) == before


def test_so_many_are_shown_at_once_and_the_rest_behind_a_link(lobby, monkeypatch):
    monkeypatch.setattr(portal_people, "SHOWN_MAX", 3)
    admin = lobby.signed_in(ADMIN)

    first = admin.get(PEOPLE).text
    path = first.partition('href="/portal/people?after=')[2].partition('"')[0]
    second = admin.get(f"{PEOPLE}?after={path}").text

    shown = [page.count('name="member"') for page in (first, second)]
    assert shown == [3, len(members(lobby)) - 3]
    assert "after=" not in second.partition("<section")[2]


def test_a_page_of_somebody_else_changes_nobody(lobby):
    admin, before = lobby.signed_in(ADMIN), members(lobby)
    fields = {"do": "expire", "member": "acme-user", "token": admin.token()}

    answer = admin.client.post(PEOPLE, data=fields, headers={"Origin": "https://evil.example"})

    assert PUBLIC != "https://evil.example"
    assert answer.status_code == 403
    assert members(lobby) == before


@pytest.mark.parametrize(
    ("locale", "words"),
    [("de", "Zurückholen"), ("fr", "Reprendre"), ("es", "Recuperar"), ("pl", "Przywróć")],
)
def test_the_page_is_in_the_language_of_its_reader(lobby, locale, words):
    lobby.change("acme-admin", locale=locale)

    assert words in lobby.signed_in(ADMIN).get(PEOPLE).text
