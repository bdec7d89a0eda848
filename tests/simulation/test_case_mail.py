"""A12: a letter opens a case, support answers by mail, and a reply is kept with the case."""

from dataclasses import replace
from functools import partial

import pytest
from whenever import Instant

from offramp.core.case import CaseState, Complaint, Letter
from offramp.documents.case_mail import read_letter
from offramp.engine import cases
from offramp.engine.bounces import take_back
from offramp.engine.case_mail import Received, receive_letter, send_answers
from offramp.engine.cases import OWN_WAITING_MAX, WORDS_MAX
from offramp.engine.courier import carry_once
from offramp.engine.intake import collect
from offramp.ports import (
    DeletionInFlight,
    MailerUnavailable,
    MessageRefused,
    Return,
    Returned,
    StoreUnavailable,
)
from offramp.testing.mailbox import MemoryMailbox
from offramp.testing.world import Crash
from tests.simulation.stories import open_world
from tests.simulation.trouble import FailingStore

USER, MEMBER = "user@acme.example", "acme-user"
TOLD = Instant.from_utc(2024, 9, 3)


@pytest.fixture
def world(app):
    world = open_world(app, "license-pool", leaving=("acme", "gone"))
    world.context = replace(world.context, case_address="help@vendor.example")
    world.run_until(TOLD)
    return world


def write(world, key="1", *, sender=USER, about="", text="Where is it?"):
    letter = Letter(key=key, sender=sender, about=about, text=text)
    return receive_letter(world.context, letter)


def the_case(world, organization="acme"):
    (case,) = cases.list_cases(world.context, organization)
    return case


def said(world, case):
    with world.store.transaction() as transaction:
        return [(note.actor, note.text) for note in transaction.case_notes(case)]


def answers(world):
    send_answers(world.context, is_stopping=lambda: False)
    return [each.message for each in world.mail.sent if each.message.subject == "case-answer"]


def kinds(world):
    with world.store.transaction() as transaction:
        kinds = [entry.event.kind for entry in transaction.ledger()]
    return [kind for kind in kinds if kind.startswith("case-")]


def test_a_letter_of_somebody_we_know_opens_a_case(world):
    assert write(world, sender="USER@Acme.Example") is Received.OPENED

    case = the_case(world)
    assert (case.member, case.complaint) == (MEMBER, Complaint.OTHER)
    assert said(world, case.id) == [("user", "Where is it?")]
    assert answers(world) == []


@pytest.mark.parametrize("complaint", Complaint)
def test_the_address_may_say_what_went_wrong(world, complaint):
    write(world, about=complaint.value)

    assert the_case(world).complaint is complaint


def test_a_stranger_opens_nothing_and_is_told_nothing(world):
    assert write(world, sender="stranger@acme.example") is Received.NOBODYS

    assert cases.list_cases(world.context) == ()
    assert answers(world) == []


def test_the_same_letter_counts_once(world):
    assert [write(world), write(world)] == [Received.OPENED, Received.KNOWN]
    case = the_case(world).id
    follow = [write(world, "2", about=case), write(world, "2", about=case)]

    assert follow == [Received.ADDED, Received.KNOWN]
    assert len(said(world, case)) == 2


def test_support_answers_by_mail_and_is_answered_there(world):
    write(world)
    case = the_case(world).id
    cases.add_note(world.context, case, "Which file?")

    (mail,) = answers(world)
    assert (mail.to, mail.reply_to) == (USER, f"help+{case}@vendor.example")
    assert "Which file?" in mail.text
    assert write(world, "2", about=case, text="The JSON.") is Received.ADDED
    assert the_case(world).state is CaseState.WAITING
    assert [actor for actor, _ in said(world, case)] == ["user", "operator", "user"]
    assert len(answers(world)) == 1
    assert kinds(world) == ["case-opened", "case-noted", "case-mailed", "case-noted"]


def test_whoever_knows_the_case_of_another_opens_their_own(world):
    write(world)
    case = the_case(world).id

    assert write(world, "2", sender="user@gone.example", about=case) is Received.OPENED
    assert len(said(world, case)) == 1
    assert the_case(world, "gone").member == "gone-user"


def test_an_answer_to_a_closed_case_opens_another(world):
    write(world, about="no-export")
    case = the_case(world).id
    cases.close_case(world.context, case, words="Sent again.")

    assert [mail.text.rpartition(": ")[2] for mail in answers(world)] == ["Sent again."]
    assert write(world, "2", about=case) is Received.OPENED
    assert the_case(world).id != case


def test_who_writes_without_end_is_heard_so_often(world):
    outcomes = [write(world, str(n)) for n in range(OWN_WAITING_MAX + 1)]

    assert outcomes == [Received.OPENED] * OWN_WAITING_MAX + [Received.WAITING]


def test_a_long_letter_is_cut(world):
    write(world, text="a" * (WORDS_MAX + 1))

    assert [len(text) for _, text in said(world, the_case(world).id)] == [WORDS_MAX]


def test_what_is_said_of_a_whole_organization_is_mailed_to_nobody(world):
    case = cases.open_case(world.context, "acme", Complaint.OTHER, words="They rang.")
    cases.add_note(world.context, case.id, "We call back.")

    assert answers(world) == []


def test_what_support_notes_when_it_opens_a_case_is_not_mailed(world):
    cases.open_case(world.context, "acme", Complaint.OTHER, member=MEMBER, words="They rang.")

    assert answers(world) == []


def test_a_server_that_is_down_is_tried_again_and_the_mail_keeps_its_id(world, monkeypatch):
    write(world)
    cases.add_note(world.context, the_case(world).id, "Here.")
    send, tried = world.mail.send, []

    def fails(message, *, at):
        tried.append(message.id)
        raise MailerUnavailable(reason="421")

    monkeypatch.setattr(world.mail, "send", fails)
    assert answers(world) == []
    monkeypatch.setattr(world.mail, "send", send)
    assert answers(world) == []
    world.lie_still_until(world.now.add(minutes=2))

    (mail,) = answers(world)
    assert tried == [mail.id]


def test_a_refusal_ends_it_and_is_on_record(world, monkeypatch):
    write(world)
    cases.add_note(world.context, the_case(world).id, "Here.")

    def refuses(message, *, at):
        raise MessageRefused(reply="550")

    monkeypatch.setattr(world.mail, "send", refuses)
    answers(world)
    monkeypatch.undo()
    world.lie_still_until(world.now.add(hours=24))

    assert answers(world) == []
    assert kinds(world)[-1] == "case-unreached"


def test_who_died_after_the_mail_sends_it_again_under_the_same_id(world):
    """L42: nobody can know whether it was taken."""
    write(world)
    cases.add_note(world.context, the_case(world).id, "Here.")

    def dies(point):
        if point == "answer mailed":
            raise Crash(point)

    with pytest.raises(Crash):
        send_answers(replace(world.context, probe=dies), is_stopping=lambda: False)
    soon = answers(world)
    world.lie_still_until(world.now.add(hours=1))

    assert len(soon) == 1
    assert [mail.id for mail in answers(world)] == [soon[0].id] * 2


def test_nothing_is_left_of_it_when_the_organization_is_gone(world):
    """L30."""
    write(world)
    cases.add_note(world.context, the_case(world).id, "Here.")
    with world.store.transaction() as transaction:
        transaction.forget("acme", member=None, at=world.now)

    assert answers(world) == []
    assert write(world, "2") is Received.NOBODYS


def test_an_answer_whose_case_goes_while_it_is_in_hand_is_sent_to_nobody(world):
    """L30, L18: the organization is forgotten between the claim and the mail."""
    write(world)
    cases.add_note(world.context, the_case(world).id, "Here.")

    class ForgettingClock:
        looks = 0

        def now(self):
            self.looks += 1
            if self.looks == 2:
                with world.store.transaction() as transaction:
                    transaction.forget("acme", member=None, at=world.now)
            return world.now

    tried = send_answers(replace(world.context, clock=ForgettingClock()), is_stopping=lambda: False)

    assert tried == 1
    assert answers(world) == []
    assert kinds(world)[-1] == "case-unreached"


def test_mail_that_comes_back_for_good_is_not_followed_by_more(world):
    sent = [each.message for each in world.mail.sent if each.message.to == USER]
    take_back(world.context, Returned(message=sent[-1].id, why=Return.BOUNCED, reason="5.1.1"))
    write(world)
    cases.add_note(world.context, the_case(world).id, "Here.")

    assert answers(world) == []
    assert kinds(world)[-1] == "case-unreached"


def mailed(number=1, *, sender=USER, to="help@vendor.example"):
    """Write a letter as it lies in a mailbox."""
    return (
        f"From: {sender}\nTo: {to}\nMessage-ID: <{number}@acme.example>\n\nWhere is it?\n"
    ).encode()


@pytest.fixture
def mailbox():
    return MemoryMailbox(read=partial(read_letter, address="help@vendor.example"))


def gather(world, mailbox, **changed):
    context = replace(world.context, **changed)
    return dict(collect(context, mailbox, is_stopping=lambda: False))


def test_letters_in_a_mailbox_open_cases_and_are_put_away(world, mailbox):
    stranger = mailed(2, sender="stranger@acme.example")
    mailbox.letters = [mailed(1, to="help+no-export@vendor.example"), stranger]

    found = gather(world, mailbox)

    assert found == {Received.OPENED: 1, Received.NOBODYS: 1}
    assert the_case(world).complaint is Complaint.NO_EXPORT
    assert mailbox.letters == [stranger]


def test_a_letter_that_lies_there_twice_opens_one_case(world, mailbox):
    mailbox.letters = [mailed(), mailed()]

    assert gather(world, mailbox) == {Received.OPENED: 1, Received.KNOWN: 1}
    assert len(cases.list_cases(world.context)) == 1
    assert mailbox.letters == []


def test_whoever_dies_between_opening_a_case_and_putting_its_letter_away_opens_one(world, mailbox):
    def die(point):
        if point == "letter taken in":
            raise Crash

    mailbox.letters = [mailed()]
    with pytest.raises(Crash):
        gather(world, mailbox, probe=die)
    stayed = list(mailbox.letters)

    assert gather(world, mailbox) == {Received.KNOWN: 1}
    assert stayed == [mailed()]
    assert len(cases.list_cases(world.context)) == 1


def test_a_store_that_is_down_leaves_every_letter_where_it_is(world, mailbox):
    store = FailingStore(world.context.store)
    store.trouble.append("down")
    mailbox.letters = [mailed()]

    with pytest.raises(StoreUnavailable):
        gather(world, mailbox, store=store)

    assert mailbox.letters == [mailed()]
    assert gather(world, mailbox) == {Received.OPENED: 1}


def test_letters_of_which_too_many_wait_stay_for_a_person(world, mailbox):
    mailbox.letters = [mailed(number) for number in range(OWN_WAITING_MAX + 2)]

    found = gather(world, mailbox)

    assert found == {Received.OPENED: OWN_WAITING_MAX, Received.WAITING: 2}
    assert len(mailbox.letters) == 2


def test_a_letter_that_a_deletion_in_flight_keeps_out_comes_again(world, mailbox):
    class Frozen:
        def transaction(self):
            raise DeletionInFlight(organization="acme")

    mailbox.letters = [mailed()]

    assert gather(world, mailbox, store=Frozen()) == {}
    assert mailbox.letters == [mailed()]


def test_a_worker_looks_into_the_mailbox_by_itself(world, mailbox):
    mailbox.letters = [mailed()]

    carry_once(replace(world.context, letters=mailbox))

    assert mailbox.letters == []
    assert the_case(world).member == MEMBER
