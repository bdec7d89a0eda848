"""The live catalog: the tables, columns, keys and references that a database really has.

Everything that is known from the database and not from the map lives here. It is read fresh for
every run, never cached, because the map is judged against it (L15).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine.interfaces import ReflectedForeignKeyConstraint
from sqlalchemy.engine.reflection import Inspector

from offramp.data.catalog.surroundings import read_strangers

TableKey = tuple[str | None, str]
_ASKS_FOR_NULL = re.compile(r"null|coalesce|distinct|\bis\b|<=>", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogColumn:
    """One column as the database declares it; `is_checked` where a check may want it set.

    `is_stamped` says that the database writes the instant of every change of the row into it.
    """

    name: str
    type: sa.types.TypeEngine[Any]
    nullable: bool
    is_generated: bool = False
    has_default: bool = False
    is_checked: bool = False
    is_stamped: bool = False

    @property
    def length(self) -> int | None:
        """The longest text that the column takes, where it has a limit."""
        return getattr(self.type, "length", None)

    @property
    def is_text(self) -> bool:
        """Say whether the column holds text that a pseudonym could stand in."""
        return isinstance(self.type, sa.String) and not isinstance(self.type, sa.Enum | mysql.SET)

    def may_name(self, key: "CatalogColumn") -> bool:
        """Say whether its values could be those of a key, because both are of one kind."""
        for kind in (sa.Integer, sa.Uuid, sa.String):
            if isinstance(self.type, kind) or isinstance(key.type, kind):
                return isinstance(self.type, kind) and isinstance(key.type, kind)
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One foreign key: columns of a table that name a row of a parent table.

    A parent in another schema is named with it, so that it is never taken for a table of this one.
    """

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    emptied: tuple[str, ...]
    indexed: bool
    on_delete: str
    declared: bool = False

    @property
    def is_optional(self) -> bool:
        """Say whether the reference can be emptied while its row stays."""
        return bool(self.emptied)

    @property
    def label(self) -> str:
        """The reference as people write it: ``users.team_id``."""
        return f"{self.table}.{'+'.join(self.columns)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogTable:
    """One table as the database declares it; `key` names its rows, primary or not.

    `schema` is set only where it is not the one of the source; the name then begins with it.
    `engine` is set where the engine that stores the table cannot take anything back, and
    `keeps_history` where the database keeps every row that is deleted.
    """

    name: str
    columns: Mapping[str, CatalogColumn]
    key: tuple[str, ...]
    references: tuple[Reference, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    schema: str | None = None
    engine: str | None = None
    keeps_history: bool = False

    @property
    def own_name(self) -> str:
        """The name inside its schema."""
        return self.name if self.schema is None else self.name.removeprefix(f"{self.schema}.")

    @property
    def is_nameable(self) -> bool:
        """Say whether a map can name the table: dots part names there, and edges are trimmed."""
        parts = (self.own_name, *([self.schema] if self.schema else []))
        return all("." not in part and part == part.strip() for part in parts)

    def is_indexed(self, columns: tuple[str, ...]) -> bool:
        """Say whether an index begins with these columns, in any order."""
        paths = (*self.indexes, self.key)
        return any(set(path[: len(columns)]) == set(columns) for path in paths)

    def reference(self, columns: tuple[str, ...]) -> Reference | None:
        """Find the foreign key over exactly these columns, in any order."""
        for reference in self.references:
            if sorted(reference.columns) == sorted(columns):
                return reference
        return None


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Every table of one source; `strangers` are not read, and refer to tables that are."""

    tables: Mapping[str, CatalogTable]
    strangers: tuple[str, ...] = ()

    def referring_to(self, parent: str) -> tuple[Reference, ...]:
        """List the foreign keys that point at a table, in a stable order."""
        return tuple(self._referring.get(parent, ()))

    @cached_property
    def _referring(self) -> Mapping[str, Sequence[Reference]]:
        found: defaultdict[str, list[Reference]] = defaultdict(list)
        for name in sorted(self.tables):
            for reference in self.tables[name].references:
                found[reference.parent].append(reference)
        return found

    def trail(self, table: str, path: str) -> Iterator[tuple[str, str]]:
        """Name every column of a path such as ``course_id.title`` with its table, in order.

        All but the last have to refer to one row of another table; what follows one that does not
        is named with it, as a column that cannot exist.
        """
        column, _, rest = path.partition(".")
        reference = self.tables[table].reference((column,)) if table in self.tables else None
        if rest and reference is None:
            yield table, path
            return
        yield table, column
        if rest and reference is not None:
            yield from self.trail(reference.parent, rest)


def declare_references(catalog: Catalog, declared: Mapping[str, Mapping[str, str]]) -> Catalog:
    """Add references that the database does not declare, where it has what they name.

    Shape:
        declared: table -> column -> ``parent.column``.
    """
    tables = dict(catalog.tables)
    for name, references in declared.items():
        if name in tables:
            more = tuple(_declared(tables, tables[name], references))
            tables[name] = replace(tables[name], references=tables[name].references + more)
    return replace(catalog, tables=tables)


def _declared(
    tables: Mapping[str, CatalogTable], table: CatalogTable, references: Mapping[str, str]
) -> Iterator[Reference]:
    for column, target in references.items():
        parent, _, parent_column = target.rpartition(".")
        known = parent in tables and parent_column in tables[parent].columns
        if column not in table.columns or not known or table.reference((column,)):
            continue
        yield Reference(
            table=table.name,
            columns=(column,),
            parent=parent,
            parent_columns=(parent_column,),
            emptied=(column,) if table.columns[column].nullable else (),
            indexed=table.is_indexed((column,)),
            on_delete="NO ACTION",
            declared=True,
        )


def read_catalog(
    connection: sa.Connection, *, schema: str | None, further: Sequence[str] = ()
) -> Catalog:
    """Read what the database declares now; a partition is a part of its table, not a table.

    Args:
        connection: to the database.
        schema: the schema whose tables go by their bare names; the default one if not given.
        further: schemas whose tables are read too, and go by ``schema.table``.
    """
    inspector = sa.inspect(connection)
    own = schema or inspector.default_schema_name
    tables: dict[str, CatalogTable] = {}
    for space in (schema, *(each for each in further if each != own)):
        reading = _SchemaReading(connection, inspector, space=space, own=own)
        tables |= {table.name: table for table in reading.tables()}
    strangers = read_strangers(connection, schema=schema, further=further)
    return Catalog(tables=tables, strangers=strangers)


class _SchemaReading:
    """One schema while it is read; `space` is how the driver is asked for it."""

    def __init__(
        self, connection: sa.Connection, inspector: Inspector, *, space: str | None, own: str | None
    ) -> None:
        self.connection = connection
        self.default = inspector.default_schema_name
        self.own = own
        self.is_own = space in (None, own)
        self.space = space
        self.columns = inspector.get_multi_columns(schema=space)
        self.keys = inspector.get_multi_pk_constraint(schema=space)
        self.foreign = inspector.get_multi_foreign_keys(schema=space)
        self.indexes, self.unique = _read_indexes(inspector, space)
        self.partitions = _read_partitions(connection, space)
        self.checks = inspector.get_multi_check_constraints(schema=space)

    def tables(self) -> Iterator[CatalogTable]:
        for entry in sorted(self.columns, key=lambda entry: entry[1]):
            if entry[1] not in self.partitions:
                yield self._table(entry)

    def _table(self, entry: TableKey) -> CatalogTable:
        checks = (str(each["sqltext"]) for each in self.checks.get(entry, ()))
        checked = frozenset(re.findall(r"\w+", " ".join(filter(may_refuse_null, checks))))
        fields = {
            field["name"]: CatalogColumn(
                name=field["name"],
                type=field["type"],
                nullable=field["nullable"],
                is_generated="computed" in field,
                has_default=field["default"] is not None or "identity" in field,
                is_checked=field["name"] in checked,
            )
            for field in self.columns[entry]
        }
        primary = self.keys.get(entry)
        unique = tuple(self.unique.get(entry, ()))
        key = tuple(primary["constrained_columns"]) if primary else ()
        fields |= {name: required(fields[name]) for name in key}
        bare = CatalogTable(
            name=entry[1] if self.is_own else f"{self.space}.{entry[1]}",
            schema=None if self.is_own else self.space,
            columns=fields,
            key=key or key_beside(fields, unique),
            references=(),
            indexes=tuple(self.indexes.get(entry, ())),
            unique=unique,
        )
        actions = _read_actions(self.connection, entry[1])
        return replace(
            bare,
            references=tuple(
                self._reference(bare, foreign, actions)
                for foreign in self.foreign.get(entry, ())
                if foreign["referred_table"] not in self.partitions
            ),
        )

    def _reference(
        self,
        table: CatalogTable,
        entry: ReflectedForeignKeyConstraint,
        actions: Mapping[tuple[str, ...], str],
    ) -> Reference:
        columns = tuple(entry["constrained_columns"])
        declared = entry.get("options", {}).get("ondelete", "NO ACTION")
        # A schema that is left out is the default one, whichever is being read.
        elsewhere, parent = entry["referred_schema"] or self.default, entry["referred_table"]
        return Reference(
            table=table.name,
            columns=columns,
            parent=parent if elsewhere == self.own else f"{elsewhere}.{parent}",
            parent_columns=tuple(entry["referred_columns"]),
            emptied=tuple(name for name in columns if table.columns[name].nullable),
            indexed=table.is_indexed(columns),
            on_delete=actions.get(columns, declared),
        )


def key_beside(
    columns: Mapping[str, CatalogColumn], unique: Sequence[tuple[str, ...]]
) -> tuple[str, ...]:
    """Find what names the rows of a table without a primary key: unique, and never empty."""
    able = [
        path
        for path in unique
        if path and all(name in columns and not columns[name].nullable for name in path)
    ]
    return min(able, key=lambda path: (len(path), path), default=())


def may_refuse_null(check: str) -> bool:
    """Say whether a check could fail because a column is empty.

    A comparison with NULL is unknown, and a check lets that pass; only these words ask for it.
    """
    return _ASKS_FOR_NULL.search(check) is not None


def required(column: CatalogColumn) -> CatalogColumn:
    """A key column is never emptied, although SQLite declares it so that it could be."""
    return replace(column, nullable=False)


def _read_partitions(connection: sa.Connection, schema: str | None) -> frozenset[str]:
    """Name PostgreSQL's partitions; their rows are read and deleted through the whole table."""
    if connection.dialect.name != "postgresql":
        return frozenset()
    rows = connection.execute(
        sa.text(
            "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE relispartition AND nspname = coalesce(:schema, current_schema())"
        ).bindparams(sa.bindparam("schema", schema, sa.Text)),
    )
    return frozenset(rows.scalars())


def _read_indexes(
    inspector: Inspector, schema: str | None
) -> tuple[dict[TableKey, list[tuple[str, ...]]], dict[TableKey, list[tuple[str, ...]]]]:
    """Read the columns of every index, and of those that let no two rows be equal."""
    paths: dict[TableKey, list[tuple[str, ...]]] = {}
    unique: dict[TableKey, list[tuple[str, ...]]] = {}
    for table, indexes in inspector.get_multi_indexes(schema=schema).items():
        for index in indexes:
            path = tuple(name or "" for name in index["column_names"])
            paths.setdefault(table, []).append(path)
            is_partial = any(name.endswith("_where") for name in index.get("dialect_options", {}))
            if index["unique"] and not is_partial:
                unique.setdefault(table, []).append(path)
    for table, constraints in inspector.get_multi_unique_constraints(schema=schema).items():
        found = [tuple(each["column_names"]) for each in constraints]
        paths.setdefault(table, []).extend(found)
        unique.setdefault(table, []).extend(found)
    return paths, unique


def _read_actions(connection: sa.Connection, table: str) -> dict[tuple[str, ...], str]:
    """Read SQLite's own list of actions: SQLAlchemy guesses them from the text of the table."""
    if connection.dialect.name != "sqlite":
        return {}
    rows = connection.execute(
        sa.text('SELECT id, "from", on_delete FROM pragma_foreign_key_list(:t) ORDER BY id, seq'),
        {"t": table},
    )
    columns: dict[int, tuple[str, ...]] = {}
    actions: dict[int, str] = {}
    for number, column, action in rows:
        columns[number] = (*columns.get(number, ()), column)
        actions[number] = action
    return {columns[number]: actions[number] for number in columns}
