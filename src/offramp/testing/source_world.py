"""A small world for one kind of source: two organizations in a database, and what they hold.

Whoever ships a kind of source derives a world of their own from `SourceWorld`: it fills the store
for both organizations, and looks into it by its own means, not by those under test.

Source: docs/sources.md.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from whenever import Instant

from offramp.data.datamap import DataMap
from offramp.data.elsewhere import Elsewhere, look_up_facts, open_elsewhere
from offramp.data.erasure.fence import ChunkRecord
from offramp.data.scope import Scope
from offramp.data.sources.source import Errand, Facts, ReceiptList, Source, Tools
from offramp.data.sources.sql import SqlSource, open_sources
from offramp.testing.clock import VirtualClock

# The key of one is the beginning of the other's, and of its slug.
OURS = Scope(organization="1")
SIBLING = Scope(organization="10")
BEGINNING = Instant.from_utc(2026, 3, 1)
SLUGS: Mapping[str, str] = {"1": "acme", "10": "acme-two"}

_TABLES = """
CREATE TABLE companies (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE);
CREATE TABLE users (
    id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL REFERENCES companies, email TEXT NOT NULL
);
CREATE INDEX ix_users_company_id ON users (company_id);
INSERT INTO companies VALUES (1, 'acme'), (10, 'acme-two');
INSERT INTO users VALUES (1, 1, 'ann@acme.example'), (2, 1, 'bob@acme.example'),
    (10, 10, 'ann@two.example'), (11, 10, 'bob@two.example');
"""


class FenceBroken(Exception):
    """Somebody paused the deletion, or the process died."""


@dataclass(kw_only=True)
class RecordingFence:
    """A fence that notes what goes through it, and breaks before its n-th chunk if asked to."""

    breaks_before: int | None = None
    is_open: bool = False
    entered: list[str] = field(default_factory=list)
    recorded: list[tuple[str, int]] = field(default_factory=list)

    @contextmanager
    def chunk(self, table: str) -> Iterator[ChunkRecord]:
        """Open the fence for one chunk of a table."""
        if len(self.entered) == self.breaks_before:
            raise FenceBroken
        self.entered.append(table)
        self.is_open = True
        try:
            yield _Record(table=table, kept=self.recorded)
        finally:
            self.is_open = False


@dataclass(kw_only=True)
class _Record:
    table: str
    kept: list[tuple[str, int]]

    def keep(self) -> None:
        """Hold: nobody takes a fence away here."""

    def record(self, *, rows: int, table: str | None = None) -> None:
        self.kept.append((table or self.table, rows))


@dataclass(kw_only=True)
class SourceWorld:
    """A database with two organizations, and one further source that is under test."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    receipts: ReceiptList = field(default_factory=ReceiptList)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(BEGINNING))
    known: dict[Scope, Facts] = field(default_factory=dict)
    datamap: DataMap = field(init=False)
    sources: Mapping[str, SqlSource] = field(init=False)
    others: Mapping[str, Source] = field(init=False)

    def __post_init__(self) -> None:
        """Make the database, fill the source for both organizations, and open everything."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.executescript(_TABLES)
        self.datamap = DataMap.model_validate(self._map())
        self.sources = open_sources(self.datamap, environment=self.environment)
        self.others = open_elsewhere(self.datamap, tools=self.tools())
        for scope in (OURS, SIBLING):
            self.fill(scope)
            self.elsewhere(scope)

    @property
    def database(self) -> Path:
        """The file of the database."""
        return self.folder / "app.sqlite"

    def spec(self) -> Mapping[str, Any] | None:
        """Say what a data map says of the source under test; none when it is the database."""
        return None

    def fill(self, scope: Scope) -> None:
        """Let an organization hold something; several things, so that there are several chunks."""

    def held(self, scope: Scope) -> Mapping[str, Sequence[str]]:
        """Look by own means at what an organization holds: each row or file whole, as text."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute(
                "SELECT * FROM users WHERE company_id = ? ORDER BY id", [scope.organization]
            )
            return {"app.users": [repr(row) for row in rows]}

    def write_late(self, scope: Scope) -> None:
        """Let an organization write something more."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(
                "INSERT INTO users (company_id, email) VALUES (?, 'late@acme.example')",
                [scope.organization],
            )

    def cut(self) -> None:
        """Make the source impossible to reach."""
        for source in self.sources.values():
            source.close()
        self.database.rename(self.folder / "gone.sqlite")

    def tools(self) -> Tools:
        """Give what the source may use of the world; time passes only when somebody waits."""
        ids = count(1)
        return Tools(
            environment=self.environment,
            now=self.clock.now,
            new_id=lambda: f"id-{next(ids)}",
            elapsed=self.elapsed(),
            pause=self.pause,
            may_reach_private=True,
        )

    def pause(self, seconds: float) -> None:
        """Let the world's time pass."""
        self.clock.advance_to(self.clock.now().add(seconds=seconds))

    def elapsed(self) -> Callable[[], float]:
        """Give a clock in seconds that runs with the world's."""
        return lambda: self.clock.now().timestamp()

    def elsewhere(self, scope: Scope, *, operation: str = "operation") -> Elsewhere:
        """Ask the source about one organization, which is known from when it was still there."""
        if scope not in self.known:
            self.known[scope] = look_up_facts(self.datamap, self.sources, self.others, scope)
        facts, receipts = self.known[scope], self.receipts
        errand = Errand(scope=scope, facts=facts, operation=operation, receipts=receipts)
        return Elsewhere(sources=self.others, errand=errand)

    def _map(self) -> dict[str, Any]:
        app = {"kind": "sql", "url": f"sqlite:///{self.database}", "root": "companies.id"}
        further = self.spec()
        return {
            "offramp": 1,
            "sources": {"app": app, **({"further": dict(further)} if further else {})},
            "tables": {
                "app.companies": {"columns": {"slug": "user.account.username"}},
                "app.users": {"via": ["company_id"], "columns": {"email": "user.contact.email"}},
            },
        }
