"""What some members have earned, read at once."""

import pytest
import sqlalchemy as sa

from offramp.data.check import DataMapIncomplete
from offramp.data.handover.members import AchievementReader, MembersUndeclared
from tests.integration.data.school import school_map


def read(school, members, *, datamap=None):
    return AchievementReader(datamap or school.datamap, school.sources, "100").read(members)


def test_every_member_gets_all_achievements_and_nobody_elses(school):
    """A3, L13."""
    earned = read(school, ["100", "101", "102"])

    titles = {member: [each.title for each in found] for member, found in earned.items()}
    assert titles == {"100": ["Course 0", "Course 1"], "101": ["Course 2"]}
    assert earned["100"][0].holder == "User 0"
    assert earned["100"][0].at.startswith("2024-08-30")


def test_a_title_is_found_in_another_table_through_references(school):
    """A3: what is on a diploma is the name of a course, and not a number."""
    rule = {"table": "app.certificates", "title": "enrolment_id.user_id.email", "at": "issued_at"}
    datamap = school_map(school.url, achievements=[rule])

    earned = read(school, ["100", "101"], datamap=datamap)

    assert [len(found) for found in earned.values()] == [2, 1]
    titles = {each.title for found in earned.values() for each in found}
    assert titles == {"user0@company1.example", "user1@company1.example"}


@pytest.mark.parametrize(
    "title", ["nothing", "title.name", "enrolment_id.nothing", "enrolment_id.id.x"]
)
def test_a_title_that_nothing_leads_to_is_refused(school, title):
    rule = {"table": "app.certificates", "title": title, "at": "issued_at"}
    datamap = school_map(school.url, achievements=[rule])

    with pytest.raises(DataMapIncomplete):
        read(school, [], datamap=datamap)


def test_nobody_who_was_not_asked_about_is_read(school):
    earned = read(school, ["101", "no number", "9" * 30])

    assert list(earned) == ["101"]


def test_a_sibling_organizations_member_has_nothing_here(school):
    assert read(school, ["200", "201"]) == {}


def test_the_number_of_queries_does_not_depend_on_the_number_of_members(school):
    """L20: the catalog is read once, and each look at some members is one query."""
    reader = AchievementReader(school.datamap, school.sources, "100")
    ran = []
    engine = school.sources["app"].engine
    sa.event.listen(engine, "before_cursor_execute", lambda *given: ran.append(given[2]))

    reader.read(["100", "101", "102"])
    reader.read(["101"])

    selects = [text for text in ran if text.lstrip().upper().startswith("SELECT")]
    assert len(selects) == len([text for text in ran if "holder" in text]) == 2


def test_a_map_without_members_says_so(school):
    datamap = school_map(school.url, people=None)

    with pytest.raises(MembersUndeclared):
        read(school, [], datamap=datamap)
