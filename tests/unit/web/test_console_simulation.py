"""The clock of a demo, moved in its console; in no installation is there one to move."""

import pytest
from fastapi.testclient import TestClient
from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.web.api.access_key import AccessKeys
from offramp.web.api.app import create_app
from offramp.web.console.routes import include_console
from tests.unit.web.office import PUBLIC, Browser, Office, filled_office

CLOCK = "/console/clock"


class World:
    """Moves the world of an office as a demo moves its play."""

    def __init__(self, world):
        self._world = world
        self.moves = []

    def advance(self, days):
        self.moves.append(days)
        self._world.run_until(self._world.now.add(hours=24 * days))

    def advance_to_next(self):
        self.moves.append("next")
        with self._world.store.reading() as transaction:
            self._world.run_until(transaction.next_due_at())


@pytest.fixture
def office():
    office = filled_office("acme")
    office.machine = World(office.world)
    office.app = create_app(office.context, access_keys=AccessKeys())
    include_console(office.app, office.context, office.passwords, machine=office.machine)
    return office


def test_no_installation_has_a_clock_to_move():
    office = Office()
    browser = office.signed_in()

    assert browser.post(CLOCK, {"days": "1"}).status_code == 404
    assert "simulated clock" not in browser.get("/console").text


def test_whoever_moves_the_clock_stays_signed_in_whatever_became_of_their_session(office):
    browser = office.signed_in()

    answer = browser.post(CLOCK, {"days": "20"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert office.machine.moves == [20]
    page = browser.get("/console").text
    assert "Wed 21 Aug 2024, 09:00" in page
    assert "Notice: Expiring soon" in browser.get("/console/organizations/acme").text


def test_the_clock_goes_to_the_next_date_of_anybody(office):
    browser = office.signed_in()

    browser.post(CLOCK, {"to": "next"})

    assert office.world.now == Instant.from_utc(2024, 8, 16, 8)


@pytest.mark.parametrize("days", ["", "0", "-1", "121", "1e3", "many"])
def test_a_clock_is_moved_forward_by_a_few_days_at_a_time(office, days):
    answer = office.signed_in().post(CLOCK, {"days": days})

    assert answer.status_code == 422
    assert office.machine.moves == []


def test_only_an_admin_moves_the_clock_and_a_stranger_does_not(office):
    refused = office.signed_in(OperatorRole.APPROVER).post(CLOCK, {"days": "1"})
    stranger = Browser(TestClient(office.app, base_url=PUBLIC, follow_redirects=False))

    assert refused.status_code == 403
    assert "sign-in" in stranger.post(CLOCK, {"days": "1"}, token="").headers["location"]
    assert office.machine.moves == []
