"""How people get into the portal, stay in, and get out: by a link in a mail and nothing else."""

from dataclasses import replace
from hashlib import sha256

import pytest

from offramp.core.model import Role
from offramp.engine.portal_entry import (
    IDLE_MINUTES,
    LINK_MINUTES,
    LINKS_MAX,
    SESSION_HOURS,
    send_entrances,
)
from offramp.ports import (
    DeliveryStatus,
    MailerUnavailable,
    MessageRefused,
    RequestKind,
    SendOutcomeUnknown,
)
from tests.unit.web.lobby import ADMIN, COOKIE, EXPIRED, OTHER, USER, Lobby

UNKNOWN = "eve@stranger.example"
SIGN_IN = "/portal/sign-in"


@pytest.fixture
def lobby():
    return Lobby()


def waiting(lobby):
    return lobby.read(lambda t: t.requests(kind=RequestKind.SIGN_IN, limit=100))


def is_in(visitor):
    return visitor.get().status_code == 200


def test_somebody_gets_in_by_a_link_that_goes_to_the_address_of_the_roster(lobby):
    (path,) = lobby.ask("  USER@Acme.example ")
    visitor = lobby.visitor()

    looked = visitor.get(path)
    came = visitor.post(path, token="")

    assert lobby.world.mail.sent[-1].message.to == USER
    assert looked.status_code == 200
    assert (came.status_code, came.headers["location"]) == (303, "/portal")
    assert "acme Ltd" in visitor.get().text
    assert waiting(lobby) == ()


@pytest.mark.parametrize("other", [UNKNOWN, "", "no address", "é@ü.example", "\x00"])
def test_nobody_learns_whether_an_address_is_known_to_the_portal(lobby, other):
    known, asked = (
        lobby.visitor().post(SIGN_IN, {"address": each}, token="") for each in (USER, other)
    )

    assert (known.status_code, known.content) == (asked.status_code, asked.content)
    assert known.headers == asked.headers


def test_the_same_is_asked_of_the_store_whoever_wants_to_get_in(lobby, monkeypatch):
    steps, begin = [], lobby.world.store.transaction

    def heard():
        steps.append("transaction")
        return begin()

    monkeypatch.setattr(lobby.world.store, "transaction", heard)
    monkeypatch.setattr(lobby.world.store, "reading", lambda: pytest.fail("somebody was looked up"))
    for address in (USER, UNKNOWN):
        lobby.visitor().post(SIGN_IN, {"address": address}, token="")

    assert len(steps) == 2


def test_a_stranger_is_sent_nothing_and_forgotten(lobby):
    assert lobby.ask(UNKNOWN) == []
    assert waiting(lobby) == ()


def test_looking_at_a_link_spends_nothing_and_the_button_spends_it_once(lobby):
    """Programs look at the links in a mail before its reader does."""
    (path,) = lobby.ask(USER)
    for _ in range(3):
        assert lobby.visitor().get(path).status_code == 200

    first, second = lobby.visitor(), lobby.visitor()
    answers = [each.post(path, token="").status_code for each in (first, second)]

    assert answers == [303, 404]
    assert (is_in(first), is_in(second)) == (True, False)
    assert lobby.visitor().get(path).status_code == 404


def test_every_dead_link_is_answered_alike(lobby):
    (spent,), (late,) = lobby.ask(USER), lobby.ask(OTHER)
    lobby.visitor().post(spent, token="")
    lobby.pass_time(minutes=LINK_MINUTES)

    pages = [lobby.visitor().get(path) for path in (spent, late, "/portal/enter/unknown")]
    posts = [lobby.visitor().post(path, token="") for path in (spent, late, "/portal/enter/x")]

    assert {each.status_code for each in (*pages, *posts)} == {404}
    assert len({each.content for each in (*pages, *posts)}) == 1


def test_a_link_lives_for_a_quarter_of_an_hour(lobby):
    (path,) = lobby.ask(USER)
    lobby.pass_time(seconds=LINK_MINUTES * 60 - 1)

    assert lobby.visitor().post(path, token="").status_code == 303


def test_a_session_ends_when_nothing_is_asked_and_in_any_case(lobby):
    idle, busy = lobby.signed_in(USER), lobby.signed_in(OTHER)
    lobby.pass_time(seconds=IDLE_MINUTES * 60 - 1)
    assert is_in(busy)
    lobby.pass_time(seconds=1)

    assert not is_in(idle)
    for _ in range(SESSION_HOURS * 3):
        lobby.pass_time(minutes=20)
        is_in(busy)
    assert not is_in(busy)


def test_the_cookie_is_for_this_host_over_https_alone_and_out_of_reach_of_scripts(lobby):
    (path,) = lobby.ask(USER)
    header = lobby.visitor().post(path, token="").headers["set-cookie"]

    assert header.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in header


def test_a_session_that_was_planted_is_not_the_one_that_somebody_gets(lobby):
    """Session fixation."""
    attacker, victim = lobby.signed_in(OTHER), lobby.visitor()
    planted = attacker.session
    victim.client.cookies.set(COOKIE, planted, domain="leaving.vendor.example")
    (path,) = lobby.ask(USER)

    victim.post(path, token="")

    assert victim.session != planted
    assert not is_in(attacker)  # what the browser had before is closed


def test_whoever_signs_out_is_out_everywhere_that_session_was(lobby):
    visitor = lobby.signed_in()
    secret = visitor.session

    answer = visitor.post("/portal/sign-out")
    visitor.client.cookies.set(COOKIE, secret, domain="leaving.vendor.example")

    assert (answer.status_code, answer.headers["location"]) == (303, SIGN_IN)
    assert not is_in(visitor)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_another_site_lets_nobody_ask_or_get_in(lobby, origin):
    (path,) = lobby.ask(USER)
    visitor = lobby.visitor()

    asked = visitor.post(SIGN_IN, {"address": OTHER}, origin=origin, token="")
    entered = visitor.post(path, origin=origin, token="")

    assert (asked.status_code, entered.status_code) == (403, 403)
    assert waiting(lobby) == ()
    assert visitor.post(path, token="").status_code == 303  # it was not spent


def test_one_person_is_sent_so_many_links_within_an_hour(lobby):
    """Nobody's mailbox is filled by a stranger, and nothing is told to the stranger."""
    sent = [len(lobby.ask(USER)) for _ in range(LINKS_MAX + 2)]
    other = len(lobby.ask(OTHER))
    lobby.pass_time(minutes=60)

    assert sum(sent) == LINKS_MAX
    assert other == 1
    assert len(lobby.ask(USER)) == 1


@pytest.mark.parametrize("guess", ["A" * 43, "..", "%2e%2e", "é", "' OR 1=1"])
def test_guessing_gets_nobody_in(lobby, guess):
    lobby.ask(USER)
    visitor = lobby.visitor()
    visitor.client.cookies.set(COOKIE, sha256(guess.encode()).hexdigest())

    assert visitor.post(f"/portal/enter/{guess}", token="").status_code in (404, 405, 307)
    assert not is_in(visitor)


def test_an_address_that_changes_ends_links_and_sessions(lobby):
    """Whoever has the old mailbox is not that person any more."""
    visitor, (path,) = lobby.signed_in(), lobby.ask(USER)

    lobby.change("acme-user", email="new@acme.example")

    assert not is_in(visitor)
    assert lobby.visitor().post(path, token="").status_code == 404


def test_somebody_who_is_erased_is_nobody_and_signed_out(lobby):
    """L30."""
    visitor, (path,) = lobby.signed_in(), lobby.ask(USER)
    with lobby.world.store.transaction() as transaction:
        transaction.forget("acme", member="acme-user", at=lobby.world.now)

    assert visitor.get().headers["location"] == SIGN_IN
    assert lobby.visitor().post(path, token="").status_code == 404
    assert lobby.ask(USER) == []


def test_somebody_who_has_lost_all_access_gets_in(lobby):
    """B9."""
    lobby.world.run_until(EXPIRED.add(hours=24 * 100))

    assert is_in(lobby.signed_in())


def test_nothing_is_sent_to_a_mailbox_that_does_not_exist(lobby):
    lobby.world.run_until(EXPIRED)
    with lobby.world.store.transaction() as transaction:
        (first, *_) = transaction.deliveries_to("acme", member="acme-user", limit=1)
        bounced = replace(first, status=DeliveryStatus.BOUNCED, reason="5.1.1")
        transaction.save_deliveries([bounced], at=lobby.world.now)

    assert lobby.ask(USER) == []
    assert len(lobby.ask(ADMIN)) == 1


@pytest.mark.parametrize("trouble", [MailerUnavailable(reason="down"), SendOutcomeUnknown()])
def test_what_could_not_be_sent_is_sent_in_the_next_round_and_holds_up_nobody(lobby, trouble):
    lobby.world.mail.fail(USER, trouble)
    for address in (USER, OTHER):
        lobby.visitor().post(SIGN_IN, {"address": address}, token="")

    with pytest.raises(MailerUnavailable):
        send_entrances(lobby.context)
    assert (waiting(lobby), len(lobby.world.mail.sent)) == ((USER,), 1)
    lobby.world.mail.recover(USER)

    assert send_entrances(lobby.context) == 1
    assert waiting(lobby) == ()


def test_what_is_refused_is_not_tried_again(lobby):
    lobby.world.mail.fail(USER, MessageRefused(reply="550"))

    assert lobby.ask(USER) == []
    assert waiting(lobby) == ()


def test_whoever_is_in_several_organizations_chooses(lobby):
    lobby.change("beta-user", "beta", email="User@ACME.example")
    visitor = lobby.signed_in()
    assert "beta Ltd" in visitor.get().text

    answer = visitor.post("/portal/place", {"organization": "beta", "member": "beta-user"})

    assert answer.status_code == 303
    assert '<p class="under">beta Ltd</p>' in visitor.get().text


@pytest.mark.parametrize(
    ("organization", "member"), [("beta", "beta-user"), ("acme", "acme-admin"), ("", "")]
)
def test_nobody_chooses_a_place_of_others(lobby, organization, member):
    visitor = lobby.signed_in()

    answer = visitor.post("/portal/place", {"organization": organization, "member": member})

    assert answer.status_code == 404
    assert '<p class="under">acme Ltd</p>' in visitor.get().text


def test_nobody_is_led_to_another_site(lobby):
    """Open redirect."""
    evil = "//evil.example"
    visitor = lobby.signed_in()
    for path in (f"/portal?done={evil}", f"/portal/help?to={evil}", f"/portal/sign-in?to={evil}"):
        assert "evil.example" not in visitor.get(path).text
    (path,) = lobby.ask(USER)

    led = visitor.post(f"{path}?to={evil}", {"to": evil}, token="")

    assert led.headers["location"] == "/portal"


def test_no_secret_and_no_address_is_in_the_store(lobby):
    visitor, (path,) = lobby.signed_in(), lobby.ask(USER)
    secrets = (visitor.session, path.rpartition("/")[2])

    with lobby.world.store.reading() as transaction:
        kept = repr((transaction.tables.portal_links, transaction.tables.portal_sessions))

    assert not any(secret in kept for secret in secrets)
    assert USER not in kept


def test_an_owner_who_was_removed_does_not_look_after_the_organization_any_more(lobby):
    lobby.change("acme-user", roles=frozenset({Role.ADMIN}), removed_at=lobby.world.now)

    assert lobby.signed_in().get("/portal/organization").status_code == 404
