"""What every store promises about events on their way to the endpoints."""

from dataclasses import replace

import pytest

from offramp.core.parcel import ParcelStatus
from offramp.ports import EndpointLoad, OutboxEvent
from tests.contract.store_world import EARLIER, LATER, LEAVING, NOW, fill, read

STAGE = OutboxEvent(
    id="e-1", kind="stage-changed", at=EARLIER, organization="acme", member="anna",
    detail={"stage": "expired", "attempt": 1, "is_final": False, "note": None},
)  # fmt: skip
ERASED = OutboxEvent(id="e-2", kind="erased", at=NOW, organization="acme")
HELD = OutboxEvent(id="e-3", kind="bulk-held", at=NOW, organization=None)
EVERYTHING = frozenset({"stage-changed", "erased", "bulk-held"})
LEASE = NOW.add(minutes=2)


def put(store, *events):
    with store.transaction() as transaction:
        transaction.put_events(events)


def hand_over(store, wanted, *, limit=9):
    with store.transaction() as transaction:
        return [event.id for event in transaction.hand_over(wanted, at=NOW, limit=limit)]


def hand_over_again(store, wanted, *, event=None, since=EARLIER):
    with store.transaction() as transaction:
        return transaction.hand_over_again(wanted, event=event, since=since, at=LATER)


def claim(store, endpoint="crm", *, now=NOW, lease_until=LEASE, limit=9):
    with store.transaction() as transaction:
        return transaction.claim_parcels(endpoint, now=now, lease_until=lease_until, limit=limit)


def settle(store, parcel, **changes):
    with store.transaction() as transaction:
        return transaction.settle_parcel(replace(parcel, **changes))


def ids(parcels):
    return [parcel.event.id for parcel in parcels]


def load(store, endpoint="crm"):
    return read(store, lambda t: t.endpoint_loads([endpoint]))[endpoint]


class OutboxContract:
    """Events for the outside."""

    def test_an_event_is_new_until_it_was_handed_over(self, store):
        """L34."""
        put(store, STAGE)

        assert read(store, lambda t: t.events(limit=5)) == (STAGE,)
        assert read(store, lambda t: t.has_new_events())
        assert hand_over(store, {}) == ["e-1"]
        assert not read(store, lambda t: t.has_new_events())
        assert hand_over(store, {}) == []
        assert read(store, lambda t: t.events(limit=5)) == (STAGE,)

    def test_an_event_of_the_whole_installation_has_no_organization(self, store):
        put(store, HELD)

        assert read(store, lambda t: t.events(limit=5)) == (HELD,)

    def test_an_event_is_put_once(self, store):
        put(store, STAGE)
        put(store, replace(STAGE, kind="other"))
        hand_over(store, {})
        put(store, STAGE)

        assert read(store, lambda t: t.events(limit=5)) == (STAGE,)
        assert not read(store, lambda t: t.has_new_events())

    def test_the_oldest_events_are_first(self, store):
        minutes = {"c": 3, "a": 1, "b2": 2, "b1": 2}
        put(store, *(replace(STAGE, id=name, at=NOW.add(minutes=m)) for name, m in minutes.items()))

        assert [event.id for event in read(store, lambda t: t.events(limit=3))] == ["a", "b2", "b1"]
        assert hand_over(store, {}, limit=3) == ["a", "b2", "b1"]
        assert hand_over(store, {}, limit=3) == ["c"]


class ParcelContract:
    """One event for one endpoint."""

    def test_each_endpoint_gets_what_it_wants_the_older_event_first(self, store):
        put(store, ERASED, STAGE, HELD)

        hand_over(store, {"crm": EVERYTHING, "audit": {"erased"}})

        crm, audit = claim(store), claim(store, "audit")
        assert ids(crm) == ["e-1", "e-2", "e-3"]
        assert ids(audit) == ["e-2"]
        assert crm[0].event == STAGE
        assert (crm[0].status, crm[0].attempts, crm[0].claim) == (ParcelStatus.WAITING, 0, 1)

    def test_who_wants_events_later_gets_what_happens_later(self, store):
        put(store, STAGE)
        hand_over(store, {"crm": EVERYTHING})
        put(store, ERASED)

        hand_over(store, {"crm": EVERYTHING, "audit": EVERYTHING})

        assert ids(claim(store, "audit")) == ["e-2"]

    def test_what_is_claimed_is_nobody_elses_until_its_lease_has_run_out(self, store):
        put(store, STAGE, ERASED)
        hand_over(store, {"crm": EVERYTHING})
        (first,) = claim(store, limit=1)

        assert ids(claim(store)) == ["e-2"]
        assert claim(store) == ()
        again = claim(store, now=LEASE, lease_until=LATER)

        assert ids(again) == ["e-1", "e-2"]
        assert again[0].claim == first.claim + 1

    def test_whoever_was_overtaken_writes_nothing(self, store):
        put(store, STAGE)
        hand_over(store, {"crm": EVERYTHING})
        (frozen,) = claim(store)
        (current,) = claim(store, now=LEASE, lease_until=LATER)

        assert not settle(store, frozen, status=ParcelStatus.FAILED)
        assert settle(store, current, status=ParcelStatus.DELIVERED, delivered_at=LEASE)
        assert load(store) == EndpointLoad()

    def test_what_is_to_be_tried_again_waits_until_then(self, store):
        put(store, STAGE)
        hand_over(store, {"crm": EVERYTHING})
        (parcel,) = claim(store)

        settle(store, parcel, attempts=1, next_try_at=LATER, reason="503")

        assert claim(store, now=LEASE) == ()
        (again,) = claim(store, now=LATER, lease_until=LATER.add(minutes=1))
        assert (again.attempts, again.reason, again.next_try_at) == (1, "503", LATER)

    @pytest.mark.parametrize("status", [ParcelStatus.DELIVERED, ParcelStatus.FAILED])
    def test_what_has_ended_is_sent_no_more(self, store, status):
        put(store, STAGE)
        hand_over(store, {"crm": EVERYTHING})
        (parcel,) = claim(store)

        settle(store, parcel, status=status, attempts=10, next_try_at=EARLIER)

        assert claim(store, now=LATER, lease_until=LATER.add(minutes=1)) == ()
        assert load(store).failed == (status is ParcelStatus.FAILED)

    def test_a_disabled_endpoint_keeps_what_waits_until_it_is_enabled(self, store):
        put(store, STAGE)
        with store.transaction() as transaction:
            assert transaction.set_disabled("crm", at=NOW)
            assert not transaction.set_disabled("crm", at=LATER)
        hand_over(store, {"crm": EVERYTHING, "audit": EVERYTHING})

        assert claim(store) == ()
        assert ids(claim(store, "audit")) == ["e-1"]
        assert load(store) == EndpointLoad(waiting=1, next_try_at=EARLIER, disabled_at=NOW)
        with store.transaction() as transaction:
            assert transaction.set_disabled("crm", at=None)
            assert not transaction.set_disabled("crm", at=None)
        assert ids(claim(store)) == ["e-1"]
        assert load(store).disabled_at is None

    def test_what_waits_and_what_was_given_up_is_counted_by_endpoint(self, store):
        put(store, STAGE, ERASED, HELD)
        hand_over(store, {"crm": EVERYTHING, "audit": {"erased"}})
        stage, erased, _ = claim(store)
        settle(store, stage, status=ParcelStatus.FAILED)
        settle(store, erased, attempts=3, next_try_at=LATER)

        loads = read(store, lambda t: t.endpoint_loads(["audit", "crm", "new"]))

        assert loads == {
            "audit": EndpointLoad(waiting=1, next_try_at=NOW),
            "crm": EndpointLoad(waiting=2, retried=1, failed=1, next_try_at=NOW),
            "new": EndpointLoad(),
        }

    def test_an_event_is_sent_again_whatever_became_of_it(self, store):
        put(store, STAGE, ERASED, HELD)
        hand_over(store, {"crm": EVERYTHING})
        stage, erased, held = claim(store)
        settle(store, stage, status=ParcelStatus.DELIVERED, attempts=1, delivered_at=NOW)
        settle(store, erased, status=ParcelStatus.FAILED, attempts=10, reason="500")

        count = hand_over_again(store, {"crm": EVERYTHING})

        assert count == 3
        assert not settle(store, held, status=ParcelStatus.DELIVERED)
        again = claim(store, now=LATER, lease_until=LATER.add(minutes=1))
        assert sorted(ids(again)) == ["e-1", "e-2", "e-3"]
        assert {(each.attempts, each.reason) for each in again} == {(0, None)}

    def test_an_endpoint_is_sent_what_it_never_got(self, store):
        put(store, STAGE, ERASED)
        hand_over(store, {})

        count = hand_over_again(store, {"audit": EVERYTHING}, since=NOW)

        assert count == 1
        assert ids(claim(store, "audit", now=LATER, lease_until=LATER)) == ["e-2"]

    def test_one_event_is_sent_again_by_its_id_to_whoever_wants_its_kind(self, store):
        put(store, STAGE, ERASED)
        hand_over(store, {})

        count = hand_over_again(store, {"crm": EVERYTHING, "audit": {"erased"}}, event="e-1")

        assert count == 1
        assert ids(claim(store, now=LATER, lease_until=LATER)) == ["e-1"]
        assert hand_over_again(store, {"crm": EVERYTHING}, event="unknown") == 0

    def test_who_is_forgotten_is_told_of_no_more(self, store):
        """L30."""
        fill(store, LEAVING)
        put(store, STAGE, ERASED, HELD, replace(STAGE, id="e-4", organization="sibling"))
        hand_over(store, {"crm": EVERYTHING})
        on_its_way, *_ = claim(store, limit=1)

        with store.transaction() as transaction:
            counts = transaction.forget("acme", member=None, at=NOW)

        assert (counts["parcel"], counts["outbox"]) == (2, 2)
        assert not settle(store, on_its_way, status=ParcelStatus.DELIVERED)
        left = claim(store, now=LATER, lease_until=LATER.add(minutes=1))
        assert sorted(ids(left)) == ["e-3", "e-4"]

    def test_one_member_is_forgotten_without_the_others(self, store):
        """L30."""
        fill(store, LEAVING)
        put(store, STAGE, ERASED)
        hand_over(store, {"crm": EVERYTHING})

        with store.transaction() as transaction:
            counts = transaction.forget("acme", member="anna", at=NOW)

        assert (counts["parcel"], counts["outbox"]) == (1, 1)
        assert ids(claim(store)) == ["e-2"]
