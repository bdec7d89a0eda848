"""The live catalog: the tables, columns, keys and references that a database really has.

Everything that is known from the database and not from the map lives here. It is read fresh for
every run, never cached, because the map is judged against it (L15).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedForeignKeyConstraint
from sqlalchemy.engine.reflection import Inspector

TableKey = tuple[str | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogColumn:
    """One column as the database declares it."""

    name: str
    type: sa.types.TypeEngine[Any]
    nullable: bool
    is_generated: bool = False
    has_default: bool = False

    @property
    def length(self) -> int | None:
        """The longest text that the column takes, where it has a limit."""
        return getattr(self.type, "length", None)

    @property
    def is_text(self) -> bool:
        """Say whether the column holds text that a pseudonym could stand in."""
        return isinstance(self.type, sa.String) and not isinstance(self.type, sa.Enum)

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
    """One table as the database declares it."""

    name: str
    columns: Mapping[str, CatalogColumn]
    key: tuple[str, ...]
    references: tuple[Reference, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Every table of one source."""

    tables: Mapping[str, CatalogTable]

    def referring_to(self, parent: str) -> tuple[Reference, ...]:
        """List the foreign keys that point at a table, in a stable order."""
        return tuple(
            reference
            for name in sorted(self.tables)
            for reference in self.tables[name].references
            if reference.parent == parent
        )


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
    return Catalog(tables=tables)


def _declared(
    tables: Mapping[str, CatalogTable], table: CatalogTable, references: Mapping[str, str]
) -> Iterator[Reference]:
    for column, target in references.items():
        parent, _, parent_column = target.partition(".")
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


def read_catalog(connection: sa.Connection, *, schema: str | None) -> Catalog:
    """Read what the database declares now; a partition is a part of its table, not a table."""
    inspector = sa.inspect(connection)
    columns = inspector.get_multi_columns(schema=schema)
    keys = inspector.get_multi_pk_constraint(schema=schema)
    foreign = inspector.get_multi_foreign_keys(schema=schema)
    indexes, unique = _read_indexes(inspector, schema)
    partitions = _read_partitions(connection, schema)
    tables = {}
    for table in sorted(columns, key=lambda entry: entry[1]):
        if table[1] in partitions:
            continue
        fields = {
            field["name"]: CatalogColumn(
                name=field["name"],
                type=field["type"],
                nullable=field["nullable"],
                is_generated="computed" in field,
                has_default=field["default"] is not None or "identity" in field,
            )
            for field in columns[table]
        }
        primary = keys.get(table)
        key = tuple(primary["constrained_columns"]) if primary else ()
        fields |= {name: _required(fields[name]) for name in key}
        actions = _read_actions(connection, table[1])
        bare = CatalogTable(
            name=table[1],
            columns=fields,
            key=key,
            references=(),
            indexes=tuple(indexes.get(table, ())),
            unique=tuple(unique.get(table, ())),
        )
        references = tuple(
            _reference(bare, entry, actions, schema)
            for entry in foreign.get(table, ())
            if entry["referred_table"] not in partitions
        )
        tables[table[1]] = replace(bare, references=references)
    return Catalog(tables=tables)


def read_surroundings(connection: sa.Connection, *, schema: str | None) -> tuple[str, ...]:
    """Say what holds data on PostgreSQL beside the tables: other schemas, materialized views."""
    if connection.dialect.name != "postgresql":
        return ()
    rows = connection.execute(
        sa.text(
            "SELECT DISTINCT nspname, CASE WHEN nspname = here THEN relname END AS relname"
            " FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " CROSS JOIN coalesce(:schema, current_schema()) AS here"
            " WHERE relkind IN ('r', 'p', 'm') AND (nspname <> here OR relkind = 'm')"
            " AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1, 2"
        ).bindparams(sa.bindparam("schema", schema, sa.Text)),
    )
    return tuple(
        f"the materialized view {name} holds copies until it is refreshed"
        if name
        else f"the schema {space} holds tables too; a source of its own can read it"
        for space, name in rows
    )


def _required(column: CatalogColumn) -> CatalogColumn:
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


def _reference(
    table: CatalogTable,
    entry: ReflectedForeignKeyConstraint,
    actions: Mapping[tuple[str, ...], str],
    schema: str | None,
) -> Reference:
    columns = tuple(entry["constrained_columns"])
    declared = entry.get("options", {}).get("ondelete", "NO ACTION")
    elsewhere, parent = entry["referred_schema"], entry["referred_table"]
    return Reference(
        table=table.name,
        columns=columns,
        parent=parent if elsewhere in (None, schema) else f"{elsewhere}.{parent}",
        parent_columns=tuple(entry["referred_columns"]),
        emptied=tuple(name for name in columns if table.columns[name].nullable),
        indexed=table.is_indexed(columns),
        on_delete=actions.get(columns, declared),
    )
