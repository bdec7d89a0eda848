"""Everything that is printed: answers, tables, files, and the one way in which errors are told.

An answer goes to standard output, an error to standard error; with ``--json`` both are one JSON
document. Nothing else in the package writes to a terminal.

Source: core/errors.py for exit codes.
"""

import json
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from offramp.core.errors import Invalid, OfframpError, Unavailable, frames_of

STANDARD_INPUT = Path("-")
PIPE_COLUMNS = 140  # a table that is not on a terminal is read in a file or a page
_EXIT_OF_SIGNALS = 128  # and the number of the signal
_AGAIN = "run it again: what is done is found, and is not done twice"
_DETAILS = ("file", "line", "path", "expected")
_Parameters = ParamSpec("_Parameters")
_Answer = TypeVar("_Answer")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
"""The option of every command that answers; its parameter is called ``as_json``."""


class FileUnwritable(Invalid):
    """The file {file} cannot be written: {reason}."""


class FileUnreadable(Invalid):
    """The file {file} cannot be read: {reason}."""


def show_json(data: object) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))


def show_line(data: object) -> None:
    """Print one JSON document on one line, where there will be many."""
    typer.echo(json.dumps(data, ensure_ascii=False))


def show_text(text: str = "", *, style: str = "") -> None:
    """Print one line as it is, without reading markup into it."""
    _console().print(Text(text, style=style), soft_wrap=True)


def show_parts(*parts: tuple[str, str]) -> None:
    """Print one line of several parts, each with its own style."""
    _console().print(Text.assemble(*parts), soft_wrap=True)


def show_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    unbroken: Collection[str] = (),
) -> None:
    """Print a table; cells are text, never markup, and those of `unbroken` columns stay whole."""
    table = Table(title=Text(title, style="bold") if title else None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in unbroken)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    _console().print(table)


def write_file(file: Path, content: bytes, *, with_folder: bool = False) -> None:
    """Write a file that was asked for by name, and its folder if that was asked for, too.

    Raises:
        FileUnwritable: its folder does not exist, or it may not be written.
    """
    try:
        if with_folder:
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise FileUnwritable(file=str(file), reason=reason) from error


def make_folder(folder: Path) -> None:
    """Make a folder that was asked for by name, unless it is there.

    Raises:
        FileUnwritable: it may not be made, or a file has its name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise FileUnwritable(file=str(folder), reason=reason) from error


def append_line(file: Path, line: str) -> None:
    """Add one line to the end of a file that was asked for by name; nothing before it is touched.

    Raises:
        FileUnwritable: its folder does not exist, or it may not be written.
    """
    try:
        with file.open("a", encoding="utf-8") as target:
            target.write(f"{line}\n")
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise FileUnwritable(file=str(file), reason=reason) from error


def read_file(file: Path) -> bytes:
    """Read a file that was named.

    Raises:
        FileUnreadable: there is none, or it may not be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise FileUnreadable(file=str(file), reason=reason) from error


def read_each(files: Sequence[Path] | None) -> Iterator[bytes]:
    """Read the files that were named, ``-`` or none being standard input.

    Raises:
        FileUnreadable: there is none, or it may not be read.
    """
    for file in files or [STANDARD_INPUT]:
        yield sys.stdin.buffer.read() if file == STANDARD_INPUT else read_file(file)


def error_data(error: OfframpError) -> dict[str, Any]:
    """Describe an error for a program.

    Shape:
        {"error": {"code", "message", "hint", and what is known of file, line, path, expected}}
    """
    details = {name: error.attributes[name] for name in _DETAILS if name in error.attributes}
    problems = [
        {"line": line, "path": path, "problem": problem}
        for line, path, problem in _problems(error.attributes)
    ]
    told = {"code": error.code, "message": str(error), **details, "hint": error.hint}
    return {"error": {**told, "problems": problems} if problems else told}


def show_error(error: OfframpError, *, as_json: bool) -> None:
    """Tell an error on standard error: the sentence, where it is, what was expected, a hint."""
    if as_json:
        typer.echo(json.dumps(error_data(error), indent=2, ensure_ascii=False), err=True)
        return
    console = _console(stderr=True)
    console.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
    for label, detail in _lines(error.attributes, hint=error.hint):
        console.print(Text.assemble((f"  {label:<9} ", "dim"), detail), soft_wrap=True)


def guarded(
    command: Callable[_Parameters, _Answer],
) -> Callable[_Parameters, _Answer]:
    """Let a command end in an error that is told, with the exit code of its root.

    One that is terminated ends as one that is interrupted, and tidies up; the exit code of both is
    the one that a shell would give.
    """

    @wraps(command)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Answer:
        as_json = kwargs.get("as_json") is True
        try:
            with _terminable():
                return command(*args, **kwargs)
        except KeyboardInterrupt as error:
            show_error(Interrupted(hint=_AGAIN), as_json=as_json)
            number = error.args[0] if error.args else signal.SIGINT
            raise typer.Exit(_EXIT_OF_SIGNALS + number) from error
        except OfframpError as error:
            show_error(error, as_json=as_json)
            raise typer.Exit(error.exit_code) from error
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            show_error(_unexpected(error), as_json=as_json)
            raise typer.Exit(OfframpError.exit_code) from error

    return run


class Interrupted(Unavailable):
    """The command was stopped before it was done."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Hear a termination as an interrupt, unless the command listens for itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt(number)


class Unexpected(OfframpError):
    """Something unexpected went wrong: {kind} in {place}."""


def _unexpected(error: Exception) -> Unexpected:
    """Keep the kind and the place; the message of a stranger's error may hold a person's data."""
    place, *_ = frames_of(error)
    return Unexpected(kind=type(error).__name__, place=place, hint="this is a mistake of ours")


def _lines(attributes: Mapping[str, Any], *, hint: str | None) -> list[tuple[str, str]]:
    first, *others = _problems(attributes) or [(None, "", "")]
    rows = [
        ("at", _place(attributes, line=first[0])),
        ("path", attributes.get("path")),
        ("expected", attributes.get("expected")),
        ("hint", hint),
        *(("also", _problem_text(*other)) for other in others),
    ]
    return [(label, str(detail)) for label, detail in rows if detail]


def _place(attributes: Mapping[str, Any], *, line: int | None) -> str | None:
    """Say where the first mistake is: in a file that is named, or on a line of the one given."""
    file = attributes.get("file")
    if file is None:
        return None if line is None else f"line {line}"
    return f"{file}:{attributes['line']}" if attributes.get("line") else file


def _problem_text(number: int | None, path: str, problem: str) -> str:
    return f"{path}: {problem}" if number is None else f"line {number}: {path}: {problem}"


def _problems(attributes: Mapping[str, Any]) -> list[tuple[int | None, str, str]]:
    """List every mistake of a document or a request: line, path, and what is wrong."""
    found = attributes.get("problems", ())
    return [
        entry if isinstance(entry, tuple) else (entry.line, entry.path, entry.problem)
        for entry in found
    ]


def _console(*, stderr: bool = False) -> Console:
    console = Console(stderr=stderr, highlight=False)
    return console if console.is_terminal else Console(stderr=stderr, width=PIPE_COLUMNS)
