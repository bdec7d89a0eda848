"""Why a step does or does not run, as an operator asks: every guard, and the one that decides."""

from tests.acceptance.installation import HALF_LEAVING, LEAVING


def why(installation, organization, *step):
    """Ask for the only step that is meant."""
    (explained,) = installation.ask("why", organization, *step)["steps"]
    return explained


def minds(explained):
    return [answer["guard"] for answer in explained["guards"] if not answer["passes"]]


def test_every_guard_of_a_deletion_is_told_and_the_first_decides(installation):
    installation.say("pause")
    installation.say("hold", LEAVING, "--owner", "legal", "--reason", "litigation")

    explained = why(installation, LEAVING, "erase")

    assert minds(explained)[:4] == ["due", "pause", "hold", "order"]
    assert (explained["runs"], explained["decided_by"]) == (False, "due")
    assert explained["guards"][0]["until"] == explained["due_at"]
    assert [hold["reason"] for hold in explained["holds"]] == ["litigation"]
    assert why(installation, LEAVING, "achievements")["holds"] == []


def test_without_a_name_the_next_step_is_explained(installation):
    explained = why(installation, LEAVING)

    assert explained["key"] == "expiring-soon"
    assert minds(explained) == ["use"]  # the licence has ended: nobody is warned of it any more


def test_what_may_run_says_so_and_what_is_done_says_when(installation):
    before = why(installation, LEAVING, "stage:expired")

    installation.say("run", "--until-quiet")
    after = why(installation, LEAVING, "stage:expired")

    assert (before["runs"], before["decided_by"], minds(before)) == (True, None, [])
    assert (after["status"], after["runs"], after["guards"]) == ("done", False, [])
    assert after["done_at"]


def test_people_read_the_guards_as_a_table_and_the_outcome_in_one_line(installation):
    installation.say("pause")
    installation.say("run", "--until-quiet")

    waiting = installation.say("why", LEAVING, "erase")
    done = installation.say("why", LEAVING, "stage:expired")

    assert "everything destructive is paused" in waiting
    assert "what it requires was delivered long enough ago: company-data" in waiting
    assert "it does not run until" in waiting
    assert "not due yet" in waiting
    assert done.rstrip().splitlines()[-1].startswith("done ")


def test_one_member_alone_has_guards_of_their_own(installation):
    (alone,) = installation.ask("why", HALF_LEAVING, "--member", "15")["steps"]

    assert alone["member"] == "15"


def test_a_step_that_is_not_planned_is_refused_with_the_names_of_those_that_are(installation):
    finished = installation.run("why", LEAVING, "explode")

    assert finished.code == 4
    assert f"No step explode is planned for {LEAVING}." in finished.err
    assert "company-data" in finished.err


def test_where_nothing_is_planned_that_is_said(installation):
    roster = installation.folder / "organizations.csv"
    header = "organization,name,zone,locale,policy\n"
    roster.write_text(header + "9,Nine,Europe/Dublin,en,license-pool\n")
    installation.say("import", roster)

    finished = installation.run("why", "9")

    assert finished.code == 4
    assert "Nothing is left to do for 9." in finished.err
