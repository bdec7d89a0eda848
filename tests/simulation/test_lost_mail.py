"""Mail that was lost, and mail that came back: seen, sent again, and not counted (A4)."""

import pytest
from whenever import Instant

from offramp.core.model import Outcome
from offramp.core.transitions import StepStatus
from offramp.engine import resending
from offramp.engine.bounces import Taken, take_back
from offramp.engine.correspondence import history
from offramp.engine.offboarding import retry
from offramp.engine.resending import NothingToResend, ask_again
from offramp.engine.situation import MemberUnknown
from offramp.ports import (
    DeliveryStatus,
    MailerUnavailable,
    MessageRefused,
    OrganizationErased,
    Return,
    Returned,
)
from tests.simulation.stories import LONG_AFTER, START, open_world

POLICY = "license-pool"
WARNED = Instant.parse_iso("2024-08-16T08:30:00Z")  # half an hour before
TOLD = Instant.parse_iso("2024-08-31T12:00:00Z")
HANDED_OVER = Instant.parse_iso("2024-09-22T12:00:00Z")
USER = "user@acme.example"
PLACES = range(0, 14, 2)


@pytest.fixture
def world(app):
    return open_world(app, POLICY)


def sent_to(world, address, *, subject):
    return [
        sent.message
        for sent in world.mail.sent
        if (sent.message.to, sent.message.subject) == (address, subject)
    ]


def step_of(world, key):
    with world.store.transaction() as transaction:
        (row,) = [r for r in transaction.offboardings("acme") if r.subject.member is None]
        return next(step for step in transaction.steps(row.id) if step.key == key)


def bounce(world, message, *, why=Return.BOUNCED, reason="5.1.1"):
    return take_back(world.context, Returned(message=message.id, why=why, reason=reason))


def told_of(world, member, *, step):
    (written,) = history(world.context, "acme", member=member, step=step)
    return [(note.status.value, note.reason) for note in written.notes]


def events(world):
    with world.store.transaction() as transaction:
        return [event.kind for event in transaction.events(limit=1000)]


def test_who_lost_the_achievements_gets_them_again_and_nobody_else_does(world):  # A4
    world.run_until(TOLD)
    before = list(world.mail.sent)
    receipt = step_of(world, "achievements").receipt

    count = ask_again(world.context, "acme", step="achievements", member="acme-user")
    world.run_until(TOLD.add(hours=1))

    (again,) = world.mail.sent[len(before) :]
    (first, second) = sent_to(world, USER, subject="achievements")
    assert count == 1
    assert again.message == second
    assert second.id != first.id
    assert second.attachments == first.attachments
    assert step_of(world, "achievements").receipt == receipt
    assert told_of(world, "acme-user", step="achievements") == [
        ("accepted", None),
        ("queued", None),
        ("accepted", None),
    ]


def test_everybody_whose_message_came_back_gets_it_again_at_once(world):  # A4
    world.run_until(TOLD)
    people = ("user", "guest")
    for name in people:
        bounce(world, sent_to(world, f"{name}@acme.example", subject="achievements")[0])
    before = len(world.mail.sent)

    ask_again(world.context, "acme", step="achievements", is_lost=True)
    world.run_until(TOLD.add(hours=1))

    again = {sent.message.to for sent in world.mail.sent[before:]}
    assert again == {f"{name}@acme.example" for name in people}
    assert told_of(world, "acme-user", step="achievements") == [
        ("accepted", None),
        ("bounced", "5.1.1"),
        ("queued", None),
        ("accepted", None),
    ]


def test_a_document_that_was_lost_is_sent_as_it_was(world):  # A4
    world.run_until(HANDED_OVER)

    ask_again(world.context, "acme", step="company-data")
    world.run_until(HANDED_OVER.add(hours=1))

    first, second = sent_to(world, "admin@acme.example", subject="company-data")
    assert second.attachments == first.attachments
    assert step_of(world, "company-data").receipt.delivered_at <= HANDED_OVER


def test_what_is_sent_again_waits_for_the_mail_server_and_goes_out_once(world):
    """L33: an outage of the server is nothing that a person has to come back for."""
    world.run_until(TOLD)
    world.mail.fail(USER, MailerUnavailable(reason="down"))
    ask_again(world.context, "acme", step="achievements", member="acme-user")
    world.run_until(TOLD.add(hours=3))
    tries = told_of(world, "acme-user", step="achievements")

    world.mail.recover_wholly()
    world.run_until(TOLD.add(hours=24))

    assert tries[2:] == [("failed", "unavailable")] * 5  # after 1, 5, 15 and 60 minutes
    assert len(sent_to(world, USER, subject="achievements")) == 2


def test_what_cannot_be_sent_again_is_given_up_in_the_end_and_says_so(world):
    """L33."""
    world.run_until(TOLD)
    world.mail.fail(USER, MailerUnavailable(reason="down"))
    ask_again(world.context, "acme", step="achievements", member="acme-user")

    world.run_until(TOLD.add(hours=24 * 7))

    notes = told_of(world, "acme-user", step="achievements")
    assert notes[-1] == ("refused", "unavailable")
    assert len(notes) == 2 + world.context.limits.attempts_max


@pytest.mark.parametrize("place", PLACES)
def test_a_crash_while_mail_is_sent_again_loses_nothing_and_repeats_the_same_message(world, place):
    """L8, L32: whoever sees the first copy knows the second one by its id."""
    world.mail.can_tell = False
    world.run_until(TOLD)
    before = len(world.mail.sent)
    ask_again(world.context, "acme", step="achievements")
    world.die_at(len(world.points), place)

    world.run_until(TOLD.add(hours=1))

    again = [sent.message for sent in world.mail.sent[before:]]
    assert len({message.to for message in again}) == len({message.id for message in again}) == 4
    assert len(again) <= 5
    found = history(world.context, "acme", step="achievements")
    assert {each.delivery.status for each in found} == {DeliveryStatus.ACCEPTED}


def test_a_warning_that_came_back_goes_down_the_chain_and_counts_from_there(world):
    """N2, N3, L10: the only administrator has left; the owner is told instead."""
    world.run_until(WARNED)
    bounce(world, sent_to(world, "admin@acme.example", subject="expiring-soon")[0])
    step = step_of(world, "expiring-soon")

    world.run_until(WARNED.add(hours=1))

    again = step_of(world, "expiring-soon")
    assert (step.status, step.receipt) == (StepStatus.PENDING, None)
    assert len(sent_to(world, "owner@acme.example", subject="expiring-soon")) == 1
    assert (again.status, again.receipt.outcome) == (StepStatus.DONE, Outcome.DONE)
    assert again.receipt.delivered_at >= WARNED


def test_a_warning_that_nobody_has_any_more_reached_nobody_and_deletion_waits(world, app):
    """L10."""
    world.run_until(WARNED)
    for name in ("admin", "owner"):
        bounce(world, sent_to(world, f"{name}@acme.example", subject="expiring-soon")[0])
        world.run_until(world.now.add(minutes=10))

    for each in ("admin", "owner"):
        world.mail.fail(f"{each}@acme.example", MessageRefused(reply="550"))
    world.run_until(LONG_AFTER[POLICY])

    assert step_of(world, "expiring-soon").status is StepStatus.UNREACHED
    assert "step-unreached" in events(world)
    assert app.rows("acme")["organizations"] == 1


@pytest.mark.parametrize("point", ["performed", "verified"])
def test_a_notice_that_comes_back_before_its_receipt_is_written_does_not_count(world, point):
    """L10: between the look at what was delivered and the receipt lies a moment, too."""

    def come_back():
        bounce(world, sent_to(world, "admin@acme.example", subject="expiring-soon")[0])

    world.meanwhile(point, come_back)
    world.run_until(WARNED)

    receipt = step_of(world, "expiring-soon").receipt
    assert len(sent_to(world, "owner@acme.example", subject="expiring-soon")) == 1
    assert receipt.proof == {"deliveries": 2, "accepted": 1, "refused": 1, "repeats": 0}


def test_whoever_sleeps_while_a_message_is_handed_over_counts_from_when_they_wake(world):
    """N2: the time that was promised between a delivery and the deletion is never shorter."""
    asleep_seconds = 3 * 24 * 3600

    world.run_until(TOLD.subtract(hours=12))
    world.meanwhile("mail accepted", lambda: world.stall(seconds=asleep_seconds))
    world.run_until(TOLD.add(hours=24 * 5))

    woke_at = step_of(world, "achievements").due_at.add(seconds=asleep_seconds)
    user, admin = (
        history(world.context, "acme", step="achievements", member=f"acme-{name}")[0].delivery
        for name in ("user", "admin")
    )
    assert user.accepted_at >= woke_at
    assert admin.accepted_at >= woke_at


def test_what_comes_back_after_the_promised_time_is_shown_and_moves_nothing(world):
    """N2: within the policy's time."""
    world.run_until(WARNED)
    receipt = step_of(world, "expiring-soon").receipt
    world.run_until(WARNED.add(hours=24))

    taken = bounce(world, sent_to(world, "admin@acme.example", subject="expiring-soon")[0])

    assert taken is Taken.NOTED
    assert step_of(world, "expiring-soon").receipt == receipt
    assert told_of(world, "acme-admin", step="expiring-soon")[-1] == ("bounced", "5.1.1")


def test_what_was_sent_again_and_comes_back_leaves_the_first_one_delivered(world):
    world.run_until(WARNED)
    receipt = step_of(world, "expiring-soon").receipt
    ask_again(world.context, "acme", step="expiring-soon")
    world.run_until(WARNED.add(hours=1))

    bounce(world, sent_to(world, "admin@acme.example", subject="expiring-soon")[1])

    assert step_of(world, "expiring-soon").receipt == receipt


def test_the_same_report_counts_once_and_a_strangers_never(world):
    world.run_until(TOLD)
    (message,) = sent_to(world, USER, subject="achievements")

    news = [bounce(world, message), bounce(world, message)]
    stranger = take_back(world.context, Returned(message="0" * 32, why=Return.BOUNCED))

    assert (news, stranger) == ([Taken.NOTED, Taken.KNOWN], Taken.NOBODYS)
    assert events(world).count("message-bounced") == 1


def test_who_complained_was_reached_and_is_not_written_to_again_in_bulk(world):
    world.run_until(TOLD)
    bounce(world, sent_to(world, USER, subject="achievements")[0], why=Return.COMPLAINED)

    count = ask_again(world.context, "acme", step="achievements")

    (written,) = history(world.context, "acme", member="acme-user", step="achievements")
    assert written.delivery.status is DeliveryStatus.COMPLAINED
    assert written.delivery.accepted_at is not None
    assert count == 3
    assert "message-complained" in events(world)


def test_a_step_that_reached_nobody_counts_when_somebody_is_reached_now(world):
    """L10: once an address is mended, the deletion goes its way again."""
    for name in ("owner", "admin", "user", "guest"):
        world.mail.fail(f"{name}@acme.example", MessageRefused(reply="550"))
    world.run_until(HANDED_OVER)
    unreached = step_of(world, "company-data").status
    world.mail.recover_wholly()

    ask_again(world.context, "acme", step="company-data", is_lost=True)
    world.run_until(HANDED_OVER.add(hours=1))

    assert unreached is StepStatus.UNREACHED
    assert step_of(world, "company-data").receipt.outcome is Outcome.DONE


def test_nobody_is_given_up_while_a_message_waits_for_its_next_try(world):
    """L10: whoever puts a step back does not have to wait for the minute to be over."""
    world.mail.fail("admin@acme.example", MessageRefused(reply="550"))
    world.mail.fail("owner@acme.example", MailerUnavailable(reason="down"))
    world.run_until(HANDED_OVER)
    while step_of(world, "company-data").status is not StepStatus.ABANDONED:
        world.run_until(step_of(world, "company-data").next_try_at)

    world.mail.recover("owner@acme.example")
    retry(world.context, "acme")
    world.run_until(world.now.add(hours=1))

    assert step_of(world, "company-data").status is StepStatus.DONE
    assert len(sent_to(world, "owner@acme.example", subject="company-data")) == 1


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"step": "company-data"}, NothingToResend),
        ({"is_lost": True}, NothingToResend),
        ({"member": "nobody"}, MemberUnknown),
    ],
    ids=str,
)
def test_what_was_never_sent_cannot_be_sent_again(world, asked, error):
    world.run_until(TOLD)

    with pytest.raises(error):
        ask_again(world.context, "acme", **asked)


def test_a_warning_whose_use_has_passed_is_not_sent_again(world):
    """A6: nobody is told that an end is near when it is over."""
    world.run_until(TOLD)

    with pytest.raises(NothingToResend):
        ask_again(world.context, "acme", step="expiring-soon")


def test_what_is_left_of_a_warning_that_was_missed_stays_unsent(world):
    """A mail server that was down until the end has nothing to say about it any more."""
    world.mail.fail("admin@acme.example", MailerUnavailable(reason="down"))
    world.run_until(TOLD)
    missed = step_of(world, "expiring-soon").status
    world.mail.recover_wholly()

    world.run_until(TOLD.add(hours=48))

    assert missed is StepStatus.MISSED
    assert sent_to(world, "admin@acme.example", subject="expiring-soon") == []


def test_of_who_is_gone_nothing_is_sent_again(world):
    """L30."""
    world.run_until(LONG_AFTER[POLICY])

    with pytest.raises(OrganizationErased):
        resending.ask_again(world.context, "acme")


def test_nothing_is_asked_of_somebody_whose_term_has_not_ended(world):
    world.run_until(START.add(hours=1))

    with pytest.raises(NothingToResend) as raised:
        ask_again(world.context, "acme")

    assert "offramp mail history acme" in raised.value.hint
