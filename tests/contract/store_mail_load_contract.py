"""What every store promises about the mail that is still to be sent (A4)."""

from dataclasses import replace

import pytest

from offramp.core.policy import Audience
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports import DeliveryStatus, MailLoad, StepRow
from tests.contract.store_world import EARLIER, LATER, LEAVING, NOW, fill, read

DAY_BEFORE = NOW.subtract(hours=24)


def bring(store, status=StepStatus.STARTED, *, offboarding=LEAVING, key="warn", issue=1):
    """Let a step write to the admin, the two members of a product, and the owner."""
    row = StepRow(
        offboarding=offboarding.id, key=key, status=StepStatus.STARTED, due_at=NOW, issue=issue
    )
    with store.transaction() as transaction:
        transaction.save_step(row, claimed=None, expected=None)
        if status is not row.status:
            changed = replace(row, status=status)
            transaction.save_step(changed, claimed=None, expected=row.status)
        name = key if issue == 1 else f"{key}/{issue}"
        transaction.fan_out(offboarding, step=name, audience=Audience.MEMBERS)


def change(store, number, *, at=NOW, **changes):
    with store.transaction() as transaction:
        delivery = sorted(transaction.deliveries("leaving"), key=lambda d: d.member)[number]
        transaction.save_deliveries([replace(delivery, **changes)], at=at)


def load(store):
    return read(store, lambda t: t.mail_load(lost_since=DAY_BEFORE))


class MailLoadContract:
    """Counted, never listed."""

    def test_where_nothing_is_written_no_mail_is_under_way(self, store):
        fill(store, LEAVING)

        assert load(store) == MailLoad()

    def test_mail_is_due_being_sent_or_deferred(self, store):
        fill(store, LEAVING)
        bring(store)
        change(store, 0, status=DeliveryStatus.SENDING)
        change(store, 1, status=DeliveryStatus.FAILED, attempts=1)

        assert load(store) == MailLoad(due=1, sending=1, deferred=1, deferred_since=NOW)

    def test_whoever_only_looks_counts_the_same(self, store):
        fill(store, LEAVING)
        bring(store)

        with store.reading() as transaction:
            seen = transaction.mail_load(lost_since=DAY_BEFORE)

        assert seen == MailLoad(due=3)

    def test_what_was_sent_is_not_under_way_and_what_was_lost_is_counted_for_a_while(self, store):
        fill(store, LEAVING)
        bring(store)
        change(store, 0, status=DeliveryStatus.ACCEPTED)
        change(store, 1, status=DeliveryStatus.REFUSED)
        change(store, 2, status=DeliveryStatus.BOUNCED, at=DAY_BEFORE)

        assert load(store) == MailLoad(lost=1)

    def test_what_was_tried_most_often_says_since_when_mail_fails(self, store):
        fill(store, LEAVING)
        bring(store)
        for attempts, at in ((1, EARLIER), (2, NOW)):
            change(store, 1, status=DeliveryStatus.FAILED, attempts=attempts, at=at)
        change(store, 0, status=DeliveryStatus.FAILED, attempts=1, at=LATER)

        assert load(store).deferred_since == EARLIER

    @pytest.mark.parametrize("status", [StepStatus.MISSED, StepStatus.HELD, StepStatus.DONE])
    def test_what_no_step_goes_on_to_send_counts_for_nothing(self, store, status):
        fill(store, LEAVING)
        bring(store, status)

        assert load(store) == MailLoad()

    @pytest.mark.parametrize(
        ("status", "next_due_at", "due"),
        [
            (OffboardingStatus.CANCELED, None, 0),
            (OffboardingStatus.STOPPED, NOW, 0),
            (OffboardingStatus.CANCELED, NOW, 3),
            (OffboardingStatus.OPEN, None, 3),
        ],
    )
    def test_what_nobody_comes_back_to_counts_for_nothing(self, store, status, next_due_at, due):
        row = replace(LEAVING, status=status, next_due_at=next_due_at)
        fill(store, row)
        bring(store, offboarding=row)

        assert load(store) == MailLoad(due=due)

    def test_what_somebody_asked_for_again_is_under_way_though_its_step_is_done(self, store):
        fill(store, LEAVING)
        bring(store, StepStatus.DONE)
        with store.transaction() as transaction:
            transaction.queue_again(
                "leaving", steps=["warn"], statuses=[DeliveryStatus.QUEUED], member="anna", at=NOW
            )

        assert load(store) == MailLoad(due=1)

    def test_another_issue_of_a_step_is_mail_of_its_own(self, store):
        fill(store, LEAVING)
        bring(store, issue=2)

        assert load(store) == MailLoad(due=3)
