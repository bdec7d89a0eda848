"""Policies in the console: versions, dates, what differs, and who is leaving by which."""

import pytest
from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.core.policy import Policy
from offramp.documents.policy import find_policy
from offramp.engine.publication import publish
from tests.unit.web.office import Office, filled_office

LIST = "/console/policies"
ONE = f"{LIST}/license-pool"


def later(policy):
    """Make the next version, which deletes ten days later."""
    document = policy.model_dump(mode="json", by_alias=True)
    text = Policy.model_validate(document | {"version": policy.version + 1}).model_dump_json(
        by_alias=True
    )
    return Policy.model_validate_json(text.replace("P30D", "P40D"))


@pytest.fixture
def office():
    office = filled_office("acme", "beta")
    office.world.run_until(Instant.from_utc(2024, 8, 20))  # so that both were told a date
    publish(office.context, later(find_policy("license-pool")))
    return office


@pytest.fixture
def browser(office):
    return office.signed_in(OperatorRole.VIEWER)


def test_without_a_policy_the_page_says_how_to_begin():
    assert "Nothing was published yet" in Office().signed_in().get(LIST).text


def test_each_policy_is_listed_with_how_many_leave_by_its_newest_and_its_older_versions(browser):
    page = browser.get(LIST).text

    assert "version 2" in page
    assert '<span class="badge blue">2</span>' in page


def test_a_policy_is_shown_with_its_dates_and_who_is_leaving(browser):
    page = browser.get(f"{ONE}?end=2031-01-31").text

    assert "Wed 12 Mar 2031" in page  # forty days after the last day
    assert "acme Ltd" in page
    assert "Notice: Expiring soon" in page


def test_two_versions_are_held_against_each_other(browser):
    page = browser.get(f"{ONE}?end=2031-01-31&version=2&against=1").text

    differs = page.partition("What differs from version 1")[2].partition("</section>")[0]
    assert "Sun 2 Mar 2031" in differs
    assert "Wed 12 Mar 2031" in differs
    assert ">later<" in differs
    assert "No date moves" in browser.get(f"{ONE}?version=2&against=2").text


def test_the_drawing_is_of_the_version_that_is_looked_at(browser):
    old = browser.get(f"{ONE}/drawing.svg?version=1&end=2031-01-31")
    new = browser.get(f"{ONE}/drawing.svg?version=2&end=2031-01-31")

    assert "2 Mar 2031" in old.text
    assert "12 Mar 2031" in new.text


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"{LIST}/none", 404), (f"{ONE}?version=9", 404), (f"{ONE}?end=yesterday", 422)],
)
def test_what_is_not_there_is_told_on_a_page(browser, path, status):
    answer = browser.get(path)

    assert answer.status_code == status
    assert "<h1>" in answer.text
