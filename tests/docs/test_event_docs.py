"""docs/events.md is the catalogue, and the engine puts exactly what is in it into the outbox."""

import ast
import re
from pathlib import Path

import pytest

from offramp.core.event_kind import CATALOG, SUBJECT_FIELDS, EventKind
from tests.docs.event_page import FILE, example, page

ENGINE = Path(__file__).parents[2] / "src" / "offramp" / "engine"
MODULES = {file.relative_to(ENGINE).as_posix(): file for file in ENGINE.rglob("*.py")}
MAKER = "announcement.py"
PERSONAL = re.compile(r"name|mail|address|phone|person|owner|reader")
CODE_OR_NAME_OF_OURS = {"endpoint"}


def names_of_kinds(source):
    """List the kinds that a module names."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "EventKind"
    }


def makes_events(source):
    """Say whether a module makes an event by itself."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "OutboxEvent"
        for node in ast.walk(ast.parse(source))
    )


def test_the_page_says_what_the_catalogue_says():
    assert FILE.read_text("utf-8") == page(), "run: python -m tests.docs.event_page"


def test_every_kind_has_a_place_in_the_catalogue():
    assert list(CATALOG) == list(EventKind)


def test_the_engine_puts_every_kind_of_the_catalogue():
    named = set().union(*(names_of_kinds(file.read_text("utf-8")) for file in MODULES.values()))

    assert named == {kind.name for kind in EventKind}


def test_every_event_is_made_in_the_one_place_that_asks_the_catalogue():
    makers = [name for name, file in MODULES.items() if makes_events(file.read_text("utf-8"))]

    assert makers == [MAKER]


def test_a_kind_and_a_maker_are_found_where_they_are():
    assert names_of_kinds("x = EventKind.ERASED\nerased = 'erased'\n") == {"ERASED"}
    assert makes_events("event = OutboxEvent(id='e')")
    assert not makes_events("def put(event: OutboxEvent) -> None: ...")


@pytest.mark.parametrize("kind", EventKind)
def test_an_example_has_a_value_for_every_field_and_no_other(kind):
    common = set(SUBJECT_FIELDS) if CATALOG[kind].is_about_subject else set()

    assert set(example(kind)["data"]) == common | set(CATALOG[kind].fields)


@pytest.mark.parametrize("kind", EventKind)
def test_no_field_is_for_a_person(kind):
    """L35: what receives events keeps logs that outlive the erasure."""
    fields = set(CATALOG[kind].fields) - CODE_OR_NAME_OF_OURS

    assert [name for name in fields if PERSONAL.search(name)] == []


@pytest.mark.parametrize("kind", EventKind)
def test_every_envelope_has_what_the_specification_requires(kind):
    """CloudEvents 1.0.2, "Required attributes": each is there, and is a text that is not empty."""
    event = example(kind)

    assert event["specversion"] == "1.0"
    assert all(isinstance(event[name], str) and event[name] for name in ("id", "source", "type"))
    assert re.fullmatch(r"[a-z0-9]+", "".join(set(event) - {"data"})), "attributes are plain"
