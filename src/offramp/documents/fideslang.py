"""Categories from Fideslang datasets, for those who have described their database there already.

Only what a column holds is taken over. A category that does not exist is refused, with the name
that was probably meant, because whoever asks for a category would miss what is misspelt.

Source: Fideslang 3, the models of a dataset: collections, fields, nested fields, data categories.
"""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from offramp.core.errors import Invalid
from offramp.core.spelling import did_you_mean
from offramp.data.category import CATEGORIES
from offramp.documents.yaml import Document, DocumentPath, dotted, load_yaml


class FideslangInvalid(Invalid):
    """{file}, line {line}: {path}: {problem}."""


def load_fideslang(file: Path) -> Mapping[str, Mapping[str, str]]:
    """Read which category each column has.

    Shape:
        table -> column -> category, of columns that have one.

    Raises:
        DocumentUnreadable, DocumentInvalid: it is no YAML file.
        FideslangInvalid: it is no dataset, or names a category that does not exist.
    """
    reader = _Reader(file)
    found: dict[str, dict[str, str]] = {}
    for path, collection in reader.collections():
        name = reader.name(collection, path)
        columns = found.setdefault(name, {})
        for below, field in reader.children(collection, "fields", path):
            categories = sorted(set(reader.categories(field, below)))
            if categories:
                columns[reader.name(field, below)] = _narrowest(categories)
    return found


class _Reader:
    """One file while it is read; every complaint names its line."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.document: Document = load_yaml(file)

    def collections(self) -> Iterator[tuple[list[str | int], Mapping[str, Any]]]:
        data = self.document.data
        if not isinstance(data, dict) or "dataset" not in data:
            raise self._complain([], "a Fideslang dataset begins with the key dataset", None)
        for path, dataset in self.children(data, "dataset", []):
            yield from self.children(dataset, "collections", path)

    def children(
        self, parent: Mapping[str, Any], key: str, path: list[str | int]
    ) -> Iterator[tuple[list[str | int], Mapping[str, Any]]]:
        entries = parent.get(key) or []
        if not isinstance(entries, list):
            raise self._complain([*path, key], "a list belongs here", None)
        for number, entry in enumerate(entries):
            here = [*path, key, number]
            if not isinstance(entry, dict):
                raise self._complain(here, "keys with values belong here", None)
            yield here, entry

    def name(self, entry: Mapping[str, Any], path: list[str | int]) -> str:
        name = entry.get("name")
        if not isinstance(name, str):
            raise self._complain(path, "this entry needs a name", None)
        return name

    def categories(self, field: Mapping[str, Any], path: list[str | int]) -> Iterator[str]:
        """Give the categories of a field and of everything inside it."""
        given = field.get("data_categories") or []
        here = [*path, "data_categories"]
        if not isinstance(given, list):
            raise self._complain(here, "a list belongs here", None)
        for number, category in enumerate(given):
            if category not in CATEGORIES:
                hint = did_you_mean(str(category), CATEGORIES)
                raise self._complain([*here, number], f"there is no data category {category}", hint)
            yield category
        for below, inner in self.children(field, "fields", path):
            yield from self.categories(inner, below)

    def _complain(self, path: DocumentPath, problem: str, hint: str | None) -> FideslangInvalid:
        line = self.document.line_of(path)
        return FideslangInvalid(
            file=str(self.file), line=line, path=dotted(path), problem=problem, hint=hint
        )


def _narrowest(categories: list[str]) -> str:
    """Return the narrowest category that covers all; what is about people outweighs the rest."""
    personal = [each for each in categories if each.split(".")[0] == "user"] or categories
    levels = zip(*(each.split(".") for each in personal), strict=False)
    return ".".join(level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels))
