"""MySQL's and MariaDB's own words: rows put together as text, chunks unfolded by ``JSON_TABLE``.

A row is not rendered by ``JSON_OBJECT``: it writes whole numbers beyond 2**53 as numbers, knows no
boolean, turns what is too long for a packet into NULL, and takes three times as long as putting
the texts of the values together. Here a value that is too long makes the whole line NULL, which
`sources.mysql` refuses.

A chunk is joined, never asked for by ``IN``: in a change of one table neither of the two turns a
subquery into a join, so that every row of the table would be compared with every key.

Source: MySQL, "JSON_TABLE", "DELETE Statement", "UPDATE Statement", "Character Set Conversions";
MariaDB, "JSON_TABLE"; measured on MariaDB 10.11.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.sql.operators import desc_op
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.sql.visitors import iterate

from offramp.data.catalog.catalog import CatalogColumn
from offramp.data.dialects.dialect import EXACT_MAX, Change, Columns, Expression, compiled_type
from offramp.data.dialects.mysql_type import CheckedJson, NamedBytes, NamedType

_CHARSET = re.compile(r" (?:CHARACTER SET|COLLATE) \S+")
# MariaDB takes some texts for JSON that no other reader does: "1.", and any escape.
_STRICT_JSON = (
    r"^(?:[][{},:[:space:]]|true|false|null|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
    r'|"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")*+$'
)
KEYS_ON_A_LINE = 10_000  # twice as many around zero; a number takes up to 21 bytes
_PACKET_BYTES = 65_535  # no server takes so little at once that a text of this size were too long
_SELF_NAMED = (sa.Integer, sa.Numeric, sa.Float, sa.Date, sa.DateTime, mysql.TIME)
_BYTES_MAX = 16_000
_BYTES = (sa.LargeBinary, sa.BINARY, sa.VARBINARY)
_LINE_FEED: Expression = sa.literal_column("char(10 USING utf8mb4)")
_RETURN: Expression = sa.literal_column("char(13 USING utf8mb4)")


class MysqlDialect:
    """What MySQL and MariaDB say in their own way."""

    name = "mysql"
    types_hold = True
    checks_at_end = False  # InnoDB looks at a reference as soon as a row is written
    asks_each = False
    chooses_as_it_deletes = False  # InnoDB holds every row at which a deletion looks

    def binding_type(self, kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        """Send and read what is stored, where SQLAlchemy would make something else of it."""
        if isinstance(kind, sa.Enum | mysql.SET | NamedType):
            return sa.String()
        if isinstance(kind, mysql.YEAR):
            return sa.Integer()
        return sa.types.NULLTYPE if isinstance(kind, sa.JSON | mysql.TIME) else kind

    def type_name(self, kind: sa.types.TypeEngine[Any]) -> str:
        """Name a type in the words of the database, without the language of its texts."""
        match kind:
            case NamedBytes() | NamedType():
                return kind.word
            case sa.Uuid():
                return "UUID"
        return _CHARSET.sub("", compiled_type(kind, mysql.dialect()))

    def value_schema(self, column: CatalogColumn) -> dict[str, Any]:
        """Describe a value in JSON Schema."""
        optional = ["null"] if column.nullable else []
        match column.type:
            case mysql.TINYINT(display_width=1):
                return {"type": ["boolean", "integer", *optional]}
            case sa.Integer() | mysql.BIT() | mysql.YEAR():
                return {"type": ["integer", "string", *optional]}
            case sa.Float():
                return {"type": ["number", *optional]}
            case sa.LargeBinary() | sa.BINARY() | sa.VARBINARY():
                return {"type": ["string", *optional], "contentEncoding": "base64"}
            case sa.JSON():
                return {}
        # A date may be 0000-00-00 here, which is none: its format cannot be promised.
        return {"type": ["string", *optional]}

    def objects(self, rows: sa.FromClause, columns: Sequence[CatalogColumn]) -> sa.Select[Any]:
        """Select rows as JSON objects, one text for each row."""
        parts: list[Expression] = []
        for number, column in enumerate(columns):
            name = json.dumps(column.name, ensure_ascii=False)
            parts += [sa.literal(f"{',' if number else '{'}{name}:"), _value(rows, column)]
        whole = sa.func.concat(*parts, "}") if parts else sa.literal("{}")
        return sa.select(whole).select_from(rows)

    def arrays_of_texts(
        self, rows: sa.FromClause, columns: Sequence[CatalogColumn]
    ) -> sa.Select[Any]:
        """Select texts as JSON arrays."""
        parts: list[Expression] = []
        for column in columns:
            text = _unless_null(rows.c[column.name], _quoted(_as_text(rows.c[column.name])))
            parts += [sa.literal("," if parts else "["), text]
        return sa.select(sa.func.concat(*parts, "]"))

    def in_byte_order(self, column: Expression) -> Expression:
        """Sort text by its bytes in UTF-8, whatever the language of its column."""
        if not isinstance(column.type, sa.String):
            return column
        return sa.cast(_converted(column, to="utf8mb4"), sa.BINARY)

    def chunk(self, columns: Mapping[str, CatalogColumn]) -> sa.FromClause:
        """Unfold one JSON array of rows."""
        declared = (
            f"{_quote_name(name)} {_chunk_type(column)} PATH '$[{number}]' ERROR ON ERROR"
            for number, (name, column) in enumerate(columns.items())
        )
        unfolding: Expression = sa.literal_column(f"'$[*]' COLUMNS ({', '.join(declared)})")
        kinds = {name: _sent_type(column) for name, column in columns.items()}
        names = [sa.column(name, kind) for name, kind in kinds.items()]
        sent = sa.func.json_table(sa.bindparam("chunk"), unfolding)
        chunk = sent.table_valued(*names, name="chunk")
        if not any(isinstance(column.type, _BYTES) for column in columns.values()):
            return chunk
        # Bytes travel in hexadecimal digits, because JSON has none.
        fields = [_received(chunk.c[name], column).label(name) for name, column in columns.items()]
        return sa.select(*fields).select_from(chunk).subquery("received")

    def in_chunk(
        self, key: Sequence[Expression], columns: Mapping[str, CatalogColumn]
    ) -> sa.ColumnElement[bool]:
        """Compare the key with the rows of the JSON array."""
        chunk = self.chunk(columns)
        value: Expression = key[0] if len(key) == 1 else sa.tuple_(*key)
        return value.in_(sa.select(*chunk.c).correlate(None))

    def change_chunk(
        self,
        change: Change,
        key: Sequence[Expression],
        columns: Mapping[str, CatalogColumn],
        which: sa.ColumnElement[bool],
    ) -> Change:
        """Let a change touch the rows of a chunk that are meant, and no others."""
        chunk = self.chunk(columns)
        same: list[sa.ColumnElement[bool]] = [
            mine == chunk.c[name] for mine, name in zip(key, columns, strict=True)
        ]
        if not _is_read_within(change.table, which):
            return change.where(*same, which)
        # A table that is changed cannot be read in a subquery: what is meant is found beforehand.
        held = change.table.alias("held")
        adapter = ClauseAdapter(held)
        found = [held.c[name].label(name) for name in columns]
        inside = [adapter.traverse(each) for each in (*same, which)]
        chosen = sa.select(*found).where(*inside).distinct().with_for_update().subquery("chosen")
        return change.where(
            *(mine == chosen.c[name] for mine, name in zip(key, columns, strict=True))
        )

    def chunk_params(self, columns: Columns) -> dict[str, Any]:
        """Give all rows as one JSON text."""
        rows = list(zip(*columns, strict=True))
        return {"chunk": json.dumps(rows, ensure_ascii=False, default=_plain)}

    def whole_numbers(self, keys: sa.Select[Any]) -> sa.Select[Any] | None:
        """Put the numbers of one range on each line: the driver takes its time for every line."""
        key, *more = keys.selected_columns
        if more or getattr(key.type, "unsigned", False):
            return None
        (order,) = keys._order_by_clauses
        is_falling = isinstance(order, sa.UnaryExpression) and order.modifier is desc_op
        place = key.op("DIV")(sa.literal_column(str(KEYS_ON_A_LINE)))
        inside, ranges = (key.desc(), place.desc()) if is_falling else (key, place)
        listed = key.op("ORDER BY", precedence=1)(inside).op("SEPARATOR")(sa.literal_column("' '"))
        lines = keys.with_only_columns(sa.func.group_concat(listed), maintain_column_froms=True)
        return lines.order_by(None).group_by(place).order_by(ranges)


def _value(rows: sa.FromClause, column: CatalogColumn) -> Expression:
    value = rows.c[column.name]
    text = _json_text(value, column.type)
    if not column.nullable:
        return text
    if _is_short(column):
        return sa.func.coalesce(text, "null")
    return _unless_null(value, text)


def _unless_null(value: Expression, text: Expression) -> Expression:
    """Tell what is empty from what is too long: the latter is NULL as well, and must stay it."""
    return sa.case((value.is_(None), sa.literal("null")), else_=text)


def _is_short(column: CatalogColumn) -> bool:
    """Say whether no value is so long that it could become NULL on the way."""
    if isinstance(column.type, sa.String | sa.BINARY | sa.VARBINARY):
        return (column.length or _PACKET_BYTES) * 8 < _PACKET_BYTES
    return not isinstance(column.type, sa.JSON | sa.LargeBinary)


def _json_text(value: Expression, kind: sa.types.TypeEngine[Any]) -> Expression:
    """Write a value that is not NULL as JSON."""
    match kind:
        case CheckedJson():
            is_strict = sa.and_(sa.func.json_valid(value) == 1, value.regexp_match(_STRICT_JSON))
            return sa.case((is_strict, _on_one_line(value)), else_=_quoted(value))
        case sa.JSON():
            return _as_text(value)
        case mysql.TINYINT(display_width=1):
            words = {0: sa.literal("false"), 1: sa.literal("true")}
            return sa.case(words, value=value, else_=_as_text(value))
        case mysql.BIT():
            return _exact(sa.cast(value, mysql.INTEGER(unsigned=True)))
        case sa.BigInteger():
            return _exact(value + 0)
        case sa.Integer() | mysql.YEAR() | sa.Float():
            return _number(value)
        case sa.LargeBinary() | sa.BINARY() | sa.VARBINARY():
            return _enclosed(sa.func.replace(sa.func.to_base64(value), _LINE_FEED, ""))
        case sa.DateTime():
            spelled = sa.func.replace(_as_text(value), " ", "T")
            return _enclosed(spelled, "+00:00" if kind.timezone else "")
        case sa.Numeric() | sa.Date() | sa.Time() | mysql.TIME():
            return _enclosed(_as_text(value))
    return _quoted(_as_text(value))


def _number(value: Expression) -> Expression:
    """Print a number; adding nothing takes zeros away that fill it, and makes a float double."""
    return _as_text(value + sa.literal_column("0e0" if isinstance(value.type, sa.Float) else "0"))


def _exact(value: Expression) -> Expression:
    text = _as_text(value)
    return sa.case((value.between(-EXACT_MAX, EXACT_MAX), text), else_=_enclosed(text))


def _enclosed(text: Expression, ending: str = "") -> Expression:
    return sa.func.concat('"', text, f'{ending}"')


def _quoted(text: Expression) -> Expression:
    return sa.func.json_quote(_converted(text, to="utf8mb4"))


def _on_one_line(value: Expression) -> Expression:
    """A line feed between the parts of a JSON text would end the row."""
    return sa.func.replace(sa.func.replace(value, _LINE_FEED, " "), _RETURN, " ")


def _as_text(value: Expression) -> Expression:
    return value if _is_utf8(value.type) else sa.cast(value, sa.CHAR)


def _converted(text: Expression, *, to: str) -> Expression:
    if getattr(text.type, "charset", None) == to:
        return text
    return sa.func.convert(text.op("USING")(sa.literal_column(to)), type_=sa.String())


def _is_utf8(kind: sa.types.TypeEngine[Any]) -> bool:
    return isinstance(kind, sa.String) and getattr(kind, "charset", None) == "utf8mb4"


def _is_read_within(table: sa.FromClause, which: sa.ColumnElement[bool]) -> bool:
    """Say whether a condition asks for rows of the very table that is changed."""
    assert isinstance(table, sa.TableClause)
    return any(
        isinstance(part, sa.Alias)
        and isinstance(part.element, sa.TableClause)
        and (part.element.name, part.element.schema) == (table.name, table.schema)
        for part in iterate(which)
    )


def _quote_name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _chunk_type(column: CatalogColumn) -> str:
    """Declare a column of a chunk so that an index of the real one can be used."""
    kind = column.type
    if isinstance(kind, _BYTES):
        # Not LONGTEXT: MariaDB 10.11 finds no bytes of that length again in a chunk.
        return f"VARCHAR({2 * (column.length or _BYTES_MAX)}) CHARACTER SET ascii"
    if isinstance(kind, mysql.BIT | mysql.YEAR):
        return "BIGINT UNSIGNED"
    if isinstance(kind, _SELF_NAMED):
        return kind.compile(mysql.dialect())
    words = f"VARCHAR({column.length})" if _is_sized(column) else "LONGTEXT"
    charset, collation = (getattr(kind, each, None) for each in ("charset", "collation"))
    return f"{words} CHARACTER SET {charset} COLLATE {collation}" if collation else words


def _is_sized(column: CatalogColumn) -> bool:
    return isinstance(column.type, mysql.CHAR | mysql.VARCHAR) and bool(column.length)


def _sent_type(column: CatalogColumn) -> sa.types.TypeEngine[Any]:
    return sa.String() if isinstance(column.type, _BYTES) else column.type


def _received(value: Expression, column: CatalogColumn) -> Expression:
    return sa.func.unhex(value) if isinstance(column.type, _BYTES) else value


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
