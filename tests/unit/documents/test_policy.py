"""A policy file becomes a policy or one error that says where to look."""

from pathlib import Path

import pytest

from offramp.documents.policy import (
    OverrideInvalid,
    PolicyUnknown,
    check_overrides,
    find_policy,
    read_policy,
)
from offramp.documents.yaml import DocumentInvalid, DocumentUnreadable

TEXT = """\
offramp: 1
policy: small
version: 1
applies_to: [organization]
periods:
  grace: {value: P30D, at_least: P1D}
stages:
  - {id: active, access: {"*": full}}
  - {id: gone, from: erase, access: {"*": none}}
steps:
  - id: erase
    at: expiry + grace
    erase: organization
    requires:
      - delivered: letter
"""


def refused(folder: Path, text: str) -> DocumentInvalid:
    file = folder / "small.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentInvalid) as caught:
        read_policy(file)
    return caught.value


def test_a_fault_between_values_has_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, TEXT)

    assert (error.line, error.path) == (15, "steps.0.requires.0.delivered")
    assert error.problem == "there is no step letter"


def test_the_names_of_our_types_do_not_show_in_a_path(tmp_path: Path) -> None:
    error = refused(tmp_path, TEXT.replace("expiry + grace", "expiry + grase"))

    assert (error.line, error.path) == (12, "steps.0.at")
    assert error.hint == "did you mean grace?"
    assert [line for line, _, _ in error.problems] == [12, 15]


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ("policy: small", "policy: 37signals", 2, "beginning with a letter"),
        ("P30D", "soon", 6, "an ISO 8601 duration"),
        ("P30D", "P1DT2H", 6, "days or hours, not both"),
        ("[organization]", "[company]", 4, "one of organization, member"),
        ("expiry + grace", "a week later", 12, "an anchor with at most one period"),
        ("erase: organization", "erase: organization\n    notify: admins", 11, "export or erase"),
        ('{"*": full}', '{"*": [full]}', 8, None),
    ],
)
def test_a_wrong_value_keeps_the_expectation_of_its_type(
    tmp_path: Path, old: str, new: str, line: int, expected: str | None
) -> None:
    error = refused(tmp_path, TEXT.replace(old, new, 1))

    assert error.line == line
    assert expected is None or expected in error.expected


def test_a_vague_length_is_answered_with_a_hint(tmp_path: Path) -> None:
    error = refused(tmp_path, TEXT.replace("P30D", "a month"))

    assert "are not periods" in error.hint


def test_a_name_that_is_nearly_a_preset_is_answered_with_it() -> None:
    with pytest.raises(PolicyUnknown) as caught:
        find_policy("licence-pool")

    assert caught.value.hint == "did you mean license-pool?"


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="no such file"):
        read_policy(tmp_path / "nowhere.yaml")


def test_overrides_are_judged_against_the_policy(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(TEXT.split("    requires")[0], encoding="utf-8")
    policy = read_policy(file)

    check_overrides(policy, {"grace": "P60D"})
    with pytest.raises(OverrideInvalid, match=r"overrides\.grace: P0D is shorter than P1D"):
        check_overrides(policy, {"grace": "P0D"})
