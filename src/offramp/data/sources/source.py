"""What export, erase, verify and restore ask of a source that is no SQL database.

The law of a source:

* it answers for one subject at a time, and never for "all";
* what it cannot reach, list or tell is an error: it never says "nothing" because there is no such
  bucket, key or permission (L16);
* it gives the same rows in the same order for as long as nobody changes them;
* it changes nothing outside of a fence, and doing it twice is once;
* it counts what is left anew, by asking the store.

SQL databases are surveyed together instead, because references and marks cross their tables; both
ways are held to one suite, `offramp.testing.source_contract`.

Source: docs/decisions/011-other-sources.md; lessons L16, L18, L21, L37.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict
from whenever import Instant

from offramp.core.errors import Missing, Unavailable
from offramp.data.erasure.fence import Fence, Pace
from offramp.data.scope import Scope

Facts = Mapping[str, str]


class SubjectUnknown(Missing):
    """The source {source} does not know the subject at all, so that nothing can be said of it."""


class FileChanged(Unavailable):
    """A file of the source {source} came, went or changed while the files were read."""


class Receipt(BaseModel):
    """What a source has signed; `body` holds names and counts, and nothing of a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    operation: str
    id: str
    timestamp: str
    signature: str
    body: str


class Receipts(Protocol):
    """Where receipts are kept."""

    def keep(self, receipt: Receipt) -> None:
        """Keep a receipt for the certificate."""

    def count(self, source: str, operation: str) -> int:
        """Say how many receipts of a source for an operation are kept."""


@dataclass(slots=True)
class ReceiptList:
    """Receipts that are kept for as long as the process lives."""

    kept: list[Receipt] = field(default_factory=list)

    def keep(self, receipt: Receipt) -> None:
        """Keep a receipt."""
        self.kept.append(receipt)

    def count(self, source: str, operation: str) -> int:
        """Say how many receipts of a source for an operation are kept."""
        found = (source, operation)
        return sum((receipt.source, receipt.operation) == found for receipt in self.kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """On whose behalf a source is asked.

    Args:
        scope: whose data.
        facts: ``table.column`` -> value in the subject's own row, for what `columns` named.
        operation: what the work is called at every attempt, so that a repeat is known as one.
        receipts: where proofs are kept.
    """

    scope: Scope
    facts: Facts
    operation: str
    receipts: Receipts


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a source may use of the world.

    Args:
        environment: variables that hold addresses and secrets.
        now: the time, for signatures.
        new_id: an id that was never given before.
        elapsed: a monotonic clock in seconds.
        pause: wait for so many seconds.
        may_reach_private: whether addresses of a private network may be connected to.
    """

    environment: Mapping[str, str] = field(repr=False)
    now: Callable[[], Instant]
    new_id: Callable[[], str]
    elapsed: Callable[[], float]
    pause: Callable[[float], None]
    may_reach_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the rows of a table look like: the type of each column, and a JSON Schema of a row."""

    columns: Mapping[str, str]
    schema: Mapping[str, Any]


class Source(Protocol):
    """A store of an organization's data that is no SQL database."""

    @property
    def name(self) -> str:
        """What the map calls it."""

    def covers(self, scope: Scope) -> bool:
        """Whether it holds anything of a subject of this kind."""

    def columns(self, scope: Scope) -> tuple[str, ...]:
        """Name the columns of the subject's rows (``table.column``) that it has to know."""

    def check(self) -> None:
        """Raise what is wrong with the source before it is ever needed."""

    def tables(self, errand: Errand) -> Mapping[str, Shape]:
        """Name what it holds of a subject, in the order in which it goes."""

    def lines(self, errand: Errand, table: str) -> Iterator[bytes]:
        """Yield blocks of whole lines, each one row as JSON, always in the same order."""

    def preview(self, errand: Errand) -> Sequence[tuple[str, str]]:
        """Say what an erasure would do, table by table, exactly as it would."""

    def erase(self, errand: Errand, table: str, *, fence: Fence, pace: Pace) -> Iterator[int]:
        """Destroy in fenced chunks what a table holds of a subject; yield after each its rows."""

    def count(self, errand: Errand) -> Mapping[str, int]:
        """Count anew what is left of a subject, table by table."""

    def unseen(self) -> str | None:
        """Say what a verification cannot look at here, in words for the certificate."""

    def close(self) -> None:
        """Let go of every connection."""


@runtime_checkable
class FileSource(Source, Protocol):
    """A source whose rows are files (`key`, `tag`), which can be handed over and taken back."""

    def read(self, errand: Errand, key: str, *, tag: str) -> Iterator[bytes]:
        """Yield the bytes of one file of a subject, as long as it is the one with the tag."""

    def has(self, errand: Errand, key: str) -> bool:
        """Whether there is a file of this name."""

    def put_back(self, errand: Errand, key: str, content: Iterator[bytes]) -> bool:
        """Write a file unless it is there already; false when it is, byte for byte."""

    def take_away(self, errand: Errand, key: str) -> None:
        """Remove a file that was put back."""


class SourceKind(Protocol):
    """What an entry point of the group ``offramp.sources`` leads to.

    `spec` is the model of its keys in a data map; it has `kind`, and no secret in it.
    """

    spec: type[BaseModel]

    def open(self, name: str, spec: Any, *, tools: Tools) -> Source:  # noqa: ANN401 - its own model
        """Prepare a source for use; it connects on its first use."""
