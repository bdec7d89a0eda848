"""The last letters: that everything is deleted, and that it does not end after all."""

from dataclasses import replace
from functools import partial

import pytest
from icalendar import Calendar
from whenever import Date, Instant

from offramp.adapters.message.dates import JinjaCalendarWording
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.documents.timeline.calendar import calendar_file
from offramp.engine import offboarding as deeds
from offramp.engine.access import is_back
from offramp.engine.bounces import take_back
from offramp.engine.people import Person, end_members, reactivate_members, remove_members
from offramp.ports import MailerUnavailable, MessageRefused, Return, Returned
from tests.simulation import shop
from tests.simulation.stories import LONG_AFTER, open_world

POLICY = "license-pool"
WARNED = Instant.parse_iso("2024-08-17T00:00:00Z")
ENDED = Instant.parse_iso("2024-08-31T12:00:00Z")
HANDED_OVER = Instant.parse_iso("2024-09-22T12:00:00Z")
ERASED = Instant.parse_iso("2024-09-29T01:00:00Z")
NEXT_YEAR = Date(2025, 8, 30)
ADMIN = "admin@acme.example"
USER = "user@acme.example"


@pytest.fixture
def world(app):
    return open_world(app, POLICY)


def letters(world, subject):
    """Give who was sent a message, with it, in the order of sending."""
    return [s.message for s in world.mail.sent if s.message.subject == subject]


def readers(world, subject):
    return [message.to for message in letters(world, subject)]


def come_back(world, *, until=NEXT_YEAR, by="admin"):
    deeds.reactivate(world.context, "acme", until=until, by=by)


def erasure_of(world):
    with world.store.transaction() as transaction:
        (row,) = [r for r in transaction.offboardings("acme") if r.subject.member is None]
        return row, next(step for step in transaction.steps(row.id) if step.key == "erase")


def test_administrators_are_told_that_all_is_gone_with_the_certificate(world):
    world.run_until(LONG_AFTER[POLICY])

    (letter,) = letters(world, "erase")
    row, step = erasure_of(world)
    (file,) = letter.attachments
    assert letter.to == ADMIN
    assert file.content == world.vault.files[f"proofs/{row.id}/certificate.json"]
    assert step.status is StepStatus.DONE
    with world.store.transaction() as transaction:  # L30
        assert transaction.members("acme") == ()
        assert transaction.deliveries(row.id) == ()


def test_every_user_hears_of_the_last_change_of_stage(app):
    """B8; the certificate is for those who answer for the organization."""
    world = open_world(app, "edit-only-grace")

    world.run_until(LONG_AFTER["edit-only-grace"])

    sent = {message.to: bool(message.attachments) for message in letters(world, "erase")}
    assert sent[ADMIN] is True
    assert sent[USER] is False


@pytest.mark.parametrize("error", [MailerUnavailable(reason="down"), MessageRefused(reply="550")])
def test_a_mailbox_does_not_hold_the_end_of_a_deletion_up(world, error):
    world.run_until(HANDED_OVER)
    world.mail.fail(ADMIN, error)

    world.run_until(ERASED.add(hours=1))

    row, step = erasure_of(world)
    assert letters(world, "erase") == []
    assert (row.status, step.status) == (OffboardingStatus.COMPLETED, StepStatus.DONE)
    assert not world.keys.has_key("acme")


def test_a_mail_server_that_is_soon_back_still_gets_the_last_letter(world):
    world.run_until(HANDED_OVER)
    world.mail.fail(ADMIN, MailerUnavailable(reason="down"))
    world.meanwhile("started", lambda: world.interrupt(world.mail.recover_wholly, after=40))

    world.run_until(ERASED.add(hours=1))

    assert readers(world, "erase") == [ADMIN]
    assert erasure_of(world)[0].status is OffboardingStatus.COMPLETED


@pytest.mark.parametrize("place", range(10))
def test_a_crash_around_the_last_letter_leaves_one_letter_and_one_receipt(world, place):
    """L32: a message that may have gone out goes again under the same id."""
    world.mail.can_tell = False
    world.run_until(HANDED_OVER)

    def die_soon():
        world.die_at(len(world.points) - 1, len(world.points[-1]) + place)

    world.meanwhile("fanned out", die_soon)
    world.run_until(ERASED.add(hours=24))

    sent = letters(world, "erase")
    assert len({message.id for message in sent}) == 1
    assert len(sent) <= 2
    assert erasure_of(world)[0].status is OffboardingStatus.COMPLETED


def test_who_was_told_of_the_end_is_told_that_it_does_not_come(world):
    world.run_until(WARNED)

    deeds.renew(world.context, "acme", until=NEXT_YEAR)
    world.run_until(WARNED.add(hours=24))

    assert readers(world, "welcome-back") == [ADMIN]


def test_everybody_who_lost_access_hears_that_it_is_back(world):
    world.run_until(ENDED)
    told = set(readers(world, "achievements")) | set(readers(world, "expiring-soon"))

    come_back(world)
    world.run_until(ENDED.add(hours=24))

    assert set(readers(world, "welcome-back")) == told
    assert len(readers(world, "welcome-back")) == len(told)


def test_who_renews_before_anything_was_said_hears_nothing(world):
    deeds.renew(world.context, "acme", until=NEXT_YEAR)

    world.run_until(ENDED)

    with world.store.transaction() as transaction:
        events = transaction.events(limit=1000)
    assert letters(world, "welcome-back") == []
    assert "step-unreached" not in {event.kind for event in events}


def test_whose_message_came_back_was_not_told_and_is_not_welcomed(world):
    world.run_until(WARNED)
    (warning,) = letters(world, "expiring-soon")
    take_back(world.context, Returned(message=warning.id, why=Return.BOUNCED, reason="5.1.1"))

    deeds.renew(world.context, "acme", until=NEXT_YEAR)
    world.run_until(WARNED.add(hours=24))

    assert letters(world, "welcome-back") == []


def test_who_has_left_again_by_the_time_of_the_letter_is_not_sent_it(world):
    world.run_until(ENDED)
    come_back(world, until=Date(2024, 8, 31))

    world.lie_still_until(ENDED.add(hours=48))
    world.run_until(ENDED.add(hours=72))

    assert letters(world, "welcome-back") == []


def test_a_member_whose_end_gives_way_to_that_of_all_is_not_welcomed(app):
    world = open_world(app, "edit-only-grace")
    end_members(world.context, "acme", [Person(member="acme-user", ends=Date(2024, 8, 5))])
    world.run_until(Instant.parse_iso("2024-08-07T12:00:00Z"))
    deeds.register(world.context, pools=[shop.pool("acme", ends=Date(2024, 8, 4))])

    world.run_until(Instant.parse_iso("2024-08-10T12:00:00Z"))

    assert USER in readers(world, "now-expired")
    assert letters(world, "welcome-back") == []


def test_a_member_who_may_stay_after_all_is_told_so(app):
    world = open_world(app, "edit-only-grace")
    remove_members(world.context, "acme", [Person(member="acme-user")])
    world.run_until(world.now.add(hours=24))

    reactivate_members(world.context, "acme", [Person(member="acme-user")])
    world.run_until(world.now.add(hours=24))

    assert set(readers(world, "welcome-back")) == {USER, ADMIN}


def test_the_letter_of_return_waits_for_the_mail_server(world):
    world.run_until(ENDED)
    world.mail.fail(USER, MailerUnavailable(reason="down"))
    come_back(world)
    world.run_until(ENDED.add(hours=6))
    before = readers(world, "welcome-back")

    world.mail.recover_wholly()
    world.run_until(ENDED.add(hours=48))

    assert USER not in before
    assert readers(world, "welcome-back").count(USER) == 1


def test_the_dates_are_taken_out_of_calendars_again(app):
    """R1: the calendar cancellation goes to whoever was sent the dates."""
    world = open_world(app, "edit-only-grace")
    world.context = replace(
        world.context, calendar=partial(calendar_file, wording=JinjaCalendarWording())
    )
    world.run_until(Instant.parse_iso("2024-09-05T00:00:00Z"))

    come_back(world)
    world.run_until(world.now.add(hours=24))

    files = {message.to: message.attachments for message in letters(world, "welcome-back")}
    (file,) = files[ADMIN]
    assert file.media_type.endswith("method=CANCEL")
    assert Calendar.from_ical(file.content)["method"] == "CANCEL"
    assert files[USER] == ()


def test_an_episode_that_has_welcomed_everybody_back_is_at_rest(world):
    world.run_until(ENDED)
    come_back(world)
    world.run_until(ENDED.add(hours=24))

    with world.store.transaction() as transaction:
        over = transaction.offboardings("acme", status=OffboardingStatus.CANCELED)
        assert [row.next_due_at for row in over] == [None] * len(over)
        assert is_back(transaction, over[0].subject, now=world.now)
