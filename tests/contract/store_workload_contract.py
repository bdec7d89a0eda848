"""What every store promises about how much there is to do."""

from dataclasses import replace

from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports import StepRow, Workload
from tests.contract.store_world import EARLIER, LATER, LEAVING, NOW, claim, fill, leaving, read

DAY_AFTER = NOW.add(hours=24)


def workload(store, *, now=NOW, until=DAY_AFTER):
    return read(store, lambda t: t.workload(now=now, until=until))


class WorkloadContract:
    """Counted, never listed."""

    def test_where_nobody_leaves_there_is_nothing_to_do(self, store):
        fill(store)

        assert workload(store) == Workload()

    def test_what_is_due_waits_until_it_is_taken(self, store):
        fill(store, leaving("anna", next_due_at=EARLIER), leaving("ben", next_due_at=NOW))
        before = workload(store)

        claim(store, limit=1)

        assert before == Workload(due=2, oldest_due_at=EARLIER)
        assert workload(store) == Workload(due=1, running=1, oldest_due_at=NOW)

    def test_whoever_only_looks_sees_the_same(self, store):
        fill(store, leaving("anna", next_due_at=EARLIER))

        with store.reading() as transaction:
            seen = transaction.workload(now=NOW, until=DAY_AFTER)

        assert seen == workload(store)

    def test_what_was_taken_and_not_given_back_in_time_is_lost_until_it_is_taken_again(self, store):
        fill(store, leaving("anna", next_due_at=NOW))
        claim(store, lease_until=LATER)

        lost = workload(store, now=LATER)
        claim(store, now=LATER)

        assert lost == Workload(due=1, lost=1, oldest_due_at=NOW)
        assert workload(store, now=LATER) == Workload(running=1)

    def test_what_is_coming_is_counted_to_the_end_and_its_fullest_instant_is_named(self, store):
        fill(
            store,
            leaving("anna", next_due_at=LATER),
            leaving("ben", next_due_at=DAY_AFTER),
            leaving("cara", next_due_at=DAY_AFTER),
            replace(LEAVING, next_due_at=DAY_AFTER.add(seconds=1)),
        )

        assert workload(store) == Workload(coming=3, busiest=(DAY_AFTER, 2))
        assert workload(store, until=LATER) == Workload(coming=1, busiest=(LATER, 1))

    def test_of_equally_full_instants_the_first_is_named(self, store):
        fill(store, leaving("anna", next_due_at=DAY_AFTER), leaving("ben", next_due_at=LATER))

        assert workload(store).busiest == (LATER, 1)

    def test_only_who_still_leaves_counts_and_who_was_stopped_counts_apart(self, store):
        fill(
            store,
            leaving("anna", status=OffboardingStatus.STOPPED, next_due_at=NOW),
            leaving("ben", status=OffboardingStatus.CANCELED, next_due_at=None),
            leaving("cara", status=OffboardingStatus.COMPLETED, next_due_at=NOW),
        )

        assert workload(store) == Workload(due=1, stopped=1, oldest_due_at=NOW)

    def test_steps_in_trouble_are_counted_while_their_off_boarding_is_open(self, store):
        fill(
            store,
            leaving("anna", next_due_at=None),
            leaving("ben", status=OffboardingStatus.CANCELED, next_due_at=None),
        )
        troubled = {
            StepStatus.HELD: ("anna", "one"),
            StepStatus.ABANDONED: ("anna", "two"),
            StepStatus.FAILED: ("anna", "three"),
            StepStatus.STARTED: ("anna", "four"),
        }
        with store.transaction() as transaction:
            for status, (offboarding, key) in troubled.items():
                _bring(transaction, offboarding, key, status)
            _bring(transaction, "ben", "one", StepStatus.HELD)

        assert workload(store) == Workload(held=1, abandoned=1, failed=1)


def _bring(transaction, offboarding, key, status):
    """Bring a step to a status as the engine would."""
    row = StepRow(offboarding=offboarding, key=key, status=StepStatus.STARTED, due_at=NOW)
    transaction.save_step(row, claimed=None, expected=None)
    if status is not StepStatus.STARTED:
        changed = replace(row, status=status)
        transaction.save_step(changed, claimed=None, expected=StepStatus.STARTED)
