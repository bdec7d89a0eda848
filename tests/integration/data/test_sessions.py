"""Open sessions are closed by deleting their rows: of the people named, and nothing else.

Rights and certificates stand for sessions here: nothing refers to them, and both lead to a person,
over a key of two columns and over another table.
"""

import pytest

from offramp.data.check import DataMapIncomplete, require_complete
from offramp.data.sessions import OpenSessions, SessionsUnfit
from tests.integration.data.school import school_map

SESSIONS = ["app.grants", "app.certificates"]


def sessions(school, tables=SESSIONS, organization="100"):
    datamap = school_map(school.url, sessions=list(tables))
    return OpenSessions(datamap, school.sources, organization)


def test_the_sessions_of_the_people_named_are_closed_and_no_others_A2(school):
    before = school.everything(1), school.everything(2)

    closed = sessions(school).close(["100", "103"])

    after = school.everything(1)
    assert closed == 6
    assert {row[1] for row in after.pop("grants")} == {101, 102}
    assert [row[0] for row in after.pop("certificates")] == [102]
    assert after == {name: before[0][name] for name in after}
    assert school.everything(2) == before[1]


def test_what_is_open_is_counted_and_nothing_is_left_after_closing(school):
    opened = sessions(school)

    counts = [opened.count(["100"]), opened.close(["100"]), opened.count(["100"])]

    assert counts == [4, 4, 0]
    assert opened.close(["100"]) == 0


def test_people_of_another_organization_keep_their_sessions(school):
    assert sessions(school).close(["200", "no number"]) == 0


def test_nobody_named_is_nobody(school):
    assert sessions(school).close([]) == 0


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("app.notes", "refer to them"),
        ("app.invoices", "the map keeps them"),
        ("app.audit", "do not lead to app.users"),
    ],
)
def test_a_table_whose_rows_may_not_go_alone_is_refused_L40(school, table, problem):
    datamap = school_map(school.url, sessions=[table])

    with pytest.raises(DataMapIncomplete, match=problem):
        require_complete(datamap, school.sources)
    with pytest.raises(SessionsUnfit, match=problem):
        sessions(school, [table])


def test_a_table_that_is_gone_is_no_table_without_sessions_L16(school):
    school.run("DROP TABLE grants")

    with pytest.raises(SessionsUnfit, match="not in the database"):
        sessions(school)
