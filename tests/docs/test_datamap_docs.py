"""docs/datamap.md documents every key, finding and category of a map, and its examples run."""

import re
import shlex
import typing
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML
from typer.testing import CliRunner

from examples.training_platform.database import migrate
from offramp.cli.main import app
from offramp.data.category import CATEGORIES
from offramp.data.check import Kind
from offramp.data.datamap import DataMap
from offramp.documents.datamap import datamap_schema, load_datamap
from offramp.documents.yaml import load_yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "datamap.md").read_text("utf-8")
SECTION_OF = {
    "DataMap": "The file",
    "SqlSourceSpec": "Databases",
    "ObjectsSpec": "Stores of files",
    "HttpSpec": "Services",
    "TableRule": "Tables",
    "ColumnRule": "Columns",
    "People": "People",
    "MembersRule": "Members",
    "AchievementRule": "Achievements",
}
MAPS = sorted(ROOT.glob("examples/*/datamap.yaml"))


def section(title):
    """Give the text under a heading, up to the next heading."""
    found = re.search(rf"^##+ {title}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def blocks(language):
    """List the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def models_below(annotation):
    """Find every model that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for each in annotation.model_fields.values():
            yield from models_below(each.annotation)
    for argument in typing.get_args(annotation):
        yield from models_below(argument)


MODELS = {model.__name__: model for model in models_below(DataMap)}


def test_every_part_of_a_map_has_a_section():
    assert set(MODELS) == set(SECTION_OF)


@pytest.mark.parametrize("name", SECTION_OF)
def test_a_section_documents_every_key_of_its_part_and_no_other(name):
    keys = [each.alias or key for key, each in MODELS[name].model_fields.items()]

    documented = re.findall(r"^\| `([\w-]+)` \|", section(SECTION_OF[name]), re.MULTILINE)

    assert documented == keys


def test_every_finding_is_documented_and_no_other():
    documented = re.findall(r"^\| ([\w ]+) \| (?:error|warning) \|$", section("Check"), re.M)

    assert sorted(documented) == sorted(kind.value for kind in Kind)


def test_every_category_is_documented_and_no_other():
    assert set(re.findall(r"`([\w.]+)`", section("Categories"))) == CATEGORIES


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_map_of_the_page_is_one(text):
    data = YAML(typ="safe", pure=True).load(text)

    DataMap.model_validate(data)
    jsonschema.validate(data, datamap_schema())


@pytest.mark.parametrize("file", MAPS, ids=lambda file: file.parent.name)
def test_the_schema_accepts_what_the_loader_accepts(file):
    load_datamap(file)

    jsonschema.validate(load_yaml(file).data, datamap_schema())


def commands():
    """Give each command of the page with the lines that are shown below it."""
    for block in blocks("console"):
        for part in block.split("$ ")[1:]:
            command, *lines = part.strip().splitlines()
            yield pytest.param(command, lines, id=command)


@pytest.mark.parametrize(("command", "lines"), list(commands()))
def test_every_command_of_the_page_prints_what_is_shown(command, lines, monkeypatch, tmp_path):
    url = f"sqlite:///{tmp_path / 'app.sqlite'}"
    migrate(url)
    monkeypatch.setenv("TRAINING_DATABASE_URL", url)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    name, *arguments = shlex.split(command)

    result = CliRunner().invoke(app, arguments)

    assert (name, result.exit_code) == ("offramp", 0), result.output
    assert [line for line in lines if line not in result.output] == []
