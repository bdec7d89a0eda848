"""Mistakes in a YAML document are told with file, line, path, what was expected, and a hint."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from offramp.documents.yaml import (
    DocumentInvalid,
    DocumentUnreadable,
    load_yaml,
    parse_model,
)


class Room(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["room"] = "room"
    seats: int
    color: Literal["red", "green"] = "red"


class Garden(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["garden"]
    trees: int = 0


class House(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    built_on: str = ""
    rooms: dict[str, Room] = {}
    places: list[Annotated[Room | Garden, Field(discriminator="kind")]] = []


def parse(folder: Path, text: str) -> House:
    file = folder / "house.yaml"
    file.write_text(text, encoding="utf-8")
    return parse_model(House, file)


def refused(folder: Path, text: str) -> DocumentInvalid:
    with pytest.raises(DocumentInvalid) as caught:
        parse(folder, text)
    return caught.value


def test_a_correct_document_becomes_the_model(tmp_path: Path) -> None:
    house = parse(tmp_path, "built_on: 2024-08-30\nrooms:\n  hall: {seats: 3}\n")

    assert house == House(built_on="2024-08-30", rooms={"hall": Room(seats=3)})


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_known_key(
    tmp_path: Path,
) -> None:
    error = refused(tmp_path, "rooms:\n  hall:\n    # big\n    seat: 3\n")

    assert (error.line, error.path) == (4, "rooms.hall.seat")
    assert error.hint == "did you mean seats?"
    assert error.expected == "one of color, kind, seats"
    assert "house.yaml, line 4: rooms.hall.seat: unknown key." in str(error)


def test_an_unknown_key_inside_a_union_gets_the_hint_of_the_right_member(
    tmp_path: Path,
) -> None:
    error = refused(tmp_path, "places:\n  - {kind: room, seats: 1}\n  - {kind: garden, tree: 1}\n")

    assert (error.line, error.path) == (3, "places.1.tree")
    assert error.expected == "one of kind, trees"


def test_a_missing_key_is_reported_where_its_parent_stands(tmp_path: Path) -> None:
    error = refused(tmp_path, "built_on: x\nrooms:\n  hall: {color: red}\n")

    assert (error.line, error.path) == (3, "rooms.hall.seats")
    assert error.problem == "this key is required"


def test_a_mistyped_word_is_answered_with_the_words_that_exist(tmp_path: Path) -> None:
    error = refused(tmp_path, "rooms:\n  hall: {seats: 1, color: gren}\n")

    assert error.expected == "one of red, green"
    assert error.hint == "did you mean green?"


def test_all_mistakes_are_listed_in_the_order_of_their_lines(tmp_path: Path) -> None:
    error = refused(tmp_path, "rooms:\n  a: {seats: x}\n  b: {seats: y}\n")

    assert [(line, path) for line, path, _ in error.problems] == [
        (2, "rooms.a.seats"),
        (3, "rooms.b.seats"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [("rooms: {a: 1\nb: [\n", 2), ("rooms: {}\nrooms: {}\n", 2), ("a: b: c\n", 1)],
)
def test_broken_yaml_and_a_doubled_key_name_their_line(
    tmp_path: Path, text: str, line: int
) -> None:
    assert refused(tmp_path, text).line == line


@pytest.mark.parametrize("text", ["", "- 1\n", "just words\n"])
def test_a_document_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text)

    assert (error.path, error.problem) == ("(document)", "keys with values belong here")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="no such file"):
        parse_model(House, tmp_path / "nowhere.yaml")


def test_loaded_data_is_plain_and_knows_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "any.yaml"
    file.write_text("on: yes\nlist:\n  - 1.5\n  - true\n", encoding="utf-8")

    data, line_of = load_yaml(file)

    assert data == {"on": "yes", "list": [1.5, True]}
    assert [type(value) for value in data["list"]] == [float, bool]
    assert (line_of(["list", 1]), line_of(["list", 9]), line_of([])) == (4, 2, 1)
