"""Why somebody may or may not get in, as support asks for it."""

import pytest

from tests.acceptance.installation import HALF_LEAVING, LEAVING, MEMBER, OWNER, SIBLING, in_days


def test_every_voter_is_named_with_what_it_says(installation):
    (answer,) = installation.ask("access", "explain", LEAVING, OWNER)["answers"]

    assert [(each["voter"], each["says"]) for each in answer["voters"]] == [
        ("block", "silent"),
        ("organization", "refuses"),
        ("member", "silent"),
        ("pool", "silent"),
        ("unlock", "silent"),
    ]
    assert (answer["decision"]["is_allowed"], answer["decision"]["voter"]) == (
        False,
        "organization",
    )
    assert (answer["tense"], answer["not_known"]) == ("present", [])
    assert answer["voters"][1]["why"] == f"its last pool ends {in_days(-3)}"


def test_it_is_told_in_words_whose_seat_it_was(installation):
    printed = installation.say("access", "explain", HALF_LEAVING, "15")

    assert "not allowed, says the pool" in printed
    assert "their last seat ends" in printed
    assert "no change is planned" in printed
    assert f"member, end set to {in_days(-3)}, by the system" in printed


def test_the_future_is_told_beside_today(installation):
    installation.say("member", "end", SIBLING, MEMBER, "--on", in_days(2))

    (answer,) = installation.ask("access", "explain", SIBLING, MEMBER, "--at", in_days(4))[
        "answers"
    ]
    printed = installation.say("access", "explain", SIBLING, MEMBER, "--at", in_days(4))

    assert (answer["tense"], answer["decision"]["voter"]) == ("future", "member")
    assert answer["today"]["is_allowed"]
    assert "today: allowed, says the organization" in printed
    assert f"their own end is {in_days(2)}" in printed


def test_what_nobody_knows_of_the_past_is_said_in_words_and_as_data(installation):
    asked = ("access", "explain", LEAVING, OWNER, "--at", in_days(-2))

    (answer,) = installation.ask(*asked)["answers"]
    printed = installation.say(*asked)

    told = [each["gap"] for each in answer["not_known"]]
    assert {"known-since", "seats", "policy", "block"} <= set(told)  # it was imported later
    assert printed.count("not known any more: ") == len(told)
    assert "says the organization, if they were known here at all" in printed


def test_who_was_shut_out_by_whom_and_why_is_told(installation):
    given = (SIBLING, "--member", MEMBER, "--owner", "sam", "--reason", "a stolen password")

    assert installation.say("block", *given).strip() == f"{MEMBER} of {SIBLING} is shut out"
    shut = installation.say("access", "explain", SIBLING, MEMBER)
    assert installation.ask("unblock", *given)["is_blocked"] is False
    (answer,) = installation.ask("access", "explain", SIBLING, MEMBER)["answers"]

    assert "not allowed, says the block" in shut
    assert "member shut out by sam: a stolen password" in shut
    assert [note["is_blocked"] for note in answer["blocks"]] == [True, False]
    assert answer["decision"]["voter"] != "block"


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (("nobody", "1"), 4, "There is no organization nobody."),
        ((LEAVING, "nobody"), 4, "The organization 2 has no member nobody."),
        ((LEAVING, OWNER, "--at", "2024-02-30"), 2, "--at 2024-02-30 is not understood."),
        ((LEAVING, OWNER, "--capability", "fly"), 2, "fly"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(installation, asked, code, words):
    finished = installation.run("access", "explain", *asked)

    assert (finished.code, words in finished.err) == (code, True)
