"""What every store promises about the history of messages, and about sending them again (A4)."""

from dataclasses import replace

import pytest

from offramp.core.policy import Audience
from offramp.ports import DeliveryNote, DeliveryStatus
from tests.contract.store_world import EARLIER, LATER, LEAVING, NOW, claim_one, fill, read

A, C = "anna", "cara"
ACCEPTED, BOUNCED, FAILED = (
    DeliveryStatus.ACCEPTED,
    DeliveryStatus.BOUNCED,
    DeliveryStatus.FAILED,
)
SENT = frozenset({ACCEPTED, BOUNCED, DeliveryStatus.REFUSED})


def write(store):
    """Let one step write to the admin, and another one to the owner."""
    fill(store, LEAVING)
    claim_one(store)
    with store.transaction() as transaction:
        transaction.fan_out(LEAVING, step="warn", audience=Audience.ADMINS)
        transaction.fan_out(LEAVING, step="bye", audience=Audience.OWNER)


def save(store, member, *, at=NOW, **changes):
    with store.transaction() as transaction:
        (delivery,) = [d for d in transaction.deliveries("leaving") if d.member == member]
        saved = replace(delivery, **changes)
        transaction.save_deliveries([saved], at=at)
    return saved


def note(member, status, *, at=NOW, reason=None):
    step = {A: "warn", C: "bye"}[member]
    return DeliveryNote(
        offboarding="leaving",
        step=step,
        member=member,
        channel="email",
        at=at,
        status=status,
        reason=reason,
    )


def notes(store):
    return read(store, lambda t: t.delivery_notes("leaving"))


def welcome(store):
    """Give who would be written to among those who were told before."""
    with store.transaction() as transaction:
        transaction.fan_out(LEAVING, step="back", audience=Audience.MEMBERS, is_for_told=True)
        return [d.member for d in transaction.deliveries("leaving", step="back")]


def queue_again(store, *, steps=("warn", "bye"), statuses=SENT, **chosen):
    return read(
        store,
        lambda t: t.queue_again("leaving", steps=steps, statuses=statuses, at=LATER, **chosen),
    )


class CorrespondenceContract:
    """What became of each message, and what is sent again."""

    def test_every_outcome_is_added_to_the_history(self, store):
        write(store)
        save(store, A, at=EARLIER, status=FAILED, reason="451")
        save(store, C, status=ACCEPTED)
        save(store, A, at=LATER, status=ACCEPTED, reason=None)

        assert notes(store) == (
            note(A, FAILED, at=EARLIER, reason="451"),
            note(C, ACCEPTED),
            note(A, ACCEPTED, at=LATER),
        )

    def test_nobody_was_told_before_a_message_was_accepted(self, store):
        write(store)
        save(store, A, status=FAILED, reason="451")

        assert not read(store, lambda t: t.has_told("leaving"))
        assert welcome(store) == []

    def test_who_was_given_a_message_is_among_those_who_were_told(self, store):
        write(store)
        save(store, A, status=ACCEPTED, accepted_at=NOW)
        save(store, C, status=BOUNCED, accepted_at=None)

        assert read(store, lambda t: t.has_told("leaving"))
        assert not read(store, lambda t: t.has_told("anna"))
        assert welcome(store) == [A]

    def test_a_history_goes_with_its_member(self, store):
        """L30."""
        write(store)
        save(store, A, status=ACCEPTED)
        save(store, C, status=ACCEPTED)
        with store.transaction() as transaction:
            counts = transaction.forget("acme", member=A, at=LATER)

        save_anew = replace(
            read(store, lambda t: t.deliveries("leaving"))[0], member=A, step="warn"
        )
        with store.transaction() as transaction:
            transaction.save_deliveries([save_anew], at=LATER)  # a worker was still sending

        assert counts["delivery_note"] == 1
        assert notes(store) == (note(C, ACCEPTED),)

    def test_a_history_goes_with_its_organization(self, store):
        """L30."""
        write(store)
        save(store, A, status=ACCEPTED)

        counts = read(store, lambda t: t.forget("acme", member=None, at=LATER))

        assert counts["delivery_note"] == 1
        assert notes(store) == ()

    def test_a_delivery_is_found_by_its_latest_message(self, store):
        write(store)
        save(store, A, status=FAILED, message="first")
        saved = save(store, A, status=ACCEPTED, message="second")

        assert read(store, lambda t: t.find_message("second")) == saved
        assert read(store, lambda t: t.find_message("first")) is None

    @pytest.mark.parametrize(
        ("chosen", "expected"),
        [
            ({}, [A, C]),
            ({"steps": ("warn",)}, [A]),
            ({"steps": ()}, []),
            ({"member": C}, [C]),
            ({"statuses": frozenset({BOUNCED})}, [C]),
            ({"statuses": frozenset({FAILED})}, []),
        ],
        ids=str,
    )
    def test_what_is_queued_again_is_what_was_asked_for(self, store, chosen, expected):
        write(store)
        save(store, A, status=ACCEPTED, accepted_at=NOW)
        save(store, C, status=BOUNCED, reason="5.1.1")

        count = queue_again(store, **chosen)

        deliveries = read(store, lambda t: t.deliveries("leaving"))
        again = [each for each in deliveries if each.status is DeliveryStatus.QUEUED]
        assert count == len(expected)
        assert sorted(each.member for each in again) == expected
        assert {each.round for each in again} <= {2}
        queued = [note(member, DeliveryStatus.QUEUED, at=LATER) for member in expected]
        assert sorted(notes(store)[2:], key=lambda each: each.member) == queued

    @pytest.mark.parametrize(
        ("unasked_since", "expected"), [(LATER, [A, C]), (LATER.subtract(seconds=1), [C])]
    )
    def test_what_was_asked_for_lately_is_not_queued_once_more(
        self, store, unasked_since, expected
    ):
        write(store)
        save(store, A, status=ACCEPTED)
        save(store, C, status=ACCEPTED)
        queue_again(store, member=A)
        save(store, A, at=LATER, status=ACCEPTED)

        count = read(
            store,
            lambda t: t.queue_again(
                "leaving",
                steps=("warn", "bye"),
                statuses=SENT,
                unasked_since=unasked_since,
                at=LATER.add(minutes=1),
            ),
        )

        deliveries = read(store, lambda t: t.deliveries("leaving"))
        again = [each for each in deliveries if each.status is DeliveryStatus.QUEUED]
        assert count == len(expected)
        assert sorted(each.member for each in again) == expected

    def test_what_is_sent_again_begins_its_attempts_anew_and_keeps_when_it_was_taken(self, store):
        write(store)
        save(store, A, status=ACCEPTED, attempts=3, accepted_at=NOW, message="first")

        queue_again(store, member=A)

        _, again = read(store, lambda t: t.deliveries("leaving"))
        assert (again.attempts, again.accepted_at, again.message) == (0, NOW, "first")
        assert read(
            store,
            lambda t: t.take_deliveries("leaving", step="warn", now=LATER, limit=5),
        ) == (again,)

    @pytest.mark.parametrize(
        ("status", "next_try_at", "expected"),
        [
            (DeliveryStatus.QUEUED, None, {"warn": None}),
            (FAILED, LATER, {"warn": LATER}),
            (DeliveryStatus.SENDING, LATER, {"warn": LATER}),
            (ACCEPTED, None, {}),
            (BOUNCED, None, {}),
        ],
    )
    def test_a_step_is_resent_while_a_message_asked_for_is_to_be_sent(
        self, store, status, next_try_at, expected
    ):
        write(store)
        save(store, A, status=ACCEPTED)
        save(store, C, status=ACCEPTED)
        queue_again(store, member=A)
        save(store, A, status=status, next_try_at=next_try_at)

        assert read(store, lambda t: t.steps_to_resend("leaving")) == expected

    def test_what_nobody_asked_for_is_the_business_of_its_step(self, store):
        """A warning that was missed stays unsent, whatever of it was left over."""
        write(store)
        save(store, C, status=FAILED, next_try_at=LATER)

        assert read(store, lambda t: t.steps_to_resend("leaving")) == {}

    def test_a_step_need_not_wait_while_a_message_of_it_need_not(self, store):
        write(store)
        with store.transaction() as transaction:
            transaction.fan_out(LEAVING, step="bye", audience=Audience.ADMINS)
            bye = transaction.deliveries("leaving", step="bye")
            transaction.save_deliveries([replace(d, status=ACCEPTED) for d in bye], at=NOW)
        queue_again(store, steps=("bye",))
        save(store, C, status=FAILED, next_try_at=LATER)

        assert read(store, lambda t: t.steps_to_resend("leaving")) == {"bye": None}
