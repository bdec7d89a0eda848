"""`offramp policy …` as a person runs it: a process, its output, its exit code."""

import json
import os
from pathlib import Path

import pytest

from tests.acceptance import forked

DUBLIN = ("--expiry", "2024-08-30", "--zone", "Europe/Dublin")
MINIMAL = """\
offramp: 1
policy: small
version: 1
applies_to: [organization]
stages:
  - {id: active, access: {"*": full}}
  - {id: expired, from: expiry, access: {"*": none}}
steps:
  - {id: goodbye, at: expiry + P1D, notify: admins}
"""


def offramp(*arguments, cwd=None):
    return forked.run(*arguments, folder=cwd or Path.cwd(), environment=dict(os.environ))


def answer(*arguments):
    finished = offramp(*arguments, "--json")
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.fixture
def written(tmp_path):
    """Write a small policy with one part of it changed; give the file."""

    def write(old="", new="", name="small.yaml"):
        assert old in MINIMAL
        file = tmp_path / name
        file.write_text(MINIMAL.replace(old, new, 1), encoding="utf-8")
        return file

    return write


def test_license_pool_says_the_dates_of_a2_a3_a5_a8_a10():
    shown = answer("policy", "show", "license-pool", *DUBLIN)

    due_on = {step["key"]: step["due_on"] for step in shown["steps"]}
    audience = {step["key"]: step["audience"] for step in shown["steps"]}
    assert shown["access_ends_at"] == "2024-08-30T23:00:00Z"
    assert due_on == {
        "expiring-soon": "2024-08-16",
        "stage:expired": "2024-08-31",
        "achievements": "2024-08-31",
        "company-data": "2024-09-22",
        "erase": "2024-09-29",
    }
    assert audience["expiring-soon"] == audience["company-data"] == ["admins"]
    assert audience["achievements"] == ["members"]
    assert [warning["rule"] for warning in shown["warnings"]] == ["W1"]


def test_edit_only_grace_says_the_dates_of_b3_b5_b6():
    shown = answer("policy", "show", "edit-only-grace", *DUBLIN)

    stages = {stage["id"]: stage for stage in shown["stages"]}
    erase = next(step for step in shown["steps"] if step["key"] == "erase")
    assert stages["expired"]["starts_at"] == "2024-08-30T23:00:00Z"
    assert stages["expired"]["last_on"] == "2024-11-28"
    assert stages["deactivated"]["last_on"] == "2025-08-30"
    assert stages["marked-for-deletion"]["first_on"] == "2025-08-31"
    assert stages["deleted"]["reached_by"] == "erase"
    assert erase["no_later_than"] == "2026-02-28"


def test_a7_the_table_can_be_read_without_knowing_the_language():
    shown = offramp("policy", "show", "license-pool", *DUBLIN)

    assert shown.returncode == 0
    for words in (
        "2024-08-16",
        "every administrator",
        "nobody has access",
        "with the achievements",
    ):
        assert words in shown.stdout
    assert "7 days after company-data is delivered" in " ".join(shown.stdout.split())


def test_a_member_and_a_contract_have_timelines_of_their_own(written):
    file = written(
        "stages:",
        "periods: {grace: {value: P1D, at_least: P1D, at_most: P9D}}\nstages:",
    )
    file.write_text(file.read_text().replace("expiry + P1D", "expiry + grace"))

    member = answer("policy", "show", "edit-only-grace", *DUBLIN, "--member")
    contract = answer("policy", "show", str(file), *DUBLIN, "--override", "grace=P9D")

    assert member["steps"][0]["key"] == "ending-soon"
    assert contract["steps"][-1]["due_on"] == "2024-09-08"


def test_a_cause_and_its_own_date_choose_another_path():
    file = Path(__file__).parents[2] / "examples" / "policies" / "microsoft-365.yaml"

    shown = answer(
        *("policy", "show", str(file), *DUBLIN),
        *("--cause", "cancelled", "--anchor", "cancelled=2024-05-10"),
    )

    assert [stage["id"] for stage in shown["stages"]] == ["active", "disabled", "deleted"]
    assert shown["steps"][0]["due_on"] == "2024-05-11"


def test_the_calendar_and_the_picture_are_written_beside_the_table(tmp_path):
    shown = offramp(
        *("policy", "show", "edit-only-grace", *DUBLIN, "--ics", "dates.ics", "--svg", "dates.svg"),
        cwd=tmp_path,
    )

    assert shown.returncode == 0, shown.stderr
    assert "DTSTART;VALUE=DATE:20241129" in (tmp_path / "dates.ics").read_text()
    assert "by 28 Feb 2026" in (tmp_path / "dates.svg").read_text()


def test_the_schema_is_printed_for_editors():
    finished = offramp("policy", "schema")

    schema = json.loads(finished.stdout)
    assert {"stages", "steps", "applies_to"} <= set(schema["properties"])


def test_check_names_every_file_and_fails_when_one_is_wrong(written):
    good, bad = written(name="good.yaml"), written("version: 1", "version: one", name="bad.yaml")

    finished = offramp("policy", "check", str(good), str(bad), "license-pool")

    assert finished.returncode == 2
    assert "good.yaml: small version 1 is valid" in finished.stdout
    assert "W1" in finished.stdout
    assert f"{bad}:3" in finished.stderr


def test_diff_shows_which_dates_need_an_explicit_act(written):
    old, new = written(name="old.yaml"), written("from: expiry", "from: expiry - P2D", "new.yaml")

    moves = answer("policy", "diff", str(old), str(new), *DUBLIN)["moves"]
    table = offramp("policy", "diff", str(old), str(new), *DUBLIN)
    same = offramp("policy", "diff", str(old), str(old), *DUBLIN)

    assert [(m["key"], m["shift"], m["needs_act"]) for m in moves] == [
        ("stage:expired", "earlier", True)
    ]
    assert "needs an explicit act" in table.stdout
    assert same.stdout == "no date moves\n"


MISTAKES = [
    pytest.param(
        "from: expiry", "form: expiry", 7, "stages.1.form", "from", "did you mean from?", id="key"
    ),
    pytest.param(
        "expiry + P1D",
        "expiry + soon",
        9,
        "steps.0.at",
        "a period",
        "such as P30D",
        id="vague-period",
    ),
    pytest.param(
        "expiry + P1D",
        "expirey + P1D",
        9,
        "steps.0.at",
        "expiry",
        "did you mean expiry?",
        id="anchor",
    ),
    pytest.param(
        "expiry + P1D",
        "expiry + PSOON",
        9,
        "steps.0.at",
        "ISO 8601",
        "words like 'soon'",
        id="period",
    ),
    pytest.param(
        "version: 1",
        "policy: other",
        3,
        "(document)",
        "each key occurs once",
        "written twice",
        id="double",
    ),
    pytest.param(
        '{"*": none}',
        '{"*": nome}',
        7,
        "stages.1.access.*",
        "read-only",
        "did you mean none?",
        id="level",
    ),
]


@pytest.mark.parametrize(("old", "new", "line", "path", "expected", "hint"), MISTAKES)
def test_a_mistake_names_file_line_path_expectation_and_hint(
    written, old, new, line, path, expected, hint
):
    file = written(old, new)

    told = offramp("policy", "show", str(file), *DUBLIN)
    as_json = offramp("policy", "show", str(file), *DUBLIN, "--json")

    error = json.loads(as_json.stderr)["error"]
    assert (told.returncode, as_json.returncode) == (2, 2)
    assert told.stdout == as_json.stdout == ""
    assert (error["file"], error["line"], error["path"]) == (str(file), line, path)
    assert expected in error["expected"]
    assert hint in error["hint"]
    for words in (f"{file}:{line}", path, expected, hint):
        assert words in told.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence", "expected"),
    [
        (
            ("license-pool", "--expiry", "2024-08-30", "--zone", "Europe/Dublyn"),
            "'Europe/Dublyn' is not a time zone.",
            "an IANA time zone name",
        ),
        (
            ("license-pool", "--expiry", "2024-02-30", "--zone", "UTC"),
            "--expiry 2024-02-30 is not understood.",
            "a date such as 2024-08-30",
        ),
        (
            ("license-pol", *DUBLIN),
            "There is no policy license-pol",
            "license-pool",
        ),
        (
            ("nowhere.yaml", *DUBLIN),
            "There is no policy nowhere.yaml",
            "a file",
        ),
        (
            ("license-pool", *DUBLIN, "--override", "grace=P60D"),
            "there is no period grace",
            "a period that the policy defines",
        ),
        (
            ("license-pool", *DUBLIN, "--override", "grace"),
            "--override grace is not understood.",
            "name=value",
        ),
        (
            ("license-pool", *DUBLIN, "--anchor", "canceled=2024-01-01"),
            "--anchor canceled is not understood.",
            "cancelled",
        ),
    ],
)
def test_a_wrong_option_is_one_clear_message_and_exit_code_2(arguments, sentence, expected):
    finished = offramp("policy", "show", *arguments)

    assert finished.returncode == 2
    assert finished.stdout == ""
    assert sentence in finished.stderr
    assert expected in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    finished = offramp(
        "policy", "show", "license-pool", *DUBLIN, "--svg", str(tmp_path / "no" / "folder.svg")
    )

    assert finished.returncode == 2
    assert "cannot be written: no such file or directory" in finished.stderr


def test_a_policy_is_not_shown_for_whom_it_does_not_apply_to(written):
    finished = offramp("policy", "show", str(written()), *DUBLIN, "--member")

    assert finished.returncode == 2
    assert "it does not apply to a member" in finished.stderr
