"""docs/policy.md documents every key and word of the language, and every example in it runs."""

import re
import shlex
import typing
from pathlib import Path

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML
from typer.testing import CliRunner
from whenever import Date

from offramp.cli.main import app
from offramp.core import advice
from offramp.core.advice import warnings
from offramp.core.lint import faults
from offramp.core.model import Anchor, Cause, Facts, Role, SubjectKind
from offramp.core.plan import plan
from offramp.core.policy import LEVELS, Audience, Capability, Policy, Unmet
from offramp.documents.policy import PRESETS, find_policy
from offramp.documents.timeline.data import timeline_data
from offramp.documents.timeline.drawing import draw_timeline

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "policy.md").read_text("utf-8")
SECTION_OF = {
    "Policy": "The file",
    "NamedPeriod": "Periods",
    "Links": "Links",
    "Stage": "Stages",
    "Reactivation": "Reactivation",
    "Step": "Steps",
    "Requirement": "Guards",
}
FRAME = {"offramp": 1, "policy": "fragment", "version": 1, "applies_to": ["organization"]}


def blocks(language):
    """List the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def section(title):
    """Give the text under a heading, up to the next heading."""
    found = re.search(rf"^##+ {title}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def models_below(annotation):
    """Find every model that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_below(field.annotation)
    for argument in typing.get_args(annotation):
        yield from models_below(argument)


MODELS = {model.__name__: model for model in models_below(Policy)}


def test_every_part_of_a_policy_has_a_section():
    assert set(MODELS) == set(SECTION_OF)


@pytest.mark.parametrize("name", SECTION_OF)
def test_a_section_documents_every_key_of_its_part_and_no_other(name):
    keys = [field.alias or key for key, field in MODELS[name].model_fields.items()]

    documented = re.findall(r"^\| `([\w-]+)` \|", section(SECTION_OF[name]), re.MULTILINE)

    assert documented == keys


@pytest.mark.parametrize(
    "words", [Anchor, Cause, Role, Audience, Capability, LEVELS, Unmet, SubjectKind]
)
def test_every_word_of_the_language_is_documented(words):
    missing = [str(word) for word in words if f"`{word}`" not in PAGE]

    assert [word for word in missing if f"[{word}" not in PAGE] == []


def test_every_warning_is_documented_and_no_other():
    raised = set(re.findall(r'rule="(W\d+)"', Path(advice.__file__).read_text("utf-8")))

    assert set(re.findall(r"^\| (W\d+) \|", section("Warnings"), re.MULTILINE)) == raised


def test_every_key_of_the_json_is_documented():
    facts = Facts(kind=SubjectKind.ORGANIZATION, zone="UTC", anchors={"expiry": Date(2024, 8, 30)})
    policy = find_policy("license-pool")
    data = timeline_data(plan(policy, facts), facts, warnings=warnings(policy))
    keys = {*data, *data["stages"][0], *data["steps"][-1], *data["warnings"][0]}
    keys |= set(data["steps"][-1]["requires"][0])

    documented = set(re.findall(r"`([\w-]+)`", section("The dates as JSON")))

    assert keys <= documented, keys - documented


@pytest.mark.parametrize("text", [*blocks("yaml"), *blocks("yaml fragment")])
def test_every_policy_of_the_page_is_one(text):
    given = YAML(typ="safe", pure=True).load(text)

    policy = Policy.model_validate(FRAME | given)

    assert faults(policy) == ()
    assert {warning.rule for warning in warnings(policy)} == set()


def commands():
    """Give each command of the page with the lines that are shown below it."""
    for block in blocks("console"):
        for part in block.split("$ ")[1:]:
            command, *lines = part.strip().splitlines()
            yield pytest.param(command, lines, id=command)


@pytest.mark.parametrize(("command", "lines"), list(commands()))
def test_every_command_of_the_page_prints_what_is_shown(command, lines, monkeypatch):
    monkeypatch.chdir(ROOT)
    name, *arguments = shlex.split(command)

    result = CliRunner().invoke(app, arguments)

    assert (name, result.exit_code) == ("offramp", 0), result.output
    assert [line for line in lines if line not in result.output] == []


@pytest.mark.parametrize("preset", PRESETS)
def test_the_pictures_of_the_documentation_are_the_ones_that_the_command_draws(preset):
    facts = Facts(
        kind=SubjectKind.ORGANIZATION,
        zone="Europe/Dublin",
        anchors={"expiry": Date(2024, 8, 30)},
    )

    drawn = draw_timeline(plan(find_policy(preset), facts), facts)

    assert (ROOT / "docs" / "images" / f"{preset}.svg").read_text("utf-8") == drawn
