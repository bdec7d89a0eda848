"""Who gets into the console by way of a provider of identities, and who does not."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from offramp.core.operator import OperatorRole
from offramp.engine.operators import add_operator, disable_operator, invite_again
from offramp.engine.single_sign_on import JOURNEY_MINUTES
from offramp.ports import Happening
from offramp.testing.identity import PLACE, MemoryIdentities
from tests.unit.web.office import COOKIE, PASSWORD, PUBLIC, Office

ADDRESS = "sam@vendor.example"
WAY = "__Host-offramp-console-way"
OUT, BACK = "/console/sign-in/elsewhere", "/console/sign-in/back"


@pytest.fixture
def provider():
    return MemoryIdentities()


@pytest.fixture
def office(provider):
    office = Office(provider=provider)
    add_operator(office.context, name="Sam", address=ADDRESS, role=OperatorRole.SUPPORT)
    return office


def leave(browser, to="/console"):
    """Send a browser to the provider, and give the state that it carries."""
    answer = browser.get(OUT, params={"to": to})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{PLACE}/authorize?")
    return parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]


def come_back(browser, **shown):
    return browser.get(BACK, params=shown)


def sign_in(browser, provider, subject="sub-1", address=ADDRESS, *, to="/console"):
    state = leave(browser, to)
    return come_back(browser, state=state, code=provider.let(state, subject, address))


def is_in(browser):
    return browser.get("/console").status_code == 200


def is_kept_out(answer, browser):
    assert answer.status_code == 403
    assert "You were not let in" in answer.text
    assert 'name="password"' in answer.text
    return not is_in(browser)


@pytest.fixture
def told(office):
    """Give what was told, line by line."""
    return office.world.trace


def reasons(told):
    return [line.partition("reason=")[2] for line in told if f" {Happening.KEPT_OUT} " in line]


def test_an_operator_gets_in_who_has_shown_elsewhere_who_they_are(office, provider):
    browser = office.browser()

    page = browser.get("/console/sign-in", params={"to": "/console/cases"})
    answer = sign_in(browser, provider, to="/console/cases")

    assert "Sign in with Vendor Accounts" in page.text
    assert f"{OUT}?to=/console/cases" in page.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/cases")
    assert is_in(browser)
    assert "Sam" in browser.get("/console").text


def test_the_cookie_of_a_way_is_kept_from_scripts_and_is_gone_when_it_is_over(office, provider):
    browser = office.browser()
    out = browser.get(OUT)
    state = parse_qs(urlsplit(out.headers["location"]).query)["state"][0]

    kept = browser.client.cookies[WAY]
    come_back(browser, state=state, code=provider.let(state, "sub-1", ADDRESS))

    cookie = out.headers["set-cookie"].lower()
    assert all(word in cookie for word in ("httponly", "secure", "samesite=lax", "path=/"))
    assert state not in kept
    assert browser.client.cookies.get(WAY) is None


def test_after_the_first_time_the_name_counts_that_the_provider_gives_them(office, provider):
    sign_in(office.browser(), provider, "sub-1")
    renamed, stranger = office.browser(), office.browser()

    sign_in(renamed, provider, "sub-1", "sam.married@vendor.example")
    sign_in(stranger, provider, "sub-2", "sam.married@vendor.example")

    assert "Sam" in renamed.get("/console").text
    assert not is_in(stranger)
    assert len(office.ledger("identity-linked")) == 1


def test_whoever_was_known_gets_in_although_no_address_is_vouched_for_any_more(office, provider):
    sign_in(office.browser(), provider)
    browser = office.browser()

    sign_in(browser, provider, address=None)

    assert is_in(browser)


@pytest.mark.parametrize(
    ("subject", "address", "reason"),
    [
        ("sub-9", "nobody@vendor.example", "unknown"),
        ("sub-9", None, "unverified"),
        ("sub-9", ADDRESS, "another"),
    ],
)
def test_nobody_else_gets_in_and_nobody_becomes_an_operator(
    office, provider, told, subject, address, reason
):
    sign_in(office.browser(), provider)
    browser = office.browser()

    answer = sign_in(browser, provider, subject, address)

    assert is_kept_out(answer, browser)
    assert reasons(told) == [reason]
    (refused,) = office.ledger("sign-in-refused")
    assert refused.detail == {"reason": reason}
    with office.world.store.transaction() as transaction:
        assert len(transaction.operators()) == 1


@pytest.mark.parametrize("is_known", [True, False])
def test_who_is_disabled_stays_out(office, provider, told, is_known):
    office.hire(OperatorRole.ADMIN)
    if is_known:
        sign_in(office.browser(), provider)
    disable_operator(office.context, ADDRESS)
    browser = office.browser()

    answer = sign_in(browser, provider)

    assert is_kept_out(answer, browser)
    assert reasons(told) == ["disabled"]
    assert not office.ledger("identity-linked")[1 if is_known else 0 :]


def test_every_refusal_is_told_in_the_same_words_and_names_nobody(office, provider, told):
    sign_in(office.browser(), provider)
    answers = [
        sign_in(office.browser(), provider, *who)
        for who in (("sub-9", "nobody@vendor.example"), ("sub-9", None), ("sub-9", ADDRESS))
    ]
    answers.append(come_back(office.browser(), state="x", code="y"))

    assert len({answer.text for answer in answers}) == 1
    on_record = str(told) + str(office.ledger("sign-in-refused", "identity-linked", "signed-in"))
    assert not any(word in on_record for word in ("vendor.example", "sub-1", "sub-9", "Sam"))


def test_a_browser_that_was_not_sent_there_does_not_get_in(office, provider, told):
    """No login is planted: whoever has shown who they are gets in where they began alone."""
    thief, victim = office.browser(), office.browser()
    state = leave(thief)
    code = provider.let(state, "sub-1", ADDRESS)

    without_any = come_back(victim, state=state, code=code)
    leave(victim)
    with_its_own = come_back(victim, state=state, code=code)

    assert is_kept_out(without_any, victim)
    assert is_kept_out(with_its_own, victim)
    assert reasons(told) == ["strayed", "strayed"]
    assert provider.asked == 0


@pytest.mark.parametrize(
    "kept",
    ["", "x", "x.y.z", "x.1.é", "a.1722502800", "a.99999999999999999999.L2NvbnNvbGU=", "a.²."],
)
def test_what_no_way_of_ours_has_left_in_a_browser_leads_nowhere(office, provider, told, kept):
    browser = office.browser()
    browser.client.cookies.set(WAY, kept.encode("ascii", "replace").decode())

    answer = come_back(browser, state="", code="code")

    assert is_kept_out(answer, browser)
    assert reasons(told) == ["strayed"]


@pytest.mark.parametrize(("minutes", "gets_in"), [(-1, True), (0, False)])
def test_a_way_ends_after_ten_minutes(office, provider, minutes, gets_in):
    browser = office.browser()
    state = leave(browser)
    code = provider.let(state, "sub-1", ADDRESS)

    office.world.lie_still_until(office.world.now.add(minutes=JOURNEY_MINUTES + minutes))
    come_back(browser, state=state, code=code)

    assert is_in(browser) == gets_in


def test_a_way_cannot_be_made_younger_by_whoever_has_its_cookie(office, provider, told):
    browser = office.browser()
    state = leave(browser)
    code = provider.let(state, "sub-1", ADDRESS)
    secret, begun_at, to = browser.client.cookies[WAY].strip('"').split(".")
    browser.client.cookies.clear()
    browser.client.cookies.set(WAY, f"{secret}.{int(begun_at) - 60}.{to}")

    answer = come_back(browser, state=state, code=code)

    assert is_kept_out(answer, browser)
    assert reasons(told) == ["strayed"]


def test_a_way_leads_here_once_whatever_the_provider_lets_pass(office, provider, told):
    browser = office.browser()
    state = leave(browser)
    kept = browser.client.cookies[WAY]
    come_back(browser, state=state, code=provider.let(state, "sub-1", ADDRESS))
    again = office.browser()
    again.client.cookies.set(WAY, kept.strip('"'))

    answer = come_back(again, state=state, code=provider.let(state, "sub-1", ADDRESS))

    assert is_kept_out(answer, again)
    assert reasons(told) == ["spent"]


def test_a_code_that_was_used_proves_nothing(office, provider, told):
    browser = office.browser()
    state = leave(browser)
    kept, code = browser.client.cookies[WAY], provider.let(state, "sub-1", ADDRESS)
    come_back(browser, state=state, code=code)
    again = office.browser()
    again.client.cookies.set(WAY, kept.strip('"'))

    answer = come_back(again, state=state, code=code)

    assert is_kept_out(answer, again)
    assert reasons(told) == ["unproven"]


def test_whoever_declines_to_show_who_they_are_is_asked_again(office, told):
    browser = office.browser()
    state = leave(browser)

    answer = come_back(browser, state=state, error="access_denied", error_description="<b>no</b>")

    assert is_kept_out(answer, browser)
    assert "access_denied" not in answer.text
    assert reasons(told) == ["declined"]


@pytest.mark.parametrize(
    "to",
    ["https://evil.example", "//evil.example", "/console/../v1", "/\\evil.example", "", "/x" * 999],
)
def test_coming_back_leads_to_the_console_and_nowhere_else(office, provider, to):
    answer = sign_in(office.browser(), provider, to=to)

    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


def test_where_somebody_is_led_cannot_be_changed_on_the_way(office, provider):
    browser = office.browser()
    state = leave(browser)
    secret, begun_at, _ = browser.client.cookies[WAY].strip('"').split(".")
    browser.client.cookies.clear()
    browser.client.cookies.set(WAY, f"{secret}.{begun_at}.aHR0cHM6Ly9ldmlsLmV4YW1wbGU=")

    answer = come_back(browser, state=state, code=provider.let(state, "sub-1", ADDRESS))

    assert is_kept_out(answer, browser)


def test_a_session_begins_anew_and_the_one_of_before_ends(office, provider):
    office.hire(OperatorRole.ADMIN)
    browser, old = office.signed_in(), office.browser()
    old.client.cookies.set(COOKIE, browser.session)
    planted = office.browser()
    planted.client.cookies.set(COOKIE, "planted", domain="offramp.vendor.example")

    sign_in(browser, provider)
    sign_in(planted, provider)

    assert is_in(browser)
    assert not is_in(old)
    assert len({"planted", *(c.value for c in planted.client.cookies.jar)}) == 2
    assert not is_in_with(office, "planted")


def is_in_with(office, session):
    browser = office.browser()
    browser.client.cookies.set(COOKIE, session)
    return is_in(browser)


def test_while_the_provider_is_down_the_page_says_so_and_passwords_are_taken(
    office, provider, told
):
    office.hire(OperatorRole.ADMIN)
    browser = office.browser()
    state = leave(browser)
    provider.is_down = True

    out, back = browser.get(OUT), come_back(browser, state=state, code="code")

    for answer in (out, back):
        assert answer.status_code == 503
        assert "does not answer" in answer.text
        assert 'name="password"' in answer.text
    assert sum(f" {Happening.UNAVAILABLE} error=IdentityUnavailable" in line for line in told) == 2
    assert is_in(office.signed_in())


def test_whoever_has_another_account_elsewhere_comes_in_after_an_operator_says_so(office, provider):
    sign_in(office.browser(), provider, "sub-1")
    invite_again(office.context, ADDRESS)
    old, new = office.browser(), office.browser()

    sign_in(new, provider, "sub-2")
    sign_in(old, provider, "sub-1")

    assert is_in(new)
    assert not is_in(old)


def test_a_new_provider_finds_operators_by_their_addresses_anew(office, provider):
    with office.world.store.transaction() as transaction:
        found = transaction.operator_at(ADDRESS)
        transaction.link_identity(found.id, issuer="https://old.example", subject="sub-1")
    browser = office.browser()

    sign_in(browser, provider, "sub-7")

    assert is_in(browser)


def test_where_passwords_are_off_nobody_gets_in_or_comes_by_one(provider):
    office = Office(provider=provider, takes_passwords=False)
    invited = add_operator(office.context, name="Sam", address=ADDRESS, role=OperatorRole.SUPPORT)
    with office.world.store.transaction() as transaction:
        found = transaction.operator_at(ADDRESS)
        transaction.save_operator(replace(found, password=office.passwords.hash(PASSWORD)))
    browser = office.browser()

    page = browser.get("/console/sign-in").text
    answers = [browser.sign_in(ADDRESS), browser.post(f"/{invited.path}", token="")]
    sign_in(browser, provider)
    account = browser.get("/console/account").text
    fields = {"zone": "Asia/Tokyo", "password": "seven boats under a low bridge"}
    browser.post("/console/account", fields | {"present": PASSWORD})

    assert "password" not in page + account
    assert {answer.status_code for answer in answers} <= {404, 405}
    assert "Tokyo" in browser.get("/console").text
    assert [event.kind for event in office.ledger("password-set")] == []


def test_below_a_path_the_button_leads_below_it(provider):
    office = Office(provider=provider, public_address=f"{PUBLIC}/leaving")

    page = office.browser().get("/console/sign-in").text

    assert f'href="/leaving{OUT}?to=/console"' in page
