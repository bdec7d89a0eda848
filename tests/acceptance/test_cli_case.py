"""`offramp case`: something went wrong, and support sees why and mends it in one go (A12)."""

import pytest

from tests.acceptance.installation import LEAVING, SIBLING
from tests.acceptance.test_cli_mail import SIOBHAN, achievements


def lost_reader(installation, smtp):
    """Let one person's mail be refused, and give the id of that member."""
    smtp.refuse(SIOBHAN, 550)
    installation.say("run")
    (lost,) = installation.ask("mail", "history", LEAVING, "--step", "achievements", "--lost")[
        "messages"
    ]
    smtp.accept(SIOBHAN)
    return lost["member"]


def test_whoever_got_no_achievements_is_sent_them_by_one_action_A12(installation, smtp):
    member = lost_reader(installation, smtp)

    opened = installation.ask(
        "case", "open", LEAVING, "no-achievements", "--member", member, "--words", "Where?"
    )
    printed = installation.say("case", "show", opened["case"])
    repaired = installation.ask("case", "repair", opened["case"])
    installation.say("run")
    after = installation.ask("case", "show", opened["case"])

    (mail,) = [each for each in opened["messages"] if each["step"] == "achievements"]
    assert (mail["status"], mail["reason"]) == ("refused", "550")
    assert "550" in printed
    assert f"offramp case repair {opened['case']} sends the achievements again" in printed
    assert repaired == {
        "case": opened["case"], "repair": "resend",
        "messages": 1, "copies": 0, "unlocked_until": None,
    }  # fmt: skip
    assert len(achievements(smtp)) == 1
    assert (after["state"], after["repaired_at"] is not None) == ("answered", True)
    (mail,) = [each for each in after["messages"] if each["step"] == "achievements"]
    assert mail["status"] == "accepted"


def test_whoever_was_shut_out_sees_why_and_is_let_in_for_a_day_A12(installation):
    member = "2"
    opened = installation.ask("case", "open", LEAVING, "no-access", "--member", member)
    (account,) = opened["accounts"]
    now = ("access", "check", LEAVING, member, "--surface", "app", "--capability", "sign-in")
    before = installation.ask(*now)

    repaired = installation.ask("case", "repair", opened["case"])

    assert account["decision"]["is_allowed"] == before["is_allowed"]
    assert repaired["repair"] == "unlock"
    assert installation.ask(*now)["is_allowed"]


def test_a_letter_opens_a_case_and_its_answer_is_mailed_A12(installation, smtp):
    letter = (
        f"From: Siobhan <{SIOBHAN}>\nTo: help+no-achievements@vendor.example\n"
        "Message-ID: <1@home.example>\nSubject: Certificates\n\nWhere are they?\n"
    )
    refused = installation.run("case", "receive", given=letter)
    installation.settings["OFFRAMP_CASE_ADDRESS"] = "help@vendor.example"

    received = installation.run("case", "receive", "--json", given=letter)
    again = installation.run("case", "receive", given=letter)
    (case,) = installation.ask("case", "list")["cases"]
    installation.say("case", "note", case["case"], "We look into it.\n\nUntil tomorrow.")
    installation.say("run")

    assert refused.code == 4
    assert received.data["opened"] == 1
    assert again.out == "1 known already\n"
    assert case["complaint"] == "no-achievements"
    (answer,) = [
        each.message for each in smtp.messages if "We look into it." in each.message.as_string()
    ]
    assert answer["Reply-To"] == f"help+{case['case']}@vendor.example"
    assert answer["Subject"] == "An answer to your message"


def test_cases_are_a_list_of_who_waits(installation):
    assert "no case is open" in installation.say("case", "list")
    first = installation.ask("case", "open", SIBLING, "other", "--words", "A question.")["case"]
    second = installation.ask("case", "open", LEAVING, "no-export")["case"]
    installation.say("case", "note", first, "An answer.")

    listed = installation.ask("case", "list")["cases"]
    printed = installation.say("case", "list", LEAVING)
    installation.say("case", "close", second, "--words", "Called them.")

    assert [(each["case"], each["state"]) for each in listed] == [
        (second, "waiting"),
        (first, "answered"),
    ]
    assert second in printed
    assert first not in printed
    closed = installation.ask("case", "list", "--closed")["cases"]
    assert [each["case"] for each in closed] == [second]
    assert "An answer." in installation.say("case", "show", first)


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("show", "nothing"), 4, "CaseUnknown"),
        (("repair", "nothing"), 4, "CaseUnknown"),
        (("open", LEAVING, "other", "--words", "x" * 4001), 2, "WordsTooLong"),
        (("open", "nobody", "other"), 4, "OrganizationUnknown"),
    ],
)
def test_what_cannot_be_done_is_said(installation, arguments, code, error):
    done = installation.run("case", *arguments, "--json")

    assert (done.code, done.data["error"]["code"]) == (code, error)
