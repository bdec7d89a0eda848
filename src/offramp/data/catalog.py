"""The live catalog: the tables, columns, keys and references that a database really has.

Everything that is known from the database and not from the map lives here. It is read fresh for
every run, never cached, because the map is judged against it (L15).
"""

from collections.abc import Mapping
from dataclasses import dataclass
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

    @property
    def length(self) -> int | None:
        """The longest text that the column takes, where it has a limit."""
        return getattr(self.type, "length", None)

    @property
    def is_text(self) -> bool:
        """Say whether the column holds text that a pseudonym could stand in."""
        return isinstance(self.type, sa.String) and not isinstance(self.type, sa.Enum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One foreign key: columns of a table that name a row of a parent table."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    emptied: tuple[str, ...]
    indexed: bool
    on_delete: str

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


def read_catalog(connection: sa.Connection, *, schema: str | None) -> Catalog:
    """Read what the database declares now."""
    inspector = sa.inspect(connection)
    columns = inspector.get_multi_columns(schema=schema)
    keys = inspector.get_multi_pk_constraint(schema=schema)
    foreign = inspector.get_multi_foreign_keys(schema=schema)
    indexes = _read_indexes(inspector, schema)
    tables = {}
    for table in sorted(columns, key=lambda entry: entry[1]):
        fields = {
            field["name"]: CatalogColumn(
                name=field["name"], type=field["type"], nullable=field["nullable"]
            )
            for field in columns[table]
        }
        primary = keys.get(table)
        key = tuple(primary["constrained_columns"]) if primary else ()
        fields |= {name: _required(fields[name]) for name in key}
        paths = [*indexes.get(table, ()), key]
        actions = _read_actions(connection, table[1])
        tables[table[1]] = CatalogTable(
            name=table[1],
            columns=fields,
            key=key,
            references=tuple(
                _reference(table[1], entry, fields, paths, actions)
                for entry in foreign.get(table, ())
            ),
        )
    return Catalog(tables=tables)


def _required(column: CatalogColumn) -> CatalogColumn:
    """A key column is never emptied, although SQLite declares it so that it could be."""
    return CatalogColumn(name=column.name, type=column.type, nullable=False)


def _read_indexes(
    inspector: Inspector, schema: str | None
) -> dict[TableKey, list[tuple[str, ...]]]:
    paths: dict[TableKey, list[tuple[str, ...]]] = {}
    for table, indexes in inspector.get_multi_indexes(schema=schema).items():
        names = (index["column_names"] for index in indexes)
        paths.setdefault(table, []).extend(tuple(name or "" for name in path) for path in names)
    for table, constraints in inspector.get_multi_unique_constraints(schema=schema).items():
        paths.setdefault(table, []).extend(tuple(each["column_names"]) for each in constraints)
    return paths


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
    table: str,
    entry: ReflectedForeignKeyConstraint,
    fields: Mapping[str, CatalogColumn],
    paths: list[tuple[str, ...]],
    actions: Mapping[tuple[str, ...], str],
) -> Reference:
    columns = tuple(entry["constrained_columns"])
    declared = entry.get("options", {}).get("ondelete", "NO ACTION")
    return Reference(
        table=table,
        columns=columns,
        parent=entry["referred_table"],
        parent_columns=tuple(entry["referred_columns"]),
        emptied=tuple(name for name in columns if fields[name].nullable),
        indexed=any(set(path[: len(columns)]) == set(columns) for path in paths),
        on_delete=actions.get(columns, declared),
    )
