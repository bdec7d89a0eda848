"""L12: who has declined is sent nothing optional, whatever is queued, sent again, or died."""

import pytest
from whenever import Instant

from offramp.core.model import Outcome
from offramp.core.policy import Policy
from offramp.engine.bounces import Taken, note_wish, take_back
from offramp.engine.correspondence import history
from offramp.engine.publication import publish
from offramp.engine.resending import ask_again
from offramp.ports import MailerUnavailable, Return, Returned
from tests.simulation.stories import POLICIES, open_world

TOLD = Instant.from_utc(2024, 9, 3, 20)
LATER = Instant.from_utc(2024, 9, 10)
USER = "user@acme.example"


@pytest.fixture
def world(app):
    """Give a world in which users get two messages that they may decline."""
    world = open_world(app, "license-pool")
    document = POLICIES["license-pool"].model_dump(mode="json", by_alias=True)
    document["version"] = 2
    document["steps"] += [
        {"id": name, "at": f"expiry + P{days}D", "notify": "members", "optional": True}
        for name, days in (("tips", 3), ("more-tips", 6))
    ]
    publish(world.context, Policy.model_validate(document))
    return world


def sent(world, step, address=None):
    return [
        each.message
        for each in world.mail.sent
        if each.message.subject == step and address in (None, each.message.to)
    ]


def decline(world, message):
    return take_back(world.context, Returned(message=message.id, why=Return.DECLINED))


def statuses(world, step):
    return {
        each.delivery.member: each.delivery.status.value
        for each in history(world.context, "acme", step=step)
    }


def receipt_of(world, key):
    with world.store.transaction() as transaction:
        (row,) = [r for r in transaction.offboardings("acme") if r.subject.member is None]
        return next(step.receipt for step in transaction.steps(row.id) if step.key == key)


def events(world):
    with world.store.transaction() as transaction:
        return [event.kind for event in transaction.events(limit=1000)]


def test_whoever_declined_is_told_of_once_and_sent_no_other(world):
    world.run_until(TOLD)
    (message,) = sent(world, "tips", USER)

    taken = [decline(world, message), decline(world, message)]
    world.run_until(LATER)

    assert taken == [Taken.NOTED, Taken.KNOWN]
    assert events(world).count("message-declined") == 1
    assert sent(world, "more-tips", USER) == []
    assert statuses(world, "more-tips")["acme-user"] == "declined"
    proof = receipt_of(world, "more-tips").proof
    assert (proof["refused"], proof["declined"]) == (0, 1)


def test_whoever_wants_them_again_is_sent_the_next_one_and_each_word_is_told(world):
    world.run_until(TOLD)
    (message,) = sent(world, "tips", USER)

    taken = []
    for is_wanted in (False, True, True, False, True):
        taken.append(note_wish(world.context, message.id, is_wanted=is_wanted))
        world.run_until(world.now.add(seconds=1))
    world.run_until(LATER)

    assert taken == [Taken.NOTED, Taken.NOTED, Taken.KNOWN, Taken.NOTED, Taken.NOTED]
    told = [kind for kind in events(world) if kind.startswith(("message-", "messages-"))]
    assert told == ["message-declined", "messages-wanted"] * 2
    assert len(sent(world, "more-tips", USER)) == 1


def test_whoever_complains_of_an_optional_message_wants_no_other(world):
    """RFC 8058: many press the button for unwanted mail in place of the other one."""
    world.run_until(TOLD)
    (message,) = sent(world, "tips", USER)
    complaint = Returned(message=message.id, why=Return.COMPLAINED)

    taken = [take_back(world.context, complaint) for _ in range(2)]
    world.run_until(LATER)

    assert taken == [Taken.NOTED, Taken.KNOWN]
    assert sent(world, "more-tips", USER) == []
    assert {"message-complained", "message-declined"} <= set(events(world))
    assert statuses(world, "tips")["acme-user"] == "complained"


def test_an_old_optional_message_that_is_complained_of_declines_as_well(world):
    world.run_until(TOLD)
    ask_again(world.context, "acme", step="tips", member="acme-user")
    world.run_until(TOLD.add(hours=1))
    first, _ = sent(world, "tips", USER)

    taken = take_back(world.context, Returned(message=first.id, why=Return.COMPLAINED))
    world.run_until(LATER)

    assert taken is Taken.NOTED
    assert sent(world, "more-tips", USER) == []


def test_a_complaint_of_what_everybody_gets_keeps_no_optional_message_back(world):
    world.run_until(TOLD)
    (message,) = sent(world, "achievements", USER)

    take_back(world.context, Returned(message=message.id, why=Return.COMPLAINED))
    world.run_until(LATER)

    assert len(sent(world, "more-tips", USER)) == 1


def test_a_message_that_everybody_gets_declines_nothing(world):
    world.run_until(TOLD)
    (message,) = sent(world, "achievements", USER)

    assert decline(world, message) is Taken.NOBODYS


def test_what_waits_for_its_next_try_is_not_sent_any_more(world):
    world.run_until(TOLD)
    (message,) = sent(world, "tips", USER)
    world.mail.fail(USER, MailerUnavailable(reason="busy"))
    world.run_until(Instant.from_utc(2024, 9, 5, 22, 30))
    waiting = statuses(world, "more-tips").get("acme-user")

    decline(world, message)
    world.mail.recover_wholly()
    world.run_until(LATER)

    assert waiting in (None, "failed")
    assert sent(world, "more-tips", USER) == []


def test_an_old_mail_declines_after_a_newer_one_was_sent(world):
    world.run_until(TOLD)
    ask_again(world.context, "acme", step="tips", member="acme-user")
    world.run_until(TOLD.add(hours=1))
    first, second = sent(world, "tips", USER)

    assert first.id != second.id
    assert decline(world, first) is Taken.NOTED
    ask_again(world.context, "acme", step="tips", member="acme-user")
    world.run_until(TOLD.add(hours=2))
    assert len(sent(world, "tips", USER)) == 2


def test_a_reader_may_be_faster_than_the_answer_of_the_mail_server(world):
    taken = []
    world.run_until(TOLD.subtract(hours=48))
    world.meanwhile("mail accepted", lambda: taken.append(decline(world, sent(world, "tips")[0])))

    world.run_until(TOLD)

    assert taken == [Taken.NOTED]


def test_what_all_have_declined_is_done_without_an_alarm_and_goes_to_nobody_else(world):
    world.run_until(TOLD)
    for message in sent(world, "tips"):
        decline(world, message)
    before = len(world.mail.sent)

    world.run_until(LATER)

    receipt = receipt_of(world, "more-tips")
    assert (receipt.outcome, receipt.delivered_at) == (Outcome.DONE, None)
    assert receipt.proof["declined"] == receipt.proof["deliveries"]
    assert world.mail.sent[before:] == []
    assert "step-unreached" not in events(world)


@pytest.mark.parametrize("place", range(0, 12))
def test_a_crash_sends_nothing_to_whoever_declined(world, place):
    world.run_until(TOLD)
    decline(world, sent(world, "tips", USER)[0])
    world.die_at(len(world.points), place)

    world.run_until(LATER)

    assert sent(world, "more-tips", USER) == []
    assert statuses(world, "more-tips")["acme-user"] == "declined"
