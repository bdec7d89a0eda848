"""Why somebody was, is or will be locked out: what was known then, and what nobody knows."""

from dataclasses import replace

import pytest
from whenever import Date, Instant

from offramp.core.access import Place, Voter
from offramp.core.explanation import Saying
from offramp.core.ledger import Event
from offramp.core.model import Pool
from offramp.core.policy import Capability
from offramp.core.transitions import OffboardingStatus
from offramp.engine import offboarding as deeds
from offramp.engine.access import may
from offramp.engine.explanation import MemberErased, Tense, explain_access
from offramp.engine.hindsight import Gap, look_back
from offramp.engine.people import Person, end_members, reactivate_members, remove_members
from offramp.engine.situation import MemberUnknown
from offramp.engine.unlock import grant_unlock
from offramp.ports import OrganizationUnknown
from tests.unit.web.acme import EXPIRED, START, acme

CREATE = Capability.CREATE
FIRST_OF_SEPTEMBER = Instant.from_utc(2024, 9, 1)


@pytest.fixture
def world():
    """Give a world where Acme's notes end on 2024-08-30."""
    return acme()


def ask(world, at=None, *, member="ulf", capability=CREATE, surface="app"):
    place = Place(organization="acme", member=member, surface=surface, product="notes")
    (account,) = explain_access(world.context, place, capability, at=at)
    return account


def said(account, voter):
    found = account.explanation.statements
    return next(each for each in found if each.voter is voter)


def verdict(account):
    decision = account.explanation.decision
    return decision.is_allowed, decision.voter.value, decision.stage


def gaps(account):
    return {gap.value for gap in account.gaps}


def test_without_a_time_it_is_what_is_decided_right_now(world):
    for at in (START, EXPIRED, Instant.from_utc(2024, 11, 29)):
        world.clock.advance_to(at)

        account = ask(world)

        assert account.explanation.decision == may(
            world.store, "acme", "ulf", CREATE, surface="app", product="notes", now=at
        )
        assert (account.tense, account.gaps) == (Tense.PRESENT, ())


def test_the_future_is_told_as_things_stand(world):
    account = ask(world, FIRST_OF_SEPTEMBER)

    assert verdict(account) == (False, "organization", "expired")
    assert account.today.is_allowed
    assert (account.tense, account.gaps) == (Tense.FUTURE, ())


def test_a_day_is_its_first_instant_in_the_zone_of_the_organization(world):
    assert ask(world, Date(2024, 8, 31)).at == EXPIRED


def test_the_past_is_told_after_a_renewal_as_it_was(world):
    world.run_until(Instant.from_utc(2024, 9, 10))
    deeds.renew(world.context, "acme", until=Date(2025, 8, 30))

    account = ask(world, FIRST_OF_SEPTEMBER)

    assert verdict(account) == (False, "organization", "expired")
    assert said(account, Voter.ORGANIZATION).ends == Date(2024, 8, 30)
    assert account.today.is_allowed
    assert [(each.event.kind, each.event.detail["ends"]) for each in account.records] == [
        ("offboarding-opened", "2024-08-30"),
        ("offboarding-canceled", "2024-08-30"),
        ("offboarding-opened", "2025-08-30"),
    ]


def test_an_end_that_was_moved_since_is_told_as_it_was_known_then(world):
    world.run_until(Instant.from_utc(2024, 9, 10))
    deeds.extend(world.context, "acme", until=Date(2024, 10, 31))

    then, later = ask(world, FIRST_OF_SEPTEMBER), ask(world, world.now)

    assert (verdict(then), said(then, Voter.ORGANIZATION).ends) == (
        (False, "organization", "expired"),
        Date(2024, 8, 30),
    )
    assert (verdict(later), said(later, Voter.ORGANIZATION).ends) == (
        (True, "organization", "active"),
        Date(2024, 10, 31),
    )


def test_an_end_that_was_entered_too_late_was_not_known_before(world):
    world.run_until(Instant.from_utc(2024, 8, 10))
    with world.store.transaction() as transaction:
        ulf = transaction.member("acme", "ulf")
    deeds.register(world.context, members=[replace(ulf, ends=Date(2024, 8, 5))])

    assert verdict(ask(world, Instant.from_utc(2024, 8, 8))) == (True, "organization", "active")
    assert verdict(ask(world)) == (False, "member", "expired")


def test_a_removal_that_was_taken_back_is_still_the_reason_of_that_day(world):
    world.run_until(Instant.from_utc(2024, 8, 10))
    remove_members(world.context, "acme", [Person(member="ulf")])
    world.run_until(Instant.from_utc(2024, 8, 12))
    reactivate_members(world.context, "acme", [Person(member="ulf")])

    account = ask(world, Instant.from_utc(2024, 8, 11))

    assert verdict(account) == (False, "member", "expired")
    assert said(account, Voter.MEMBER).is_removed
    assert account.today.is_allowed


def test_a_seat_that_ended_alone_is_named_as_the_voter(world):
    with world.store.transaction() as transaction:
        (pool,) = transaction.pools("acme")
    longer = replace(pool, id="acme-more", ends=Date(2025, 8, 30))
    deeds.register(world.context, pools=[longer])
    world.run_until(FIRST_OF_SEPTEMBER)

    account = ask(world)

    assert verdict(account) == (False, "pool", "expired")
    assert said(account, Voter.ORGANIZATION).saying is Saying.ALLOWS
    assert [each.id for each in account.pools] == ["acme-notes"]


def test_an_unlock_of_that_day_is_told_with_its_owner(world):
    world.run_until(Instant.from_utc(2024, 12, 1))
    grant_unlock(world.context, "acme", owner="support", reason="an audit", hours=24)
    world.run_until(Instant.from_utc(2024, 12, 10))

    account = ask(world, Instant.from_utc(2024, 12, 1, hour=5))

    assert verdict(account) == (True, "unlock", "deactivated")
    assert said(account, Voter.UNLOCK).unlock.owner == "support"
    assert not account.today.is_allowed


def test_a_block_of_today_is_not_taken_for_one_of_the_past(world):
    world.run_until(Instant.from_utc(2024, 8, 10))
    with world.store.transaction() as transaction:
        transaction.set_block("acme", member="ulf", is_blocked=True)

    account = ask(world, Instant.from_utc(2024, 8, 9))

    assert verdict(account) == (True, "organization", "active")
    assert "block" in gaps(account)
    assert account.today.voter is Voter.BLOCK


def test_of_the_past_it_is_said_what_was_not_written_down(world):
    world.run_until(FIRST_OF_SEPTEMBER)

    expired = ask(world, Instant.from_utc(2024, 8, 31))

    assert gaps(expired) == {"known-since", "seats", "calendar", "block"}
    assert "roles" in gaps(ask(world, START.add(hours=1), surface="console"))


def test_before_anything_was_known_to_end_the_policy_of_today_is_taken_and_said(world):
    account = ask(world, START.subtract(hours=1))

    assert verdict(account) == (True, "organization", "active")
    assert {"policy", "known-since"} <= gaps(account)


def test_a_version_that_took_over_since_is_a_gap_until_something_had_begun(world):
    world.run_until(Instant.from_utc(2024, 9, 10))
    with world.store.transaction() as transaction:
        (row,) = transaction.offboardings("acme")
        newer = replace(row, policy_version=2)
        before = look_back(transaction, [newer], at=START.add(hours=1))
        after = look_back(transaction, [newer], at=world.now)

    assert (before.gaps, after.gaps) == ({Gap.VERSION}, frozenset())


@pytest.mark.parametrize(
    ("details", "gap"),
    [
        ([], Gap.END),
        ([("opened", {"ends": "2024-08-30"}), ("moved", {"ends": "2024-10-31"})], Gap.CAUSE),
    ],
)
def test_what_an_older_ledger_does_not_tell_is_not_guessed(world, details, gap):
    with world.store.transaction() as transaction:
        (found,) = transaction.offboardings("acme")
        row = replace(found, id="older")
        events = [
            Event(
                kind=f"offboarding-{kind}",
                at=START.add(hours=48 * number),
                offboarding=row.id,
                detail={"version": 1, **detail},
            )
            for number, (kind, detail) in enumerate(details)
        ]
        transaction.append(events)
        past = look_back(transaction, [row], at=START.add(hours=1))

    assert past.gaps == {gap}


def test_an_erased_member_is_not_taken_for_one_who_never_was(world):
    end_members(world.context, "acme", [Person(member="ulf", ends=Date(2024, 8, 2))])
    deeds.renew(world.context, "acme", until=Date(2030, 8, 30))
    with world.store.transaction() as transaction:
        row = next(row for row in transaction.offboardings("acme") if row.subject.member)
        closed = replace(row, status=OffboardingStatus.COMPLETED, closed_at=START, next_due_at=None)
        transaction.save_offboarding(closed, expected_episode=row.episode)
        transaction.forget("acme", member="ulf", at=START)

    with pytest.raises(MemberErased):
        ask(world)
    with pytest.raises(MemberUnknown):
        ask(world, member="nobody")


def test_nobody_is_explained_of_an_organization_that_is_not_there(world):
    with pytest.raises(OrganizationUnknown):
        explain_access(world.context, Place(organization="other", member="ulf"), CREATE)


def test_where_no_product_is_named_each_with_a_clock_is_explained(world):
    recordings = Pool(
        id="acme-recordings",
        organization="acme",
        product="recordings",
        kind="seat",
        seats=5,
        ends=Date(2027, 1, 31),
    )
    deeds.register(world.context, pools=[recordings])

    accounts = explain_access(
        world.context, Place(organization="acme", member="ulf"), CREATE, at=FIRST_OF_SEPTEMBER
    )

    assert {
        account.place.product: account.explanation.decision.is_allowed for account in accounts
    } == {"notes": False, "recordings": True}
