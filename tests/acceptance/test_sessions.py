"""Sessions that are rows of the application's database end at the cut: all that have to, no others.

Source: mission A1, A2, B1; lesson L40.
"""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from whenever import Date

from offramp.core.policy import ANY, Capability
from offramp.engine.access import may
from offramp.engine.offboarding import register
from tests.acceptance.departure import TRAINING, depart

LEAVING, HALF_LEAVING = "2", "3"  # a company in Dublin, and one in Berlin with a pool that goes on
RENEWED = Date(2026, 8, 30)
LAST_MOMENT, CUT = "2024-08-30T22:59:59Z", "2024-08-30T23:00:00Z"


@pytest.fixture
def departure(tmp_path, request):
    with depart(TRAINING, "sqlite", tmp_path, request) as departure:
        yield departure


def sessions(departure):
    """Give the open sessions: organization -> the members who have one."""
    query = """SELECT users.company_id, users.id FROM sign_in_sessions
               JOIN users ON users.id = sign_in_sessions.user_id"""
    found = {}
    with departure.engine.connect() as connection:
        for company, user in connection.execute(sa.text(query)):
            found.setdefault(str(company), set()).add(str(user))
    return found


def may_sign_in(departure, organization):
    """Name the members to whom access is granted."""
    context = departure.context
    members = (member.id for member in departure.members(organization))
    return {
        member
        for member in members
        if may(
            context.store,
            organization,
            member,
            Capability.SIGN_IN,
            surface=ANY,
            now=departure.now,
        ).is_allowed
    }


def test_whoever_may_not_sign_in_any_more_is_signed_out_at_the_cut_A1_A2(departure):
    before = sessions(departure)

    departure.run_until(LAST_MOMENT)
    in_the_last_second = sessions(departure)
    departure.run_until(CUT)
    after = sessions(departure)

    assert in_the_last_second[LEAVING] == before[LEAVING]
    assert LEAVING not in after
    for organization in after:
        assert after[organization] == before[organization] & may_sign_in(departure, organization)
    assert after[HALF_LEAVING] < before[HALF_LEAVING], "some have lost their only seat"


def test_whoever_has_renewed_is_not_signed_out_T1(departure):
    before = sessions(departure)
    with departure.context.store.transaction() as transaction:
        pools = transaction.pools(LEAVING)
    register(departure.context, pools=[replace(pool, ends=RENEWED) for pool in pools])

    departure.run_until(CUT)

    assert sessions(departure)[LEAVING] == before[LEAVING]


def test_the_end_of_sessions_is_told_when_they_have_ended_and_not_before(departure):
    """L37: a database that is not there makes no receipt; the step is tried again."""
    with departure.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE sign_in_sessions RENAME TO elsewhere"))
    departure.run_until(CUT)
    (waiting,) = [s for (_, key), s in departure.steps(LEAVING).items() if key == "stage:expired"]

    with departure.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO sign_in_sessions"))
    departure.run_until("2024-08-31T01:00:00Z")
    (done,) = [s for (_, key), s in departure.steps(LEAVING).items() if key == "stage:expired"]

    assert waiting.receipt is None
    assert done.receipt.proof == {"stage": "expired", "sessions": "revoked"}
    assert LEAVING not in sessions(departure)
