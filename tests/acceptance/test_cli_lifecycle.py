"""What people decide, as an operator types it: every command, and every way to get it wrong."""

import pytest

from tests.acceptance.installation import HALF_LEAVING, LEAVING, OWNER, SIBLING, in_days


def may_read(installation, organization, member, **options):
    asked = [f"--{name}={value}" for name, value in options.items()]
    return installation.ask(
        "access", "check", organization, member, "--surface", "app", "--capability", "read", *asked
    )


def test_status_shows_stages_ends_and_next_dates_of_everybody(installation):
    answer = installation.ask("status")

    stages = {each["organization"]: each["stage"] for each in answer["organizations"]}
    assert stages == {"1": "active", "2": "expired", "3": "active", "4": "active"}
    leaving = installation.leaving(LEAVING)
    assert leaving["ends"] == in_days(-3)
    assert leaving["erase_by"] == in_days(27)
    assert leaving["next"]["key"] == "expiring-soon"
    assert answer["is_paused"] is False


def test_status_prints_a_table_for_people(installation):
    printed = installation.say("status")

    assert "Shannon Bridge Logistics plc" in printed
    assert f"{in_days(-17)} expiring-soon" in printed


def test_status_counts_first_what_there_is_to_do(installation):
    before = installation.ask("status")["workload"]
    printed = installation.say("status")

    installation.say("run", "--until-quiet")
    after = installation.ask("status")["workload"]

    assert before["due"] > 0 == before["running"]
    assert before["oldest_due_at"]
    assert f"{before['due']} due, 0 running" in printed
    assert "the oldest has been due for" in printed
    assert (after["due"], after["oldest_due_at"]) == (0, None)


def test_a_timeline_shows_every_day_on_which_something_happens(installation):  # A7
    (timeline,) = installation.ask("timeline", LEAVING)["timelines"]

    assert [(step["key"], step["due_on"]) for step in timeline["steps"]] == [
        ("expiring-soon", in_days(-17)),
        ("stage:expired", in_days(-2)),
        ("achievements", in_days(-2)),
        ("company-data", in_days(20)),
        ("erase", in_days(27)),
    ]


def test_a_timeline_of_a_member_is_their_own_or_the_one_of_their_organization(installation):
    alone = installation.ask("timeline", HALF_LEAVING, "--member", "15")["timelines"]
    together = installation.ask("timeline", LEAVING, "--member", OWNER)["timelines"]

    assert [each["member"] for each in alone] == ["15"]
    assert [each["member"] for each in together] == [None]


def test_a_renewal_ends_the_episode_and_begins_the_next_one(installation):  # L9
    answer = installation.ask("renew", LEAVING, "--until", in_days(300))

    assert (answer["ended"], answer["opened"]) == (1, 2)  # one member leaves earlier
    assert installation.leaving(LEAVING)["episode"] == 2
    assert may_read(installation, LEAVING, OWNER)["is_allowed"]


def test_a_second_renewal_with_an_earlier_date_is_refused(installation):
    installation.say("renew", LEAVING, "--until", in_days(300))
    before = installation.contents()

    finished = installation.run("renew", LEAVING, "--until", in_days(200))

    assert finished.code == 3
    assert "is not later than the present one" in finished.err
    assert installation.contents() == before


def test_an_extension_moves_the_present_episode(installation):  # T8
    answer = installation.ask("extend", LEAVING, "--until", in_days(5))

    assert answer["moved"] == 1
    assert installation.leaving(LEAVING)["episode"] == 1
    assert installation.leaving(LEAVING)["ends"] == in_days(5)


def test_a_reactivation_gives_access_back(installation):  # B4
    denied = may_read(installation, LEAVING, OWNER)

    answer = installation.ask("reactivate", LEAVING, "--until", in_days(300), "--by", "owner")

    assert not denied["is_allowed"]
    assert answer["ended"] == 1
    assert may_read(installation, LEAVING, OWNER)["is_allowed"]


def test_a_reactivation_that_the_stage_does_not_allow_is_refused(installation):
    preset = installation.folder / "strict.yaml"
    preset.write_text(
        "offramp: 1\npolicy: strict\nversion: 1\napplies_to: [organization]\nstages:\n"
        '  - {id: active, access: {"*": full}}\n'
        '  - {id: expired, from: expiry, access: {"*": none}, reactivate: {by: [support]}}\n'
        "steps:\n  - {id: goodbye, at: expiry + P1D, notify: admins}\n"
    )
    installation.say("policy", "publish", preset)
    roster = installation.folder / "organizations.csv"
    roster.write_text("organization,name,zone,locale,policy\n9,Nine,Europe/Dublin,en,strict\n")
    pools = installation.folder / "pools.csv"
    header = "organization,pool,product,kind,seats,ends_on\n"
    pools.write_text(header + f"9,9,Safety,named,5,{in_days(-3)}\n")
    installation.say("import", roster, pools)
    before = installation.contents()

    finished = installation.run("reactivate", "9", "--until", in_days(300), "--by", "admin")

    assert finished.code == 3
    assert "The stage expired cannot be left again by admin." in finished.err
    assert "the policy allows: support" in finished.err
    assert installation.contents() == before


def test_a_hold_is_shown_until_it_is_released(installation):  # S6
    hold = installation.ask(
        "hold", LEAVING, "--owner", "legal", "--reason", "litigation", "--member", OWNER
    )["hold"]
    (standing,) = installation.ask("status", LEAVING)["organizations"]
    shown = installation.say("status", LEAVING)

    installation.say("release", hold)

    assert [each["owner"] for each in standing["holds"]] == ["legal"]
    assert "litigation" in shown
    assert installation.ask("status", LEAVING)["organizations"][0]["holds"] == []


def test_a_hold_may_have_an_end_of_its_own(installation):
    installation.say(
        *("hold", LEAVING, "--owner", "legal", "--reason", "audit"),
        *("--ends", "2099-01-01T00:00:00Z"),
    )

    (standing,) = installation.ask("status", LEAVING)["organizations"]

    assert standing["holds"][0]["ends_at"] == "2099-01-01T00:00:00Z"


def test_a_pause_is_shown_until_everything_goes_on(installation):  # D3
    installation.say("pause")
    paused = installation.ask("status")["is_paused"]
    told = installation.say("status")

    installation.say("resume")

    assert paused
    assert "everything destructive is paused" in told
    assert not installation.ask("status")["is_paused"]


def test_an_access_decision_names_its_voter(installation):
    by_seat = may_read(installation, HALF_LEAVING, "15")
    unknown = may_read(installation, "nobody", "15")

    assert (by_seat["is_allowed"], by_seat["voter"]) == (False, "pool")
    assert (unknown["is_allowed"], unknown["voter"]) == (False, "unknown")
    printed = installation.say(
        *("access", "check", LEAVING, OWNER), *("--surface", "app", "--capability", "read")
    )
    assert "not allowed, says the organization" in printed


def test_an_unlock_opens_for_some_hours_without_changing_the_stage(installation):  # A3
    installation.say("unlock", LEAVING, "--owner", "support", "--reason", "a lost certificate")

    decision = may_read(installation, LEAVING, OWNER)

    assert (decision["is_allowed"], decision["voter"], decision["stage"]) == (
        True,
        "unlock",
        "expired",
    )


def test_a_retry_has_nothing_to_put_back_where_nothing_was_abandoned(installation):
    assert installation.ask("retry", LEAVING)["put_back"] == 0


REASON = ("--owner", "legal", "--reason", "litigation")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (("status", "nobody"), 4, "There is no organization nobody."),
        (("timeline", "nobody"), 4, "There is no organization nobody."),
        (("timeline", LEAVING, "--member", "99"), 4, "The organization 2 has no member 99."),
        (("renew", "nobody", "--until", "2099-01-01"), 4, "There is no organization nobody."),
        (("renew", LEAVING, "--until", "2024-02-30"), 2, "--until 2024-02-30 is not understood."),
        (("renew", LEAVING, "--until", "2020-01-01"), 3, "The new end 2020-01-01 has passed"),
        (("renew", LEAVING, "--until", "2099-01-01", "--pool", "77"), 4, "no such pool (77)"),
        (("extend", SIBLING, "--until", "2020-01-01"), 3, "is not later than the present one"),
        (("hold", "nobody", *REASON), 4, "There is no organization nobody."),
        (("hold", LEAVING, *REASON, "--member", "99"), 4, "The organization 2 has no member 99."),
        (("hold", LEAVING, *REASON, "--ends", "soon"), 2, "--ends soon is not understood."),
        (("release", "none-such"), 4, "There is no active hold none-such."),
        (("unlock", "nobody", *REASON), 4, "There is no organization nobody."),
        (("unlock", LEAVING, *REASON, "--hours", "9999"), 2, "--hours"),
        (
            ("reactivate", "nobody", "--until", "2099-01-01", "--by", "owner"),
            4,
            "There is no organization nobody.",
        ),
        (
            ("reactivate", LEAVING, "--until", "2020-01-01", "--by", "owner"),
            3,
            "The new end 2020-01-01 has passed already.",
        ),
        (("reactivate", LEAVING, "--until", "2099-01-01", "--by", "anybody"), 2, "anybody"),
        (("retry", "nobody"), 4, "There is no organization nobody."),
    ],
)
def test_a_mistake_is_told_in_one_sentence_and_changes_nothing(installation, command, code, words):
    before = installation.contents()

    finished = installation.run(*command)

    assert finished.code == code, finished.err
    assert words in finished.err
    assert "Traceback" not in finished.err
    assert installation.contents() == before


def test_the_daily_cap_is_set_and_lifted(installation):  # D3
    assert installation.ask("cap", "0") == {"daily_cap": 0}
    assert installation.ask("cap", "none") == {"daily_cap": None}

    refused = installation.run("cap", "-1")

    assert refused.code == 2


def test_an_exempt_organization_is_shown_as_such_until_it_is_put_back(installation):  # S6
    installation.say("exempt", LEAVING)
    exempt = installation.ask("status", LEAVING)

    installation.say("exempt", LEAVING, "--end")

    assert exempt["organizations"][0]["is_exempt"]
    assert not installation.ask("status", LEAVING)["organizations"][0]["is_exempt"]
