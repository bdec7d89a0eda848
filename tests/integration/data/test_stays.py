"""Tables of few rows share a stay in the fence, and go as they would go in chunks."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from offramp.data.erasure.worklist import Gone
from offramp.data.sources.trouble import RowsInTheWay
from tests.integration.data.leaving import leave
from tests.integration.data.school import COMPANY, MEMBER, CountingFence
from tests.integration.data.test_erase import MovingFence
from tests.integration.data.trouble import Pauses, is_gone, siblings
from tests.integration.data.trusting import MeddlingFence

ROWS_MAX = 40  # of a transaction; a company of the school has as few in all


@dataclass
class SharedFence(CountingFence):
    """A fence that tells its stays apart."""

    begun: list = field(default_factory=list)

    def chunk(self, table):
        self.begun.append(len(self.recorded))
        return super().chunk(table)

    def stays(self):
        return [self.recorded[one:end] for one, end in pairwise([*self.begun, None])]


def run(school, scope=COMPANY, *, rows=ROWS_MAX, counted=True, **options):
    options = {"pause": Pauses()} | options
    return leave(school, scope, rows=rows, counted=counted, **options)


def stays(fence, table):
    return [rows for name, rows in fence.recorded if name == table]


@pytest.mark.parametrize("scope", [COMPANY, MEMBER], ids=["company", "member"])
def test_the_same_rows_go_in_one_stay_for_each_table(school, scope):
    """L42."""
    before, fence = siblings(school), CountingFence()

    result = run(school, scope, fence=fence)

    users = 4 if scope is COMPANY else 1
    assert result.tables["app.users"] == users
    assert stays(fence, "app.users")[-1] == users
    assert len(stays(fence, "app.shares")) == 1
    assert siblings(school) == before
    assert is_gone(school) is (scope is COMPANY)


def test_tables_of_few_rows_share_a_stay(school):
    """One transaction has no more rows of all of them than a chunk may have."""
    fence = SharedFence()

    run(school, rows=6, fence=fence)

    assert max(len({table for table, _ in stay}) for stay in fence.stays()) > 1
    assert max(sum(rows for _, rows in stay) for stay in fence.stays()) <= 6
    assert is_gone(school)


def test_a_row_that_moves_to_a_sibling_in_the_last_moment_is_not_touched(school):
    """L18, L42."""
    run(school, counted=False, expected={"app.notes": 5}, fence=MovingFence(school))

    assert [row[0] for row in school.rows("notes", "company_id = 200 AND id < 200")] == [104]
    assert school.rows("companies", "id = 100") == []


def test_a_row_of_a_sibling_that_comes_late_keeps_what_it_needs(school):
    before = siblings(school)
    late = "INSERT INTO shares (id, note_id, user_id) VALUES (250, 200, 100)"
    # The stay begins with what lets go of the users.
    fence = MeddlingFence(table="app.notes", deed=lambda: school.run(late), stay=2)

    with pytest.raises(RowsInTheWay):
        run(school, counted=False, expected={"app.users": 4}, fence=fence)

    assert len(school.rows("users", "company_id = 100")) == 4
    assert siblings(school)[1] == before[1]


def test_the_keys_of_what_went_are_known_afterwards(school):
    gone = Gone()

    run(school, gone=gone)

    (users,) = gone.parts("app.users")
    assert sorted(users.columns[0]) == [100, 101, 102, 103]
    assert gone.has("app.notes")


def test_more_rows_than_were_counted_go_in_chunks(school):
    """The tombstone counted one row, and there are four by then."""
    fence = CountingFence()

    result = run(school, fence=fence, rows=3, counted=False, expected={"app.users": 1})

    assert max(stays(fence, "app.users")) <= 3
    assert result.tables["app.users"] == 4
    assert is_gone(school)
