"""What if: every date as it is and as it would be, and nothing changed by looking."""

import pytest
from whenever import Date, Instant

from offramp.core.operator import OperatorRole
from offramp.documents.policy import find_policy
from offramp.engine.publication import publish
from tests.unit.web.office import filled_office

PAGE = "/console/organizations/acme/what-if"


@pytest.fixture
def office():
    office = filled_office("acme")
    publish(office.context, find_policy("edit-only-grace"))
    office.world.run_until(Instant.from_utc(2024, 8, 20))
    return office


def facts(office):
    with office.world.store.transaction() as transaction:
        return transaction.pools("acme"), transaction.offboardings(), transaction.ledger()


def row(page, what):
    """Give the row of one step as text."""
    _, found, rest = page.partition(f"<strong>{what}</strong>")
    assert found, f"{what} is not on the page"
    return rest.partition("</tr>")[0]


def test_before_anything_is_supposed_every_date_stays(office):
    page = office.signed_in(OperatorRole.VIEWER).get(PAGE).text

    assert ">stays<" in row(page, "Erase")
    assert ">done<" in row(page, "Notice: Expiring soon")
    assert "It would end" not in page


def test_another_end_moves_what_is_not_done_and_looking_changes_nothing(office):
    browser, before = office.signed_in(OperatorRole.OPERATOR), facts(office)

    page = browser.get(f"{PAGE}?until=2024-08-30&days=31").text

    assert "It would end Mon 30 Sep 2024" in page
    assert ">done<" in row(page, "Notice: Expiring soon")
    erase = row(page, "Erase")
    assert "Sun 29 Sep 2024" in erase
    assert "Wed 30 Oct 2024" in erase
    assert facts(office) == before


def test_a_new_term_tells_again_what_was_told(office):
    page = office.signed_in().get(f"{PAGE}?until=2025-08-30&term=new").text

    assert ">again<" in row(page, "Notice: Expiring soon")
    assert "Renew until then" in page
    assert "Extend until then" not in page


def test_what_was_looked_at_is_saved_by_the_act_of_the_organization(office):
    browser = office.signed_in(OperatorRole.OPERATOR)
    page = browser.get(f"{PAGE}?until=2024-10-15").text
    action = page.partition('<form method="post" action="')[2]
    assert "/sign-out" in action
    _, _, save = page.partition("It would end")
    address = save.partition('action="')[2].partition('"')[0]
    until = save.partition('name="until" value="')[2].partition('"')[0]

    answer = browser.post(address, {"until": until})

    assert answer.headers["location"].endswith("/organizations/acme?done=extended")
    assert [pool.ends for pool in facts(office)[0]] == [Date(2024, 10, 15)]


@pytest.mark.parametrize(
    ("role", "query", "told"),
    [
        ("operator", "until=2024-08-21", "A term is not made shorter from here"),
        ("operator", "policy=edit-only-grace", "<code>offramp import</code>"),
        ("support", "until=2024-10-15", "With the role operator you could save this"),
    ],
)
def test_what_cannot_be_saved_says_why(office, role, query, told):
    page = office.signed_in(OperatorRole(role)).get(f"{PAGE}?{query}").text

    assert told in page
    assert "until then" not in page


def test_another_policy_cancels_and_adds(office):
    page = office.signed_in().get(f"{PAGE}?policy=edit-only-grace").text

    assert ">canceled<" in page
    assert ">added<" in page


def test_the_drawing_is_of_the_dates_as_they_would_be(office):
    browser = office.signed_in()
    page = browser.get(f"{PAGE}?until=2024-08-30&days=31").text
    address = page.partition('<img src="/console/organizations')[2].partition('"')[0]

    drawing = browser.get(f"/console/organizations{address}".replace("&amp;", "&"))

    assert "30 Oct 2024" in drawing.text
    assert browser.get(f"{PAGE}/7.svg").status_code == 404


@pytest.mark.parametrize("query", ["until=yesterday", "until=2024-08-30&days=9999", "policy=none"])
def test_what_cannot_be_supposed_is_refused_with_a_page(office, query):
    answer = office.signed_in().get(f"{PAGE}?{query}")

    assert answer.status_code in (404, 422)
    assert "<h1>" in answer.text
