"""A roster as a workbook of a spreadsheet program, as rows of text.

A workbook is a zip that a stranger may have made: how large it becomes is looked at before it is
opened, and its XML is read without entities. A cell that is worked out has no place in a roster:
what it shows depends on who opens it.

Source: ECMA-376 (Office Open XML); OWASP, "CSV Injection", "Zip Bomb"; the package defusedxml.
"""

import importlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from offramp.core.errors import Missing
from offramp.documents.roster_cell import Row
from offramp.documents.roster_file import (
    Columns,
    Found,
    RosterProblem,
    invalid,
    require_columns,
)

SUFFIX = ".xlsx"
UNPACKED_BYTES_MAX = 100_000_000
PARTS_MAX = 1_000
ROWS_MAX = 1_048_576  # of a sheet
DIGITS_MAX = 15  # that a spreadsheet keeps of a number


_UNREADABLE = (BadZipFile, KeyError, ValueError, OSError, SyntaxError)


class WorkbookReaderMissing(Missing):
    """The package {package}, which reads workbooks, is not installed."""


class _CellUnfit(ValueError):
    """What is in a cell is no text of a roster."""


def xlsx_rows(file: Path, columns: Columns) -> Iterator[Found]:
    """Yield the rows of the one sheet of a workbook, and in their places the mistakes of form.

    Raises:
        RosterInvalid: it is no workbook, is too large, or its columns are wrong.
        WorkbookReaderMissing: what reads it is not installed.
    """
    header: list[str] | None = None
    for line, cells in _rows(file):
        try:
            texts = [_text(cell) for cell in cells]
        except _CellUnfit as error:
            yield RosterProblem(line=line, path="(row)", problem=str(error))
            continue
        if header is None:
            header = _header(texts)
            require_columns(file, header, columns, path="(header)", line=line)
        elif any(texts[len(header) :]):
            problem = f"it has more than {len(header)} columns"
            yield RosterProblem(line=line, path="(row)", problem=problem)
        elif any(texts):
            yield Row(
                place=f"line {line}",
                cells=dict(zip(header, texts, strict=False)),
                path_of=str,
                line_of=partial(_same, line),
            )
    if header is None:
        require_columns(file, [], columns, path="(header)", line=1)


def xlsx_header(file: Path) -> Sequence[str]:
    """Read the first row, which tells what a workbook holds.

    Raises:
        RosterInvalid, WorkbookReaderMissing: as for `xlsx_rows`.
    """
    for line, cells in _rows(file):
        try:
            return _header([_text(cell) for cell in cells])
        except _CellUnfit as error:
            raise _refused(file, str(error), line=line) from error
    return []


def _rows(file: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    """Give the rows of the one sheet with anything in it."""
    openpyxl = _reader()
    _require_small(file)
    with file.open("rb") as source:
        try:
            book = openpyxl.load_workbook(source, read_only=True, keep_links=False)
        except _UNREADABLE as error:
            raise _refused(file, "it is not a workbook") from error
        try:
            yield from _rows_of(book, file)
        except _UNREADABLE as error:
            raise _refused(file, "it is not a workbook that can be read") from error
        finally:
            book.close()


def _rows_of(book: Any, file: Path) -> Iterator[tuple[int, Sequence[Any]]]:  # noqa: ANN401
    sheet, *others = book.worksheets or [None]
    if any(_has_rows(other) for other in others):
        raise _refused(file, "it has several sheets", expected="one sheet, of one kind")
    if sheet is None:
        return
    sheet.reset_dimensions()  # a stranger may have written any there
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        if line > ROWS_MAX:  # what is missing between two rows is made up by the reader
            raise _refused(file, "it has more rows than a sheet has", line=line)
        yield line, cells


def _has_rows(sheet: Any) -> bool:  # noqa: ANN401 - of a package that is an extra
    return any(cell.value is not None for row in sheet.iter_rows(max_row=1) for cell in row)


def _reader() -> Any:  # noqa: ANN401 - a module of an extra
    try:
        # Without it the reader would take entities for what they stand for.
        importlib.import_module("defusedxml")
        return importlib.import_module("openpyxl")
    except ModuleNotFoundError as error:
        raise WorkbookReaderMissing(package=error.name, hint="pip install offramp[xlsx]") from error


def _require_small(file: Path) -> None:
    """Refuse a zip that becomes too large; more than it says is never read of any part."""
    try:
        with ZipFile(file) as packed:
            parts = packed.infolist()
    except (BadZipFile, OSError) as error:
        raise _refused(file, "it is not a workbook") from error
    if len(parts) > PARTS_MAX or sum(part.file_size for part in parts) > UNPACKED_BYTES_MAX:
        raise _refused(file, "it is too large when it is unpacked")


def _header(texts: Sequence[str]) -> list[str]:
    names = list(texts)
    while names and not names[-1]:
        names.pop()
    return names


def _text(cell: Any) -> str:  # noqa: ANN401 - of a package that is an extra
    """Write what a cell holds as a CSV file would have it."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise _CellUnfit("a formula is in it; put in what it shows")
    if cell.data_type == "e":
        raise _CellUnfit("an error is in it")
    match value:
        case bool():
            raise _CellUnfit("a cell is neither text, nor a number, nor a day")
        case int() | float():
            return _number(value)
        case datetime() if value.time() == time.min:
            return value.date().isoformat()
        case datetime():
            raise _CellUnfit("an instant needs its offset; write it as text")
        case date():
            return value.isoformat()
        case str():
            return value.strip()
        case _:
            raise _CellUnfit("a cell is neither text, nor a number, nor a day")


def _number(value: float) -> str:
    whole = int(value) if float(value).is_integer() else None
    text = repr(value) if whole is None else str(whole)
    if whole is not None and len(text.lstrip("-")) > DIGITS_MAX:
        raise _CellUnfit("a number has lost its last digits; format the column as text")
    return text


def _same(line: int, _column: str) -> int:
    return line


def _refused(file: Path, problem: str, *, line: int = 1, expected: str | None = None) -> Exception:
    found = RosterProblem(line=line, path="(file)", problem=problem, expected=expected)
    return invalid(file, [found])
