"""YAML at the rim: a file becomes plain data and a frozen model, or an error that names its line.

Everything that reads a YAML document of ours goes through here, so that every mistake is reported
in the same way: file, line, path, what was expected, and the nearest known word.

Source: YAML 1.2 (``on`` and ``no`` are text); ruamel.yaml's round trip keeps the line numbers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from offramp.core.errors import Invalid
from offramp.core.spelling import did_you_mean

NODES_MAX = 1_000_000  # values, with what an alias stands for counted every time
TEXTS_KEPT = 8  # the same few files are read again and again
DocumentPath: TypeAlias = Sequence[str | int]
Model = TypeVar("Model", bound=BaseModel)

_PATTERNS = {"^[a-z][a-z0-9-]*$": "lower-case letters, digits and hyphens, beginning with a letter"}
_CONTAINERS = (dict, list, tuple, set, frozenset, Mapping, Sequence)


class DocumentUnreadable(Invalid):
    """The document {file} cannot be read: {reason}."""


class DocumentInvalid(Invalid):
    """{file}, line {line}: {path}: {problem}."""


class Document(NamedTuple):
    """Plain data of a file, and the line on which each part of it stands."""

    data: Any
    line_of: Callable[[DocumentPath], int]


def load_yaml(file: Path) -> Document:
    """Read one YAML file into plain Python data with a way back to its lines.

    Raises:
        DocumentUnreadable: there is no such file, or it is not UTF-8 text.
        DocumentInvalid: it is not YAML, or a key occurs twice.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise DocumentUnreadable(file=str(file), reason="there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentUnreadable(file=str(file), reason="it is not a readable text file") from error
    return read_yaml(text, file=file)


def read_yaml(text: str, *, file: Path) -> Document:
    """Read YAML from a text; errors call it by the name of a file.

    Raises:
        DocumentUnreadable: it is more than a document of ours can be.
        DocumentInvalid: it is not YAML, or a key occurs twice.
    """
    try:
        marked = _marked(text)
        data = _plain(marked, count())
    except MarkedYAMLError as error:
        raise _syntax_error(file, error) from error
    except YAMLError as error:
        raise DocumentUnreadable(file=str(file), reason="it is not YAML") from error
    except (RecursionError, _TooMuch) as error:
        raise DocumentUnreadable(file=str(file), reason="it holds too much") from error
    return Document(data, lambda path: _line_of(marked, path))


def parse_model(model: type[Model], file: Path) -> Model:
    """Read one YAML file as a frozen model.

    Raises:
        DocumentInvalid: the first thing that is wrong; `problems` lists all, as (line, path, text).
    """
    document = load_yaml(file)
    return parse_data(model, document, file=file)


def parse_data(model: type[Model], document: Document, *, file: Path) -> Model:
    """Turn a loaded document into a frozen model, with errors that name its lines."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise _model_error(model, document, file, error) from error


@lru_cache(maxsize=TEXTS_KEPT)
def _marked(text: str) -> Any:  # noqa: ANN401 - ruamel is untyped here
    """Give what ruamel makes of a text, which nobody changes; making it takes a quarter second."""
    return YAML(typ="rt").load(text)


class _TooMuch(Exception):
    """A few words that are repeated stand for more than anybody has written."""


def _plain(node: object, passed: Iterator[int]) -> object:
    if next(passed) > NODES_MAX:
        raise _TooMuch
    if isinstance(node, dict):
        return {_plain(key, passed): _plain(value, passed) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value, passed) for value in node]
    if isinstance(node, datetime | date):
        return node.isoformat()
    for plain in (bool, int, float, str):
        if isinstance(node, plain):
            return plain(node)
    return node


def _line_of(marked: Any, path: DocumentPath) -> int:  # noqa: ANN401 - ruamel is untyped here
    """Walk as far as the path leads; what is missing stands where its parent begins."""
    line = marked.lc.line if hasattr(marked, "lc") else 0
    node: Any = marked
    for part in path:
        if not _holds(node, part):
            break
        locate = node.lc.key if hasattr(node, "keys") else node.lc.item
        position = locate(part)
        line, node = position[0], node[part]
    return int(line) + 1


def _holds(node: object, part: str | int) -> bool:
    if isinstance(node, dict):
        return part in node
    return isinstance(node, list) and isinstance(part, int) and part < len(node)


def _syntax_error(file: Path, error: MarkedYAMLError) -> DocumentInvalid:
    mark = error.problem_mark or error.context_mark
    return DocumentInvalid(
        file=str(file),
        line=mark.line + 1 if mark else 1,
        path="(document)",
        problem=str(error.problem or error.context or "not YAML").split("\n", 1)[0],
        expected="YAML 1.2 in which each key occurs once",
        hint="look at the indentation, at colons, and for a key written twice",
    )


def _model_error(
    model: type[BaseModel], document: Document, file: Path, error: ValidationError
) -> DocumentInvalid:
    """Report the first mistake; a mistyped key goes before the missing one that it causes."""
    found = []
    for details in error.errors():
        path = written_path(document.data, details["loc"])
        if details["type"] == "missing":
            path.append(details["loc"][-1])
        if details["type"] == "union_tag_invalid":
            path.append(details["ctx"]["discriminator"].strip("'"))
        found.append(
            (
                details["type"] != "extra_forbidden",
                document.line_of(path),
                path,
                details,
            )
        )
    found.sort(key=lambda entry: entry[:2])
    _, line, path, details = found[0]
    expected, hint = _expectation(model, details)
    return DocumentInvalid(
        file=str(file),
        line=line,
        path=dotted(path),
        problem=_problem(details),
        expected=expected,
        hint=hint,
        problems=tuple((row[1], dotted(row[2]), _problem(row[3])) for row in found),
    )


def written_path(data: object, location: DocumentPath) -> list[str | int]:
    """Keep the parts of a location that the author wrote, not the names of our types."""
    path: list[str | int] = []
    node: Any = data
    for part in location:
        if _holds(node, part):
            path.append(part)
            node = node[part]
    return path


def dotted(path: DocumentPath) -> str:
    """Show a path as a person writes it."""
    return ".".join(str(part) for part in path) or "(document)"


def _problem(details: ErrorDetails) -> str:
    match details["type"]:
        case "extra_forbidden":
            return "unknown key"
        case "missing":
            return "this key is required"
        case "model_type" | "dict_type" | "mapping_type":
            return "keys with values belong here"
        case "string_pattern_mismatch":
            return f"{details['input']!r} is not a name"
        case _:
            return details["msg"].removeprefix("Value error, ").removesuffix(".")


def _expectation(model: type[BaseModel], details: ErrorDetails) -> tuple[str | None, str | None]:
    known = _known_words(model, details)
    if not known:
        context = details.get("ctx", {})
        expected = context.get("expected") or _PATTERNS.get(str(context.get("pattern")))
        return expected or context.get("pattern"), context.get("hint") or None
    given = details["loc"][-1] if details["type"] == "extra_forbidden" else details["input"]
    given = details.get("ctx", {}).get("tag", given)
    return "one of " + ", ".join(known), did_you_mean(str(given), known)


def _known_words(model: type[BaseModel], details: ErrorDetails) -> list[str]:
    match details["type"]:
        case "extra_forbidden":
            names = {
                field.alias or name
                for owner in _models_at(model, details["loc"][:-1])
                for name, field in owner.model_fields.items()
            }
            return sorted(names)
        case "literal_error" | "enum" | "union_tag_invalid":
            context = details["ctx"]
            expected = str(context.get("expected") or context.get("expected_tags"))
            return [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]
        case _:
            return []


def _models_at(annotation: object, path: DocumentPath) -> Iterator[type[BaseModel]]:
    """Find the models that may stand at a path below a type; tags of unions are skipped."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not path:
            yield annotation
            return
        for name, field in annotation.model_fields.items():
            if path[0] in (name, field.alias):
                yield from _models_at(field.annotation, path[1:])
        if _is_tag_of(annotation, path[0]):
            yield from _models_at(annotation, path[1:])
        return
    inside = path[1:] if get_origin(annotation) in _CONTAINERS else path
    for argument in get_args(annotation):
        yield from _models_at(argument, inside)


def _is_tag_of(model: type[BaseModel], part: str | int) -> bool:
    """Say whether pydantic named a member of a union by this part of a location."""
    literals = (get_args(field.annotation) for field in model.model_fields.values())
    return part == model.__name__ or any(part in values for values in literals)
