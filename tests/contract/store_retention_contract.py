"""What every store promises about rows that an erasure kept, and when they are looked at (A11)."""

from dataclasses import replace

import pytest

from offramp.core.transitions import OffboardingStatus
from offramp.ports import KeptPart
from tests.contract.store_world import LEAVING, NOW, chunk, claim_one, fill, leaving, read

PART = KeptPart(
    offboarding="leaving",
    table="app.invoices",
    basis="tax law, 10 years",
    until="issued_on + P10Y",
    counted_from="2014-08-30",
    ends_at=NOW,
    rows=3,
    keys=b"\0sealed\xff",
)
LATER_PART = replace(PART, ends_at=NOW.add(hours=24), rows=4)
ENDLESS = replace(PART, ends_at=None, counted_from=None, rows=1)

OVER = [OffboardingStatus.COMPLETED, OffboardingStatus.CANCELED]


def keep(store, *parts):
    read(store, lambda t: t.keep(parts))


def parts_of(store, offboarding="leaving", **choice):
    return read(store, lambda t: t.kept_parts(offboarding, limit=10, **choice))


def complete(store, *, next_due_at, status=OffboardingStatus.COMPLETED):
    row = replace(LEAVING, status=status, next_due_at=next_due_at)
    read(store, lambda t: t.save_offboarding(row, expected_episode=1))


class RetentionContract:
    """Rows that outlive their organization."""

    def test_what_is_kept_is_counted_by_table_and_end(self, store):
        """A11."""
        fill(store, LEAVING)
        keep(store, PART, replace(PART, rows=2), LATER_PART, ENDLESS)

        groups = read(store, lambda t: t.kept("leaving"))

        found = {group.ends_at: group.rows for group in groups}
        assert found == {NOW: 5, LATER_PART.ends_at: 4, None: 1}
        assert {(group.table, group.basis, group.until) for group in groups} == {
            ("app.invoices", "tax law, 10 years", "issued_on + P10Y")
        }
        assert read(store, lambda t: t.kept()) == groups

    def test_only_what_has_come_to_its_end_is_due(self, store):
        """A11: what has no end is never due by itself."""
        fill(store, LEAVING)
        keep(store, PART, LATER_PART, ENDLESS)

        (due,) = parts_of(store, due_at=NOW)

        assert replace(due, number=0) == PART
        assert len(parts_of(store, due_at=LATER_PART.ends_at)) == 2
        assert len(parts_of(store)) == 3

    def test_parts_are_listed_by_number_and_by_table(self, store):
        fill(store, LEAVING)
        keep(store, PART, replace(PART, table="app.orders"))

        first, second = parts_of(store)

        assert first.number < second.number
        assert parts_of(store, after=first.number) == (second,)
        assert parts_of(store, table="app.invoices") == (first,)

    def test_what_is_left_of_a_part_is_written_and_nothing_is_forgotten(self, store):
        fill(store, LEAVING)
        keep(store, PART, LATER_PART)
        first, second = parts_of(store)
        left = replace(first, rows=1, keys=b"one", reason="rows that stay refer to them")

        read(store, lambda t: t.save_kept(left))
        read(store, lambda t: t.save_kept(replace(second, rows=0)))

        assert parts_of(store) == (left,)

    def test_what_a_canceled_episode_had_cut_goes_over_to_the_one_that_is_completed(self, store):
        """L18: rows that were cut before a reactivation are not lost sight of."""
        canceled = replace(LEAVING, id="first", status=OffboardingStatus.CANCELED, next_due_at=None)
        fill(store, canceled, replace(LEAVING, episode=2), leaving("anna"))
        keep(store, replace(PART, offboarding="first"), replace(PART, offboarding="anna"))

        adopted = read(store, lambda t: t.adopt_kept(LEAVING))

        assert adopted == 1
        assert [part.offboarding for part in parts_of(store)] == ["leaving"]
        assert len(parts_of(store, "anna")) == 1


class AftercareContract:
    """An off-boarding that is over and still has a date."""

    @pytest.mark.parametrize("status", OVER)
    def test_one_that_is_over_and_has_a_date_is_claimed_on_it(self, store, status):
        fill(store, LEAVING)
        complete(store, next_due_at=NOW.add(hours=1), status=status)

        assert read(store, lambda t: t.claim_due(now=NOW, lease_until=NOW, limit=9)) == ()
        assert read(store, lambda t: t.next_due_at()) == NOW.add(hours=1)
        claimed = claim_one(store, now=NOW.add(hours=1))

        assert claimed.status is status
        assert read(store, lambda t: t.settle(claimed, next_due_at=None))
        assert read(store, lambda t: t.next_due_at()) is None

    @pytest.mark.parametrize("status", [*OVER, OffboardingStatus.STOPPED])
    def test_one_that_is_over_and_has_no_date_is_never_claimed_or_woken(self, store, status):
        fill(store, LEAVING)
        complete(store, next_due_at=None, status=status)

        read(store, lambda t: t.wake("acme", at=NOW))

        assert read(store, lambda t: t.claim_due(now=NOW, lease_until=NOW, limit=9)) == ()

    def test_its_chunks_are_fenced_like_all_others(self, store):
        """L18."""
        fill(store, LEAVING)
        complete(store, next_due_at=NOW)
        claimed = claim_one(store)

        with chunk(store, claimed) as record:
            record.record("app.invoices", 2)

        assert read(store, lambda t: t.erased_rows("leaving")) == {"app.invoices": 2}

    def test_waking_its_organization_brings_it_forward(self, store):
        """L25."""
        fill(store, LEAVING)
        complete(store, next_due_at=NOW.add(hours=1))

        read(store, lambda t: t.wake("acme", at=NOW))

        assert claim_one(store).id == "leaving"
