"""The restore of one source, inside one transaction: which row is whose, and what is written.

The laws of identity live here. A row of the document whose key is free comes back under it. Where
the key is taken, the live row is **the same** when it has the same values, and then nothing is
done; when it is what an erasure left of it (emptied or hashed as the map says), then it gets its
values back; and when it hangs on the same parent with other values, somebody has worked on it
since, and the restore is refused. Otherwise it is somebody else's row: ours gets another key, and
every row that names it follows.

Memory grows with the keys that had to change, and with nothing else.
"""

import hmac
import json
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b, sha256
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa

from offramp.data.catalog.catalog import Reference
from offramp.data.datamap import split_column
from offramp.data.erasure.pseudonym import is_pseudonym
from offramp.data.handover.rendering import select_texts
from offramp.data.restoration.document_reader import Document
from offramp.data.restoration.error import (
    KeyTaken,
    ReferenceMissing,
    RestoredInexactly,
    RowsChanged,
)
from offramp.data.restoration.plan import Origin, TablePlan
from offramp.data.restoration.row_text import NULL, Key, Row, key_of, split_row
from offramp.data.scope import Scope
from offramp.data.territory import Predicate, Territory

BATCH_ROWS = 500
BATCH_CHARACTERS = 4_000_000
_ROWS_FETCHED = 1_000

Progress = Callable[[str, int], None]


class OrganizationIsAnother(Exception):
    """The organization that looked like ours is somebody else's; nothing was written yet."""


class LiveRows(Protocol):
    """Rows of one source, found and written inside one transaction."""

    @property
    def connection(self) -> sa.Connection:
        """The connection that holds the transaction."""

    def defer(self) -> None:
        """Check references at the end, where the database can."""

    def find(
        self, name: str, by: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
    ) -> list[Row]:
        """Read some columns of the live rows that equal one of these rows in some others."""

    def insert(self, name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Write new rows."""

    def update(
        self, name: str, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row]
    ) -> None:
        """Write some columns of rows that are there."""

    def continue_numbering(self, name: str, column: str) -> None:
        """Let the next new row get a number after all that are there now."""


@dataclass(slots=True, kw_only=True)
class Count:
    """What became of the rows of one table."""

    added: int = 0
    present: int = 0
    relinked: int = 0
    moved: int = 0

    @property
    def rows(self) -> int:
        """How many rows of the document were seen to."""
        return self.added + self.present + self.relinked


@dataclass(kw_only=True)
class Restoration:
    """One source's share of a restore."""

    territory: Territory
    live: LiveRows
    document: Document
    plans: Sequence[TablePlan]
    seed: bytes
    progress: Progress
    passed_over: int
    counts: dict[str, Count] = field(default_factory=dict)
    _moved: dict[Origin, dict[str, str]] = field(default_factory=dict)
    _highest: dict[str, int] = field(default_factory=dict)
    _twins: dict[str, dict[bytes, deque[str]]] = field(default_factory=dict)
    _is_fresh: bool = False
    _is_assumed: bool = False

    def run(self) -> None:
        """Load every table, parents first, and then the references that had to wait."""
        if any(plan.is_at_once for plan in self.plans):
            self.live.defer()
        for plan in self.plans:
            count = self.counts[plan.id] = Count()
            for rows in self._batches(plan):
                self._settle(plan, [self._follow(plan, row) for row in rows])
                self.progress(plan.id, count.rows)
        for plan in self.plans:
            if plan.deferred:
                self._link(plan)

    def continue_numbering(self) -> None:
        """Let new rows of the restored tables get numbers of their own."""
        for plan in self.plans:
            if plan.own and _is_number(plan, plan.own):
                self.live.continue_numbering(plan.name, plan.own)

    @property
    def organization(self) -> str:
        """The key of the organization as it is here."""
        name, column = split_column(self.territory.spec.root)
        given = self.document.manifest.organization
        for old, new in self._moved.get((name, column), {}).items():
            if str(json.loads(old)) == given:
                return str(json.loads(new))
        return given

    def _batches(self, plan: TablePlan) -> Iterator[list[Row]]:
        """Take rows together up to a number and a size; all, where they need one another."""
        batch: list[Row] = []
        size = 0
        for row in self.document.rows(plan.id):
            batch.append(row)
            size += sum(map(len, row.values()))
            is_full = len(batch) >= BATCH_ROWS or size >= BATCH_CHARACTERS
            if is_full and not plan.is_at_once:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _follow(self, plan: TablePlan, row: Row) -> Row:
        """Let a row name its parents by the keys that they have here."""
        return self._rename(plan, row, [each for each in plan.origins if each not in plan.later])

    def _rename(self, plan: TablePlan, row: Row, columns: Sequence[str]) -> Row:
        for column in columns:
            moved = self._moved.get(plan.origins[column])
            if moved and column in row:
                row[column] = moved.get(row[column], row[column])
        return row

    def _settle(self, plan: TablePlan, rows: list[Row], *, is_ours: bool = False) -> None:
        """Tell new rows, rows that are there, remnants, and rows whose key is somebody else's."""
        count = self.counts[plan.id]
        found = self._find(plan, rows)
        new, remnants, strangers, changed = [], [], [], dict[str, int]()
        for row in rows:
            live = found.get(key_of(row, plan.table.key))
            if live is None:
                new.append(row)
                continue
            differing = [name for name in plan.compared if live[name] != row[name]]
            if not differing:
                count.present += 1
            elif all(_is_remnant(plan, live, name) for name in differing):
                remnants.append(row)
            elif is_ours or _is_same(plan, row, live):
                changed |= {name: changed.get(name, 0) + 1 for name in differing}
            else:
                strangers.append(row)
        self._refuse_changed(plan, changed)
        if strangers and plan.own is None:
            raise KeyTaken(table=plan.id, columns=", ".join(plan.table.key))
        count.moved += len(strangers)
        is_numbered = plan.own is not None and _is_number(plan, plan.own)
        self._write(plan, new + (self._number(plan, strangers) if is_numbered else []))
        self._relink(plan, remnants)
        if strangers and not is_numbered:
            self._settle(plan, self._name(plan, strangers), is_ours=True)

    def _find(self, plan: TablePlan, rows: Sequence[Row]) -> dict[Key, Row]:
        key = plan.table.key
        found = self.live.find(plan.name, key, plan.columns, rows)
        return {key_of(row, key): row for row in found}

    def _refuse_changed(self, plan: TablePlan, changed: dict[str, int]) -> None:
        if not changed:
            return
        if self._is_assumed:
            raise OrganizationIsAnother
        raise RowsChanged(
            table=plan.id,
            rows=max(changed.values()),
            columns=", ".join(sorted(changed)),
            hint="somebody has worked on them since the export; take a new one, or remove them",
        )

    def _number(self, plan: TablePlan, strangers: Sequence[Row]) -> list[Row]:
        """Give rows other numbers, unless they have come back already; return the new ones."""
        own = plan.own or ""
        moved = self._moved.setdefault((plan.name, own), {})
        new = []
        for row in strangers:
            old = row[own]
            twins = self._twins_of(plan).get(_content(plan, row), deque())
            is_root = plan.name == self.territory.spec.root_table
            for _ in range(min(self.passed_over, len(twins)) if is_root else 0):
                twins.popleft()
            if twins:
                row[own] = twins.popleft()
                self.counts[plan.id].present += 1
                self._is_assumed |= is_root
            else:
                row[own] = self._next_number(plan)
                new.append(row)
            moved[old] = row[own]
        return new

    def _name(self, plan: TablePlan, strangers: Sequence[Row]) -> list[Row]:
        """Give rows the UUIDs that follow from their own and from the document."""
        own = plan.own or ""
        moved = self._moved.setdefault((plan.name, own), {})
        for row in strangers:
            new = self._other_uuid(plan, row[own])
            if new is None:
                raise KeyTaken(table=plan.id, columns=own)
            moved[row[own]] = new
            row[own] = new
        return list(strangers)

    def _next_number(self, plan: TablePlan) -> str:
        if plan.name not in self._highest:
            column = self.territory.table(plan.name).c[plan.own or ""]
            highest = self.live.connection.scalar(sa.select(sa.func.max(column)))
            self._highest[plan.name] = max(int(highest), self._highest_documented(plan))
        self._highest[plan.name] += 1
        return str(self._highest[plan.name])

    def _highest_documented(self, plan: TablePlan) -> int:
        return int(json.loads(self.document.last_rows[plan.id][plan.own or ""]))

    def _other_uuid(self, plan: TablePlan, old: str) -> str | None:
        value = json.loads(old)
        try:
            uuid = UUID(value)
        except ValueError:
            return None
        content = b"\0".join((self.document.proof, plan.id.encode(), old.encode()))
        other = UUID(bytes=sha256(content).digest()[:16], version=5)
        return {str(uuid): json.dumps(str(other)), uuid.hex: json.dumps(other.hex)}.get(value)

    def _twins_of(self, plan: TablePlan) -> dict[bytes, deque[str]]:
        """Read what came back under other keys in an earlier run, in the order in which it did."""
        if plan.name not in self._twins:
            twins = self._twins[plan.name] = {}
            rows = self.territory.table(plan.name)
            which = self._came_back(plan, rows)
            if which is None:
                return twins
            columns = [plan.table.columns[name] for name in plan.columns]
            own = rows.c[plan.own or ""]
            which = sa.and_(which, own > self._highest_documented(plan))
            texts = select_texts(self.territory, rows, columns, which).order_by(own)
            options = {"yield_per": _ROWS_FETCHED}
            for text in self.live.connection.execute(texts, execution_options=options).scalars():
                row = split_row(text)
                twins.setdefault(_content(plan, row), deque()).append(row[plan.own or ""])
        return self._twins[plan.name]

    def _came_back(self, plan: TablePlan, rows: sa.FromClause) -> Predicate | None:
        """Say where rows can be that came back in an earlier run."""
        if plan.name == self.territory.spec.root_table:
            return sa.true()
        if self._is_fresh:
            return None
        return replace(self.territory, scope=Scope(organization=self.organization)).belongs(
            plan.name, rows
        )

    def _write(self, plan: TablePlan, new: list[Row]) -> None:
        if not new:
            return
        if self._is_assumed:
            raise OrganizationIsAnother
        self._is_fresh |= plan.name == self.territory.spec.root_table
        waiting = {name for each in plan.deferred for name in self.territory.emptied(each)}
        at_once = [name for name in plan.later if name not in waiting]
        for row in new:
            self._rename(plan, row, at_once)
            row |= dict.fromkeys(waiting & row.keys(), NULL)
            row |= {name: self._random(plan, row, name) for name in plan.random}
        self._require_parents(plan, new)
        self.live.insert(plan.name, (*plan.columns, *plan.random), new)
        self._read_back(plan, new, plan.columns)
        self.counts[plan.id].added += len(new)

    def _relink(self, plan: TablePlan, remnants: list[Row]) -> None:
        """Give rows that outlived an erasure back what they had lost."""
        if not remnants:
            return
        if self._is_assumed:
            raise OrganizationIsAnother
        lost = [name for name in plan.compared if name in plan.emptied | plan.hashed]
        self._require_parents(plan, remnants)
        self.live.update(plan.name, plan.table.key, lost, remnants)
        self._read_back(plan, remnants, plan.compared)
        self.counts[plan.id].relinked += len(remnants)

    def _link(self, plan: TablePlan) -> None:
        """Set the references that could not be set before all rows were there."""
        key = plan.table.key
        waiting = sorted({name for each in plan.deferred for name in self.territory.emptied(each)})
        waiting = [name for name in waiting if name in plan.columns]
        own = [plan.own] if plan.own else []
        for batch in self._batches(plan):
            rows = [self._rename(plan, self._follow(plan, row), waiting) for row in batch]
            for row in rows:
                for name in own:
                    moved = self._moved.get((plan.name, name), {})
                    row[name] = moved.get(row[name], row[name])
            found = self._find(plan, rows)
            open_rows, changed = [], dict[str, int]()
            for row in rows:
                live = found[key_of(row, key)]
                differing = [name for name in waiting if live[name] != row[name]]
                if any(live[name] != NULL for name in differing):
                    changed |= {name: changed.get(name, 0) + 1 for name in differing}
                elif differing:
                    open_rows.append(row)
            self._refuse_changed(plan, changed)
            if open_rows and self._is_assumed:
                raise OrganizationIsAnother
            if open_rows:
                self.live.update(plan.name, key, waiting, open_rows)
                self._read_back(plan, open_rows, waiting)

    def _read_back(self, plan: TablePlan, rows: Sequence[Row], columns: Sequence[str]) -> None:
        """Prove that what was written is what the document says."""
        found = self._find(plan, rows)
        differing = {
            name
            for row in rows
            for name in columns
            if found.get(key_of(row, plan.table.key), {}).get(name) != row[name]
        }
        if differing:
            raise RestoredInexactly(
                table=plan.id,
                columns=", ".join(sorted(differing)),
                hint="does a trigger of the database change what is written?",
            )

    def _require_parents(self, plan: TablePlan, rows: Sequence[Row]) -> None:
        """Refuse rows that refer to what this document does not bring and the database lacks."""
        for reference in plan.outside:
            wanted = _references(reference, rows)
            if not wanted:
                continue
            columns = reference.parent_columns
            found = self.live.find(reference.parent, columns, columns, list(wanted.values()))
            missing = wanted.keys() - {key_of(row, columns) for row in found}
            if missing:
                raise ReferenceMissing(
                    table=plan.id,
                    columns=", ".join(reference.columns),
                    rows=len(missing),
                    parent=self.territory.id_of(reference.parent),
                    hint="restore those rows first",
                )

    def _random(self, plan: TablePlan, row: Row, name: str) -> str:
        """Make a value that nobody knows, another one in every row."""
        place = "\0".join((plan.id, name, *key_of(row, plan.table.key)))
        chance = hmac.digest(self.seed, place.encode(), "sha256")
        column = plan.table.columns[name]
        if not column.is_text:
            return json.dumps(b64encode(chance).decode())
        return json.dumps(chance.hex()[: column.length])


def _is_remnant(plan: TablePlan, live: Row, name: str) -> bool:
    """Say whether a value is what an erasure leaves behind."""
    if name in plan.emptied and live[name] == NULL:
        return True
    value = json.loads(live[name])
    return name in plan.hashed and isinstance(value, str) and is_pseudonym(value)


def _is_same(plan: TablePlan, row: Row, live: Row) -> bool:
    """Say whether two rows with one key hang on one parent, or did, so that they are one row."""
    via = plan.rule.way_columns
    return plan.is_fixed_by_key or (
        bool(via)
        and all(
            live.get(name) == row.get(name) or _is_remnant(plan, live, name)
            for name in via
            if name in live
        )
    )


def _references(reference: Reference, rows: Sequence[Row]) -> dict[Key, Row]:
    """List the parents that rows refer to, each once, in the parent's own words."""
    wanted = {}
    for row in rows:
        values = tuple(row.get(name, NULL) for name in reference.columns)
        if NULL not in values:
            wanted[values] = dict(zip(reference.parent_columns, values, strict=True))
    return wanted


def _is_number(plan: TablePlan, column: str) -> bool:
    return isinstance(plan.table.columns[column].type, sa.Integer)


def _content(plan: TablePlan, row: Row) -> bytes:
    texts = "\0".join(row[name] for name in plan.compared)
    return blake2b(texts.encode(), digest_size=16).digest()
