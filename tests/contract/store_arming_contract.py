"""What every store promises about deletions that begin together, and about how late it was."""

from dataclasses import replace

import pytest

from offramp.core.model import Subject
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports import Arming, StepRow
from tests.contract.store_world import (
    EARLIER,
    LATER,
    LEAVING,
    NOW,
    claim_one,
    fill,
    leaving,
    read,
)

ASKED = Arming(
    id="request",
    owner="Ada of support",
    reason="the merger",
    asked_at=NOW,
    expires_at=LATER,
    until=LATER,
    organizations=2,
    offboardings=3,
    digest="ab12",
)
SIBLING = replace(LEAVING, id="other", subject=Subject(organization="sibling"))
BEGUN = StepRow(
    offboarding="leaving", key="erase", status=StepStatus.STARTED, due_at=NOW, attempts=1,
    started_at=NOW, is_destructive=True,
)  # fmt: skip


def begin(store, row=BEGUN):
    with store.transaction() as transaction:
        transaction.save_step(row, claimed=None, expected=None)


def arm(store, *offboardings):
    with store.transaction() as transaction:
        transaction.arm(offboardings, arming="request")


def expected(store, *, until=NOW, without="nobody", limit=9):
    return read(store, lambda t: t.erasures_expected(until=until, without=without, limit=limit))


def begun(store, *, since=EARLIER, without="nobody", limit=9):
    return read(store, lambda t: t.erasures_begun(since=since, without=without, limit=limit))


def unarmed(store, *, until=NOW):
    return [row.id for row in read(store, lambda t: t.unarmed(until=until))]


class ArmingContract:
    """Whose deletion is to begin, and who let it."""

    def test_organizations_are_counted_whose_deletion_is_to_begin(self, store):
        fill(
            store,
            replace(LEAVING, erases_at=NOW),
            leaving("anna", erases_at=NOW),
            replace(SIBLING, erases_at=LATER),
        )

        assert expected(store, until=NOW) == 1
        assert expected(store, until=LATER) == 2
        assert expected(store, until=LATER, without="acme") == 1
        assert expected(store, until=LATER, limit=1) == 1
        assert unarmed(store, until=LATER) == ["anna", "leaving", "other"]
        assert unarmed(store, until=EARLIER) == []

    def test_what_has_begun_or_ended_is_not_to_begin(self, store):
        fill(store, replace(LEAVING, erases_at=NOW), replace(SIBLING, erases_at=NOW))
        begin(store)
        with store.transaction() as transaction:
            ended = replace(SIBLING, status=OffboardingStatus.CANCELED)
            transaction.save_offboarding(ended, expected_episode=1)

        assert expected(store) == 0
        assert unarmed(store) == []

    def test_what_has_begun_counts_while_it_is_not_long_ago(self, store):
        fill(store, LEAVING, leaving("anna"), SIBLING)
        begin(store)
        begin(store, replace(BEGUN, offboarding="anna"))
        begin(store, replace(BEGUN, offboarding="other", is_destructive=False))

        assert begun(store) == 1
        assert begun(store, since=NOW) == 0
        assert begun(store, without="acme") == 0
        assert begun(store, limit=0) == 0

    def test_what_is_armed_counts_no_more(self, store):
        fill(store, replace(LEAVING, erases_at=NOW), replace(SIBLING, erases_at=NOW))
        begin(store)

        arm(store, "leaving", "other")

        assert (expected(store), begun(store)) == (0, 0)
        assert read(store, lambda t: t.offboarding("leaving")).armed == "request"

    def test_whoever_settles_says_when_the_deletion_is_to_begin(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        read(store, lambda t: t.settle(claimed, next_due_at=LATER, erases_at=LATER))

        assert read(store, lambda t: t.offboarding("leaving")).erases_at == LATER

    def test_another_version_is_not_armed(self, store):
        fill(store, LEAVING)
        arm(store, "leaving")

        read(store, lambda t: t.repin({"leaving": LATER}, version=2))

        assert read(store, lambda t: t.offboarding("leaving")).armed is None

    def test_a_request_is_kept_as_it_was_made_and_approved(self, store):
        earlier = replace(ASKED, id="zero", asked_at=EARLIER)
        approved = replace(ASKED, approver="Bob of finance", approved_at=LATER)
        with store.transaction() as transaction:
            transaction.put_arming(ASKED)
            transaction.put_arming(earlier)
            transaction.put_arming(approved)

        assert read(store, lambda t: t.armings()) == (earlier, approved)

    def test_it_is_as_late_as_anybody_noted(self, store):
        before = read(store, lambda t: t.seen_at())
        for at in (NOW, LATER, EARLIER):
            with store.transaction() as transaction:
                transaction.see(at)

        assert before is None
        assert read(store, lambda t: t.seen_at()) == LATER

    def test_a_person_may_say_that_it_is_earlier(self, store):
        with store.transaction() as transaction:
            transaction.see(LATER)
            transaction.see(NOW, is_trusted=True)

        assert read(store, lambda t: t.seen_at()) == NOW

    @pytest.mark.parametrize("is_paused", [False, True])
    def test_noting_the_time_leaves_the_pause_switch_alone(self, store, is_paused):
        with store.transaction() as transaction:
            transaction.set_paused(is_paused=is_paused, now=NOW)
            transaction.see(NOW)

        assert read(store, lambda t: t.is_paused()) is is_paused
