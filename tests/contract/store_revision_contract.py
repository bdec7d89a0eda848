"""What every store promises about revisions: any change that can change an answer gives another."""

from dataclasses import replace

import pytest
from whenever import Date

from offramp.core.model import Outcome, Receipt, Role, Subject
from offramp.core.transitions import OffboardingStatus, StepStatus
from offramp.ports import StepRow
from offramp.testing.builders import make_policy
from tests.contract.store_world import (
    ACME,
    ANNA,
    BASIC,
    BEN,
    HOLD,
    LATER,
    LEAVING,
    NOW,
    SIBLING,
    UNLOCK,
    chunk,
    claim_one,
    fill,
    leaving,
    read,
)

DELETION = StepRow(
    offboarding="leaving", key="erase", status=StepStatus.STARTED, due_at=NOW, is_destructive=True
)
RECEIPT = Receipt(step="erase", outcome=Outcome.DONE, due_at=NOW, done_at=NOW)
OTHER_STEP = replace(DELETION, key="warn", is_destructive=False)
ENDED = replace(LEAVING, status=OffboardingStatus.CANCELED, closed_at=NOW, next_due_at=None)
OF_BEN = leaving("ben")


def policy(version, name=ACME.policy):
    return make_policy(policy=name, version=version)


def save(transaction, row, *, expected=None):
    transaction.save_step(row, claimed=None, expected=expected)


def finish(transaction):
    done = replace(DELETION, status=StepStatus.DONE, receipt=RECEIPT)
    save(transaction, done, expected=StepStatus.STARTED)


CHANGES = {
    "another zone": lambda t: t.put_organizations([replace(ACME, zone="Pacific/Apia")]),
    "another policy": lambda t: t.put_organizations([replace(ACME, policy="other")]),
    "another end of a pool": lambda t: t.put_pools([replace(BASIC, ends=Date(2030, 1, 1))]),
    "a new pool": lambda t: t.put_pools([replace(BASIC, id="third")]),
    "a new member": lambda t: t.put_members([replace(ANNA, id="dora")]),
    "another role": lambda t: t.put_members([replace(BEN, roles=frozenset({Role.OWNER}))]),
    "another seat": lambda t: t.put_members([replace(BEN, pools=frozenset())]),
    "a removed member": lambda t: t.put_members([replace(BEN, removed_at=NOW)]),
    "a forgotten member": lambda t: t.forget("acme", member="anna", at=NOW),
    "a forgotten organization": lambda t: t.forget("acme", member=None, at=NOW),
    "a new off-boarding": lambda t: t.open_offboardings([OF_BEN]),
    "another end": lambda t: t.save_offboarding(
        replace(LEAVING, ends=Date(2030, 1, 1)), expected_episode=1
    ),
    "a canceled off-boarding": lambda t: t.save_offboarding(ENDED, expected_episode=1),
    "an off-boarding of another version": lambda t: t.repin({"leaving": NOW}, version=2),
    "a deletion that begins": lambda t: save(t, DELETION),
    "a block of everybody": lambda t: t.set_block("acme", member=None, is_blocked=True),
    "a block of one": lambda t: t.set_block("acme", member="anna", is_blocked=True),
    "an unlock": lambda t: t.grant_unlock(UNLOCK),
    "a new version of the policy": lambda t: t.put_policy(policy(2), at=NOW),
}
NO_CHANGES = {
    "the same facts again": lambda t: t.put_organizations([ACME]),
    "facts of another": lambda t: t.put_members([replace(ANNA, organization="sibling")]),
    "a block of another": lambda t: t.set_block("sibling", member=None, is_blocked=True),
    "a step that opens no stage": lambda t: save(t, OTHER_STEP),
    "a claim": lambda t: t.claim_due(now=NOW, lease_until=LATER, limit=9),
    "a wake-up": lambda t: t.wake("acme", at=NOW),
    "a hold": lambda t: t.place_hold(HOLD),
    "another policy's version": lambda t: t.put_policy(policy(1, "other"), at=NOW),
    "the same version": lambda t: t.put_policy(policy(1), at=NOW),
}


class RevisionContract:
    """The name of a state, which changes with it."""

    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
    def test_what_can_change_an_answer_gives_another_revision(self, store, change):
        fill(store, LEAVING)
        read(store, lambda t: t.put_policy(policy(1), at=NOW))
        before = store.revision("acme")

        read(store, change)

        assert before is not None
        assert store.revision("acme") != before

    def test_the_end_of_a_deletion_and_of_a_block_give_another_revision(self, store):
        fill(store, LEAVING)
        for first, then in [
            (CHANGES["a deletion that begins"], finish),
            (
                CHANGES["a block of one"],
                lambda t: t.set_block("acme", member="anna", is_blocked=False),
            ),
        ]:
            read(store, first)
            before = store.revision("acme")

            read(store, then)

            assert store.revision("acme") != before

    def test_a_deletion_that_a_worker_finishes_gives_another_revision(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)
        before = store.revision("acme")

        with store.transaction() as transaction:
            transaction.save_step(DELETION, claimed=claimed, expected=None)

        assert store.revision("acme") != before

    @pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES)
    def test_what_changes_no_answer_leaves_the_revision_as_it_is(self, store, change):
        fill(store, LEAVING)
        read(store, lambda t: t.put_policy(policy(1), at=NOW))
        read(store, lambda t: t.put_organizations([SIBLING]))
        before = store.revision("acme")

        read(store, change)

        assert store.revision("acme") == before

    def test_a_chunk_of_a_deletion_leaves_the_revision_as_it_is(self, store):
        fill(store, LEAVING)
        claimed = claim_one(store)
        before = store.revision("acme")

        with chunk(store, claimed) as record:
            record.record("notes", 7)

        assert store.revision("acme") == before

    def test_what_is_taken_back_was_no_change(self, store):
        fill(store)
        before = store.revision("acme")

        def fail(transaction):
            transaction.set_block("acme", member=None, is_blocked=True)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            read(store, fail)

        assert store.revision("acme") == before

    def test_whoever_is_unknown_or_erased_has_no_revision(self, store):
        fill(store)
        assert store.revision("nobody") is None

        read(store, lambda t: t.forget("acme", member=None, at=NOW))

        assert store.revision("acme") is None

    def test_several_are_asked_about_at_once(self, store):
        fill(store)
        read(store, lambda t: t.put_policy(policy(3), at=NOW))
        read(store, lambda t: t.put_organizations([replace(ACME, id="gone")]))
        read(store, lambda t: t.forget("gone", member=None, at=NOW))

        with store.reading() as transaction:
            found = transaction.revisions(["acme", "sibling", "gone", "nobody"])

        assert found == {each: store.revision(each) for each in ("acme", "sibling")}

    def test_what_is_not_committed_is_not_seen(self, store):
        fill(store)
        before = store.revision("acme")

        with store.transaction() as transaction:
            transaction.set_block("acme", member=None, is_blocked=True)

            assert store.revision("acme") == before

    def test_the_organizations_of_a_member_are_found_by_id_past_one_of_them(self, store):
        owners = [replace(ACME, id=f"o{number}") for number in range(4)]
        people = [replace(ANNA, organization=each.id) for each in owners]
        fill(store)
        read(store, lambda t: (t.put_organizations(owners), t.put_members(people)))

        def ask(after, limit):
            return read(store, lambda t: t.organizations_of("anna", after=after, limit=limit))

        assert ask("", 9) == ("acme", "o0", "o1", "o2", "o3")
        assert ask("o0", 2) == ("o1", "o2")
        assert read(store, lambda t: t.organizations_of("dora", after="", limit=9)) == ()

    def test_of_off_boardings_those_are_found_that_have_a_say_about_one_member(self, store):
        elsewhere = replace(LEAVING, id="elsewhere", subject=Subject(organization="sibling"))
        of_anna = leaving("anna")
        fill(store, LEAVING, OF_BEN, of_anna, elsewhere)

        assert read(store, lambda t: t.offboardings_about("acme", member="ben")) == (
            LEAVING,
            OF_BEN,
        )
        assert read(store, lambda t: t.offboardings_about("acme", member=None)) == (LEAVING,)
