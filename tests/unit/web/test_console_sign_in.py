"""Who gets into the console and who does not: passwords, links, sessions, forms, addresses."""

from dataclasses import replace

import pytest

from offramp.core.operator import OperatorRole
from offramp.engine.operators import (
    LINK_MINUTES,
    LastAdmin,
    add_operator,
    disable_operator,
    invite_again,
    invite_first,
)
from offramp.engine.sign_in import (
    FAILURE_MINUTES,
    FAILURES_ALL_MAX,
    FAILURES_MAX,
    IDLE_MINUTES,
    SESSION_HOURS,
)
from offramp.testing.world import World
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from tests.unit.web.office import COOKIE, PASSWORD, PUBLIC, Office

ADDRESS = "admin@vendor.example"
OTHER_PASSWORD = "seven boats under a low bridge"


@pytest.fixture
def office():
    return Office()


@pytest.fixture
def hired(office):
    office.hire(OperatorRole.ADMIN)
    return office


def later(office, **how):
    office.world.lie_still_until(office.world.now.add(**how))


def is_in(browser):
    return browser.get("/console").status_code == 200


def test_the_first_operator_gets_in_by_a_link_and_is_an_admin(office):
    browser, path = office.browser(), f"/{invite_first(office.context).path}"
    page = browser.get(path)
    fields = {"name": "Ada", "address": "Ada@vendor.example", "password": PASSWORD, "zone": "UTC"}

    answer = browser.post(path, fields, token="")

    assert "The first operator" in page.text
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert "Ada" in browser.get("/console").text
    (added,) = office.ledger("operator-added")
    assert (added.actor, added.detail["role"]) == ("system", "admin")
    assert invite_first(office.context) is None


def test_a_first_operator_is_made_once_however_many_links_were_printed(office):
    old, new = (f"/{invite_first(office.context).path}" for _ in range(2))
    fields = {"name": "Ada", "address": ADDRESS, "password": PASSWORD}

    answers = [office.browser().post(path, fields, token="") for path in (old, new, new)]

    assert [answer.status_code for answer in answers] == [404, 303, 404]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"password": "too short"}, "fewer than 15"),
        ({"password": "a" * 20}, "repeats itself"),
        ({"password": "x" * 10 + "y" * 247}, "more than 256"),
        ({"name": " "}, "no name"),
        ({"name": "A\nB"}, "no name"),
        ({"address": "nobody"}, "no address"),
        ({"zone": "Nowhere/City"}, "not a time zone"),
    ],
)
def test_a_newcomer_is_told_what_cannot_be_taken_and_may_use_the_link_again(office, changed, told):
    browser, path = office.browser(), f"/{invite_first(office.context).path}"
    fields = {"name": "Ada", "address": ADDRESS, "password": PASSWORD}

    refused = browser.post(path, fields | changed, token="")

    assert refused.status_code == 422
    assert told in refused.text
    assert browser.session is None
    assert browser.post(path, fields, token="").status_code == 303


def test_looking_at_a_link_does_not_use_it_up_and_using_it_does(hired):
    path = f"/{invite_again(hired.context, ADDRESS).path}"
    looked = [hired.browser().get(path).status_code for _ in range(2)]
    first, second = (hired.browser().post(path, token="") for _ in range(2))

    assert (looked, first.status_code, second.status_code) == ([200, 200], 303, 404)
    assert hired.browser().get(path).status_code == 404


def test_a_link_ends_after_its_time(hired):
    path = f"/{invite_again(hired.context, ADDRESS).path}"

    later(hired, minutes=LINK_MINUTES)

    assert hired.browser().post(path, token="").status_code == 404


def test_a_link_sets_a_new_password_and_ends_every_other_session(hired):
    elsewhere = hired.signed_in()
    path = f"/{invite_again(hired.context, ADDRESS).path}"

    answer = hired.browser().post(path, {"password": OTHER_PASSWORD}, token="")

    assert answer.status_code == 303
    assert not is_in(elsewhere)
    assert hired.browser().sign_in(ADDRESS).status_code == 422
    assert hired.browser().sign_in(ADDRESS, OTHER_PASSWORD).status_code == 303


def test_somebody_invited_has_to_choose_a_password(office):
    invited = add_operator(
        office.context, name="Sam", address="sam@vendor.example", role=OperatorRole.SUPPORT
    )

    answer = office.browser().post(f"/{invited.path}", token="")

    assert answer.status_code == 422
    assert "fewer than 15" in answer.text


def test_whoever_knows_the_password_gets_in_however_the_address_is_written(hired):
    browser = hired.browser()

    answer = browser.sign_in("  Admin@VENDOR.example ")

    assert answer.status_code == 303
    assert is_in(browser)


def test_nobody_learns_whether_an_address_is_known(hired):
    """The answer, its size and what was compared are the same."""
    hired.passwords.compared.clear()
    add_operator(hired.context, name="Sam", address="sam@vendor.example", role=OperatorRole.SUPPORT)

    addresses = (ADDRESS, "nobod@vendor.example", "sam@vendor.example")
    answers = [hired.browser().sign_in(each, OTHER_PASSWORD) for each in addresses]

    pages = [a.text.replace(each, "") for a, each in zip(answers, addresses, strict=True)]
    assert {answer.status_code for answer in answers} == {422}
    assert len(set(pages)) == 1
    assert len(hired.passwords.compared) == 3


def test_too_many_tries_under_one_address_stop_the_right_password_too(hired):
    for _ in range(FAILURES_MAX):
        hired.browser().sign_in(ADDRESS, OTHER_PASSWORD)

    braked = hired.browser().sign_in(ADDRESS)
    unknown = [hired.browser().sign_in("nobod@vendor.example") for _ in range(FAILURES_MAX + 1)]
    later(hired, minutes=FAILURE_MINUTES, seconds=1)

    assert braked.status_code == 422
    assert braked.text.replace(ADDRESS, "") == unknown[-1].text.replace("nobod@vendor.example", "")
    assert hired.browser().sign_in(ADDRESS).status_code == 303
    told = [event.detail for event in hired.ledger("sign-ins-braked")]
    assert told == [{"tries": FAILURES_MAX, "is_one_address": True}] * 2


def test_too_many_tries_under_many_addresses_stop_everybody_but_not_a_link(hired):
    for number in range(FAILURES_ALL_MAX):
        hired.browser().sign_in(f"{number}@vendor.example", OTHER_PASSWORD)
    compared = len(hired.passwords.compared)

    assert hired.browser().sign_in(ADDRESS).status_code == 422
    assert len(hired.passwords.compared) == compared
    path = f"/{invite_again(hired.context, ADDRESS).path}"
    assert hired.browser().post(path, token="").status_code == 303


def test_who_gets_in_begins_to_count_anew(hired):
    for _ in range(3):
        for _ in range(FAILURES_MAX - 1):
            hired.browser().sign_in(ADDRESS, OTHER_PASSWORD)
        assert hired.browser().sign_in(ADDRESS).status_code == 303


def test_a_session_begins_with_a_secret_of_its_own(hired):
    """No fixation: what a browser shows before it signs in is worth nothing afterwards."""
    browser = hired.browser()
    browser.client.cookies.set(COOKIE, "planted", domain="offramp.vendor.example")

    browser.sign_in(ADDRESS)

    kept = [cookie.value for cookie in browser.client.cookies.jar if cookie.value != "planted"]
    assert len(kept) == 1
    planted = hired.browser()
    planted.client.cookies.set(COOKIE, "planted")
    assert not is_in(planted)


def test_signing_in_again_ends_the_session_of_before(hired):
    browser, old = hired.signed_in(), hired.browser()
    old.client.cookies.set(COOKIE, browser.session)
    assert is_in(old)

    browser.sign_in(ADDRESS)

    assert is_in(browser)
    assert not is_in(old)


def test_a_session_ends_when_it_is_idle(hired):
    browser = hired.signed_in()
    for _ in range(3):
        later(hired, minutes=IDLE_MINUTES - 1)
        assert is_in(browser)

    later(hired, minutes=IDLE_MINUTES)

    assert not is_in(browser)


def test_a_session_ends_however_busy_it_is(hired):
    browser = hired.signed_in()
    for _ in range(SESSION_HOURS * 2 - 1):
        later(hired, minutes=30)
        assert is_in(browser)

    later(hired, minutes=30)

    assert not is_in(browser)


def test_whoever_signs_out_is_out_whatever_their_browser_keeps(hired):
    browser, thief = hired.signed_in(), hired.browser()
    thief.client.cookies.set(COOKIE, browser.session)

    answer = browser.post("/console/sign-out")

    assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
    assert browser.session is None
    assert not is_in(thief)


def test_who_is_disabled_is_out_at_once_and_stays_out(hired):
    hired.hire(OperatorRole.SUPPORT)
    browser = hired.signed_in(OperatorRole.SUPPORT)

    ended = disable_operator(hired.context, "support@vendor.example")

    assert ended == 2
    assert not is_in(browser)
    assert hired.browser().sign_in("support@vendor.example").status_code == 422


def test_the_last_admin_cannot_be_disabled(hired):
    hired.hire(OperatorRole.APPROVER)

    with pytest.raises(LastAdmin):
        disable_operator(hired.context, ADDRESS)

    assert is_in(hired.signed_in())


def test_the_cookie_is_kept_from_scripts_other_hosts_and_other_sites(hired):
    answer = hired.browser().sign_in(ADDRESS)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-offramp-console=")
    told = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= told
    assert not any(part.startswith("domain") for part in told)


def test_where_there_is_no_https_the_cookie_works_all_the_same():
    world = World(Office().world.now)
    app = create_app(world.context, access_keys=AccessKeys(), passwords=Office().passwords)
    office = Office()
    office.world, office.app = world, app
    path = f"/{invite_first(world.context).path}"
    browser = office.browser()

    fields = {"name": "Ada", "address": ADDRESS, "password": PASSWORD}
    answer = browser.post(path, fields, token="")

    assert answer.headers["set-cookie"].startswith("offramp-console=")
    assert "secure" not in answer.headers["set-cookie"].lower()
    assert is_in(browser)


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "http://offramp.vendor.example", "offramp.vendor"],
)
@pytest.mark.parametrize("path", ["/console/sign-in", "/console/sign-out", "/console/account"])
def test_a_form_of_another_site_is_refused(hired, path, origin):
    browser = hired.signed_in()
    fields = {"address": ADDRESS, "password": PASSWORD, "zone": "UTC"}

    answer = browser.post(path, fields, origin=origin)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert is_in(browser)


def test_a_form_from_a_sibling_host_is_refused(hired):
    browser = hired.signed_in()
    headers = {"Origin": PUBLIC, "Sec-Fetch-Site": "same-site"}

    answer = browser.client.post(
        "/console/sign-out", data={"token": browser.token()}, headers=headers
    )

    assert answer.status_code == 403


def test_a_token_is_good_in_its_own_session_alone(hired):
    hired.hire(OperatorRole.SUPPORT)
    browser, other = hired.signed_in(), hired.signed_in(OperatorRole.SUPPORT)

    answers = [
        browser.post("/console/sign-out", token=token)
        for token in (other.token(), "", "0" * 64, "é")
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert is_in(browser)


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/console//evil.example",
        "/console/../v1/organizations",
        "/consoles",
        "javascript:alert(1)",
        "/console/\r\nSet-Cookie: a=b",
        "/console\tevil",
        "",
    ],
)
def test_signing_in_leads_to_the_console_and_nowhere_else(hired, to):
    browser = hired.browser()
    answer = browser.sign_in(ADDRESS, to=to)

    asked_again = browser.get("/console/sign-in", params={"to": to})

    for each in (answer, asked_again):
        assert (each.status_code, each.headers["location"]) == (303, "/console")
    assert "a=b" not in str(answer.headers)


def test_whoever_wanted_a_page_is_led_there_once_they_are_in(hired):
    browser = hired.browser()
    asked = browser.get("/console/account?done=saved")
    page = browser.get(asked.headers["location"])
    to = page.text.partition('name="to" value="')[2].partition('"')[0]

    answer = browser.sign_in(ADDRESS, to=to)

    assert asked.status_code == 303
    assert answer.headers["location"] == "/console/account?done=saved"


def test_every_page_says_what_a_browser_may_do_with_it(hired):
    for answer in (hired.browser().get("/console/sign-in"), hired.signed_in().get("/console")):
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<style" not in answer.text
        assert " style=" not in answer.text
        assert "<script>" not in answer.text


def test_an_operator_sets_their_zone_and_password_and_is_signed_out_elsewhere(hired):
    browser, elsewhere = hired.signed_in(), hired.signed_in()

    answer = browser.post(
        "/console/account",
        {"zone": "Pacific/Auckland", "password": OTHER_PASSWORD, "present": PASSWORD},
    )

    assert answer.headers["location"] == "/console/account?done=saved"
    assert "Auckland" in browser.get("/console").text
    assert not is_in(elsewhere)
    assert hired.browser().sign_in(ADDRESS, OTHER_PASSWORD).status_code == 303


@pytest.mark.parametrize("present", ["", OTHER_PASSWORD])
def test_a_browser_that_was_left_open_gets_no_new_password(hired, present):
    browser = hired.signed_in()
    fields = {"zone": "Asia/Tokyo", "password": OTHER_PASSWORD, "present": present}

    answers = [browser.post("/console/account", fields) for _ in range(FAILURES_MAX + 1)]
    braked = browser.post("/console/account", fields | {"present": PASSWORD})

    assert {answer.status_code for answer in [*answers, braked]} == {422}
    assert "not your present password" in answers[0].text
    assert "Tokyo" not in browser.get("/console").text
    later(hired, minutes=FAILURE_MINUTES, seconds=1)
    assert hired.browser().sign_in(ADDRESS).status_code == 303


def test_a_hash_of_less_effort_is_renewed_when_its_password_comes(hired):
    with hired.world.store.transaction() as transaction:
        operator = transaction.operator_at(ADDRESS)
        transaction.save_operator(replace(operator, password=f"weak 1 {PASSWORD}"))

    hired.signed_in()

    with hired.world.store.transaction() as transaction:
        assert transaction.operator_at(ADDRESS).password.startswith("plain ")


def test_everything_that_lets_in_and_out_is_on_record_without_a_name(hired):
    browser = hired.signed_in()
    browser.post("/console/sign-out")

    kinds = ("operator-added", "password-set", "signed-in", "signed-out")
    events = hired.ledger(*kinds)

    assert [event.kind for event in events] == [
        "operator-added",
        "password-set",
        "signed-in",
        "signed-in",
        "signed-out",
    ]
    assert {event.actor for event in events[1:]} == {f"operator:{events[0].detail['operator']}"}
    assert "vendor.example" not in str(events)


def test_a_program_that_asks_for_a_part_is_told_to_load_the_page(office):
    answer = office.browser().get("/console", headers={"HX-Request": "true"})

    assert answer.status_code == 204
    assert answer.headers["hx-redirect"].startswith("/console/sign-in?to=")


def test_below_a_path_every_link_and_every_way_on_leads_below_it():
    office = Office(public_address=f"{PUBLIC}/leaving")
    browser = office.signed_in()

    page = browser.get("/console").text
    asked = office.browser().get("/console/account")

    assert 'href="/leaving/console/organizations"' in page
    assert 'src="/leaving/console/static/console.js?' in page
    assert '"/console' not in page
    assert asked.headers["location"].startswith("/leaving/console/sign-in?to=%2Fconsole%2Faccount")
