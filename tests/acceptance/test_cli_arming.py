"""Many deletions at once from the command line: held, asked for, approved by somebody else."""

import pytest
from whenever import Instant

from tests.acceptance.installation import LEAVING, in_days
from tests.acceptance.test_cli_erasure import set_up

ASK = ("arm", "--owner", "Ada", "--reason", "the merger")
NEXT_YEAR = Instant.now().add(hours=24 * 365)


@pytest.fixture
def installation(vendor):
    """Give an installation in which one deletion is due, and every one needs two people."""
    installation = set_up(vendor.folder)
    installation.settings["OFFRAMP_BULK_ORGANIZATIONS_MAX"] = "0"
    return installation


def erased(installation):
    return [each["organization"] for each in installation.ask("status")["erased"]]


def test_two_people_let_a_deletion_begin_and_status_says_what_it_waits_for_L26(installation):
    installation.say("run", "--until-quiet")
    held = installation.say("status")
    why = installation.ask("why", LEAVING, "erase")["steps"][0]

    asked = installation.ask(*ASK)
    waiting = installation.say("status")
    approved = installation.ask("approve", asked["request"], "--owner", "Bob", "--yes")
    installation.say("run", "--until-quiet")

    assert "1 held; offramp arm" in held
    assert why["decided_by"] == "bulk"
    assert [each["organization"] for each in asked["offboardings"]] == [LEAVING]
    assert f"offramp approve {asked['request']}" in waiting
    assert (approved["owner"], approved["approver"]) == ("Ada", "Bob")
    assert erased(installation) == [LEAVING]
    assert installation.ask("status")["requests"] == []


def test_one_person_alone_lets_nothing_begin_L26(installation):
    installation.say("run", "--until-quiet")
    request = installation.ask(*ASK)["request"]

    refused = installation.run("approve", request, "--owner", "ada", "--yes", "--json")
    unsure = installation.run("approve", request, "--owner", "Bob", "--json")
    installation.say("run", "--until-quiet")

    assert (refused.code, refused.data["error"]["code"]) == (3, "SamePerson")
    assert unsure.data["error"]["code"] == "NotConfirmed"
    assert erased(installation) == []


def test_what_changed_meanwhile_has_to_be_asked_for_again_L26(installation):
    installation.say("run", "--until-quiet")
    request = installation.ask(*ASK)["request"]
    installation.say("renew", LEAVING, "--until", in_days(400))

    void = installation.run("approve", request, "--owner", "Bob", "--yes", "--json")

    assert (void.code, void.data["error"]["code"]) == (3, "ArmingStale")


def test_a_clock_that_went_back_is_told_and_can_be_trusted_again_L6(installation):
    installation.settings.clear()
    later = NEXT_YEAR.format_iso(unit="microsecond")
    installation.change(
        "INSERT INTO setting (id, is_paused, seen_at) VALUES (1, 0, ?)"
        " ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        later,
    )

    installation.say("run", "--until-quiet")
    told, left = installation.say("status"), erased(installation)
    installation.say("resume", "--clock")
    installation.say("run", "--until-quiet")

    assert "the clock went back: nothing is deleted before" in told
    assert left == []
    assert erased(installation) == [LEAVING]
