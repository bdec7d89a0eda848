"""docs/settings.md describes every setting with its default, and nothing that does not exist."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from offramp.config import CONFIG_FILE_VARIABLE, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")
ROW = re.compile(r"^\| `([a-z_]+)` \| `(OFFRAMP_[A-Z_]+)` \|", re.MULTILINE)


def row(name):
    """Write the row of a setting as the page has it."""
    field = Settings.model_fields[name]
    default = field.default
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    shown = f"`{default}`" if default not in (None, "") else ""
    return f"| `{name}` | `OFFRAMP_{name.upper()}` | {shown} | {field.description} |"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described_with_its_default(name):
    assert row(name) in PAGE


def test_no_setting_is_described_that_does_not_exist():
    described = dict(ROW.findall(PAGE))

    assert described == {name: f"OFFRAMP_{name.upper()}" for name in Settings.model_fields}


def test_the_variable_that_names_the_file_is_described():
    assert CONFIG_FILE_VARIABLE in PAGE
