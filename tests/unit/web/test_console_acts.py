"""What operators do with one organization in the console, and what is on record of it."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.operator import OperatorRole
from offramp.engine import arming
from offramp.engine.brake import place_hold, set_daily_cap
from tests.unit.web.office import filled_office

PAGE = "/console/organizations/acme"
AFTER = Instant.from_utc(2024, 9, 3)
LATER = {"until": "2031-01-31"}
CONFIRMED = {"typed": "acme"}


@pytest.fixture
def office():
    return filled_office("acme", "beta")


@pytest.fixture
def browser(office):
    return office.signed_in(OperatorRole.OPERATOR)


def do(browser, act, fields=None):
    return browser.post(f"{PAGE}/{act}", fields)


def ask(office, question):
    with office.world.store.transaction() as transaction:
        return question(transaction)


def actors(office, kind):
    return {event.actor for event in office.ledger(kind)}


def operator_id(office):
    (found,) = [o for o in ask(office, lambda t: t.operators()) if o.role.value == "operator"]
    return f"operator:{found.id}"


def pool_ends(office):
    return [pool.ends for pool in ask(office, lambda t: t.pools("acme"))]


def test_a_hold_is_placed_in_the_operators_name_and_on_record_by_their_id(office, browser):
    answer = do(browser, "hold", {"reason": "dispute <4711>"})
    page = browser.get(answer.headers["location"])

    (hold,) = ask(office, lambda t: t.holds("acme"))
    assert (hold.owner, hold.reason) == ("Operator", "dispute <4711>")
    assert actors(office, "hold-placed") == {operator_id(office)}
    assert "Held: nothing of it is deleted" in page.text
    assert "dispute &lt;4711&gt;" in page.text


def test_a_hold_is_released_once_the_id_was_typed(office, browser):
    do(browser, "hold", {"reason": "dispute"})
    (hold,) = ask(office, lambda t: t.holds("acme"))

    refused = do(browser, "release", {"hold": hold.id, "typed": "beta"})
    still = ask(office, lambda t: t.holds("acme"))[0].is_active(office.world.now)
    done = do(browser, "release", {"hold": hold.id, **CONFIRMED})

    assert (refused.status_code, still, done.status_code) == (422, True, 303)
    assert not ask(office, lambda t: t.holds("acme"))[0].is_active(office.world.now)
    assert actors(office, "hold-released") == {operator_id(office)}


def test_a_hold_on_somebody_else_is_not_released_by_typing_this_id(office, browser):
    hold = place_hold(office.context, "beta", owner="Olga", reason="dispute")

    answer = do(browser, "release", {"hold": hold.id, **CONFIRMED})

    assert answer.status_code == 404
    assert ask(office, lambda t: t.holds("beta"))[0].is_active(office.world.now)


def test_an_unlock_gives_access_back_for_so_many_hours(office, browser):
    answer = do(browser, "unlock", {"reason": "last look", "hours": "3"})

    (unlock,) = ask(office, lambda t: t.unlocks("acme"))
    assert answer.status_code == 303
    assert unlock.ends_at == office.world.now.add(hours=3)
    assert actors(office, "unlock-granted") == {operator_id(office)}


@pytest.mark.parametrize("hours", ["0", "169", "-1", "1.5", "", "many", "٣", "99999999999"])
def test_hours_that_are_none_are_refused(office, browser, hours):
    assert do(browser, "unlock", {"reason": "x", "hours": hours}).status_code == 422
    assert ask(office, lambda t: t.unlocks("acme")) == ()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "two\nlines", "a\x00b"])
def test_a_reason_that_is_none_is_refused(office, browser, reason):
    assert do(browser, "hold", {"reason": reason}).status_code == 422
    assert ask(office, lambda t: t.holds("acme")) == ()


@pytest.mark.parametrize("act", ["renew", "extend"])
def test_an_end_moves_to_a_later_day(office, browser, act):
    answer = do(browser, act, LATER)

    assert answer.status_code == 303
    assert pool_ends(office) == [Date(2031, 1, 31)]
    kind = "offboarding-moved" if act == "extend" else "offboarding-canceled"
    assert actors(office, kind) == {operator_id(office)}
    assert ">Operator</td>" in browser.get(PAGE).text


@pytest.mark.parametrize("until", ["", "tomorrow", "2031-02-30", "0001-01-01", "2024-08-01"])
def test_an_end_that_is_none_or_not_later_is_told_and_changes_nothing(office, browser, until):
    answer = do(browser, "renew", {"until": until})

    assert answer.status_code in (409, 422)
    assert "That was not done" in answer.text
    assert pool_ends(office) == [Date(2024, 8, 30)]


@pytest.fixture
def expired():
    """Give an office whose acme is in its grace, and the browser of an operator."""
    office = filled_office("acme", policy="edit-only-grace")
    office.world.run_until(AFTER)
    return office, office.signed_in(OperatorRole.OPERATOR)


def test_who_has_left_comes_back_with_everything(expired):
    """B4."""
    office, browser = expired
    before = browser.get(PAGE).text

    answer = do(browser, "reactivate", LATER)
    page = browser.get(answer.headers["location"]).text

    assert answer.status_code == 303
    assert "Reactivated: it is back" in page
    assert before.count("Expired") > page.count("Expired")
    assert pool_ends(office) == [Date(2031, 1, 31)]
    assert operator_id(office) in actors(office, "offboarding-canceled")


def test_who_has_not_left_cannot_come_back_and_is_told_what_helps(office, browser):
    answer = do(browser, "reactivate", LATER)

    assert answer.status_code == 409
    assert "Nothing of acme is being off-boarded" in answer.text
    assert "What may help" in answer.text
    assert pool_ends(office) == [Date(2024, 8, 30)]


def test_messages_that_were_lost_go_out_again(office, browser):
    office.world.run_until(Instant.from_utc(2024, 8, 20))
    browser = office.signed_in(OperatorRole.OPERATOR)

    nothing = do(browser, "resend", {"which": "lost"})
    everything = do(browser, "resend", {"which": "all"})

    assert (nothing.status_code, everything.status_code) == (409, 303)
    assert actors(office, "messages-asked-again") == {operator_id(office)}


def test_what_was_given_up_is_put_back_once_the_id_was_typed(office, browser):
    office.world.run_until(AFTER.add(hours=24 * 10))
    browser = office.signed_in(OperatorRole.OPERATOR)
    page = browser.get(PAGE).text

    refused, done = do(browser, "retry"), do(browser, "retry", CONFIRMED)

    assert "given up" in page
    assert (refused.status_code, done.status_code) == (422, 303)
    assert actors(office, "offboarding-put-back") == {operator_id(office)}


def test_who_is_exempt_is_put_back_once_the_id_was_typed(office, browser):
    do(browser, "exempt")
    assert ask(office, lambda t: t.is_exempt("acme"))

    refused, done = do(browser, "put-back"), do(browser, "put-back", CONFIRMED)

    assert (refused.status_code, done.status_code) == (422, 303)
    assert not ask(office, lambda t: t.is_exempt("acme"))
    assert actors(office, "exemption-ended") == {operator_id(office)}


def test_a_viewer_is_offered_nothing_and_support_only_what_helps(office):
    viewer = office.signed_in(OperatorRole.VIEWER).get(PAGE).text
    support = office.signed_in(OperatorRole.SUPPORT).get(PAGE).text

    assert "you see everything and change nothing" in viewer
    assert f'action="{PAGE}/' not in viewer
    assert f'action="{PAGE}/unlock"' in support
    assert f'action="{PAGE}/hold"' not in support


def test_an_admin_pauses_everything_and_resumes_it_by_a_word(office):
    admin = office.signed_in(OperatorRole.ADMIN)

    admin.post("/console/pause")
    page = admin.get("/console").text
    refused = admin.post("/console/resume", {"typed": "yes"})
    still = ask(office, lambda t: t.is_paused())
    done = admin.post("/console/resume", {"typed": "resume"})

    assert "Everything destructive is paused" in page
    assert (refused.status_code, still, done.status_code) == (422, True, 303)
    assert not ask(office, lambda t: t.is_paused())


def test_an_approver_lets_begin_what_somebody_else_asked_for(office):
    office.world.lie_still_until(Instant.from_utc(2024, 9, 28, 20))
    asked = arming.ask(office.context, owner="Olga", reason="contract over")
    office.hire(OperatorRole.APPROVER)
    approver = office.signed_in(OperatorRole.APPROVER)
    path = f"/console/requests/{asked.id}"

    shown = approver.get("/console").text
    refused = approver.post(path, {"typed": str(asked.organizations + 1)})
    done = approver.post(path, {"typed": str(asked.organizations)})

    assert "Olga asks to delete" in shown
    assert (refused.status_code, done.status_code) == (422, 303)
    (approved,) = ask(office, lambda t: t.armings())
    assert (approved.approver, asked.organizations) == ("Approver", 2)
    (by,) = actors(office, "arming-approved")
    assert by.startswith("operator:")


def test_whoever_asked_cannot_approve_as_well(office):
    office.world.lie_still_until(Instant.from_utc(2024, 9, 28, 20))
    asked = arming.ask(office.context, owner="approver", reason="contract over")
    approver = office.signed_in(OperatorRole.APPROVER)

    answer = approver.post(f"/console/requests/{asked.id}", {"typed": "2"})

    assert answer.status_code == 409
    assert ask(office, lambda t: t.armings())[0].approver is None


def test_today_says_how_many_deletions_may_begin(office):
    set_daily_cap(office.context, 7)

    assert "At most 7 deletions begin within a day" in office.signed_in().get("/console").text


@pytest.mark.parametrize("organization", ["nobody", "a%2Fb", "%3Cscript%3E", "a%0D%0Ab"])
def test_what_is_not_there_is_told_and_never_as_markup(browser, organization):
    answer = browser.get(f"/console/organizations/{organization}")

    assert answer.status_code == 404
    assert "<script>" not in answer.text.replace("<script src", "")


def test_no_header_takes_what_somebody_wrote(office):
    """What a request says ends up in an address only after it was written as one."""
    odd = 'odd";\r\nSet-Cookie: a=b'
    office.world.store._tables.organizations[odd] = replace(
        office.world.store._tables.organizations["acme"], id=odd
    )
    admin = office.signed_in()

    answer = admin.post(
        "/console/organizations/odd%22%3B%0D%0ASet-Cookie%3A%20a%3Db/exempt",
    )

    assert answer.status_code in (303, 404)
    assert "a" not in admin.client.cookies
    assert "\n" not in answer.headers.get("location", "")


def member(office, name):
    return ask(office, lambda t: t.member("acme", name))


def test_one_member_is_held_unlocked_and_shut_out_and_nobody_else(office, browser):
    mine = {"member": "acme-user", "reason": "audit"}
    do(browser, "hold", mine)
    do(browser, "unlock", {**mine, "hours": "2"})
    do(browser, "block", mine)

    assert [hold.member for hold in ask(office, lambda t: t.holds("acme"))] == ["acme-user"]
    assert [each.member for each in ask(office, lambda t: t.unlocks("acme"))] == ["acme-user"]
    assert ask(office, lambda t: t.is_blocked("acme", member="acme-user"))
    assert not ask(office, lambda t: t.is_blocked("acme", member=None))


def test_an_organization_is_shut_out_and_let_in_again(office, browser):
    do(browser, "block", {"reason": "unpaid"})
    shut = browser.get(PAGE).text
    do(browser, "unblock", {"reason": "paid"})

    assert ">shut out<" in shut
    assert ">shut out<" not in browser.get(PAGE).text
    assert do(browser, "unblock", {"reason": "again"}).status_code == 409


def test_a_member_is_given_an_end_expires_and_is_taken_back(office, browser):
    person = {"member": "acme-user"}
    do(browser, "member-end", {**person, "until": "2024-08-20"})
    ended = member(office, "acme-user").ends
    do(browser, "member-expire", person)
    expired = member(office, "acme-user").ends
    do(browser, "member-back", person)

    assert ended == Date(2024, 8, 20)
    assert expired is not None
    assert expired != ended
    assert member(office, "acme-user").ends is None
    assert actors(office, "members-expired") == {operator_id(office)}


@pytest.mark.parametrize(
    ("act", "fields", "status"),
    [
        ("member-expire", {}, 422),
        ("member-expire", {"member": "nobody"}, 404),
        ("hold", {"reason": "x", "category": "no.such"}, 422),
        ("block", {"reason": "x", "member": "nobody"}, 404),
        ("reissue", {}, 409),
        ("revoke", {}, 409),
    ],
)
def test_what_concerns_nobody_is_refused_with_a_page(browser, act, fields, status):
    answer = do(browser, act, fields)

    assert answer.status_code == status
    assert "<h1>" in answer.text
