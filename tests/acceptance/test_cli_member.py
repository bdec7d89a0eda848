"""What an administrator does with people, as it is typed: one, many, or a file of them (B11)."""

import pytest

from tests.acceptance.installation import MEMBER, SIBLING, in_days

MANY = (MEMBER, "17", "25")


def free(installation):
    pools = installation.ask("pool", "seats", SIBLING)["pools"]
    return sum(pool["free"] for pool in pools), sum(pool["taken"] for pool in pools)


def may_read(installation, member):
    asked = ("--surface", "app", "--capability", "read")
    return installation.ask("access", "check", SIBLING, member, *asked)["is_allowed"]


def ends(installation):
    """Give the end of everybody of the sibling who leaves alone."""
    (standing,) = installation.ask("status", SIBLING)["organizations"]
    return {each["member"]: each["ends"] for each in standing["leaving"] if each["member"]}


def test_an_end_is_given_and_taken_away_again(installation):
    installation.say("member", "end", SIBLING, MEMBER, "--on", in_days(10))
    ending = installation.leaving(SIBLING, MEMBER)

    installation.say("member", "end", SIBLING, MEMBER, "--never")

    assert (ending["ends"], ending["cause"]) == (in_days(10), "expired")
    assert installation.leaving(SIBLING, MEMBER) is None


def test_a_file_gives_each_the_end_that_stands_in_their_row(installation):
    file = installation.folder / "ends.csv"
    days = {MEMBER: in_days(10), "17": in_days(20), "25": in_days(30)}
    rows = [f"{member},{day}" for member, day in days.items()]
    file.write_text("member,ends_on\n" + "\n".join(rows) + "\n")

    answer = installation.ask("member", "end", SIBLING, "--file", file)

    assert answer["opened"] == 3
    assert ends(installation).items() >= days.items()


def test_a_file_with_a_bad_row_changes_nobody_and_names_each(installation):
    file = installation.folder / "ends.csv"
    file.write_text(f"member,ends_on\n{MEMBER},{in_days(10)}\n99,{in_days(9)}\n17,2020-01-01\n")
    before = installation.contents()

    finished = installation.run("member", "end", SIBLING, "--file", file)

    assert finished.code == 4
    assert "The organization 1 has no member 99." in finished.err
    assert "at        line 3" in finished.err
    assert "line 4: 17: The new end 2020-01-01 has passed already." in finished.err
    assert installation.contents() == before


def test_many_expire_take_no_seat_and_come_back(installation):
    before = free(installation)
    installation.say("member", "expire", SIBLING, *MANY)
    expired = free(installation), may_read(installation, MEMBER)
    refused = installation.run("member", "end", SIBLING, MEMBER, "--on", in_days(9))

    installation.say("member", "reactivate", SIBLING, *MANY)

    assert expired[0][1] < before[1]
    assert not expired[1]
    assert refused.code == 3
    assert f"The member {MEMBER} has expired" in refused.err
    assert f"offramp member reactivate {SIBLING} {MEMBER}" in refused.err
    assert (free(installation), may_read(installation, MEMBER)) == (before, True)


def test_many_are_removed_at_once_and_lose_access(installation):
    answer = installation.ask("member", "remove", SIBLING, *MANY)

    assert answer["opened"] == 3
    assert not may_read(installation, MEMBER)
    assert may_read(installation, "1")


def test_a_file_moves_many_from_pool_to_pool_and_seats_are_counted(installation):
    (found, *_) = installation.ask("pool", "seats", SIBLING)["pools"]
    roster = installation.folder / "pools.csv"
    header = "organization,pool,product,kind,seats,ends_on\n"
    roster.write_text(f"{header}{SIBLING},more,{found['product']},{found['kind']},2,2099-12-31\n")
    installation.say("import", roster)
    file = installation.folder / "moves.csv"
    file.write_text(f"member,to\n{MEMBER},more\n17,more\n25,more\n")

    refused = installation.run("member", "move", SIBLING, "--file", file)
    installation.say("member", "move", SIBLING, MEMBER, "17", "--to", "more")

    assert refused.code == 3
    assert "The pool more has 2 seats, and 1 more would be needed." in refused.err
    printed = installation.say("pool", "seats", SIBLING)
    assert next(line.split() for line in printed.splitlines() if "│ more" in line)[-8:] == [
        *("2", "│", "2", "│", "0", "│", "0", "│")
    ]


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("end", SIBLING, "99", "--on", "2099-01-01"), 4, "has no member 99."),
        (("end", SIBLING, MEMBER, "--on", "later"), 2, "--on later is not understood."),
        (("end", SIBLING, MEMBER), 2, "--on, --never or --file has to be given."),
        (("end", SIBLING, MEMBER, "--never", "--on", "2099-01-01"), 2, "exclude each other."),
        (("end", SIBLING, "--never"), 2, "MEMBER or --file has to be given."),
        (("end", SIBLING, MEMBER, "--on", "2099-01-01", "--product", "x"), 3, "end together."),
        (("expire", "nobody", MEMBER), 4, "There is no organization nobody."),
        (("expire", SIBLING, MEMBER, "--file", "x.csv"), 2, "exclude each other."),
        (("expire", SIBLING, "--file", "x.csv"), 2, "it cannot be read"),
        (("remove", SIBLING, MEMBER, "99"), 4, "has no member 99."),
        (("reactivate", SIBLING, MEMBER), 3, f"The member {MEMBER} has not expired."),
        (("reactivate", SIBLING, "99"), 4, "has no member 99."),
        (("move", SIBLING, MEMBER, "--to", "77"), 4, "no such pool (77)"),
        (("move", SIBLING, MEMBER), 2, "--to has to be given."),
    ],
)
def test_a_mistake_is_told_in_one_sentence_and_changes_nothing(installation, command, code, words):
    before = installation.contents()

    finished = installation.run("member", *command)

    assert finished.code == code, finished.err
    assert words in finished.err
    assert installation.contents() == before
