"""The table of guarantees tells the truth: each test it names exists, each row has its place."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "guarantees.md"
PROMISED = (
    *("A1", "A2", "A5", "A6", "A8", "A10"),
    *("B1", "B2", "B3", "B4", "B5", "B6"),
    *("L1", "L2", "L3", "L4", "L7", "L8", "L9", "L18", "L25", "L32"),
)
MISSION = (*(f"A{n}" for n in range(1, 13)), *(f"B{n}" for n in range(1, 12)))
ROW = re.compile(r"^\| ([ABLST]\d+) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[^`]+?\.py::[^`]+)`")


def names_in(source):
    """List the tests of a module: ``name``, or ``Class::name``."""
    found = set()
    for node in ast.parse(source).body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {
            prefix + each.name
            for each in inner
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")
        }
    return found


def exists(named):
    name, _, test = named.partition("::")
    file = ROOT / name
    return file.is_file() and test in names_in(file.read_text(encoding="utf-8"))


DONE, _, MISSING = TABLE.read_text(encoding="utf-8").partition("## Not done yet")
DONE_ROWS = dict(ROW.findall(DONE))
MISSING_ROWS = dict(ROW.findall(MISSING))


@pytest.mark.parametrize("row", sorted(DONE_ROWS))
def test_every_guarantee_names_tests_that_exist(row):
    named = NAMED.findall(DONE_ROWS[row])

    assert named
    assert [each for each in named if not exists(each)] == []


def test_what_this_version_promises_is_guaranteed():
    assert [row for row in PROMISED if row not in DONE_ROWS] == []


def test_every_row_of_the_mission_is_in_exactly_one_table():
    assert set(DONE_ROWS) & set(MISSING_ROWS) == set()
    assert [row for row in MISSION if row not in {**DONE_ROWS, **MISSING_ROWS}] == []


@pytest.mark.parametrize(
    "named", ["tests/docs/test_guarantees.py::test_of_dreams", "tests/docs/gone.py::test_some"]
)
def test_a_test_that_does_not_exist_is_noticed(named):
    assert not exists(named)


def test_a_test_inside_a_class_is_found():
    assert names_in("class TestSome:\n    def test_it(self): pass\n") == {"TestSome::test_it"}
