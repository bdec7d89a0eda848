"""What holds data beside the tables of a source: other schemas, copies, references from outside.

Everything that a source does not read and that somebody has to know of is asked for here. To MySQL
and MariaDB every database of a server is a schema, and foreign keys join them as they do in one
database of PostgreSQL; an SQLite file has nothing beside its tables.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True, slots=True, kw_only=True)
class _Questions:
    """What is asked in the words of one kind of database."""

    joined: str
    outside: str
    beside: str


_POSTGRES = _Questions(
    joined="""
SELECT DISTINCT ours.nspname, theirs.nspname FROM pg_constraint
JOIN pg_class AS child ON child.oid = conrelid
JOIN pg_namespace AS ours ON ours.oid = child.relnamespace
JOIN pg_class AS parent ON parent.oid = confrelid
JOIN pg_namespace AS theirs ON theirs.oid = parent.relnamespace
WHERE contype = 'f' AND ours.nspname <> theirs.nspname
""",
    outside="""
SELECT DISTINCT ours.nspname || '.' || child.relname FROM pg_constraint
JOIN pg_class AS child ON child.oid = conrelid
JOIN pg_namespace AS ours ON ours.oid = child.relnamespace
JOIN pg_class AS parent ON parent.oid = confrelid
JOIN pg_namespace AS theirs ON theirs.oid = parent.relnamespace
WHERE contype = 'f' AND ours.nspname <> ALL(:read) AND theirs.nspname = ANY(:read) ORDER BY 1
""",
    beside="""
SELECT DISTINCT nspname, relkind = 'm' AS is_copy, CASE WHEN relkind = 'm' THEN relname END
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'm') AND (relkind = 'm') = (nspname = ANY(:read))
AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1, 3
""",
)
_MYSQL = _Questions(
    joined="""
SELECT DISTINCT table_schema, referenced_table_schema FROM information_schema.key_column_usage
WHERE referenced_table_schema <> table_schema
""",
    outside="""
SELECT DISTINCT concat(table_schema, '.', table_name) FROM information_schema.key_column_usage
WHERE referenced_table_schema IN :read AND table_schema NOT IN :read ORDER BY 1
""",
    beside="""
SELECT DISTINCT table_schema, FALSE, NULL FROM information_schema.tables
WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_schema NOT IN :read
AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY 1
""",
)
_QUESTIONS: Mapping[str, _Questions] = {"postgresql": _POSTGRES, "mysql": _MYSQL}


def read_surroundings(
    connection: sa.Connection, *, schema: str | None, further: Collection[str] = ()
) -> tuple[str, ...]:
    """Say what holds data beside the tables that are read: other schemas, materialized views."""
    questions = _QUESTIONS.get(connection.dialect.name)
    if questions is None:
        return ()
    rows = connection.execute(
        _over(connection, questions.beside, _read(connection, schema, further))
    )
    return tuple(
        f"the materialized view {name} holds copies until it is refreshed"
        if is_copy
        else f"the schema {space} holds tables too; name it among `schemas` if they are the same"
        " application's"
        for space, is_copy, name in rows
    )


def read_strangers(
    connection: sa.Connection, *, schema: str | None, further: Collection[str]
) -> tuple[str, ...]:
    """Name the tables of schemas that are not read, and whose rows refer to those that are."""
    questions = _QUESTIONS.get(connection.dialect.name)
    if questions is None:
        return ()
    read = _read(connection, schema, further)
    return tuple(connection.execute(_over(connection, questions.outside, read)).scalars())


def joined_schemas(
    connection: sa.Connection, *, schema: str | None, root_schema: str | None
) -> tuple[str, ...]:
    """Name the further schemas that foreign keys join with those of the source and its root."""
    questions = _QUESTIONS.get(connection.dialect.name)
    if questions is None:
        return ()
    pairs = [(one, other) for one, other in connection.execute(sa.text(questions.joined))]
    begun = _read(connection, schema, [root_schema] if root_schema else [])
    return tuple(sorted(_spread(set(begun), pairs) - {begun[0]}))


def _spread(found: set[str], pairs: Collection[tuple[str, str]]) -> set[str]:
    while True:
        more = {name for pair in pairs if found & set(pair) for name in pair} - found
        if not more:
            return found
        found = found | more


def _read(connection: sa.Connection, schema: str | None, further: Iterable[str]) -> list[str]:
    own = schema or sa.inspect(connection).default_schema_name or ""
    return [own, *(each for each in further if each != own)]


def _over(connection: sa.Connection, text: str, read: list[str]) -> sa.TextClause:
    if connection.dialect.name == "mysql":  # which has no arrays
        return sa.text(text).bindparams(sa.bindparam("read", read, expanding=True))
    return sa.text(text).bindparams(sa.bindparam("read", read, sa.ARRAY(sa.Text)))
