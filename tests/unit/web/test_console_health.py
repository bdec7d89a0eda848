"""Health in the console: what works, what does not, and what helps."""

from dataclasses import replace

import pytest
from whenever import Instant

from offramp.core.operator import OperatorRole
from offramp.engine.brake import set_daily_cap, set_paused
from offramp.engine.checkup import Sign, State, check_up
from offramp.engine.sweep import tick
from offramp.ports import HeldBack, MailerUnavailable, MessageRefused
from offramp.testing.vault import MemoryVault
from offramp.testing.world import World
from tests.unit.web.office import filled_office

PAGE = "/console/health"


class SmallVault(MemoryVault):
    room = 0

    def room_bytes(self):
        return self.room


@pytest.fixture
def office():
    office = filled_office("acme")
    office.world.run_until(Instant.from_utc(2024, 8, 20))
    tick(office.context)
    return office


def states(context):
    return {sign.title: sign.state for sign in check_up(context).signs}


def test_where_everything_works_every_sign_is_well(office):
    found = states(office.context)

    assert set(found.values()) <= {State.WELL, State.WATCH}
    assert found["Workers"] is State.WELL
    assert found["Lateness"] is State.WELL


def test_before_a_worker_has_ever_swept_the_page_says_so():
    world = World(Instant.from_utc(2024, 8, 1))

    assert states(world.context)["Workers"] is State.ILL


def test_workers_that_went_silent_and_what_became_late_come_first(office):
    office.world.lie_still_until(Instant.from_utc(2024, 9, 3))

    page = office.signed_in(OperatorRole.VIEWER).get(PAGE).text
    first, second, *_ = check_up(office.context).signs

    assert {first.title, second.title} == {"Workers", "Lateness"}
    assert "None has swept for 14 days." in page
    assert "offramp worker" in page


def test_a_pause_is_to_be_looked_at_and_a_cap_is_told(office):
    set_daily_cap(office.context, 7)
    assert "At most 7 begin within a day." in office.signed_in().get(PAGE).text

    set_paused(office.context, is_paused=True)
    assert states(office.context)["Deletion"] is State.WATCH


def test_what_was_given_up_is_told_with_the_way_to_mend_it(office):
    office.world.run_until(Instant.from_utc(2024, 11, 1))

    assert states(office.context)["Given up"] is State.ILL
    assert "mend the cause, then retry" in office.signed_in().get(PAGE).text


def mail(context):
    (sign,) = [sign for sign in check_up(context).signs if sign.title == "Mail"]
    return sign


def test_where_all_mail_goes_out_none_is_under_way(office):
    assert mail(office.context) == Sign(title="Mail", state=State.WELL, words="None is under way.")


def test_mail_that_fails_is_to_be_looked_at_and_after_hours_the_server_is_to_blame():
    office = filled_office("acme")
    office.world.mail.then(*[MailerUnavailable(reason="down")] * 500)
    office.world.run_until(Instant.from_utc(2024, 8, 16, 10))
    soon = mail(office.context)
    office.world.run_until(Instant.from_utc(2024, 8, 16, 17))
    later = mail(office.context)

    assert (soon.state, later.state) == (State.WATCH, State.ILL)
    assert "Of 1 under way 0 are due, 0 are being sent and 1 are tried again." in soon.words
    assert "has done so for 2 hours" in soon.words
    assert "mail server" in later.hint


def test_mail_that_was_lost_is_told_for_a_day():
    office = filled_office("acme")
    office.world.mail.fail("admin@acme.example", MessageRefused(reply="550"))
    office.world.run_until(Instant.from_utc(2024, 8, 16, 10))
    soon = mail(office.context)
    office.world.run_until(Instant.from_utc(2024, 8, 17, 10))

    assert soon.state is State.WATCH
    assert "Refused, given up or sent back within a day: 1." in soon.words
    assert mail(office.context).state is State.WELL


def test_a_pace_that_keeps_mail_waiting_is_told(office):
    office.world.mail.held = HeldBack(seconds=900, domains=2)

    assert (
        "keeps the last of them waiting for 15 minutes, at 2 receiving"
        in mail(office.context).words
    )


@pytest.mark.parametrize(
    ("room", "state"),
    [(50_000_000_000, State.WELL), (2_000_000_000, State.WATCH), (1_000, State.ILL)],
)
def test_a_disk_that_fills_is_told_before_it_is_full(office, room, state):
    vault = SmallVault()
    vault.room = room

    assert states(replace(office.context, vault=vault))["Disk"] is state
