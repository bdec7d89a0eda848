"""docs/cli.md describes every command with all its options, and nothing that does not exist."""

import re
from pathlib import Path

import pytest

from offramp.core.errors import ROOTS, OfframpError
from tests.commands import every_command

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
HEADING = re.compile(r"^### `(offramp [a-z -]+)`$", re.MULTILINE)


COMMANDS = every_command()
OPTIONS = [
    (name, parameter)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if parameter.opts != ["--json"]
]


def section(name):
    """Cut the section of one command out of the page."""
    _, found, rest = PAGE.partition(f"### `{name}`\n")
    assert found, f"docs/cli.md has no section for {name}"
    return re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]


def row(parameter):
    """Write the row of an argument or option as the page has it."""
    shown = parameter.opts[0]
    if parameter.param_type_name == "argument":
        shown = (parameter.metavar or parameter.name).strip("[]").upper()
    return f"| `{shown}` | {parameter.help} |"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described_by_its_own_sentence(name):
    assert COMMANDS[name].help in section(name)


@pytest.mark.parametrize(("name", "parameter"), OPTIONS, ids=lambda value: str(value))
def test_every_argument_and_option_is_described(name, parameter):
    assert row(parameter) in section(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_answer_as_json_unless_the_page_says_otherwise(name):
    can = any(parameter.opts == ["--json"] for parameter in COMMANDS[name].params)

    assert can or "is JSON already" in section(name)


def test_no_command_is_described_that_does_not_exist():
    assert set(HEADING.findall(PAGE)) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_described_that_does_not_exist(name):
    known = {opt for parameter in COMMANDS[name].params for opt in parameter.opts}

    described = set(re.findall(r"^\| `(--[a-z-]+)`", section(name), re.MULTILINE))

    assert described <= known


@pytest.mark.parametrize("root", [*ROOTS, OfframpError], ids=lambda root: root.__name__)
def test_every_exit_code_is_described(root):
    assert re.search(rf"^\| {root.exit_code} \| ", PAGE, re.MULTILINE)
