"""The six roots of every error, and the one table that says what each root means outside.

Everything that can go wrong on purpose is a leaf of one of these roots. A leaf lives beside the
code that raises it; its docstring is the operator's sentence, a format string over the error's
own attributes. Attributes carry ids, counts, and names of files, tables and columns: never a
person's data and never a secret.

Source: docs/errors.md is generated from this table and the leaves.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from traceback import extract_tb
from typing import Any, ClassVar, Self

FRAMES_MAX = 50  # of an error that is told; an endless recursion has a thousand


class OfframpError(Exception):
    """Something went wrong."""

    exit_code: ClassVar[int] = 70
    http_status: ClassVar[int] = 500
    retry: ClassVar[bool] = False

    def __init__(self, *, hint: str | None = None, **attributes: Any) -> None:
        """Keep the attributes readable and format the class's sentence with them."""
        self.hint = hint
        self.attributes = attributes
        sentence = (type(self).__doc__ or "").split("\n\n", 1)[0]
        super().__init__(" ".join(sentence.split()).format_map(attributes))

    def __getattr__(self, name: str) -> Any:
        """Read an attribute given at construction, as ``error.table``."""
        attributes = self.__dict__.get("attributes", {})
        if name in attributes:
            return attributes[name]
        raise AttributeError(name)

    def __reduce__(self) -> tuple[partial[Self], tuple[()]]:
        """Travel between processes: build the error again from its attributes."""
        return partial(type(self), hint=self.hint, **self.attributes), ()

    @property
    def code(self) -> str:
        """The stable name of this error in JSON answers and documentation."""
        return type(self).__name__


class Invalid(OfframpError):
    """The document or request is wrong; nothing was changed."""

    exit_code = 2
    http_status = 422


class Refused(OfframpError):
    """Understood, and a rule says no; nothing was changed."""

    exit_code = 3
    http_status = 409


class Missing(OfframpError):
    """There is no such thing."""

    exit_code = 4
    http_status = 404


class Unavailable(OfframpError):
    """The outside is down; a later attempt may succeed."""

    exit_code = 5
    http_status = 503
    retry = True


class Uncertain(OfframpError):
    """The effect may have happened; it has to be verified before it is repeated."""

    exit_code = 6
    http_status = 502


class Broken(OfframpError):
    """An invariant failed; this off-boarding stops and keeps its evidence."""

    exit_code = 70
    http_status = 500


ROOTS: tuple[type[OfframpError], ...] = (Invalid, Refused, Missing, Unavailable, Uncertain, Broken)


def frames_of(error: BaseException) -> tuple[str, ...]:
    """Name the places that an error came through, the innermost first, then those of its cause.

    Neither a message nor a value is among them: a stranger's error may hold a person's data.
    """
    return tuple(islice(_frames(error), FRAMES_MAX))


def _frames(error: BaseException) -> Iterator[str]:
    for frame in reversed(extract_tb(error.__traceback__)):
        file = frame.filename.replace("\\", "/").rpartition("/")[2]
        yield f"{file}, line {frame.lineno}, {frame.name}"
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield f"because of {type(cause).__name__}"
        yield from _frames(cause)
