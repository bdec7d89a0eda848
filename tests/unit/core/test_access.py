import pytest
from whenever import Instant

from offramp.core.access import UNKNOWN, Question, Standing, Voter, decide, matrix
from offramp.core.model import Role
from offramp.core.policy import LEVELS, Capability
from offramp.documents.policy import find_policy
from offramp.testing.builders import (
    ACTIVE,
    EXPIRED,
    make_policy,
    make_receipt,
    make_receipts,
    make_timeline,
    make_unlock,
)

LICENSE_POOL = find_policy("license-pool")
EDIT_ONLY = find_policy("edit-only-grace")


def instant(text):
    return Instant.parse_iso(text)


def question(capability="read", surface="app", roles=(Role.MEMBER,)):
    return Question(roles=frozenset(roles), surface=surface, capability=Capability(capability))


def standing(policy=LICENSE_POOL, ends="2024-08-30", voter=Voter.ORGANIZATION, *receipts):
    return Standing(
        voter=voter, timeline=make_timeline(policy, ends), receipts=make_receipts(*receipts)
    )


def fixed(*levels, voter=Voter.ORGANIZATION):
    """Make the standing of a policy whose only stages have these levels, one per end of term."""
    stages = [ACTIVE | {"access": {"*": levels[0]}}]
    if len(levels) > 1:
        stages.append(EXPIRED | {"access": {"*": levels[1]}})
    return standing(make_policy(stages=stages), voter=voter)


NOW = instant("2024-08-01T12:00:00Z")


@pytest.mark.parametrize(
    ("now", "is_allowed", "stage"),
    [
        ("2024-08-30T22:59:59.999999999Z", True, "active"),
        ("2024-08-30T23:00:00Z", False, "expired"),
        ("2034-08-30T23:00:00Z", False, "expired"),
    ],
)
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("capability", ["sign-in", "read", "export"])
def test_access_is_lost_exactly_when_the_last_day_is_over_A2(
    now, is_allowed, stage, role, capability
):
    decision = decide(question(capability, roles=[role]), [standing()], now=instant(now))

    assert (decision.is_allowed, decision.stage) == (is_allowed, stage)


@pytest.mark.parametrize(
    ("capability", "surface", "role", "is_allowed"),
    [
        ("read", "app", Role.MEMBER, True),
        ("update", "app", Role.MEMBER, True),
        ("copy", "app", Role.MEMBER, True),
        ("export", "app", Role.MEMBER, True),
        ("create", "app", Role.MEMBER, False),
        ("create", "app", Role.ADMIN, False),
        ("update", "app", Role.ADMIN, True),
        ("read", "console", Role.ADMIN, False),
        ("manage", "console", Role.OWNER, False),
    ],
)
def test_expired_is_edit_only_and_admins_lose_the_console_B3(capability, surface, role, is_allowed):
    asked = question(capability, surface, [role])

    first_day, last_day = instant("2024-08-30T23:00:00Z"), instant("2024-11-28T23:59:59Z")

    for now in (first_day, last_day):
        decision = decide(asked, [standing(EDIT_ONLY)], now=now)
        assert (decision.stage, decision.is_allowed) == ("expired", is_allowed)


@pytest.mark.parametrize(
    ("surface", "role", "is_allowed"),
    [("app", Role.MEMBER, True), ("console", Role.MEMBER, False), ("console", Role.ADMIN, True)],
)
def test_while_active_only_admins_have_the_console_B2(surface, role, is_allowed):
    decision = decide(question("manage", surface, [role]), [standing(EDIT_ONLY)], now=NOW)

    assert decision.is_allowed is is_allowed


@pytest.mark.parametrize("capability", list(Capability))
def test_nobody_gets_in_once_deactivated_B5(capability):
    decision = decide(
        question(capability, roles=Role), [standing(EDIT_ONLY)], now=instant("2024-11-29T00:00:00Z")
    )

    assert (decision.is_allowed, decision.stage, decision.level) == (False, "deactivated", "none")


def test_the_answer_says_when_it_may_change_next():
    before = decide(question(), [standing()], now=NOW)
    while_late = decide(question(), [standing()], now=instant("2025-01-01T00:00:00Z"))

    assert before.until == instant("2024-08-30T23:00:00Z")
    assert while_late.until is None  # a plan that has passed tells nothing


# --- several voters ----------------------------------------------------------------------------


@pytest.mark.parametrize("is_member_first", [True, False])
@pytest.mark.parametrize(
    ("organization", "member", "voter"),
    [
        ("full", "none", Voter.MEMBER),
        ("none", "full", Voter.ORGANIZATION),
        ("edit-only", "read-only", Voter.MEMBER),
        ("full", "full", Voter.ORGANIZATION),
        ("none", "none", Voter.ORGANIZATION),
    ],
)
def test_the_strictest_voter_wins_and_is_named_A2_L39(organization, member, voter, is_member_first):
    standings = [fixed(organization), fixed(member, voter=Voter.MEMBER)]
    if is_member_first:
        standings.reverse()

    decision = decide(question(), standings, now=NOW)

    assert decision.voter is voter
    assert decision.is_allowed is ("none" not in (organization, member))


def test_what_one_voter_forbids_is_not_among_the_capabilities_L39():
    first = standing(make_policy(levels={"full": ["read", "export"]}))
    second = standing(make_policy(levels={"full": ["read", "update", "copy"]}))

    decision = decide(question(), [first, second], now=NOW)

    assert decision.capabilities == {Capability.READ}


def test_a_voter_that_forbids_what_is_asked_is_stricter_than_one_that_allows_less():
    little = standing(make_policy(levels={"full": ["read"]}))
    much = standing(make_policy(levels={"full": ["update", "copy", "export"]}), voter=Voter.MEMBER)

    decision = decide(question("read"), [little, much], now=NOW)

    assert (decision.is_allowed, decision.voter) == (False, Voter.MEMBER)


def test_the_answer_may_change_as_soon_as_one_voter_does():
    member = standing(ends="2024-08-10", voter=Voter.MEMBER)

    decision = decide(question(), [standing(), member], now=NOW)

    assert decision.until == instant("2024-08-10T23:00:00Z")


def test_the_roles_of_one_person_add_up_A1():
    policy = make_policy(
        stages=[{"id": "active", "access": {"member": "read-only", "billing": "look"}}],
        levels={"look": ["bill"]},
    )

    decision = decide(
        question("bill", roles=[Role.MEMBER, Role.BILLING]), [standing(policy)], now=NOW
    )

    assert decision.capabilities == LEVELS["read-only"] | {Capability.BILL}
    assert (decision.is_allowed, decision.level) == (True, "read-only")


def test_nobody_known_means_nothing_allowed_A1():
    assert decide(question(), [], now=NOW) == UNKNOWN
    assert decide(question(), [], now=NOW, is_blocked=True) == UNKNOWN


def test_a_surface_and_a_level_that_are_not_listed_give_nothing_A1():
    policy = make_policy(stages=[{"id": "active", "access": {"*": {"app": "unheard-of"}}}])

    decisions = [
        decide(question(surface=surface), [standing(policy)], now=NOW) for surface in ("app", "api")
    ]

    assert [decision.is_allowed for decision in decisions] == [False, False]


# --- blocks and unlocks ------------------------------------------------------------------------

UNLOCK = make_unlock("2024-09-02T10:00:00Z", "2024-09-03T10:00:00Z")


@pytest.mark.parametrize(
    ("now", "is_allowed"),
    [
        ("2024-09-02T09:59:59Z", False),
        ("2024-09-02T10:00:00Z", True),
        ("2024-09-03T09:59:59.999999999Z", True),
        ("2024-09-03T10:00:00Z", False),
    ],
)
def test_an_unlock_opens_for_its_time_and_expires_by_itself_A3(now, is_allowed):
    decision = decide(question(), [standing()], now=instant(now), unlocks=[UNLOCK])

    assert (decision.is_allowed, decision.stage) == (is_allowed, "expired")
    if is_allowed:
        assert (decision.voter, decision.until) == (Voter.UNLOCK, UNLOCK.ends_at)


def test_a_block_shuts_out_whoever_has_access_or_an_unlock_A2():
    for now in (NOW, UNLOCK.starts_at):
        decision = decide(question(), [standing()], now=now, is_blocked=True, unlocks=[UNLOCK])

        assert (decision.is_allowed, decision.voter) == (False, Voter.BLOCK)
        assert decision.capabilities == frozenset()


def test_an_unlock_does_not_open_what_is_erased():
    erased = standing(
        LICENSE_POOL,
        "2024-08-30",
        Voter.ORGANIZATION,
        make_receipt("erase", "2024-09-01T00:00:00Z"),
    )

    decision = decide(question(), [erased], now=UNLOCK.starts_at, unlocks=[UNLOCK])

    assert (decision.is_allowed, decision.stage) == (False, "erased")


def test_the_matrix_lists_every_cell_of_the_policy_L38():
    rows = matrix(EDIT_ONLY)

    assert {"stage": "expired", "role": "*", "surface": "console", "level": "none"} in rows
    assert {"stage": "active", "role": "admin", "surface": "*", "level": "full"} in rows
    assert next(row["stage"] for row in rows) == "active"
