"""What would become of every step with another end, another policy, or a new term."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.model import Anchor, Facts, Outcome, Receipt, SubjectKind
from offramp.core.plan import plan
from offramp.core.prospect import Fate, prospects
from offramp.documents.policy import find_policy

POOL = find_policy("license-pool")
FACTS = Facts(
    kind=SubjectKind.ORGANIZATION,
    zone="Europe/Dublin",
    anchors={Anchor.EXPIRY: Date(2024, 8, 30)},
)
NOW = Instant.from_utc(2024, 9, 1)
OLD = plan(POOL, FACTS)


def ending(*day):
    return plan(POOL, replace(FACTS, anchors={Anchor.EXPIRY: Date(*day)}))


def done(*keys):
    return {
        key: Receipt(
            step=key,
            outcome=Outcome.DONE,
            due_at=OLD.find(key).due_at,
            done_at=OLD.find(key).due_at,
        )
        for key in keys
    }


WARNED = done("expiring-soon", "stage:expired", "achievements")


def fates(new, *, receipts=WARNED, is_new_term=False, now=NOW):
    found = prospects(OLD, new, receipts=receipts, is_new_term=is_new_term, now=now)
    return {each.planned.key: each.fate for each in found}


def test_what_was_done_stays_done_and_the_rest_moves_with_the_end():
    found = fates(ending(2024, 9, 30))

    assert found["expiring-soon"] is Fate.DONE
    assert found["erase"] is Fate.LATER
    assert set(found.values()) == {Fate.DONE, Fate.LATER}


def test_in_a_new_term_what_was_done_comes_again():
    found = fates(ending(2025, 8, 30), is_new_term=True)

    assert found["expiring-soon"] is Fate.AGAIN
    assert found["erase"] is Fate.LATER
    assert Fate.DONE not in found.values()


def test_what_would_lie_in_the_past_is_due_at_once_or_left_out():
    found = fates(ending(2024, 8, 20), receipts={})

    assert found["stage:expired"] is Fate.AT_ONCE
    assert found["expiring-soon"] is Fate.USELESS
    assert found["erase"] is Fate.EARLIER


@pytest.mark.parametrize(
    ("old", "new", "fate"), [(OLD, None, Fate.REMOVED), (None, OLD, Fate.ADDED)]
)
def test_without_an_end_nothing_is_planned(old, new, fate):
    before = Instant.from_utc(2024, 1, 1)

    found = prospects(old, new, receipts={}, is_new_term=False, now=before)

    assert {each.fate for each in found} == {fate}


def test_where_nothing_changes_every_step_stays():
    assert set(fates(OLD).values()) == {Fate.DONE, Fate.STAYS}


def test_a_deletion_is_expected_when_what_it_requires_was_long_enough_ago():
    late = Instant.from_utc(2024, 10, 5)

    found = prospects(OLD, OLD, receipts=WARNED, is_new_term=False, now=late)

    (erase,) = [each for each in found if each.planned.is_destructive]
    assert erase.becomes_at >= late.add(hours=24 * 7)
    assert erase.planned.due_at < late


def test_another_policy_cancels_its_own_steps_and_adds_those_of_the_other():
    other = plan(find_policy("edit-only-grace"), FACTS)

    found = prospects(OLD, other, receipts={}, is_new_term=True, now=Instant.from_utc(2024, 1, 1))

    assert {Fate.ADDED, Fate.REMOVED} <= {each.fate for each in found}
    times = [each.becomes_at or each.was_at for each in found]
    assert times == sorted(times)
