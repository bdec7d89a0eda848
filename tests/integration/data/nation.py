"""Databases that nobody thought of, with data in them: schemas and rows drawn by hypothesis.

Every table leads to t0, by a number, a UUID or a key of several columns; it may look at another
table and at itself, in any order of rows, and has one column of every kind of value. Every row has
a label of its own, by which it is known again when its key has changed.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from hypothesis import strategies as st

from offramp.data.datamap import DataMap
from offramp.data.scope import Scope
from offramp.data.sources.sql import open_sources
from tests.integration.data.engine import MOMENT, open_engine, unchecked

TABLES_MAX = 4
ROWS = 4
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inside: st.lists(inside, max_size=2) | st.dictionaries(TEXT, inside, max_size=2),
    max_leaves=4,
)
KINDS = {
    "whole": (sa.BigInteger, st.integers(-(2**63), 2**63 - 1)),
    "real": (sa.Double, st.floats(allow_nan=False, allow_infinity=False)),
    "words": (sa.Text, TEXT),
    "bytes": (sa.LargeBinary, st.binary(max_size=6)),
    "tree": (lambda: sa.JSON(none_as_null=True), st.dictionaries(TEXT, JSON, max_size=2)),
    "flag": (sa.Boolean, st.booleans()),
    "exact": (
        lambda: sa.Numeric(30, 4, asdecimal=False),
        st.integers(-(10**9), 10**9).map(lambda number: number / 10_000),
    ),
    "moment": (lambda: MOMENT, st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))),  # noqa: DTZ001
}
ENDLESS = {"real": (sa.Double, st.floats(allow_nan=False))}  # MySQL knows no infinity


@dataclass(frozen=True)
class Shape:
    """One table: its kind of key, the parent it belongs to, and what else it refers to."""

    key: str
    parent: int
    looks_at: int | None
    refers_to_itself: bool


@st.composite
def shapes(draw):
    count = draw(st.integers(1, TABLES_MAX))
    return [
        Shape(
            key=draw(st.sampled_from(["number", "uuid", "several"])),
            parent=draw(st.integers(0, number)),
            looks_at=draw(st.none() | st.integers(1, count)),
            refers_to_itself=draw(st.booleans()),
        )
        for number in range(count)
    ]


def make_tables(drawn):
    """Declare t0 and the drawn tables."""
    metadata = sa.MetaData()
    keys = {0: {"id": sa.Integer}}
    for number, shape in enumerate(drawn, start=1):
        several = {f"p_{name}": kind for name, kind in keys[shape.parent].items()}
        keys[number] = {
            "number": {"id": sa.Integer},
            "uuid": {"id": lambda: sa.Uuid(as_uuid=True)},
            "several": several | {"n": sa.Integer},
        }[shape.key]
    tables = [_table(metadata, 0, None, keys)]
    return tables + [_table(metadata, n, shape, keys) for n, shape in enumerate(drawn, start=1)]


def _table(metadata, number, shape, keys):
    columns, constraints = {}, []

    def refer(prefix, to, **shared):
        names = {name: shared.get(name, f"{prefix}_{name}") for name in keys[to]}
        for name, kind in keys[to].items():
            columns.setdefault(names[name], sa.Column(names[name], kind(), nullable=prefix != "p"))
        targets = [f"t{to}.{name}" for name in names]
        named = f"fk_{prefix}_{number}"
        constraints.append(sa.ForeignKeyConstraint([*names.values()], targets, name=named))

    if shape:
        refer("p", shape.parent)
    for name, kind in keys[number].items():
        columns.setdefault(name, sa.Column(name, kind(), nullable=False))
    if shape and shape.looks_at is not None:
        refer("l", shape.looks_at)
    if shape and shape.refers_to_itself:
        refer("o", number, **{name: name for name in keys[number] if name.startswith("p_")})
    body = [sa.Column("label", sa.Text), *(sa.Column(n, k()) for n, (k, _) in KINDS.items())]
    key = sa.PrimaryKeyConstraint(*keys[number])
    return sa.Table(f"t{number}", metadata, *columns.values(), *body, key, *constraints)


class Nation:
    """A filled database; rows 10 to 13 are the first organization's, 20 to 23 the second's."""

    def __init__(self, url, drawn, data):
        self.drawn = [None, *drawn]
        self.tables = make_tables(drawn)
        self.engine = open_engine(url)
        self.keys = {}
        self._create()
        self.put(*(line for org in (1, 2) for line in self._rows(org, data)))
        self.datamap = self._mapped(url)
        self.sources = open_sources(self.datamap, environment={})

    def close(self):
        self.sources["app"].close()
        self.engine.dispose()

    def put(self, *lines):
        """Insert rows in any order, whatever refers to whatever."""
        with unchecked(self.engine) as connection:
            for number, row in lines:
                connection.execute(sa.insert(self.tables[number]), row)

    def key_of(self, number, row):
        """Give the key of a row by its number: 10 to 13, 20 to 23; of t0: 1 and 2."""
        return self.keys[number, row]

    def usurp(self, number, row):
        """Let the second organization have a new row under the key that one row had."""
        shape = self.drawn[number]
        values = {"id": self.keys[number, row]["id"], "label": f"usurper {number} {row}"}
        if shape:
            parent = 2 if shape.parent == 0 else 20
            values |= _prefixed("p", self.keys[shape.parent, parent])
        self.put((number, values))

    def _create(self):
        with self.engine.begin() as connection:
            late = self.engine.name != "sqlite"
            for table in self.tables:
                options = {"include_foreign_key_constraints": []} if late else {}
                connection.execute(sa.schema.CreateTable(table, **options))
            for table in self.tables if late else ():
                for constraint in table.foreign_key_constraints:
                    connection.execute(sa.schema.AddConstraint(constraint))

    def _rows(self, org, data):
        self.keys[0, org] = {"id": org}
        yield 0, {"id": org, "label": f"t0 {org}"}
        ours = range(org * 10, org * 10 + ROWS)
        parents = {}
        for number, shape in enumerate(self.drawn[1:], start=1):
            for row in ours:
                above = org if shape.parent == 0 else data.draw(st.sampled_from(ours))
                parents[number, row] = _prefixed("p", self.keys[shape.parent, above])
                self.keys[number, row] = {
                    "number": {"id": row},
                    "uuid": {"id": UUID(int=number * 1000 + row)},
                    "several": parents[number, row] | {"n": row},
                }[shape.key]
        for number, shape in enumerate(self.drawn[1:], start=1):
            for row in ours:
                values = parents[number, row] | self.keys[number, row]
                yield number, values | self._other(number, shape, row, ours, data)

    def _other(self, number, shape, row, ours, data):
        values = {"label": f"t{number} {row}"}
        if shape.looks_at is not None and (seen := data.draw(st.none() | st.sampled_from(ours))):
            values |= _prefixed("l", self.keys[shape.looks_at, seen])
        if shape.refers_to_itself and (older := data.draw(st.none() | st.sampled_from(ours))):
            key, own = self.keys[number, older], self.keys[number, row]
            shared = {name for name in key if name.startswith("p_")}
            if all(key[name] == own[name] for name in shared):
                values |= _prefixed("o", {n: v for n, v in key.items() if n not in shared})
        filled = data.draw(st.sets(st.sampled_from(sorted(KINDS))))
        kinds = KINDS | (ENDLESS if self.engine.name != "mysql" else {})
        # Equal columns in every row, so that one statement inserts them all.
        return values | {name: data.draw(kinds[name][1]) for name in sorted(filled)}

    def _mapped(self, url):
        tables = {}
        for table, shape in zip(self.tables, self.drawn, strict=True):
            via = [name for name in table.c.keys() if name.startswith("p_")] if shape else []  # noqa: SIM118
            rest = {name: "user.content" for name in table.c.keys() if name not in via}  # noqa: SIM118
            tables[f"app.{table.name}"] = {"via": via, "columns": rest}
        source = {"kind": "sql", "url": url, "root": "t0.id"}
        return DataMap.model_validate({"offramp": 1, "sources": {"app": source}, "tables": tables})

    def told_by_labels(self, file):
        """Give the rows of a document with every key replaced by the label of its row."""
        data = json.loads(file.read_bytes())["data"]
        labels = {}
        for table in self.tables:
            for row in data[table.name]:
                key = tuple(row[column.name] for column in table.primary_key)
                labels[table.name, key] = row["label"]
        return {table.name: self._told(table, data[table.name], labels) for table in self.tables}

    def _told(self, table, rows, labels):
        names = {column.name for column in table.primary_key}
        told = []
        for row in rows:
            row = dict(row)
            referred = {}
            for constraint in table.foreign_key_constraints:
                columns = [element.parent.name for element in constraint.elements]
                names |= set(columns)
                key = tuple(row[name] for name in columns)
                target = constraint.referred_table.name
                referred[constraint.name] = None if None in key else labels[target, key]
            rest = {name: value for name, value in row.items() if name not in names}
            told.append(rest | referred | {"n": row.get("n")})
        return sorted(told, key=lambda row: row["label"])


def _prefixed(prefix, key):
    return {f"{prefix}_{name}": value for name, value in key.items()}


LEAVING, STAYING = Scope(organization="1"), Scope(organization="2")
