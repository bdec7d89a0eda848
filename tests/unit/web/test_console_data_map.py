"""The data map in the console: what each table gets, and how it fits when somebody looks."""

import pytest
import sqlalchemy as sa

from offramp.core.operator import OperatorRole
from tests.simulation import shop
from tests.unit.web.office import Office

PAGE = "/console/data-map"


@pytest.fixture
def vendor(tmp_path):
    return shop.open_shop(tmp_path)


@pytest.fixture
def office(vendor):
    return Office(data=vendor.data)


def test_without_a_map_the_page_says_how_to_begin():
    office = Office()

    assert "offramp map init" in office.signed_in().get(PAGE).text
    assert office.signed_in().post(PAGE).status_code == 303
    assert office.signed_in().get(f"{PAGE}/drawing.svg").status_code == 404


def test_what_each_table_gets_is_shown_without_asking_the_databases(office, monkeypatch):
    monkeypatch.setattr(sa.Engine, "connect", lambda *_: pytest.fail("it asked"))

    page = office.signed_in(OperatorRole.VIEWER).get(PAGE).text

    assert "Nobody has looked since this server started" in page
    assert "<strong>app.notes</strong>" in page
    assert "person_id" in page
    assert "Look at the databases now" not in page


def test_whoever_looks_is_told_that_it_fits_and_everybody_sees_it_drawn(office):
    office.signed_in(OperatorRole.SUPPORT).post(PAGE)

    viewer = office.signed_in(OperatorRole.VIEWER)

    assert "as of Thu 1 Aug 2024" in viewer.get(PAGE).text
    assert ">1. " in viewer.get(f"{PAGE}/drawing.svg").text


def test_a_table_that_nobody_declared_is_named_with_what_to_do(office, vendor):
    (source,) = vendor.data.sources.values()
    with source.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE forgotten (id INTEGER PRIMARY KEY, mail TEXT)"))
    browser = office.signed_in()
    browser.post(PAGE)

    page = browser.get(PAGE).text

    assert "forgotten" in page
    assert "unclassified table" in page
    assert "Nothing is exported or deleted" in page
    assert browser.get(f"{PAGE}/drawing.svg").status_code == 404
