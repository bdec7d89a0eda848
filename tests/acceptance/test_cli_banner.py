"""`offramp banner`: what the product shows somebody right now, and the element that shows it."""

import csv

import pytest

from offramp.web.element import element_script
from tests.acceptance.installation import DATAMAP, LEAVING, MEMBER, OWNER, SIBLING


@pytest.fixture
def expired(vendor):
    """A vendor whose customers leave edit-only; what one of them bought ended three days ago."""
    [organizations] = (vendor.folder / "roster").glob("organizations.csv")
    text = organizations.read_text("utf-8")
    organizations.write_text(text.replace("license-pool", "edit-only-grace"), "utf-8")
    vendor.say("init", "--datamap", DATAMAP)
    vendor.say("import", *vendor.rosters)
    return vendor


def product_of(installation, organization):
    """Give a product that an organization has bought."""
    with (installation.folder / "roster" / "pools.csv").open(encoding="utf-8") as file:
        return next(r["product"] for r in csv.DictReader(file) if r["organization"] == organization)


def test_support_sees_what_somebody_sees(expired):
    product = product_of(expired, LEAVING)

    said = expired.say("banner", "show", LEAVING, OWNER, "--product", product, "--locale", "en")

    lines = said.splitlines()
    assert lines[0] == "Expired: Full access has ended"
    assert "88 more days, today included" in said or "87 more days" in said
    assert "If you renew, everything comes back as it was." in said
    assert "Service agreement: https://example.com/agreement" in lines


def test_a_program_is_given_the_answer_of_the_route(expired):
    product = product_of(expired, LEAVING)

    answer = expired.ask("banner", "show", LEAVING, OWNER, "--product", product, "--locale", "de")

    assert answer["banner"]["heading"] == "Der volle Zugang ist beendet"
    assert answer["banner"]["audience"] == "administrator"


def test_where_nothing_is_shown_it_says_so(expired):
    said = expired.say("banner", "show", SIBLING, MEMBER, "--product", "elsewhere")

    assert said == "nothing is shown, until further notice\n"


def test_of_somebody_unknown_nothing_is_said(expired):
    finished = expired.run("banner", "show", LEAVING, "nobody")

    assert finished.code == 4
    assert "has no member nobody" in finished.err


def test_the_element_is_written_without_an_installation(vendor):
    said = vendor.say("banner", "script", "--out", "element.js")
    answer = vendor.ask("banner", "script", "--out", "element.js")

    assert (vendor.folder / "element.js").read_bytes() == element_script()
    assert said == f"element.js: {len(element_script())} bytes\n"
    assert answer == {"file": "element.js", "size_bytes": len(element_script())}


def test_a_folder_that_is_not_there_is_an_error(vendor):
    finished = vendor.run("banner", "script", "--out", "nowhere/element.js")

    assert finished.code == 2
    assert "nowhere/element.js cannot be written" in finished.err
