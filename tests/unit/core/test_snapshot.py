import json

import pytest
from whenever import Instant

from offramp.core.access import UNKNOWN, Standing, Voter
from offramp.core.banner import Reader
from offramp.core.errors import OfframpError
from offramp.core.model import Role
from offramp.core.policy import ANY, Capability
from offramp.core.snapshot import AccessSnapshot, courses_of
from offramp.core.snapshot_form import SnapshotInvalid, read_snapshot, write_snapshot
from offramp.documents.policy import find_policy
from offramp.testing.builders import make_receipt, make_receipts, make_timeline, make_unlock

GRACE = find_policy("edit-only-grace")
MIDNIGHT = Instant.parse_iso("2024-08-30T23:00:00Z")
DEACTIVATED = Instant.parse_iso("2024-11-29T00:00:00Z")


def reader(*receipts, policy=GRACE, ends="2024-08-30", **known):
    timeline = make_timeline(policy, ends)
    standing = Standing(
        voter=Voter.ORGANIZATION, timeline=timeline, receipts=make_receipts(*receipts)
    )
    return Reader(roles=frozenset({Role.MEMBER}), standings=(standing,), **known)


def snapshot(**readers):
    """Make one of an organization whose policy has a clock for the whole of it."""
    members = {name: courses_of({ANY: each}) for name, each in readers.items()}
    return AccessSnapshot(organization="acme", is_by_product=False, members=members)


def allowed(taken, now, *, member="ulf", surface="app"):
    return {
        each
        for each in Capability
        if taken.decide(member, each, surface=surface, now=now).is_allowed
    }


def test_an_old_snapshot_is_right_at_the_first_instant_of_a_day_A2_B3_L1():
    taken = snapshot(ulf=reader())

    assert Capability.CREATE in allowed(taken, MIDNIGHT.subtract(nanoseconds=1))
    assert Capability.CREATE not in allowed(taken, MIDNIGHT)
    assert Capability.UPDATE in allowed(taken, DEACTIVATED.subtract(nanoseconds=1))
    assert allowed(taken, DEACTIVATED) == set()


def test_every_answer_names_its_end_and_its_voter_L39():
    decision = snapshot(ulf=reader()).decide("ulf", Capability.CREATE, now=MIDNIGHT)

    assert (decision.stage, decision.level, decision.voter) == (
        ("expired", "edit-only", Voter.ORGANIZATION)
    )
    assert decision.until == DEACTIVATED


def test_who_and_what_nobody_knows_is_denied():
    by_product = AccessSnapshot(
        organization="acme", is_by_product=True, members={"ulf": courses_of({"notes": reader()})}
    )

    assert snapshot(ulf=reader()).decide("eve", Capability.READ, now=MIDNIGHT) == UNKNOWN
    for product in (None, "", ANY, "maps"):
        asked = {"product": product, "now": MIDNIGHT}
        assert by_product.decide("ulf", Capability.READ, **asked) == UNKNOWN
    assert by_product.decide("ulf", Capability.READ, product="notes", now=MIDNIGHT).is_allowed


def test_a_surface_that_is_not_named_is_like_all_the_others():
    taken = snapshot(ulf=reader())
    before = MIDNIGHT.subtract(seconds=1)

    assert allowed(taken, before, surface="console") == set()
    assert allowed(taken, before, surface="app") == allowed(taken, before, surface=ANY)


def test_an_unlock_ends_by_itself_while_nobody_can_be_asked():
    unlock = make_unlock("2025-01-01T12:00:00Z", "2025-01-02T12:00:00Z")
    taken = snapshot(ulf=reader(unlocks=(unlock,)))

    assert allowed(taken, unlock.starts_at.subtract(seconds=1)) == set()
    assert allowed(taken, unlock.starts_at) == set(Capability)
    assert allowed(taken, unlock.ends_at) == set()


def test_a_block_has_no_end():
    taken = snapshot(ulf=reader(is_blocked=True))

    assert allowed(taken, MIDNIGHT.subtract(hours=24)) == set()


def test_whoever_may_sign_in_by_another_product_is_not_shut_out_A1_B1():
    going, lasting = reader(), reader(ends="2030-08-30")
    taken = AccessSnapshot(
        organization="acme",
        is_by_product=True,
        members={
            "ulf": courses_of({"notes": going}),
            "anna": courses_of({"notes": going, "recordings": lasting}),
        },
    )

    last_second = DEACTIVATED.subtract(seconds=1)
    assert not taken.is_shut_out("ulf", now=last_second)
    assert taken.is_shut_out("ulf", now=DEACTIVATED)
    assert not taken.is_shut_out("anna", now=DEACTIVATED)
    assert taken.is_shut_out("nobody", now=last_second)


def test_a_deletion_that_was_done_is_known_from_that_instant_on():
    done_at = "2025-09-30T01:00:00Z"
    taken = snapshot(ulf=reader(make_receipt("erase", done_at)))

    at = Instant.parse_iso(done_at)
    stages = [
        taken.decide("ulf", Capability.READ, now=now).stage
        for now in (at.subtract(nanoseconds=1), at)
    ]

    assert stages == ["marked-for-deletion", "deleted"]


def test_what_was_written_is_what_is_read_and_the_same_gives_the_same_bytes():
    taken = snapshot(ulf=reader(), eve=reader(is_blocked=True))

    body = write_snapshot(taken)

    assert read_snapshot(body) == taken
    assert write_snapshot(read_snapshot(body)) == body


def test_members_who_share_everything_share_one_entry():
    courses = courses_of({ANY: reader()})
    many = AccessSnapshot(
        organization="acme",
        is_by_product=False,
        members={f"member-{number}": courses for number in range(1000)},
    )

    body = write_snapshot(many)

    assert len(body) < 20_000
    assert len({id(each) for each in read_snapshot(body).members.values()}) == 1


def changed(**parts):
    return json.dumps(json.loads(write_snapshot(snapshot(ulf=reader()))) | parts).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        changed(offramp=2),
        changed(answers=[]),
        changed(courses=[]),
        changed(courses=[{"from": [], "rows": []}]),
        changed(courses=[{"from": ["soon"], "rows": [[0] * 10, [0] * 10]}]),
        changed(courses=[{"from": [], "rows": [[0] * 9]}]),
        changed(courses=[{"from": [], "rows": [[-1] * 10]}]),
        changed(capabilities=["read"]),
    ],
)
def test_what_is_no_snapshot_is_refused_without_repeating_it(body):
    with pytest.raises(SnapshotInvalid) as refused:
        read_snapshot(body)

    assert isinstance(refused.value, OfframpError)
    assert "soon" not in str(refused.value)
