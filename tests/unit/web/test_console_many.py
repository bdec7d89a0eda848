"""Acts on many organizations in the console: chosen, looked at, asked for, approved, done."""

import re
from dataclasses import replace
from html import unescape

import pytest
from whenever import Date

from offramp.core.operator import OperatorRole
from offramp.engine.brake import place_hold
from offramp.engine.bulk_work import carry_out_acts
from offramp.engine.offboarding import renew
from offramp.testing.world import SMALL_CHUNKS
from tests.unit.web.office import filled_office

LIST = "/console/organizations"
MANY = "/console/many"
CROWD = ("acme", "beta", "core")
EXTEND = {"act": "extend", "reason": "merger <4711>", "until": "2031-01-31"}
LATER = Date(2031, 1, 31)


@pytest.fixture
def office():
    return filled_office(*CROWD, limits=replace(SMALL_CHUNKS, acts_alone_max=2))


@pytest.fixture
def olga(office):
    return office.signed_in(OperatorRole.OPERATOR)


@pytest.fixture
def anna(office):
    return office.signed_in(OperatorRole.APPROVER)


@pytest.fixture(scope="module")
def bystander():
    """Somebody in an office where nothing is changed."""
    return filled_office(*CROWD).signed_in(OperatorRole.OPERATOR)


def look(browser, fields=EXTEND, *, chosen=CROWD):
    return browser.post(f"{MANY}/look", {**fields, "chosen": list(chosen)})


def shown(page):
    """Give the fields that a page of what was looked at would send."""
    form = page.text.partition('action="/console/many"')[2].partition("</form>")[0]
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in fields if name != "token"}


def ask(browser, fields=EXTEND, *, chosen=CROWD):
    """Look, and send what was shown; gives where that leads."""
    answer = browser.post(MANY, shown(look(browser, fields, chosen=chosen)))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def ends(office):
    with office.world.store.transaction() as transaction:
        return [transaction.pools(each)[0].ends for each in CROWD]


def test_organizations_can_be_ticked_by_whoever_may_do_something_to_them(office, olga):
    theirs = olga.get(LIST).text
    viewers = office.signed_in(OperatorRole.VIEWER).get(LIST).text
    supports = office.signed_in(OperatorRole.SUPPORT).get(LIST).text

    assert theirs.count('type="checkbox" form="many"') == 3
    assert "Look at all that are found" in theirs
    assert 'form="many"' not in viewers
    assert ("Send again:" in supports, "Extend:" in supports) == (True, False)


def test_what_would_happen_to_each_is_shown_and_nothing_is_changed(office, olga):
    with office.world.store.transaction() as transaction:
        transaction.put_pools([replace(transaction.pools("beta")[0], ends=Date(2032, 1, 1))])

    page = look(olga).text

    assert "Extend: 2 organizations" in page
    assert "acme-notes: 2031-01-31 in place of 2024-08-30" in page
    assert "The new end 2031-01-31 is not later" in page.partition("Who is left out")[2]
    assert "merger &lt;4711&gt;" in page
    assert ends(office)[0] == Date(2024, 8, 30)


def test_few_are_done_at_once_by_one_person(office, olga):
    place = ask(olga, chosen=CROWD[:2])
    page = olga.get(place).text

    assert ends(office) == [LATER, LATER, Date(2024, 8, 30)]
    assert page.count(">done</span>") == 3  # both, and the whole


def test_many_wait_for_somebody_else_who_types_how_many(office, olga, anna):
    place = ask(olga)
    before = ends(office)
    mine, theirs = olga.get(place).text, anna.get(place).text

    refused = anna.post(f"{place}/approve", {"typed": "2"})
    approved = anna.post(f"{place}/approve", {"typed": "3"})
    page = anna.get(approved.headers["location"]).text
    carry_out_acts(office.context)
    done = anna.get(place).text

    assert before == [Date(2024, 8, 30)] * 3
    assert ("You asked for it" in mine, ">Approve<" in theirs) == (True, True)
    assert (refused.status_code, approved.status_code) == (422, 303)
    assert "being done" in page
    assert "3 to go" in page
    assert ends(office) == [LATER] * 3
    assert "hx-get" not in done
    assert "approved by Approver" in done


def test_whoever_asks_does_not_approve(office):
    browser = office.signed_in(OperatorRole.ADMIN)
    place = ask(browser)

    answer = browser.post(f"{place}/approve", {"typed": "3"})

    assert answer.status_code == 409
    assert "approved by somebody else" in answer.text
    assert ends(office) == [Date(2024, 8, 30)] * 3


def test_what_waits_is_told_on_the_first_page_and_in_the_list(olga, anna):
    assert "Nothing was done to many at once" in anna.get(MANY).text

    place = ask(olga)

    assert f'href="{place}"' in anna.get("/console").text
    listed = anna.get(MANY).text
    assert "Extend: 3 organizations" in listed
    assert "waits for approval" in listed


def test_a_request_that_nobody_approved_in_time_says_so(office, olga):
    place = ask(olga)
    office.world.lie_still_until(office.world.now.add(hours=24))

    page = office.signed_in(OperatorRole.APPROVER).get(place).text

    assert "not approved in time" in page
    assert ">Approve<" not in page


def test_what_has_changed_since_it_was_looked_at_is_not_done(office, olga, anna):
    fields = shown(look(olga))
    place = ask(olga)
    renew(office.context, "beta", until=Date(2030, 1, 1))

    asked, approved = olga.post(MANY, fields), anna.post(f"{place}/approve", {"typed": "3"})

    assert (asked.status_code, approved.status_code) == (409, 409)
    assert "has changed since they were looked at" in asked.text


@pytest.mark.parametrize("change", [{"until": "2031-02-01"}, {"act": "renew"}, {"reason": "other"}])
def test_nothing_else_is_done_than_what_was_looked_at(office, olga, change):
    assert olga.post(MANY, {**shown(look(olga)), **change}).status_code == 409
    assert ends(office) == [Date(2024, 8, 30)] * 3


def test_all_that_are_found_are_meant_by_what_was_searched_for(olga):
    page = olga.post(f"{MANY}/look", {**EXTEND, "all": "all", "text": "ac"}).text

    assert "Extend: 1 organization<" in page


def test_a_release_needs_a_second_person_however_few_they_are(office, olga):
    place_hold(office.context, "acme", owner="Olga", reason="dispute")

    page = look(olga, {"act": "release", "reason": "settled", "held_for": "dispute"}).text

    assert "Release: 1 organization<" in page
    assert "A deletion may go on because of it" in page


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({**EXTEND, "act": "erase"}, 422),
        ({**EXTEND, "act": ""}, 422),
        ({**EXTEND, "reason": ""}, 422),
        ({**EXTEND, "until": ""}, 422),
        ({**EXTEND, "days": "5"}, 422),
        ({"act": "extend", "reason": "x", "days": "0"}, 422),
        ({"act": "extend", "reason": "x", "days": "3661"}, 422),
        ({"act": "extend", "reason": "x", "days": "3"}, 200),
        ({"act": "release", "reason": "x"}, 422),
        ({"act": "hold", "reason": "x", "until": "never", "days": "no"}, 200),
    ],
)
def test_values_that_an_act_needs_are_asked_for(bystander, fields, status):
    assert look(bystander, fields).status_code == status


def test_nobody_ticked_and_nobody_sent_back_is_told(olga):
    nobody = look(olga, chosen=())
    broken = [olga.post(MANY, {**EXTEND, "organizations": text}) for text in ("[", "{}", "[1]")]

    assert nobody.status_code == 422
    assert "No organization was chosen" in nobody.text
    assert [each.status_code for each in broken] == [422] * 3


def test_support_sends_again_and_does_nothing_else(office):
    browser = office.signed_in(OperatorRole.SUPPORT)

    assert look(browser, {"act": "resend", "reason": "x"}).status_code == 200
    refused = look(browser)
    assert refused.status_code == 403
    assert "takes the role operator" in refused.text


def test_an_act_that_is_not_there_is_told(anna):
    assert anna.get(f"{MANY}/none").status_code == 404
