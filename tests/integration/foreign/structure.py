"""What a PostgreSQL database demands of its rows: columns, references and checks."""

import re
from dataclasses import dataclass

_COLUMNS = """
SELECT a.attname, format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid), a.atttypmod),
  NOT a.attnotnull, a.attgenerated <> '', a.attidentity <> '', pg_get_expr(d.adbin, d.adrelid),
  coalesce(e.labels, '{}')
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN LATERAL (SELECT array_agg(enumlabel::text) AS labels FROM pg_enum
  WHERE enumtypid = t.oid) e ON true
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_FOREIGN = """
SELECT (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(c.conkey)
    WITH ORDINALITY AS k (number, place) JOIN pg_attribute a
    ON a.attrelid = c.conrelid AND a.attnum = k.number),
  n.nspname || '.' || p.relname,
  (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(c.confkey)
    WITH ORDINALITY AS k (number, place) JOIN pg_attribute a
    ON a.attrelid = c.confrelid AND a.attnum = k.number)
FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid
JOIN pg_namespace n ON n.oid = p.relnamespace
WHERE c.contype = 'f' AND c.conrelid = %s::regclass AND c.conparentid = 0 ORDER BY 1
"""
_CHECKS = """
SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint
WHERE contype = 'c' AND conrelid = %s::regclass
"""
_TABLES = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'
AND n.nspname <> 'information_schema' ORDER BY 1
"""


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    nullable: bool
    generated: bool
    identity: bool
    default: str | None
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Foreign:
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    name: str
    columns: dict[str, Column]
    foreign: list[Foreign]
    checks: list[str]

    @property
    def place(self):
        return ".".join(map(quoted, self.name.split(".", 1)))

    @property
    def written(self):
        return [column for column in self.columns.values() if not column.generated]

    def requires(self, foreign):
        return not any(self.columns[name].nullable for name in foreign.columns)

    def checks_of(self, column):
        return [text for text in self.checks if re.search(rf"\b{re.escape(column)}\b", text)]

    def words(self, column):
        """Read the texts and whole numbers out of the checks that name a column."""
        found = (re.findall(r"'([^']*)'|\b(\d+)\b", text) for text in self.checks_of(column))
        return sorted({text or number for each in found for text, number in each})


def read_tables(connection):
    names = [name for (name,) in connection.execute(_TABLES)]
    return {name: _read(connection, name) for name in names}


def _read(connection, name):
    place = [".".join(map(quoted, name.split(".", 1)))]
    columns = [Column(*row[:6], tuple(row[6])) for row in connection.execute(_COLUMNS, place)]
    return Table(
        name=name,
        columns={column.name: column for column in columns},
        foreign=[
            Foreign(tuple(own), parent, tuple(theirs))
            for own, parent, theirs in connection.execute(_FOREIGN, place)
        ],
        checks=[text for (text,) in connection.execute(_CHECKS, place)],
    )


def quoted(name):
    """Quote a name; a percent sign would be taken for a parameter."""
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def literal(text):
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"
