"""The live catalog of MySQL and MariaDB, read from ``information_schema``: a query for each part.

What these databases do in their own way, and what nobody may miss: a table with system versioning
keeps every row that is deleted, and is not in the list of ordinary tables; an engine other than
InnoDB takes nothing back; a column that is invisible is in no ``SELECT *``; names of columns are
compared without regard to case, those of tables as the server's file system does.

Source: MySQL, "INFORMATION_SCHEMA Tables"; MariaDB, "System-Versioned Tables",
"Identifier Case Sensitivity".
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from offramp.data.catalog.catalog import (
    Catalog,
    CatalogColumn,
    CatalogTable,
    Reference,
    key_beside,
    may_refuse_null,
    required,
)
from offramp.data.catalog.surroundings import read_strangers
from offramp.data.dialects.mysql_type import Declaration, read_type

_TRANSACTIONAL = frozenset(("innodb", "ndbcluster", "ndb", "rocksdb", "tokudb"))
_JSON = re.compile(r"json_valid\(`(.+)`\)", re.IGNORECASE)
_PRIMARY = "PRIMARY"

_TABLES = """
SELECT table_name, engine, table_type = 'SYSTEM VERSIONED' FROM information_schema.tables
WHERE table_schema = :schema AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
ORDER BY table_name
"""
_COLUMNS = """
SELECT table_name, column_name, data_type, column_type, is_nullable = 'YES', column_default, extra,
    character_maximum_length, numeric_precision, numeric_scale, datetime_precision,
    character_set_name, collation_name, coalesce(generation_expression, '') <> ''
FROM information_schema.columns WHERE table_schema = :schema ORDER BY table_name, ordinal_position
"""
_CHECKS_OF_MARIADB = """
SELECT table_name, check_clause FROM information_schema.check_constraints
WHERE constraint_schema = :schema
"""
_CHECKS_OF_MYSQL = """
SELECT named.table_name, rule.check_clause FROM information_schema.table_constraints AS named
JOIN information_schema.check_constraints AS rule
    ON rule.constraint_schema = named.constraint_schema
    AND rule.constraint_name = named.constraint_name
WHERE named.table_schema = :schema AND named.constraint_type = 'CHECK'
"""
_INDEXES = """
SELECT table_name, index_name, non_unique = 0, coalesce(column_name, '')
FROM information_schema.statistics WHERE table_schema = :schema AND index_type <> 'FULLTEXT'
ORDER BY table_name, index_name, seq_in_index
"""
_REFERENCES = """
SELECT named.table_name, named.constraint_name, coalesce(rule.delete_rule, ''),
    named.referenced_table_schema, named.referenced_table_name,
    named.column_name, named.referenced_column_name
FROM information_schema.key_column_usage AS named
LEFT JOIN information_schema.referential_constraints AS rule
    ON rule.constraint_schema = named.constraint_schema AND rule.table_name = named.table_name
    AND rule.constraint_name = named.constraint_name
WHERE named.table_schema = :schema AND named.referenced_table_name IS NOT NULL
ORDER BY named.table_name, named.constraint_name, named.ordinal_position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ForeignKey:
    table: str
    schema: str
    parent: str
    on_delete: str
    pairs: tuple[tuple[str, str], ...]


def read_mysql_catalog(
    connection: sa.Connection, *, schema: str | None, further: Sequence[str] = ()
) -> Catalog:
    """Read what the database declares now; a schema and a database are one thing here."""
    default = connection.exec_driver_sql("SELECT database()").scalar()
    own = schema or str(default or "")
    spaces = [own, *(each for each in further if each != own)]
    tables: dict[str, CatalogTable] = {}
    foreign: list[tuple[str, _ForeignKey]] = []
    for space in spaces:
        tables |= {each.name: each for each in _read_tables(connection, space, own=own)}
        foreign += [(_name(space, each.table, own), each) for each in _foreign(connection, space)]
    for name, key in foreign:
        reference = _reference(tables, name, key, own=own)
        tables[name] = replace(tables[name], references=(*tables[name].references, reference))
    strangers = read_strangers(connection, schema=own, further=further)
    return Catalog(tables=tables, strangers=strangers)


def _name(space: str, table: str, own: str) -> str:
    return table if space == own else f"{space}.{table}"


def _ask(connection: sa.Connection, text: str, space: str) -> Iterator[Sequence[Any]]:
    return iter(connection.execute(sa.text(text), {"schema": space}).all())


def _read_tables(connection: sa.Connection, space: str, *, own: str) -> Iterator[CatalogTable]:
    columns = _columns(connection, space)
    paths = _paths(connection, space)
    for table, engine, keeps_history in _ask(connection, _TABLES, space):
        indexes = paths[table]
        primary = tuple(path for name, _, path in indexes if name == _PRIMARY)
        unique = tuple(path for _, is_unique, path in indexes if is_unique)
        fields = dict(columns[table])
        if primary:
            fields |= {name: required(fields[name]) for name in primary[0]}
        yield CatalogTable(
            name=_name(space, table, own),
            schema=None if space == own else space,
            columns=fields,
            key=primary[0] if primary else key_beside(fields, unique),
            references=(),
            indexes=tuple(path for _, _, path in indexes),
            unique=unique,
            engine=None if str(engine).lower() in _TRANSACTIONAL else str(engine),
            keeps_history=bool(keeps_history),
        )


def _columns(connection: sa.Connection, space: str) -> Mapping[str, Mapping[str, CatalogColumn]]:
    json, checked = _checks(connection, space)
    found: dict[str, dict[str, CatalogColumn]] = defaultdict(dict)
    for row in _ask(connection, _COLUMNS, space):
        table, name, _, _, nullable, default, extra, *_, is_generated = row
        found[table][name] = CatalogColumn(
            name=name,
            type=read_type(_declaration(row, is_json=(table, name) in json)),
            nullable=bool(nullable),
            is_generated=bool(is_generated),
            has_default=default not in (None, "NULL") or "auto_increment" in extra.lower(),
            is_checked=any(
                f"`{name}`" in clause for clause in checked[table] if may_refuse_null(clause)
            ),
            is_stamped="on update" in extra.lower(),
        )
    return found


def _declaration(row: Sequence[Any], *, is_json: bool) -> Declaration:
    return Declaration(
        kind=row[2].lower(),
        words=row[3] if row[2].lower() in ("enum", "set") else row[3].lower(),
        length=row[7],
        precision=row[8],
        scale=row[9],
        fraction=row[10],
        charset=row[11],
        collation=row[12],
        is_json=is_json,
    )


def _checks(
    connection: sa.Connection, space: str
) -> tuple[frozenset[tuple[str, str]], Mapping[str, list[str]]]:
    """Name MariaDB's columns of JSON, which are texts with a check, and list all other checks."""
    is_mariadb: bool = connection.dialect.is_mariadb  # type: ignore[attr-defined]  # MySQL's alone
    asked = _CHECKS_OF_MARIADB if is_mariadb else _CHECKS_OF_MYSQL
    json: set[tuple[str, str]] = set()
    others: dict[str, list[str]] = defaultdict(list)
    for table, clause in _ask(connection, asked, space):
        if match := _JSON.fullmatch(clause):
            json.add((table, match[1]))
        else:
            others[table].append(clause)
    return frozenset(json), others


Path = tuple[str, bool, tuple[str, ...]]


def _paths(connection: sa.Connection, space: str) -> Mapping[str, list[Path]]:
    """List the indexes of every table: name, whether no two rows are equal by it, its columns."""
    parts: dict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for table, index, is_unique, column in _ask(connection, _INDEXES, space):
        parts[table, index, bool(is_unique)].append(column)
    found: dict[str, list[Path]] = defaultdict(list)
    for (table, index, is_unique), path in parts.items():
        found[table].append((index, is_unique, tuple(path)))
    return found


def _foreign(connection: sa.Connection, space: str) -> Iterator[_ForeignKey]:
    pairs: dict[tuple[str, str, str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for *constraint, column, target in _ask(connection, _REFERENCES, space):
        table, name, on_delete, schema, parent = constraint
        pairs[table, name, on_delete, schema, parent].append((column, target))
    for (table, _, on_delete, schema, parent), joined in pairs.items():
        yield _ForeignKey(
            table=table, schema=schema, parent=parent, on_delete=on_delete, pairs=tuple(joined)
        )


def _reference(
    tables: Mapping[str, CatalogTable], name: str, key: _ForeignKey, *, own: str
) -> Reference:
    table = tables[name]
    parent = _spelled(_name(key.schema, key.parent, own), tables)
    targets = tables[parent].columns if parent in tables else ()
    columns = tuple(_spelled(column, table.columns) for column, _ in key.pairs)
    return Reference(
        table=name,
        columns=columns,
        parent=parent,
        parent_columns=tuple(_spelled(target, targets) for _, target in key.pairs),
        emptied=tuple(column for column in columns if table.columns[column].nullable),
        indexed=table.is_indexed(columns),
        on_delete=key.on_delete,
    )


def _spelled(name: str, known: Iterable[str]) -> str:
    """Spell a name as it was declared: a foreign key may spell it in small letters."""
    if name in known:
        return name
    return next((each for each in known if each.lower() == name.lower()), name)
