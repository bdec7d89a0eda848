"""docs/messages.md names every notice, every word that a template may use, and every filter."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from offramp.adapters.composer_jinja import JinjaComposer
from offramp.adapters.message.language import FILTERS
from offramp.adapters.message.vocabulary import BANNER_WORDS, WORDS

PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text("utf-8")
MESSAGES = files("offramp.presets") / "messages"


KNOWN = {**WORDS, **BANNER_WORDS}


@pytest.mark.parametrize("word", KNOWN)
def test_every_word_is_described(word):
    assert f"\n| `{word}` | {KNOWN[word]} |\n" in PAGE


@pytest.mark.parametrize("name", [*JinjaComposer().notices, *FILTERS])
def test_every_notice_and_every_filter_is_described(name):
    assert f"\n| `{name}` | " in PAGE


@pytest.mark.parametrize("file", [each.name for each in MESSAGES.iterdir() if each.is_file()])
def test_every_file_that_may_be_replaced_is_named(file):
    assert f"`{file}`" in PAGE


def test_nothing_is_described_that_does_not_exist():
    described = set(re.findall(r"^\| `([a-z_.-]+)` \| ", PAGE, re.MULTILINE))

    files_named = {each.name for each in MESSAGES.iterdir()}
    assert described <= {*KNOWN, *FILTERS, *JinjaComposer().notices, *files_named}


def test_the_example_of_a_notice_is_accepted(tmp_path):
    [example] = re.findall(r"```jinja\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "ours.jinja").write_text(example, encoding="utf-8")

    JinjaComposer(tmp_path).check()
