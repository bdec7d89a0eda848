"""The two forms of a roster, CSV and JSON, as rows of text.

Everything about the form of the file lives here: its encoding, its columns, its lines.

Source: RFC 4180, RFC 8259; UTF-8, with or without the mark that spreadsheets put in front.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

from offramp.core.errors import Invalid
from offramp.core.spelling import did_you_mean
from offramp.documents.roster_cell import LIST_SEPARATOR, Row
from offramp.documents.yaml import Document, load_yaml

KINDS = ("organizations", "pools", "members")
LINES_BYTES_MAX = 2_000_000  # of a JSON file, above which finding lines takes minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterProblem:
    """One mistake in a roster."""

    line: int
    path: str
    problem: str
    expected: str | None = None
    hint: str | None = None


class RosterInvalid(Invalid):
    """{file}, line {line}, {path}: {problem}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Which columns a kind of row has."""

    kind: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.required, *self.optional)


Found: TypeAlias = Row | RosterProblem


def invalid(file: Path, problems: Sequence[RosterProblem]) -> RosterInvalid:
    """Make the error that shows the first mistake and carries all."""
    first = problems[0]
    return RosterInvalid(
        file=str(file),
        line=first.line,
        path=first.path,
        problem=first.problem,
        expected=first.expected,
        hint=first.hint,
        problems=tuple(problems),
    )


def open_rows(file: Path, columns: Columns) -> Iterator[Found]:
    """Yield the rows of one kind, and in their places the mistakes of form.

    Raises:
        RosterInvalid: the file cannot be read, or its columns are wrong.
    """
    try:
        if file.suffix == ".json":
            yield from _json_rows(file, columns)
        else:
            with file.open("rb") as source:
                yield from _csv_rows(file, source, columns)
    except OSError as error:
        problem = RosterProblem(line=1, path="(file)", problem="it cannot be read")
        raise invalid(file, [problem]) from error


def _csv_rows(file: Path, source: BinaryIO, columns: Columns) -> Iterator[Found]:
    reader = csv.reader(_lines(source), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except (csv.Error, UnicodeDecodeError) as error:
            yield _unreadable(line, error)
            return
        if header is None:
            header = [cell.strip() for cell in cells]
            require_columns(file, header, columns, path="(header)", line=line)
        elif len(cells) == len(header):
            yield Row(
                place=f"line {line}",
                cells=dict(zip(header, cells, strict=True)),
                path_of=str,
                line_of=partial(_same, line),
            )
        elif cells:
            yield RosterProblem(
                line=line,
                path="(row)",
                problem=f"it has {len(cells)} columns",
                expected=f"{len(header)} columns, as in the first line",
                hint="put a text that holds a comma between quotes",
            )
    if header is None:
        require_columns(file, [], columns, path="(header)", line=1)


def _lines(source: BinaryIO) -> Iterator[str]:
    """Decode line by line, so that a mistake is known to be on its line."""
    for number, line in enumerate(source):
        yield line.decode("utf-8-sig" if number == 0 else "utf-8")


def _same(line: int, _column: str) -> int:
    return line


def _unreadable(line: int, error: csv.Error | UnicodeDecodeError) -> RosterProblem:
    is_text = isinstance(error, csv.Error)
    return RosterProblem(
        line=line,
        path="(row)",
        problem="it is not CSV" if is_text else "it is not UTF-8 text",
        expected="comma-separated values in UTF-8",
        hint="a quotation mark may be left open" if is_text else "save the file as UTF-8",
    )


def require_columns(
    file: Path, names: Sequence[str], columns: Columns, *, path: str, line: int
) -> None:
    """Refuse a header that misses a column, has an unknown one, or one twice."""
    for name in names:
        if name not in columns.known or names.count(name) > 1:
            problem = "occurs twice" if name in columns.known else "is unknown"
            found = RosterProblem(
                line=line,
                path=path,
                problem=f"the column {name!r} {problem}",
                expected=", ".join(columns.known),
                hint=did_you_mean(name, columns.known) if problem == "is unknown" else None,
            )
            raise invalid(file, [found])
    if missing := [name for name in columns.required if name not in names]:
        found = RosterProblem(
            line=line,
            path=path,
            problem=f"the column {missing[0]!r} is missing",
            expected=", ".join(columns.known),
        )
        raise invalid(file, [found])


def _json_rows(file: Path, columns: Columns) -> Iterator[Found]:
    lines = _JsonLines(file)
    data = _load_json(file)
    if not isinstance(data, dict) or set(data) - set(KINDS):
        unknown = sorted(set(data) - set(KINDS)) if isinstance(data, dict) else []
        found = RosterProblem(
            line=lines.find(*unknown[:1]),
            path=unknown[0] if unknown else "(document)",
            problem="it is not part of a roster",
            expected="an object of " + ", ".join(KINDS),
            hint=did_you_mean(unknown[0], KINDS) if unknown else None,
        )
        raise invalid(file, [found])
    entries = data.get(columns.kind, [])
    if not isinstance(entries, list):
        found = RosterProblem(
            line=lines.find(columns.kind), path=columns.kind, problem="not a list"
        )
        raise invalid(file, [found])
    for number, entry in enumerate(entries):
        yield _json_row(entry, number, columns, lines)


def _load_json(file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        found = RosterProblem(
            line=error.lineno, path="(document)", problem="it is not JSON", expected=error.msg
        )
        raise invalid(file, [found]) from error
    except UnicodeDecodeError as error:
        found = RosterProblem(line=1, path="(document)", problem="it is not UTF-8 text")
        raise invalid(file, [found]) from error
    except RecursionError as error:
        found = RosterProblem(line=1, path="(document)", problem="it is nested too deeply")
        raise invalid(file, [found]) from error


def _json_row(entry: object, number: int, columns: Columns, lines: "_JsonLines") -> Found:
    place = f"{columns.kind}[{number}]"
    if not isinstance(entry, dict):
        line = lines.find(columns.kind, number)
        return RosterProblem(line=line, path=place, problem="it is not an object")
    for name in entry:
        if name not in columns.known:
            return RosterProblem(
                line=lines.find(columns.kind, number, name),
                path=f"{place}.{name}",
                problem="it is unknown",
                expected=", ".join(columns.known),
                hint=did_you_mean(name, columns.known),
            )
    return Row(
        place=place,
        cells={name: _cell_text(value) for name, value in entry.items()},
        path_of=lambda column: f"{place}.{column}",
        line_of=partial(lines.find, columns.kind, number),
    )


def _cell_text(value: object) -> str:
    """Write a JSON value as the cell that a CSV file would have."""
    if value is None:
        return ""
    if isinstance(value, list):
        return LIST_SEPARATOR.join(map(str, value))
    if isinstance(value, Mapping):
        return LIST_SEPARATOR.join(f"{name}={setting}" for name, setting in value.items())
    return str(value)


class _JsonLines:
    """Where things stand in a JSON file; looked up only when a mistake has to be shown.

    The lines come from the YAML reader, since JSON is YAML and the JSON reader keeps none.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def find(self, *path: str | int) -> int:
        """Give the line of a part; the first one if the YAML reader cannot tell."""
        return self._document.line_of(path) if self._document else 1

    @cached_property
    def _document(self) -> Document | None:
        if self._file.stat().st_size > LINES_BYTES_MAX:
            return None
        with suppress(Invalid, RecursionError):
            return load_yaml(self._file)
        return None
