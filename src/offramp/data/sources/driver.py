"""What differs on the wire between kinds of databases: sessions, transactions, streams of text."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

import sqlalchemy as sa

from offramp.data.catalog.catalog import Catalog
from offramp.data.dialects import Dialect
from offramp.data.sources.trouble import Trouble

BLOCK_BYTES = 64 * 1024
# Python looks for garbage after every 700 new objects, the longer the more it has kept: a block
# that is used up before then, with a key for each of its rows, is never looked through.
BLOCK_ROWS = 300

Block = TypeVar("Block")
# What a connection gives block by block, until it is closed.
Stream: TypeAlias = Generator[Block, None, None]
# From a connection that reads a snapshot, to one whose transaction has read nothing yet.
ShareSnapshot = Callable[[sa.Connection, sa.Connection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What has to be permitted: a verb of SQL on some columns of a table, or on all of it."""

    verb: str
    table: sa.TableClause
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A foreign key that points at a table, wherever its rows are.

    Shape:
        columns: each column that refers, with the one of the table to which it refers.
    """

    schema: str
    table: str
    columns: tuple[tuple[str, str], ...]


class SetChecks(Protocol):
    """How a database lets us look at references once for many rows, and not for each of them."""

    @property
    def opening(self) -> Sequence[sa.TextClause]:
        """The statements after which the rest of a transaction deletes without those looks."""

    def refusal(self, connection: sa.Connection) -> Trouble | None:
        """Say why our role may not run the opening; none if it may."""

    def pointers(self, connection: sa.Connection, table: sa.TableClause) -> Sequence[Pointer]:
        """List every foreign key that a deletion from a table would look at.

        None at all where the table has none, or where a deletion means more to the database than
        those looks, or one of them is not to be had by comparing columns that we may read.
        """

    def state(self, connection: sa.Connection, table: sa.TableClause) -> tuple[object, ...]:
        """Say what a deletion from a table sets off: equal for as long as `pointers` would be.

        It is asked within every chunk, and so it costs less.
        """


class Driver(Protocol):
    """How one kind of SQL database is reached."""

    @property
    def dialect(self) -> Dialect:
        """The words that it understands."""

    @property
    def writes_at_once(self) -> bool:
        """Say whether several connections may delete at once without waiting for one another."""

    @property
    def share_snapshot(self) -> ShareSnapshot | None:
        """Lets two connections read one state at once; none where the database cannot."""

    @property
    def logs_what_it_tidies(self) -> bool:
        """Say whether to come upon the traces of a deleted row costs its log a whole page."""

    @property
    def sorts_first(self) -> bool:
        """Say whether texts come sooner if their rows are sorted before they are rendered."""

    @property
    def set_checks(self) -> SetChecks | None:
        """How references are looked at once for many rows; none where they cannot be."""

    @property
    def extra(self) -> str:
        """The extra of our package with which it is installed."""

    @property
    def engine_options(self) -> Mapping[str, Any]:
        """The options of an engine beside those that every one has."""

    @property
    def snapshot_options(self) -> Mapping[str, Any]:
        """The options of a connection that reads one consistent state and changes nothing."""

    @property
    def transaction_options(self) -> Mapping[str, Any]:
        """The options of a connection that changes rows in short transactions."""

    def address(self, url: sa.URL) -> sa.URL:
        """Return the address by which the driver is reached.

        Raises:
            FileNotFoundError: the address names a file that does not exist.
        """

    def prepare(self, engine: sa.Engine) -> None:
        """Let every new connection of an engine speak as we do."""

    def catalog(
        self, connection: sa.Connection, *, schema: str | None, further: Sequence[str]
    ) -> Catalog:
        """Read what the database declares now.

        Args:
            connection: to the database.
            schema: the schema whose tables go by their bare names; the default one if not given.
            further: schemas whose tables are read too, and go by ``schema.table``.
        """

    def renders_at_once(
        self, connection: sa.Connection, table: sa.TableClause, rows: Callable[[], sa.Select[Any]]
    ) -> bool:
        """Say whether several processes would render the rows of a table before they are sorted.

        Args:
            connection: to the database.
            table: whose rows.
            rows: gives the statement that renders first.
        """

    def blocks(self, connection: sa.Connection, rows: sa.Select[Any]) -> Stream[bytes]:
        """Stream a one-column select of texts without line feeds, in blocks of whole lines."""

    def refusal(self, connection: sa.Connection, needs: Sequence[Need]) -> Trouble | None:
        """Say why the database would not let us do what is needed, or hide rows; none if not."""

    def rows(
        self, connection: sa.Connection, query: sa.Select[Any]
    ) -> Stream[Sequence[Sequence[Any]]]:
        """Stream rows in blocks, with values that can be bound again as they are."""

    def classify(self, error: BaseException) -> Trouble:
        """Say what an error of the driver means."""


def compile_statement(
    statement: sa.ClauseElement, dialect: sa.Dialect
) -> tuple[str, Mapping[str, Any]]:
    """Return the text that runs and its bound values."""
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return str(compiled), dict(compiled.params)
