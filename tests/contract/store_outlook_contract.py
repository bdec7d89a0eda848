"""What every store promises to a person who watches over very many organizations."""

from dataclasses import replace

import pytest

from offramp.core.model import Subject
from offramp.core.policy import Audience
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.documents.policy import find_policy
from offramp.ports import Condition, DeliveryStatus
from tests.contract.store_schedule_contract import STEP
from tests.contract.store_world import (
    ACME,
    EARLIER,
    HOLD,
    LATER,
    LEAVING,
    NOW,
    fill,
    leaving,
    read,
)

MANY = 100
STOPPED, COMPLETED = OffboardingStatus.STOPPED, OffboardingStatus.COMPLETED


def customers(store, *named):
    """Tell the store of customers, each an id and a name."""
    told = [replace(ACME, id=name, name=title) for name, title in named]
    with store.transaction() as transaction:
        transaction.put_organizations(told)


def found(store, begins="", *, limit=MANY, **how):
    rows = read(store, lambda t: t.find_organizations(begins, now=NOW, limit=limit, **how))
    return [each.id for each in rows]


def due(store, after, until, limit=MANY):
    return [row.id for row in read(store, lambda t: t.due_between(after, until, limit=limit))]


def troubled(store, limit=MANY):
    return [row.id for row in read(store, lambda t: t.troubled(limit=limit))]


def of(name, organization, *, product=None, **changes):
    subject = Subject(organization=organization, product=product)
    return replace(LEAVING, id=name, subject=subject, **changes)


def lose(store, step, member, status):
    """Write what became of one delivery."""
    with store.transaction() as transaction:
        found = transaction.deliveries("leaving", step=step)
        lost = [replace(each, status=status) for each in found if each.member == member]
        transaction.save_deliveries(lost, at=NOW)


class OutlookContract:
    """What happens next, what is in the way, and who stands where."""

    def test_a_list_of_organizations_can_end_so_many_steps_further_on(self, store):
        customers(store, ("a", "Acorn"), ("b", "acme"), ("c", "Birch"), ("d", "acme"))

        def further(begins="", **how):
            return read(store, lambda t: t.organization_further(begins, **how))

        assert further(steps=2) == ("acme", "d")
        assert further(after=("acme", "d"), steps=1) == ("acorn", "a")
        assert further("ac", steps=4) is None
        assert found(store, until=("acme", "d")) == ["b", "d"]
        assert found(store, after=("acme", "b"), until=("acorn", "a")) == ["d", "a"]

    def test_every_version_of_a_policy_is_listed_with_how_many_leave_by_it(self, store):
        first = find_policy("edit-only-grace")
        second = first.model_copy(update={"version": first.version + 1})
        by = {"policy": first.policy, "policy_version": first.version}
        with store.transaction() as transaction:
            for policy in (second, first):
                transaction.put_policy(policy, at=NOW)
        fill(store, replace(LEAVING, **by), leaving("anna", **by, status=COMPLETED))

        listed = read(store, lambda t: t.policy_versions())

        ours = [(each.version, count) for each, count in listed if each.policy == first.policy]
        assert ours == [(first.version, 1), (second.version, 0)]

    def test_what_is_due_is_listed_the_earliest_first(self, store):
        fill(
            store,
            leaving("anna", next_due_at=LATER),
            leaving("ben", next_due_at=EARLIER),
            leaving("cara", next_due_at=None),
            LEAVING,
        )

        assert due(store, None, LATER) == ["ben", "leaving", "anna"]
        assert due(store, EARLIER, NOW) == ["leaving"]
        assert due(store, NOW, LATER) == ["anna"]
        assert due(store, None, LATER, limit=2) == ["ben", "leaving"]

    def test_what_was_stopped_is_not_due(self, store):
        fill(store, replace(LEAVING, status=STOPPED))

        assert due(store, None, LATER) == []

    @pytest.mark.parametrize("status", [StepStatus.FAILED, StepStatus.HELD, StepStatus.ABANDONED])
    def test_a_step_in_trouble_is_found_as_long_as_its_offboarding_is_open(self, store, status):
        fill(store, LEAVING, leaving("anna"))
        step = replace(STEP, offboarding="leaving", status=StepStatus.PENDING)
        read(store, lambda t: t.save_step(step, claimed=None, expected=None))
        before = troubled(store)
        started = replace(step, status=StepStatus.STARTED)
        read(store, lambda t: t.save_step(started, claimed=None, expected=StepStatus.PENDING))
        changed = replace(step, status=status)
        read(store, lambda t: t.save_step(changed, claimed=None, expected=StepStatus.STARTED))

        assert (before, troubled(store)) == ([], ["leaving"])
        over = replace(LEAVING, status=COMPLETED, closed_at=NOW)
        read(store, lambda t: t.save_offboarding(over, expected_episode=1))
        assert troubled(store) == []

    def test_what_was_stopped_is_in_trouble(self, store):
        fill(store, replace(LEAVING, status=STOPPED), leaving("anna"), leaving("ben"))
        stopped = leaving("ben", status=STOPPED)
        read(store, lambda t: t.save_offboarding(stopped, expected_episode=1))

        assert troubled(store) == ["ben", "leaving"]
        assert troubled(store, limit=1) == ["ben"]

    def test_organizations_are_listed_by_name_whatever_the_size_of_its_letters(self, store):
        customers(store, ("4", "acme"), ("3", "Acorn"), ("2", "Acme"), ("1", "Écol"), ("0", "Zeta"))

        assert found(store) == ["2", "4", "3", "0", "1"]
        assert found(store, limit=2) == ["2", "4"]
        assert found(store, after=("acme", "2")) == ["4", "3", "0", "1"]
        assert found(store, after=("acme", "4")) == ["3", "0", "1"]
        assert found(store, "AC", after=("acme", "4")) == ["3"]

    @pytest.mark.parametrize(
        ("begins", "expected"),
        [
            ("ac", ["1", "2"]),
            ("AC", ["1", "2"]),
            ("acme l", ["1"]),
            ("limited", []),
            ("%", []),
            ("_c", []),
            ("100%", ["3"]),
            ("É", ["4"]),
            ("\U0010ffff", []),
        ],
    )
    def test_a_name_is_found_by_what_it_begins_with(self, store, begins, expected):
        customers(store, ("1", "Acme Limited"), ("2", "ACORN"), ("3", "100% fun"), ("4", "École"))

        assert found(store, begins) == expected

    def test_who_was_erased_is_not_there(self, store):
        fill(store)
        read(store, lambda t: t.forget("acme", member=None, at=NOW))

        assert found(store) == ["sibling"]

    def test_organizations_are_found_by_where_they_stand(self, store):
        customers(store, *((name, name) for name in ("a", "b", "c", "d", "e")))
        ended = replace(HOLD, id="ended", organization="b", placed_at=EARLIER, ends_at=NOW)
        with store.transaction() as transaction:
            transaction.open_offboardings(
                [of("1", "a"), of("2", "b", product="notes"), of("3", "c", status=COMPLETED)]
            )
            transaction.open_offboardings([of("4", "d", status=STOPPED)])
            transaction.place_hold(replace(HOLD, organization="a"))
            transaction.place_hold(ended)

        assert found(store, condition=Condition.ANY) == ["a", "b", "c", "d", "e"]
        assert found(store, condition=Condition.LEAVING) == ["a", "b", "d"]
        assert found(store, condition=Condition.STAYING) == ["c", "e"]
        assert found(store, condition=Condition.HELD) == ["a"]
        assert found(store, condition=Condition.STOPPED) == ["d"]

    def test_a_member_who_leaves_takes_nobody_along(self, store):
        fill(store, leaving("anna"))

        assert found(store, condition=Condition.LEAVING) == []

    def test_the_newest_episode_of_each_organization_and_product_is_given(self, store):
        customers(store, ("a", "A"), ("b", "B"), ("c", "C"))
        canceled = OffboardingStatus.CANCELED
        with store.transaction() as transaction:
            transaction.open_offboardings(
                [
                    of("a1", "a", status=COMPLETED),
                    of("a2", "a", episode=2),
                    of("a3", "a", product="notes"),
                    of("b1", "b", status=canceled),
                    of("c1", "c"),
                ]
            )
            transaction.put_members([])
        rows = read(store, lambda t: t.whole_offboardings(["a", "b", "nobody"]))

        assert [row.id for row in rows] == ["a2", "a3"]
        assert read(store, lambda t: t.whole_offboardings([])) == ()

    def test_one_members_own_path_is_none_of_the_whole(self, store):
        fill(store, LEAVING, leaving("anna"))

        assert read(store, lambda t: t.whole_offboardings(["acme"])) == (LEAVING,)

    def test_deliveries_are_counted_by_step_and_status(self, store):
        fill(store, LEAVING, leaving("anna"))
        with store.transaction() as transaction:
            for step in ("warn", "export", "export/2"):
                transaction.fan_out(LEAVING, step=step, audience=Audience.MEMBERS)
            transaction.fan_out(leaving("anna"), step="warn", audience=Audience.SUBJECT)
        lose(store, "warn", "ben", DeliveryStatus.BOUNCED)

        counts = read(store, lambda t: t.count_deliveries("leaving"))

        queued, bounced = DeliveryStatus.QUEUED, DeliveryStatus.BOUNCED
        assert {step: dict(each) for step, each in counts.items()} == {
            "export": {queued: 2},
            "export/2": {queued: 2},
            "warn": {bounced: 1, queued: 1},
        }
        assert read(store, lambda t: t.count_deliveries("nobody")) == {}

    def test_what_was_lost_is_listed_of_one_organization(self, store):
        fill(store, LEAVING, leaving("anna"))
        with store.transaction() as transaction:
            transaction.fan_out(LEAVING, step="warn", audience=Audience.MEMBERS)
            transaction.fan_out(LEAVING, step="export", audience=Audience.MEMBERS)
        lose(store, "warn", "ben", DeliveryStatus.BOUNCED)
        lose(store, "warn", "cara", DeliveryStatus.ACCEPTED)
        lose(store, "export", "cara", DeliveryStatus.REFUSED)

        lost = read(store, lambda t: t.lost_deliveries("acme", limit=MANY))

        assert [(each.step, each.member) for each in lost] == [("export", "cara"), ("warn", "ben")]
        assert read(store, lambda t: t.lost_deliveries("acme", limit=1)) == lost[:1]
        assert read(store, lambda t: t.lost_deliveries("sibling", limit=MANY)) == ()

    def test_the_newest_version_of_every_policy_is_listed(self, store):
        pool, grace = find_policy("license-pool"), find_policy("edit-only-grace")
        newer = pool.model_copy(update={"version": pool.version + 1})
        for policy in (pool, grace, newer):
            read(store, lambda t, policy=policy: t.put_policy(policy, at=NOW))

        assert read(store, lambda t: t.policies()) == (grace, newer)
