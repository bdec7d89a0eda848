"""What every store promises about off-boardings, claims and steps."""

from dataclasses import replace

import pytest

from offramp.core.model import Cause, Outcome, Receipt, Subject
from offramp.core.term import Source
from offramp.core.transitions import IllegalTransition, OffboardingStatus, StepStatus
from offramp.ports import (
    OffboardingExists,
    OffboardingUnknown,
    OrganizationUnknown,
    StaleClaim,
    StaleOffboarding,
    StepRow,
)
from tests.contract.store_world import (
    ENDS,
    LATER,
    LEAVING,
    NOW,
    claim,
    claim_one,
    fill,
    leaving,
    read,
)

TOMORROW = NOW.add(hours=24)
STEP = StepRow(
    offboarding="leaving", key="erase", status=StepStatus.STARTED, due_at=NOW, attempts=1,
    started_at=NOW, is_destructive=True, issue=2,
)  # fmt: skip
RECEIPT = Receipt(
    step="erase", outcome=Outcome.DONE, due_at=NOW, done_at=LATER, delivered_at=NOW,
    proof={"rows": 12, "digest": "ab12", "verified": True, "note": None},
)  # fmt: skip
DONE = replace(STEP, status=StepStatus.DONE, receipt=RECEIPT)


def save(store, offboarding, *, expected_episode=1):
    with store.transaction() as transaction:
        transaction.save_offboarding(offboarding, expected_episode=expected_episode)


def save_step(store, row, *, claimed=None, expected=None):
    with store.transaction() as transaction:
        transaction.save_step(row, claimed=claimed, expected=expected)


def settle(store, claimed, next_due_at):
    return read(store, lambda t: t.settle(claimed, next_due_at=next_due_at))


class OffboardingContract:
    """One row per episode."""

    @pytest.mark.parametrize("ends", [ENDS, NOW])
    def test_an_off_boarding_is_read_as_it_was_opened(self, store, ends):
        subject = Subject(organization="acme", member="ben", product="notes")
        opened = replace(LEAVING, subject=subject, ends=ends, source=Source.POOL)

        fill(store, opened)

        assert read(store, lambda t: t.offboarding("leaving")) == opened
        assert read(store, lambda t: t.offboarding("nobody")) is None

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"episode": 2}, id="an open episode"),
            pytest.param({"status": OffboardingStatus.CANCELED}, id="the same number"),
        ],
    )
    def test_a_subject_leaves_in_one_open_episode_at_a_time(self, store, other):
        fill(store, LEAVING)
        second = replace(LEAVING, id="second", **other)

        with pytest.raises(OffboardingExists, match="acme"), store.transaction() as transaction:
            transaction.open_offboardings([leaving("anna"), second])

        assert read(store, lambda t: t.offboardings()) == (LEAVING,)

    def test_a_stopped_episode_still_counts(self, store):
        fill(store, LEAVING)
        save(store, replace(LEAVING, status=OffboardingStatus.STOPPED))

        with pytest.raises(OffboardingExists), store.transaction() as transaction:
            transaction.open_offboardings([replace(LEAVING, id="second", episode=2)])

    @pytest.mark.parametrize("end", [OffboardingStatus.CANCELED, OffboardingStatus.COMPLETED])
    def test_after_its_end_the_next_episode_may_open(self, store, end):
        """L9."""
        fill(store, LEAVING)
        ended = replace(LEAVING, status=end, next_due_at=None, closed_at=NOW)
        save(store, ended)
        second = replace(LEAVING, id="second", episode=2)

        with store.transaction() as transaction:
            transaction.open_offboardings([second])

        assert read(store, lambda t: t.offboardings()) == (ended, second)

    def test_products_and_members_are_subjects_of_their_own(self, store):
        subjects = [
            Subject(organization="acme", member=member, product=product)
            for member in (None, "anna", "ben")
            for product in (None, "courses", "notes")
        ]
        rows = tuple(replace(LEAVING, id=f"o{n}", subject=s) for n, s in enumerate(subjects))

        fill(store, *reversed(rows))

        assert read(store, lambda t: t.offboardings("acme")) == rows
        assert read(store, lambda t: t.offboardings("sibling")) == ()

    def test_off_boardings_are_found_by_their_status(self, store):
        fill(store, LEAVING, leaving("anna"))
        save(store, replace(LEAVING, status=OffboardingStatus.STOPPED))

        stopped = read(store, lambda t: t.offboardings(status=OffboardingStatus.STOPPED))

        assert [row.id for row in stopped] == ["leaving"]
        assert read(store, lambda t: t.offboardings("acme", status=OffboardingStatus.OPEN)) == (
            leaving("anna"),
        )

    def test_nobody_leaves_an_unknown_organization(self, store):
        with pytest.raises(OrganizationUnknown), store.transaction() as transaction:
            transaction.open_offboardings([LEAVING])

    def test_a_changed_end_is_saved(self, store):
        fill(store, LEAVING)
        moved = replace(
            LEAVING, ends=NOW, cause=Cause.CANCELLED, source=Source.POOL, policy_version=2,
            episode=2, next_due_at=TOMORROW,
        )  # fmt: skip

        save(store, moved)

        assert read(store, lambda t: t.offboarding("leaving")) == replace(moved, attempt=1)

    @pytest.mark.parametrize("name", ["leaving", "nobody"])
    def test_a_change_made_from_an_old_episode_is_refused(self, store, name):
        """L18."""
        fill(store, LEAVING)
        save(store, replace(LEAVING, episode=2))

        with pytest.raises(StaleOffboarding, match=name):
            save(store, replace(LEAVING, id=name, ends=NOW))

        assert read(store, lambda t: t.offboarding("leaving")).ends == ENDS

    def test_an_ended_episode_does_not_open_again(self, store):
        fill(store, LEAVING)
        save(store, replace(LEAVING, status=OffboardingStatus.CANCELED))

        with pytest.raises(IllegalTransition):
            save(store, LEAVING)

    def test_saving_does_not_touch_the_claim(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        save(store, replace(LEAVING, policy_version=2))

        found = read(store, lambda t: t.offboarding("leaving"))
        assert (found.attempt, found.lease_until) == (1, claimed.lease_until)

    def test_another_end_ends_the_claim_that_counts_from_the_old_one(self, store):
        """L18: whoever is in the middle of a deletion may not go on."""
        fill(store, LEAVING)
        claimed = claim_one(store)

        save(store, replace(LEAVING, ends=NOW, next_due_at=LATER))

        assert not settle(store, claimed, None)
        assert read(store, lambda t: t.offboarding("leaving")).lease_until is None
        assert read(store, lambda t: t.next_due_at()) == LATER

    def test_locking_gives_the_row(self, store):
        fill(store, LEAVING)

        assert read(store, lambda t: t.lock("leaving", now=NOW)) == LEAVING
        with pytest.raises(OffboardingUnknown), store.transaction() as transaction:
            transaction.lock("nobody", now=NOW)

    @pytest.mark.parametrize("change", [{"ends": NOW}, {"cause": Cause.REMOVED}])
    def test_a_worker_that_goes_by_another_end_loses_its_claim(self, store, change):
        """L18: what was extended while it was claimed is not carried out by its old dates."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        save(store, replace(LEAVING, **change))

        with pytest.raises(StaleClaim):
            save_step(store, STEP, claimed=claimed)
        assert claim_one(store).attempt == claimed.attempt + 2


class ClaimContract:
    """The schedule and the lease."""

    def test_what_is_due_is_claimed_earliest_first(self, store):
        """L2."""
        hours = {"anna": 3, "ben": 900, "cara": 0}
        rows = [leaving(n, next_due_at=NOW.subtract(hours=h)) for n, h in hours.items()]
        fill(store, *rows)

        first = claim(store, limit=2)
        second = claim(store, limit=2)

        assert [row.id for row in first] == ["ben", "anna"]
        assert [row.id for row in second] == ["cara"]
        assert {row.attempt for row in first + second} == {1}
        assert {row.lease_until for row in first} == {NOW.add(minutes=5)}

    def test_a_crowd_of_one_organization_leaves_room_for_the_others(self, store):
        """It has been due for longest, and still nobody starves (L33)."""
        crowd = [leaving(f"crowd-{number:02}") for number in range(40)]
        other = replace(leaving("other"), subject=Subject(organization="sibling"))
        fill(store, *crowd, replace(other, next_due_at=LATER))

        claimed = [row.id for row in claim(store, now=LATER, limit=16)]

        assert claimed == [*(row.id for row in crowd[:15]), "other"]

    def test_a_crowd_that_is_alone_gets_everything(self, store):
        dates = [NOW, LATER]
        crowd = [leaving(f"crowd-{n:02}", next_due_at=dates[n % 2]) for n in range(40)]
        fill(store, *crowd)

        claimed = claim(store, now=LATER, limit=24)

        assert {row.next_due_at for row in claimed[:20]} == {NOW}
        assert len(claimed) == 24

    def test_what_is_not_due_is_left_alone(self, store):
        """L1."""
        fill(store, leaving("anna", next_due_at=NOW.add(microseconds=1)), leaving("ben"))

        assert [row.id for row in claim(store)] == ["ben"]

    def test_what_has_no_next_date_is_left_alone(self, store):
        fill(store, replace(LEAVING, next_due_at=None))

        assert claim(store, now=NOW.add(hours=100_000)) == ()

    def test_what_is_stopped_is_left_alone(self, store):
        fill(store, LEAVING)
        save(store, replace(LEAVING, status=OffboardingStatus.STOPPED))

        assert claim(store) == ()

    def test_a_claim_lasts_as_long_as_its_lease(self, store):
        """L31."""
        fill(store, LEAVING)
        first = claim_one(store)

        assert claim(store, now=first.lease_until.subtract(microseconds=1)) == ()
        second = claim_one(store, now=first.lease_until)
        assert second.attempt == 2
        assert read(store, lambda t: t.offboarding("leaving")) == second

    def test_a_lease_is_extended_by_its_holder_alone(self, store):
        fill(store, LEAVING)
        first = claim_one(store)
        with store.transaction() as transaction:
            transaction.extend_lease(first, lease_until=TOMORROW)

        assert claim(store, now=first.lease_until) == ()
        claim_one(store, now=TOMORROW)
        with pytest.raises(StaleClaim), store.transaction() as transaction:
            transaction.extend_lease(first, lease_until=TOMORROW)

    def test_settling_gives_the_claim_back_with_the_next_date(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        assert settle(store, claimed, TOMORROW)

        found = read(store, lambda t: t.offboarding("leaving"))
        assert (found.next_due_at, found.lease_until, found.attempt) == (TOMORROW, None, 1)
        assert claim_one(store, now=TOMORROW).attempt == 2

    def test_settling_without_a_date_ends_the_schedule(self, store):
        fill(store, LEAVING)

        assert settle(store, claim_one(store), None)

        assert read(store, lambda t: t.next_due_at()) is None

    def test_an_attempt_that_was_overtaken_settles_nothing(self, store):
        """L18."""
        fill(store, LEAVING)
        first = claim_one(store)
        second = claim_one(store, now=first.lease_until)

        assert not settle(store, first, TOMORROW)
        assert read(store, lambda t: t.offboarding("leaving")) == second

    @pytest.mark.parametrize(
        "change", [{"episode": 2}, {"status": OffboardingStatus.CANCELED}], ids=str
    )
    def test_a_claim_on_an_episode_that_ended_settles_nothing(self, store, change):
        """L18."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        save(store, replace(LEAVING, next_due_at=None, **change))

        assert not settle(store, claimed, TOMORROW)
        assert read(store, lambda t: t.offboarding("leaving")).next_due_at is None

    def test_waking_brings_the_next_look_forward(self, store):
        rows = [
            leaving("anna", next_due_at=TOMORROW),
            leaving("ben", next_due_at=None),
            leaving("cara", next_due_at=NOW),
        ]
        fill(store, *rows)

        assert read(store, lambda t: t.wake("acme", at=LATER)) == 3

        dates = [row.next_due_at for row in read(store, lambda t: t.offboardings())]
        assert dates == [LATER, LATER, NOW]

    def test_waking_one_organization_lets_the_others_sleep(self, store):
        other = replace(leaving("x"), subject=Subject(organization="sibling"), next_due_at=TOMORROW)
        fill(store, replace(LEAVING, next_due_at=TOMORROW), other)

        assert read(store, lambda t: t.wake("sibling", at=NOW)) == 1
        assert [row.id for row in claim(store)] == ["x"]
        assert read(store, lambda t: t.wake(None, at=NOW)) == 2
        assert [row.id for row in claim(store)] == ["leaving"]

    def test_a_wake_up_while_somebody_works_is_not_lost(self, store):
        """L25: the reason may have been released after the worker looked."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        read(store, lambda t: t.wake("acme", at=LATER))

        assert settle(store, claimed, TOMORROW)

        assert read(store, lambda t: t.next_due_at()) == LATER

    def test_a_date_saved_while_somebody_works_is_not_lost(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)
        save(store, replace(LEAVING, next_due_at=LATER))

        assert settle(store, claimed, None)

        assert read(store, lambda t: t.next_due_at()) == LATER

    def test_a_wake_up_counts_for_one_look(self, store):
        fill(store, LEAVING)
        claim_one(store)
        read(store, lambda t: t.wake(None, at=NOW))
        second = claim_one(store, now=LATER)

        assert settle(store, second, TOMORROW)

        assert read(store, lambda t: t.next_due_at()) == TOMORROW

    def test_the_next_date_is_the_earliest_one(self, store):
        fill(store, LEAVING, leaving("anna", next_due_at=TOMORROW))
        assert read(store, lambda t: t.next_due_at()) == NOW

        save(store, replace(LEAVING, status=OffboardingStatus.CANCELED, next_due_at=None))

        assert read(store, lambda t: t.next_due_at()) == TOMORROW


class StepContract:
    """Rows of steps, compared and set."""

    def test_a_step_is_read_as_it_was_saved(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        save_step(store, STEP, claimed=claimed)
        assert read(store, lambda t: t.steps("leaving")) == (STEP,)

        save_step(store, DONE, claimed=claimed, expected=StepStatus.STARTED)
        assert read(store, lambda t: t.steps("leaving")) == (DONE,)
        assert read(store, lambda t: t.steps("nobody")) == ()

    def test_steps_are_listed_by_due_date_and_key(self, store):
        fill(store, LEAVING)
        rows = [
            replace(STEP, key=k, due_at=at) for k, at in [("b", NOW), ("a", LATER), ("a2", NOW)]
        ]
        for row in rows:
            save_step(store, row)

        assert [row.key for row in read(store, lambda t: t.steps("leaving"))] == ["a2", "b", "a"]

    def test_of_all_off_boardings_of_an_organization_the_deletions_are_listed(self, store):
        elsewhere = replace(LEAVING, id="elsewhere", subject=Subject(organization="sibling"))
        fill(store, LEAVING, elsewhere)
        for row in (STEP, replace(STEP, offboarding="elsewhere")):
            save_step(store, row)
        save_step(store, replace(STEP, key="warn", is_destructive=False))

        assert read(store, lambda t: t.erase_steps("acme")) == (STEP,)
        assert read(store, lambda t: t.erase_steps("nobody")) == ()

    def test_a_step_starts_once(self, store):
        """L8, L32."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        save_step(store, STEP, claimed=claimed)

        with pytest.raises(StaleClaim):
            save_step(store, replace(STEP, attempts=9), claimed=claimed)

        assert read(store, lambda t: t.steps("leaving")) == (STEP,)

    @pytest.mark.parametrize("expected", [None, StepStatus.FAILED])
    def test_without_a_claim_an_unexpected_status_is_refused_too(self, store, expected):
        fill(store, LEAVING)
        save_step(store, STEP)

        with pytest.raises(StaleOffboarding, match="leaving"):
            save_step(store, STEP, expected=expected)

    def test_an_attempt_that_was_overtaken_writes_no_step(self, store):
        """L18."""
        fill(store, LEAVING)
        first = claim_one(store)
        save_step(store, STEP, claimed=first)
        claim_one(store, now=first.lease_until)

        with pytest.raises(StaleClaim, match="Attempt 1 of the off-boarding leaving"):
            save_step(store, DONE, claimed=first, expected=StepStatus.STARTED)

        assert read(store, lambda t: t.steps("leaving")) == (STEP,)

    @pytest.mark.parametrize(
        "change", [{"episode": 2}, {"status": OffboardingStatus.CANCELED}], ids=str
    )
    def test_a_claim_on_an_episode_that_ended_writes_no_step(self, store, change):
        """L18."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        save(store, replace(LEAVING, **change))

        with pytest.raises(StaleClaim):
            save_step(store, STEP, claimed=claimed)

    def test_a_status_changes_only_as_the_core_allows(self, store):
        fill(store, LEAVING)

        with pytest.raises(IllegalTransition):
            save_step(store, DONE)
        save_step(store, STEP)
        save_step(store, DONE, expected=StepStatus.STARTED)
        with pytest.raises(IllegalTransition):
            save_step(store, STEP, expected=StepStatus.DONE)

        assert read(store, lambda t: t.steps("leaving")) == (DONE,)

    def test_a_step_of_an_unknown_off_boarding_is_refused(self, store):
        with pytest.raises(OffboardingUnknown):
            save_step(store, STEP)

    def test_destructive_steps_are_told_by_their_first_start_the_newest_first(self, store):
        """L26."""
        fill(store, LEAVING)
        for key, change in {
            "yesterday": {"started_at": NOW.subtract(hours=24)},
            "now": {},
            "a notice": {"is_destructive": False},
            "held": {"status": StepStatus.HELD, "started_at": None},
        }.items():
            save_step(store, replace(STEP, key=key, **change))

        assert read(store, lambda t: t.erasure_begun(before=0)) == NOW
        assert read(store, lambda t: t.erasure_begun(before=1)) == NOW.subtract(hours=24)
        assert read(store, lambda t: t.erasure_begun(before=2)) is None
