"""What every store promises about acts on many organizations (L26)."""

from dataclasses import replace

import pytest
from whenever import Date

from offramp.core.bulk import BulkAct, BulkKind, BulkTarget, BulkWish, TargetStatus
from offramp.ports import OrganizationErased, OrganizationUnknown
from tests.contract.store_world import EARLIER, LATER, NOW, fill, read

ACT = BulkAct(
    id="a1",
    wish=BulkWish(kind=BulkKind.EXTEND, reason="the merger", until=Date(2031, 1, 31)),
    owner="Olga",
    owner_id="o1",
    asked_at=NOW,
    expires_at=LATER,
    organizations=2,
    digest="d1",
)
SECOND = replace(
    ACT,
    id="a2",
    wish=BulkWish(kind=BulkKind.RELEASE, reason="settled", held_for="the merger"),
    asked_at=EARLIER,
)
ANNA = {"approver": "Anna", "approver_id": "o2"}


def targets(act, *organizations):
    return [
        BulkTarget(act=act, organization=each, digest=f"of {each}", told="later")
        for each in organizations
    ]


def ask(store, *acts):
    fill(store)
    with store.transaction() as transaction:
        for act in acts:
            transaction.put_bulk_act(act, targets(act.id, "sibling", "acme"))


def approve(store, act, *, at=NOW):
    return read(store, lambda t: t.approve_bulk_act(act, **ANNA, at=at))


def settle(store, target, status=TargetStatus.DONE):
    settled = replace(target, status=status, told="done", settled_at=LATER)
    return read(store, lambda t: t.settle_bulk_target(settled))


class BulkContract:
    """What is done to many, and was approved by a second person."""

    def test_an_act_is_found_as_it_was_asked_for_with_everybody_in_it(self, store):
        ask(store, ACT, SECOND)

        assert read(store, lambda t: t.bulk_act("a1")) == ACT
        assert read(store, lambda t: t.bulk_act("a2")) == SECOND
        assert read(store, lambda t: t.bulk_act("a9")) is None
        assert read(store, lambda t: t.bulk_targets("a1")) == (*targets("a1", "acme", "sibling"),)

    def test_nobody_is_meant_who_is_not_there(self, store):
        fill(store)
        with pytest.raises(OrganizationUnknown):
            read(store, lambda t: t.put_bulk_act(ACT, targets("a1", "nobody")))
        read(store, lambda t: t.forget("sibling", member=None, at=NOW))

        with pytest.raises(OrganizationErased):
            read(store, lambda t: t.put_bulk_act(ACT, targets("a1", "acme", "sibling")))

    def test_acts_are_listed_from_the_newest_and_the_open_ones_apart(self, store):
        ask(store, SECOND, ACT, replace(ACT, id="a3", expires_at=NOW))
        approve(store, "a2")

        def listed(**options):
            return [each.id for each in read(store, lambda t: t.bulk_acts(**options))]

        assert listed(limit=9) == ["a1", "a3", "a2"]
        assert listed(limit=1) == ["a1"]
        assert listed(open_at=NOW, limit=9) == ["a1"]

    def test_an_act_is_approved_once(self, store):
        ask(store, ACT)

        first, second = approve(store, "a1"), approve(store, "a1", at=LATER)

        assert (first, second, approve(store, "a9")) == (True, False, False)
        assert read(store, lambda t: t.bulk_act("a1")) == replace(ACT, **ANNA, approved_at=NOW)

    def test_only_what_was_approved_is_next_and_the_one_approved_first(self, store):
        ask(store, ACT, SECOND)
        assert read(store, lambda t: t.next_bulk_target()) is None
        approve(store, "a1", at=LATER)
        approve(store, "a2", at=NOW)

        act, target = read(store, lambda t: t.next_bulk_target())
        of_one = read(store, lambda t: t.next_bulk_target("a1"))

        assert (act.id, target) == ("a2", targets("a2", "acme")[0])
        assert (of_one[0].id, of_one[1].organization) == ("a1", "acme")

    def test_who_was_settled_is_so_once_and_not_next_again(self, store):
        ask(store, ACT)
        approve(store, "a1")
        acme, sibling = targets("a1", "acme", "sibling")

        assert settle(store, acme, TargetStatus.REFUSED)
        assert not settle(store, acme)
        assert read(store, lambda t: t.next_bulk_target())[1] == sibling
        assert settle(store, sibling)
        assert read(store, lambda t: t.next_bulk_target()) is None
        assert read(store, lambda t: t.bulk_targets("a1")) == (
            replace(acme, status=TargetStatus.REFUSED, told="done", settled_at=LATER),
            replace(sibling, status=TargetStatus.DONE, told="done", settled_at=LATER),
        )

    def test_what_is_of_an_organization_goes_with_it(self, store):
        ask(store, ACT)

        counts = read(store, lambda t: t.forget("acme", member=None, at=NOW))
        left = read(store, lambda t: t.bulk_targets("a1"))

        assert counts["bulk_target"] == 1
        assert left == (*targets("a1", "sibling"),)
        assert not settle(store, targets("a1", "acme")[0])

    def test_the_end_of_a_member_changes_none_of_it(self, store):
        ask(store, ACT)

        read(store, lambda t: t.forget("acme", member="anna", at=NOW))

        assert len(read(store, lambda t: t.bulk_targets("a1"))) == 2

    def test_old_acts_are_forgotten(self, store):
        ask(store, ACT, SECOND)

        dropped = read(store, lambda t: t.drop_bulk_acts(asked_before=NOW))

        assert (dropped, read(store, lambda t: t.bulk_acts(limit=9))) == (1, (ACT,))
        assert read(store, lambda t: t.bulk_targets("a2")) == ()
        assert len(read(store, lambda t: t.bulk_targets("a1"))) == 2
