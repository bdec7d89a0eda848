"""docs/console.md names every role, every act and every picture, and the limits as they are."""

import re
from pathlib import Path

import pytest

from offramp.core.operator import PASSWORD_CHARACTERS_MIN, OperatorRole
from offramp.engine.operators import LINK_MINUTES
from offramp.engine.sign_in import (
    FAILURE_MINUTES,
    FAILURES_ALL_MAX,
    FAILURES_MAX,
    IDLE_MINUTES,
    SESSION_HOURS,
)
from offramp.web.console.acts import ACTS
from offramp.web.console.told import TOLD
from tests.docs.console_pictures import PICTURES

PAGE = (Path(__file__).parents[2] / "docs" / "console.md").read_text("utf-8")
ACT_ROWS = dict(re.findall(r"^\| ([A-Z][\w, ]+) \| `(\w+)` \| `offramp", PAGE, re.MULTILINE))
NAMES = {
    "resend": "Send again",
    "put-back": "Put back",
    "reissue": "Send data again",
    "revoke": "Take links back",
    "block": "Shut out",
    "unblock": "Let in again",
    "member-end": "Give a member an end",
    "member-expire": "Expire a member",
    "member-back": "Take a member back",
}


def test_every_role_is_described_from_the_lowest_to_the_highest():
    described = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)

    assert described == [role.value for role in OperatorRole]


def test_every_act_is_listed_with_its_role():
    listed = {(name, role) for names, role in ACT_ROWS.items() for name in names.split(", ")}

    assert listed == {(NAMES.get(act.name, act.name.title()), act.role.value) for act in ACTS}


def test_what_has_to_be_confirmed_is_named():
    grave = [NAMES.get(act.name, act.name.title()) for act in ACTS if act.is_grave]

    assert f"({', '.join(grave)})" in PAGE


def test_after_every_act_the_page_says_what_it_means():
    assert {act.done for act in ACTS} < set(TOLD)


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_shown(name):
    assert f"](images/{name}.png)" in PAGE


def test_the_limits_are_those_of_the_console():
    assert f"at least {PASSWORD_CHARACTERS_MIN} characters" in PAGE
    assert (FAILURES_MAX, FAILURES_ALL_MAX, FAILURE_MINUTES) == (10, 200, 15)
    assert (
        "Ten failures under one address, or two hundred in all, let no password in for 15" in PAGE
    )
    assert (IDLE_MINUTES, SESSION_HOURS, LINK_MINUTES) == (60, 12, 60)
    assert "after an hour in which nothing was asked, after twelve hours in any case" in PAGE
    assert "works once and for an hour" in PAGE
