"""What every store promises about facts, policies and operators' decisions."""

from dataclasses import replace

import pytest

from offramp.core.model import BlockNote, Role
from offramp.core.policy import Audience
from offramp.ports import (
    Changes,
    OrganizationErased,
    OrganizationUnknown,
    OutboxEvent,
    PolicyNote,
    PolicyVersionTaken,
)
from offramp.testing.builders import make_policy
from tests.contract.store_world import (
    ACME,
    ANNA,
    BASIC,
    BEN,
    CARA,
    EXTRA,
    HOLD,
    LATER,
    LEAVING,
    NOW,
    SIBLING,
    UNLOCK,
    fill,
    leaving,
    read,
)

POLICY = make_policy(
    {"id": "warn", "at": "expiry - P14D", "notify": "admins"},
    {"id": "erase", "at": "expiry + grace", "erase": "organization"},
    periods={"grace": {"value": "P30D", "at_least": "P7D"}},
    levels={"half": ["sign-in", "read", "copy"]},
    holidays=["2024-12-25"],
)
SHUT_OUT = BlockNote(
    organization="acme",
    member=None,
    is_blocked=True,
    owner="Sam of support",
    reason="a stolen password",
    at=NOW,
)


class FactContract:
    """Facts, and how they are forgotten."""

    def test_what_was_put_is_what_is_read(self, store):
        fill(store)

        with store.transaction() as transaction:
            assert transaction.organization("acme") == ACME
            assert transaction.organizations() == (ACME, SIBLING)
            assert transaction.pools("acme") == (BASIC, EXTRA)
            assert transaction.member("acme", "ben") == BEN
            assert transaction.members("acme") == (ANNA, BEN, CARA)
            assert transaction.members("sibling") == ()
            assert transaction.roles("sibling") == {}
            assert list(transaction.roles("acme").items()) == [
                (each.id, each.roles) for each in (ANNA, BEN, CARA)
            ]

    def test_what_nobody_told_of_is_not_there(self, store):
        fill(store)

        with store.transaction() as transaction:
            assert transaction.organization("nobody") is None
            assert transaction.member("acme", "nobody") is None
            assert transaction.member("sibling", "anna") is None
            assert transaction.pools("nobody") == ()

    def test_putting_the_same_again_changes_nothing(self, store):
        fill(store)

        with store.transaction() as transaction:
            assert transaction.put_organizations([ACME, SIBLING]) == Changes(same=2)
            assert transaction.put_pools([BASIC, EXTRA]) == Changes(same=2)
            assert transaction.put_members([ANNA, BEN, CARA]) == Changes(same=3)

    def test_new_changed_and_same_rows_are_counted_apart(self, store):
        fill(store, members=[ANNA, BEN])
        moved = replace(ACME, zone="Europe/Paris")
        larger = replace(BASIC, seats=99)
        demoted = replace(ANNA, roles=frozenset({Role.MEMBER}))

        with store.transaction() as transaction:
            organizations = transaction.put_organizations([moved, SIBLING])
            pools = transaction.put_pools([larger, replace(BASIC, id="third")])
            members = transaction.put_members([demoted, BEN, CARA])

        assert organizations == Changes(changed=1, same=1)
        assert pools == Changes(created=1, changed=1)
        assert members == Changes(created=1, changed=1, same=1)

    def test_roles_and_seats_become_what_was_said_last(self, store):
        fill(store)
        changed = replace(BEN, roles=frozenset({Role.BILLING}), pools=frozenset({"extra"}))

        with store.transaction() as transaction:
            transaction.put_members([changed])

        assert read(store, lambda t: t.members("acme")) == (ANNA, changed, CARA)

    def test_a_member_who_is_not_in_the_next_roster_stays(self, store):
        fill(store)

        with store.transaction() as transaction:
            transaction.put_members([ANNA])

        assert read(store, lambda t: t.member("acme", "ben")) == BEN

    def test_the_same_id_in_two_organizations_is_two_members(self, store):
        fill(store)
        other = replace(ANNA, organization="sibling", email="anna@sibling.example")

        with store.transaction() as transaction:
            transaction.put_members([other])

        assert read(store, lambda t: t.members("sibling")) == (other,)
        assert read(store, lambda t: t.member("acme", "anna")) == ANNA

    @pytest.mark.parametrize("among", [(), ("ben",), ("cara", "anna", "nobody")])
    def test_some_members_are_found_by_their_ids(self, store, among):
        fill(store)

        found = read(store, lambda t: t.members("acme", among=among))

        assert found == tuple(each for each in (ANNA, BEN, CARA) if each.id in among)

    @pytest.mark.parametrize("what", ["pools", "members"])
    def test_what_belongs_to_an_unknown_organization_is_refused(self, store, what):
        stray = {"pools": BASIC, "members": ANNA}[what]

        with pytest.raises(OrganizationUnknown, match="acme"), store.transaction() as transaction:
            getattr(transaction, f"put_{what}")([stray])

    def test_ids_are_listed_in_the_order_of_their_characters(self, store):
        names = ["b", "B", "a-c", "ab", "é"]
        fill(store, members=[replace(ANNA, id=name) for name in names])

        found = [member.id for member in read(store, lambda t: t.members("acme"))]

        assert found == sorted(names)

    def test_nothing_of_a_failed_transaction_stays(self, store):
        fill(store)

        def change_and_fail():
            with store.transaction() as transaction:
                transaction.put_organizations([replace(ACME, name="Other")])
                transaction.set_daily_cap(3)
                transaction.put_members([replace(ANNA, organization="nobody")])

        with pytest.raises(OrganizationUnknown):
            change_and_fail()

        assert read(store, lambda t: t.organization("acme")) == ACME
        assert read(store, lambda t: t.daily_cap()) is None

    def test_forgetting_an_organization_leaves_its_sibling_and_a_tombstone(self, store):
        """L22, L30."""
        fill(store, LEAVING)
        with store.transaction() as transaction:
            _fill_everything(transaction)

        with store.transaction() as transaction:
            counts = transaction.forget("acme", member=None, at=NOW)

        assert counts == {
            "organization": 1, "pool": 2, "api_key": 0, "subscription": 0, "bulk_target": 0,
            "member": 3, "member_role": 5, "seat": 3,
            "delivery": 1, "delivery_note": 0, "link": 0, "optional_message": 0, "parcel": 0,
            "outbox": 1, "hold": 1, "unlock": 1, "block": 1, "block_note": 1,
            "declined": 0, "request": 0, "case_note": 0, "support_case": 0,
            "portal_link": 0, "portal_session": 0, "own_copy": 0,
        }  # fmt: skip
        with store.transaction() as transaction:
            assert transaction.organizations() == (SIBLING,)
            assert transaction.organization("acme") is None
            assert transaction.members("acme") == transaction.pools("acme") == ()
            assert transaction.holds("acme") == transaction.unlocks("acme") == ()
            assert transaction.events(limit=10) == ()
            assert transaction.deliveries("leaving") == ()
            assert not transaction.is_blocked("acme", member=None)
            assert transaction.offboarding("leaving") == LEAVING

    @pytest.mark.parametrize("what", ["organizations", "pools", "members"])
    def test_nothing_of_an_erased_organization_comes_back(self, store, what):
        """L22."""
        fill(store)
        with store.transaction() as transaction:
            transaction.forget("acme", member=None, at=NOW)
        late = {"organizations": ACME, "pools": BASIC, "members": ANNA}[what]

        with pytest.raises(OrganizationErased, match="acme"), store.transaction() as transaction:
            getattr(transaction, f"put_{what}")([late])

    def test_nobody_leaves_an_erased_organization(self, store):
        fill(store)
        with store.transaction() as transaction:
            transaction.forget("acme", member=None, at=NOW)

        with pytest.raises(OrganizationErased), store.transaction() as transaction:
            transaction.open_offboardings([LEAVING])

    def test_forgetting_twice_finds_nothing_the_second_time(self, store):
        fill(store)
        with store.transaction() as transaction:
            transaction.forget("acme", member=None, at=NOW)

        counts = read(store, lambda t: t.forget("acme", member=None, at=LATER))

        assert set(counts.values()) == {0}

    def test_forgetting_a_member_leaves_the_others(self, store):
        """B6, L30."""
        own = leaving("anna")
        fill(store, LEAVING, own)
        with store.transaction() as transaction:
            _fill_everything(transaction)
            transaction.fan_out(own, step="bye", audience=Audience.MEMBERS)

        with store.transaction() as transaction:
            counts = transaction.forget("acme", member="anna", at=NOW)

        assert counts == {
            "member": 1, "member_role": 2, "seat": 1, "delivery": 2, "delivery_note": 0,
            "link": 0, "optional_message": 0, "parcel": 0, "outbox": 0, "hold": 0, "unlock": 1,
            "block": 0, "block_note": 0, "declined": 0, "request": 0,
            "case_note": 0, "support_case": 0,
            "portal_link": 0, "portal_session": 0, "own_copy": 0,
        }  # fmt: skip
        with store.transaction() as transaction:
            assert transaction.members("acme") == (BEN, CARA)
            assert transaction.organization("acme") == ACME
            assert transaction.holds("acme") == (HOLD,)

    def test_the_same_address_may_come_again_elsewhere(self, store):
        """L24."""
        fill(store)
        with store.transaction() as transaction:
            transaction.forget("acme", member=None, at=NOW)
            transaction.put_members([replace(ANNA, organization="sibling")])

        assert read(store, lambda t: t.member("sibling", "anna")).email == ANNA.email


class PolicyContract:
    """Published policies."""

    def test_a_published_policy_is_read_as_it_was_written(self, store):
        with store.transaction() as transaction:
            assert transaction.put_policy(POLICY, at=NOW)

        assert read(store, lambda t: t.policy("made")) == POLICY
        assert read(store, lambda t: t.policy("made", 1)) == POLICY

    def test_publishing_the_same_version_again_is_no_news(self, store):
        with store.transaction() as transaction:
            transaction.put_policy(POLICY, at=NOW)

        assert not read(store, lambda t: t.put_policy(POLICY, at=LATER))

    def test_a_published_version_cannot_be_changed(self, store):
        with store.transaction() as transaction:
            transaction.put_policy(POLICY, at=NOW)
        changed = POLICY.model_copy(update={"title": "Another"})

        with pytest.raises(PolicyVersionTaken, match="made"), store.transaction() as transaction:
            transaction.put_policy(changed, at=LATER)

    def test_without_a_number_the_newest_version_is_meant(self, store):
        newer = POLICY.model_copy(update={"version": 12})
        with store.transaction() as transaction:
            for policy in (newer, POLICY, POLICY.model_copy(update={"version": 2})):
                transaction.put_policy(policy, at=NOW)

        assert read(store, lambda t: t.policy("made")) == newer
        assert read(store, lambda t: t.policy("made", 3)) is None
        assert read(store, lambda t: t.policy("other")) is None

    def test_of_each_version_it_is_known_when_it_was_published_by_whom_and_why(self, store):
        newer = POLICY.model_copy(update={"version": 12})
        with store.transaction() as transaction:
            transaction.put_policy(POLICY, at=NOW)
            transaction.put_policy(newer, at=LATER, by="operator:1", reason="the law")
            transaction.put_policy(newer, at=NOW, by="operator:2", reason="again")

        first = PolicyNote(version=1, published_at=NOW, by=None, reason=None)
        second = PolicyNote(version=12, published_at=LATER, by="operator:1", reason="the law")
        assert read(store, lambda t: t.policy_notes("made")) == (second, first)
        assert read(store, lambda t: t.policy_notes("other")) == ()


class OperationContract:
    """Decisions of people."""

    def test_a_hold_is_released_once(self, store):
        fill(store)
        with store.transaction() as transaction:
            transaction.place_hold(HOLD)

        assert read(store, lambda t: t.release_hold("hold-1", at=LATER)) == HOLD
        assert read(store, lambda t: t.release_hold("hold-1", at=LATER)) is None
        assert read(store, lambda t: t.release_hold("hold-2", at=LATER)) is None
        assert read(store, lambda t: t.holds("acme")) == (replace(HOLD, ends_at=LATER),)

    def test_holds_and_unlocks_are_an_organizations_own(self, store):
        fill(store)
        with store.transaction() as transaction:
            transaction.place_hold(HOLD)
            transaction.grant_unlock(UNLOCK)
            transaction.grant_unlock(replace(UNLOCK, member=None))

        assert read(store, lambda t: t.holds("sibling")) == ()
        assert read(store, lambda t: t.unlocks("sibling")) == ()
        assert read(store, lambda t: t.unlocks("acme")) == (UNLOCK, replace(UNLOCK, member=None))

    @pytest.mark.parametrize("member", [None, "anna"])
    def test_a_block_shuts_out_one_subject(self, store, member):
        other = "anna" if member is None else None
        with store.transaction() as transaction:
            for _ in range(2):
                transaction.set_block("acme", member=member, is_blocked=True)

        assert read(store, lambda t: t.is_blocked("acme", member=member))
        assert not read(store, lambda t: t.is_blocked("acme", member=other))
        assert not read(store, lambda t: t.is_blocked("sibling", member=member))
        assert read(store, lambda t: t.blocked("acme")) == {member}
        assert read(store, lambda t: t.blocked("sibling")) == set()

        with store.transaction() as transaction:
            transaction.set_block("acme", member=member, is_blocked=False)

        assert not read(store, lambda t: t.is_blocked("acme", member=member))

    def test_who_shut_somebody_out_and_why_is_kept_and_goes_with_them(self, store):
        """L30."""
        of_anna = replace(SHUT_OUT, member="anna", at=LATER)
        let_in = replace(SHUT_OUT, is_blocked=False, at=LATER)
        fill(store)
        for note in (SHUT_OUT, of_anna, let_in):
            read(store, lambda t, note=note: t.note_block(note))

        assert read(store, lambda t: t.block_notes("acme")) == (SHUT_OUT, of_anna, let_in)
        assert read(store, lambda t: t.block_notes("sibling")) == ()
        assert read(store, lambda t: t.blocked("acme")) == {"anna"}

        read(store, lambda t: t.forget("acme", member="anna", at=NOW))

        assert read(store, lambda t: t.block_notes("acme")) == (SHUT_OUT, let_in)

    def test_an_exemption_stays_when_the_organization_is_told_of_again(self, store):
        fill(store)
        with store.transaction() as transaction:
            transaction.set_exempt("acme", is_exempt=True)
            transaction.put_organizations([replace(ACME, locale="fr")])

        assert read(store, lambda t: t.is_exempt("acme"))
        assert not read(store, lambda t: t.is_exempt("sibling"))

        with store.transaction() as transaction:
            transaction.set_exempt("acme", is_exempt=False)

        assert not read(store, lambda t: t.is_exempt("acme"))

    def test_nobody_unknown_can_be_exempt(self, store):
        with pytest.raises(OrganizationUnknown), store.transaction() as transaction:
            transaction.set_exempt("nobody", is_exempt=True)

    def test_pause_and_cap_are_kept_apart(self, store):
        """L26."""
        assert read(store, lambda t: (t.is_paused(), t.daily_cap())) == (False, None)

        with store.transaction() as transaction:
            transaction.set_daily_cap(5)
            transaction.set_paused(is_paused=True, now=NOW)

        assert read(store, lambda t: (t.is_paused(), t.daily_cap())) == (True, 5)

        with store.transaction() as transaction:
            transaction.set_daily_cap(None)

        assert read(store, lambda t: (t.is_paused(), t.daily_cap())) == (True, None)


def _fill_everything(transaction):
    """Put something of acme into every table that can have it."""
    transaction.fan_out(LEAVING, step="warn", audience=Audience.ADMINS)
    transaction.put_events([OutboxEvent(id="e", kind="stage-changed", at=NOW, organization="acme")])
    transaction.place_hold(HOLD)
    transaction.grant_unlock(UNLOCK)
    transaction.note_block(SHUT_OUT)
