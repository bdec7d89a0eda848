"""What every store promises about destructive chunks and whoever wants to stop them (L18)."""

from contextlib import ExitStack
from dataclasses import replace

import pytest

from offramp.core.errors import Refused
from offramp.core.model import Subject
from offramp.core.transitions import OffboardingStatus
from offramp.ports import DeletionInFlight, StaleClaim
from tests.contract.store_world import (
    HOLD,
    LATER,
    LEAVING,
    NOW,
    chunk,
    claim,
    claim_one,
    fill,
    leaving,
    read,
)


class GuardNotMet(Refused):
    """The guard says no."""


def refuse(_transaction):
    raise GuardNotMet()


STOPPERS = {
    "reactivation": lambda transaction: transaction.lock("leaving", now=NOW),
    "hold": lambda transaction: transaction.place_hold(HOLD),
    "pause": lambda transaction: transaction.set_paused(is_paused=True, now=NOW),
}
stoppers = pytest.mark.parametrize("stop", STOPPERS.values(), ids=STOPPERS)


class FenceContract:
    """The fence around one chunk."""

    def test_what_chunks_recorded_adds_up(self, store):
        fill(store, LEAVING, leaving("anna", next_due_at=None))
        claimed = claim_one(store)

        for rows in (500, 20):
            with chunk(store, claimed) as record:
                record.record("notes", rows)
                record.record("users", 1)
                record.record("users", 1)

        assert read(store, lambda t: t.erased_rows("leaving")) == {"notes": 520, "users": 4}
        assert read(store, lambda t: t.erased_rows("anna")) == {}

    @stoppers
    def test_whoever_stops_deletion_waits_for_a_chunk_in_flight(self, store, stop):
        fill(store, LEAVING)
        claimed = claim_one(store)

        with chunk(store, claimed), pytest.raises(DeletionInFlight):
            read(store, stop)

        read(store, stop)
        assert read(store, lambda t: t.erased_rows("leaving")) == {}

    def test_the_waiting_is_told_whose_deletion_it_is(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        with chunk(store, claimed), pytest.raises(DeletionInFlight, match="acme"):
            read(store, STOPPERS["hold"])

    def test_other_off_boardings_do_not_wait(self, store):
        other = replace(LEAVING, id="other", subject=Subject(organization="sibling"))
        fill(store, LEAVING, other)
        claimed, _ = claim(store)

        with chunk(store, claimed) as record:
            read(store, lambda t: t.lock("other", now=NOW))
            read(store, lambda t: t.place_hold(replace(HOLD, organization="sibling")))
            record.record("notes", 3)

        assert read(store, lambda t: t.erased_rows("leaving")) == {"notes": 3}

    def test_chunks_do_not_wait_for_each_other(self, store):
        fill(store, LEAVING, leaving("anna"))
        first, second = claim(store)

        with (
            chunk(store, first) as one,
            chunk(store, first) as two,
            chunk(store, second) as three,
        ):
            for record in (one, two, three):
                record.record("notes", 1)

        assert read(store, lambda t: t.erased_rows(first.id)) == {"notes": 2}
        assert read(store, lambda t: t.erased_rows(second.id)) == {"notes": 1}

    def test_the_guard_sees_what_was_decided_before(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)
        read(store, STOPPERS["hold"])
        seen = []

        with chunk(store, claimed, judge=lambda t: seen.extend(t.holds("acme"))):
            pass

        assert seen == [HOLD]

    def test_a_refused_chunk_does_not_run_and_holds_nobody_up(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        with pytest.raises(GuardNotMet), chunk(store, claimed, judge=refuse) as record:
            record.record("notes", 1)

        read(store, STOPPERS["reactivation"])
        assert read(store, lambda t: t.erased_rows("leaving")) == {}

    def test_a_failed_chunk_records_nothing_and_holds_nobody_up(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        def fail():
            with chunk(store, claimed) as record:
                record.record("notes", 1)
                raise GuardNotMet()

        with pytest.raises(GuardNotMet):
            fail()

        read(store, STOPPERS["reactivation"])
        assert read(store, lambda t: t.erased_rows("leaving")) == {}

    def test_an_attempt_that_was_overtaken_deletes_nothing(self, store):
        fill(store, LEAVING)
        first = claim_one(store)
        claim_one(store, now=first.lease_until)

        with pytest.raises(StaleClaim), chunk(store, first, now=first.lease_until) as record:
            record.record("notes", 1)

        assert read(store, lambda t: t.erased_rows("leaving")) == {}

    @pytest.mark.parametrize(
        "change", [{"episode": 2}, {"status": OffboardingStatus.CANCELED}], ids=str
    )
    def test_after_a_reactivation_the_next_chunk_is_refused(self, store, change):
        fill(store, LEAVING)
        claimed = claim_one(store)
        with store.transaction() as transaction:
            row = transaction.lock("leaving", now=NOW)
            transaction.save_offboarding(replace(row, **change), expected_episode=1)

        with pytest.raises(StaleClaim), chunk(store, claimed):
            pass

    def test_after_a_deletion_the_off_boarding_is_claimed_again(self, store):
        fill(store, LEAVING)
        with chunk(store, claim_one(store)):
            pass

        assert claim_one(store, now=LATER).attempt == 2


class MarkerContract:
    """What a store without row locks does in their place."""

    def test_a_marker_counts_until_its_deadline(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)
        deadline = NOW.add(seconds=30)

        def freeze():
            with chunk(store, claimed, deadline=deadline) as record:
                with pytest.raises(DeletionInFlight):
                    read(store, lambda t: t.lock("leaving", now=deadline.subtract(seconds=1)))
                read(store, lambda t: t.lock("leaving", now=deadline))
                record.record("notes", 1)

        with pytest.raises(StaleClaim, match="Attempt 1"):
            freeze()
        assert read(store, lambda t: t.erased_rows("leaving")) == {}

    def test_the_next_chunk_is_not_taken_for_the_one_that_was_swept_away(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)
        deadline = NOW.add(seconds=30)

        def freeze(following):
            with chunk(store, claimed, deadline=deadline) as frozen:
                frozen.record("notes", 1)
                read(store, lambda t: t.lock("leaving", now=deadline))
                following.enter_context(chunk(store, claimed, now=deadline)).record("notes", 100)

        with ExitStack() as following, pytest.raises(StaleClaim):
            freeze(following)

        assert read(store, lambda t: t.erased_rows("leaving")) == {"notes": 100}

    def test_a_fence_that_was_lost_is_not_prolonged(self, store):
        """L18: whoever was frozen hears of it before anything is kept."""
        fill(store, LEAVING)
        claimed = claim_one(store)
        deadline = NOW.add(seconds=30)

        def wake_up():
            with chunk(store, claimed, deadline=deadline) as record:
                read(store, lambda t: t.lock("leaving", now=deadline))
                record.prolong(deadline=LATER)

        with pytest.raises(StaleClaim):
            wake_up()

    def test_a_fence_that_is_prolonged_keeps_others_out_for_longer(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)
        deadline = NOW.add(seconds=30)

        with chunk(store, claimed, deadline=deadline) as record:
            record.prolong(deadline=LATER)
            with pytest.raises(DeletionInFlight):
                read(store, lambda t: t.lock("leaving", now=deadline))
            record.record("notes", 1)

        assert read(store, lambda t: t.erased_rows("leaving")) == {"notes": 1}

    def test_a_chunk_that_was_overtaken_while_it_ran_records_nothing(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)

        def run():
            with chunk(store, claimed) as record:
                record.record("notes", 1)
                claim_one(store, now=claimed.lease_until)

        with pytest.raises(StaleClaim):
            run()
        assert read(store, lambda t: t.erased_rows("leaving")) == {}
